"""Records that a function holds, loaded or newly made, and what it stores of them or removes: `project = get_object_or_404(...)`, then `project.delete()`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.reach import Reach
from auditor.checks.stored_writes import Verb, Write
from auditor.model.syntax import Call, DefinitionKind, FileFacts, Syntax, ValueKind

_ENDS = re.compile(
    r"^(?P<owner>.+)\.(?:(?P<removes>a?delete|delete_instance|remove|deleteOne|destroy|softRemove|softDelete)|a?save|update|updateOne|restore)$"
)
_NAMED_LOAD = re.compile(
    r"(?:^|\.)a?get_object_or_404$|^self\.get_object$|(?:\.(?:objects|_default_manager)|_set)(?:\(\))?(?:\.\w+\(\))*\.a?(?:get|first|last|latest|earliest)$"
)
"""Loads of one record that are known without its model: Django's and MongoEngine's."""
_LOADS = re.compile(
    r"\.(?:get|get_or_none|get_by_id|first|first_or_404|get_or_404|one|find_one|a?get|a?first|find|findOne|findById|findByPk|findOneBy|findOneOrFail|findOneByOrFail|findOrFail|build)$"
)
"""Loads of one record of a model whose name stands before."""
_MAPPERS = frozenset({"beanie", "tortoise", "peewee", "mongoengine", "odmantic", "ormar", "pony"})
_MAPPED = re.compile(r"(?:^|\.)(?:Document|DynamicDocument|Model|BaseModel)$")
_SAVER = re.compile(r"(?:^|\.)(?:\w*ModelForm|(?:Hyperlinked)?ModelSerializer)$")
"""Forms and serialisers that store a record where they are saved."""
_TELLING = re.compile(r"_|[a-z][A-Z]")
"""A function's name of more than one word: `get` and `load` may mean too many things."""
_MODEL_MADE = re.compile(r"^(?:mongoose\.)?model$")
_RAW = re.compile(r"\w+")


def mapped_classes(syntax: Syntax, paths: frozenset[str]) -> frozenset[str]:
    """Names of the mappers' classes by their bases, and by the call that makes them: `const Project = mongoose.model("Project", schema)`."""
    found: set[str] = set()
    for facts in syntax.of(paths):
        imported = {entry.module.split(".", 1)[0] for entry in facts.imports}
        if imported & _MAPPERS:
            found |= {
                definition.name
                for definition in facts.definitions
                if definition.kind is DefinitionKind.CLASS and any(_MAPPED.search(base) for base in definition.bases)
            }
        for call in facts.calls if "mongoose" in imported else ():
            given = call.argument("", 0)
            if _MODEL_MADE.search(call.callee) and given is not None and given.kind is ValueKind.STRING:
                found |= {name for name in (given.literal, call.target) if name[:1].isupper()}
    return frozenset(found)


class HeldRecords:
    """Finds writes on records; `models` are the names of the mappers' classes."""

    def __init__(self, syntax: Syntax, reach: Reach, models: frozenset[str]) -> None:
        self._syntax = syntax
        self._reach = reach
        self._models = models
        self._savers = frozenset(
            definition.name
            for facts in syntax.files.values()
            for definition in facts.definitions
            if definition.kind is DefinitionKind.CLASS and any(_SAVER.search(base) for base in definition.bases)
        )

    def writes(self, facts: FileFacts) -> Iterator[Write]:
        """Every write of one file on a record that shows where it came from."""
        for call in facts.calls:
            found = _ENDS.match(call.callee) if call.scope >= 0 else None
            if found is None:
                continue
            table = self._held(facts, found["owner"], call)
            if table is not None:
                verb = Verb.REMOVE if found["removes"] else Verb.CHANGE
                yield Write(facts.path, call.line, call.end_line, call.scope, verb, table, loop=call.in_loop, what=f"{call.callee}()")

    def _held(self, facts: FileFacts, owner: str, end: Call) -> str | None:
        """The model of a record ("" where it is a record of some model), None where nothing shows that it is one."""
        if owner.endswith("()"):
            loads = [c for c in facts.calls if c.scope == end.scope and c.line == end.line and c.callee == owner.removesuffix("()")]
            return self._loaded(facts, loads[0]) if loads else None
        if owner in {"self", "this"}:
            around = facts.definitions[end.scope].parent
            return facts.definitions[around].name if around >= 0 and facts.definitions[around].name in self._models else None
        for call in reversed(facts.calls):
            if call.scope == end.scope and call.line <= end.line and call.target == owner and call is not end:
                made = call.callee.removeprefix("new ").rpartition(".")[2]
                saved = made in self._savers and end.callee.endswith(".save")
                return made if made in self._models or saved else self._loaded(facts, call)
        return self._handed_on(facts, owner, end)

    def _handed_on(self, facts: FileFacts, owner: str, end: Call) -> str | None:
        """`Project.findByPk(id).then((project) => project.destroy())`: the record is a function's parameter."""
        inner = facts.definitions[end.scope]
        if owner not in {parameter.name for parameter in inner.parameters}:
            return None
        for call in facts.calls:
            load, _, verb = call.callee.rpartition(".")
            if verb == "then" and call.scope == inner.parent and call.line <= inner.line and inner.end_line <= call.end_line:
                return self._of_model(load.removesuffix("()"))
        return None

    def _loaded(self, facts: FileFacts, call: Call, *, follow: bool = True) -> str | None:
        """The model of the record a call loads, by the call itself or by the first-party function it runs."""
        if _NAMED_LOAD.search(call.callee):
            return self._named(call)
        found = self._of_model(call.callee)
        if found is None and follow:
            telling = _TELLING.search(call.callee.rpartition(".")[2]) is not None
            for path, index in self._reach.named(facts.path, call.callee):
                if path != facts.path and not telling:
                    continue
                found = found if found is not None else self._returned(self._syntax.files[path], index)
        return found

    def _named(self, call: Call) -> str:
        before = _RAW.findall(call.callee.partition(".objects")[0]) if ".objects" in call.callee else []
        given = [argument.value.literal.partition(".")[0] for argument in call.arguments[:2]]
        return next((name for name in (*before[-1:], *given) if name[:1].isupper()), "")

    def _of_model(self, callee: str) -> str | None:
        if not _LOADS.search(callee):
            return None
        return next((name for name in _RAW.findall(callee) if name in self._models), None)

    def _returned(self, facts: FileFacts, index: int) -> str | None:
        """The model of the record that a function loads and returns."""
        if facts.definitions[index].kind is DefinitionKind.CLASS:
            return None
        for entry in facts.returns:
            value = entry.value
            if entry.scope != index or value is None:
                continue
            for call in facts.calls:
                same = call.line == entry.line and call.callee == value.literal
                if call.scope == index and (same or (call.target and call.target == value.literal)):
                    found = self._loaded(facts, call, follow=False)
                    if found is not None:
                        return found
        return None
