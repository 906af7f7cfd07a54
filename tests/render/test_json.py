"""The JSON report: follows its published schema, comes back equal, has the same bytes, and refuses what it cannot read."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest

from auditor.errors import UsageError
from auditor.render.json_report import canonical, from_json, schema, schema_json, to_json
from tests.render.sample import REPORTS, hostile, rich

named = pytest.mark.parametrize("name", sorted(REPORTS))


def test_the_schema_is_a_valid_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert json.loads(schema_json()) == json.loads(json.dumps(schema()))


@named
def test_every_report_follows_the_published_schema(name: str) -> None:
    jsonschema.Draft202012Validator(schema()).validate(json.loads(to_json(REPORTS[name]())))


@named
def test_a_stored_report_comes_back_equal(name: str) -> None:
    report = REPORTS[name]()
    data = to_json(report)
    assert from_json(data) == canonical(report)
    assert to_json(from_json(data)) == data
    if name != "hostile":
        assert from_json(data) == report


def test_undecodable_names_are_written_out() -> None:
    data = to_json(hostile())
    data.decode("utf-8")
    assert b"bad\\\\udc80byte" in data


def test_a_report_of_before_the_milestones_can_be_read() -> None:
    stored = json.loads(to_json(rich()))
    del stored["score"]["milestones"]
    assert from_json(json.dumps(stored).encode()).score.milestones == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not a report"),
        (b"[1, 2]", "is not a report"),
        (b'{"tool": "other", "schema": "1.0"}', "it says it comes from 'other'"),
        (b'{"tool": "auditor", "schema": "9.0"}', "has schema version 9.0"),
        (b'{"tool": "auditor", "schema": "1.0"}', "does not follow schema version 1.0"),
        (b"\xff\xfe{", "is not a report"),
        (b"[" * 100_000, "is not a report"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        from_json(data, "x.json")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("x.json")


def test_a_field_of_the_wrong_kind_is_named() -> None:
    stored = json.loads(to_json(rich()))
    stored["outcomes"][0]["verdict"] = "perhaps"
    with pytest.raises(UsageError, match=r"outcomes\[.*verdict"):
        from_json(json.dumps(stored).encode())


def test_every_field_of_the_report_is_in_the_file() -> None:
    assert set(json.loads(to_json(rich()))) == {field.name for field in dataclasses.fields(rich())}
