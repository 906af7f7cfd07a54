"""The module graphs of grimp (Python) and dependency-cruiser (JS/TS) as edges between files, for `benchmarks.graph` to compare ours with.

Neither tells lazy imports from others, and dependency-cruiser is wrong about what compilers drop; when an edge takes effect is therefore asked of Python's own parser,
and of what TypeScript's and Vue's own compilers leave of a file. Nothing of the tree runs: grimp is given its top-level packages on a path and reads them,
dependency-cruiser works on a copy without build settings of its own.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.model.syntax import ImportKind

Pair = tuple[str, str]

_GRIMP = """
import json, sys
roots, packages = json.load(sys.stdin)
sys.path[:0] = roots
import grimp
def edges(**options):
    graph = grimp.build_graph(*packages, cache_dir=None, **options)
    pairs = [(one, two) for one in sorted(graph.modules) for two in sorted(graph.find_modules_directly_imported_by(one))]
    lines = [[detail["line_number"] for detail in graph.get_import_details(importer=one, imported=two)] for one, two in pairs]
    return sorted(graph.modules), [(one, two, found) for (one, two), found in zip(pairs, lines)]
modules, every = edges()
json.dump([modules, every, edges(exclude_type_checking_imports=True)[1]], sys.stdout)
"""
_CRUISE = {
    "options": {
        "doNotFollow": {"path": "node_modules"},
        "tsPreCompilationDeps": True,
        "enhancedResolveOptions": {
            "exportsFields": ["exports"],
            "conditionNames": ["import", "require", "node", "default", "types"],
            "extensions": [".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".vue", ".svelte", ".d.ts"],
        },
    }
}
_NO_COPY = shutil.ignore_patterns("node_modules", ".git", "*.sql", "*.png", "*.jpg", "*.svg", "*.woff*", "*.mp4", "*.gif")


@dataclass(frozen=True, slots=True)
class Reference:
    """What another tool says: the files it looked at, and its edges between them with the time at which they take effect, None where nothing tells."""

    files: frozenset[str]
    edges: dict[Pair, ImportKind | None]


# -- Python ------------------------------------------------------------------------------------------------------------------------------


def grimp_reference(root: Path, paths: Iterable[str]) -> Reference:
    """Grimp's graph of all top-level packages of a tree in one; `paths` are its Python files. Of packages with one name the first is taken."""
    files = frozenset(paths)
    packages: dict[str, str] = {}
    for folder in sorted(_top_packages(files), key=lambda folder: (folder.count("/"), folder)):
        above, _, name = folder.rpartition("/")
        if name.isidentifier():
            packages.setdefault(name, above)
    if not packages:
        return Reference(frozenset(), {})
    roots = [str(root / above) for above in dict.fromkeys(packages.values())]
    modules, every, running = _run_json([sys.executable, "-c", _GRIMP], json.dumps([roots, sorted(packages)]))
    names = {module: path for module in modules if (path := _file_of(module, packages, files))}
    contexts = _Contexts(root)
    at_run = {(one, two): lines for one, two, lines in running}
    edges = {
        (names[one], names[two]): contexts.kind(names[one], at_run.get((one, two)))
        for one, two, _ in every
        if one in names and two in names
    }
    return Reference(frozenset(names.values()), edges)


def _top_packages(files: frozenset[str]) -> set[str]:
    packages = {path.rpartition("/")[0] for path in files if path.endswith("/__init__.py")}
    return {folder for folder in packages if folder.rpartition("/")[0] not in packages}


def _file_of(module: str, packages: dict[str, str], files: frozenset[str]) -> str:
    base = "/".join(part for part in (packages[module.split(".", maxsplit=1)[0]], *module.split(".")) if part)
    return next((path for path in (f"{base}/__init__.py", f"{base}.py") if path in files), "")


