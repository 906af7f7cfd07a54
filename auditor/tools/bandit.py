"""The port to bandit: texts in, hits and an account of what was really read out.

Bandit runs as a library inside worker processes (`bandit_worker`), because its command line reads settings of the audited tree, honours
`# nosec`, and reports a file it could not read or a test that raised as a success.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from auditor.tools.bandit_map import USED
from auditor.tools.process import Completed, run_side_by_side, workspace

_WORKER = Path(__file__).with_name("bandit_worker.py")
_CRASHES = 5
"""Worker crashes after which the rest is given up."""
_FILES_PER_WORKER = 12
"""Below this many files a further process costs more than it saves."""


class BanditError(Exception):
    """bandit cannot be used at all; the message is the reason as a clause."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One result; severity and confidence as bandit's words "LOW", "MEDIUM", "HIGH"."""

    test: str
    line: int
    end_line: int
    severity: str
    confidence: str


@dataclass(slots=True)
class Answer:
    """Hits per path, the reason per path that was not read, and those of them where trying again may help."""

    hits: dict[str, list[Hit]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    transient: set[str] = field(default_factory=set)


def version() -> str:
    """The installed version, "" when bandit is not installed."""
    try:
        return importlib.metadata.version("bandit")
    except importlib.metadata.PackageNotFoundError:
        return ""


def site() -> str | None:
    """The directory bandit is installed in."""
    spec = importlib.util.find_spec("bandit")
    return str(Path(spec.origin).parent.parent) if spec is not None and spec.origin is not None else None


def examine(
    texts: Sequence[tuple[str, str]],
    *,
    root: Path,
    workers: int,
    timeout: float | None,
    cancelled: threading.Event,
    worker: Path = _WORKER,
) -> Answer:
    """Run the used tests over (path, text) pairs, split over at most `workers` processes, largest first.

    Raises:
        BanditError: bandit is missing or does not answer at all.
    """
    place = site()
    if place is None:
        raise BanditError("it is not installed")
    answer = Answer()
    waiting = _shards(texts, min(workers, 1 + len(texts) // _FILES_PER_WORKER))
    crashes = 0
    with workspace(root) as directory:
        while waiting:
            jobs = [([sys.executable, "-I", str(worker)], _job(place, shard)) for shard in waiting]
            done = run_side_by_side(jobs, workers=workers, cwd=directory, timeout=timeout, cancelled=cancelled)
            left = [_collect(shard, completed, answer) for shard, completed in zip(waiting, done, strict=True)]
            waiting = [rest for rest in left if rest]
            crashes += len(waiting)
            if crashes > _CRASHES:
                paths = [path for rest in waiting for path, _ in rest]
                answer.unread.update(dict.fromkeys(paths, "bandit crashed too often"))
                break
    if texts and not answer.hits and crashes and len(answer.unread) == len(texts):
        raise BanditError("its process crashes at once")
    return answer


def _job(place: str, shard: Sequence[tuple[str, str]]) -> str:
    return json.dumps({"site": place, "tests": sorted(USED), "files": list(shard)})


def _shards(texts: Sequence[tuple[str, str]], count: int) -> list[list[tuple[str, str]]]:
    shards: list[list[tuple[str, str]]] = [[] for _ in range(max(1, count))]
    sizes = [0] * len(shards)
    for path, text in sorted(texts, key=lambda entry: (-len(entry[1]), entry[0])):
        lightest = sizes.index(min(sizes))
        shards[lightest].append((path, text))
        sizes[lightest] += len(text) + 200
    return [shard for shard in shards if shard]


def _collect(shard: list[tuple[str, str]], completed: Completed, answer: Answer) -> list[tuple[str, str]]:
    """Enter what a worker said; what is left to do after a crash is returned without the file it crashed on."""
    answered = _read_lines(completed.stdout, answer)
    rest = [entry for entry in shard if entry[0] not in answered]
    if not rest:
        return []
    if not completed.exited:
        for path, _ in rest:
            answer.unread[path] = f"bandit: {completed.ending.value}"
            answer.transient.add(path)
        return []
    answer.unread[rest[0][0]] = "bandit crashed on it"
    return rest[1:]


def _read_lines(output: str, answer: Answer) -> set[str]:
    answered: set[str] = set()
    for line in output.splitlines():
        try:
            path, reason, hits = json.loads(line)
            found = [Hit(*hit) for hit in hits]
        except (ValueError, TypeError):
            continue  # a line cut off by a crash
        answered.add(path)
        if reason:
            answer.unread[path] = str(reason)
        if not reason or found:
            answer.hits[path] = found
    return answered
