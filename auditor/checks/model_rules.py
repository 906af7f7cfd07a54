"""The rules a data model should have, by the names in it, and which of them it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.model_names import (
    FLOATS,
    TableNames,
    holds_items,
    identities,
    is_blob,
    is_money,
    is_past,
    is_state,
    is_text,
    singular,
    snaked,
    words,
)
from auditor.model.tables import Column, Table
from auditor.model.verdict import Place

_JOIN_EXTRAS_WORDS = "id uuid created_at createdat updated_at updatedat created updated role position order sort_order added_at joined_at assigned_at is_active"
_JOIN_EXTRAS = frozenset(_JOIN_EXTRAS_WORDS.split())
_LEAST_COLUMNS = 3
_LEAST_STATES = 2
_MANY = 0.3


class Kind(StrEnum):
    """What a rule rejects."""

    REFERENCE = "reference"  # a row that belongs to nothing
    IDENTITY = "identity"  # two accounts with one login
    PAIR = "pair"  # the same connection twice
    MONEY = "money"  # cents that do not add up
    BLOB = "blob"  # relations nobody can check
    CONTENT = "content"  # whole records nobody checks
    KEY = "key"  # rows nobody can tell apart
    REQUIRED = "required"  # rows with nothing in them
    STATES = "states"  # words nobody knows
    TIMES = "times"  # times nobody can compare


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule that the model should have; `other`: the table it leads to, or the words for a reader."""

    kind: Kind
    table: Table
    columns: tuple[str, ...]
    place: Place
    kept: bool
    weight: float = 1.0
    other: str = ""


def rules(tables: tuple[Table, ...]) -> Iterator[Rule]:
    """Every rule that names and types ask for, of all tables; the same table declared twice counts once."""
    names = TableNames((*tables, *_implied(tables)))
    for table in tables:
        if not table.columns:
            continue
        yield from _keys(table)
        yield from _references(table, names)
        yield from _identities(table)
        yield from _pairs(table, names)
        yield from _money(table)
        yield from _blobs(table, names)
    yield from _contents(tables)
    yield from _required(tables)
    yield from _states(tables)
    yield from _times(tables)


def _implied(tables: tuple[Table, ...]) -> Iterator[Table]:
    """The accounts of a hosted database, which no script of the project makes."""
    known = any(column.references == "auth.users" for table in tables for column in table.columns)
    if known:
        yield Table("users", "auth.users", tables[0].place, "sql", (Column("id", type="uuid", primary=True),))


def _keys(table: Table) -> Iterator[Rule]:
    """A table without a primary key; where all of them have one, there is nothing to say."""
    named = any(column.primary or column.unique for column in table.columns) or bool(table.uniques)
    if table.mapper == "sql" and table.whole and not is_past(table) and not named:
        yield Rule(Kind.KEY, table, (), table.place, kept=False)


def _references(table: Table, names: TableNames) -> Iterator[Rule]:
    for column in table.columns:
        if column.references:
            yield Rule(Kind.REFERENCE, table, (column.name,), column.place(table), kept=True, other=column.references)
        elif not is_past(table) and (target := names.meant(column, table)) is not None:
            yield Rule(Kind.REFERENCE, table, (column.name,), column.place(table), kept=False, other=target.table or target.name)


def _identities(table: Table) -> Iterator[Rule]:
    for column in identities(table):
        yield Rule(Kind.IDENTITY, table, (column.name,), column.place(table), kept=_is_unique(table, (column,)), weight=2.0)


def _is_unique(table: Table, columns: tuple[Column, ...]) -> bool:
    """Whether the database refuses a second row with the same values, alone or together with a tenant."""
    if any(column.unique for column in columns):
        return True
    wanted = [{column.name.lower(), (column.attribute or column.name).lower()} for column in columns]
    for group in table.uniques:
        texts = [name.lower() for name in group]
        if all(any(name in text if text.startswith("(") else name == text for text in texts for name in options) for options in wanted):
            return True
    return all(column.primary for column in columns)


def _pairs(table: Table, names: TableNames) -> Iterator[Rule]:
    """A table that only connects two others should connect them once."""
    if is_past(table) or not table.whole or table.mapper == "mongoose":
        return
    keys = [column for column in table.columns if column.references or names.meant(column, table) is not None]
    rest = [column for column in table.columns if column not in keys and snaked(column.name) not in _JOIN_EXTRAS]
    if len(keys) != 2 or rest or keys[0].references == keys[1].references:
        return
    first, second = (word for column in keys for word in words(column.name)[:1])
    own = {singular(word) for word in (*words(table.name), *words(table.table))}
    if {singular(first), singular(second)} & own or own & {
        "member",
        "membership",
        "favorite",
        "favourite",
        "like",
        "follow",
        "follower",
        "vote",
        "bookmark",
        "enrollment",
        "assignment",
    }:
        yield Rule(Kind.PAIR, table, (keys[0].name, keys[1].name), table.place, kept=_is_unique(table, (keys[0], keys[1])))


