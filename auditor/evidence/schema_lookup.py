"""Looks up names of tables and columns in what is declared. Part of the evidence SCHEMA_NAMES."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from auditor.evidence.stores_drift import table_names
from auditor.model.schema_names import Lookup, SchemaUse, TableSources
from auditor.model.tables import Table
from auditor.model.verdict import Place


@dataclass(frozen=True, slots=True)
class Model:
    """A table or model under the names of its columns or fields, as declared; `whole`: there are no others."""

    name: str
    place: Place
    fields: frozenset[str]
    whole: bool = True
    folded: frozenset[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Keep the names in lower case beside the others: databases do not tell them apart."""
        object.__setattr__(self, "folded", frozenset(name.lower() for name in self.fields))

    @staticmethod
    def joined(one: Model | None, other: Model) -> Model:
        """Both together, where the same name is declared in several places."""
        if one is None:
            return other
        return Model(one.name, one.place, one.fields | other.fields, one.whole or other.whole)

    def use(self, place: Place, table: str, column: str, way: str, *, writes: bool = False, folded: bool = False) -> SchemaUse:
        """A column of this table, looked up; `folded`: case makes no difference."""
        known = column.lower() in self.folded if folded else column in self.fields
        found = Lookup.DECLARED if known else Lookup.NO_COLUMN if self.whole else Lookup.OPEN
        near = "" if known else nearest(column, self.fields)
        return SchemaUse(place, table, column, found, way, writes, self.place, near)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like another, "" for none."""
    return next(iter(difflib.get_close_matches(name, sorted(known), 1, 0.6)), "")


def looked_up(place: Place, table: str, column: str, models: Mapping[str, Model], way: str, *, writes: bool = False) -> SchemaUse:
    """A model that may not be declared at all."""
    model = models.get(table)
    if model is None:
        return SchemaUse(place, table, column, Lookup.NO_TABLE, way, writes, None, nearest(table, models))
    return model.use(place, table, column, way, writes=writes)


class Database:
    """Everything that declares tables of databases, under their names there in lower case."""

    def __init__(self, tables: Iterable[Table], stated: TableSources, typed: Iterable[Model]) -> None:
        self.tables: dict[str, Model] = {}
        self._stated = stated
        self._prefixed: list[str] = []
        for table in (*stated.tables, *tables):
            self._add(table)
        for model in typed:
            self._join(model.name, model)

    def _add(self, table: Table) -> None:
        fields = frozenset(name for column in table.columns for name in (column.name, column.attribute) if name)
        model = Model(table.table or table.name, table.place, fields, table.whole and bool(table.columns) and table.mapper != "mongoose")
        for name in table_names(table):
            self._join(name.rsplit(".", 1)[-1], model)
        if table.mapper == "django":
            self._prefixed.append(f"_{table.name.lower()}")

    def _join(self, name: str, model: Model) -> None:
        key = name.lower()
        self.tables[key] = Model.joined(self.tables.get(key), model)

    def table(self, place: Place, name: str, way: str, *, writes: bool) -> SchemaUse:
        """A table, looked up by name."""
        key = name.lower()
        model = self.tables.get(key)
        if model is not None:
            return SchemaUse(place, name, "", Lookup.DECLARED, way, writes, model.place)
        if key in self._stated.views or key in self._stated.words or self._is_framework(key):
            return SchemaUse(place, name, "", Lookup.OPEN, way, writes)
        return SchemaUse(place, name, "", Lookup.NO_TABLE, way, writes, None, nearest(name, self.tables))

    def _is_framework(self, key: str) -> bool:
        """Tables that libraries and databases bring, and names that mappers make by rules of their own."""
        return (
            bool(self._prefixed)
            or key.startswith(("pg_", "sqlite_", "information_schema", "django_", "auth_", "mysql"))
            or key in {"dual", "alembic_version"}
        )

    def column(self, place: Place, tables: tuple[str, ...], name: str, way: str, *, writes: bool) -> SchemaUse | None:
        """A column of one of several tables, looked up; None where one of them is not known, which is said of the table already."""
        models = [self.tables.get(table.lower()) for table in tables]
        if any(model is None for model in models):
            return None
        known = [model for model in models if model is not None]
        partly = any(table.lower() in self._stated.partly for table in tables)
        union = Model(
            known[0].name, known[0].place, frozenset().union(*(m.fields for m in known)), all(m.whole for m in known) and not partly
        )
        use = union.use(place, tables[0], name, way, writes=writes, folded=True)
        hidden = use.found is Lookup.NO_COLUMN and self._stated.unread and name.lower() in self._stated.words
        return SchemaUse(place, use.table, name, Lookup.OPEN, way, writes, use.declared, use.near) if hidden else use
