"""What a search for credentials depends on beside the text: the code that decides what looks like one."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from auditor import classify, placeholders, secret_names
from auditor.languages import dotenv


@functools.cache
def scanner_digest() -> str:
    """Hexadecimal digest of this package and of the modules it judges values, names and files with."""
    joined = hashlib.sha256()
    modules = (classify, dotenv, placeholders, secret_names)
    for source in (*sorted(Path(__file__).parent.glob("*.py")), *(Path(str(module.__file__)) for module in modules)):
        joined.update(source.read_bytes())
    return joined.hexdigest()
