"""The user's store of advisories: one SQLite file with the ranges of every advisory, made from OSV exports and looked up by package.

It is replaced as a whole, so that a reader sees the old or the new one and an update that fails leaves the old one. What the sources look like stands
in `auditor.tools.osv`, how they are fetched in `auditor.tools.advisory_update`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import platformdirs

from auditor.tools.osv import Advisory, AdvisoryData, AdvisoryError

FORMAT = 1
_MAGIC = b"SQLite format 3\x00"
_TABLES = """
    CREATE TABLE ecosystem (name TEXT PRIMARY KEY, modified TEXT, partial INTEGER, advisories INTEGER, broken INTEGER, source TEXT, digest TEXT);
    CREATE TABLE advisory (ecosystem TEXT, package TEXT, record BLOB);
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the store holds of one ecosystem: `modified` is the newest date in its data, `gap` why it is not all there is ("" when it is)."""

    ecosystem: str
    advisories: int
    packages: int
    modified: str
    gap: str
    broken: int
    source: str


def default_store() -> Path:
    """Where the store of this user is (honours XDG_DATA_HOME)."""
    return Path(platformdirs.user_data_dir("auditor", appauthor=False)) / "advisories.sqlite3"


def is_store(path: Path) -> bool:
    """Whether the file is a store, and no export."""
    try:
        with path.open("rb") as handle:
            return handle.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def replace_ecosystems(path: Path, data: AdvisoryData, sources: dict[str, str]) -> None:
    """Put the ecosystems of `data` into the store at `path` in place of what it held of them; others stay. `sources` says where each came from.

    Raises:
        AdvisoryError: the store cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".new")
        os.close(handle)
        try:
            _write(Path(name), path, data, sources)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise AdvisoryError(f"the store {path} cannot be written ({getattr(error, 'strerror', None) or error})") from None


def _write(new: Path, old: Path, data: AdvisoryData, sources: dict[str, str]) -> None:
    with contextlib.closing(sqlite3.connect(new)) as store:
        store.executescript(_TABLES)
        fresh = set(data.modified)
        if old.exists():
            for row, advisories in _kept(old, fresh):
                store.execute("INSERT INTO ecosystem VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                store.executemany("INSERT INTO advisory VALUES (?, ?, ?)", advisories)
        for ecosystem in sorted(fresh):
            rows = [
                (ecosystem, package, msgspec.msgpack.encode(found))
                for (name, package), found in sorted(data.packages.items())
                if name == ecosystem
            ]
            digest = hashlib.sha256(b"".join(package.encode() + record for _, package, record in rows)).hexdigest()
            facts = (data.modified[ecosystem], ecosystem in data.partial, data.counts.get(ecosystem, 0), data.broken)
            store.execute("INSERT INTO ecosystem VALUES (?, ?, ?, ?, ?, ?, ?)", (ecosystem, *facts, sources.get(ecosystem, ""), digest))
            store.executemany("INSERT INTO advisory VALUES (?, ?, ?)", rows)
        store.execute("CREATE INDEX by_package ON advisory (ecosystem, package)")
        store.execute(f"PRAGMA user_version = {FORMAT}")
        store.commit()


def _kept(old: Path, fresh: set[str]) -> Iterator[tuple[tuple[object, ...], list[tuple[object, ...]]]]:
    """What stays of the store before: the ecosystems that are not replaced. A damaged store or one of another format is given up."""
    with contextlib.suppress(AdvisoryError), _open(old) as store:
        for row in store.execute("SELECT * FROM ecosystem ORDER BY name").fetchall():
            if row[0] not in fresh:
                yield row, store.execute("SELECT * FROM advisory WHERE ecosystem = ? ORDER BY package", (row[0],)).fetchall()


@contextlib.contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """The store, for reading only.

    Raises:
        AdvisoryError: it is not there, damaged, or of another format.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as store:
            found = store.execute("PRAGMA user_version").fetchone()[0]
            if found != FORMAT:
                raise AdvisoryError(
                    f"{path.name} was written by another version of auditor; make it anew with `auditor advisories update` or `build`"
                )
            yield store
    except (OSError, sqlite3.Error, msgspec.MsgspecError) as error:
        raise AdvisoryError(f"the store {path.name} cannot be read ({error})") from None


def holdings(path: Path) -> tuple[Holding, ...]:
    """What the store holds, by ecosystem.

    Raises:
        AdvisoryError: it cannot be read.
    """
    with _open(path) as store:
        data = _facts(store)
        counts = dict(store.execute("SELECT ecosystem, count(*) FROM advisory GROUP BY ecosystem").fetchall())
        rows = store.execute("SELECT name, broken, source FROM ecosystem ORDER BY name").fetchall()
    return tuple(
        Holding(name, data.counts[name], counts.get(name, 0), data.modified[name], data.gap(name), broken, source)
        for name, broken, source in rows
    )


def _facts(store: sqlite3.Connection) -> AdvisoryData:
    """The data without its advisories."""
    data = AdvisoryData()
    for name, modified, partial, count in store.execute("SELECT name, modified, partial, advisories FROM ecosystem"):
        data.modified[str(name)], data.counts[str(name)] = str(modified), int(count)
        (data.partial if partial else data.complete).add(str(name))
    return data


def look_up(path: Path, wanted: Iterable[tuple[str, str]]) -> AdvisoryData:
    """The part of the store that concerns the (ecosystem, package) pairs; names are normalised.

    Raises:
        AdvisoryError: it cannot be read.
    """
    with _open(path) as store:
        data = _facts(store)
        for ecosystem, package in sorted(set(wanted)):
            query = "SELECT record FROM advisory WHERE ecosystem = ? AND package = ?"
            for (record,) in store.execute(query, (ecosystem, package)):
                data.packages[ecosystem, package] = msgspec.msgpack.decode(record, type=list[Advisory])
    return data


def identity(path: Path) -> str:
    """A digest of what advisory data says: for a store the one it carries, for an export that of its bytes.

    Raises:
        AdvisoryError: it cannot be read.
    """
    if is_store(path):
        with _open(path) as store:
            rows = store.execute("SELECT name, modified, partial, advisories, digest FROM ecosystem ORDER BY name").fetchall()
        return hashlib.sha256(repr((FORMAT, rows)).encode()).hexdigest()
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise AdvisoryError(f"{path.name} cannot be read ({error.strerror})") from None
