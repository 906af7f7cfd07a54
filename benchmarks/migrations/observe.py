"""What a migration really did, told from PostgreSQL's own catalogue before and after, from the locks it held and the statements it sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg

OWN_TABLES = ("alembic_version", "django_migrations")
OWN_SCHEMAS = ("pg_catalog", "information_schema", "pg_toast", "auth", "storage")
_TABLES = """
SELECT c.oid, n.nspname || '.' || c.relname, c.relfilenode, c.relrowsecurity
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT n.nspname = ANY(%s) AND NOT c.relname = ANY(%s)
"""
_COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '', a.attidentity <> '', a.atttypid
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""
_INDEXES = """
SELECT i.indexrelid, i.indrelid, pg_get_indexdef(i.indexrelid), c.relfilenode,
       EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = ANY(%s)
"""
_CONSTRAINTS = """
SELECT oid, conrelid, conname, contype, convalidated, coalesce(conkey, '{}'), pg_get_constraintdef(oid)
FROM pg_constraint WHERE conrelid = ANY(%s)
"""
_POLICIES = """
SELECT p.oid, p.polrelid::regclass::text, p.polname, p.polcmd, p.polpermissive,
       ARRAY(SELECT coalesce(r.rolname, 'public') FROM unnest(p.polroles) AS o LEFT JOIN pg_roles r ON r.oid = o),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_policy p
"""
_OTHERS = """
SELECT 'function ' || p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE NOT n.nspname = ANY(%(own)s)
UNION ALL
SELECT 'view ' || c.relname || pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND NOT n.nspname = ANY(%(own)s)
UNION ALL
SELECT 'type ' || t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd') AND NOT n.nspname = ANY(%(own)s)
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; `type_id` tells a new type from an old one that had the name before."""

    name: str
    type: str
    required: bool
    default: str | None
    generated: bool
    identity: bool
    type_id: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `filenode` changes when it is written anew, `writers` are the transactions its rows come from."""

    name: str
    filenode: int
    secured: bool
    columns: dict[int, Column]
    rows: int
    writers: frozenset[str]
    content: str


@dataclass(frozen=True, slots=True)
class Index:
    """One index; `owned` by a constraint or not."""

    table: int
    definition: str
    filenode: int
    owned: bool


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint, without the words NOT VALID."""

    table: int
    name: str
    kind: str
    validated: bool
    columns: tuple[int, ...]
    definition: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One row policy."""

    table: str
    name: str
    command: str
    permissive: bool
    roles: tuple[str, ...]
    using: str | None
    check: str | None


@dataclass(frozen=True, slots=True)
class Schema:
    """The catalogue at one moment, everything by its oid."""

    tables: dict[int, Table]
    indexes: dict[int, Index]
    constraints: dict[int, Constraint]
    labels: dict[int, str]
    policies: dict[int, Policy]
    others: frozenset[str]

    def shape(self) -> frozenset[tuple[object, ...]]:
        """What two schemas must have in common to be the same, without oids and the order of columns."""
        parts: set[tuple[object, ...]] = {("other", text) for text in self.others}
        for table in self.tables.values():
            parts.add((table.name, table.secured))
            parts.update((table.name, column) for column in table.columns.values())
        parts.update(("index", index.definition) for index in self.indexes.values())
        parts.update((self.tables[c.table].name, c.name, c.definition) for c in self.constraints.values())
        parts.update(("label", label) for label in self.labels.values())
        parts.update(("policy", policy) for policy in self.policies.values())
        return frozenset(parts)

    def content(self) -> dict[str, str]:
        """A digest of the rows of each table."""
        return {table.name: table.content for table in self.tables.values()}


@dataclass(slots=True)
class Outcome:
    """One run of one migration: the error it ended with, what it sent, and the modes in which it held each relation, by oid."""

    error: str = ""
    state: str = ""
    statements: list[str] = field(default_factory=list)
    locks: set[tuple[int, str]] = field(default_factory=set)


