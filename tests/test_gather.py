"""Providers side by side: each as soon as it can, none able to stop the others or the audit."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor import gather as module
from auditor.cache import Cache
from auditor.evidence.registry import Context, Provider
from auditor.gather import TIME_LIMIT, gather
from auditor.model.need import Known, Need, ToolStamp, Unavailable
from auditor.model.needs import SNAPSHOT
from auditor.snapshot import Reading, read_tree
from tests.support.repositories import from_texts

STAMP = ToolStamp("t", "1")


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return read_tree(from_texts(tmp_path, {"a.py": "x = 1\n"}))


@pytest.fixture
def supply(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    known: dict[str, Provider] = {}
    monkeypatch.setattr(module, "providers", lambda: known)

    def add(name: str, function: Callable[..., Any], *needs: Need[Any]) -> None:
        known[name] = Provider(Need(name), needs, function)

    return add


def context(deadline: float | None = None) -> Context:
    return Context(Path(), Cache(None), "2026-01-01", deadline=deadline)


def test_values_flow_along_the_needs(reading: Reading, supply: Callable[..., None]) -> None:
    supply("a", lambda _c, snapshot: Known(len(snapshot.files), STAMP), SNAPSHOT)
    supply("b", lambda _c, a: Known(a + 1, STAMP), Need("a"))
    supply("never", lambda _c: pytest.fail("not wanted"))
    evidence = gather(context(), reading, [Need("b")])
    assert isinstance(evidence["b"], Known)
    assert evidence["b"].value == 2
    assert "never" not in evidence


def test_what_is_missing_is_missing_for_all_that_build_on_it(reading: Reading, supply: Callable[..., None]) -> None:
    supply("a", lambda _c: Unavailable("semgrep", "gone", "get it"))
    supply("b", lambda _c, _a: pytest.fail("never called"), Need("a"))
    assert gather(context(), reading, [Need("b")])["b"] == Unavailable("semgrep", "gone", "get it")


@pytest.mark.parametrize("error", [ValueError("x"), RecursionError(), MemoryError(), UnicodeDecodeError("utf-8", b"", 0, 1, "x")])
def test_a_provider_that_breaks_leaves_its_evidence_missing(reading: Reading, supply: Callable[..., None], error: Exception) -> None:
    def broken(_context: Context) -> Known[Any]:
        raise error

    supply("a", broken)
    supply("b", lambda _c: Known(1, STAMP))
    evidence = gather(context(), reading, [Need("a"), Need("b")])
    assert isinstance(evidence["a"], Unavailable)
    assert type(error).__name__ in evidence["a"].reason
    assert isinstance(evidence["b"], Known)


def test_a_hanging_provider_ends_with_the_time_limit(reading: Reading, supply: Callable[..., None]) -> None:
    here = context(time.monotonic() + 0.3)
    supply("slow", lambda c: c.cancelled.wait(30))
    supply("after", lambda _c, _s: Known(1, STAMP), Need("slow"))
    supply("quick", lambda _c: Known(1, STAMP))
    started = time.monotonic()
    evidence = gather(here, reading, [Need("after"), Need("quick")])
    assert time.monotonic() - started < 30
    assert isinstance(evidence["quick"], Known)
    for name in ("slow", "after"):
        assert isinstance(evidence[name], Unavailable)
        assert evidence[name].reason == TIME_LIMIT
    assert here.cancelled.is_set()


def test_nobody_supplies_it_and_circles(reading: Reading, supply: Callable[..., None]) -> None:
    supply("a", lambda _c, _b: Known(1, STAMP), Need("b"))
    supply("b", lambda _c, _a: Known(1, STAMP), Need("a"))
    evidence = gather(context(), reading, [Need("a"), Need("strange")])
    assert all(isinstance(evidence[name], Unavailable) for name in ("a", "b", "strange"))
