"""Schema changes judged by themselves, apart from an audit: the linter behind `auditor migrations`, and the function for programs.

>>> report = classify_migration({"db/migrations/002_drop.sql": "ALTER TABLE orders DROP COLUMN note;"})
>>> report.files[0].unsafe
('drop_column',)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from auditor.classify import classify
from auditor.errors import UsageError
from auditor.evidence.stores_drift import drift
from auditor.evidence.stores_models import declared
from auditor.evidence.tables_prisma import relation_mode
from auditor.languages import operations as ops
from auditor.languages.migration_assessment import assess
from auditor.languages.migration_risks import shown, target_of
from auditor.languages.migration_set import MigrationSet, read_migrations
from auditor.languages.migrations import PARTIAL, TRIVIAL, UNKNOWN, YES, Migration
from auditor.languages.python import read_python
from auditor.languages.risk_context import Risk
from auditor.languages.script import read_script
from auditor.migration_advice import advice
from auditor.model.migrations import JudgedOperation, MigrationReport, MigrationVerdict, SetProblem
from auditor.model.snapshot import NOT_OURS, Language, Role
from auditor.model.syntax import FileFacts
from auditor.snapshot import read_tree

__all__ = ["JudgedOperation", "MigrationReport", "MigrationVerdict", "SetProblem", "classify_migration", "classify_path"]

_MODELS = re.compile(
    r"\b(?:Column|mapped_column)\(|\bmodels\.Model\b|\bSQLModel\b|\b(?:pg|mysql|sqlite)Table\(|@Entity\b|\bsequelize\.define\(|\bModel\.init\(|\bextends Model\b"
)
_LOSING = frozenset({"drop_column", "drop_table", "data_loss_dml"})


def classify_migration(files: Mapping[str, str]) -> MigrationReport:
    """Judge migrations given as path -> text.

    The paths matter: folders and names tell the frameworks apart and give the order. Settings beside the migrations (journals, locks, `.conf` files, a settings file that names the database) belong
    in, and so do files of models where drift is to be found. Nothing is run; broken files are named in `unexamined` and stop nothing.
    """
    return _report(dict(files), every=True)


def classify_path(path: Path) -> MigrationReport:
    """Judge the migrations below a directory, or one file with its siblings as what came before it; paths in the answer are relative to the directory.

    Raises:
        UsageError: the path does not exist or cannot be read.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist")
    if path.is_dir():
        return _below(path)
    found = _below(path.parent)
    files = tuple(file for file in found.files if file.path == path.name)
    problems = tuple(problem for problem in found.problems if problem.path == path.name)
    unexamined = tuple(entry for entry in found.unexamined if entry[0] == path.name)
    if not files and not unexamined:
        problems = (SetProblem("no_migrations", path.name, "the file is no migration of a kind this version knows"),)
    return MigrationReport(files, problems, unexamined)


def _below(folder: Path) -> MigrationReport:
    """A directory's migrations; the names of the folders it stands in are kept while reading, because they tell frameworks and apps apart."""
    prefix = "".join(f"{part}/" for part in folder.resolve().parts[-2:] if part != "/")
    reading = read_tree(folder)
    vendored = {file.path for file in reading.snapshot.files if file.role in {Role.VENDORED, Role.MINIFIED}}
    texts = {f"{prefix}{path}": text for path, text in reading.texts.items() if path not in vendored}
    report = _report(texts, every=False)
    if not report.files:
        report = _report({path: text for path, text in texts.items() if path.count("/") <= prefix.count("/")}, every=True)
    skipped = tuple((entry.path, entry.reason) for entry in reading.snapshot.skipped if entry.path.endswith((".sql", ".py", ".ts", ".js")))
    return MigrationReport(
        tuple(replace(file, path=file.path.removeprefix(prefix)) for file in report.files),
        tuple(replace(problem, path=problem.path.removeprefix(prefix)) for problem in report.problems),
        (*((path.removeprefix(prefix), reason) for path, reason in report.unexamined), *skipped),
    )


def _report(texts: dict[str, str], *, every: bool) -> MigrationReport:
    changes = read_migrations(texts, every=every)
    assessment = assess(changes)
    files = tuple(_verdict(migration, assessment.risks.get(migration.path, ())) for migration in changes.migrations)
    problems = [SetProblem(*problem) for problem in (*changes.problems, *assessment.problems)]
    if not files and not changes.unread:
        problems.append(SetProblem("no_migrations", "", "no migration of a kind this version knows was found"))
    elif files:
        problems += _drift(texts, changes)
    return MigrationReport(files, tuple(problems), changes.unread)


def _verdict(migration: Migration, risks: tuple[Risk, ...]) -> MigrationVerdict:
    operations = tuple(_operation(risk, migration.framework) for risk in risks)
    unread = tuple(
        f"line {operation.line}: {operation.name or 'a statement no grammar here reads'}"
        for operation in migration.up.operations
        if operation.kind == ops.UNREAD
    )
    unsafe = tuple(sorted({operation.kind for operation in operations if operation.unsafe}))
    return MigrationVerdict(
        migration.path, migration.framework, unsafe, _reversible(migration, risks), operations, migration.back.reason, unread
    )


def _operation(risk: Risk, framework: str) -> JudgedOperation:
    operation = risk.operation
    column = target_of(operation)
    words = advice().get(risk.kind) if risk.unsafe else None
    return JudgedOperation(
        kind=risk.kind or operation.kind,
        line=operation.line,
        table=shown(operation.table),
        column=shown(column),
        unsafe=risk.unsafe,
        why=risk.why,
        harm=words.harm(shown(operation.table), shown(column)) if words else "",
        steps=words.steps(framework, shown(operation.table), shown(column)) if words else (),
    )


def _reversible(migration: Migration, risks: Iterable[Risk]) -> bool | str | None:
    match migration.back.reversible:
        case word if word == YES:
            lost = any(risk.unsafe and risk.kind in _LOSING for risk in risks) or any(o.kind == ops.DELETE for o in migration.up.operations)
            return PARTIAL if lost else True
        case word if word == TRIVIAL:
            return True if migration.down is not None or migration.automatic else None
        case word if word == PARTIAL:
            return PARTIAL
        case word if word == UNKNOWN:
            return None
        case _:
            return False


def _drift(texts: dict[str, str], changes: MigrationSet) -> Iterator[SetProblem]:
    """Models among the files that the migrations do not know."""
    known = {migration.path for migration in changes.migrations}
    files = [facts for path, text in sorted(texts.items()) if path not in known and (facts := _facts(path, text)) is not None]
    schemas = [(path, text) for path, text in sorted(texts.items()) if path.endswith(".prisma")]
    keyless = any(relation_mode(path, text) is not None for path, text in schemas)
    for _kind, place, message in drift(tuple(declared(files, schemas, texts)), changes, texts, keyless=keyless):
        yield SetProblem("drift", place.path, message)


def _facts(path: str, text: str) -> FileFacts | None:
    """The facts of a file that may declare models; None for all others."""
    if not path.endswith((".py", ".ts", ".js", ".mjs", ".cjs")) or len(text) > 500_000 or not _MODELS.search(text):
        return None
    language, role = classify(path, text)
    if role in NOT_OURS:
        return None
    return read_python(path, text) if language is Language.PYTHON else read_script(path, text, language)
