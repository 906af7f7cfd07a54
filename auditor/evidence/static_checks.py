"""Evidence STATIC_CHECKS: linters and type checkers that are set up, commit hooks, and builds that ignore what they find."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.evidence.typescript_strictness import loose_options
from auditor.languages.structured import Lines, at, load_json, load_toml, strings, table
from auditor.languages.yaml_nodes import read_yaml
from auditor.model.need import Known
from auditor.model.needs import SNAPSHOT, STATIC_CHECKS, TEXTS
from auditor.model.snapshot import Role, Snapshot
from auditor.model.static_checks import Checker, StaticChecks, Work
from auditor.model.verdict import Place

_FOREIGN = frozenset({Role.VENDORED, Role.GENERATED, Role.MINIFIED, Role.EXAMPLE, Role.TEST})
_FILES: tuple[tuple[re.Pattern[str], str, str, Work], ...] = (
    (re.compile(r"^\.?ruff\.toml$"), "ruff", "python", Work.LINT),
    (re.compile(r"^\.flake8$"), "flake8", "python", Work.LINT),
    (re.compile(r"^\.?pylintrc$"), "pylint", "python", Work.LINT),
    (re.compile(r"^\.?mypy\.ini$"), "mypy", "python", Work.TYPES),
    (re.compile(r"^pyrightconfig\.json$"), "pyright", "python", Work.TYPES),
    (re.compile(r"^ty\.toml$"), "ty", "python", Work.TYPES),
    (re.compile(r"^(?:eslint\.config\.[cm]?[jt]s|\.eslintrc(?:\.(?:[cm]?js|json|ya?ml))?)$"), "eslint", "script", Work.LINT),
    (re.compile(r"^biome\.jsonc?$"), "biome", "script", Work.LINT),
    (re.compile(r"^\.?oxlintrc\.json$"), "oxlint", "script", Work.LINT),
    (re.compile(r"^\.jshintrc$"), "jshint", "script", Work.LINT),
    (
        re.compile(
            r"^tsconfig(?!\.(?:node|spec|test\w*|e2e|eslint|cypress|vitest|jest|worker|sw|build|prod|scripts?|storybook)\.)(?:\.[\w.-]+)?\.json$"
        ),
        "tsc",
        "script",
        Work.TYPES,
    ),
)
_PYPROJECT = {"ruff": Work.LINT, "pylint": Work.LINT, "flake8": Work.LINT, "mypy": Work.TYPES, "pyright": Work.TYPES, "basedpyright": Work.TYPES, "ty": Work.TYPES, "pyre": Work.TYPES, "pyrefly": Work.TYPES}  # fmt: skip
_INI_SECTIONS = {"flake8": Work.LINT, "pylint": Work.LINT, "mypy": Work.TYPES}
_RULE_OFF = re.compile(
    r"""["']([\w@/-]{3,60})["']\s*:\s*(?:\[\s*)?(?:["']off["']|0\b)|(?<![\w"'@/-])([a-z][\w-]{3,60})\s*:\s*["']off["']"""
)
_LINE_COMMENT = re.compile(r"(?m)^\s*//[^\n]*$|/\*.*?\*/", re.DOTALL)
_MATTERS = re.compile(
    r"^(?:@typescript-eslint/)?(?:no-unused-vars|no-explicit-any|ban-ts-comment|no-floating-promises|no-misused-promises|no-unsafe-\w+|no-empty|no-unreachable|no-fallthrough|no-redeclare|no-dupe-keys)$"
    r"|^react-hooks/|^suspicious/|^correctness/|^no(?:ExplicitAny|UnusedVariables|UnusedImports)$"
)
_BUILD = re.compile(r"(?:^|/)next\.config\.[cm]?[jt]s$")
_IGNORES = (
    (re.compile(r"\bignoreBuildErrors\s*:\s*true\b"), Work.TYPES, "ignoreBuildErrors"),
    (re.compile(r"\bignoreDuringBuilds\s*:\s*true\b"), Work.LINT, "ignoreDuringBuilds"),
)
_WHOLE_GROUPS = frozenset({"ALL", "F", "E", "E,F", "E9", "F4", "F8", "B", "PL"})
_HOOK_FILE = re.compile(r"(?:^|/)(?:\.husky|\.githooks|githooks)/(?:pre-commit|pre-push)$")
_LINT_STAGED = re.compile(r"(?:^|/)\.?lint-?staged(?:rc)?(?:\.config)?(?:\.(?:json|ya?ml|[cm]?js))?$")
_LONGEST = 200_000


