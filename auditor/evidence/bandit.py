"""Evidence BANDIT: hits of the bandit tests that some item uses, in first-party Python, remembered by content."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import astuple

from auditor.cache import cache_key
from auditor.evidence.registry import Context, provides
from auditor.model.evidence import ToolHit, ToolHits
from auditor.model.need import Known, ToolStamp, Unavailable
from auditor.model.needs import BANDIT, SNAPSHOT, TEXTS
from auditor.model.snapshot import Language, Role, Snapshot
from auditor.model.verdict import Confidence
from auditor.tools import bandit
from auditor.tools.bandit_map import USED

_FORMAT = "bandit-1"


@provides(BANDIT, needs=(SNAPSHOT, TEXTS))
def bandit_hits(context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[ToolHits] | Unavailable:
    """Run bandit over production code."""
    installed = bandit.version()
    if not installed:
        return Unavailable("bandit", "it is not installed.")
    files = [file for file in snapshot.with_role(Role.FIRST_PARTY) if file.language is Language.PYTHON and file.path in texts]
    keys = {file.path: _key(installed, file.digest) for file in files}
    stored = context.cache.get_many(keys.values())
    fresh = [(file.path, texts[file.path]) for file in files if keys[file.path] not in stored]
    try:
        answer = _run(context, fresh)
    except bandit.BanditError as error:
        return Unavailable("bandit", f"{error}.")
    _remember(context, answer, keys)
    for path, key in keys.items():
        if key in stored:
            _recall(stored[key], path, answer)
    unread = tuple(sorted(answer.unread.items()))
    hits = sorted(
        (_hit(path, hit) for path, found in answer.hits.items() for hit in found),
        key=lambda hit: (hit.path, hit.line, hit.end_line, hit.rule),
    )
    examined = frozenset(answer.hits) - frozenset(answer.unread)
    return Known(ToolHits(tuple(hits), unread), ToolStamp("bandit", installed), examined, unread)


def _run(context: Context, fresh: list[tuple[str, str]]) -> bandit.Answer:
    if not fresh:
        return bandit.Answer()
    started = time.monotonic()
    context.progress(f"bandit: {len(fresh)} files")
    answer = bandit.examine(fresh, root=context.root, workers=context.workers, timeout=context.remaining(), cancelled=context.cancelled)
    context.progress(f"bandit: done, {time.monotonic() - started:.1f} s")
    return answer


def _key(installed: str, digest: str) -> str:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    tests = hashlib.sha256(" ".join(sorted(USED)).encode()).hexdigest()
    return cache_key(_FORMAT, installed, python, tests, digest)


def _remember(context: Context, answer: bandit.Answer, keys: dict[str, str]) -> None:
    entries: dict[str, bytes] = {}
    for path in (answer.hits.keys() | answer.unread.keys()) - answer.transient:
        hits = [astuple(hit) for hit in answer.hits.get(path, [])]
        entries[keys[path]] = json.dumps([answer.unread.get(path, ""), hits]).encode()
    context.cache.put_many(entries)


def _recall(stored: bytes, path: str, answer: bandit.Answer) -> None:
    reason, hits = json.loads(stored)
    if reason:
        answer.unread[path] = reason
    if not reason or hits:
        answer.hits[path] = [bandit.Hit(*hit) for hit in hits]


def _hit(path: str, hit: bandit.Hit) -> ToolHit:
    meaning = USED[hit.test]
    harmless = meaning.constant_is_harmless and hit.severity == "LOW"
    return ToolHit(
        meaning.item,
        hit.test,
        path,
        hit.line,
        max(hit.line, hit.end_line),
        meaning.message,
        cwe=meaning.cwe,
        confidence=Confidence(hit.confidence.lower()) if hit.confidence.lower() in set(Confidence) else Confidence.LOW,
        grade="note" if harmless else meaning.grade,
    )