def look(connection: psycopg.Connection) -> Schema:
    """Read the catalogue and digest the rows."""
    ask = connection.execute
    heads = ask(_TABLES, (list(OWN_SCHEMAS), list(OWN_TABLES))).fetchall()
    oids = [row[0] for row in heads]
    columns: dict[int, dict[int, Column]] = {oid: {} for oid in oids}
    for oid, number, *rest in ask(_COLUMNS, (oids,)).fetchall():
        columns[oid][number] = Column(*rest)
    tables = {}
    for oid, name, filenode, secured in heads:
        quoted = ".".join(f'"{part}"' for part in name.split("."))
        count, writers, digest = ask(
            f"SELECT count(*), coalesce(array_agg(DISTINCT t.xmin::text), '{{}}'), "
            f"md5(coalesce(string_agg(to_jsonb(t)::text, '|' ORDER BY to_jsonb(t)::text), '')) FROM {quoted} t"
        ).fetchone()
        tables[oid] = Table(name, filenode, secured, columns[oid], count, frozenset(writers), digest)
    constraints = {
        oid: Constraint(table, name, kind, valid, tuple(keys), definition.removesuffix(" NOT VALID"))
        for oid, table, name, kind, valid, keys, definition in ask(_CONSTRAINTS, (oids,)).fetchall()
    }
    return Schema(
        tables=tables,
        indexes={row[0]: Index(*row[1:]) for row in ask(_INDEXES, (oids,)).fetchall()},
        constraints=constraints,
        labels=dict(ask("SELECT oid, enumlabel FROM pg_enum").fetchall()),
        policies={oid: Policy(t, n, c, p, tuple(sorted(r)), u, w) for oid, t, n, c, p, r, u, w in ask(_POLICIES).fetchall()},
        others=frozenset(row[0] for row in ask(_OTHERS, {"own": list(OWN_SCHEMAS)}).fetchall()),
    )


def locks_of(connection: psycopg.Connection, pid: int) -> set[tuple[int, str]]:
    """The relations a session holds at this moment, and how."""
    return set(
        connection.execute("SELECT relation, mode FROM pg_locks WHERE pid = %s AND locktype = 'relation' AND granted", (pid,)).fetchall()
    )


def kinds(before: Schema, after: Schema, outcome: Outcome) -> frozenset[str]:
    """The kinds of unsafe operation that happened between two looks."""
    found: set[str] = set()
    if outcome.state == "25001":
        found.add("concurrent_in_transaction")
    for oid, old in before.tables.items():
        new = after.tables.get(oid)
        if new is None:
            found.add("drop_table")
        else:
            found |= _columns(old, new, outcome) | _rows(old, new) | ({"disable_rls"} if old.secured and not new.secured else set())
            found |= {"rename_table"} if new.name != old.name else set()
            found |= _required(old, new, before, oid)
    found |= _indexes(before, after, outcome) | _constraints(before, after, outcome) | _policies(before, after)
    if any(oid in after.labels and after.labels[oid] != label for oid, label in before.labels.items()):
        found.add("rename_enum_value")
    if any(re.match(r"\s*LOCK\b", statement, re.IGNORECASE) for statement in outcome.statements):
        found.add("explicit_lock")
    return frozenset(found)


def _columns(old: Table, new: Table, outcome: Outcome) -> set[str]:
    found = set()
    added = [column for number, column in new.columns.items() if number not in old.columns]
    if any(column.required and column.default is None and not column.identity and not column.generated for column in added):
        later = any("SET NOT NULL" in statement.upper() for statement in outcome.statements)
        found.add("set_not_null" if later else "add_not_null_no_default")
    if old.columns.keys() - new.columns.keys():
        found.add("drop_column")
    both = [(column, new.columns[number]) for number, column in old.columns.items() if number in new.columns]
    if any(one.name != other.name for one, other in both):
        found.add("rename_column")
    if any(one.required and not other.required for one, other in both):
        found.add("drop_not_null")
    rewritten, retyped = old.filenode != new.filenode, any((one.type, one.type_id) != (other.type, other.type_id) for one, other in both)
    if rewritten and retyped:
        found.add("change_type")
    elif rewritten and any(column.default or column.identity or column.generated for column in added):
        found.add("add_column_rewrite")
    elif rewritten and not added and (new.rows or not old.rows):
        found.add("explicit_lock")
    return found


