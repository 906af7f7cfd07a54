"""A content-addressed store for costly per-file results, outside the audited tree.

Keys are digests of (producer and its version, content digest); values are opaque bytes. One SQLite file, safe for several processes; a damaged or
locked store only costs time, never a result: every failure is a miss. Within a process the threads that gather evidence take turns: one that outlives
its deadline may still write while the audit closes the store.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

import platformdirs

_log = logging.getLogger(__name__)

MAX_BYTES = 1_000_000_000
"""Size in bytes above which the store is emptied when it is opened."""


def default_cache_dir() -> Path:
    """The user's cache directory for auditor (honours XDG_CACHE_HOME)."""
    return Path(platformdirs.user_cache_dir("auditor", appauthor=False))


def cache_key(producer: str, *parts: str) -> str:
    """Hexadecimal key of a result: `producer` names who made it in which version, `parts` what it was made from."""
    return hashlib.sha256("\x00".join((producer, *parts)).encode()).hexdigest()


class Cache:
    """A mapping from key to bytes that may forget; `Cache(None)` remembers nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._turn = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        if directory is not None:
            try:
                directory.mkdir(parents=True, exist_ok=True)
                hidden = directory / ".gitignore"
                if not hidden.exists():
                    hidden.write_text(
                        "*\n", encoding="ascii"
                    )  # where a pipeline keeps it inside of its checkout, it is no part of the project
                self._connection = self._open(directory / "cache.sqlite3")
            except (OSError, sqlite3.Error) as error:
                _log.info("no cache at %s: %s", directory, error)

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=5, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("CREATE TABLE IF NOT EXISTS result (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
        except sqlite3.DatabaseError:
            connection.close()
            path.unlink(missing_ok=True)
            connection = sqlite3.connect(path, timeout=5, check_same_thread=False)
            connection.execute("CREATE TABLE IF NOT EXISTS result (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
        if path.stat().st_size > MAX_BYTES:
            connection.execute("DELETE FROM result")
            connection.commit()
            connection.execute("VACUUM")
        return connection

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The stored values of those keys that are known."""
        found: dict[str, bytes] = {}
        wanted = list(keys)
        with self._turn:
            if self._connection is None:
                return found
            try:
                for start in range(0, len(wanted), 500):
                    part = wanted[start : start + 500]
                    marks = ",".join("?" * len(part))
                    found.update(self._connection.execute(f"SELECT key, value FROM result WHERE key IN ({marks})", part))  # noqa: S608 - only question marks are interpolated
            except sqlite3.Error as error:
                _log.info("the cache cannot be read: %s", error)
        return found

    def put_many(self, entries: dict[str, bytes]) -> None:
        """Store values; losing them is harmless."""
        with self._turn:
            if self._connection is None or not entries:
                return
            try:
                self._connection.executemany("INSERT OR REPLACE INTO result VALUES (?, ?)", list(entries.items()))
                self._connection.commit()
            except sqlite3.Error as error:
                _log.info("the cache cannot be written: %s", error)

    def close(self) -> None:
        """Release the file; whoever still holds the cache finds it empty from here on."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
