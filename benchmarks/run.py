"""Measures an audit against the slowest tools it stands on, on trees given on the command line: `python -m benchmarks.run TREE...`.

Cold (empty cache), warm (nothing changed) and one file changed, beside bandit and semgrep alone over the same files with the same rules. Every figure
is the median of several runs; memory is the peak of the whole process tree. `--grow` repeats one tree two and four times with altered files.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from auditor.cache import Cache
from auditor.model.snapshot import Language, Role
from auditor.resources import data_dir
from auditor.snapshot import Reading, read_tree
from auditor.tools.rules import load_bundle

TICK = 0.05
PAGE = os.sysconf("SC_PAGE_SIZE")
SCRIPTS = {Language.PYTHON, Language.JAVASCRIPT, Language.TYPESCRIPT, Language.TSX}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command: seconds on the clock, processor seconds and peak memory in megabytes, children included."""

    wall: float
    processor: float
    megabytes: float


def measure(command: list[str]) -> Run:
    """Run a command; its exit code is not looked at, since tools use it for findings."""
    before = os.times()
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = _Peak(process.pid)
    peak.start()
    process.wait()
    wall = time.perf_counter() - started
    peak.stop.set()
    peak.join()
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(wall, processor, peak.bytes / 1e6)


class _Peak(threading.Thread):
    """Watches the resident memory of a process tree."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root, self.bytes, self.stop = root, 0, threading.Event()

    def run(self) -> None:
        while not self.stop.wait(TICK):
            self.bytes = max(self.bytes, sum(map(_resident, _family(self.root))))


def _family(root: int) -> set[int]:
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
    found, size = {root}, 0
    while len(found) > size:
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found


def _resident(process: int) -> int:
    """Memory of a process with shared pages shared out, so that workers of one program are not counted twice."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().split("\n"):
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0


def median(runs: list[Run]) -> Run:
    """The median of each figure."""
    return Run(
        statistics.median(run.wall for run in runs),
        statistics.median(run.processor for run in runs),
        statistics.median(run.megabytes for run in runs),
    )


def auditor(tree: Path, cache: Path, workers: int) -> list[str]:
    """The command line of an audit."""
    arguments = ["audit", tree, "--json", "-", "--cache-dir", cache, "--workers", workers, "--date", "2026-01-01"]
    return [sys.executable, "-m", "auditor.cli", *map(str, arguments)]


def alone(reading: Reading, tree: Path, folder: Path, workers: int) -> dict[str, list[str]]:
    """The tools' own command lines over the same files."""
    files = [file for file in reading.snapshot.with_role(Role.FIRST_PARTY) if file.language in SCRIPTS]
    bundle = load_bundle(data_dir("rules"), Cache(None))
    rules = folder / "rules.json"
    rules.write_text(json.dumps({"rules": [json.loads(text) for text in bundle.rules.values()]}))
    semgrep = [
        str(Path(sys.executable).with_name("semgrep")),
        "scan",
        "--config",
        str(rules),
        "--json",
        "--metrics=off",
        "--disable-version-check",
    ]
    commands = {"semgrep": [*semgrep, "--no-git-ignore", "--jobs", str(workers), *(str(tree / file.path) for file in files)]}
    python = [str(tree / file.path) for file in files if file.language is Language.PYTHON]
    if python:
        commands["bandit"] = [sys.executable, "-m", "bandit", "-q", "-f", "json", *python]
    return commands


def repeated(times: int, action: Callable[[], Run]) -> Run:
    """The median of several runs."""
    return median([action() for _ in range(times)])


