"""Finds values in the form of a vendor's credential, tells stand-ins from drawn values and keys for pages from keys for servers.

Each format has literal anchors, so that a file is searched with a pattern only when an anchor occurs in it at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.languages.credentials.match import Match, Strength
from auditor.languages.credentials.vendor_formats import FORMATS, Format, aws_id, checksum_of_github
from auditor.placeholders import entropy, is_monotonous, is_placeholder

_BROWSER_KEY = re.compile(
    r"authDomain|storageBucket|messagingSenderId|firebase|maps\.google|google_?maps|mobilesdk_app_id|GOOGLE_APP_ID|REVERSED_CLIENT_ID",
    re.IGNORECASE,
)
_PAID_KEY = re.compile(r"gemini|genai|generative|palm|vertex|youtube|translate|server", re.IGNORECASE)
_DOCUMENTED = re.compile(
    r"EXAMPLE|4eC39HqLyjWDarjtT1zdp7dc|BQokikJOvBiI2HlWgH4olfQ2|Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsu", re.IGNORECASE
)
"""Parts of the sample keys of AWS, Stripe and the Azure storage emulator that stand in everybody's documentation."""


_IN_ADDRESS = re.compile(r"(?:[?&]|&amp;|u0026)[\w-]{2,40}=\Z")
"""What stands before the value of a parameter of an address: signed addresses name the key id, never the key."""


_RUN = re.compile(r"[^\s\"'`<>(),;{}\[\]]{14,}")
_DRAWN = re.compile(r"[\d_]|[A-Z]{8}")


def vendor_matches(text: str) -> Iterator[Match]:
    """Every value in `text` that has the form of a vendor's credential and is no stand-in."""
    runs = "\n".join(
        run for run in _RUN.findall(text) if _DRAWN.search(run)
    )  # a small part of the text, in which all anchors are looked for
    for form in FORMATS:
        for anchor in form.anchors:
            if anchor in (text if form.beside else runs):
                for found in _leading(form, anchor, text) if form.leading else form.pattern.finditer(text):
                    yield from _judged(form, found)


def _leading(form: Format, anchor: str, text: str) -> Iterator[re.Match[str]]:
    """Matches that begin at an occurrence of the anchor: trying these places is far quicker than searching the text."""
    position = text.find(anchor)
    while position >= 0:
        found = form.pattern.match(text, position)
        if found:
            yield found
        position = text.find(anchor, found.end() if found else position + len(anchor))


def _judged(form: Format, found: re.Match[str]) -> Iterator[Match]:
    value = found[0]
    if _DOCUMENTED.search(value) or _is_filler(form, value):
        return
    fits = form.verify is None or form.verify(value)
    if form.strict and not fits:
        return
    proven = form.verify is not None and fits and form.proves
    reason = f"it has the form of {form.title}"
    if form.verify is checksum_of_github and not proven:
        reason += ", though its checksum does not fit"
    elif form.note:
        reason += f"; {form.note}"
    public = form.public
    if form.verify is aws_id and _IN_ADDRESS.search(found.string, max(0, found.start() - 60), found.start()):
        public, reason = True, "it is the public half of an AWS key pair, in the address of a request"
    if form.kind == "google-api-key" and _for_browsers(found):
        public, reason = True, "it is the key of a Firebase or Maps page, which is made to be published and restricted"
    strength = Strength.PROVEN if proven else Strength.FORMAT
    yield Match(form.kind, found.start(), found.end(), value, strength, reason, public=public)


def _for_browsers(found: re.Match[str]) -> bool:
    """Google's keys look the same for pages and for paid services; the neighbouring entries tell them apart."""
    around = found.string[max(0, found.start() - 300) : found.end() + 300]
    return bool(_BROWSER_KEY.search(around)) and not _PAID_KEY.search(found.string[max(0, found.start() - 60) : found.start()])


def _is_filler(form: Format, value: str) -> bool:
    """Stand-ins such as `ghp_xxxxxxxx`, `sk-proj-your-key-here`, `AKIA1234567890123456`, and words written with dashes."""
    body = value
    for anchor in form.anchors:
        if value.startswith(anchor):
            body = value[len(anchor) :]
    if is_monotonous(body) or is_placeholder(body):
        return True
    longest = re.split(r"[./:_=-]", body)
    if len(longest) >= 4 and all(part.isalpha() and part.islower() for part in longest if part):
        return True
    return entropy(max(longest, key=len)) < form.bits
