"""What licences ask of those who build on them: SPDX expressions graded, licence texts recognised, and licences of some packages that no lock states.

This sorts cases for a lawyer, it is no legal advice. Whatever is not recognised is unknown, never free.
"""

from __future__ import annotations

import functools
import re
from enum import IntEnum


class Terms(IntEnum):
    """How much a licence asks, the least first."""

    FREE = 0  # keep the notice
    WEAK = 1  # changes to the package itself stay open: LGPL, MPL
    STRONG = 2  # whoever gets the program gets all its source: GPL
    NETWORK = 3  # whoever uses it over a network gets all its source: AGPL, SSPL
    PAID = 4  # not free for every use: source-available and commercial ones
    UNKNOWN = 5


_FREE = """
mit mit-0 isc 0bsd bsd bsd-2-clause bsd-3-clause bsd-4-clause bsd-2-clause-patent bsd-3-clause-clear apache-2.0 apache apache-1.1 unlicense cc0-1.0 cc-by-3.0 cc-by-4.0
zlib wtfpl python-2.0 python-2.0.1 psf-2.0 artistic-2.0 artistic-1.0 blueoak-1.0.0 bsl-1.0 unicode-dfs-2016 unicode-3.0 ofl-1.1 hpnd ms-pl x11 postgresql
upl-1.0 ncsa openssl afl-2.1 afl-3.0 w3c zpl-2.1 curl libpng-2.0 mit-cmu public-domain ftl bzip2-1.0.6 w3c-20150513
"""
_WEAK = "lgpl-2.0 lgpl-2.1 lgpl-3.0 lgpl mpl-1.1 mpl-2.0 epl-1.0 epl-2.0 cddl-1.0 cddl-1.1 eupl-1.1 eupl-1.2 cecill-c ms-rl"
_STRONG = "gpl-1.0 gpl-2.0 gpl-3.0 gpl cc-by-sa-3.0 cc-by-sa-4.0 cecill-2.1"
_NETWORK = "agpl-1.0 agpl-3.0 agpl sspl-1.0 osl-3.0"
_PAID = "busl-1.1 elastic-2.0 polyform-noncommercial-1.0.0 polyform-small-business-1.0.0 fsl-1.1-mit fsl-1.1-apache-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-sa-4.0 commercial proprietary"

_TERMS = {
    name: terms
    for text, terms in ((_FREE, Terms.FREE), (_WEAK, Terms.WEAK), (_STRONG, Terms.STRONG), (_NETWORK, Terms.NETWORK), (_PAID, Terms.PAID))
    for name in text.split()
}
_SPELLINGS = {
    "apache license 2.0": "apache-2.0",
    "apache 2.0": "apache-2.0",
    "apache license, version 2.0": "apache-2.0",
    "the mit license": "mit",
    "mit license": "mit",
    "bsd license": "bsd",
    "new bsd license": "bsd-3-clause",
    "public domain": "public-domain",
    "mozilla public license 2.0": "mpl-2.0",
    "gplv3": "gpl-3.0",
    "gplv2": "gpl-2.0",
    "agplv3": "agpl-3.0",
    "lgplv3": "lgpl-3.0",
    "mit/x11": "mit",
    "business source license 1.1": "busl-1.1",
}


def terms_of(stated: str) -> Terms:
    """What an SPDX expression, or a name as packages state it, asks; the mildest of alternatives, the strictest of what holds together."""
    text = _SPELLINGS.get(stated.strip().lower(), stated.strip())
    single = _single(text)
    return single if single is not Terms.UNKNOWN or len(text) > 200 else _expression(text)


def _single(name: str) -> Terms:
    plain = re.sub(r"(?:-only|-or-later|\+)$", "", name.strip().lower())
    return _TERMS.get(plain, Terms.UNKNOWN)


@functools.lru_cache(maxsize=2_000)
def _expression(text: str) -> Terms:
    """An expression with operators, read by the reference library, which is loaded only for such."""
    if not re.search(r"\b(?:OR|AND|WITH)\b", text, re.IGNORECASE):
        return Terms.UNKNOWN
    from boolean.boolean import Expression
    from license_expression import ExpressionError, Licensing

    try:
        parsed = Licensing().parse(re.sub(r"\b(?:or|and|with)\b", lambda word: word[0].upper(), text, flags=re.IGNORECASE))
    except (ExpressionError, AttributeError, TypeError, RecursionError):
        return Terms.UNKNOWN
    return _graded(parsed) if isinstance(parsed, Expression) else Terms.UNKNOWN


