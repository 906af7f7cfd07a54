"""Records about people beyond what tables declare: accounts a framework brings, collections nobody declares, data that is made anonymous, and copies people can get."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditor.checks.database_calls import database_calls
from auditor.checks.model_names import identities, words
from auditor.checks.personal_data import PersonalTable, is_about_firms, written_fields
from auditor.checks.row_removals import Removal
from auditor.checks.stored_writes import Verb, chains_of, writes
from auditor.checks.table_words import TableWords
from auditor.model.evidence import Routes
from auditor.model.project import Project
from auditor.model.syntax import Call, DefinitionKind, FileFacts, Value, ValueKind
from auditor.model.tables import Column, DataModel, Table
from auditor.model.verdict import Place

_FORGETS = re.compile(
    r"identifying|personal_?(?:data|info)|anonymi[sz]|pseudonymi|scrub|redact|erase|forget|gdpr|(?:delete|remove|close|destroy)_?\w*(?:user|account|person|customer|profile|member|me)",
    re.IGNORECASE,
)
_COPY = re.compile(r"export|download|takeout|portab", re.IGNORECASE)
_OWN_DATA = frozenset({"data", "account", "user", "users", "profile", "personal", "gdpr", "my", "me", "customer", "customers"})
_ANY_TABLE = frozenset({"table", "collection", "name", "table_name", "tablename", "model", "doc", "ref", "docref", "collectionref"})
_AUTH_APP = "django.contrib.auth"


def builtin_accounts(project: Project, files: tuple[FileFacts, ...], model: DataModel) -> tuple[PersonalTable, ...]:
    """Django's own table of accounts, where the program declares none of its own."""
    own = any(entry.target == "AUTH_USER_MODEL" for facts in files for entry in facts.assignments)
    if own or project.uses("django") is None or any(table.mapper == "django" and identities(table) for table in model.tables):
        return ()
    for facts in files:
        apps = next((literal for literal in facts.literals if literal.text == _AUTH_APP), None)
        if apps is not None:
            columns = tuple(Column(name, apps.line, "charfield") for name in ("email", "first_name", "last_name"))
            table = Table("User", "auth_user", Place(facts.path, apps.line, apps.line), "django", columns)
            return (PersonalTable(table, columns, account=True),)
    return ()


def undeclared(files: tuple[FileFacts, ...], model: DataModel) -> tuple[PersonalTable, ...]:
    """Collections and hosted tables that nothing declares, by what the code writes into them."""
    known = TableWords(model.tables)
    found: defaultdict[str, dict[str, Column]] = defaultdict(dict)
    places: dict[str, Place] = {}
    databases = database_calls(files)
    for facts in files:
        chains = chains_of(facts) if facts.path in databases else {}
        for write in writes(facts, databases.get(facts.path, ()), (), frozenset()):
            if (
                not write.table
                or write.verb is Verb.REMOVE
                or known.of(write.table)
                or is_about_firms(write.table)
                or write.table.lower() in _ANY_TABLE
            ):
                continue
            keys = [key for call in chains.get((write.line, write.scope), ()) for key in _keys(call)]
            for name in written_fields(keys):
                places.setdefault(write.table, Place(facts.path, write.line, write.end_line))
                found[write.table].setdefault(name, Column(name, write.line, path=facts.path))
    return tuple(
        PersonalTable(
            Table(name, name, places[name], "written", tuple(columns.values()), whole=False), tuple(columns.values()), account=False
        )
        for name, columns in sorted(found.items())
    )


def _keys(call: Call) -> Iterator[str]:
    """The keys of the records a call is given."""
    for argument in call.arguments:
        pending = [argument.value]
        while pending:
            value = pending.pop()
            if value.kind is ValueKind.COLLECTION:
                yield from (key for key, _ in value.items if key not in {"", "..."})
                pending += [item for key, item in value.items if key in {"", "data", "$set"}]


def anonymised(files: tuple[FileFacts, ...], names: TableWords, people: tuple[PersonalTable, ...]) -> Iterator[Removal]:
    """Functions that forget people by writing constants over what is about them."""
    about = {(person.table, column.attribute or column.name) for person in people for column in person.columns}
    for facts in files:
        scopes = {n for n, d in enumerate(facts.definitions) if d.kind is not DefinitionKind.CLASS and _FORGETS.search(d.qualname)}
        for entry in facts.assignments:
            owner, _, field = entry.target.rpartition(".")
            if entry.scope in scopes and owner and entry.value is not None and _is_blank(entry.value):
                held = names.held(facts, Value(ValueKind.NAME, owner, owner), entry.scope, entry.line)
                yield from (Removal(table, Place(facts.path, entry.line)) for table in held if (table, field) in about)
        for call in facts.calls:
            if call.scope in scopes and call.callee.rpartition(".")[2] in {"update", "updateMany", "set", "updateOne"}:
                yield from _overwritten(facts, call, names, about)


def _overwritten(facts: FileFacts, call: Call, names: TableWords, about: set[tuple[Table, str]]) -> Iterator[Removal]:
    blank = {argument.name for argument in call.arguments if argument.name and _is_blank(argument.value)}
    for argument in call.arguments:
        given = argument.value.item("data") or argument.value.item("$set") or argument.value
        blank |= {key for key, value in given.items if _is_blank(value)}
    for part in re.findall(r"\w+", call.callee):
        found = [table for table in names.of(part) if any((table, field) in about for field in blank)]
        if found:
            yield from (Removal(table, Place(facts.path, call.line)) for table in found)
            return


def _is_blank(value: Value) -> bool:
    """Whether a value tells nothing about the person whose field it overwrites."""
    if value.kind in {ValueKind.NONE, ValueKind.STRING}:
        return True
    return (
        value.kind is ValueKind.TEMPLATE
        and re.search(r"delet|anonym|remov|redact|erased|forgotten", value.literal, re.IGNORECASE) is not None
    )


def exports(files: tuple[FileFacts, ...], routes: Routes) -> tuple[Place, ...]:
    """Addresses and functions that give people a copy of what is kept about them."""
    found = [route.place for route in routes.routes if _is_copy("_".join((*route.path.split("/")[-2:], route.handler)))]
    found += [Place(facts.path, d.line) for facts in files for d in facts.definitions if _COPY.match(d.name) and _is_copy(d.name)]
    return tuple(dict.fromkeys(found))


def _is_copy(name: str) -> bool:
    return _COPY.search(name) is not None and bool(_OWN_DATA & set(words(name)))
