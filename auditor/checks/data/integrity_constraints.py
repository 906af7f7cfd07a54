"""The data model itself rejects impossible data.

Passing title: The database itself refuses impossible data
Failing title: The database accepts impossible data
Grading: Names and types say which rules a model should have: a foreign key for each column that names another table of it, one login per account, one row per
    connection, money that is no float, no rows of other tables inside of one value; and for the model as a whole required columns, bounded states and times that can be compared. The
    share of missing rules counts. Fails from six tenths, when no key leads anywhere although several should, when foreign keys are declared and never reach the
    database, when people log in by a column that two accounts can share, and for documents that nothing checks.
Done when: Keys lead to tables, logins and connections are unique, amounts are decimals or whole cents, and each rule has come by a migration after the rows were cleaned.
What it cannot see: Rules made by hand in a running database, rules that need knowledge of the business, and columns whose name does not say what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.hosted_rules import hosted_grants
from auditor.checks.model_names import singular
from auditor.checks.model_rules import Kind, Rule, rules
from auditor.checks.registry import check
from auditor.model.evidence import Access, Stores
from auditor.model.needs import PROJECT, STORES, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import FileFacts, Syntax, Value, ValueKind
from auditor.model.tables import DataModel, Table
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import plural

_FAIL, _PARTIAL = 0.7, 0.3
_LEAST_KEYS = 3
_TOLERANCE = 0.05
"""About one slip in a model of twenty rules."""
_CHECKED = re.compile(
    r"(?:request\.)?resource\.data\b[^;]{0,200}?(?:\.keys\(\)|\bis (?:string|int|number|bool|timestamp|map|list|float)\b|\.size\(\)|\bin\s*\[|\.matches\()|hasAll\(|hasOnly\(|newData\.(?:hasChildren|isString|isNumber)"
)
_FINDS = re.compile(r"(?:filter|filter_by|aget|get|find\w*|first)$")
_ASIDE = re.compile(r"(?:^|/)(?:bin|scripts?|tools|migrat\w*)/|migrat", re.IGNORECASE)
_VALIDATORS = re.compile(r"\$jsonSchema|withConverter")
_DOCUMENT_MODELS = frozenset({"mongoengine", "beanie", "odmantic", "umongo", "pynamodb", "@typegoose/typegoose"})


@check("data.integrity-constraints", needs=(STORES, PROJECT, SYNTAX, TEXTS), tolerance=_TOLERANCE)
def integrity_constraints(stores: Stores, project: Project, syntax: Syntax, texts: dict[str, str]) -> Judgement:
    """Judge the rules of the tables, or of the documents where there are no tables."""
    files = syntax.of(project.production)
    if stores.data.tables:
        return _tables(stores.data, files, _unread(stores))
    if stores.relational:
        reason = "A relational database is used, and nothing that could be read declares its tables: add the schema or the migrations to the repository."
        return Undecided(reason, stores.relational[:3])
    if stores.document:
        return _documents(stores, files, texts)
    return NotApplicable("No data model is kept: neither tables nor collections were found.")


def _unread(stores: Stores) -> tuple[tuple[str, str], ...]:
    """Places that make tables at start, of which none could be read."""
    if any(table.mapper not in {"sql", "mongoose"} for table in stores.data.tables):
        return ()
    read = {column.path or table.place.path for table in stores.data.tables for column in table.columns}
    found = {place.path: place for place in stores.created_at_start if place.path not in read}
    return tuple((f"{path}:{place.line}", "the tables made here could not be read") for path, place in sorted(found.items()))


def _tables(model: DataModel, files: tuple[FileFacts, ...], unread: tuple[tuple[str, str], ...]) -> Assessed:
    expected = [*rules(model.tables), *_built_in_login(model, files)]
    unenforced = list(model.unenforced)
    declared = any(rule.kept for rule in expected if rule.kind is Kind.REFERENCE)
    missing = [rule for rule in expected if not rule.kept]
    bad = sum(rule.weight for rule in missing) + len(unenforced)
    total = sum(rule.weight for rule in expected) + len(unenforced)
    logins = [rule for rule in missing if rule.kind is Kind.IDENTITY and _looked_up(rule, files)]
    dangling = [rule for rule in missing if rule.kind is Kind.REFERENCE]
    nowhere = len(dangling) >= _LEAST_KEYS and not declared
    unreached = any(reason == "relationMode" for _, reason in unenforced) and declared
    grave = any(rule.kind in {Kind.MONEY, Kind.IDENTITY} for rule in missing)
    floor = _FAIL if logins or nowhere or unreached else _PARTIAL if grave else 0.0
    ordered = sorted(missing, key=lambda rule: (list(Kind).index(rule.kind), rule.place.path, rule.place.line))
    findings = (*(_unenforced(place, reason) for place, reason in unenforced), *(_finding(rule) for rule in ordered))
    return Assessed(
        bad=bad,
        total=total,
        floor=floor,
        unexamined=unread,
        summary=_summary(model, missing, len(expected), len(unenforced)),
        findings=findings,
        evidence=tuple(rule.place for rule in expected if rule.kept)[:3],
        signals=_signals(model, expected),
        confidence=Confidence.MEDIUM,
    )


def _summary(model: DataModel, missing: list[Rule], expected: int, unenforced: int) -> str:
    declared = plural(len(model.tables), "table")
    if not missing and not unenforced:
        return f"All {plural(expected, 'rule')} that the names of {declared} ask for are there."
    return f"Of {plural(expected, 'rule')} that the names of {declared} ask for, {plural(len(missing), 'is', 'are')} missing{', and declared keys are not watched' if unenforced else ''}."


def _signals(model: DataModel, expected: list[Rule]) -> tuple[str, ...]:
    counted = [
        f"{kind.value}: {sum(1 for r in expected if r.kind is kind and r.kept)} of {n}"
        for kind in Kind
        if (n := sum(1 for r in expected if r.kind is kind))
    ]
    mappers = sorted({table.mapper for table in model.tables})
    return (f"tables: {len(model.tables)} ({', '.join(mappers)})", *counted)


_MESSAGES = {
    Kind.REFERENCE: ("reference-without-key", 20, "{table}.{column} names a row of {other}, and nothing makes the database check that the row exists: deleting it leaves this one behind."),
    Kind.IDENTITY: ("login-not-unique", 20, "Two accounts can have the same {column} in {table}: two sign-ups at the same moment both succeed, and which of them a look-up finds afterwards is luck."),
    Kind.PAIR: ("pair-not-unique", 20, "{table} can connect the same {column} twice: a double click makes two rows, and every count is off."),
    Kind.MONEY: ("money-as-float", 681, "{table}.{column} is money in a floating-point type: sums drift by cents that nobody can find again."),
    Kind.BLOB: ("relation-in-a-value", 20, "{table}.{column} keeps rows of {other} inside of one value: the database can neither check them, nor find them, nor change them when {other} changes."),
    Kind.CONTENT: ("content-in-a-value", 20, "All that {table} holds is one value of any form, {column}: the database accepts a record without a single field that the program needs."),
    Kind.KEY: ("no-primary-key", 20, "{table} has no primary key and no unique column: the same row can stand there twice, and nothing can name one of them."),
    Kind.REQUIRED: ("nothing-required", 20, "Nothing is required in {other}: a row without any content is accepted, and every reader has to expect it."),
    Kind.STATES: ("free-text-state", 20, "{other} columns such as {table}.{column} accept any word where a few are meant: a typing error is a state of its own."),
    Kind.TIMES: ("time-without-zone", 20, "{table}.{column} keeps local time without its zone: after a move of the server, and twice a year, times cannot be compared."),
}  # fmt: skip


def _finding(rule: Rule) -> Finding:
    name, cwe, words = _MESSAGES[rule.kind]
    table = rule.table.table or rule.table.name
    message = words.format(table=table, column=" and ".join(rule.columns), other=rule.other)
    return Finding(name, rule.place.path, message, rule.place.line, rule.place.end_line, Confidence.MEDIUM, cwe=cwe)


def _unenforced(place: Place, reason: str) -> Finding:
    if reason == "relationMode":
        message = "Relations are kept by the client alone (relationMode), so no foreign key exists in the database: every other writer, and every crash between two statements, leaves rows that belong to nothing."
    else:
        message = "Foreign keys are declared, and SQLite watches none of them before `PRAGMA foreign_keys = ON` is sent on each connection: rows that belong to nothing are accepted."
    return Finding("keys-not-watched", place.path, message, place.line, place.end_line, Confidence.MEDIUM, cwe=20)


def _looked_up(rule: Rule, files: tuple[FileFacts, ...]) -> bool:
    """Whether code looks accounts up by that column."""
    column = rule.table.column(rule.columns[0])
    name = (column.attribute or column.name) if column is not None else rule.columns[0]
    compared = re.compile(rf"\b{re.escape(rule.table.name)}\.{re.escape(name)}\s*==")
    written = re.compile(rf"\bWHERE\b[^;]{{0,200}}\b{re.escape(name)}\"?\)?\s*=", re.IGNORECASE)
    owner = re.compile(
        rf"(?:^|[^a-z]){re.escape(singular(rule.table.name.lower()))}|\b{re.escape(rule.table.table or rule.table.name)}\b", re.IGNORECASE
    )
    for facts in files:
        for call in facts.calls:
            for argument in call.arguments:
                value = argument.value
                text = value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}
                if compared.search(value.text) or (text and written.search(value.literal) and owner.search(value.literal)):
                    return True
                keyed = argument.name == name or value.item(name) is not None or _inside(value, name)
                if keyed and _FINDS.search(call.callee) and owner.search(call.callee):
                    return True
    return False


def _built_in_login(model: DataModel, files: tuple[FileFacts, ...]) -> Iterator[Rule]:
    """Django's own account has an e-mail address that is not unique: where people are found by it, nothing keeps two from having the same."""
    own = any(
        table.mapper == "django" and table.column("email") is not None and table.column("password") is not None for table in model.tables
    )
    modules = {statement.module for facts in files for statement in facts.imports}
    if own or any(module.startswith("allauth") for module in modules):
        return
    for facts in files:
        if not any(s.module.startswith("django.contrib.auth") and any(name == "User" for name, _ in s.names) for s in facts.imports):
            continue
        for call in facts.calls:
            by_email = any(argument.name in {"email", "email__iexact"} for argument in call.arguments)
            if by_email and call.callee in {"User.objects.get", "User.objects.aget"}:
                place = Place(facts.path, call.line, call.end_line)
                yield Rule(Kind.IDENTITY, Table("User", "auth_user", place, "django"), ("email",), place, kept=False, weight=2.0)
                return


