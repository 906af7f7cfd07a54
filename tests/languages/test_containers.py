"""Container files, ignore files and compose files."""

from __future__ import annotations

import time

import pytest

from auditor.languages.containers import ignored_by, purpose_of, read_compose, read_dockerfile, stage_names

DOCKERFILE = """\
# syntax=docker/dockerfile:1
ARG PYTHON=3.12
ARG VARIANT
FROM --platform=$BUILDPLATFORM python:${PYTHON}-slim AS Build
RUN apt-get update \\
    # a comment inside
    && apt-get install -y \\

       curl
COPY --chown=1:1 --from=ghcr.io/x/y:1 ["a b", "/srv/"]
RUN <<EOF
set -e
pip install .
EOF
FROM ${VARIANT:-debian:12}
COPY <<conf /etc/app.conf
USER root
conf
COPY --from=build /a /b
USER 1000
CMD ["gunicorn", "app:app"]
HEALTHCHECK --interval=5s CMD curl -f localhost
"""


def test_instructions_with_lines_stages_flags_and_heredocs() -> None:
    read = read_dockerfile("Dockerfile", DOCKERFILE)
    assert read.problem == ""
    assert read.base_images == ("python:3.12-slim", "debian:12")
    assert stage_names(read) == {"build": 0}
    by_line = {instruction.line: instruction for instruction in read.instructions}
    assert by_line[5].text == "apt-get update && apt-get install -y curl"
    assert by_line[5].end_line == 9
    assert by_line[10].flags == ("--chown=1:1", "--from=ghcr.io/x/y:1")
    assert by_line[10].exec_form == ("a b", "/srv/")
    assert by_line[11].text == "<<EOF\nset -e\npip install ."
    assert (by_line[16].keyword, by_line[16].end_line, by_line[16].stage) == ("COPY", 18, 1)
    assert [instruction.text for instruction in read.instructions if instruction.keyword == "USER"] == ["1000"]
    assert by_line[21].exec_form == ("gunicorn", "app:app")
    assert by_line[22].flags == ("--interval=5s",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "has no FROM"), ("FROM a\n{\n", "line 2 is no instruction"), ("\x00\x01", "line 1 is no instruction"), ("x" * 600_000, "larger than 500 kB: not read")],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem(text: str, problem: str) -> None:
    assert read_dockerfile("Dockerfile", text).problem == problem


def test_a_shell_shift_is_no_heredoc() -> None:
    read = read_dockerfile("Dockerfile", "FROM a\nRUN cat <<EOF\nUSER app\n")
    assert [instruction.keyword for instruction in read.instructions] == ["FROM", "RUN", "USER"]


@pytest.mark.parametrize(
    ("path", "purpose"),
    [("Dockerfile", "production"), ("Dockerfile.dev", "development"), (".devcontainer/Dockerfile", "development"), ("docker/prod/Dockerfile", "production"),
     ("ci/Dockerfile", "ci"), ("Dockerfile.test", "ci"), ("devices/Dockerfile", "production")],
)  # fmt: skip
def test_purpose_by_place(path: str, purpose: str) -> None:
    assert purpose_of(path) == purpose


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        (".env\n.git\n", (".git", ".env")),
        ("**/node_modules\n", ("node_modules",)),
        ("*\n!src\n", (".git", ".env", "node_modules")),
        (".env*\n!.env\n", ()),
        ("# nothing\n\nsub/.env\n", ()),
        ("/.git/\n./.env\n", (".git", ".env")),
        ("[\n", ()),
    ],
)
def test_ignore_files_begin_at_the_root_of_the_context(text: str, ignored: tuple[str, ...]) -> None:
    assert ignored_by(text, (".git", ".env", "node_modules")) == ignored


def test_compose_services() -> None:
    text = """\
x-base: &base
  restart: always
  environment: &env {A: "1"}
services:
  web:
    <<: *base
    build: {context: ., dockerfile: docker/Dockerfile}
    command: [gunicorn, app]
    ports: ["8000:8000", {target: 80, published: "8080"}]
    healthcheck: {test: curl}
    environment:
      <<: *env
      B: $B
  worker:
    extends: {service: web}
    profiles: [jobs]
    environment: [C=3, D]
    healthcheck: {disable: true}
  db: {image: "postgres:16"}
"""
    web, worker, db = read_compose("docker-compose.yml", text)
    assert (web.line, web.build, web.command, web.healthcheck) == (5, ".", "gunicorn app", True)
    assert web.environment == (("B", "$B"), ("A", "1"))
    assert web.ports == ("8000:8000", "8080")
    assert dict(web.settings)["build.dockerfile"] == "docker/Dockerfile"
    assert (worker.build, worker.healthcheck, worker.environment) == (".", False, (("C", "3"), ("D", "")))
    assert dict(worker.settings)["profiles.0"] == "jobs"
    assert db.image == "postgres:16"


@pytest.mark.parametrize("text", ["services: [a]", "services:\n  a: b\n", "services: {a: {build: 3, ports: x, environment: 7}}", "[[", ""])
def test_odd_compose_files_do_not_raise(text: str) -> None:
    read_compose("compose.yml", text)


@pytest.mark.parametrize(
    "text",
    [
        "RUN \\\n" * 100_000,
        "FROM a\n" * 60_000,
        "RUN <<A <<B <<C\n" * 20_000,
        "ARG A=${A}${A}\n" * 20_000 + "FROM ${A}",
        "FROM " + "${A" * 100_000,
    ],
)
def test_hostile_container_files_end_quickly(text: str) -> None:
    started = time.process_time()
    read_dockerfile("Dockerfile", text)
    assert time.process_time() - started < 30
