"""Shell texts split into commands, named commands followed to what they run, and which of those run tests."""

from __future__ import annotations

import time

import pytest

from auditor.checks.commands import Commands
from auditor.checks.pipelines import When, when_condition
from auditor.checks.shell import commands_of, unwrapped
from auditor.checks.test_runs import language_of, test_run
from auditor.model.artifacts import Ecosystem, Manifest, Manifests, Script, TaskFile
from auditor.model.verdict import Place

ROOT = Manifest(
    "package.json",
    "package.json",
    Ecosystem.NPM,
    "",
    scripts=tuple(
        Script(name, command, Place("package.json", 1))
        for name, command in (("test", "run-s test:*"), ("test:unit", "jest"), ("test:e2e", "playwright test"), ("all", "turbo run test"), ("loop", "npm run loop"), ("posttest:unit", "echo done"))
    ),
)  # fmt: skip
MEMBER = Manifest(
    "web/package.json",
    "package.json",
    Ecosystem.NPM,
    "web",
    name="@shop/web",
    scripts=(Script("test", "vitest run", Place("web/package.json", 1)),),
)
TASKS = (
    TaskFile("Makefile", "make", (Script("check", "make lint\ncd api && pytest -q", Place("Makefile", 1)), Script("lint", "ruff check", Place("Makefile", 4)))),
    TaskFile("tox.ini", "tox", (Script("", "pytest", Place("tox.ini", 1)), Script("lint", "ruff", Place("tox.ini", 3)))),
    TaskFile("ci/run.sh", "shell", (Script("run.sh", "set -e\nuv run --frozen pytest tests || true\n", Place("ci/run.sh", 1)),)),
)  # fmt: skip
COMMANDS = Commands(Manifests((ROOT, MEMBER), ()), TASKS)


def leaves(text: str, directory: str = "") -> list[tuple[str, str, bool]]:
    return [(leaf.text, leaf.directory, leaf.swallowed) for leaf in COMMANDS.leaves(text, directory)]


def test_commands_are_split_outside_quotes_with_their_lines() -> None:
    text = "# comment\nA=1 npm ci && echo 'a && b; c'\ncd web\npnpm test \\\n  --ci | tee log; sudo make\n"
    assert [(command.text, command.directory, command.line) for command in commands_of(text)] == [
        ("npm ci", "", 1),
        ("echo a && b; c", "", 1),
        ("pnpm test --ci", "web", 3),
        ("tee log", "web", 4),
        ("make", "web", 4),
    ]


@pytest.mark.parametrize(
    ("text", "swallowed"),
    [("pytest || true", True), ("pytest || exit 1", False), ("pytest || echo failed", True), ("set +e\npytest\nexit 0", True), ("set +e\npytest\nexit $?", False), ("pytest", False)],
)  # fmt: skip
def test_failures_that_cannot_be_seen(text: str, swallowed: bool) -> None:
    found = [command for command in commands_of(text) if command.words[0] == "pytest"]
    assert [command.swallowed for command in found] == [swallowed]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("npm test", [("jest", "", False), ("echo done", "", False), ("playwright test", "", False)]),
        ("npm --prefix web test", [("vitest run", "web", False)]),
        ("yarn workspace @shop/web test", [("vitest run", "web", False)]),
        ("pnpm --filter @shop/web run test", [("vitest run", "web", False)]),
        ("make check", [("ruff check", "", False), ("pytest -q", "api", False)]),
        ("tox -e py312", [("pytest", "", False)]),
        ("tox", [("pytest", "", False), ("ruff", "", False)]),
        ("./ci/run.sh", [("set -e", "", False), ("pytest tests", "", True), ("true", "", False)]),
        ("bash -c 'cd web && npm test'", [("vitest run", "web", False)]),
        ("npm run loop", []),
        ("npm ci", [("npm ci", "", False)]),
        ("npm run unknown", [("npm run unknown", "", False)]),
    ],
)
def test_named_commands_are_followed(text: str, expected: list[tuple[str, str, bool]]) -> None:
    assert leaves(text) == expected


def test_a_command_in_quotes_behind_a_server_is_run() -> None:
    assert leaves('start-server-and-test "npm run start" http://localhost:3000 "playwright test e2e"') == [
        ("playwright test e2e", "", False)
    ]