@provides(STATIC_CHECKS, needs=(SNAPSHOT, TEXTS))
def static_checks(_context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[StaticChecks]:
    """Everything configuration says, in path order."""
    own = {file.path for file in snapshot.files if file.role not in _FOREIGN}
    readable = {path: text for path, text in sorted(texts.items()) if path in own and len(text) < _LONGEST}
    checkers = [checker for path, text in readable.items() for checker in _checkers(path, text, readable)]
    hooks = [hook for path, text in readable.items() for hook in _hooks(path, text)]
    ignored = [entry for path, text in readable.items() if _BUILD.search(path) for entry in _ignored(path, text)]
    return Known(StaticChecks(tuple(checkers), tuple(hooks), tuple(ignored)), own_stamp())


def _checkers(path: str, text: str, texts: dict[str, str]) -> Iterator[Checker]:
    name = path.rpartition("/")[2]
    if name == "pyproject.toml":
        yield from _pyproject(path, text)
    elif name in {"setup.cfg", "tox.ini"}:
        yield from _sections(path, text)
    elif name == "package.json":
        yield from _package(path, text)
    for pattern, tool, language, work in _FILES:
        if pattern.match(name):
            loosened = _loosened(tool, path, text, texts)
            if loosened is not None:
                yield Checker(tool, language, work, Place(path, 1), loosened)


def _loosened(tool: str, path: str, text: str, texts: dict[str, str]) -> tuple[tuple[str, int], ...] | None:
    """What a file of settings switches off; None where it sets up nothing."""
    match tool:
        case "tsc":
            return loose_options(path, texts)
        case "eslint" | "oxlint":
            return _rules_off(text)
        case "biome":
            value, _ = load_json(text)
            off = at(value, "linter", "enabled") is False
            return None if off else _rules_off(text)
        case "mypy":
            return tuple((key, line) for key, line in _ini_options(text, "mypy") if key == "ignore_errors")
        case "pyright":
            mode = at(load_json(text)[0], "typeCheckingMode")
            return (("typeCheckingMode off", Lines(text).of("typeCheckingMode")),) if mode == "off" else ()
        case "ruff":
            return _ruff(load_toml(text)[0], text)
        case _:
            return ()


def _rules_off(text: str) -> tuple[tuple[str, int], ...]:
    """Rules that matter and are switched off, each once, with the line."""
    plain = _LINE_COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)
    found: dict[str, int] = {}
    for rule in _RULE_OFF.finditer(plain):
        name = rule[1] or rule[2]
        if _MATTERS.match(name):
            found.setdefault(name.removeprefix("@typescript-eslint/"), plain.count("\n", 0, rule.start()) + 1)
    return tuple(found.items())


def _ruff(settings: dict[str, object], text: str) -> tuple[tuple[str, int], ...]:
    ignored = [*strings(at(settings, "lint", "ignore")), *strings(at(settings, "ignore"))]
    return tuple((f"ignore {group}", Lines(text).of("ignore")) for group in ignored if group in _WHOLE_GROUPS)


def _pyproject(path: str, text: str) -> Iterator[Checker]:
    tools = table(at(load_toml(text)[0], "tool"))
    lines = text.split("\n")
    for tool, work in _PYPROJECT.items():
        if tool not in tools:
            continue
        settings = table(tools[tool])
        line = next((number for number, each in enumerate(lines, 1) if re.match(rf"\s*\[tool\.{tool}\b", each)), 1)
        loosened = _ruff(settings, text) if tool == "ruff" else ()
        if work is Work.TYPES and (settings.get("ignore_errors") is True or settings.get("typeCheckingMode") == "off"):
            loosened = (("errors ignored", line),)
        yield Checker(tool, "python", work, Place(path, line), loosened)


def _sections(path: str, text: str) -> Iterator[Checker]:
    for number, line in enumerate(text.split("\n"), 1):
        section = re.match(r"\[(\w+)\]", line)
        if section and section[1] in _INI_SECTIONS:
            loosened = tuple((key, at_line) for key, at_line in _ini_options(text, section[1]) if key == "ignore_errors")
            yield Checker(section[1], "python", _INI_SECTIONS[section[1]], Place(path, number), loosened)


def _ini_options(text: str, section: str) -> Iterator[tuple[str, int]]:
    """Options of a section that are switched on."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for key, value in parser.items(section) if parser.has_section(section) else ():
        if str(value).strip().lower() in {"true", "1", "yes"}:
            yield key, Lines(text).of(key)


def _package(path: str, text: str) -> Iterator[Checker]:
    value, _ = load_json(text)
    for key in ("eslintConfig", "xo", "standard"):
        if isinstance(at(value, key), dict):
            yield Checker("eslint", "script", Work.LINT, Place(path, Lines(text).of(key)))


def _hooks(path: str, text: str) -> Iterator[tuple[Place, str]]:
    """Commands that run when somebody commits or pushes."""
    name = path.rpartition("/")[2]
    if _HOOK_FILE.search(path):
        yield Place(path, 1), text
    elif name in {".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml"}:
        yield from ((Place(path, line), hook) for hook, line in _pre_commit(text))
    elif name in {"lefthook.yml", "lefthook.yaml", ".lefthook.yml"} or _LINT_STAGED.search(path):
        yield Place(path, 1), text
    elif name == "package.json":
        value, _ = load_json(text)
        for key in ("lint-staged", "simple-git-hooks", "husky", "nano-staged", "pre-commit"):
            for command in _commands(at(value, key)):
                yield Place(path, Lines(text).of(key)), command


def _pre_commit(text: str) -> Iterator[tuple[str, int]]:
    for repository in read_yaml(text).root.get("repos").elements():
        for hook in repository.get("hooks").elements():
            yield f"{hook.get('id').text} {hook.get('entry').text}".strip(), hook.line


def _commands(value: object, depth: int = 3) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth:
        for entry in value:
            yield from _commands(entry, depth - 1)
    elif isinstance(value, dict) and depth:
        for entry in value.values():
            yield from _commands(entry, depth - 1)


def _ignored(path: str, text: str) -> Iterator[tuple[Work, Place, str]]:
    plain = _LINE_COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)
    for pattern, work, setting in _IGNORES:
        found = pattern.search(plain)
        if found:
            yield work, Place(path, plain.count("\n", 0, found.start()) + 1), setting
