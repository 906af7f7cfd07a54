"""How evidence is supplied: providers registered by need, and the context they work in. Nothing here knows a particular kind."""

from __future__ import annotations

import importlib
import pkgutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from auditor.cache import Cache
from auditor.model.need import Known, Need, ToolStamp, Unavailable
from auditor.model.settings import Settings

T = TypeVar("T")

ProviderFunction = Callable[..., "Known[Any] | Unavailable"]


@dataclass(frozen=True, slots=True)
class Context:
    """What a provider may use beside other evidence.

    `root`: the audited directory (for tools and git; sources come from TEXTS). `workers`: processes a provider may start. `deadline`: time.monotonic() value after which
    work should stop, None without limit. `date`: the audit date, ISO 8601. `advisories`: file with advisory data or None. `online`: network
    look-ups are allowed, at the address `osv_service` ("" = OSV's own). `settings`: the owner's, empty ones in anybody else's audit; `part`: the folder
    the audit is narrowed to. `progress`: called with a short text when a step starts or ends (stderr in the command line).
    """

    root: Path
    cache: Cache
    date: str
    workers: int = 2
    deadline: float | None = None
    advisories: Path | None = None
    online: bool = False
    osv_service: str = ""
    settings: Settings = field(default_factory=Settings)
    part: str = ""
    progress: Callable[[str], None] = field(default=lambda _text: None)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def remaining(self) -> float | None:
        """Seconds left for the whole audit, never negative; None without limit."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())


@dataclass(frozen=True, slots=True)
class Provider:
    """A registered provider: supplies `need` from the values of `needs` (in that order, after the context)."""

    need: Need[Any]
    needs: tuple[Need[Any], ...]
    function: ProviderFunction


_providers: dict[str, Provider] = {}


def provides(
    need: Need[T], *, needs: tuple[Need[Any], ...] = ()
) -> Callable[[Callable[..., Known[T] | Unavailable]], Callable[..., Known[T] | Unavailable]]:
    """Register the decorated function `f(context, *values)` as the supplier of `need`."""

    def register(function: Callable[..., Known[T] | Unavailable]) -> Callable[..., Known[T] | Unavailable]:
        if need.name in _providers:
            message = f"two providers for {need.name}"
            raise ValueError(message)
        _providers[need.name] = Provider(need, needs, function)
        return function

    return register


def providers() -> dict[str, Provider]:
    """All providers by need name; imports every module of this package once."""
    package = importlib.import_module("auditor.evidence")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"auditor.evidence.{module.name}")
    return dict(_providers)


def own_stamp() -> ToolStamp:
    """The stamp of evidence that this program read itself."""
    from auditor.version import __version__

    return ToolStamp("auditor", __version__)
