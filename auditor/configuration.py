"""Reads what an owner sets: `auditor.toml`, or `[tool.auditor]` of a pyproject.toml. An audit of somebody else's repository never comes here by itself.

Every key and every id is checked; a wrong one is an error that names the nearest right one, because a misspelt exception would silently be none.
"""

from __future__ import annotations

import datetime as dt
import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from auditor.catalogue import catalogue
from auditor.errors import UsageError
from auditor.model.project import Kind
from auditor.model.settings import POLICIES, Fall, Policy, Profile, Settings, Suppression, Unknown
from auditor.model.verdict import Severity
from auditor.suppressions import completed

FILES = ("auditor.toml", "pyproject.toml")
"""Where a configuration stands, the first one found counts."""
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be set: its table ("" for the top), its name, what it takes, what holds when it is not set, and what it does."""

    table: str
    name: str
    takes: str
    default: str
    says: str


def _one_of(choices: type[StrEnum]) -> str:
    return ", ".join(f"`{one.value}`" for one in choices)


REFERENCE = (
    Key("", "profile", _one_of(Profile), "`standard`", "How strict the gate is; `[gate]` sets single thresholds."),
    Key("", "baseline", "a path", "`auditor-baseline.txt`", "Where the baseline stands, from the audited folder."),
    Key(
        "paths",
        "include",
        "patterns as in .gitignore",
        "everything",
        "What counts as the product; the rest is read as somebody else's code.",
    ),
    Key("paths", "exclude", "patterns as in .gitignore", "nothing", "What does not count as the product."),
    Key("kinds", "<folder>", f"one or a list of {_one_of(Kind)}", "found out", 'What the part in that folder is ("." is the root).'),
    Key("gate", "fail-on", f"a list of {_one_of(Severity)}", "by profile", "Severities of which a new finding closes the gate."),
    Key("gate", "copies", "true or false", "by profile", "A new copy of code closes the gate."),
    Key("gate", "grade", _one_of(Fall), "by profile", "Which fall of the grade closes the gate."),
    Key("gate", "lowest-letter", "`A` to `E`", "none", "A letter below this one closes the gate, old debt or not."),
    Key("gate", "assurance", "a share from 0 to 1", "by profile", "What must have been decided for the gate to say anything."),
    Key("gate", "unknown-blockers", _one_of(Unknown), "by profile", "Which undecided blockers leave the gate without an answer."),
    Key("gate", "answered-for", "true or false", "by profile", "An exception from a blocker or high item needs an owner and an end."),
    Key("off", "<item>", "the reason", "nothing", "Leaves an item out of the gate. The grade counts it all the same."),
    Key("weights", "<item>", _one_of(Severity), "the checklist's", "Severity of an item for the gate. The grade does not change."),
    Key("layers", "name", "a name", "", "A layer; the tables stand in order from the top down."),
    Key("layers", "paths", "patterns as in .gitignore", "", "What belongs to the layer. An import of a layer above is a finding (high)."),
    Key("suppress", "item", "`item` or `item/rule`", "", "What the exception is from."),
    Key("suppress", "path", "a pattern as in .gitignore", "a fingerprint is needed", "Where it holds."),
    Key("suppress", "fingerprint", "a fingerprint", "a path is needed", "The one finding it is about."),
    Key("suppress", "reason", "a sentence", "", "Why; an exception without one is an error."),
    Key("suppress", "owner", "a name", "nobody", "Who answers for it."),
    Key("suppress", "until", "a date", "no end", "The last day it holds; afterwards the finding closes the gate, old or new."),
)
"""Everything that can be set, in the order of the reference."""


def _names(table: str) -> tuple[str, ...]:
    """The keys of a table; of the top, with the names of the tables."""
    own = [key.name for key in REFERENCE if key.table == table]
    return tuple(dict.fromkeys([*own, *([key.table for key in REFERENCE if key.table] if not table else [])]))


Choice = TypeVar("Choice", bound=StrEnum)


def find(root: Path) -> Path | None:
    """The configuration of a repository, None when it has none."""
    for name in FILES:
        path = root / name
        try:
            if path.is_symlink() or not path.is_file():
                continue
            if name == FILES[0] or "[tool.auditor" in path.read_bytes()[:_MOST_BYTES].decode("utf-8", "replace"):
                return path
        except OSError:
            continue
    return None


def load(path: Path) -> Settings:
    """The settings in a file.

    Raises:
        UsageError: it cannot be read, or something in it is wrong.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    return parse(data, path.name)


