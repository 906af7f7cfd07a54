"""Python modules imported by name: `importlib.import_module` and `__import__` with a name that is written down in the same file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.model.syntax import Call, FileFacts, ImportKind, Value, ValueKind

_CALLEES = frozenset({"importlib.import_module", "import_module", "__import__"})
_MODULE = re.compile(r"\.{0,4}\w+(?:\.\w+)*")
_FOR_EACH = re.compile(r"(?:async )?for (\w+) in (.+?):?")
_OWN_PACKAGE = "__package__"
_MOST_NAMES = 50


@dataclass(frozen=True, slots=True)
class NamedImport:
    """One module imported by name; `module` with its leading dots, as in an import statement of the same file."""

    module: str
    kind: ImportKind
    line: int


def named_imports(file: FileFacts) -> Iterator[NamedImport]:
    """The modules whose names are constants: literals, module constants, and what a loop over either takes in turn."""
    for call in file.calls:
        value = call.argument("name", 0) if call.callee in _CALLEES else None
        if value is None:
            continue
        kind = ImportKind.IMPORT_TIME if call.scope < 0 else ImportKind.LAZY
        for name in _texts(file, call, value):
            module = _placed(file, name, call.argument("package", 1))
            if module and _MODULE.fullmatch(module):
                yield NamedImport(module, kind, call.line)


def _texts(file: FileFacts, call: Call, value: Value) -> Iterable[str]:
    if value.kind is ValueKind.STRING:
        return (value.literal,)
    if value.kind is not ValueKind.NAME:
        return ()
    constant = _constant(file, value.literal)
    if constant is not None:
        return _strings(constant)
    for loop in file.loops:
        header = _FOR_EACH.fullmatch(loop.header) if loop.line <= call.line <= loop.end_line else None
        if header is not None and header[1] == value.literal:
            over = _constant(file, header[2])
            return _strings(over) if over is not None else _written(header[2])
    return ()


def _constant(file: FileFacts, name: str) -> Value | None:
    """The value of a name that is bound once, at module level."""
    bound = [entry for entry in file.assignments if entry.target == name]
    return bound[0].value if len(bound) == 1 and bound[0].scope < 0 else None


def _strings(value: Value) -> tuple[str, ...]:
    if value.kind is ValueKind.STRING:
        return (value.literal,)
    texts = [item.literal for _, item in value.items if item.kind is ValueKind.STRING]
    return tuple(texts[:_MOST_NAMES]) if value.kind is ValueKind.COLLECTION and len(texts) == len(value.items) else ()


def _written(text: str) -> tuple[str, ...]:
    """The strings of a list or tuple as it stands in a loop's header."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ()
    return tuple(entry for entry in found if isinstance(entry, str))[:_MOST_NAMES] if isinstance(found, list | tuple | set) else ()


def _placed(file: FileFacts, name: str, package: Value | None) -> str:
    """The name as an import statement of this file would write it; "" when it is relative to a package that is not known."""
    if not name.startswith("."):
        return name
    if package is None:
        return ""
    if package.kind is ValueKind.STRING:
        return package.literal + name if not name.startswith("..") else ""
    inside = package.literal == _OWN_PACKAGE or (package.literal == "__name__" and file.path.endswith("__init__.py"))
    return name if inside else ""
