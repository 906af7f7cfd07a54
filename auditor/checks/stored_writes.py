"""Single writes to a store: which table each of them changes, and how. Through mappers, clients, drivers and query texts; what only one function shows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.database_calls import DatabaseCall
from auditor.checks.query_texts import QueryText
from auditor.model.syntax import Call, FileFacts, Value, ValueKind


class Verb(StrEnum):
    """What a write does; COMMIT ends what a session has collected."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class Write:
    """One write. `table` as it is written, "" where it does not show; `pending`: it takes effect at the session's commit; `bound`: it names the transaction it belongs to.

    `touch`: it only notes when something happened.
    """

    path: str
    line: int
    end_line: int
    scope: int
    verb: Verb
    table: str = ""
    pending: bool = False
    bound: bool = False
    loop: bool = False
    what: str = ""
    touch: bool = False


_VERBS = {
    Verb.ADD: "create|createMany|createManyAndReturn|insert|insertMany|insert_one|insert_many|insertOne|bulk_create|bulkCreate|add|addDoc|get_or_create|findOrCreate|upsert|update_or_create|acreate|abulk_create|save",
    Verb.CHANGE: "update|updateMany|updateOne|update_one|update_many|set|setDoc|updateDoc|replace_one|bulk_update|findByIdAndUpdate|findOneAndUpdate|increment|decrement|aupdate|find_one_and_update|upsertMany",
    Verb.REMOVE: "delete|deleteMany|deleteOne|delete_one|delete_many|destroy|remove|softDelete|softRemove|deleteDoc|findByIdAndDelete|findOneAndDelete|del|adelete",
}
_LAST = re.compile("|".join(f"(?P<{verb}>(?:{names})$)" for verb, names in _VERBS.items()))
_HOSTED = re.compile(r"(?:from_?|table)\(\)\.(insert|upsert|update|delete)(?:\(|$)")
_PRISMA = re.compile(r"(\w+)\.(create|update|upsert|delete|createMany|createManyAndReturn|updateMany|deleteMany)$")
_DJANGO = re.compile(
    r"(\w+)\.(?:objects|_default_manager)(?:\.\w+(?:\(\))?)*?\.(a?create|a?bulk_create|a?get_or_create|a?update_or_create|a?bulk_update|a?update|a?delete)$"
)
_MODEL = re.compile(r"^(?:(?:db|models?)\.)?([A-Z]\w*)\.(\w+)(?:\(|$)")
_REPOSITORY = re.compile(r"(\w+?)_?[rR]epo(?:sitory)?\.(\w+)$")
_BUILDER = re.compile(
    r"(?:^|\.)(?:db|database|tx|trx|orm|drizzle|kysely|knex)(?:\(\))?\.(insert|update|delete|insertInto|updateTable|deleteFrom)(?:\(|$)"
)
_KNEX = re.compile(r"^(?:\w+\.)?(?:knex|db|trx)\(\)(?:\.\w+\(\))*\.(insert|update|del|delete|increment|decrement)(?:\(|$)")
_FIRESTORE = re.compile(r"^(addDoc|setDoc|updateDoc|deleteDoc)$|\.collection\(\)(?:\.\w+\(\))*\.(add|set|update|delete)$")
_DRIVER = re.compile(
    r"(\w+)\.(insert_one|insert_many|update_one|update_many|delete_one|delete_many|replace_one|insertOne|insertMany|updateOne|updateMany|deleteOne|deleteMany)$"
)
_SESSION = re.compile(
    r"(?:^|\.)\w*(?:[sS]ession|^db|\bdb)(?:\.session)?\.(add|add_all|delete|merge)$|^(?:self\.)?(?:db|session)\.(add|add_all|delete|merge)$|\.(commit)$"
)
_TEXT = re.compile(
    r"\s*(?:with\s[\s\S]{0,2000}?\)\s*)?(insert|update|delete|replace)\s+(?:(?:or|ignore|low_priority)\s+\w+\s+|ignore\s+)?(?:into\s+|from\s+)?[\"'`\[]?(?:public\.)?([\w{}]+)",
    re.IGNORECASE,
)
_TEXT_VERBS = {"insert": Verb.ADD, "replace": Verb.ADD, "update": Verb.CHANGE, "delete": Verb.REMOVE}
_BOUND = re.compile(
    r"^(?:this\.|self\.)?(?:tx|trx|t|transaction|trans|transactionalEntityManager|transactionManager|entityManager|queryRunner|batch|unitOfWork|uow|txn|prismaTx|client)\b"
)
_WHEN = re.compile(r"^(?:(?:date_)?modified\w*|updated_?[aA]t|\w*last_\w+|\w*[lL]ast[A-Z]\w+|touched\w*)$")
_IMMEDIATE = frozenset({"asyncpg", "databases"})
"""Drivers that store each statement at once."""
_OPTIONS = ("transaction", "session")


