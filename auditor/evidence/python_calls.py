"""Calls of first-party Python functions whose arguments cannot fit, and attributes that a first-party module does not have.

Only certain cases: the name is bound once, by an import or a plain definition, and nothing of that name shadows it anywhere in the file.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from auditor.evidence.python_modules import PythonResolver
from auditor.evidence.python_tree import Shape, parent
from auditor.model.evidence import Miscall
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts

_REBINDING = r"\bfor\b[^\n:]*\b{0}\b[^\n:]*\bin\b|\bas {0}\b|\blambda\b[^:\n]*\b{0}\b|\b{0}\s*(?::[^=\n(){{}}]+)?=(?!=)|\b{0}\s*:=|\b(?:global|nonlocal|del)\b[^\n]*\b{0}\b|\bcase\b[^\n]*\b{0}\b"
_PATCHED = re.compile(r"^(?:setattr|globals|exec|patch|monkeypatch\.)")


@dataclass(frozen=True, slots=True)
class _Binding:
    """What a local name stands for: a module of the tree, or a name in one ("" = the module itself)."""

    path: str
    name: str


def miscalls(resolver: PythonResolver, texts: dict[str, str]) -> tuple[Miscall, ...]:
    """All certain misfits, by path and line."""
    found: list[Miscall] = []
    for path in sorted(resolver.facts):
        file = resolver.facts[path]
        if not file.error_line and file.scoped:
            found.extend(_in_file(resolver, path, file, texts.get(path, "")))
    return tuple(found)


def _in_file(resolver: PythonResolver, path: str, file: FileFacts, text: str) -> list[Miscall]:
    bindings = _bindings(resolver, path, file)
    if not bindings:
        return []
    found = []
    shadowed: dict[str, bool] = {}
    for call in file.calls:
        head, _, rest = call.callee.partition(".")
        binding = bindings.get(head)
        if binding is None or call.guarded or not re.fullmatch(r"\w*", rest):
            continue
        problem = _problem(resolver, binding, rest, call)
        if not problem:
            continue  # before the dear question below, which reads the whole file for each name
        if head not in shadowed:
            shadowed[head] = _is_shadowed(head, file, text, own=binding.path == path)
        if not shadowed[head]:
            found.append(Miscall(path, call.line, call.callee, problem))
    return found


def _bindings(resolver: PythonResolver, path: str, file: FileFacts) -> dict[str, _Binding]:
    """Local names that certainly mean one thing of the tree."""
    counts = Counter(local for statement in file.imports for _, local in statement.names)
    counts.update(d.name for d in file.definitions)
    bindings: dict[str, _Binding] = {}
    for statement in file.imports:
        target = resolver.resolve(path, statement.module)
        if target is None or statement.guarded:
            continue
        for name, local in statement.names:
            if counts[local] != 1 or (name == "*" and (statement.from_form or local == statement.module.split(".")[0] != statement.module)):
                continue
            if not statement.from_form:
                if target.shape is Shape.FILE:
                    bindings[local] = _Binding(target.path, "")
            elif (sub := resolver.submodule(target, name)) is not None:
                if sub.shape is Shape.FILE:
                    bindings[local] = _Binding(sub.path, "")
            elif target.shape is Shape.FILE:
                bindings[local] = _Binding(target.path, name)
    for definition in file.definitions:
        if definition.parent == -1 and definition.kind is DefinitionKind.FUNCTION and counts[definition.name] == 1:
            bindings[definition.name] = _Binding(path, definition.name)
    return bindings


def _is_shadowed(name: str, file: FileFacts, text: str, *, own: bool) -> bool:
    """Whether the name may mean something else somewhere in the file."""
    if any(parameter.name.lstrip("*") == name for definition in file.definitions for parameter in definition.parameters):
        return True
    if any(assignment.target == name for assignment in file.assignments):
        return True
    without_imports = re.sub(r"(?m)^\s*(?:from\b[^\n]*\bimport\b|import\b)[^\n(]*(?:\([^)]*\))?", "", text)
    without_arguments = re.sub(rf"(?<=[(,])\s*{name}\s*=(?!=)", "", without_imports)
    return bool(re.search(_REBINDING.format(re.escape(name)), without_arguments)) or (
        own and any(_PATCHED.match(c.callee) for c in file.calls)
    )


def _problem(resolver: PythonResolver, binding: _Binding, attribute: str, call: Call) -> str:
    if not binding.name:
        if not attribute:
            return ""
        return _attribute_problem(resolver, binding.path, attribute) or _signature_problem(resolver, binding.path, attribute, call)
    return "" if attribute else _signature_problem(resolver, binding.path, binding.name, call)


def _attribute_problem(resolver: PythonResolver, path: str, attribute: str) -> str:
    known = resolver.names(path)
    if known is None or attribute in known:
        return ""
    is_package = path.rpartition("/")[2].startswith("__init__.")
    if is_package and resolver.tree.find(parent(path), (attribute,)) is not None:
        return ""
    return f"{path} has no name {attribute}"


def _signature_problem(resolver: PythonResolver, path: str, name: str, call: Call) -> str:
    definition = _function(resolver, path, name)
    if definition is None or any(argument.name in {"*", "**", "..."} for argument in call.arguments):
        return ""
    parameters = definition.parameters
    kinds = {parameter.kind for parameter in parameters}
    plain = [p for p in parameters if p.kind == "positional"]
    keywords = [a.name for a in call.arguments if a.name]
    positional = len(call.arguments) - len(keywords)
    if positional > len(plain) and "args" not in kinds:
        return f"{name}() takes at most {len(plain)} positional arguments, {positional} are given"
    known = {p.name for p in parameters if p.kind in {"positional", "keyword"}}
    unknown = [keyword for keyword in keywords if keyword not in known]
    if unknown and "kwargs" not in kinds:
        return f"{name}() has no parameter {unknown[0]}"
    given = {p.name for p in plain[:positional]} | set(keywords)
    missing = [p.name for p in parameters if p.kind in {"positional", "keyword"} and p.default is None and p.name not in given]
    return f"{name}() needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not given" if missing else ""


def _function(resolver: PythonResolver, path: str, name: str, depth: int = 0) -> Definition | None:
    """The one plain, undecorated function a module-level name stands for; re-exports are followed."""
    file = resolver.facts.get(path)
    if file is None or file.error_line or not file.scoped or depth > 5:
        return None
    imported = [(statement, original) for statement in file.imports for original, local in statement.names if local == name]
    defined = [d for d in file.definitions if d.name == name and d.parent == -1]
    if any(assignment.target == name for assignment in file.assignments if assignment.scope == -1) or len(imported) + len(defined) != 1:
        return None
    if defined:
        only = defined[0]
        strange = only.decorators or any(p.kind == "destructured" or p.name in {"/", "*"} for p in only.parameters)
        return None if only.kind is not DefinitionKind.FUNCTION or strange else only
    statement, original = imported[0]
    target = resolver.resolve(path, statement.module) if statement.from_form and original != "*" else None
    if target is None or target.shape is not Shape.FILE or target.path == path or resolver.submodule(target, original) is not None:
        return None
    return _function(resolver, target.path, original, depth + 1)
