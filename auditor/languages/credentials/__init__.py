"""Finds credential-like values in text: vendor formats, tokens with a payload, connection strings, values under a secret's name or in a layout that holds secrets.

`located_credentials` is the way in, `find_credentials` the same without the places, `Vanished` the one for versions of files that are gone. Values stay inside
this package: what it hands out are kinds, places and at most four first characters.
"""

from auditor.languages.credentials.own_code import scanner_digest
from auditor.languages.credentials.payloads import depends_on_day
from auditor.languages.credentials.roots import Roots
from auditor.languages.credentials.scan import Located, Surroundings, find_credentials, located_credentials, surroundings_of
from auditor.languages.credentials.vanished import Vanished, searched

__all__ = [
    "Located",
    "Roots",
    "Surroundings",
    "Vanished",
    "depends_on_day",
    "find_credentials",
    "located_credentials",
    "scanner_digest",
    "searched",
    "surroundings_of",
]
