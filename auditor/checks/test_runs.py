"""Which commands run tests, of which language, and over which paths."""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.checks.commands import Leaf
from auditor.checks.shell import joined, unwrapped

_PYTHON = re.compile(
    r"^(?:py\.?test|nose2|nosetests|trial|behave|robot|ward|testify|zope-testrunner|pytest-\w+|runtests\.py|stestr|avocado|lettuce|hatch test|poe test\w*|hatch run \S{0,40}test\S{0,40})(?:\s|$)"
    r"|^(?:\S{0,120}/)?python[\d.]{0,5}(?:w|\.exe)?\s+(?:-[A-Za-z]\w{0,20}\s+(?:(?:error|ignore|default|dev|utf8)\S{0,40}\s+)?){0,3}(?:(?:-m\s+)?(?:coverage\s+run\s+(?:--?\S{1,80}\s+){0,8}))?(?:-m\s+)?"
    r"(?:py\.?test|unittest|nose2|trial|twisted\.trial|doctest|(?:\S{0,80}/)?manage\.py\s+(?:test|pytest)|(?:\S{0,80}/)?(?:run_?|all_?)?tests?(?:_?runner)?\.py|(?:\S{0,80}/)?setup\.py\s+(?:test|pytest))(?:\s|$)"
    r"|^coverage\s+run\s+(?:--?\S{1,80}\s+){0,8}(?:-m\s+)?(?:py\.?test|unittest|(?:\S{0,80}/)?manage\.py\s+test)(?:\s|$)"
    r"|^(?:\./)?(?:\S{0,80}/)?manage\.py\s+test(?:\s|$)|^django-admin\s+test(?:\s|$)"
)
_SCRIPT = re.compile(
    r"^(?:jest|vitest|_?mocha|ava|tap|tape|uvu|karma|lab|qunit|jasmine|cypress|playwright|wtr|web-test-runner|testcafe|nightwatch|codeceptjs|detox|wdio|cucumber-js|borp|tsd|poku|brittle|ng|vue-cli-service|react-scripts|react-app-rewired|craco|ember|node|tsx|ts-node|deno|bun|meteor|aegir|start-storybook|test-storybook|vitest-\w+|egg-bin|rstest)"
    r"(?:\.cmd)?(?:\s|$)"
)
_NEEDS_WORD = {
    "cypress": ("run",), "playwright": ("test",), "ng": ("test", "e2e"), "vue-cli-service": ("test:unit", "test:e2e"), "react-scripts": ("test",), "react-app-rewired": ("test",),
    "craco": ("test",), "ember": ("test",), "deno": ("test",), "bun": ("test",), "meteor": ("test",), "karma": ("start", "run"), "detox": ("test",), "aegir": ("test",), "egg-bin": ("test", "cov"),
}  # fmt: skip
_OTHER = re.compile(
    r"^(?:go\s+test|gotestsum|cargo\s+(?:\+\S{1,30}\s+)?(?:test|nextest)|(?:\./)?(?:mvnw?|gradlew?)(?:\.bat)?\s.{0,300}\b(?:test|verify|check|build|install)\b|rspec|bundle\s+exec\s+(?:rspec|rake)|rake\s+(?:test|spec)"
    r"|(?:\S{0,80}/)?phpunit|(?:\S{0,80}/)?pest|composer\s+(?:run\s+|run-script\s+)?test|php\s+artisan\s+test|dotnet\s+test|mix\s+test|flutter\s+test|dart\s+test|swift\s+test|bats|ctest|sbt\s.{0,100}test|lein\s+test|supabase\s+test|bazel\s+test|rails\s+test|bin/rails\s+test|prove)(?:\s|$)"
)
_INSTALLED = re.compile(r"^\S{0,120}(?:bin|Scripts|BIN\)|BIN\})/(?=[\w.-]{1,40}(?:\s|$))")
"""The folder of an environment's programs (`.venv/bin/`, `node_modules/.bin/`, `$(BIN)/`)."""
_NO_RUN = re.compile(
    r"\s(?:--collect-only|--co|--version|-V|--help|--listTests|--init|--clearCache|--showConfig|--dry-run|list|install|install-deps|verify|info|open|show-report)(?:\s|$)"
)
_NODE_TEST = re.compile(
    r"\s--test(?:[\s=]|$)|\s(?:\./)?(?:\S{0,80}/)?(?:tests?|__tests__|specs?)/\S{1,120}\.[cm]?[jt]s(?:\s|$)|\s(?:\./)?(?:\S{0,80}/)?[\w.-]{0,60}(?:test|spec)s?\.[cm]?[jt]s(?:\s|$)"
)
_ACTION = re.compile(
    r"(?:^|/)(?:cypress-io/github-action|[\w.-]*(?:run-?)?(?:pytest|phpunit|jest|vitest|rspec|unit-?tests?)[\w.-]*)(?:@|$)", re.IGNORECASE
)
_REPORTS = re.compile(r"report|result|coverage|comment|annotat|summary|badge|publish|upload|junit", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TestRun:
    """A command that runs tests: `language` is "python", "script" or "other" ("any" when a container or action hides it); `browser`: an end-to-end runner.

    `paths` are the directories or files it is restricted to, relative to the root; empty = all below `directory` ("?" = not known).
    """

    __test__ = False

    leaf: Leaf
    language: str
    browser: bool
    paths: tuple[str, ...]


def test_run(leaf: Leaf) -> TestRun | None:
    """How a leaf runs tests, None when it does not."""
    text = " ".join(unwrapped(list(leaf.words)))
    language = language_of(text)
    if language:
        return TestRun(
            leaf, language, bool(re.match(r"(?:cypress|playwright|testcafe|nightwatch|wdio|detox|codeceptjs)\b", text)), _paths(leaf)
        )
    contained = _in_container(leaf.words)
    if contained and language_of(contained):
        return TestRun(leaf, language_of(contained), browser=False, paths=())
    return None


test_run.__test__ = False  # type: ignore[attr-defined]


def language_of(text: str) -> str:
    """The language of a test command, "" when it is none."""
    text = _INSTALLED.sub("", text, count=1)
    if _NO_RUN.search(f"{text} "):
        return ""
    if _PYTHON.match(text):
        return "python"
    if _SCRIPT.match(text):
        words = text.split()
        head = words[0].removesuffix(".cmd")
        if head in {"node", "tsx", "ts-node"}:
            return "script" if _NODE_TEST.search(text) else ""
        wanted = _NEEDS_WORD.get(head)
        if wanted and not any(word in wanted for word in words[1:]):
            return ""
        return "" if head == "vitest" and words[1:2] in (["dev"], ["watch"], ["bench"]) else "script"
    return "other" if _OTHER.match(text) else ""


def action_runs_tests(uses: str) -> bool:
    """Whether a third-party action runs tests, by its name (those that only publish results left out)."""
    return bool(_ACTION.search(uses)) and not _REPORTS.search(uses)


_VALUE_FLAG = re.compile(
    r"^-[a-z]$|^--(?:config|project|reporter|cov-report|settings|browser|spec|maxWorkers|testTimeout|timeout|require|pattern|env|cov|junitxml|durations|rootdir|dist|numprocesses|log-level|shard|grep|workers|retries|testNamePattern)$"
)


def _paths(leaf: Leaf) -> tuple[str, ...]:
    """Path arguments of a test command; none when a pattern or name decides instead."""
    words = unwrapped(list(leaf.words))
    if any(word.endswith("manage.py") for word in words):
        return ()  # Django's labels are dotted names; without one it finds every test
    found: list[str] = []
    subcommand = 1 if words and words[1:2] and words[1] in _NEEDS_WORD.get(words[0].removesuffix(".cmd"), ()) else 0
    for number, word in enumerate(words[1 + subcommand :], 1 + subcommand):
        plain = word.partition("::")[0]
        if word.startswith("-") or "=" in word or _VALUE_FLAG.match(words[number - 1]) or words[number - 1] == "-m":
            continue
        if "*" in plain or "$" in plain:
            plain = re.split(r"[*$]", plain, maxsplit=1)[0].rpartition("/")[0]
        if "/" in plain or plain in {"tests", "test"} or plain.endswith((".py", ".js", ".ts")):
            found.append(joined(leaf.directory, plain.rstrip("/")))
    return tuple(found)


_CONTAINER = re.compile(r"^(?:docker(?:-compose)?|podman(?:-compose)?)$")


def _in_container(words: tuple[str, ...]) -> str:
    """The command given to `docker run`, `docker exec` or `docker compose run`, "" without one."""
    if not words or not _CONTAINER.match(words[0]) or not {"run", "exec"} & set(words[1:6]):
        return ""
    for start in range(2, len(words)):
        rest = words[start:]
        if rest[0] in {"bash", "sh"} and len(rest) > 2 and rest[1] in {"-c", "-lc"}:
            return next((part for part in re.split(r"&&|;", rest[2]) if language_of(part.strip())), "").strip()
        text = " ".join(unwrapped(list(rest)))
        if language_of(text):
            return text
    return ""
