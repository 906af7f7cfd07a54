"""Tables whose rows belong to somebody, by their owner column: models of Python and script mappers, Prisma schemas, SQL."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.project import Project
from auditor.model.syntax import DefinitionKind, FileFacts, Syntax
from auditor.model.verdict import Place

OWNER = re.compile(r"^(?:user|owner|tenant|organi[sz]ation|org|workspace|household|company)_?(?:id|uuid|uid)?$", re.IGNORECASE)
"""Columns that say whose a row is; `created_by` and the like only say who wrote it."""
PERSONAL = re.compile(
    r"e_?mail|phone|mobile|(?:^|_)address|birth|(?:^|_)dob$|ssn|passport|salary|iban|card_?number|account_?number|password|secret|api_?key|access_?token|refresh_?token|diagnos|symptom|medicat|dosage|prescri|transcript|location|latitude|health",
    re.IGNORECASE,
)
"""Columns with personal, payment or credential data."""
PERSONAL_TABLE = re.compile(
    r"invoice|payment|transaction|payout|(?:^|_)order|subscription|patient|medical|health|symptom|medication|message|conversation|chat|journal|diary|salary|payroll|credential|secret|api_?key|bank|contact|customer|profile|address|note|allocation|portfolio|holding|pension|benefit|loan|insurance|prescription|payslip|statement",
    re.IGNORECASE,
)
_MODEL_BASES = re.compile(r"(?:^|\.)(?:Base|Model|SQLModel|DeclarativeBase|Document|EmbeddedDocument|\w*Base|\w*Model|\w*Mixin)(?:\[|\(|$)")
_NO_TABLE = re.compile(r"BaseModel|Schema|Serializer|Create|Update|Response|Request|Read|Public|Form|Enum|BaseSettings|Manager|Admin")
_PRISMA = re.compile(r"^model\s+(\w{1,80})\s*\{([^}]{0,20000})\}", re.MULTILINE)
_SQL_TABLE = re.compile(
    r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?[\"`\[]?(?:\w+[\"`\]]?\.[\"`\[]?)?(\w{1,80})[\"`\]]?\s*\(([^;]{0,8000})", re.IGNORECASE
)
_SQL_COLUMN = re.compile(r"(?:^|[,(\n])\s*[\"`\[]?([A-Za-z_]\w{0,60})[\"`\]]?\s+[A-Za-z]")
_TABLE_CALLS = re.compile(r"(?:^|\.)(?:pgTable|mysqlTable|sqliteTable|pgTableCreator\(\))$")
_SCHEMA_CALLS = re.compile(r"^(?:new )?(?:mongoose\.)?Schema$|^new (?:mongoose\.)?Schema$")
_MODEL_CALLS = re.compile(r"(?:^|\.)model$")


@dataclass(frozen=True, slots=True)
class OwnedTable:
    """A table with an owner column; `names` are the words code may use for it (class, table, delegate)."""

    name: str
    names: frozenset[str]
    owners: tuple[str, ...]
    personal: bool
    place: Place


Table = tuple[str, frozenset[str], frozenset[str], Place]
"""Name, the words code may use for it, columns, place."""


def known_tables(project: Project, texts: dict[str, str], syntax: Syntax) -> tuple[Table, ...]:
    """Every table that models, schemas or SQL declare."""
    return tuple(table for table in _tables(project, texts, syntax) if table[2])


def owned_tables(tables: tuple[Table, ...]) -> tuple[OwnedTable, ...]:
    """The tables with an owner column, by name; the table of the accounts themselves is left out."""
    found: dict[str, OwnedTable] = {}
    for name, names, columns, place in tables:
        owners = tuple(sorted({column for column in columns if OWNER.match(column)}))
        if not owners or re.fullmatch(r"(?:app_?)?(?:users?|accounts?|sessions?)", name, re.IGNORECASE):
            continue
        personal = PERSONAL_TABLE.search(name) is not None or any(PERSONAL.search(column) for column in columns)
        known = found.get(name)
        found[name] = OwnedTable(name, names | (known.names if known else frozenset()), owners, personal, place)
    return tuple(found[name] for name in sorted(found))


def shared_tables(tables: tuple[Table, ...]) -> tuple[OwnedTable, ...]:
    """The tables whose rows belong to nobody in particular."""
    owned = {table.name for table in owned_tables(tables)}
    found = {name: OwnedTable(name, names, (), personal=False, place=place) for name, names, columns, place in tables if name not in owned}
    return tuple(
        found[name] for name in sorted(found) if not re.fullmatch(r"(?:app_?)?(?:users?|accounts?|sessions?)", name, re.IGNORECASE)
    )


def _tables(project: Project, texts: dict[str, str], syntax: Syntax) -> Iterator[Table]:
    for facts in syntax.of(project.server):
        yield from _classes(facts)
        if not facts.path.endswith(".py"):
            yield from _script_tables(facts)
        for literal in facts.literals:
            if "CREATE TABLE" in literal.text.upper():
                text = "\n".join(texts.get(facts.path, "").split("\n")[literal.line - 1 : literal.line + 60])
                yield from _sql(text, facts.path, literal.line)
    for path in sorted(texts):
        if path.endswith(".prisma"):
            yield from _prisma(texts[path][:1_000_000], path)
        elif path.endswith(".sql"):
            yield from _sql(texts[path][:1_000_000], path, 1)


def _classes(facts: FileFacts) -> Iterator[Table]:
    columns: defaultdict[int, set[str]] = defaultdict(set)
    table_names: dict[int, str] = {}
    for assignment in facts.assignments:
        if assignment.scope >= 0:
            columns[assignment.scope].add(assignment.target)
            if assignment.target == "__tablename__" and assignment.value is not None:
                table_names[assignment.scope] = assignment.value.literal
    for index, definition in enumerate(facts.definitions):
        if definition.kind is not DefinitionKind.CLASS:
            continue
        entity = any(decorator.callee == "Entity" for decorator in definition.decorators)
        mapped = facts.path.endswith(".py") and any(_MODEL_BASES.search(base) for base in definition.bases)
        if not entity and (not mapped or _NO_TABLE.search(definition.name) or any(_NO_TABLE.search(base) for base in definition.bases)):
            continue
        names = frozenset({definition.name, table_names.get(index, definition.name)})
        yield definition.name, names, frozenset(columns[index]), Place(facts.path, definition.line, definition.line)


def _script_tables(facts: FileFacts) -> Iterator[Table]:
    schemas: dict[str, tuple[frozenset[str], int]] = {}
    for call in facts.calls:
        if _TABLE_CALLS.search(call.callee) and call.target and len(call.arguments) > 1:
            keys = frozenset(key for key, _ in call.arguments[1].value.items)
            yield call.target, frozenset({call.target, call.arguments[0].value.literal}), keys, Place(facts.path, call.line, call.line)
        elif _SCHEMA_CALLS.search(call.callee) and call.target and call.arguments:
            schemas[call.target] = (frozenset(key for key, _ in call.arguments[0].value.items), call.line)
    for call in facts.calls:
        if _MODEL_CALLS.search(call.callee) and len(call.arguments) > 1 and call.arguments[1].value.literal in schemas:
            keys, line = schemas[call.arguments[1].value.literal]
            name = call.arguments[0].value.literal
            yield name, frozenset({name, call.target or name}), keys, Place(facts.path, line, line)


def _prisma(text: str, path: str) -> Iterator[Table]:
    for found in _PRISMA.finditer(text):
        columns = frozenset(line.split()[0] for line in found[2].split("\n") if line.strip() and line.strip()[0].isalpha())
        line = text.count("\n", 0, found.start()) + 1
        yield found[1], frozenset({found[1], found[1][:1].lower() + found[1][1:]}), columns, Place(path, line, line)


def _sql(text: str, path: str, first: int) -> Iterator[Table]:
    for number, found in enumerate(_SQL_TABLE.finditer(text)):
        if number >= 500:
            return
        body = found[2].split("\n)", maxsplit=1)[0]
        line = first + text.count("\n", 0, found.start())
        columns = frozenset(column.lower() for column in _SQL_COLUMN.findall("(" + body))
        yield found[1].lower(), frozenset({found[1]}), columns, Place(path, line, line)
