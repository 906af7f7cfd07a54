"""What a migration does, in one vocabulary for SQL and for every mapper's own calls. Plain values: reading and judging stand elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

CREATE_TABLE, DROP_TABLE, RENAME_TABLE, TRUNCATE = "create_table", "drop_table", "rename_table", "truncate"
ADD_COLUMN, DROP_COLUMN, RENAME_COLUMN, CHANGE_TYPE = "add_column", "drop_column", "rename_column", "change_type"
SET_NOT_NULL, DROP_NOT_NULL, SET_DEFAULT, DROP_DEFAULT = "set_not_null", "drop_not_null", "set_default", "drop_default"
ALTER_COLUMN = "alter_column"
"""The column is declared anew as a whole (MySQL's MODIFY, Django's AlterField): what changes shows beside what it was."""
ADD_CONSTRAINT, DROP_CONSTRAINT, VALIDATE = "add_constraint", "drop_constraint", "validate_constraint"
CREATE_INDEX, DROP_INDEX = "create_index", "drop_index"
CREATE_VIEW, DROP_VIEW, CREATE_OTHER, DROP_OTHER, ALTER_OTHER = "create_view", "drop_view", "create_other", "drop_other", "alter_other"
INSERT, UPDATE, DELETE, SELECT, OTHER, UNREAD = "insert", "update", "delete", "select", "other", "unread"
ENABLE_RLS, DISABLE_RLS, CREATE_POLICY, DROP_POLICY, RENAME_VALUE = (
    "enable_rls",
    "disable_rls",
    "create_policy",
    "drop_policy",
    "rename_value",
)
ALTER_POLICY = "alter_policy"
LOCK, BEGIN, COMMIT, SET_SCHEMA = "lock", "begin", "commit", "set_schema"
CODE = "code"
"""A function of the program runs here (Django's RunPython, a loop over rows): `text` says which."""

STRUCTURE = frozenset(
    {
        CREATE_TABLE, DROP_TABLE, RENAME_TABLE, ADD_COLUMN, DROP_COLUMN, RENAME_COLUMN, CHANGE_TYPE, SET_NOT_NULL, DROP_NOT_NULL,
        SET_DEFAULT, DROP_DEFAULT, ADD_CONSTRAINT, DROP_CONSTRAINT, VALIDATE, CREATE_INDEX, DROP_INDEX, CREATE_VIEW, DROP_VIEW,
        CREATE_OTHER, DROP_OTHER, ALTER_OTHER, ENABLE_RLS, DISABLE_RLS, CREATE_POLICY, ALTER_POLICY, DROP_POLICY, RENAME_VALUE, SET_SCHEMA,
    }
)  # fmt: skip
"""Operations that change the structure rather than rows."""

DESTRUCTIVE = frozenset({DROP_TABLE, DROP_COLUMN, CHANGE_TYPE, TRUNCATE, DELETE})
"""Operations after which data that was there is gone or rewritten (DELETE: also with a condition)."""

NOTHING = frozenset({SELECT, OTHER, BEGIN, COMMIT, LOCK, VALIDATE})
"""Operations that leave nothing to undo."""

FOREIGN, CHECK, UNIQUE, PRIMARY, EXCLUDE = "foreign key", "check", "unique", "primary key", "exclude"
"""Kinds of `Constraint`."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as declared.

    `type` in lower case as PostgreSQL's grammar names it ("int8", "varchar", "timestamptz"), "" where it does not show; `size` what stands in its
    brackets. `default` is what the database fills in, as written ("" for none; a default of the program is none); `volatile`: it is worked out anew for each row.
    `generated`: "identity", "serial", "stored" or "virtual". `references`: the table a foreign key leads to, `cascades`: the row goes with the one it refers to. `checked`: it has a check of its own;
    `indexed`: it brings an index with it. `filled`: rows that are there get a value from the program once, which the database does not keep as default.
    """

    name: str
    type: str = ""
    size: tuple[int, ...] = ()
    not_null: bool = False
    unique: bool = False
    primary: bool = False
    default: str = ""
    volatile: bool = False
    generated: str = ""
    references: str = ""
    cascades: bool = False
    checked: bool = False
    indexed: bool = False
    filled: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of a table: `validated` False for NOT VALID, `index` the existing index it takes over, `required` the columns it demands to be not null.

    `cascades`: rows go with the ones they refer to.
    """

    kind: str
    name: str = ""
    columns: tuple[str, ...] = ()
    references: str = ""
    validated: bool = True
    index: str = ""
    required: tuple[str, ...] = ()
    cascades: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """A row policy: its command ("all", "select", "insert", ...), its roles (none: everybody), whether its conditions are the constant true."""

    command: str = "all"
    roles: tuple[str, ...] = ()
    restrictive: bool = False
    using_true: bool = False
    check_true: bool = False
    has_check: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a migration does.

    `table` is in the writing of the script, schema kept unless it is "public"; `name` the column, constraint, index, policy, view or new name; `before` the old name
    of what is renamed. `conditional`: IF NOT EXISTS or IF EXISTS. `whole_table`: an UPDATE or DELETE without condition; `emptied`: the columns whose being
    null is the whole condition. `temporary`: a temporary table. `concurrent`: CONCURRENTLY. `outside`: it runs outside of the runner's transaction; `inside`: in one that the migration opens itself. `columns` of a new table, the new
    column, or the column as it is afterwards; `constraints` of a new table or the new one; `keys` the columns of an index. `converted`: a type change with an
    expression of its own; `previous`: the column before, where the script says it. `text`: what cannot be said in these words.
    """

    kind: str
    line: int
    table: str = ""
    name: str = ""
    before: str = ""
    conditional: bool = False
    whole_table: bool = False
    emptied: tuple[str, ...] = ()
    temporary: bool = False
    concurrent: bool = False
    outside: bool = False
    inside: bool = False
    unique: bool = False
    converted: bool = False
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    keys: tuple[str, ...] = ()
    policy: Policy | None = None
    previous: Column | None = None
    text: str = ""
