"""Kubernetes: the entries of Secret objects, the client keys of a cluster's settings, the environment of containers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.languages.credentials.connections import connection_matches
from auditor.languages.credentials.keys import key_matches
from auditor.languages.credentials.match import Match, Strength
from auditor.languages.credentials.placed import decoded
from auditor.languages.credentials.registries import docker
from auditor.languages.credentials.vendors import vendor_matches
from auditor.placeholders import is_common, is_placeholder, is_reference, is_stand_in, looks_random
from auditor.secret_names import kind_of_name

_SECRET_OBJECT = re.compile(r"^kind:[ \t]*[\"']?Secret[\"']?[ \t]*$", re.MULTILINE)
_ENTRY = re.compile(r"^([ \t]+)([\w.-]{1,100}):[ \t]*[\"']?([^\s\"'#]{4,16000})[\"']?[ \t]*(?:#.*)?$")
_NAME_VALUE = re.compile(
    r"^[ \t]*-?[ \t]*name:[ \t]*[\"']?([\w.-]{2,100})[\"']?[ \t]*\n[ \t]+value:[ \t]*[\"']?([^\s\"'#][^\n\"']{2,300})[\"']?[ \t]*$",
    re.MULTILINE,
)


def cluster_matches(text: str) -> Iterator[Match]:
    """Values in manifests and their templates."""
    if "Secret" in text:
        yield from _secrets(text)
    if "value:" in text:
        yield from _environment(text)


def _secrets(text: str) -> Iterator[Match]:
    position = 0
    for document in text.split("\n---"):
        if _SECRET_OBJECT.search(document):
            yield from _entries(document, position)
        position += len(document) + 4


def _entries(document: str, position: int) -> Iterator[Match]:
    mode = ""
    for line in document.split("\n"):
        if not line.startswith((" ", "\t")) and ":" in line:
            mode = line.split(":")[0].strip()
        found = _ENTRY.match(line) if mode in {"data", "stringData"} else None
        if found:
            value = decoded(found[3]) if mode == "data" else found[3]
            match = _entry(found, value, position)
            if match:
                yield match
        position += len(line) + 1


def _entry(found: re.Match[str], value: str, position: int) -> Match | None:
    if not value or is_reference(value) or not re.search(r"\d|[A-Za-z]", value):
        return None
    start, end = found.start(3) + position, found.end(3) + position
    for inner in (*key_matches(value), *docker(value), *vendor_matches(value), *connection_matches(value)):
        if inner.strength > Strength.WEAK and not inner.public:
            return Match(
                "kubernetes-secret", start, end, found[3], inner.strength, f"{inner.reason}, in a Kubernetes secret", local=inner.local
            )
    if is_stand_in(value) or kind_of_name(found[2], settings=True) is None:
        return None
    if is_common(value) or is_placeholder(value):
        return Match("password", start, end, found[3], Strength.WEAK, "it is a well-known value in a Kubernetes secret", local=True)
    strength = Strength.NAMED if looks_random(value) or "://" in value else Strength.HUMAN
    return Match("kubernetes-secret", start, end, found[3], strength, "it is a value of a Kubernetes secret", signing=False)


def _environment(text: str) -> Iterator[Match]:
    for found in _NAME_VALUE.finditer(text):
        kind, value = kind_of_name(found[1], settings=True), found[2].strip()
        if kind is None or is_reference(value) or is_stand_in(value) or "://" in value:
            continue
        weak = is_common(value) or is_placeholder(value) or not looks_random(value)
        reason = "it is set in the environment of a container"
        yield Match(kind.value, found.start(2), found.end(2), found[2], Strength.WEAK if weak else Strength.NAMED, reason)
