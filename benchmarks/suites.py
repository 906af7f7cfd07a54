"""Scores the audit against public suites of vulnerable code, from a checkout given to it; nothing of a suite is part of this repository.

    python -m benchmarks.suites owasp path/to/BenchmarkPython
    python -m benchmarks.suites securityeval path/to/SecurityEval
    python -m benchmarks.suites leaky path/to/leaky-repo
    python -m benchmarks.suites apps path/to/folder-of-checkouts

`owasp` prints true and false positive rates and their difference (Youden index) by category, `securityeval` the share of samples found with a related CWE,
`leaky` recall and precision of the credential scan by file and by risk, `apps` the share of the weaknesses that small vulnerable applications document about
themselves. An audit keeps 500 findings of an item, so large suites are audited in portions.
"""

from __future__ import annotations

import argparse
import collections
import csv
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from auditor import audit
from auditor.model.report import Report
from benchmarks.apps import apps
from benchmarks.weaknesses import related

PORTION = 60
OWASP_CWES = {
    "cmdi": {77, 78, 88},
    "codeinj": {94, 95, 1336},
    "deserialization": {502},
    "hash": {326, 327, 328, 916},
    "ldapi": {90},
    "pathtraver": {22, 23, 36, 73},
    "redirect": {601},
    "securecookie": {614, 1004, 1275},
    "sqli": {89},
    "trustbound": {501},
    "weakrand": {330, 338},
    "xpathi": {91, 643},
    "xss": {79},
    "xxe": {611},
}


def main() -> int:
    """Run one suite."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=["owasp", "securityeval", "leaky", "apps"])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--advisories", type=Path, help="OSV archive, for `apps`")
    arguments = parser.parse_args()
    if arguments.suite == "apps":
        print(apps(arguments.checkout, arguments.advisories))
    else:
        print({"owasp": owasp, "securityeval": security_eval, "leaky": leaky}[arguments.suite](arguments.checkout))
    return 0


def examine(root: Path, only: Iterable[str] = ()) -> Report:
    """An audit that keeps nothing and asks nobody."""
    return audit(root, date="2026-01-01", use_cache=False, only=only)


def places(report: Report) -> Iterator[tuple[str, int]]:
    """(path, CWE) of every finding."""
    for outcome in report.outcomes:
        for finding in outcome.findings:
            yield finding.path, finding.cwe


def owasp(checkout: Path) -> str:
    """OWASP BenchmarkPython: expected results stand beside the code."""
    rows = [row for row in csv.reader((checkout / "expectedresults-0.1.csv").open()) if row and not row[0].startswith("#")]
    found: dict[str, set[int]] = collections.defaultdict(set)
    for start in range(0, len(rows), PORTION):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "app"
            shutil.copytree(checkout, root, ignore=shutil.ignore_patterns("testcode", ".git"))
            (root / "testcode").mkdir()
            for row in rows[start : start + PORTION]:
                shutil.copy(checkout / "testcode" / f"{row[0]}.py", root / "testcode")
            for path, cwe in places(examine(root)):
                found[Path(path).stem].add(cwe)
        print(f"{min(start + PORTION, len(rows))} of {len(rows)}", file=sys.stderr)
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for name, category, real, *_ in rows:
        hit = bool(found[name] & OWASP_CWES[category])
        counts[category][("TP" if hit else "FN") if real == "true" else ("FP" if hit else "TN")] += 1
    lines = ["| category | TP | FN | FP | TN | TPR | FPR | Youden |", "|---|---|---|---|---|---|---|---|"]
    total = 0.0
    for category, count in sorted(counts.items()):
        positive, negative = count["TP"] / max(1, count["TP"] + count["FN"]), count["FP"] / max(1, count["FP"] + count["TN"])
        total += positive - negative
        cells = [count[key] for key in ("TP", "FN", "FP", "TN")]
        lines.append(f"| {category} | {' | '.join(map(str, cells))} | {positive:.2f} | {negative:.2f} | {positive - negative:+.2f} |")
    return "\n".join([*lines, f"\nMean Youden index: {total / len(counts):+.2f}"])


def security_eval(checkout: Path) -> str:
    """SecurityEval: one insecure sample a file, its CWE in the folder's name."""
    samples = sorted((checkout / "Testcases_Insecure_Code").glob("CWE-*/*.py"))
    hits: dict[bool, list[str]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "app"
        for number, sample in enumerate(samples):
            target = root / f"part{number}" / f"m{number}.py"
            target.parent.mkdir(parents=True)
            shutil.copy(sample, target)
        found: dict[str, set[int]] = collections.defaultdict(set)
        for path, cwe in places(examine(root)):
            found[Path(path).stem].add(cwe)
    for number, sample in enumerate(samples):
        expected = related(int(sample.parent.name.removeprefix("CWE-")))
        hits[bool(found[f"m{number}"] & expected)].append(f"{sample.parent.name}/{sample.name}")
    missed = "\n".join(f"- {name}" for name in hits[False])
    return f"{len(hits[True])} of {len(samples)} samples found with a related CWE ({100 * len(hits[True]) / len(samples):.0f} %)\n\nMissed:\n{missed}"


def leaky(checkout: Path) -> str:
    """leaky-repo: its table says how many secrets that are a risk, and how many that only inform, each file holds."""
    rows = [[cell.strip() for cell in row] for row in csv.reader((checkout / ".leaky-meta" / "secrets.csv").open())]
    expected = {row[0].lstrip("/"): (int(row[1]), int(row[2])) for row in rows if len(row) >= 3 and row[1].isdigit() and row[2].isdigit()}
    report = examine(checkout, ["secrets.none-committed"])
    by_file = collections.Counter(finding.path for outcome in report.outcomes for finding in outcome.findings)
    risk = sum(min(by_file[name], risky) for name, (risky, _) in expected.items())
    total = sum(risky for risky, _ in expected.values())
    files = sum(by_file[name] > 0 for name, (risky, _) in expected.items() if risky)
    strange = sorted(set(by_file) - set(expected))
    precision = sum(by_file[name] > 0 for name in expected) / max(1, len(by_file))
    missed = [name for name, (risky, _) in sorted(expected.items()) if risky and by_file[name] < risky]
    return "\n".join(
        [
            f"risk recall: {risk} of {total} ({risk / max(1, total):.2f}); files with a risk found: {files} of {sum(risky > 0 for risky, _ in expected.values())}",
            f"precision by file: {precision:.2f}; files beside the list: {', '.join(strange) or 'none'}",
            f"not, or not wholly, found: {', '.join(missed) or 'none'}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
