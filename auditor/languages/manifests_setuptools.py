"""Manifests of setuptools: setup.cfg, and setup.py as far as it can be read without running it."""

from __future__ import annotations

import ast
import configparser
import re
import warnings
from collections.abc import Iterator

from auditor.languages.requirement_lines import requirement
from auditor.languages.structured import Lines
from auditor.model.artifacts import Ecosystem, Manifest, Requirement, Script
from auditor.model.verdict import Place

_LARGEST = 100_000
_DEEPEST = 20
_REQUIREMENT_FILE = re.compile(r"(?:\./)?(?:[\w.-]{1,80}/){0,4}[\w.-]{0,80}require[\w.-]{0,80}\.(?:txt|in)")
_ITEM = re.compile(r"\s*([\w.-]{1,200})")


def read_setup_cfg(path: str, text: str) -> Manifest:
    """The manifest a setup.cfg is; a file that only configures tools has no name and no requirements."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    problem = ""
    try:
        parser.read_string(text)
    except configparser.Error as error:
        problem = f"not a valid ini file ({' '.join(str(error).split())[:120]})"
    lines = Lines(text)
    found: list[Requirement] = []
    settings: list[tuple[str, str]] = []
    runtime = _option(parser, "options", "install_requires")
    if runtime.startswith("file:"):
        settings += [("include", name.strip()) for name in runtime.removeprefix("file:").split(",")]
    else:
        found += _entries(path, runtime, "runtime", lines)
    found += _entries(path, _option(parser, "options", "tests_require"), "dev", lines)
    if parser.has_section("options.extras_require"):
        for name, value in parser.items("options.extras_require"):
            found += _entries(path, value or "", name, lines)
    scripts = tuple(_console(path, _option(parser, "options.entry_points", "console_scripts"), lines))
    if scripts:
        settings.append(("console-scripts", ", ".join(script.name for script in scripts)))
    python = _option(parser, "options", "python_requires")
    return Manifest(
        path,
        "setup.cfg",
        Ecosystem.PYPI,
        path.rpartition("/")[0],
        name=_option(parser, "metadata", "name"),
        requirements=tuple(found),
        scripts=scripts,
        engines=(("python", python),) if python else (),
        publishable=bool(_option(parser, "metadata", "name")),
        settings=tuple(settings),
        problem=problem,
    )


def _option(parser: configparser.RawConfigParser, section: str, name: str) -> str:
    return (parser.get(section, name, fallback="") or "").strip()


def _entries(path: str, text: str, group: str, lines: Lines) -> Iterator[Requirement]:
    """One requirement a line, or all on one line with semicolons between them."""
    start = lines.of({"runtime": "install_requires"}.get(group, group))
    for entry in text.splitlines() if "\n" in text else text.split(";"):
        named = _ITEM.match(entry)
        line = lines.of(named[1], start) if named else start
        found = requirement(re.sub(r"\s#.*", "", entry), group, Place(path, line, line))
        if found:
            yield found


def _console(path: str, text: str, lines: Lines) -> Iterator[Script]:
    for entry in text.splitlines():
        name, separator, target = entry.partition("=")
        if separator:
            line = lines.of(name.strip())
            yield Script(name.strip(), target.strip(), Place(path, line, line))


def read_setup_py(path: str, text: str) -> Manifest:
    """The manifest a setup.py is, from the literal arguments of its `setup(...)` call; computed ones are named as the problem."""
    root = path.rpartition("/")[0]
    blank = Manifest(path, "setup.py", Ecosystem.PYPI, root)
    tree = _parsed(text)
    if tree is None:
        return Manifest(path, "setup.py", Ecosystem.PYPI, root, problem="it does not parse")
    call = next((node for node in ast.walk(tree) if isinstance(node, ast.Call) and _callee(node) == "setup"), None)
    if call is None:
        return blank
    reader = _SetupCall(path, tree, call)
    found = tuple(reader.requirements())
    included = tuple(("include", name) for name in _read_files(tree)) if reader.problem else ()
    scripts = tuple(reader.scripts())
    python = reader.text("python_requires")
    return Manifest(
        path,
        "setup.py",
        Ecosystem.PYPI,
        root,
        name=reader.text("name"),
        requirements=found,
        scripts=scripts,
        engines=(("python", python),) if python else (),
        publishable=True,
        settings=(*((("console-scripts", ", ".join(script.name for script in scripts)),) if scripts else ()), *included),
        problem="" if included else reader.problem,
    )


def _read_files(tree: ast.Module) -> list[str]:
    """Requirement files it opens to work out what it needs."""
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return sorted(text.removeprefix("./") for text in texts if _REQUIREMENT_FILE.fullmatch(text))


def _parsed(text: str) -> ast.Module | None:
    if len(text) > _LARGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _callee(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


class _SetupCall:
    """The arguments of one `setup(...)` call, with the names of the module they refer to."""

    def __init__(self, path: str, tree: ast.Module, call: ast.Call) -> None:
        self.path = path
        self.problem = ""
        self._bound = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        self._arguments = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        for keyword in call.keywords:
            if keyword.arg is None:
                self._arguments |= self._unpacked(keyword.value)

    def _unpacked(self, node: ast.expr) -> dict[str, ast.expr]:
        """The arguments of `setup(**node)`, where they are written out."""
        value = self._value(node)
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
            return {keyword.arg: keyword.value for keyword in value.keywords if keyword.arg}
        if isinstance(value, ast.Dict):
            pairs = zip(value.keys, value.values, strict=True)
            return {key.value: entry for key, entry in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)}
        self.problem = f"its arguments are computed (line {node.lineno})"
        return {}

    def _value(self, node: ast.expr | None) -> ast.expr | None:
        return self._bound.get(node.id) if isinstance(node, ast.Name) else node

    def text(self, name: str) -> str:
        """A literal text argument."""
        node = self._value(self._arguments.get(name))
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""

    def requirements(self) -> Iterator[Requirement]:
        """What it installs, and its extras."""
        yield from self._listed(self._arguments.get("install_requires"), "runtime")
        yield from self._listed(self._arguments.get("tests_require"), "dev")
        extras = self._value(self._arguments.get("extras_require"))
        if isinstance(extras, ast.Dict):
            for key, value in zip(extras.keys, extras.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield from self._listed(value, key.value)

    def _listed(self, node: ast.expr | None, group: str, depth: int = 0) -> Iterator[Requirement]:
        if node is None:
            return
        value = self._value(node)
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add) and depth < _DEEPEST:
            yield from self._listed(value.left, group, depth + 1)
            yield from self._listed(value.right, group, depth + 1)
            return
        if not isinstance(value, ast.List | ast.Tuple):
            self.problem = self.problem or f"its {group} requirements are computed (line {node.lineno})"
            return
        for entry in value.elts:
            if isinstance(entry, ast.Constant) and isinstance(entry.value, str):
                found = requirement(entry.value, group, Place(self.path, entry.lineno, entry.lineno))
                if found:
                    yield found
            else:
                self.problem = self.problem or f"a {group} requirement is computed (line {entry.lineno})"

    def scripts(self) -> Iterator[Script]:
        """Console scripts of the entry points."""
        node = self._value(self._arguments.get("entry_points"))
        if not isinstance(node, ast.Dict):
            return
        for key, value in zip(node.keys, node.values, strict=True):
            if not (isinstance(key, ast.Constant) and key.value == "console_scripts" and isinstance(value, ast.List | ast.Tuple)):
                continue
            for entry in value.elts:
                if isinstance(entry, ast.Constant) and isinstance(entry.value, str) and "=" in entry.value:
                    name, _, target = entry.value.partition("=")
                    yield Script(name.strip(), target.strip(), Place(self.path, entry.lineno, entry.lineno))