def parse(data: bytes, name: str) -> Settings:
    """The settings in the bytes of a file called `name`; of a pyproject.toml only `[tool.auditor]` is looked at.

    Raises:
        UsageError: something in it is wrong; the message names the key.
    """
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{name} is larger than {_MOST_BYTES // 1000:,} kB: too large for a configuration")
    try:
        table: Any = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not valid TOML: {error}") from None
    if name.endswith("pyproject.toml"):
        tool = table.get("tool", {})
        table = tool.get("auditor", {}) if isinstance(tool, dict) else {}
        name = f"{name} [tool.auditor]"
    return _Reader(name).settings(table)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns the tables of one file into settings; every complaint names the file and the key."""

    name: str

    def settings(self, given: Any) -> Settings:
        table = self._table(given, "", _names(""))
        paths = self._table(table.get("paths", {}), "paths", _names("paths"))
        return Settings(
            source=self.name,
            include=self._texts(paths.get("include", []), "paths.include"),
            exclude=self._texts(paths.get("exclude", []), "paths.exclude"),
            kinds=tuple(sorted(self._kinds(self._mapping(table.get("kinds", {}), "kinds")))),
            policy=self._policy(table),
            baseline=self._text(table.get("baseline", ""), "baseline"),
            off=tuple(sorted(self._off(self._mapping(table.get("off", {}), "off")))),
            weights=tuple(sorted(self._weights(self._mapping(table.get("weights", {}), "weights")))),
            layers=tuple(self._layers(table.get("layers", []))),
            suppressions=tuple(self._suppressions(table.get("suppress", []))),
        )

    def _policy(self, table: Mapping[str, Any]) -> Policy:
        policy = POLICIES[self._choice(table.get("profile", Profile.STANDARD.value), Profile, "profile")]
        own = self._table(table.get("gate", {}), "gate", _names("gate"))
        if "fail-on" in own:
            named = self._texts(own["fail-on"], "gate.fail-on")
            policy = replace(policy, fail_on=frozenset(self._choice(one, Severity, "gate.fail-on") for one in named))
        if "copies" in own:
            policy = replace(policy, copies=self._flag(own["copies"], "gate.copies"))
        if "grade" in own:
            policy = replace(policy, fall=self._choice(own["grade"], Fall, "gate.grade"))
        if "lowest-letter" in own:
            policy = replace(policy, lowest=self._letter(own["lowest-letter"]))
        if "assurance" in own:
            policy = replace(policy, assurance=self._share(own["assurance"], "gate.assurance"))
        if "unknown-blockers" in own:
            policy = replace(policy, unknown=self._choice(own["unknown-blockers"], Unknown, "gate.unknown-blockers"))
        if "answered-for" in own:
            policy = replace(policy, answered_for=self._flag(own["answered-for"], "gate.answered-for"))
        return policy

    def _kinds(self, table: Mapping[str, Any]) -> Iterable[tuple[str, frozenset[Kind]]]:
        for folder, value in table.items():
            named = self._texts([value] if isinstance(value, str) else value, f"kinds.{folder}")
            if not named:
                self._wrong(f"kinds.{folder}", "names no kind")
            root = "" if folder in {"", "."} else folder.strip("/").removeprefix("./")
            yield root, frozenset(self._choice(one, Kind, f"kinds.{folder}") for one in named)

    def _off(self, table: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        for item, reason in table.items():
            said = " ".join(self._text(reason, f"off.{item}").split())
            if not said:
                self._wrong(f"off.{item}", "needs a reason: why does this item not count here?")
            yield self._item(item, f"off.{item}"), said

    def _weights(self, table: Mapping[str, Any]) -> Iterable[tuple[str, Severity]]:
        for item, severity in table.items():
            yield self._item(item, f"weights.{item}"), self._choice(severity, Severity, f"weights.{item}")

    def _layers(self, given: Any) -> Iterable[tuple[str, tuple[str, ...]]]:
        if not isinstance(given, list):
            self._wrong("layers", 'is a list of tables from the top down: [[layers]] with name = "…" and paths = ["…"]')
        names = set()
        for number, entry in enumerate(given, 1):
            table = self._table(entry, f"layers[{number}]", _names("layers"))
            name, paths = self._text(table.get("name", ""), f"layers[{number}].name"), table.get("paths", [])
            if not name or name in names:
                self._wrong(f"layers[{number}].name", "is empty" if not name else f"{name!r} stands twice")
            names.add(name)
            patterns = self._texts(paths, f"layers[{number}].paths")
            if not patterns:
                self._wrong(f"layers[{number}].paths", "names no path")
            yield name, patterns

    def _suppressions(self, given: Any) -> Iterable[Suppression]:
        if not isinstance(given, list):
            self._wrong("suppress", "is a list of tables: [[suppress]]")
        for number, entry in enumerate(given, 1):
            key = f"suppress[{number}]"
            table = self._table(entry, key, _names("suppress"))
            until = table.get("until", "")
            until = until.isoformat() if isinstance(until, dt.date) and not isinstance(until, dt.datetime) else until
            said = {name: self._text(table.get(name, ""), f"{key}.{name}") for name in ("item", "path", "fingerprint", "reason", "owner")}
            if not said["path"] and not said["fingerprint"]:
                self._wrong(key, "needs a path or a fingerprint; to leave an item out altogether, use [off]")
            bare = Suppression(
                "",
                "",
                said["path"],
                0,
                " ".join(said["reason"].split()),
                said["owner"],
                self._text(until, f"{key}.until"),
                f"{self.name}, {key}",
                said["fingerprint"],
            )
            made = completed(bare, said["item"])
            if made.problem:
                self._wrong(key, made.problem)
            yield made

    def _table(self, given: Any, key: str, known: tuple[str, ...]) -> Mapping[str, Any]:
        table = self._mapping(given, key)
        for name in table:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                where = f" in {key}" if key else ""
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
                raise UsageError(f"{self.name}: there is no key {name!r}{where}; {hint}")
        return table

    def _mapping(self, given: Any, key: str) -> Mapping[str, Any]:
        if not isinstance(given, dict):
            self._wrong(key or "the file", "should be a table")
        return dict(given)

    def _texts(self, given: Any, key: str) -> tuple[str, ...]:
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            self._wrong(key, "should be a list of texts")
        return tuple(given)

    def _text(self, given: Any, key: str) -> str:
        if not isinstance(given, str):
            self._wrong(key, "should be a text")
        return str(given)

    def _flag(self, given: Any, key: str) -> bool:
        if not isinstance(given, bool):
            self._wrong(key, "should be true or false")
        return bool(given)

    def _share(self, given: Any, key: str) -> float:
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
            self._wrong(key, "should be a share from 0 to 1")
        return float(given)

    def _letter(self, given: Any) -> str:
        if given not in {"A", "B", "C", "D", "E"}:
            self._wrong("gate.lowest-letter", f"{given!r} is no letter from A to E")
        return str(given)

    def _choice(self, given: Any, choices: type[Choice], key: str) -> Choice:
        values = [one.value for one in choices]
        if given in values:
            return choices(given)
        near = difflib.get_close_matches(str(given), values, n=1)
        return self._wrong(key, f"{given!r} is none of {', '.join(values)}{f'; did you mean {near[0]!r}?' if near else ''}")

    def _item(self, given: str, key: str) -> str:
        try:
            return catalogue().item(given).id
        except UsageError as error:
            return self._wrong(key, str(error))

    def _wrong(self, key: str, what: str) -> NoReturn:
        raise UsageError(f"{self.name}: {key}: {what}")