def test_scripts_named_like_commands_and_tasks_with_a_colon() -> None:
    member = Manifest(
        "web/package.json",
        "package.json",
        Ecosystem.NPM,
        "web",
        scripts=(Script("test:e2e", "playwright test", Place("web/package.json", 1)),),
    )
    top = Manifest(
        "package.json",
        "package.json",
        Ecosystem.NPM,
        "",
        scripts=(Script("ci", "turbo run build && turbo run test:e2e", Place("package.json", 1)),),
    )
    found = Commands(Manifests((top, member), ()), ()).leaves("npm run ci")
    assert "playwright test" in [leaf.text for leaf in found]


def test_the_subcommand_of_a_runner_is_no_path() -> None:
    (leaf,) = COMMANDS.leaves("cd web && ng test --shard 1/4")
    run = test_run(leaf)
    assert run is not None
    assert (run.leaf.directory, run.paths) == ("web", ())


def test_a_workspace_runner_reaches_every_member() -> None:
    assert ("vitest run", "web", False) in leaves("npm run all")


@pytest.mark.parametrize(
    ("command", "rest"),
    [("npx --yes jest", "jest"), ("poetry run pytest -x", "pytest -x"), ("xvfb-run -a cypress run", "cypress run"), ("timeout 60 pytest", "pytest"), ("if ! make", "make"), ("FOO=1 env BAR=2 go", "go")],
)  # fmt: skip
def test_wrappers_are_taken_off(command: str, rest: str) -> None:
    assert " ".join(unwrapped(command.split())) == rest


@pytest.mark.parametrize(
    ("command", "language"),
    [
        ("pytest -q", "python"), ("python3 -m pytest", "python"), ("python -W error manage.py test", "python"), ("coverage run --source=app manage.py test", "python"), ("python -m unittest discover", "python"),
        ("vitest run", "script"), ("node --test", "script"), ("bun test", "script"), ("cypress run", "script"), ("react-scripts test", "script"), ("go test ./...", "other"), ("cargo test", "other"),
        ("pytest --collect-only", ""), ("pip install pytest", ""), ("echo pytest", ""), ("cypress open", ""), ("vitest watch", ""), ("playwright install", ""), ("node server.js", ""), ("jest --version", ""),
    ],
)  # fmt: skip
def test_which_commands_run_tests(command: str, language: str) -> None:
    assert language_of(command) == language


def test_tests_inside_a_container() -> None:
    leaf = COMMANDS.leaves("docker compose run --rm web sh -c 'pip install . && pytest'")[0]
    found = test_run(leaf)
    assert found is not None
    assert found.language == "python"


@pytest.mark.parametrize(
    ("condition", "when"),
    [
        ("", When.ON_CHANGE), ("false", When.NEVER), ("${{ false }}", When.NEVER), ("github.event_name == 'workflow_dispatch'", When.BY_HAND), ("startsWith(github.ref, 'refs/tags/v')", When.BY_HAND),
        ("github.ref == 'refs/heads/main'", When.AFTER_MERGE), ("github.event_name != 'pull_request' || github.actor != 'bot'", When.ON_CHANGE), ("manual", When.BY_HAND), ("success()", When.ON_CHANGE),
    ],
)  # fmt: skip
def test_conditions(condition: str, when: When) -> None:
    assert when_condition(condition) is when


@pytest.mark.parametrize(
    "text",
    [
        "a && " * 4_000,
        "'" * 20_000,
        "(" * 20_000,
        "cd a\n" * 5_000,
        "npx " * 5_000,
        "bash -c " * 2_500,
        "make check\n" * 3_000,
        "-z $" + "A" * 200 + "\n" * 19_000,
    ],
)
def test_hostile_texts_end_quickly(text: str) -> None:
    started = time.process_time()
    for leaf in COMMANDS.leaves(text):
        test_run(leaf)
    assert time.process_time() - started < 30


def test_a_subshell_ends_its_change_of_directory() -> None:
    found = commands_of("(cd web && npm test)\nnpm run build\n(make lint)", "app")
    assert [(command.text, command.directory) for command in found] == [
        ("npm test", "app/web"),
        ("npm run build", "app"),
        ("make lint", "app"),
    ]
