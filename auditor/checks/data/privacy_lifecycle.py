"""What is kept about people is known, and can be removed.

Passing title: Data about people can be removed, and it is written down what is kept
Failing title: Nobody can say what is kept about people, or remove it
Grading: Looked at are the tables and collections that keep fields about people (mail addresses, phone numbers, names, births, health, network addresses); firms, machines and settings are no people. For each of them:
    whether something in the code removes its rows or makes them anonymous, by hand, by age, through a framework's administration, or because they go with another row that is
    removed. And whether it is written down what is kept: a privacy page, document or section. Without a way to remove people and without a statement it fails; one of the two, or tables
    that stay behind, is partial. Accounts at a hosted provider, and rows that go only with them, are left unexamined. Exports and retention are named. What the law asks of this
    system is a question for people.
Done when: a list names the fields about people with purpose, place and time of keeping, and somebody has removed one test person and found nothing left.
What it cannot see: copies in logs, backups and at processors, statements published elsewhere, consent, and texts in which people write about others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from auditor.checks.hosted_accounts import account_removals, hosted_accounts
from auditor.checks.personal_data import PersonalTable, personal_tables, shown
from auditor.checks.personal_records import anonymised, builtin_accounts, exports, undeclared
from auditor.checks.privacy_statements import statements
from auditor.checks.registry import check
from auditor.checks.row_removals import Removals, removals
from auditor.checks.table_words import TableWords
from auditor.model.artifacts import Documents
from auditor.model.evidence import Routes, Stores
from auditor.model.needs import DOCUMENTS, PROJECT, ROUTES, SNAPSHOT, STORES, SYNTAX, TEXTS
from auditor.model.project import RUNNING, Kind, Project
from auditor.model.snapshot import Snapshot
from auditor.model.syntax import Syntax
from auditor.model.tables import Table
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import listed, plural

_DEPLOYED = RUNNING | {Kind.FRONTEND, Kind.PIPELINE}
_NO_WAY, _LEFT, _UNSTATED = 0.4, 0.25, 0.3


@check("data.privacy-lifecycle", needs=(PROJECT, SNAPSHOT, SYNTAX, TEXTS, STORES, ROUTES, DOCUMENTS), tolerance=0.05)
def privacy_lifecycle(  # noqa: PLR0917 - evidence comes by position
    project: Project, snapshot: Snapshot, syntax: Syntax, texts: dict[str, str], stores: Stores, routes: Routes, documents: Documents
) -> Judgement:
    """Find the tables about people, then what removes their rows and what is said about them."""
    if not any(part.kinds & _DEPLOYED for part in project.parts):
        return NotApplicable("Nothing here is deployed as a running system: " + listed(sorted(part.reason for part in project.parts)) + ".")
    files = syntax.of(project.production)
    hosted = hosted_accounts(files)
    people = (*personal_tables(stores.data), *builtin_accounts(project, files, stores.data), *undeclared(files, stores.data))
    if not people:
        return _without_people(stores, hosted)
    tables = tuple(dict.fromkeys((*stores.data.tables, *(person.table for person in people))))
    names = TableWords(tables, tuple(person.table for person in people if person.account))
    gone = removals(project, syntax, routes, names, texts)
    gone = Removals((*gone.found, *anonymised(files, names, people)), gone.unsettled)
    fate = _fates(people, gone, names, account_removals(files), hosted)
    return _judged(people, fate, gone, statements(snapshot, documents, routes, texts), exports(files, routes))


def _without_people(stores: Stores, hosted: tuple[Place, ...]) -> Judgement:
    """The answer where no table about people was found."""
    tables = stores.data.tables
    if hosted:
        return Undecided("People's accounts are kept by a hosted provider; whether they can be removed there cannot be seen.", hosted[:2])
    if not (stores.relational or stores.document or tables):
        return NotApplicable("Nothing is stored here.")
    if not tables:
        return Undecided(
            "A database is used, and nothing that could be read declares what is kept in it.", stores.relational[:2] or stores.document[:2]
        )
    partial = [table for table in tables if not table.whole]
    if partial:
        names = listed([table.name for table in partial])
        return Undecided(f"Part of the fields of {names} comes from something that was not read.", (partial[0].place,))
    return NotApplicable(
        f"None of the {plural(len(tables), 'table')} of this system keeps a field about people.", tuple(t.place for t in tables[:2])
    )


@dataclass(frozen=True, slots=True)
class _Fates:
    """What becomes of the tables about people: rows that can be removed, that nobody can speak about, and that stay."""

    removable: tuple[PersonalTable, ...]
    unseen: tuple[tuple[PersonalTable, str], ...]
    staying: tuple[PersonalTable, ...]


def _fates(
    people: tuple[PersonalTable, ...], gone: Removals, names: TableWords, removed_accounts: tuple[Place, ...], hosted: tuple[Place, ...]
) -> _Fates:
    removed = {removal.table for removal in gone.found}
    started = [table for table in names.tables if table in removed]
    reached = _cascading(started, names, accounts=bool(removed_accounts))
    with_accounts = _cascading(started, names, accounts=True) if hosted else reached
    removable = tuple(person for person in people if person.table in reached)
    unseen: list[tuple[PersonalTable, str]] = []
    staying: list[PersonalTable] = []
    for person in people:
        if person.table in reached:
            continue
        if person.table in with_accounts:
            unseen.append((person, "its rows go with the account, which is removed at the hosted provider"))
        elif gone.unsettled:
            unseen.append((person, f"whose rows {gone.unsettled[0].path} line {gone.unsettled[0].line} removes is settled while it runs"))
        else:
            staying.append(person)
    return _Fates(removable, tuple(unseen), tuple(staying))


def _cascading(started: Iterable[Table], names: TableWords, *, accounts: bool) -> frozenset[Table]:
    """The tables whose rows go when rows of the given ones are removed, by the rules of the database or the mapper."""
    reached = set(started)
    while True:
        along = {name for table in reached for name in table.removes}
        more = {
            table
            for table in names.tables
            if table not in reached
            and (
                table.name in along
                or any(column.cascades and _leads_to(column.references, reached, names, accounts=accounts) for column in table.columns)
            )
        }
        if not more:
            return frozenset(reached)
        reached |= more


def _leads_to(reference: str, reached: set[Table], names: TableWords, *, accounts: bool) -> bool:
    if reference.lower() == "auth.users":
        return accounts
    if reference.endswith("AUTH_USER_MODEL") or reference == "get_user_model":
        return any(table in reached for table in names.accounts)
    return any(table in reached for table in names.of(reference))


def _judged(
    people: tuple[PersonalTable, ...], fate: _Fates, gone: Removals, said: tuple[Place, ...], copies: tuple[Place, ...]
) -> Assessed:
    findings = [*_staying(fate)]
    bad = 0.0
    if fate.staying:
        bad += _NO_WAY if not fate.removable and not fate.unseen else _LEFT * len(fate.staying) / len(people)
    if not said:
        findings.append(_unstated(people))
        bad += _UNSTATED
    ways = tuple(removal.place for person in fate.removable for removal in gone.of(person.table))
    timed = sorted({removal.table.name for removal in gone.found if removal.by_time})
    return Assessed(
        bad,
        1,
        _summary(people, fate, said=bool(said)),
        findings=tuple(findings),
        evidence=tuple(dict.fromkeys((*ways[:3], *said[:1], *copies[:1]))),
        signals=(
            f"tables about people: {listed([shown(person) for person in people], 6)}",
            f"of them with a way to remove rows: {len(fate.removable)}",
            f"statements of what is kept: {len(said)}",
            f"ways to get a copy of one's data: {len(copies)}",
            f"removed by age: {listed(timed) if timed else 'nothing'}",
        ),
        unexamined=tuple((person.table.place.path, f"{person.name}: {why}") for person, why in fate.unseen),
        confidence=Confidence.MEDIUM,
    )


def _summary(people: tuple[PersonalTable, ...], fate: _Fates, *, said: bool) -> str:
    tables = plural(len(people), "table")
    kept = f"{tables} about people, {len(fate.removable)} of them with a way to remove rows"
    return f"{kept}; {'it is' if said else 'nowhere is it'} written down what is kept."


def _staying(fate: _Fates) -> Iterable[Finding]:
    some = bool(fate.removable or fate.unseen)
    for person in sorted(fate.staying, key=lambda person: (not person.account, -len(person.columns), person.table.place.path)):
        column = person.columns[0].place(person.table)
        if some:
            message = f"Whoever asks to be forgotten stays in {shown(person)}: no code removes its rows, and they do not go with another row that is removed."
            yield Finding("personal-data-left-behind", column.path, message, column.line, column.end_line, Confidence.MEDIUM)
        else:
            message = f"Data about people is kept in {shown(person)}, and no code removes or anonymises it: whoever asks to be forgotten waits for somebody with access to the database."
            yield Finding("no-deletion-path", column.path, message, column.line, column.end_line, Confidence.MEDIUM)


def _unstated(people: tuple[PersonalTable, ...]) -> Finding:
    fullest = max(people, key=lambda person: (person.account, len(person.columns)))
    place = fullest.table.place
    message = f"Data about people is kept in {listed([shown(person) for person in people])}, and nothing here says what for, for how long, and who else gets it."
    return Finding("personal-data-unstated", place.path, message, place.line, place.end_line, Confidence.MEDIUM)
