"""Runs the migrations of the set on a PostgreSQL of its own and compares what happens with what the set expects."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.migrations import observe, rows
from benchmarks.migrations.cases import Case, Expected
from benchmarks.migrations.cluster import Cluster, running
from benchmarks.migrations.runners import RUNNABLE, SQL, Steps, copy_of, steps

DATA_STATES = ("22", "23")
FILLINGS = ({"gaps": True}, {"gaps": False}, None)
"""Optional values missing here and there; every value given; no rows. The next is tried when the rows make the migration fail."""


@dataclass(slots=True)
class Seen:
    """What happened when one file was run: kinds, way back, what failed and on which rows; `skipped` says why it was not run."""

    kinds: frozenset[str] = frozenset()
    reversible: bool | str | None = None
    failed: str = ""
    state: str = ""
    skipped: str = ""


def run(cases: list[Case]) -> tuple[list[str], dict[str, int]]:
    """Complaints, and counts of what was run."""
    complaints: list[str] = []
    counts = {"run": 0, "agrees": 0, "not run": 0}
    with running() as cluster:
        for case in cases:
            for expected in case.files:
                if expected.framework not in RUNNABLE or case.database != "postgresql":
                    continue
                seen = _watch(cluster, case, expected)
                wrong = _differences(expected, seen)
                counts["not run" if seen.skipped else "run"] += 1
                counts["agrees"] += not wrong and not seen.skipped
                complaints += [f"{case.name}: {Path(expected.path).name}: {text}" for text in wrong]
                _tell(case, expected, seen)
    return complaints, counts


def _tell(case: Case, expected: Expected, seen: Seen) -> None:
    told = (
        seen.skipped or f"{', '.join(sorted(seen.kinds)) or 'nothing'}; back: {seen.reversible}{'; ' + seen.failed if seen.failed else ''}"
    )
    print(f"{case.name}: {Path(expected.path).name}: {told}", file=sys.stderr)


def _watch(cluster: Cluster, case: Case, expected: Expected) -> Seen:
    with copy_of(case) as folder:
        try:
            what = steps(case, expected.path, Path(folder))
        except Exception as error:  # noqa: BLE001 - a set that cannot be loaded is a result
            return Seen(skipped=f"cannot be loaded: {type(error).__name__}: {error}".split("\n")[0])
        seen = Seen()
        for filling in FILLINGS:
            again, rows_to_blame = _once(cluster, expected, what, filling, seen)
            seen = again
            if not rows_to_blame:
                break
        return seen


def _once(cluster: Cluster, expected: Expected, what: Steps, filling: dict | None, earlier: Seen) -> tuple[Seen, bool]:
    """One run on one filling, and whether it failed because of the rows."""
    name = cluster.fresh(supabase=expected.framework == "supabase")
    dsn = cluster.dsn(name)
    try:
        started = what.before(dsn)
        if started.error:
            return Seen(skipped=f"earlier files fail: {started.error}"), False
        with psycopg.connect(dsn, autocommit=True) as connection:
            if filling and not rows.fill(connection, **filling):
                return earlier, True
            before = observe.look(connection)
            outcome = what.up(dsn)
            if outcome.state.startswith(DATA_STATES) and filling:
                where = "with gaps" if filling["gaps"] else "filled"
                return Seen(failed=f"{earlier.failed + '; ' if earlier.failed else ''}{where}: {outcome.error}"), True
            after = observe.look(connection)
            found = observe.kinds(before, after, outcome)
            failed = "; ".join(filter(None, [earlier.failed, outcome.error]))
            seen = Seen(found, _back(dsn, what, before, outcome), failed, outcome.state)
            if expected.framework == "supabase" and what.rest and not what.rest(dsn).error:
                new = after.tables.keys() - before.tables.keys()
                seen.kinds |= {"missing_rls"} if observe.unsecured(observe.look(connection), new) else set()
            return seen, False
    except RuntimeError as error:
        return Seen(skipped=str(error)), False
    finally:
        cluster.drop(name)


def _back(dsn: str, what: Steps, before: observe.Schema, outcome: observe.Outcome) -> bool | str | None:
    """How the way down ends; None where there is none, or where nothing was done that it could undo."""
    if what.down is None or outcome.error:
        return None
    with psycopg.connect(dsn, autocommit=True) as connection:
        after = observe.look(connection)
        back = what.down(dsn)
        return observe.way_back(before, after, observe.look(connection), back)


def _differences(expected: Expected, seen: Seen) -> list[str]:
    if seen.skipped:
        return []
    wrong = []
    allowed = expected.unsafe | expected.tolerated
    if seen.kinds - allowed - {"drop_index_blocking", "drop_not_null"}:
        wrong.append(f"happens, not expected: {', '.join(sorted(seen.kinds - allowed))}")
    stopped = bool(seen.state) and not expected.broken
    if expected.unsafe - seen.kinds and not (stopped and seen.kinds & expected.unsafe):
        wrong.append(
            f"expected, does not happen: {', '.join(sorted(expected.unsafe - seen.kinds))}{' (' + seen.failed + ')' if seen.failed else ''}"
        )
    if not expected.unsafe and seen.failed and not expected.broken:
        wrong.append(f"expected to be safe, fails: {seen.failed}")
    if expected.broken and not seen.failed:
        wrong.append("expected to be broken, runs")
    no_way = seen.reversible is None and expected.reversible is False and expected.framework in SQL
    if not stopped and not expected.broken and seen.reversible != expected.reversible and not no_way and seen.reversible is not None:
        wrong.append(f"way back: {seen.reversible}, expected {expected.reversible}")
    return wrong