def _money(table: Table) -> Iterator[Rule]:
    for column in table.columns:
        if is_money(column, table) and table.mapper != "mongoose":
            if column.type in FLOATS:
                yield Rule(Kind.MONEY, table, (column.name,), column.place(table), kept=False)
            elif any(word in column.type for word in ("dec", "num", "int", "money")):
                yield Rule(Kind.MONEY, table, (column.name,), column.place(table), kept=True)


def _blobs(table: Table, names: TableNames) -> Iterator[Rule]:
    """Keys of another table inside one value, and bills that keep their lines so."""
    for column in table.columns:
        parts = words(column.name)
        if not parts or column.references or is_past(table) or table.mapper == "mongoose":
            continue
        keys = len(parts) > 1 and parts[-1] == "ids" and (is_blob(column) or is_text(column))
        named = [found for found in names.named("_".join(parts[:-1])) if found.mapper == table.mapper] if keys else []
        if len(named) == 1:
            yield Rule(Kind.BLOB, table, (column.name,), column.place(table), kept=False, other=named[0].table or named[0].name)
        elif holds_items(column, table):
            yield Rule(Kind.BLOB, table, (column.name,), column.place(table), kept=False, other="the things sold")


def _contents(tables: tuple[Table, ...]) -> Iterator[Rule]:
    """Tables that are a key and one value of any form; a few of them are settings, most of them are a document store in disguise."""
    kept_in_one = []
    for table in tables:
        contents = [
            column for column in table.columns if not column.primary and snaked(column.name) not in _JOIN_EXTRAS and not column.references
        ]
        if contents and all(is_blob(column) and not column.limited for column in contents):
            kept_in_one.append((table, contents[0]))
    if len(kept_in_one) * 2 >= len(tables) > 0 and kept_in_one:
        table, column = kept_in_one[0]
        yield Rule(Kind.CONTENT, table, (column.name,), column.place(table), kept=False)


# -- rules of the whole model --------------------------------------------------------------------------------------------------------------


def _required(tables: tuple[Table, ...]) -> Iterator[Rule]:
    """Whether tables insist on anything at all."""
    loose, counted = [], 0
    for table in tables:
        plain = [column for column in table.columns if not column.primary and not column.references]
        if len(plain) < _LEAST_COLUMNS:
            continue
        counted += 1
        if all(column.null and not column.default for column in plain if not is_blob(column)) or sum(c.null for c in plain) == len(plain):
            loose.append(table)
    if counted:
        shown = loose[0] if loose else tables[0]
        kept = len(loose) <= max(counted * _MANY, 1 if counted > 1 else 0)
        yield Rule(Kind.REQUIRED, shown, (), shown.place, kept=kept, other=", ".join(table.name for table in loose[:4]))


def _states(tables: tuple[Table, ...]) -> Iterator[Rule]:
    found = [(table, column) for table in tables for column in table.columns if is_state(column) and not is_past(table)]
    free = [(table, column) for table, column in found if not column.limited and not column.references]
    bounded = sum(1 for table in tables for column in table.columns if column.limited and "bool" not in column.type)
    if len(free) >= _LEAST_STATES and len(free) > bounded:
        table, column = free[0]
        yield Rule(Kind.STATES, table, (column.name,), column.place(table), kept=False, other=f"{len(free)}")
    elif found or bounded:
        table = found[0][0] if found else tables[0]
        yield Rule(Kind.STATES, table, (), table.place, kept=True)


def _times(tables: tuple[Table, ...]) -> Iterator[Rule]:
    """Times with their zone, or all of them in UTC: what a default says of one holds for its neighbours."""
    times = [(table, column) for table in tables for column in table.columns if column.zoned is not None]
    naive = [(table, column) for table, column in times if not column.zoned]
    if not times:
        return
    local = [(table, column) for table, column in naive if _is_local(column.default)]
    documented = any("utc" in column.default.lower() for _, column in naive)
    bad = local or ([] if documented or len(naive) * 2 <= len(times) else naive)
    table, column = (bad or times)[0]
    yield Rule(Kind.TIMES, table, (column.name,), column.place(table), kept=not bad)


def _is_local(default: str) -> bool:
    return default.replace("datetime.datetime", "datetime").replace("lambda: ", "") in {"datetime.now", "datetime.now()", "datetime.today"}
