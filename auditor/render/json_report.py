"""The JSON form of a report and its published schema: the canonical data every other output is made from."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from auditor.errors import UsageError
from auditor.model.report import SCHEMA_VERSION, Report
from auditor.render.text import name_of

MAJOR = SCHEMA_VERSION.partition(".")[0]
SCHEMA_ID = f"urn:auditor:report:{MAJOR}"
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Head(msgspec.Struct):
    """The two fields that tell what a file is before the rest is read."""

    tool: str
    schema: str


def to_json(report: Report) -> bytes:
    """The report as indented UTF-8 JSON, the same bytes each time; undecodable bytes of file names are written out as escapes."""
    return msgspec.json.format(_encode(canonical(report)), indent=1) + b"\n"


def from_json(data: bytes, name: str = "the report") -> Report:
    """The report in `data`; `name` is how messages call it.

    Raises:
        UsageError: it is no report, or one of another major schema version.
    """
    try:
        head = msgspec.json.decode(data, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{name} is not a report of auditor: {error}") from None
    if head.tool != "auditor":
        raise UsageError(f"{name} is not a report of auditor: it says it comes from {head.tool!r}")
    if head.schema.partition(".")[0] != MAJOR:
        raise UsageError(
            f"{name} has schema version {head.schema}, this version of auditor reads {MAJOR}.x: run the audit again, or use the version that made it"
        )
    try:
        return msgspec.json.decode(data, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{name} does not follow schema version {head.schema}: {error}") from None


def canonical(report: Report) -> Report:
    """The report as it comes back from its JSON, so that outputs do not differ between a direct run and a stored one."""
    return msgspec.json.decode(_encode(report), type=Report)


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the report."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": f"auditor report, schema {SCHEMA_VERSION}",
        **msgspec.json.schema(Report),
    }


def schema_json() -> bytes:
    """The published schema file."""
    return msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=1) + b"\n"


def _encode(report: Report) -> bytes:
    try:
        return msgspec.json.encode(report, order="deterministic")
    except UnicodeEncodeError:
        return msgspec.json.encode(_printable(msgspec.to_builtins(report, order="deterministic")))


def _printable(value: Any) -> Any:
    match value:
        case str():
            return _SURROGATE.sub(lambda match: name_of(match[0]), value)
        case list() | tuple():
            return [_printable(entry) for entry in value]
        case dict():
            return {_printable(key): _printable(entry) for key, entry in value.items()}
        case _:
            return value
