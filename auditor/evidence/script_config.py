"""What configuration says about JS/TS specifiers: packages and workspaces, tsconfig paths, bundler aliases, framework conventions.

Reads texts only. Whatever is malformed says nothing: it never raises.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_LIMIT = 2_000_000
_STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_STRING_OR_COMMA = re.compile(r'"(?:\\.|[^"\\\n])*"|,(?=\s*[}\]])')
_BUNDLER = re.compile(
    r"^(?:vite|vitest|webpack|rollup|vue|nuxt|svelte|astro|craco|rspack|rsbuild|electron\.vite|next|farm|babel|metro|wxt|quasar|esbuild)[\w.-]*\.config[\w.-]*\.[cm]?[jt]s$"
    r"|^webpack[\w.-]*\.[cm]?[jt]s$|^(?:babel\.config\.[cm]?js(?:on)?|\.babelrc(?:\.js(?:on)?)?|config-overrides\.js)$"
)
_ALIAS_BLOCK = re.compile(r"\balias(?:es)?['\"]?\s*[:=]\s*(?=[{\[])|\bmoduleNameMapper['\"]?\s*:\s*(?=\{)")
_ALIAS_ENTRY = re.compile(r"""\s*(?:(['"])(?P<quoted>[^'"\n]{1,80})\1|(?P<plain>[$\w]+))\s*:\s*(?P<value>.+)""", re.DOTALL)
_FOUND_ENTRY = re.compile(
    r"""find\s*:\s*(?:(['"])(?P<find>[^'"\n]{1,80})\1|/\^?(?P<pattern>[@~\w\\/-]{1,40}))[^,]*,\s*replacement\s*:\s*(?P<value>[^\n}]*)"""
)
_TEXT = re.compile(r"""(['"`])([^'"`\n]*)\1""")


def read_json(text: str) -> Any:
    """JSON with comments and trailing commas; None for anything else."""
    if len(text) > _LIMIT:
        return None
    plain = _STRING_OR_COMMENT.sub(lambda m: m[0] if m[0].startswith('"') else " ", text)
    plain = _STRING_OR_COMMA.sub(lambda m: m[0] if m[0].startswith('"') else " ", plain)
    try:
        return json.loads(plain)
    except (ValueError, RecursionError):
        return None


def normal(path: str) -> str | None:
    """A repository-relative path without dots; None when it leaves the tree."""
    cleaned = posixpath.normpath(path) if path else "."
    if cleaned == ".":
        return ""
    return None if cleaned.startswith(("..", "/")) else cleaned


def strings(value: Any) -> Iterator[str]:
    """Every string in nested export conditions, in order of appearance."""
    pending = [value]
    while pending:
        current = pending.pop(0)
        if isinstance(current, str):
            yield current
        elif isinstance(current, dict):
            pending = [*current.values(), *pending]
        elif isinstance(current, list):
            pending = [*current, *pending]


@dataclass(frozen=True, slots=True)
class Package:
    """One package.json, as far as resolution needs it. `data` is the parsed object."""

    root: str
    name: str
    data: dict[str, Any]

    def depends_on(self, *names: str) -> bool:
        """Whether any of the names is among its dependencies of any group."""
        groups = (self.data.get(key) for key in ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies"))
        return any(name in group for group in groups if isinstance(group, dict) for name in names)


@dataclass(frozen=True, slots=True)
class Aliases:
    """How one directory's configuration rewrites specifiers: (prefix, targets) with "*" kept; `bases` are baseUrl directories.

    A target of None is an alias whose meaning is computed and so unknown.
    """

    patterns: tuple[tuple[str, tuple[str | None, ...]], ...] = ()
    bases: tuple[str, ...] = ()


@dataclass(slots=True)
class ScriptConfig:
    """All packages and aliases of a tree, by directory."""

    packages: dict[str, Package] = field(default_factory=dict)
    by_name: dict[str, Package] = field(default_factory=dict)
    typescript: dict[str, Aliases] = field(default_factory=dict)
    bundler: dict[str, Aliases] = field(default_factory=dict)
    virtual: frozenset[str] = frozenset()
    """Module names declared with `declare module "x"`."""

    @classmethod
    def read(cls, texts: dict[str, str]) -> ScriptConfig:
        """Read every configuration file among the texts of a tree."""
        config = cls()
        virtual: set[str] = set()
        bundlers: list[str] = []
        for path in sorted(texts):
            folder, _, name = path.rpartition("/")
            if name == "package.json":
                config._package(folder, texts[path])
            elif re.fullmatch(r"[tj]sconfig(?:\.[\w.-]+)?\.json", name):
                known = config.typescript.get(folder)
                own = _tsconfig(path, texts, 0)
                plain = name in {"tsconfig.json", "jsconfig.json"}
                if own is not None:
                    config.typescript[folder] = _joined(own, known) if plain else _joined(known, own)
            elif _BUNDLER.match(name) and len(texts[path]) < _LIMIT:
                bundlers.append(path)
            if name.endswith((".d.ts", ".d.mts")) and "declare module" in texts[path]:
                virtual.update(re.findall(r"""declare module\s+['"]([^'"\n]+)['"]""", texts[path]))
        config.virtual = frozenset(virtual)
        for path in bundlers:
            config._bundler(path.rpartition("/")[0], texts[path])
        return config

    def _bundler(self, folder: str, text: str) -> None:
        """Aliases hold for the sources beside their file; those of a file in a folder for building (`build/webpack.prod.js`), for the whole package."""
        package = self.package_of(folder)
        root = package.root if package is not None else folder
        found = _bundler_aliases(folder, text, root)
        for place in dict.fromkeys((folder, root)):
            self.bundler[place] = _joined(self.bundler.get(place), found)

    def _package(self, folder: str, text: str) -> None:
        data = read_json(text)
        if not isinstance(data, dict):
            return
        name = data.get("name")
        package = Package(folder, name if isinstance(name, str) else "", data)
        self.packages[folder] = package
        if package.name:
            self.by_name.setdefault(package.name, package)

    def package_of(self, folder: str) -> Package | None:
        """The package a directory belongs to."""
        return next((self.packages[above] for above in upward(folder) if above in self.packages), None)


def upward(folder: str) -> Iterator[str]:
    """The directory and everything above it, nearest first, "" last."""
    yield folder
    while folder:
        folder = folder.rpartition("/")[0]
        yield folder


def _joined(first: Aliases | None, second: Aliases | None) -> Aliases:
    first, second = first or Aliases(), second or Aliases()
    known = {prefix for prefix, _ in first.patterns}
    extra = tuple((prefix, targets) for prefix, targets in second.patterns if prefix not in known)
    return Aliases(first.patterns + extra, tuple(dict.fromkeys(first.bases + second.bases)))


def _tsconfig(path: str, texts: dict[str, str], depth: int) -> Aliases | None:
    """`paths` and `baseUrl` of a tsconfig, `extends` followed."""
    data = read_json(texts.get(path, ""))
    if not isinstance(data, dict) or depth > 8:
        return None
    folder = path.rpartition("/")[0]
    options = data.get("compilerOptions")
    options = options if isinstance(options, dict) else {}
    base_url = options.get("baseUrl")
    base = normal(posixpath.join(folder, base_url)) if isinstance(base_url, str) else None
    paths = options.get("paths")
    patterns = []
    if isinstance(paths, dict):
        start = base if base is not None else folder
        for prefix, targets in paths.items():
            places = (
                [normal(posixpath.join(start, t.replace("${configDir}", "."))) for t in targets if isinstance(t, str)]
                if isinstance(targets, list)
                else []
            )
            patterns.append((str(prefix), tuple(places)))
    own = Aliases(tuple(patterns), (base,) if base is not None else ())
    for parent in _extended(data, folder, texts):
        inherited = _tsconfig(parent, texts, depth + 1)
        if inherited is not None:
            own = Aliases(own.patterns or inherited.patterns, own.bases or inherited.bases)
    return own


def _extended(data: dict[str, Any], folder: str, texts: dict[str, str]) -> list[str]:
    wanted = data.get("extends")
    names = wanted if isinstance(wanted, list) else [wanted]
    found: list[str] = []
    for name in names:
        if not isinstance(name, str):
            continue
        place = normal(posixpath.join(folder, name)) if name.startswith(".") else None
        if place is not None:
            found.extend(candidate for candidate in (place, f"{place}.json", f"{place}/tsconfig.json") if candidate in texts)
    return found[:3]


def _bundler_aliases(folder: str, text: str, root: str) -> Aliases:
    """Aliases of a bundler's configuration, as far as they are constants; a path from the directory of work begins at the package's `root`."""
    patterns: dict[str, tuple[str | None, ...]] = {}
    plain = re.sub(r"(?m)^\s*//[^\n]*$|/\*.*?\*/", "", text, flags=re.DOTALL)
    for start in _ALIAS_BLOCK.finditer(plain):
        block = _balanced(plain, start.end())
        matches = [_ALIAS_ENTRY.match(part) for part in _parts(block)]
        entries = [(m["quoted"] or m["plain"], m["value"]) for m in matches if m]
        entries += [(m["find"] or (m["pattern"] or "").replace("\\", ""), m["value"]) for m in _FOUND_ENTRY.finditer(block)]
        for written, value in entries:
            if written not in {"find", "replacement"}:
                key = re.sub(r"\(\.\*\)|\$$|^\^", "", written).rstrip("/*") or written
                patterns.setdefault(key, (_constant_path(root if "cwd()" in value else folder, value),))
    return Aliases(tuple(patterns.items()))


def _parts(block: str) -> list[str]:
    """The entries of an object or array literal, split at its own commas."""
    found, start, depth = [], 1, 0
    for match in re.finditer(r"""'[^'\n]*'|"[^"\n]*"|`[^`]*`|[{}()\[\],]""", block):
        mark = match[0]
        if mark in "{([":
            depth += 1
        elif mark in "})]":
            depth -= 1
        if (mark == "," and depth == 1) or (mark in "}]" and depth == 0):
            found.append(block[start : match.start()])
            start = match.end()
    return found


def _balanced(text: str, start: int) -> str:
    """The bracketed text that begins at `start`."""
    depth = 0
    for position in range(start, min(len(text), start + 20_000)):
        if text[position] in "{[":
            depth += 1
        elif text[position] in "}]":
            depth -= 1
            if depth == 0:
                return text[start : position + 1]
    return text[start : start + 20_000]


def _constant_path(folder: str, value: str) -> str | None:
    """The directory an alias stands for, None when it is computed from something else. A package name stays as "pkg:name"."""
    pieces = [text for _, text in _TEXT.findall(value)]
    if not pieces:
        return folder if re.search(r"__dirname|process\.cwd\(\)|import\.meta", value) else None
    if re.search(r"\$\{|\bENV\b|process\.env", value):
        return None
    computed = re.search(r"__dirname|import\.meta|cwd\(\)|resolve\(|join\(|<rootDir>", value)
    first = pieces[0].replace("<rootDir>", ".").split("/$1")[0].rstrip("*")
    if not computed and not first.startswith((".", "/")):
        return f"pkg:{first}"
    return normal(posixpath.join(folder, first.lstrip("/") or ".", *([] if "new URL" in value else [p.lstrip("/") for p in pieces[1:3]])))