def _inside(value: Value, name: str) -> bool:
    where = value.item("where")
    return where is not None and where.item(name) is not None


# -- documents ---------------------------------------------------------------------------------------------------------------------------


def _documents(stores: Stores, files: tuple[FileFacts, ...], texts: dict[str, str]) -> Assessed:
    """Documents are checked by rules of the store, by schemas of its client, or by nothing."""
    writes = [
        grant
        for grant in hosted_grants(texts)
        if not grant.files and grant.operations & {"create", "update"} and grant.access is not Access.NOBODY
    ]
    checked = [grant.place for grant in writes if _CHECKED.search(grant.condition)]
    schemas = list(_validators(files))
    first = next((place for place in stores.document if not _ASIDE.search(place.path)), stores.document[0])
    bad, total = (0.0, 1) if schemas else ((len(writes) - len(checked)) / 2, len(writes)) if checked else (1.0, 1)
    open_rules = () if schemas else tuple(grant.place for grant in writes if grant.place not in checked) if checked else (first,)
    nothing = not schemas and not checked
    return Assessed(
        bad=bad,
        total=total,
        floor=_FAIL if nothing else 0.0,
        summary=_documents_summary(len(open_rules), total, nothing=nothing),
        findings=tuple(_unchecked(place, rule=bool(checked)) for place in open_rules),
        evidence=(*schemas[:2], *checked[:2]),
        signals=(
            f"places that open a document store: {len(stores.document)}",
            f"schemas and validators in code: {len(schemas)}",
            f"rules that let somebody write: {len(writes)}, of which {len(checked)} look at the fields",
        ),
        confidence=Confidence.MEDIUM,
    )