def _rows(old: Table, new: Table) -> set[str]:
    """All rows gone, or all rows written by one transaction that is new."""
    if not old.rows:
        return set()
    if not new.rows:
        return {"data_loss_dml"}
    rewritten = old.filenode != new.filenode
    return {"unbatched_backfill"} if not rewritten and not old.writers & new.writers and len(new.writers) == 1 else set()


def _required(old: Table, new: Table, before: Schema, oid: int) -> set[str]:
    checks = {c.definition for c in before.constraints.values() if c.table == oid and c.kind == "c" and c.validated}
    for number, column in old.columns.items():
        now = new.columns.get(number)
        if now and now.required and not column.required and f"CHECK (({column.name} IS NOT NULL))" not in checks:
            return {"set_not_null"}
    return set()


def _indexes(before: Schema, after: Schema, outcome: Outcome) -> set[str]:
    """An index whose file or definition is an old one's was taken along by a change of its table."""
    found = set()
    kept = {index.filenode for index in before.indexes.values()}
    for oid, index in after.indexes.items():
        old = before.indexes.get(oid)
        if old is None and index.filenode in kept:
            continue
        if old is None and not index.owned and index.table in before.tables and (index.table, "ShareLock") in outcome.locks:
            found.add("index_not_concurrent")
        table, then = after.tables[index.table], before.tables.get(index.table)
        if old and then and old.filenode != index.filenode and then.filenode == table.filenode and then.columns == table.columns:
            found.add("explicit_lock")
    kept = {index.filenode for index in after.indexes.values()}
    for oid, index in before.indexes.items():
        gone = index.filenode not in kept and oid not in after.indexes and not index.owned and index.table in after.tables
        if gone and (index.table, "AccessExclusiveLock") in outcome.locks:
            found.add("drop_index_blocking")
    return found


def _constraints(before: Schema, after: Schema, outcome: Outcome) -> set[str]:
    """A constraint of the same name and definition was made again by a change of its column, and is not a new one."""
    found = set()
    known = {(c.table, c.name, c.definition) for c in before.constraints.values()}
    for constraint in after.constraints.values():
        table = before.tables.get(constraint.table)
        if (constraint.table, constraint.name, constraint.definition) in known or table is None:
            continue
        built = (constraint.table, "ShareLock") in outcome.locks
        old_columns = any(number in table.columns for number in constraint.columns)
        if constraint.kind in "fc" and constraint.validated and old_columns:
            found.add({"f": "add_fk_validating", "c": "add_check_validating"}[constraint.kind])
        elif constraint.kind in "pu" and built:
            found.add({"p": "add_pk_blocking", "u": "add_unique_blocking"}[constraint.kind])
    return found


def _policies(before: Schema, after: Schema) -> set[str]:
    changed = [policy for oid, policy in after.policies.items() if before.policies.get(oid) != policy]
    return {"permissive_policy"} if any(_open(policy) for policy in changed) else set()


def _open(policy: Policy) -> bool:
    """Whether strangers, or everybody who signs up, may write any row."""
    if not policy.permissive or not {"public", "anon", "authenticated"} & set(policy.roles):
        return False
    deciding = policy.check if policy.command == "a" else policy.using
    return policy.command in "awd*" and deciding == "true"


def unsecured(schema: Schema, new: Iterable[int]) -> bool:
    """Whether one of the tables ends in the exposed schema without row level security."""
    return any(oid in schema.tables and schema.tables[oid].name.startswith("public.") and not schema.tables[oid].secured for oid in new)


def way_back(before: Schema, after: Schema, restored: Schema, outcome: Outcome) -> bool | str:
    """How far the way down came: nothing, everything, or the schema without the data or only some of it."""
    if outcome.error:
        return False
    if restored.shape() == before.shape():
        return True if restored.content() == before.content() else ("partial" if after.shape() != before.shape() else False)
    return False if restored.shape() == after.shape() else "partial"