def writes(facts: FileFacts, databases: tuple[DatabaseCall, ...], queries: tuple[QueryText, ...], models: frozenset[str]) -> list[Write]:
    """All writes of one file in line order; `models` are names of the mappers' classes, by which records are known."""
    found: dict[tuple[int, int], Write] = {}
    for query in queries:
        write = _of_text(facts, query)
        if write is not None:
            found[query.line, query.scope] = write
    chains = chains_of(facts)
    for database in databases:
        call = database.call
        write = _of_call(facts, call, chains[call.line, call.scope]) if call is not None else None
        if call is not None and write is not None:
            found.setdefault((call.line, call.scope), write)
    for write in (*_sessions(facts), *_records(facts, models)):
        found.setdefault((write.line, write.scope), write)
    return [found[key] for key in sorted(found)]


def chains_of(facts: FileFacts) -> dict[tuple[int, int], list[Call]]:
    """The calls that begin on one line of one function."""
    chains: defaultdict[tuple[int, int], list[Call]] = defaultdict(list)
    for call in facts.calls:
        chains[call.line, call.scope].append(call)
    return chains


def steps(facts: FileFacts, call: Call) -> list[Call]:
    """The calls of the chain that a call ends, itself included, the first one first."""
    found = [
        c
        for c in facts.calls
        if c.scope == call.scope and c.line == call.line and c.end_line <= call.end_line and call.callee.startswith(c.callee)
    ]
    return sorted(found, key=lambda step: len(step.callee))


def _of_text(facts: FileFacts, query: QueryText) -> Write | None:
    text = _TEXT.match(query.value.literal)
    if text is None:
        return None
    loop = any(call.in_loop for call in facts.calls if call.line == query.line and call.scope == query.scope)
    owner = next((call.callee for call in facts.calls if call.line == query.line and call.scope == query.scope), "")
    table = text[2]
    return Write(
        facts.path,
        query.line,
        query.end_line,
        query.scope,
        _TEXT_VERBS[text[1].lower()],
        table,
        pending=_waits(facts),
        bound=_is_bound(owner),
        loop=loop,
        what=f"{text[1].upper()} {text[2]}",
    )


def _waits(facts: FileFacts) -> bool:
    """Whether statements wait for a commit: Python's drivers begin a transaction by themselves, unless they are told not to."""
    if not facts.path.endswith(".py") or any(statement.module.split(".", 1)[0] in _IMMEDIATE for statement in facts.imports):
        return False
    return not any(
        (argument.name == "autocommit" and argument.value.text == "True")
        or (argument.name == "isolation_level" and argument.value.text == "None")
        for call in facts.calls
        for argument in call.arguments
    )


def _is_bound(callee: str) -> bool:
    return _BOUND.match(callee) is not None and not callee.startswith(("client.from", "client.table"))


def _of_call(facts: FileFacts, call: Call, chain: list[Call]) -> Write | None:
    callee = call.callee
    table, verb = _by_client(callee, chain)
    if verb is None:
        return None
    bound = _is_bound(callee) or any(
        argument.name in _OPTIONS or any(argument.value.item(option) is not None for option in _OPTIONS)
        for each in chain
        for argument in each.arguments
    )
    pending = _SESSION.search(callee) is not None
    return Write(
        facts.path,
        call.line,
        call.end_line,
        call.scope,
        verb,
        table,
        pending,
        bound,
        call.in_loop,
        f"{callee.removeprefix('new ')}()",
        _touches(chain),
    )


def _by_client(callee: str, chain: list[Call]) -> tuple[str, Verb | None]:
    """Table and verb of a call, by the way each client writes."""
    hosted = _HOSTED.search(callee)
    if hosted:
        return _given(chain, ("from", "from_", "table")), _verb(hosted[1])
    knex = _KNEX.search(callee)
    if knex:
        return _given(chain, ("knex", "db", "trx")), _verb(knex[1])
    built = _BUILDER.search(callee)
    if built:
        return _given(chain, ("insert", "update", "delete", "insertInto", "updateTable", "deleteFrom")), _verb(
            re.sub(r"(?:Into|Table|From)$", "", built[1])
        )
    fire = _FIRESTORE.search(callee)
    if fire:
        return _given(chain, ("collection",)) or _given(chain, ("doc",)), _verb(fire[1] or fire[2])
    for pattern in (_DJANGO, _DRIVER, _REPOSITORY, _PRISMA):
        found = pattern.search(callee)
        if found and found[1] not in {"manager", "em", "entityManager"}:
            return found[1], _verb(found[2])
    found = _MODEL.search(callee)
    if found and _verb(found[2]) is not None and not callee.startswith(("Object.", "Promise.", "Array.", "Map.", "Set.")):
        return found[1], _verb(found[2])
    return "", None


