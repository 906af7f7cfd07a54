"""Loads by statements, documents and records: batches, loops, and rows that are sent to a hosted database."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.loads import Load, Manner, load_of
from auditor.checks.model_names import singular, words
from auditor.checks.stored_writes import chains_of
from auditor.model.syntax import Call, FileFacts, Value, ValueKind

_BATCHES: dict[str, int] = {
    "executemany": 0,
    "execute_values": 1,
    "execute_batch": 1,
    "copy_expert": 0,
    "copy_from": -1,
    "copy_records_to_table": -1,
    "copy_to_table": -1,
}
"""Last names of calls that send many rows with one statement, and where the statement stands."""
_DOCUMENTS: dict[str, Manner] = {
    "insert_many": Manner.ADDS, "insertMany": Manner.ADDS, "bulk_write": Manner.MERGES, "bulkWrite": Manner.MERGES, "createMany": Manner.ADDS, "bulk_create": Manner.ADDS, "bulkCreate": Manner.ADDS,
    "bulk_insert_mappings": Manner.ADDS, "bulk_save_objects": Manner.ADDS,
}  # fmt: skip
_BY_KEY = re.compile(
    r"^(?:ignore_conflicts|update_conflicts|skipDuplicates|updateOnDuplicate|ignoreDuplicates|unique_fields|row_ids|merge_cols|primary_keys|upsert)$"
)
_MERGING = re.compile(
    r"\bon\s+conflict\b|\bon\s+duplicate\s+key\b|\binsert\s+(?:or\s+(?:replace|ignore)|ignore)\b|\breplace\s+into\b|\bmerge\s+into\b|\bnot\s+exists\b|\bnot\s+in\s*\(|\bexcept\b|\bis\s+null\b|\bwhere\b[\s\S]{0,400}>\s*\(?\s*(?:coalesce\s*\(\s*)?\(?\s*select\s+(?:coalesce\s*\(\s*)?max\b",
    re.IGNORECASE,
)
_INSERTS = re.compile(
    r"\binsert\s+(?:or\s+\w+\s+|ignore\s+|overwrite\s+)?(?:into\s+)?(?:table\s+)?[\"'`\[]?(?P<table>[\w.{}$-]+)|^\s*copy\s+[\"'`]?(?P<copied>[\w.{}]+)[\"'`]?\s*(?:\([^)]{0,2000}\)\s*)?from\b",
    re.IGNORECASE,
)
_OVERWRITES = re.compile(r"\binsert\s+overwrite\b|\bcreate\s+or\s+replace\s+table\b", re.IGNORECASE)
_EMPTIES = re.compile(
    r"\b(?:truncate\s+(?:table\s+)?|delete\s+from\s+|drop\s+table\s+(?:if\s+exists\s+)?|create\s+or\s+replace\s+(?:temp(?:orary)?\s+)?table\s+|create\s+temp(?:orary)?\s+table\s+(?:if\s+not\s+exists\s+)?)[\"'`\[]?([\w.{}]+)",
    re.IGNORECASE,
)
_PASSING = re.compile(r"(?:^|[._])(?:tmp|temp|temporary|stag(?:e|ing)|stg|scratch|buffer|delta)(?:[._]|$)|#", re.IGNORECASE)
"""Names of tables that rows only pass through."""
_SELECTED = re.compile(r"\binsert\b[\s\S]{0,3000}\bselect\b", re.IGNORECASE)
_RUNS = re.compile(r"(?:^|\.)(?:execute|exec_driver_sql|run|query|sql|exec|command|run_query|raw)$")
_KEYED = frozenset(
    {
        "on_conflict_do_update", "on_conflict_do_nothing", "on_duplicate_key_update", "whenMatchedUpdateAll", "whenMatchedUpdate", "whenNotMatchedInsertAll", "onConflictDoUpdate", "onConflictDoNothing", "upsertMany",
        "abulk_upsert", "bulk_upsert",
    }
)  # fmt: skip
"""Last names of calls that find rows by a key, however many there are."""
_KEYED_EACH = frozenset(
    {
        "update_or_create",
        "get_or_create",
        "upsert",
        "put_item",
        "findOrCreate",
        "replace_one",
        "replaceOne",
        "setDoc",
        "insert_or_update",
    }
)
"""The same for one row: they count inside of loops."""
_ADDED_EACH = re.compile(r"(?:[sS]ession|db)(?:\.session)?\.add$|\.insert_one$|\.insertOne$|\.objects\.create$|\.add_all$")
"""Calls that add one record: they count inside of loops."""
_HOSTED = re.compile(r"(?:from_?|table)\(\)\.(?:insert|upsert)$")
_KNOWN = re.compile(r"exist|already|known|found|seen|duplicat|\.has\(|\.includes\(|\bnot in\b|\.get\(", re.IGNORECASE)
"""Tests whether a row is there."""
_MOST_STEPS = 20


def row_load(facts: FileFacts, call: Call) -> Load | None:
    """The load a call makes, None where it makes none."""
    last = call.callee.rpartition(".")[2]
    if last in _BATCHES:
        return _batch(facts, call, last)
    if last in _DOCUMENTS and "." in call.callee:
        return _documents(facts, call, last)
    if last in _KEYED or (last in _KEYED_EACH and (call.in_loop or _given_each(facts, call)) and "." in call.callee):
        return load_of(facts, call, f"{last}()", "", Manner.MERGES)
    if _HOSTED.search(call.callee):
        return _hosted(facts, call, last)
    if _ADDED_EACH.search(call.callee) and (call.in_loop or last == "add_all"):
        return _documents(facts, call, "add")
    return _statement(facts, call)


def is_keyed(name: str) -> bool:
    """Whether an argument or option makes rows be found by a key."""
    return _BY_KEY.match(name) is not None


def _batch(facts: FileFacts, call: Call, last: str) -> Load | None:
    if _BATCHES[last] < 0:
        first = call.argument("table_name" if last == "copy_records_to_table" else "table", 1 if last == "copy_from" else 0)
        target = first.literal if first is not None and first.kind is not ValueKind.NAME else ""
        return load_of(
            facts, call, last, target, Manner.REPLACES if emptied(facts, call, target) or _PASSING.search(target) else Manner.ADDS
        )
    value = call.argument("sql", _BATCHES[last])
    rows = call.argument("", _BATCHES[last] + 1)
    if rows is not None and _is_constant(facts, call, rows):
        return None  # a few rows that stand in the code
    return _of_text(facts, call, text_of(facts, call, value)) if value is not None else None


def _is_constant(facts: FileFacts, call: Call, rows: Value) -> bool:
    """Whether rows stand in the code."""
    values = (
        [rows]
        if rows.kind is ValueKind.COLLECTION
        else [
            entry.value
            for entry in facts.assignments
            if entry.target == rows.literal and entry.scope in {call.scope, -1} and entry.value is not None
        ]
    )
    return bool(values) and all(value.kind is ValueKind.COLLECTION and value.items and not value.names for value in values)


def _statement(facts: FileFacts, call: Call) -> Load | None:
    """`INSERT ... SELECT` anywhere, and an INSERT that a loop repeats."""
    last = call.callee.rpartition(".")[2]
    value = call.argument("sql") or call.argument("query") or (call.argument("", 0) if _RUNS.search(call.callee) else None)
    if value is None or not (_RUNS.search(call.callee) or last.endswith("Operator")):
        return None
    text = text_of(facts, call, value)
    if not _INSERTS.search(text) or not (
        _SELECTED.search(text) or call.in_loop or _given_each(facts, call) or _given_many(call) or _called_each(facts, call)
    ):
        return None
    return _of_text(facts, call, text)


def _called_each(facts: FileFacts, call: Call) -> bool:
    """Whether the function round a statement is called inside of a loop of the same file."""
    name = facts.definitions[call.scope].name if call.scope >= 0 else ""
    return any(each.in_loop and each.callee.rpartition(".")[2] == name for each in facts.calls) if name else False


def _given_many(call: Call) -> bool:
    """Whether a statement is run with a list of rows at once."""
    given = call.argument("", 1)
    if given is None or given.kind is not ValueKind.NAME:
        return given is not None and given.text.startswith("[") and " for " in given.text
    last = words(given.literal.rpartition(".")[2])[-1:]
    return bool(last) and last[0] in {
        "rows",
        "records",
        "batch",
        "chunk",
        "items",
        "tuples",
        "payloads",
        "entries",
        "documents",
        "mappings",
    }


def _given_each(facts: FileFacts, call: Call) -> bool:
    """Whether a statement stands in a function that is run for each element or piece of a stream."""
    scope = call.scope
    if scope < 0 or facts.path.endswith(".py"):
        return False
    outer = [
        c
        for c in facts.calls
        if c.line <= facts.definitions[scope].line <= facts.definitions[scope].end_line <= c.end_line and c.scope != scope
    ]
    return any(
        re.search(r"\.(?:map|forEach)$", c.callee)
        or (c.callee.endswith(".on") and c.arguments[:1] and c.arguments[0].value.literal == "data")
        for c in outer
    )


def text_of(facts: FileFacts, call: Call, value: Value) -> str:
    """The text of a statement, followed to where the function or the module makes it."""
    pending, texts = [value], []
    for _ in range(_MOST_STEPS):
        if not pending:
            break
        each = pending.pop(0)
        if each.kind is ValueKind.CALL:  # text("..."), sql.SQL("...")
            pending += [item for _, item in each.items[:1]]
        elif each.kind is ValueKind.COLLECTION:
            pending += [item for _, item in each.items]
        elif each.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
            texts.append(each.literal)
        elif each.kind is ValueKind.NAME:
            pending += _bound(facts, call, each.literal)
    return " ; ".join(texts)


def _bound(facts: FileFacts, call: Call, name: str) -> list[Value]:
    """What a name is first bound to, in the function, those around it or the module."""
    for scope in _around(facts, call.scope):
        for entry in facts.assignments:
            if entry.scope == scope and entry.target == name and entry.value is not None:
                return [entry.value]
    return []


def _around(facts: FileFacts, scope: int) -> Iterator[int]:
    """A function, those around it, and the module."""
    while scope >= 0:
        yield scope
        scope = facts.definitions[scope].parent
    yield -1


def _of_text(facts: FileFacts, call: Call, text: str) -> Load | None:
    found = _INSERTS.search(text)
    if found is None:
        return None
    target = found["table"] or found["copied"] or ""
    if _OVERWRITES.search(text):
        manner = Manner.REPLACES
    elif _MERGING.search(text):
        manner = Manner.MERGES
    elif _PASSING.search(target) or emptied(facts, call, target, text) or _looked_up(facts, call, target):
        manner = Manner.REPLACES
    else:
        manner = Manner.ADDS
    return load_of(facts, call, f"INSERT INTO {target}" if found["table"] else f"COPY {target}", target, manner)


def emptied(facts: FileFacts, call: Call, target: str, text: str = "") -> bool:
    """Whether the target, or the part of it that is loaded, is emptied before: in the same statements, the same function, or another task of the file."""
    own = _bare(target)
    texts = [text[: max(0, text.lower().find("insert"))], *(literal.text for literal in facts.literals)]
    named = {_bare(found[1]) for each in texts for found in _EMPTIES.finditer(each)}
    if own and own in named:
        return True
    cleared = [
        c
        for c in facts.calls
        if c.scope == call.scope
        and c.line < call.line
        and re.search(r"(?:^|\.)(?:delete_many|deleteMany|drop|truncate\w*|delete_rows|delete_table|remove|delete)$", c.callee)
    ]
    return bool(cleared) or ("{}" in own and any("{}" in name for name in named))


def _bare(name: str) -> str:
    """A table without its schema, in the singular."""
    last = re.sub(r"[\"'`\[\]]", "", name).rpartition(".")[2].lower()
    return singular(last) if last else ""


def _looked_up(facts: FileFacts, call: Call, target: str) -> bool:
    """Whether the function asks first whether a row is there."""
    own = _bare(target)
    near = [literal.text for literal in facts.literals if literal.scope == call.scope and literal.line <= call.line]
    return bool(own) and any(re.match(r"\s*select\b", text, re.IGNORECASE) and own in text.lower() for text in near)


def _documents(facts: FileFacts, call: Call, last: str) -> Load | None:
    owner = re.sub(r"\.(?:objects|_default_manager|using\(\))(?:\.\w+\(\))*$", "", call.callee.rpartition(".")[0])
    target = words(owner.rpartition(".")[2]) if not owner.endswith(("session", "db")) else words(_given_class(call))
    manner = _DOCUMENTS.get(last, Manner.ADDS)
    options = [key for argument in call.arguments for key, _ in argument.value.items]
    if any(_BY_KEY.match(argument.name) for argument in call.arguments) or any(_BY_KEY.match(key) for key in options):
        manner = Manner.MERGES
    elif manner is Manner.MERGES and not _upserts(facts, call):
        manner = Manner.CHOSEN
    elif manner is Manner.ADDS and (emptied(facts, call, "_".join(target)) or _asked_before(facts, call)):
        manner = Manner.REPLACES
    return load_of(facts, call, f"{call.callee}()", "_".join(target), manner)


def _given_class(call: Call) -> str:
    """The class of the records a session is given, where they are made in the call."""
    names = [name for argument in call.arguments for name in argument.value.names]
    return next((name.rpartition(".")[2] for name in names if name.rpartition(".")[2][:1].isupper()), "")


def _hosted(facts: FileFacts, call: Call, last: str) -> Load | None:
    """Rows that are sent to a hosted database: `.from("orders").upsert(rows)`."""
    chain = [each for each in chains_of(facts)[call.line, call.scope] if call.callee.startswith(each.callee)]
    named = next((each.argument("", 0) for each in chain if re.search(r"(?:from_?|table)$", each.callee)), None)
    target = named.literal if named is not None else ""
    given = call.argument("", 0)
    many = given is not None and (given.kind in {ValueKind.NAME, ValueKind.CALL} or given.text.startswith("["))
    if not (call.in_loop or _given_each(facts, call) or many):
        return None
    if last == "upsert":
        return load_of(facts, call, ".upsert()", target, Manner.MERGES)
    safe = emptied(facts, call, target) or _asked_before(facts, call)
    return load_of(facts, call, ".insert()", target, Manner.REPLACES if safe else Manner.ADDS)


def _upserts(facts: FileFacts, call: Call) -> bool:
    """Whether the operations of a batch are upserts."""
    near = [c for c in facts.calls if c.scope == call.scope]
    keys = {key for c in near for argument in c.arguments for key, _ in argument.value.items} | {a.name for c in near for a in c.arguments}
    return "upsert" in keys or any(c.callee.endswith("ReplaceOne") for c in near)


def _asked_before(facts: FileFacts, call: Call) -> bool:
    """Whether the function reads what is there before it adds, to leave it out."""
    if any(b.scope == call.scope and b.line <= call.line <= b.last_line and _KNOWN.search(b.test) for b in facts.branches):
        return True
    near = (c.callee.rpartition(".")[2] for c in facts.calls if c.scope == call.scope and c.line < call.line)
    return any(
        name
        in {
            "first",
            "exists",
            "find_one",
            "findOne",
            "findUnique",
            "findFirst",
            "get_or_none",
            "one_or_none",
            "scalar_one_or_none",
            "values_list",
            "distinct",
            "in_",
        }
        for name in near
    )