def _graded(node: object, depth: int = 0) -> Terms:
    operator = type(node).__name__
    arguments = getattr(node, "args", ())
    if arguments and depth < 20:
        grades = [_graded(argument, depth + 1) for argument in arguments]
        return min(grades) if operator == "OR" else max(grades)
    if hasattr(node, "exception_symbol"):
        base = _single(str(getattr(node, "license_symbol", "")))
        return Terms.WEAK if base in {Terms.STRONG, Terms.NETWORK} else base  # an exception lets others link to it
    return _single(str(node))


_TEXTS = (
    ("AGPL-3.0", r"\bgnu affero general public license\b.{0,40}version 3"),
    ("LGPL-3.0", r"\bgnu lesser general public license\b.{0,40}version 3"),
    ("LGPL-2.1", r"\bgnu (?:lesser|library) general public license\b.{0,40}version 2"),
    ("GPL-3.0", r"\bgnu general public license\b.{0,40}version 3"),
    ("GPL-2.0", r"\bgnu general public license\b.{0,40}version 2"),
    ("SSPL-1.0", r"\bserver side public license\b"),
    ("BUSL-1.1", r"\bbusiness source license 1\.1\b"),
    ("Elastic-2.0", r"\belastic license 2\.0\b"),
    ("FSL-1.1-MIT", r"\bfunctional source license\b"),
    ("PolyForm-Noncommercial-1.0.0", r"\bpolyform noncommercial license\b"),
    ("CC-BY-NC-4.0", r"\battribution-noncommercial\b"),
    ("MPL-2.0", r"\bmozilla public license\b.{0,20}version 2\.0"),
    ("EPL-2.0", r"\beclipse public license - v 2\.0"),
    ("EUPL-1.2", r"\beuropean union public licence v\. ?1\.2"),
    ("Apache-2.0", r"\bapache license\b.{0,40}version 2\.0"),
    ("CC0-1.0", r"\bcc0 1\.0 universal\b"),
    ("Unlicense", r"\bfree and unencumbered software released into the public domain\b"),
    ("BSL-1.0", r"\bboost software license - version 1\.0"),
    ("0BSD", r"\bzero-clause bsd\b"),
    ("ISC", r"\bpermission to use, copy, modify, and(?:/or)? distribute this software for any purpose\b"),
    ("BSD-3-Clause", r"\bredistribution and use in source and binary forms\b.*\bneither the names? of\b"),
    ("BSD-2-Clause", r"\bredistribution and use in source and binary forms\b"),
    ("MIT", r"\bpermission is hereby granted, free of charge, to any person obtaining a copy\b"),
    ("Proprietary", r"\bproprietary and confidential\b|\bno part of this (?:software|work)\b.{0,80}\bmay be\b|\bunauthori[sz]ed (?:copying|use)\b.{0,80}\bprohibited\b"),
)  # fmt: skip


def recognise(text: str) -> str:
    """The SPDX identifier of a licence text, "" when it is none that is known. What stands first counts: other licences may be quoted below."""
    plain = re.sub(r"[\s*#=>\"“”]+", " ", text[:8_000]).lower()
    found = [(match.start(), order, name) for order, (name, pattern) in enumerate(_TEXTS) if (match := re.search(pattern, plain))]
    return min(found)[2] if found else ""


_STATED_PYPI = """
AGPL-3.0: pymupdf ultralytics yolov5 borb
GPL-3.0: pyqt5 pyqt6 html2text eyed3 ansible ansible-core ghostscript
GPL-2.0: mysqlclient unidecode scapy python-igraph igraph levenshtein python-levenshtein fuzzywuzzy mutagen rpy2
LGPL-3.0: psycopg2 psycopg2-binary psycopg psycopg-binary python-telegram-bot pyside6 pygobject
"""
_STATED_NPM = """
Commercial: highcharts handsontable ag-grid-enterprise @mui/x-data-grid-pro @mui/x-data-grid-premium @fullcalendar/premium-common
GPL-2.0: ckeditor5 @ffmpeg/core
GPL-3.0: ffmpeg-static
"""


def _stated(text: str) -> dict[str, str]:
    lines = (line.split(": ", 1) for line in text.strip().splitlines())
    return {name: licence for licence, names in lines for name in names.split()}


STATED = {"pypi": _stated(_STATED_PYPI), "npm": _stated(_STATED_NPM)}
"""Licences of well-known packages that ask something, for locks that state none (as of March 2026); missing here means nothing."""
