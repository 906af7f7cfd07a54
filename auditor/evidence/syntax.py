"""Evidence SYNTAX: the facts of every source file in a language this version reads, remembered by content.

One reader after another in this process: the outside tools already keep the cores busy while it runs, and the facts need not be carried over from
other processes.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import importlib.metadata
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from auditor.cache import cache_key
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.languages.python import read_python
from auditor.languages.script import read_script
from auditor.model.need import Known, Unavailable
from auditor.model.needs import SNAPSHOT, SYNTAX, TEXTS
from auditor.model.snapshot import READ_LANGUAGES, Language, Role, Snapshot, SourceFile
from auditor.model.syntax import FileFacts, Syntax

MAX_BYTES = 1_500_000
"""Largest file whose syntax is read; what people write stays far below, and reading takes about a second per megabyte."""

_ROLES = (Role.FIRST_PARTY, Role.TEST, Role.SCRIPT, Role.EXAMPLE, Role.MIGRATION)
_log = logging.getLogger(__name__)
_BATCH = 200  # files remembered at once, so that an interrupted audit does not start from nothing
_GRAMMARS = ("tree-sitter", "tree-sitter-python", "tree-sitter-javascript", "tree-sitter-typescript")


@provides(SYNTAX, needs=(SNAPSHOT, TEXTS))
def syntax(context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[Syntax] | Unavailable:
    """Read the facts of all source files, tests, scripts, examples and migrations included."""
    files = [file for file in snapshot.with_role(*_ROLES) if file.language in READ_LANGUAGES]
    unexamined: dict[str, str] = {}
    readable: list[SourceFile] = []
    for file in files:
        if file.path not in texts:
            unexamined[file.path] = "it is not text"
        elif file.size > MAX_BYTES:
            unexamined[file.path] = f"larger than {MAX_BYTES / 1_000_000:g} MB"
        else:
            readable.append(file)
    with _collector_paused():
        facts, broken = _facts(context, readable, texts)
    unexamined.update(broken)
    unexamined.update(
        (file.path, "not read in the time allowed") for file in readable if file.path not in facts and file.path not in broken
    )
    unexamined.update((path, f"does not parse: line {read.error_line}") for path, read in facts.items() if read.error_line)
    ordered = {path: facts[path] for path in sorted(facts)}
    return Known(Syntax(ordered), own_stamp(), frozenset(facts) - unexamined.keys(), tuple(sorted(unexamined.items())))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Facts are many small values without cycles: the garbage collector would go over them again and again (four times as slow when warm)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _facts(context: Context, files: list[SourceFile], texts: dict[str, str]) -> tuple[dict[str, FileFacts], dict[str, str]]:
    """The facts by path, and why files have none; those that were not reached in time are in neither."""
    keys = {file.path: cache_key(_reader(), file.language, file.digest) for file in files}
    found = _stored(context, keys)
    fresh = [file for file in files if file.path not in found]
    broken: dict[str, str] = {}
    if not fresh:
        return found, broken
    context.progress(f"syntax: {len(fresh)} files")
    started = time.monotonic()
    entries: dict[str, bytes] = {}
    for file in fresh:
        if context.cancelled.is_set() or context.remaining() == 0:
            break
        text = texts[file.path]
        facts = _read(file, text)
        if isinstance(facts, str):
            broken[file.path] = facts
            continue
        found[file.path] = facts
        entries[keys[file.path]] = msgspec.msgpack.encode(replace(facts, path=""))
        if len(entries) == _BATCH:
            context.cache.put_many(entries)
            entries.clear()
    context.cache.put_many(entries)
    context.progress(f"syntax: done, {time.monotonic() - started:.1f} s")
    return found, broken


def _read(file: SourceFile, text: str) -> FileFacts | str:
    """The facts of a file, or why there are none."""
    try:
        return read_python(file.path, text) if file.language is Language.PYTHON else read_script(file.path, text, file.language)
    except Exception as error:  # noqa: BLE001 - a file that breaks a reader is one file not examined, never a repository
        _log.debug("the reader failed at %s", file.path, exc_info=True)
        return f"reading it failed ({type(error).__name__}); this is a defect of auditor"


def _stored(context: Context, keys: dict[str, str]) -> dict[str, FileFacts]:
    """What is remembered; an entry that cannot be decoded any more is read anew."""
    stored = context.cache.get_many(keys.values())
    decoder = msgspec.msgpack.Decoder(FileFacts)
    found: dict[str, FileFacts] = {}
    for path, key in keys.items():
        if key in stored:
            try:
                found[path] = replace(decoder.decode(stored[key]), path=path)
            except msgspec.MsgspecError:
                continue
    return found


@functools.cache
def _reader() -> str:
    """What facts depend on beside the file: the text of the readers and of the model, and the versions of the grammars."""
    package = Path(__file__).parents[1]
    sources = [
        package / "model" / "syntax.py",
        *sorted(path for path in (package / "languages").glob("*.py") if path.name.startswith(("python", "script", "tree"))),
    ]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.read_bytes())
    for name in _GRAMMARS:
        digest.update(importlib.metadata.version(name).encode())
    return f"syntax-{digest.hexdigest()}"
