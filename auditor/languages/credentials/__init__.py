"""Finds credential-like values in text: vendor formats, tokens with a payload, connection strings, values under a secret's name.

`find_credentials` is the way in. Values stay inside this package: what it hands out are kinds, places and at most four first characters.
"""

from auditor.languages.credentials.scan import Surroundings, find_credentials, surroundings_of

__all__ = ["Surroundings", "find_credentials", "surroundings_of"]
