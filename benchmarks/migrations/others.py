"""squawk and django-migration-linter on those files of the set that they can read, beside our reader on the same files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.migrations.cases import Case, Expected
from benchmarks.migrations.cluster import running
from benchmarks.migrations.runners import SQL, copy_of, way_up
from benchmarks.migrations.scoring import Counts, Told

STYLE = (
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-repack",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-timestamptz",
    "require-lock-timeout",
    "require-statement-timeout",
    "require-timeout-settings",
    "require-table-schema",
    "transaction-nesting",
    "ban-uncommitted-transaction",
)
"""Rules of squawk that speak of style or of settings, not of the statement; with them nearly every file would count as unsafe."""
_MILD = {"require-concurrent-index-deletion", "ban-drop-not-null"}
"""Rules for kinds that the set tolerates and never asks for."""


def compare(cases: list[Case], ours: list[tuple[Case, Told, frozenset[str]]] | None) -> str:
    """A table: "something unsafe here" by each tool on what it reads."""
    told = {(case.name, path): bool(entry["unsafe"]) for case, files, _ in ours or [] for path, entry in files.items()}
    sql = [(c, e) for c in cases for e in c.files if e.framework in SQL and c.database == "postgresql" and not e.broken]
    django = [(c, e) for c in cases for e in c.files if e.framework == "django" and not e.broken]
    lines = ["| tool | files | F1 | found | wrong | missed |", "|---|---|---|---|---|---|"]
    for tool, judge, files in (("squawk", _squawk, sql), ("django-migration-linter", _django, django)):
        judged = judge(files)
        lines.append(_row(tool, files, judged))
        if ours is not None:
            lines.append(_row("auditor", files, [_ours(told, case, expected) for case, expected in files]))
    return "\n".join(lines)


def _ours(told: dict[tuple[str, str], bool], case: Case, expected: Expected) -> bool:
    return told.get((case.name, expected.path), False)


def _row(tool: str, files: list[tuple[Case, Expected]], judged: list[bool | None]) -> str:
    """Files a tool gave no answer to (None) count as called safe; files whose only kinds are tolerated are left out for all."""
    counts = Counts()
    for (_, expected), unsafe in zip(files, judged, strict=True):
        if expected.tolerated and not expected.unsafe:
            continue
        counts.add(frozenset({"x"} if expected.unsafe else ()), frozenset({"x"} if unsafe else ()))
    silent = sum(unsafe is None for unsafe in judged)
    name = f"{tool} ({silent} files without an answer)" if silent else tool
    return f"| {name} | {len(files)} | {counts.f1:.3f} | {counts.hit} | {counts.wrong} | {counts.missed} |"


def _squawk(files: list[tuple[Case, Expected]]) -> list[bool | None]:
    program = shutil.which("squawk") or str(Path(sys.executable).with_name("squawk"))
    judged: list[bool | None] = []
    for case, expected in files:
        statements, together = way_up(expected.framework, case.root / expected.path)
        options = ["--reporter", "json", "--pg-version", "15", *(f"--exclude={rule}" for rule in STYLE)]
        options += ["--assume-in-transaction"] if together else []
        text = "\n".join(statement.rstrip(" \n;") + ";" for statement in statements)
        done = subprocess.run([program, *options], input=text, capture_output=True, text=True, check=False)
        try:
            found = {entry["rule_name"] for entry in json.loads(done.stdout)}
        except ValueError:
            judged.append(None)
            continue
        judged.append(bool(found - _MILD - set(STYLE)))
    return judged


def _django(files: list[tuple[Case, Expected]]) -> list[bool | None]:
    """It needs a database it can ask and a project it can import; its warnings count like its errors, which is the better figure for it."""
    judged: list[bool | None] = []
    with running() as cluster:
        dsn = cluster.dsn("postgres")
        for case, expected in files:
            with copy_of(case) as folder:
                path = Path(expected.path)
                module = ["-m", "benchmarks.migrations.django_worker", folder, dsn, path.parents[1].name, path.stem, "lint"]
                done = subprocess.run([sys.executable, "-W", "ignore", *module], capture_output=True, text=True, check=False)
            judged.append(None if done.returncode else any(json.loads(done.stdout.splitlines()[-1]).values()))
    return judged
