"""Python classes by name with the classes they are made from: mixins and bases of models stand in other files. Part of the evidence STORES."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from auditor.model.syntax import Assignment, Definition, DefinitionKind, FileFacts

_DEPTH = 8


@dataclass(frozen=True, slots=True, eq=False)
class PythonClass:
    """One class: its own attributes, and the names of the classes nested in it (`Meta`) with theirs."""

    facts: FileFacts
    index: int
    own: tuple[Assignment, ...]
    nested: dict[str, tuple[Assignment, ...]] = field(default_factory=dict)

    @property
    def definition(self) -> Definition:
        """The class itself."""
        return self.facts.definitions[self.index]

    @property
    def bases(self) -> tuple[str, ...]:
        """The bases as dotted names, type arguments left out."""
        return tuple(re.sub(r"\[.*", "", base) for base in self.definition.bases)


class PythonClasses:
    """All classes of some files."""

    def __init__(self, files: Iterable[FileFacts]) -> None:
        self.all: list[PythonClass] = []
        self._by_name: defaultdict[str, list[PythonClass]] = defaultdict(list)
        for facts in files:
            for found in _classes(facts):
                self.all.append(found)
                self._by_name[found.definition.name].append(found)

    def named(self, name: str, path: str) -> PythonClass | None:
        """The class a base's name means: of the same file first, else the only one of that name."""
        same = self._by_name.get(name.rsplit(".", 1)[-1], [])
        near = [each for each in same if each.facts.path == path]
        if len(near) == 1:
            return near[0]
        return same[0] if len(same) == 1 else None

    def lineage(self, start: PythonClass) -> Iterator[tuple[PythonClass | None, str]]:
        """The class and all it is made from, the nearest first, with the name; None for a class that is not among the files."""
        pending: list[tuple[PythonClass | None, str, int]] = [(start, start.definition.name, 0)]
        seen: set[int] = set()
        while pending:
            found, name, depth = pending.pop(0)
            if found is not None:
                if id(found) in seen or depth > _DEPTH:
                    continue
                seen.add(id(found))
                pending.extend((self._base(base, found), base, depth + 1) for base in found.bases)
            yield found, name

    def _base(self, name: str, child: PythonClass) -> PythonClass | None:
        found = self.named(name, child.facts.path)
        return None if found is child else found


def _classes(facts: FileFacts) -> Iterator[PythonClass]:
    inside: defaultdict[int, list[Assignment]] = defaultdict(list)
    for assignment in facts.assignments:
        inside[assignment.scope].append(assignment)
    for index, definition in enumerate(facts.definitions):
        if definition.kind is not DefinitionKind.CLASS:
            continue
        nested = {
            inner.name: tuple(inside[number])
            for number, inner in enumerate(facts.definitions)
            if inner.parent == index and inner.kind is DefinitionKind.CLASS
        }
        yield PythonClass(facts, index, tuple(inside[index]), nested)
