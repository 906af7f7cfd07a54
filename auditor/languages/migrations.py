"""What the readers of migration files have in common: one record per file, and the judgement of a way back.

`migrations_python` reads Alembic and Django, `migrations_script` Knex, TypeORM, Sequelize and their like, `migrations_sql` folders of SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.languages import sql
from auditor.languages.sql import Operation
from auditor.model.syntax import Call, FileFacts, Value, ValueKind

YES, NO, PARTIAL, UNKNOWN, TRIVIAL, REFUSED = "yes", "no", "partial", "unknown", "trivial", "refused"


@dataclass(frozen=True, slots=True)
class Back:
    """Whether a migration can be undone: the word `MigrationStep.reversible` uses, the reason, whether its way up loses data."""

    reversible: str
    reason: str
    destructive: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration as its file shows it.

    `series`: what it is ordered within (a folder). `revision` and `parents` name it and what it builds on where the tool keeps a graph. `order`: sorts the files
    of one series. `created`: names of tables it creates; `columns`: (table, column) it adds, table "" where it does not
    show. `opaque`: it builds structure from the models of the code, so names do not show.
    """

    path: str
    framework: str
    series: str
    order: str
    back: Back
    line: int = 1
    revision: str = ""
    parents: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    branch: bool = False
    created: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    opaque: bool = False


def within(facts: FileFacts, root: int) -> frozenset[int]:
    """The definition and everything nested in it."""
    inside = {root}
    for index in range(root + 1, len(facts.definitions)):
        if facts.definitions[index].parent in inside:
            inside.add(index)
    return frozenset(inside)


def calls_in(facts: FileFacts, root: int, *, depth: int = 3) -> tuple[Call, ...]:
    """The calls of a function and of the functions of the same file it calls, in order."""
    by_name = {definition.name: index for index, definition in enumerate(facts.definitions) if definition.parent == -1}
    seen: set[int] = set()

    def collect(index: int, left: int) -> Iterator[Call]:
        seen.add(index)
        inside = within(facts, index)
        for call in facts.calls:
            if call.scope not in inside:
                continue
            yield call
            helper = by_name.get(call.callee)
            if helper is not None and helper not in seen and left:
                yield from collect(helper, left - 1)

    return tuple(collect(root, depth))


def refuses(facts: FileFacts, root: int) -> bool | None:
    """Whether a function raises: True with a stated reason, False with a bare error, None when it does not raise."""
    inside = within(facts, root)
    raised = next((entry for entry in facts.raises if entry.scope in inside), None)
    if raised is None or raised.value is None:
        return None
    return any(value.kind in {ValueKind.STRING, ValueKind.TEMPLATE} and value.literal for _, value in raised.value.items)


def last(callee: str) -> str:
    """The last name of a dotted callee."""
    return callee.rsplit(".", 1)[-1].removeprefix("new ")


def texts_of(value: Value | None, depth: int = 4) -> Iterator[str]:
    """All string literals within an expression."""
    if value is None or depth < 0:
        return
    if value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
        yield value.literal
    for _, item in value.items:
        yield from texts_of(item, depth - 1)


def words_of(calls: Iterable[Call]) -> frozenset[str]:
    """All string literals given to calls."""
    return frozenset(text for call in calls for argument in call.arguments for text in texts_of(argument.value))


def literal_only(calls: Iterable[Call]) -> bool:
    """Whether the names given to calls are all literals, so that a name that is missing is really missing."""
    return all(
        argument.value.kind
        in {ValueKind.STRING, ValueKind.CALL, ValueKind.BOOLEAN, ValueKind.NONE, ValueKind.FUNCTION, ValueKind.COLLECTION}
        or argument.name
        for call in calls
        for argument in call.arguments[:2]
    )


def loses(operations: Iterable[Operation]) -> bool:
    """Whether a script drops or overwrites what was there before it began; what it made itself does not count."""
    made: set[str] = set()
    for operation in operations:
        if operation.kind == sql.CREATE_TABLE:
            made.add(operation.table)
        elif operation.kind in sql.DESTRUCTIVE and operation.table not in made and not _widens(operation):
            return True
    return False


_ROOMY = ("text", "int8", "bigint", "timestamptz", "jsonb", "double precision")


def _widens(operation: Operation) -> bool:
    return operation.kind == sql.CHANGE_TYPE and any(column.type.startswith(_ROOMY) for column in operation.columns)
