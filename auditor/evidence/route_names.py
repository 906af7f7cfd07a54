"""Follows a name, as one file writes it, to the file and name it is defined under. Part of the evidence ROUTES."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.evidence.ignored_paths import IgnoredPaths
from auditor.evidence.module_graph import python_resolver
from auditor.evidence.python_tree import Shape
from auditor.evidence.script_config import ScriptConfig
from auditor.evidence.script_modules import ScriptResolver, Where
from auditor.model.artifacts import Manifests
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import Assignment, DefinitionKind, FileFacts, Import, Syntax, Value, ValueKind

_DEPTH = 6
_NOT_READ = frozenset({Role.VENDORED, Role.MINIFIED})


@dataclass(frozen=True, slots=True)
class Spot:
    """A name in the file that defines it; `name` may be dotted, "" means the module itself."""

    path: str
    name: str


class Names:
    """Name lookup over all files of a tree."""

    def __init__(self, snapshot: Snapshot, texts: dict[str, str], syntax: Syntax, manifests: Manifests) -> None:
        readable = {f.path: syntax.files[f.path] for f in snapshot.files if f.role not in _NOT_READ and f.path in syntax.files}
        python = {path: facts for path, facts in readable.items() if path.endswith(".py")}
        scripts = {path: facts for path, facts in readable.items() if path not in python}
        every = [file.path for file in snapshot.files]
        skipped = [entry.path for entry in snapshot.skipped]
        ignored = IgnoredPaths(texts)
        self.facts = readable
        self._python = python_resolver(every, skipped, python, manifests, ignored)
        self._script = ScriptResolver(
            frozenset((*every, *skipped)), scripts, ScriptConfig.read(texts) if scripts else ScriptConfig(), ignored, texts
        )
        self._constants: dict[str, frozenset[str]] | None = None
        self._spots: dict[tuple[str, str], Spot | None] = {}

    # -- names -------------------------------------------------------------------------------------------------------------------------

    def spot(self, path: str, dotted: str, depth: int = _DEPTH) -> Spot | None:
        """Where `dotted`, as written in the file at `path`, is defined; None when it comes from outside or cannot be followed."""
        key = (path, dotted)
        if key in self._spots:
            return self._spots[key]
        found = None
        if depth and path in self.facts and dotted:
            found = self._python_spot(path, dotted, depth) if path.endswith(".py") else self._script_spot(path, dotted, depth)
        if depth == _DEPTH:
            self._spots[key] = found
        return found

    def _python_spot(self, path: str, dotted: str, depth: int) -> Spot | None:
        head, _, rest = dotted.partition(".")
        for statement, original in self._imports_of(path, head, dotted):
            target = self._python.resolve(path, statement.module)
            if target is None:
                return None
            if not statement.from_form:
                if target.shape is not Shape.FILE:
                    return None
                after = dotted[len(statement.module) + 1 :] if dotted.startswith(statement.module + ".") and head != original else rest
                return self._inside(target.path, after, depth)
            sub = self._python.submodule(target, original)
            if sub is not None and sub.shape is Shape.FILE and not self._binds(target.path, original):
                return self._inside(sub.path, rest, depth)
            if target.shape is Shape.FILE:
                return self.spot(target.path, f"{original}.{rest}" if rest else original, depth - 1)
            return None
        return self._starred(path, dotted, depth) or Spot(path, dotted)

    def _binds(self, path: str, name: str) -> bool:
        """Whether a package's own file gives a name another meaning than its submodule of that name."""
        facts = self.facts.get(path)
        return facts is not None and any(a.target == name and a.scope == -1 for a in facts.assignments)

    def _inside(self, path: str, rest: str, depth: int) -> Spot | None:
        return self.spot(path, rest, depth - 1) if rest else Spot(path, "")

    def _imports_of(self, path: str, head: str, dotted: str) -> Iterator[tuple[Import, str]]:
        for statement in self.facts[path].imports:
            for original, local in statement.names:
                if local != head or original == local == "*":
                    continue
                if statement.from_form or original != "*" or not path.endswith(".py"):
                    yield statement, original
                elif "." in statement.module and statement.module.split(".", maxsplit=1)[0] == head:
                    if dotted == statement.module or dotted.startswith(statement.module + "."):
                        yield statement, original
                else:
                    yield statement, head

    def _starred(self, path: str, dotted: str, depth: int) -> Spot | None:
        head = dotted.split(".", maxsplit=1)[0]
        if head in self.facts[path].bound:
            return None
        for statement in self.facts[path].imports:
            if statement.from_form and ("*", "*") in statement.names:
                target = self._python.resolve(path, statement.module)
                inner = self.facts.get(target.path) if target is not None and target.shape is Shape.FILE else None
                if inner is not None and head in inner.bound:
                    return self.spot(inner.path, dotted, depth - 1)
        return None

    def _script_spot(self, path: str, dotted: str, depth: int) -> Spot | None:
        head, _, rest = dotted.partition(".")
        for statement, original in self._imports_of(path, head, dotted):
            return self.exported(path, statement.module, original, rest, depth)
        return (self._member(path, head, rest, depth) if rest else None) or Spot(path, dotted)

    def _member(self, path: str, head: str, rest: str, depth: int) -> Spot | None:
        """A method of an object: `orders.remove` where `const orders = new OrderController()`, or where a class is meant."""
        facts = self.facts[path]
        made = next(
            (a.value for a in facts.assignments if a.target == head and a.value is not None and a.value.kind is ValueKind.CALL), None
        )
        if made is None or not made.literal.startswith("new ") or not depth:
            return None
        home = self.spot(path, made.literal.removeprefix("new "), depth - 1)
        return Spot(home.path, f"{home.name}.{rest}") if home is not None and home.name else None

    def exported(self, path: str, module: str, original: str = "*", rest: str = "", depth: int = _DEPTH) -> Spot | None:
        """What the export `original` of `module`, imported in the file at `path`, leads to; "*" is the module as a whole."""
        found = self._script.resolve(path, module)
        if not depth or found.where is not Where.FILE or found.path not in self.facts:
            return None
        if original == "*" and rest:
            name, _, after = rest.partition(".")
            return self._export(found.path, name, after, depth) or self._export(found.path, "default", rest, depth)
        return self._export(found.path, "default" if original == "*" else original, rest, depth) or Spot(
            found.path, "" if original == "*" else original
        )

    def _export(self, path: str, name: str, rest: str, depth: int) -> Spot | None:
        facts = self.facts[path]
        for export in facts.exports:
            if export.name == name or (name == "default" and export.name == "="):
                if export.module:
                    return self.exported(path, export.module, export.local or name, rest, depth - 1)
                return self.spot(path, f"{export.local}.{rest}" if rest else export.local, depth - 1)
        stars = [export.module for export in facts.exports if export.name == "*" and export.module]
        for module in stars:
            inner = self._script.resolve(path, module)
            if inner.where is Where.FILE and inner.path in self.facts and depth > 1 and inner.path != path:
                found = self._export(inner.path, name, rest, depth - 1)
                if found is not None:
                    return found
        return self._common(facts, name, rest, depth)

    def _common(self, facts: FileFacts, name: str, rest: str, depth: int) -> Spot | None:
        """Exports of a CommonJS module: `module.exports = x`, `module.exports = {x}`, `exports.x = ...`."""
        for assignment in reversed(facts.assignments):
            if assignment.target in {f"exports.{name}", f"module.exports.{name}"}:
                return self._assigned(facts, assignment, name, rest, depth)
            if assignment.target not in {"module.exports", "exports"} or assignment.value is None:
                continue
            if name == "default":
                return self._assigned(facts, assignment, "exports", rest, depth)
            item = assignment.value.item(name)
            if item is not None and item.kind is ValueKind.NAME:
                return self.spot(facts.path, f"{item.literal}.{rest}" if rest else item.literal, depth - 1)
            if item is not None:
                return Spot(facts.path, name)
        return None

    def _assigned(self, facts: FileFacts, assignment: Assignment, name: str, rest: str, depth: int) -> Spot | None:
        value = assignment.value
        if value is not None and value.kind is ValueKind.NAME:
            return self.spot(facts.path, f"{value.literal}.{rest}" if rest else value.literal, depth - 1)
        if value is not None and value.kind is ValueKind.COLLECTION and rest:
            return self._common(facts, rest.split(".", maxsplit=1)[0], rest.partition(".")[2], depth - 1) if name == "exports" else None
        return Spot(facts.path, assignment.target if value is not None and value.kind is ValueKind.CALL else name)

    def resolved_module(self, path: str, specifier: str) -> str:
        """The file a script specifier or a dotted Python module leads to, "" when there is none."""
        if path.endswith(".py"):
            target = self._python.resolve(path, specifier)
            return target.path if target is not None and target.shape is Shape.FILE else ""
        found = self._script.resolve(path, specifier)
        return found.path if found.where is Where.FILE else ""

    # -- definitions and constants -----------------------------------------------------------------------------------------------------

    def definition(self, spot: Spot) -> int:
        """The definition a name stands for, -1 when it is none: by qualified name, else by its last part if that is unambiguous."""
        facts = self.facts.get(spot.path)
        if facts is None or not spot.name:
            return -1
        exact = [index for index, d in enumerate(facts.definitions) if d.qualname == spot.name and d.name]
        if exact:
            return exact[-1]
        wanted = spot.name.rsplit(".", 1)[-1]
        same = [index for index, d in enumerate(facts.definitions) if d.name == wanted and d.kind is not DefinitionKind.CLASS]
        if "." in spot.name:
            return same[0] if len(same) == 1 else -1
        top = [index for index, d in enumerate(facts.definitions) if d.name == wanted and d.parent == -1]
        return top[-1] if top else same[0] if len(same) == 1 else -1

    def text(self, path: str, value: Value | None) -> str | None:
        """The text of a path or prefix: literals, constants by name, templates with "{}" for what is not known; None when nothing is known."""
        if value is None:
            return None
        match value.kind:
            case ValueKind.STRING:
                return value.literal
            case ValueKind.TEMPLATE:
                return self._filled(path, value)
            case ValueKind.NAME:
                return self._constant(path, value.literal)
            case ValueKind.OPERATION:
                parts = [self.text(path, part) for key, part in value.items if key == "+"]
                return "".join(part if part is not None else "{}" for part in parts) if parts else None
            case _:
                return None

    def _filled(self, path: str, value: Value) -> str:
        pieces = value.literal.split("{}")
        if len(pieces) - 1 != len(value.names):
            return value.literal
        filled = pieces[0]
        for name, piece in zip(value.names, pieces[1:], strict=True):
            constant = self._constant(path, name)
            filled += ("{}" if constant is None else constant) + piece
        return filled

    def _constant(self, path: str, dotted: str) -> str | None:
        spot = self.spot(path, dotted)
        last = dotted.rsplit(".", 1)[-1]
        if spot is not None and spot.path in self.facts:
            for assignment in self.facts[spot.path].assignments:
                if assignment.target == spot.name and assignment.value is not None and assignment.value.kind is ValueKind.STRING:
                    return assignment.value.literal
        known = self._known_constants().get(last, frozenset())
        return next(iter(known)) if len(known) == 1 and "." in dotted else None

    def _known_constants(self) -> dict[str, frozenset[str]]:
        """Upper-case settings with a literal text, by name; used only where one name has one text in the whole tree."""
        if self._constants is None:
            found: dict[str, set[str]] = {}
            for facts in self.facts.values():
                for assignment in facts.assignments:
                    name = assignment.target.rsplit(".", 1)[-1]
                    if (
                        re.fullmatch(r"[A-Z][A-Z0-9_]{2,60}", name)
                        and assignment.value is not None
                        and assignment.value.kind is ValueKind.STRING
                    ):
                        found.setdefault(name, set()).add(assignment.value.literal)
            self._constants = {name: frozenset(texts) for name, texts in found.items()}
        return self._constants