def benchmark(tree: Path, times: int, workers: int) -> dict[str, Run]:
    """All figures for one tree; the tree itself is copied, never written to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy = folder / "tree"
        shutil.copytree(tree, copy, symlinks=True)
        reading = read_tree(copy)
        results = {
            name: repeated(times, lambda command=command: measure(command))
            for name, command in alone(reading, copy, folder, workers).items()
        }

        def cold() -> Run:
            cache = folder / f"cache-{time.monotonic_ns()}"
            return measure(auditor(copy, cache, workers))

        results["cold"] = repeated(times, cold)
        cache = folder / "cache"
        measure(auditor(copy, cache, workers))
        results["warm"] = repeated(times, lambda: measure(auditor(copy, cache, workers)))
        changing = max(
            (file for file in reading.snapshot.with_role(Role.FIRST_PARTY) if file.language in SCRIPTS and file.lines < 1_000),
            key=lambda file: (file.lines, file.path),
        )
        mark = "#" if changing.language is Language.PYTHON else "//"

        def changed() -> Run:
            with (copy / changing.path).open("a") as handle:
                handle.write(f"\n{mark} {time.monotonic_ns()}\n")
            return measure(auditor(copy, cache, workers))

        results["one file changed"] = repeated(times, changed)
        return results


def lines_of(reading: Reading) -> int:
    """Lines of first-party code in the languages that are read."""
    return sum(file.lines for file in reading.snapshot.with_role(Role.FIRST_PARTY) if file.language in SCRIPTS)


def grown(tree: Path, folder: Path, factor: int) -> Path:
    """A tree with `factor` altered copies of the source files."""
    reading = read_tree(tree)
    target = folder / f"times-{factor}"
    for number in range(factor):
        for file in reading.snapshot.with_role(Role.FIRST_PARTY):
            if file.language in SCRIPTS:
                path = target / f"copy_{number}" / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                mark = "#" if file.language is Language.PYTHON else "//"
                path.write_text(f"{reading.texts[file.path]}\n{mark} copy {number}\n")
    return target


def table(title: str, lines: int, results: dict[str, Run]) -> str:
    """One Markdown table, with the ratios the targets are stated in."""
    tools = [results[name].wall for name in ("semgrep", "bandit") if name in results]
    rows = [f"### {title} ({lines:,} lines)", "", "| run | seconds | processor seconds | peak MB |", "|---|---|---|---|"]
    rows += [f"| {name} | {run.wall:.2f} | {run.processor:.2f} | {run.megabytes:.0f} |" for name, run in results.items()]
    ratios = {
        "cold / slowest tool alone": results["cold"].wall / max(tools),
        "cold / the tools one after another": results["cold"].wall / sum(tools),
        "warm / cold": results["warm"].wall / results["cold"].wall,
        "one file changed / cold": results["one file changed"].wall / results["cold"].wall,
    }
    return "\n".join([*rows, "", *(f"- {name}: {ratio:.2f}" for name, ratio in ratios.items()), ""])


def growth(tree: Path, times: int, workers: int) -> str:
    """How time and memory grow when the code doubles twice."""
    rows = ["### Growth", "", "| lines | cold seconds | processor seconds per 1,000 added lines | peak MB |", "|---|---|---|---|"]
    before: tuple[int, float] | None = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for factor in (1, 2, 4):
            copy = grown(tree, folder, factor)
            lines = lines_of(read_tree(copy))
            run = repeated(times, lambda copy=copy: measure(auditor(copy, folder / f"cache-{time.monotonic_ns()}", workers)))
            added = f"{(run.processor - before[1]) / (lines - before[0]) * 1_000:.2f}" if before else ""
            rows.append(f"| {lines:,} | {run.wall:.2f} | {added} | {run.megabytes:.0f} |")
            before = (lines, run.processor)
    return "\n".join([*rows, ""])


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", nargs="*", type=Path)
    parser.add_argument("--grow", type=Path, metavar="TREE")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start, median of {given.times}.\n", flush=True)
    for tree in given.trees:
        results = benchmark(tree, given.times, given.workers)
        print(table(tree.resolve().name, lines_of(read_tree(tree)), results), flush=True)
    if given.grow:
        print(growth(given.grow, given.times, given.workers), flush=True)


if __name__ == "__main__":
    main()
