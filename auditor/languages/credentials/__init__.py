"""Finds credential-like values in text: vendor formats, tokens with a payload, connection strings, values under a secret's name.

`find_credentials` is the way in, `Vanished` the one for versions of files that are gone. Values stay inside this package: what it hands out are kinds, places and at most four first characters.
"""

from auditor.languages.credentials.scan import Surroundings, find_credentials, surroundings_of
from auditor.languages.credentials.vanished import Vanished, searched

__all__ = ["Surroundings", "Vanished", "find_credentials", "searched", "surroundings_of"]