def _documents_summary(unchecked: int, total: int, *, nothing: bool) -> str:
    if nothing:
        return "Nothing checks what is stored in the document store."
    if unchecked:
        return f"Of {plural(total, 'rule')} that let somebody write documents, {unchecked} never look at what is written."
    return "Documents are checked against a schema before they are stored."


def _unchecked(place: Place, *, rule: bool) -> Finding:
    if rule:
        message = "Whoever this rule lets in may store a document of any form here: nothing looks at its fields, so every reader has to expect everything."
    else:
        message = "Documents are stored without a schema, a validator or rules that look at their fields: whatever a client sends is kept, and every reader has to expect it."
    return Finding("documents-unchecked", place.path, message, place.line, place.end_line, Confidence.MEDIUM, cwe=20)


def _validators(files: tuple[FileFacts, ...]) -> Iterator[Place]:
    for facts in files:
        for literal in facts.literals:
            if _VALIDATORS.search(literal.text):
                yield Place(facts.path, literal.line, literal.line)
        for statement in facts.imports:
            if statement.module.split(".", 1)[0] in _DOCUMENT_MODELS or statement.module in _DOCUMENT_MODELS:
                yield Place(facts.path, statement.line, statement.line)
        for call in facts.calls:
            if call.callee.endswith(".withConverter") or any(argument.name == "validator" for argument in call.arguments):
                yield Place(facts.path, call.line, call.line)
