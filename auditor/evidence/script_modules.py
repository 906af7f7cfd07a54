"""Resolves JS/TS/Vue/Svelte imports to files of the tree, and says which ones lead nowhere. Pure: paths, configuration and facts in."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.evidence.ignored_paths import IgnoredPaths
from auditor.evidence.python_modules import Links
from auditor.evidence.script_config import Aliases, Package, ScriptConfig, normal, read_json, strings, upward
from auditor.model.evidence import External, Unresolved
from auditor.model.syntax import FileFacts, Import

_NODE = """
assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain events fs http http2 https inspector module net os
path perf_hooks process punycode querystring readline repl stream string_decoder sys test timers tls trace_events tty url util v8 vm wasi worker_threads zlib
"""
NODE_BUILTINS = frozenset(_NODE.split())
_VIRTUAL = re.compile(
    r"^(?:node:|bun(?::|$)|deno(?::|$)|https?:|jsr:|npm:|data:|file:|virtual[:-]|~icons/|unplugin-|\$app/|\$env/|\$service-worker|astro:|cloudflare:|#imports|#app|#build|#components|#head|#internal/"
    r"|@theme(?:-original|-init)?/|@docusaurus/|@generated/|chrome:|resource:|ext:|/|\\|!|-!|server-only$|client-only$|uno\.css$|vscode$|@vite/|vite/client|electron$|k6(?:/|$)|gi://)"
)
_SWAPS = {".js": (".ts", ".tsx", ".jsx", ".d.ts"), ".jsx": (".tsx",), ".mjs": (".mts", ".d.mts"), ".cjs": (".cts", ".d.cts")}
_ENDINGS = (
    ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte", ".json", ".d.ts", ".d.mts", ".css", ".scss", ".sass", ".less", ".graphql", ".gql",
    ".native.tsx", ".web.tsx", ".ios.tsx", ".android.tsx", ".native.ts", ".web.ts", ".ios.js", ".native.js", ".server.ts", ".client.ts", ".astro", ".mdx", ".node", ".wasm", ".svelte.ts", ".svelte.js",
)  # fmt: skip
_BUILT = re.compile(
    r"^(?:\./)?(?:dist|lib|build|out|es|esm|cjs|types|output|typings|umd)/(?:(?:esm|cjs|es|lib|types|src|node|browser|mjs)/)*"
)
_CODE = re.compile(r"\.[cm]?[jt]sx?$")
_DECLARATION = re.compile(r"\.d\.[cm]?ts$")


_GLOB_PARTS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "{": "(?:", "}": ")", ",": "|"}
_LONGEST_PATTERN = 200
_MOST_STARS = 3  # each more would multiply the time of a hostile pattern by the length of a path


class Where(StrEnum):
    """What a specifier leads to."""

    FILE = "file"
    EXISTS = "exists"  # something of this tree or its tools that is not a file here: virtual module, built entry, computed alias
    EXTERNAL = "external"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Found:
    """Where a specifier leads: `path` of a file, name of an external package, or the first place looked at when missing."""

    where: Where
    path: str = ""
    reason: str = ""


_EXISTS = Found(Where.EXISTS)


def package_name(specifier: str) -> str:
    """The npm package a bare specifier belongs to."""
    parts = specifier.split("/")
    return "/".join(parts[:2]) if specifier.startswith("@") else parts[0]


class ScriptResolver:
    """Resolves the imports of all script files of one tree. `paths` are all files, read or not."""

    def __init__(
        self, paths: frozenset[str], facts: dict[str, FileFacts], config: ScriptConfig, ignored: IgnoredPaths, texts: dict[str, str]
    ) -> None:
        self.facts = facts
        self.config = config
        self._paths = paths
        self._folders = frozenset(folder for path in paths for folder in upward(posixpath.dirname(path)))
        self._ignored = ignored
        self._deno = _import_maps(texts)
        self._exports: dict[str, frozenset[str] | None] = {}
        self._resolved: dict[tuple[str, str], Found] = {}

    def run(self, links: Links) -> None:
        """Add all edges, gaps and externals of the script files to `links`."""
        for path in sorted(self.facts):
            for statement in self.facts[path].imports:
                if "*" in statement.module:
                    self._pattern(path, statement, links)
                elif statement.module and not re.search(r"\$\{|\{\}|\s", statement.module):
                    self._import(path, statement, links)

    def _import(self, path: str, statement: Import, links: Links) -> None:
        found = self.resolve(path, statement.module)
        match found.where:
            case Where.FILE:
                if found.path in self.facts:
                    links.link(path, found.path, statement.kind, statement.line)
                    links.unresolved.extend(self._missing_names(path, statement, found.path))
            case Where.EXTERNAL:
                links.externals.append(External(path, statement.line, found.path, statement.kind, statement.guarded))
            case Where.MISSING:
                links.unresolved.append(
                    Unresolved(path, statement.line, statement.module, "", found.reason, statement.guarded, statement.kind)
                )
            case Where.EXISTS:
                pass

    def _pattern(self, path: str, statement: Import, links: Links) -> None:
        """Edges to every file a bundler's glob import stands for."""
        whole = self._whole_pattern(posixpath.dirname(path), statement.module)
        if whole is None or len(whole) > _LONGEST_PATTERN or len(re.findall(r"\*+", whole)) > _MOST_STARS:
            return
        if not _is_balanced(whole):
            return
        wanted = re.compile("".join(_GLOB_PARTS.get(part, re.escape(part)) for part in re.split(r"(\*\*/|\*\*|\*|[{},])", whole)))
        for target in sorted(self.facts):
            if len(target) < _LONGEST_PATTERN * 2 and wanted.fullmatch(target):
                links.link(path, target, statement.kind, statement.line)

    def _whole_pattern(self, folder: str, written: str) -> str | None:
        """The pattern from the top of the tree; None for what lies outside of it or in a package."""
        if written.startswith("/"):
            package = self.config.package_of(folder)
            return normal(posixpath.join(package.root if package is not None else "", written.lstrip("/")))
        if written.startswith("."):
            return normal(posixpath.join(folder, written))
        for above in upward(folder):
            for aliases in (self.config.typescript.get(above), self.config.bundler.get(above), self._conventions(above)):
                target = next(_targets(aliases, written), None)
                if target is not None and "*" in target and not target.startswith("pkg:"):
                    return normal(target)
        return None

    # -- resolving -----------------------------------------------------------------------------------------------------------------

    def resolve(self, path: str, specifier: str) -> Found:
        """What the specifier leads to from the file at `path`."""
        key = (posixpath.dirname(path), specifier)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(key[0], specifier)
        return self._resolved[key]

    def _resolve(self, folder: str, written: str) -> Found:
        specifier = written.rsplit("!", 1)[-1]
        specifier = specifier.split("?", 1)[0] if not specifier.startswith("?") else specifier
        if not specifier or specifier in self.config.virtual or written in self.config.virtual:
            return _EXISTS
        if specifier.startswith("."):
            return self._relative(folder, specifier)
        if _VIRTUAL.match(specifier) or specifier.split("/")[0] in NODE_BUILTINS:
            return self._package_import(folder, specifier) if specifier.startswith("#") else _EXISTS
        if specifier.startswith("#"):
            return self._package_import(folder, specifier)
        return self._alias(folder, specifier) or self._bare(folder, specifier)

    def _relative(self, folder: str, specifier: str) -> Found:
        base = normal(posixpath.join(folder, specifier))
        if base is None:
            return _EXISTS  # outside the audited tree: cannot be said
        found = self.file(base)
        if found:
            return Found(Where.FILE, found)
        if base in self._folders and specifier.rstrip("/").endswith(".."):
            return _EXISTS
        return self._missing(base, f"{base} is not in the tree")

    def file(self, base: str) -> str:
        """The file a path without or with an exchanged ending means, "" when there is none."""
        if base in self._paths:
            return base
        stem, ending = posixpath.splitext(base)
        for other in _SWAPS.get(ending, ()):
            if stem + other in self._paths:
                return stem + other
        for other in _ENDINGS:
            if base + other in self._paths:
                return base + other
        return self._folder_entry(base) if base in self._folders else ""

    def _folder_entry(self, base: str) -> str:
        inside = self.config.packages.get(base) if base else None
        if inside is not None:
            found = self._package_file(inside, "")
            if found.where is Where.FILE:
                return found.path
        for other in _ENDINGS:
            candidate = posixpath.join(base, f"index{other}")
            if candidate in self._paths:
                return candidate
        return ""

    def _missing(self, base: str, reason: str) -> Found:
        names = [base, *(base + ending for ending in _ENDINGS[:8]), *(f"{base}/index{ending}" for ending in _ENDINGS[:3])]
        return _EXISTS if any(self._ignored.expects(name) for name in names) else Found(Where.MISSING, base, reason)

    def _alias(self, folder: str, specifier: str) -> Found | None:
        """What configuration makes of a specifier; None when no alias applies."""
        missing: Found | None = None
        for above in upward(folder):
            for aliases in (self.config.typescript.get(above), self.config.bundler.get(above), self._conventions(above)):
                for target in _targets(aliases, specifier):
                    if target is None:
                        return _EXISTS
                    if target.startswith("pkg:"):
                        renamed = self._bare(folder, target[4:])
                        # A build's alias that leads nowhere: compilers of types do not know it and take the name as it is written.
                        return renamed if renamed.where is not Where.EXISTS else self._bare(folder, specifier)
                    found = self.file(target)
                    if found:
                        return Found(Where.FILE, found)
                    if _rooted(target, specifier) in self._folders:
                        missing = missing or self._missing(target, f"{specifier} stands for {target}, which is not in the tree")
                for base in aliases.bases if aliases else ():
                    found = self.file(posixpath.join(base, specifier))
                    if found and not (found.endswith((".css", ".json")) and self._declares(folder, specifier)):
                        return Found(Where.FILE, found)
        if missing is None and specifier.startswith(("@/", "~/")):
            return self._unconfigured(folder, specifier)
        return None if missing is None or self._declares(folder, specifier) else missing

    def _declares(self, folder: str, specifier: str) -> bool:
        package = self.config.package_of(folder)
        return package is not None and package.depends_on(package_name(specifier))

    def _unconfigured(self, folder: str, specifier: str) -> Found:
        """`@/x` and `~/x` are no package names; without a readable alias the usual places are tried before it counts as missing."""
        package = self.config.package_of(folder)
        root = package.root if package is not None else ""
        for base in (posixpath.join(root, "src"), root, posixpath.join(root, "app")):
            found = self.file(posixpath.join(base, specifier[2:]))
            if found:
                return Found(Where.FILE, found)
        return self._missing(posixpath.join(root, "src", specifier[2:]), f"no alias explains {specifier}, and no source folder holds it")

    def _conventions(self, folder: str) -> Aliases | None:
        """Aliases that frameworks bring without configuration."""
        package = self.config.packages.get(folder)
        if package is None:
            return None
        root = package.root
        patterns: list[tuple[str, tuple[str | None, ...]]] = []
        if package.depends_on("nuxt", "nuxt3", "nuxt-edge", "@nuxt/kit"):
            places = (root, posixpath.join(root, "app"), posixpath.join(root, "src"))
            patterns += [("~", places), ("@", places), ("~~", (root,)), ("@@", (root,)), ("#shared", (posixpath.join(root, "shared"),))]
        if package.depends_on("@sveltejs/kit"):
            patterns.append(("$lib", (posixpath.join(root, "src/lib"),)))
        if package.depends_on("@vue/cli-service", "@umijs/max", "umi"):
            patterns.append(("@", (posixpath.join(root, "src"),)))
        if package.depends_on("@docusaurus/core"):
            patterns.append(("@site", (root,)))
        return Aliases(tuple(patterns)) if patterns else None

    def _package_import(self, folder: str, specifier: str) -> Found:
        package = self.config.package_of(folder)
        table = package.data.get("imports") if package is not None else None
        if package is None or not isinstance(table, dict):
            return self._alias(folder, specifier) or _EXISTS
        for pattern, value in table.items():
            rest = _matched(pattern, specifier)
            if rest is None:
                continue
            for target in strings(value):
                if not target.startswith("."):
                    return _EXISTS
                found = self._source(package, target.replace("*", rest))
                if found:
                    return Found(Where.FILE, found)
            return _EXISTS
        return self._alias(folder, specifier) or _EXISTS

    def _bare(self, folder: str, specifier: str) -> Found:
        name = package_name(specifier)
        own = self.config.by_name.get(name)
        if own is not None:
            return self._package_file(own, specifier[len(name) + 1 :])
        if any(above in self._deno and _mapped(self._deno[above], specifier) for above in upward(folder)) or "supabase/functions" in folder:
            return _EXISTS
        if not re.fullmatch(r"(?:@[\w.~-]+/)?[\w.~-]+", name) or name.startswith("."):
            return _EXISTS  # no package name: some loader's own syntax
        return Found(Where.EXTERNAL, name)

    # -- packages of the tree ----------------------------------------------------------------------------------------------------------

    def _package_file(self, package: Package, inside: str) -> Found:
        exports = package.data.get("exports")
        targets: list[str] = []
        if isinstance(exports, dict) and any(str(key).startswith(".") for key in exports):
            for pattern, value in exports.items():
                rest = _matched(str(pattern), f"./{inside}" if inside else ".")
                if rest is not None:
                    targets += [target.replace("*", rest) for target in strings(value)]
        elif not inside:
            targets += list(strings(exports))
        if not inside:
            targets += [
                str(package.data[key]) for key in ("source", "module", "main", "types", "svelte") if isinstance(package.data.get(key), str)
            ]
            targets += ["index", "src/index", "src/main", "lib/index"]
        else:
            targets += [inside, f"src/{inside}"]
        for target in targets:
            found = self._source(package, target)
            if found:
                return Found(Where.FILE, found)
        return _EXISTS

    def _source(self, package: Package, target: str) -> str:
        """The file in the tree behind an entry of a package, built entries mapped back to their source."""
        candidates = [target]
        if _BUILT.match(target):
            bare = re.sub(r"(?:\.d)?\.[cm]?[jt]s$", "", _BUILT.sub("", target))
            candidates += [f"src/{bare}", bare, f"source/{bare}"]
        for candidate in candidates:
            base = normal(posixpath.join(package.root, candidate))
            if base and base != package.root and not (base in self._folders and base in self.config.packages):
                found = self.file(base)
                if found:
                    return found
        return ""

    # -- names -------------------------------------------------------------------------------------------------------------------------

    def _missing_names(self, path: str, statement: Import, target: str) -> Iterator[Unresolved]:
        wanted = [name for name, _ in statement.names if name != "*"]
        known = self.exports(target) if wanted else None
        if known is None or self._ignored.expects(target):
            return
        for name in dict.fromkeys(wanted):
            if name not in known:
                what = "no default export" if name == "default" else f"no export {name}"
                yield Unresolved(path, statement.line, statement.module, name, f"{target} has {what}", statement.guarded, statement.kind)

    def exports(self, path: str, seen: frozenset[str] = frozenset()) -> frozenset[str] | None:
        """The names a module exports, stars followed; None when that cannot be known (CommonJS, declarations, parse errors)."""
        if path in self._exports:
            return self._exports[path]
        if path in seen:
            return frozenset()
        found = self._collect_exports(path, seen | {path})
        if not seen:
            self._exports[path] = found
        return found

    def _collect_exports(self, path: str, seen: frozenset[str]) -> frozenset[str] | None:
        file = self.facts.get(path)
        if file is None or file.error_line or not _CODE.search(path) or _DECLARATION.search(path) or not file.exports:
            return None
        if any(a.target.startswith(("module.exports", "exports.", "export")) or a.target == "exports" for a in file.assignments):
            return None
        names: set[str] = set()
        for export in file.exports:
            if export.name == "=":
                return None
            if export.name != "*":
                names.add(export.name)
                continue
            found = self.resolve(path, export.module) if export.module else _EXISTS
            inner = self.exports(found.path, seen) if found.where is Where.FILE else None
            if inner is None:
                return None
            names |= inner - {"default"}
        return frozenset(names)


