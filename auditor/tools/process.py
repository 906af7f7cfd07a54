"""Starts outside programs: the only place in auditor that does.

A program gets an argument list (never a shell), a private working directory outside the audited tree, an environment of a few known
variables, and bounds on time and output. It runs in a process group of its own; when its time is up, the audit is cancelled or the interpreter
ends, the whole group is killed. Exit codes are returned, not believed: each port decides from the output what happened.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess  # noqa: TID251 - this is the one home of it
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

import platformdirs

_CHUNK = 1 << 16
_POLL = 0.05
_NETWORK = (
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)
OUTPUT_LIMIT = 256_000_000
"""Bytes of output, per stream, above which a program is stopped."""


class Ending(StrEnum):
    """How a run ended; only `EXITED` output is complete."""

    EXITED = "exited"
    TIMED_OUT = "it did not finish within the time limit"
    CANCELLED = "the audit was cancelled"
    TOO_MUCH_OUTPUT = "it wrote more output than allowed"
    NOT_STARTED = "it could not be started"


@dataclass(frozen=True, slots=True)
class Completed:
    """What a run left behind; `code` is negative for a signal, as in the standard library."""

    code: int
    stdout: str
    stderr: str
    ending: Ending

    @property
    def exited(self) -> bool:
        """Whether the program ended by itself, so that its output is complete."""
        return self.ending is Ending.EXITED


_live: set[subprocess.Popen[bytes]] = set()
_live_lock = threading.Lock()


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    stdin: str = "",
    timeout: float | None = None,
    cancelled: threading.Event | None = None,
    limit: int = OUTPUT_LIMIT,
    network: bool = False,
) -> Completed:
    """Run `argv` in `cwd` and wait for it at most `timeout` seconds.

    `network` lets the proxy and certificate settings of the user through. Never raises for what the program does.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - an argument list of ours, no shell
            list(argv),
            cwd=cwd,
            env=_environment(cwd, network=network),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return Completed(-1, "", str(error), Ending.NOT_STARTED)
    with _live_lock:
        _live.add(process)
    try:
        return _attend(process, stdin, timeout, cancelled, limit)
    finally:
        if process.poll() is None:  # only when waiting itself was interrupted
            _kill_group(process)
        with _live_lock:
            _live.discard(process)


def run_side_by_side(
    jobs: Sequence[tuple[Sequence[str], str]], *, workers: int, cwd: Path, timeout: float | None, cancelled: threading.Event
) -> list[Completed]:
    """Run several (argument list, standard input) pairs, at most `workers` at once; results in the order of `jobs`.

    `timeout` holds for all of them together.
    """
    deadline = None if timeout is None else time.monotonic() + timeout

    def start(job: tuple[Sequence[str], str]) -> Completed:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        return run(job[0], cwd=cwd, stdin=job[1], timeout=left, cancelled=cancelled)

    done: list[Completed | None] = [None] * len(jobs)
    numbers = iter(range(len(jobs)))
    turn = threading.Lock()

    def work() -> None:
        while True:
            with turn:
                number = next(numbers, None)
            if number is None:
                return
            done[number] = start(jobs[number])

    # daemon threads, not a pool: the interpreter would wait for a pool's threads before it lets `stop_all` end what they wait for
    threads = [threading.Thread(target=work, daemon=True) for _ in range(max(1, min(workers, len(jobs))))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one or Completed(-1, "", "", Ending.NOT_STARTED) for one in done]


@contextlib.contextmanager
def workspace(root: Path) -> Iterator[Path]:
    """A private directory outside the audited tree `root`, removed afterwards."""
    parent = Path(tempfile.gettempdir())
    if _inside(parent, root):
        parent = Path(platformdirs.user_cache_dir("auditor", appauthor=False))
        parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="auditor-", dir=parent, ignore_cleanup_errors=True) as name:
        yield Path(name)


def find_program(name: str, beside: Path) -> str | None:
    """Path of a program: next to the interpreter `beside` first, then in PATH."""
    candidate = beside.parent / name
    if candidate.is_file() and os.access(candidate, os.X_OK):
        return str(candidate)
    return shutil.which(name)


def stop_all() -> None:
    """Kill every program still running; called when the interpreter ends."""
    with _live_lock:
        remaining = list(_live)
    for process in remaining:
        _kill_group(process)


atexit.register(stop_all)


def _inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root.resolve())
    except OSError:
        return False


def _environment(home: Path, *, network: bool) -> dict[str, str]:
    """A fixed locale, a private home and temporary directory, and the search path: nothing else of the user's settings reaches a tool."""
    chosen = {
        "PATH": os.environ.get("PATH", os.defpath),  # noqa: TID251 - the search path and proxies are the only settings passed on
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONIOENCODING": "utf-8",
    }
    if network:
        chosen.update({name: os.environ[name] for name in _NETWORK if name in os.environ})  # noqa: TID251
    return chosen


class _Reader(threading.Thread):
    """Collects one output stream up to a limit."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._limit = limit
        self._chunks: list[bytes] = []
        self.overflow = threading.Event()
        self.start()

    def run(self) -> None:
        size = 0
        with contextlib.suppress(OSError, ValueError), self._stream:
            while chunk := self._stream.read1(_CHUNK):  # type: ignore[attr-defined]  # BufferedReader
                size += len(chunk)
                if size > self._limit:
                    self.overflow.set()
                    return
                self._chunks.append(chunk)

    def text(self) -> str:
        """What was read, as text."""
        self.join(timeout=5)
        return b"".join(self._chunks).decode("utf-8", "replace")


def _attend(
    process: subprocess.Popen[bytes], stdin: str, timeout: float | None, cancelled: threading.Event | None, limit: int
) -> Completed:
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = _Reader(process.stdout, limit), _Reader(process.stderr, limit)
    threading.Thread(target=_feed, args=(process, stdin), daemon=True).start()
    ending = _wait(process, None if timeout is None else time.monotonic() + timeout, cancelled, (out, err))
    _kill_group(process)  # after a normal exit too: a left-over child would hold the output open
    process.wait()
    return Completed(process.returncode, out.text(), err.text(), ending)


def _wait(
    process: subprocess.Popen[bytes], deadline: float | None, cancelled: threading.Event | None, readers: tuple[_Reader, ...]
) -> Ending:
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_POLL)
            return Ending.TOO_MUCH_OUTPUT if any(reader.overflow.is_set() for reader in readers) else Ending.EXITED
        if cancelled is not None and cancelled.is_set():
            return Ending.CANCELLED
        if deadline is not None and time.monotonic() > deadline:
            return Ending.TIMED_OUT
        if any(reader.overflow.is_set() for reader in readers):
            return Ending.TOO_MUCH_OUTPUT


def _feed(process: subprocess.Popen[bytes], text: str) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        process.stdin.write(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(OSError, ValueError):
        process.stdin.close()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the program and everything it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
