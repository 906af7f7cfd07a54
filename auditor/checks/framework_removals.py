"""Rows that can be removed because a framework makes the way to do it: administration pages, generic views, ready-made routers of accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.table_words import TableWords
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts, ValueKind
from auditor.model.tables import Table
from auditor.model.verdict import Place

_GENERIC_VIEW = re.compile(
    r"(?:^|\.)(?:ModelViewSet|DestroyModelMixin|DestroyAPIView|RetrieveDestroyAPIView|RetrieveUpdateDestroyAPIView|DeleteView)$"
)
_ADMIN_VIEW = re.compile(r"(?:^|\.)(?:ModelView|SecureModelView|\w*ModelView)$")
_REGISTERS = re.compile(r"(?:^|\.)(?:site\.)?register$")
_READY_MADE = re.compile(r"(?:^|\.)get_users_router$")
_HEADER = re.compile(r"\bmodel\s*=\s*(\w+)")
_REMOVES = re.compile(r"(?:^|\.)(?:delete|perform_destroy|destroy|remove)$")
_MADE_BY_HAND = frozenset({"destroy", "perform_destroy", "delete"})


def framework_removals(files: tuple[FileFacts, ...], names: TableWords, texts: dict[str, str]) -> Iterator[tuple[Table, Place]]:
    """Tables whose rows a framework lets somebody remove, with the place that says so."""
    refused = {d.name for facts in files for index, d in enumerate(facts.definitions) if _refuses(facts, index)}
    for facts in files:
        if not facts.path.endswith(".py"):
            continue
        for index, definition in enumerate(facts.definitions):
            if definition.kind is DefinitionKind.CLASS and definition.name not in refused:
                place = Place(facts.path, definition.line)
                yield from ((table, place) for name in _models_of(facts, index, definition, texts) for table in names.of(name))
        for call in facts.calls:
            yield from ((table, Place(facts.path, call.line)) for table in _registered(call, names, refused))


def _models_of(facts: FileFacts, index: int, definition: Definition, texts: dict[str, str]) -> Iterator[str]:
    """The models a class lets people remove rows of."""
    for mark in definition.decorators:
        if _REGISTERS.search(mark.callee):
            yield from (
                argument.value.literal for argument in mark.arguments if not argument.name and argument.value.kind is ValueKind.NAME
            )
    own = {entry.target: entry.value for entry in facts.assignments if entry.scope == index and entry.value is not None}
    if any(_ADMIN_VIEW.search(base) for base in definition.bases):
        lines = texts.get(facts.path, "").split("\n")[definition.line - 1 : definition.line + 2]
        stated = _HEADER.search(" ".join(lines)[:300])
        if stated:
            yield stated[1]
    if any(_GENERIC_VIEW.search(base) for base in definition.bases) and _really(facts, index):
        chosen = own.get("queryset") or own.get("model")
        if chosen is not None:
            yield chosen.literal.partition(".objects")[0]
        else:
            yield from _asked_for(facts, index)


def _asked_for(facts: FileFacts, index: int) -> Iterator[str]:
    """The model that `get_queryset` or `get_object` reads."""
    methods = {n for n, d in enumerate(facts.definitions) if d.parent == index and d.name in {"get_queryset", "get_object"}}
    for call in facts.calls:
        if call.scope in methods and ".objects" in call.callee:
            yield call.callee.partition(".objects")[0]
    for entry in facts.returns:
        if entry.scope in methods and entry.value is not None and entry.value.literal == "self.request.user":
            yield "user"


def _really(facts: FileFacts, index: int) -> bool:
    """Whether a generic view that has a removal of its own making removes in it, and that it is not switched off."""
    methods = {n for n, d in enumerate(facts.definitions) if d.parent == index and d.name in _MADE_BY_HAND}
    if methods:
        return any(call.scope in methods and _REMOVES.search(call.callee) for call in facts.calls)
    allowed = next((e.value for e in facts.assignments if e.scope == index and e.target == "http_method_names" and e.value), None)
    return allowed is None or "delete" in allowed.text.lower()


def _refuses(facts: FileFacts, index: int) -> bool:
    """Whether an administration class takes the right to remove away."""
    if facts.definitions[index].kind is not DefinitionKind.CLASS:
        return False
    switched = any(
        entry.scope == index and entry.target == "can_delete" and entry.value is not None and entry.value.literal == "False"
        for entry in facts.assignments
    )
    methods = {n for n, d in enumerate(facts.definitions) if d.parent == index and d.name == "has_delete_permission"}
    return switched or any(r.scope in methods and r.value is not None and r.value.literal == "False" for r in facts.returns)


def _registered(call: Call, names: TableWords, refused: set[str]) -> Iterator[Table]:
    """`admin.site.register(User, UserAdmin)`, `admin.add_view(UserView(User, db.session))`, `fastapi_users.get_users_router(...)`."""
    given = [argument.value for argument in call.arguments if not argument.name]
    if _READY_MADE.search(call.callee):
        yield from names.accounts
    if "site" in call.callee and _REGISTERS.search(call.callee) and given and not {v.literal for v in given[1:]} & refused:
        models = [item for _, item in given[0].items] if given[0].kind is ValueKind.COLLECTION else given[:1]
        yield from (table for model in models for table in names.of(model.literal))
    shown = call.callee.rpartition(".")[2]
    if shown.endswith(("View", "Admin")) and shown not in refused and len(given) > 1 and "session" in given[1].text:
        yield from names.of(given[0].literal)