def _is_balanced(pattern: str) -> bool:
    """Whether the braces of a glob pattern belong together; nested ones are not read."""
    return re.fullmatch(r"[^{}]*(?:\{[^{}]*\}[^{}]*)*", pattern) is not None


def _matched(pattern: str, specifier: str) -> str | None:
    """What "*" stands for when the pattern fits; "" for an exact match; None when it does not fit."""
    head, star, tail = pattern.partition("*")
    if not star:
        return "" if pattern == specifier else None
    fits = specifier.startswith(head) and specifier.endswith(tail) and len(specifier) >= len(head) + len(tail)
    return specifier[len(head) : len(specifier) - len(tail)] if fits else None


def _targets(aliases: Aliases | None, specifier: str) -> Iterator[str | None]:
    """Places a specifier stands for under the aliases; the most specific pattern decides."""
    best: tuple[int, str, tuple[str | None, ...]] | None = None
    for pattern, places in aliases.patterns if aliases else ():
        rest = _matched(pattern, specifier)
        if rest is None and "*" not in pattern and specifier.startswith(pattern.rstrip("/") + "/"):
            rest = "/" + specifier[len(pattern.rstrip("/")) + 1 :]
        if rest is not None and pattern != "*" and (best is None or len(pattern) > best[0]):
            best = (len(pattern), rest, places)
    for place in best[2] if best else ():
        rest = best[1] if best else ""
        if place is None or "node_modules" in place:
            yield None
        elif "*" in place:
            yield normal(place.replace("*", rest)) or ""
        else:
            yield place + rest if rest.startswith("/") and place else place + rest.lstrip("/")


def _rooted(target: str, specifier: str) -> str:
    """The directory an alias points to: the target without what the specifier adds."""
    rest = specifier.split("/", 1)[1] if "/" in specifier else ""
    return target[: -len(rest)].rstrip("/") if rest and target.endswith(rest) else posixpath.dirname(target)


def _import_maps(texts: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Keys of the import maps of Deno configuration, by directory."""
    maps: dict[str, tuple[str, ...]] = {}
    for path in sorted(texts):
        folder, _, name = path.rpartition("/")
        if name in {"deno.json", "deno.jsonc", "import_map.json", "importmap.json"}:
            data = read_json(texts[path])
            table = data.get("imports") if isinstance(data, dict) else None
            maps[folder] = (*maps.get(folder, ()), *(str(key) for key in table)) if isinstance(table, dict) else maps.get(folder, ())
    return maps


def _mapped(keys: tuple[str, ...], specifier: str) -> bool:
    return any(specifier == key or specifier.startswith(key if key.endswith("/") else key + "/") for key in keys)