class _Contexts:
    """Tells when the imports on some lines of a file take effect: those that stand in no function when the module is loaded."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._eager: dict[str, frozenset[int] | None] = {}

    def kind(self, path: str, lines: list[int] | None) -> ImportKind | None:
        """`lines`: those of imports outside `TYPE_CHECKING`; None for a file that this Python is too old to read."""
        if lines is None:
            return ImportKind.TYPE_ONLY
        if path not in self._eager:
            try:
                self._eager[path] = frozenset(_eager_lines(ast.parse((self._root / path).read_bytes())))
            except SyntaxError:
                self._eager[path] = None
        eager = self._eager[path]
        if eager is None:
            return None
        return ImportKind.IMPORT_TIME if not eager.isdisjoint(lines) else ImportKind.LAZY


def _eager_lines(tree: ast.AST) -> Iterator[int]:
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node.lineno
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


# -- JS/TS -------------------------------------------------------------------------------------------------------------------------------


def cruiser_reference(root: Path, paths: Iterable[str], installed: Path) -> Reference:
    """dependency-cruiser's graph, package by package, each with its own tsconfig.json; `installed`: the folder it was installed into with npm.

    Packages of the tree find each other through links in a node_modules of the copy, as after an installation.
    """
    files = frozenset(paths)
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary).resolve() / "tree"
        shutil.copytree(root, copy, ignore=_NO_COPY, symlinks=True)
        (copy / "node_modules").mkdir()
        packages = _packages(copy)
        _link(copy, packages)
        found = [entry for package in sorted(packages) for entry in _cruise(copy, package, _inside(package, packages, files), installed)]
    left = _survivors(root, sorted(files), installed)
    kinds: dict[Pair, set[ImportKind]] = defaultdict(set)
    for source, specifier, target in found:
        if target in files and target != source:
            kinds[source, target].add(left.get((source, specifier), ImportKind.TYPE_ONLY))
    order = (ImportKind.IMPORT_TIME, ImportKind.LAZY, ImportKind.TYPE_ONLY)
    return Reference(
        frozenset(source for source, _, _ in found) & files,
        {pair: next(kind for kind in order if kind in kinds[pair]) for pair in sorted(kinds)},
    )


def _packages(copy: Path) -> dict[str, str]:
    """Directory of each package.json, "" for the top, with the package's name."""
    found = {"": ""}
    for manifest in sorted(copy.rglob("package.json")):
        try:
            data = json.loads(manifest.read_text("utf-8"))
        except ValueError:
            continue
        folder = manifest.parent.relative_to(copy).as_posix()
        found["" if folder == "." else folder] = str(data.get("name") or "")
    return found


def _link(copy: Path, packages: dict[str, str]) -> None:
    for folder, name in packages.items():
        place = copy / "node_modules" / name
        if folder and name and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(copy / folder, target_is_directory=True)


def _inside(package: str, packages: dict[str, str], files: frozenset[str]) -> list[str]:
    """The files whose nearest package.json is that of `package`."""
    found = []
    for path in sorted(files):
        folder = path.rpartition("/")[0]
        while folder and folder not in packages:
            folder = folder.rpartition("/")[0]
        if folder == package:
            found.append(path)
    return found


def _cruise(copy: Path, package: str, inside: list[str], installed: Path) -> Iterator[tuple[str, str, str]]:
    """(file, specifier, file or place outside) of the files of one package, seen from its own directory; a file without imports with empty ones."""
    if not inside:
        return
    base = copy / package
    settings: dict[str, Any] = json.loads(json.dumps(_CRUISE))
    config = next((folder for folder in ("", "src") if (base / folder / "tsconfig.json").is_file()), None)
    if config is not None:
        settings["options"]["tsConfig"] = {"fileName": str(base / config / "tsconfig.json")}
    (copy / ".cruise.json").write_text(json.dumps(settings))
    local = [os.path.relpath(copy / path, base) for path in inside]
    program = installed / "node_modules" / "dependency-cruiser" / "bin" / "dependency-cruise.mjs"
    command = ["node", str(program), "--config", str(copy / ".cruise.json"), "--output-type", "json", *local]
    wanted = set(inside)
    for module in _run_json(command, cwd=base)["modules"]:
        source = _repository_path(copy, base, module["source"])
        if source in wanted:
            yield source, "", ""
            for entry in module["dependencies"]:
                yield source, entry["module"], _repository_path(copy, base, entry["resolved"])


def _repository_path(copy: Path, base: Path, path: str) -> str:
    full = (base / path).resolve()
    return full.relative_to(copy).as_posix() if full.is_relative_to(copy) else ""


def _survivors(root: Path, files: list[str], installed: Path) -> dict[tuple[str, str], ImportKind]:
    """(file, specifier) of every import that is left after compiling, with its time; declarations and what does not compile have none."""
    program = str(Path(__file__).with_name("surviving_imports.mjs"))
    text = json.dumps({"installed": str(installed.resolve()), "root": str(root.resolve()), "files": files})
    found: dict[tuple[str, str], ImportKind] = {}
    for path, entries in _run_json(["node", program], text).items():
        for specifier, kind in entries or ():
            if found.get((path, specifier)) is not ImportKind.IMPORT_TIME:
                found[path, specifier] = ImportKind(kind)
    return found


def _run_json(command: list[str], text: str = "", cwd: Path | None = None) -> Any:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=cwd)
    if done.returncode:
        message = f"{command[0]} failed: {done.stderr[-2000:]}"
        raise RuntimeError(message)
    return json.loads(done.stdout)