def _touches(chain: list[Call]) -> bool:
    """Whether all that is written are times of changes: `update(modified=now)`, `save(update_fields=["modified"])`."""
    longest = max(chain, key=lambda call: len(call.callee))
    last = next((call for call in chain if _verb(call.callee.rpartition(".")[2]) is not None), longest)
    named = [argument for argument in last.arguments if argument.name and argument.name != "where"]
    fields = last.argument("update_fields")
    if fields is not None:
        return bool(fields.items) and all(_WHEN.match(item.literal) for _, item in fields.items)
    given = [argument.value.item("data") or argument.value for argument in last.arguments if argument.value.kind is ValueKind.COLLECTION]
    keys = [argument.name for argument in named] or [key for value in given for key, _ in value.items]
    return bool(keys) and all(_WHEN.match(key) for key in keys)


def _given(chain: list[Call], names: tuple[str, ...]) -> str:
    """The table a chain of calls names in one of its steps."""
    for call in chain:
        if call.callee.rpartition(".")[2] not in names:
            continue
        for argument in call.arguments:
            value = argument.value
            if value.kind is ValueKind.STRING:
                return value.literal.split("/", 1)[0]
            if value.kind is ValueKind.NAME and len(call.arguments) == 1:
                return value.literal.rpartition(".")[2]
    return ""


def _verb(name: str) -> Verb | None:
    found = _LAST.match(name)
    return Verb(found.lastgroup) if found and found.lastgroup else None


def _sessions(facts: FileFacts) -> Iterator[Write]:
    """What a SQLAlchemy session collects, and where it is committed."""
    if not facts.path.endswith(".py"):
        return
    for call in facts.calls:
        found = _SESSION.search(call.callee)
        if found is None:
            continue
        name = found[1] or found[2] or found[3]
        verb = Verb.COMMIT if name == "commit" else Verb.REMOVE if name == "delete" else Verb.ADD
        if verb is not Verb.COMMIT and not call.arguments:
            continue
        table = _made(facts, call.arguments[0].value, call.scope) if call.arguments else ""
        yield Write(
            facts.path, call.line, call.end_line, call.scope, verb, table, verb is not Verb.COMMIT, False, call.in_loop, f"{call.callee}()"
        )


def _made(facts: FileFacts, value: Value, scope: int) -> str:
    """The class of the record that a name holds; the name itself where that does not show."""
    if value.kind is ValueKind.CALL:
        return value.literal.rpartition(".")[2]
    for entry in facts.assignments:
        made = entry.value
        if (
            entry.scope == scope
            and entry.target == value.text
            and made is not None
            and made.kind is ValueKind.CALL
            and made.literal.rpartition(".")[2][:1].isupper()
        ):
            return made.literal.rpartition(".")[2]
    return value.literal.rpartition(".")[2]


_SAVES = re.compile(r"^(\w+)\.(save|delete|asave|adelete|remove|destroy|deleteOne)$")


def _records(facts: FileFacts, models: frozenset[str]) -> Iterator[Write]:
    """`order.save()` on a record that the same function made or read."""
    for call in facts.calls:
        found = _SAVES.match(call.callee)
        if found is None or call.scope < 0:
            continue
        table = _record_of(facts, found[1], call, models)
        if table:
            verb = Verb.REMOVE if found[2] in {"delete", "adelete", "remove", "destroy", "deleteOne"} else Verb.CHANGE
            bound = any(
                argument.name in _OPTIONS or any(argument.value.item(option) is not None for option in _OPTIONS)
                for argument in call.arguments
            )
            yield Write(
                facts.path,
                call.line,
                call.end_line,
                call.scope,
                verb,
                table,
                bound=bound,
                loop=call.in_loop,
                what=f"{call.callee}()",
                touch=_touches([call]),
            )


def _record_of(facts: FileFacts, name: str, save: Call, models: frozenset[str]) -> str:
    """The model of the record in a name, "" where nothing shows that it is one."""
    for call in reversed(facts.calls):
        if call.scope == save.scope and call.line <= save.line and call.target == name:
            words = re.findall(r"\w+", call.callee.removeprefix("new "))
            known = next((word for word in words if word in models), "")
            if not known and call.callee.endswith("get_object_or_404") and call.arguments:
                known = call.arguments[0].value.literal
            return known
    return ""
