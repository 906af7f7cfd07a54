"""The store may forget, be damaged or be locked: that costs time, never a result."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from auditor import cache as module
from auditor.cache import Cache, cache_key


def test_values_come_back_and_keys_are_kept_apart(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    entries = {cache_key("p", str(number)): str(number).encode() for number in range(1_200)}
    store.put_many(entries)
    store.close()
    again = Cache(tmp_path)
    assert again.get_many(entries) == entries
    assert again.get_many([cache_key("p2", "1")]) == {}
    assert cache_key("a", "b", "c") != cache_key("a", "bc")
    again.close()


def test_without_a_directory_nothing_is_remembered() -> None:
    store = Cache(None)
    store.put_many({"a": b"b"})
    assert store.get_many(["a"]) == {}
    store.close()


@pytest.mark.parametrize("content", [b"", b"not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 5_000])
def test_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cache.sqlite3").write_bytes(content)
    store = Cache(tmp_path)
    store.put_many({"a": b"b"})
    assert store.get_many(["a"]) in ({}, {"a": b"b"})
    store.close()
    again = Cache(tmp_path)
    again.put_many({"c": b"d"})
    assert again.get_many(["c"]) in ({}, {"c": b"d"})
    again.close()


def test_a_damaged_page_in_the_middle(tmp_path: Path) -> None:
    store = Cache(tmp_path)
    store.put_many({cache_key("p", str(number)): b"x" * 2_000 for number in range(200)})
    store.close()
    path = tmp_path / "cache.sqlite3"
    content = bytearray(path.read_bytes())
    content[8_192:60_000] = b"\x00" * (60_000 - 8_192)
    path.write_bytes(content)
    store = Cache(tmp_path)
    store.get_many([cache_key("p", "7")])
    store.put_many({"a": b"b"})
    store.close()


def test_a_locked_file_and_two_users(tmp_path: Path) -> None:
    one, two = Cache(tmp_path), Cache(tmp_path)
    one.put_many({"a": b"1"})
    two.put_many({"b": b"2"})
    assert two.get_many(["a", "b"]) == {"a": b"1", "b": b"2"}
    one.close()
    two.close()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    store = Cache(tmp_path / "file" / "below")
    store.put_many({"a": b"b"})
    assert store.get_many(["a"]) == {}


def test_a_store_that_has_grown_too_large_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Cache(tmp_path)
    store.put_many({"a": b"x" * 100_000})
    store.close()
    monkeypatch.setattr(module, "MAX_BYTES", 50_000)
    assert Cache(tmp_path).get_many(["a"]) == {}
    assert sqlite3.connect(tmp_path / "cache.sqlite3").execute("SELECT count(*) FROM result").fetchone() == (0,)


def test_closing_while_another_thread_writes(tmp_path: Path) -> None:
    for number in range(20):
        store = Cache(tmp_path / str(number))
        started = threading.Event()
        entries = {cache_key("p", str(entry)): b"x" * 2_000 for entry in range(2_000)}

        def write(store: Cache = store, started: threading.Event = started, entries: dict[str, bytes] = entries) -> None:
            started.set()
            store.put_many(entries)

        writer = threading.Thread(target=write)
        writer.start()
        started.wait()
        store.close()
        writer.join()
        assert store.get_many(entries) == {}


def test_a_cache_inside_of_a_checkout_is_no_part_of_it(tmp_path: Path) -> None:
    Cache(tmp_path / "cache").close()
    assert (tmp_path / "cache" / ".gitignore").read_text() == "*\n"
