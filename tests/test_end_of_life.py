"""The tables of supported versions, and what version ranges allow."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.end_of_life import ENDS, GIVEN_UP, TITLES, ended_on, releases_in
from auditor.languages.runtime_versions import of_file, of_image, of_setting, of_text


def test_every_entry_of_the_tables_is_a_release_and_a_date() -> None:
    assert set(TITLES) == set(ENDS)
    for releases in ENDS.values():
        for release, end in releases.items():
            assert release
            dt.date.fromisoformat(end)
    assert all(instead and name == name.lower() for table in GIVEN_UP.values() for name, instead in table.items())


@pytest.mark.parametrize(
    ("product", "version", "date", "ended"),
    [
        ("python", "3.8.19", "2026-03-01", "2024-10-07"),
        ("python", "3.10", "2026-10-31", ""),
        ("python", "3.10", "2026-11-01", "2026-10-31"),
        ("python", "3.15", "2026-11-01", ""),
        ("node", "v18.17.0", "2026-03-01", "2025-04-30"),
        ("node", "22", "2026-03-01", ""),
        ("vue", "3.4.0", "2026-03-01", ""),
        ("django", "4.1.7", "2026-03-01", "2023-12-01"),
        ("python", "nonsense", "2026-03-01", ""),
    ],
)
def test_when_support_ended(product: str, version: str, date: str, ended: str) -> None:
    assert ended_on(product, version, date) == ended


@pytest.mark.parametrize(
    ("product", "wanted", "first", "last"),
    [
        ("node", ">=20", "20", "later"),
        ("node", ">= 18.0.0 < 20", "18", "19"),
        ("node", "^16.13.0 || 18.x", "16", "18"),
        ("node", "14 - 16", "14", "16"),
        ("node", ">16 <=18", "17", "18"),
        ("node", "~16.1", "16", "16"),
        ("node", "<20.1", "4", "20"),
        ("node", "*", "4", "later"),
        ("python", ">=3.9,<3.11", "3.9", "3.10"),
        ("python", "^3.10", "3.10", "later"),
        ("python", "~3.9.1", "3.9", "3.9"),
        ("python", "3.8.*", "3.8", "3.8"),
        ("python", ">=3.13,<4.0", "3.13", "later"),
        ("django", "<5", "1.4", "4.2"),
    ],
)
def test_what_a_range_allows(product: str, wanted: str, first: str, last: str) -> None:
    lines = releases_in(product, wanted)
    assert lines
    assert (lines[0], lines[-1]) == (first, last)


@pytest.mark.parametrize(("product", "wanted"), [("node", "whatever"), ("node", ""), ("python", "three")])
def test_what_cannot_be_read_allows_nothing_to_be_said(product: str, wanted: str) -> None:
    assert releases_in(product, wanted) in {None, releases_in("node", "*")}


@given(st.text(max_size=60))
def test_no_text_breaks_the_readers(text: str) -> None:
    for product in ("node", "python", "django"):
        releases_in(product, text)
        of_text(product, text)
    of_image(text)
    of_file(".tool-versions", text)
    of_setting("runtime", text)


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ("python:3.9-slim-buster", [("python", "3.9"), ("debian", "buster")]),
        ("docker.io/library/node:18.17.1-alpine3.18@sha256:00", [("node", "18.17.1")]),
        ("node:lts-alpine", [("node", "")]),
        ("node:hydrogen-slim", [("node", "18")]),
        ("python", [("python", "")]),
        ("python:3-slim", [("python", "")]),
        ("gcr.io/distroless/nodejs20-debian12", [("node", "20")]),
        ("public.ecr.aws/lambda/python:3.8", [("python", "3.8")]),
        ("ghcr.io/astral-sh/uv:0.8-python3.12-trixie-slim", [("python", "3.12")]),
        ("registry.example:5000/team/app", []),
        ("node:${VERSION}", []),
        ("ubuntu:20.04", [("ubuntu", "20.04")]),
        ("debian:bullseye-slim", [("debian", "bullseye")]),
        ("circleci/node-tools:1", []),
        ("postgres:12", []),
    ],
)
def test_what_images_tell(image: str, told: list[tuple[str, str]]) -> None:
    assert of_image(image) == told


def test_version_files_and_settings() -> None:
    assert of_file(".nvmrc", "lts/iron\n") == [("node", "20", 1)]
    assert of_file(".nvmrc", "lts/*\n") == [("node", "", 1)]
    assert of_file(".tool-versions", "# tools\nnodejs 18.1.0\npython 3.12.1 3.11.2\nterraform 1.0\n") == [
        ("node", "18.1.0", 2),
        ("python", "3.12.1", 3),
    ]
    assert of_file("runtime.txt", "python-3.9.18\n") == [("python", "3.9.18", 1)]
    assert of_file("runtime.txt", "anything\n") == []
    assert of_file(".python-version", "shop-env\n") == []
    assert of_setting("build.environment.NODE_VERSION", "18") == ("node", "18")
    assert of_setting("runtime", "python39") == ("python", "3.9")
    assert of_setting("functions.api.runtime", "nodejs18.x") == ("node", "18")
    assert of_setting("runtime", "docker") is None
