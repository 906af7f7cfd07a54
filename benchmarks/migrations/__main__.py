"""Scores `auditor migrations PATH --json` on sets of migrations, and checks the sets themselves against a real PostgreSQL.

    python -m benchmarks.migrations [FOLDER...]            our reader on the set (default: fixtures/migrations)
    python -m benchmarks.migrations --run [FOLDER...]      runs the PostgreSQL, Alembic and Django migrations and compares
    python -m benchmarks.migrations --others [FOLDER...]   squawk and django-migration-linter on what they can read

The last two need the dependency group `migrations` and PostgreSQL's server programs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from benchmarks.migrations.cases import Case, load
from benchmarks.migrations.scoring import Told, score, table

SET = Path(__file__).parents[2] / "fixtures" / "migrations"
READER = [sys.executable, "-m", "auditor.cli", "migrations"]


def main() -> int:
    """Measure, print, and say by the exit code whether a run refuted the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=[SET])
    parser.add_argument("--run", action="store_true", help="run the migrations and compare what happens")
    parser.add_argument("--others", action="store_true", help="measure other tools beside ours")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    cases = [case for case in load(arguments.folders) if arguments.only in case.name]
    if arguments.run:
        from benchmarks.migrations.reality import run

        complaints, counts = run(cases)
        print("\n".join([*complaints, f"\n{counts['run']} run, {counts['agrees']} as expected; {counts['not run']} could not be run"]))
        return 1 if complaints else 0
    if arguments.others:
        from benchmarks.migrations.others import compare

        print(compare(cases, answers(cases) if find_spec("tree_sitter") else None))
        return 0
    result = score(answers(cases))
    print("\n".join([table(result), "", "Wrong:", *(f"- {text}" for text in result.complaints)]))
    return 0


def answers(cases: list[Case]) -> list[tuple[Case, Told, frozenset[str]]]:
    """What our reader says of each case."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(_answer, cases))


def _answer(case: Case) -> tuple[Case, Told, frozenset[str]]:
    done = subprocess.run([*READER, str(case.root), "--json"], capture_output=True, text=True, check=False)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"{case.name}: no JSON from `auditor migrations`: {done.stderr.strip()[-300:]}") from None
    return case, {entry["path"]: entry for entry in told["files"]}, frozenset(entry["kind"] for entry in told["problems"])


if __name__ == "__main__":
    sys.exit(main())
