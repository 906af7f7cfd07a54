"""Gathers evidence: runs the providers that the wanted checks need, side by side, each as soon as what it builds on is there.

A provider that fails, or does not finish in time, leaves `Unavailable` behind; nothing here judges.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterable
from typing import Any

from auditor.evidence.registry import Context, Provider, own_stamp, providers
from auditor.model.need import Known, Need, Unavailable
from auditor.model.needs import SNAPSHOT, TEXTS
from auditor.snapshot import Reading

_log = logging.getLogger(__name__)

Evidence = dict[str, "Known[Any] | Unavailable"]
TIME_LIMIT = "the time limit was reached before it finished"


def gather(context: Context, reading: Reading, wanted: Iterable[Need[Any]]) -> Evidence:
    """All evidence that `wanted` and what it builds on require, by need name."""
    known = providers()
    evidence: Evidence = {
        SNAPSHOT.name: Known(reading.snapshot, own_stamp()),
        TEXTS.name: Known(reading.texts, own_stamp()),
    }
    pending = _closure(known, (need.name for need in wanted))
    finished: queue.Queue[tuple[str, Known[Any] | Unavailable]] = queue.Queue()
    running: set[str] = set()
    while pending or running:
        for name in _ready(known, pending, evidence):
            pending.remove(name)
            running.add(name)
            _start(known[name], context, evidence, finished)
        if not running:
            for name in sorted(pending):
                evidence[name] = Unavailable(name, "nothing supplies it")
            break
        try:
            name, value = finished.get(timeout=_patience(context))
        except queue.Empty:
            context.cancelled.set()
            for name in sorted(running | pending):
                evidence[name] = Unavailable(name, TIME_LIMIT, "Raise --timeout.")
            break
        running.discard(name)
        evidence[name] = value
    return evidence


def _patience(context: Context) -> float | None:
    remaining = context.remaining()
    return None if remaining is None else max(0.01, remaining)


def _closure(known: dict[str, Provider], names: Iterable[str]) -> set[str]:
    wanted: set[str] = set()
    pending = [name for name in names if name not in {SNAPSHOT.name, TEXTS.name}]
    while pending:
        name = pending.pop()
        if name in wanted:
            continue
        wanted.add(name)
        if name in known:
            pending.extend(need.name for need in known[name].needs if need.name not in {SNAPSHOT.name, TEXTS.name})
    return wanted


def _ready(known: dict[str, Provider], pending: set[str], evidence: Evidence) -> list[str]:
    """Providers whose needs are settled, the slow outside tools first."""
    ready = [name for name in pending if name in known and all(need.name in evidence for need in known[name].needs)]
    return sorted(ready, key=lambda name: (name not in {"semgrep", "bandit"}, name))


def _start(provider: Provider, context: Context, evidence: Evidence, finished: queue.Queue[tuple[str, Known[Any] | Unavailable]]) -> None:
    name = provider.need.name
    values = []
    for need in provider.needs:
        match evidence[need.name]:
            case Known(value=value):
                values.append(value)
            case Unavailable() as missing:
                finished.put((name, Unavailable(missing.tool, missing.reason, missing.remedy or need.remedy)))
                return

    def work() -> None:
        finished.put((name, _supply(provider, context, values)))

    threading.Thread(target=work, name=f"evidence-{name}", daemon=True).start()


def _supply(provider: Provider, context: Context, values: list[Any]) -> Known[Any] | Unavailable:
    try:
        return provider.function(context, *values)
    except Exception as error:  # noqa: BLE001 - a reader that breaks on hostile input makes its items unknown, never the audit fail
        _log.debug("evidence %s failed", provider.need.name, exc_info=True)
        return Unavailable(provider.need.name, f"reading it failed ({type(error).__name__}); this is a defect of auditor")
