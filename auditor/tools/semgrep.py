"""The port to semgrep: rules in, matches and an account of what was really read out.

`semgrep-core` is called directly (an internal interface, hence the pinned version); the command line is the fallback where the core is missing
or answers in a form not understood. Files are handed over as private copies under names of ours, so that neither their names nor
anything else in the audited tree can steer the tool. What semgrep says about success is not believed: a file counts as read when it was
asked for, reported as scanned, and is named in no error.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.tools.process import Completed, find_program, run_side_by_side, workspace

CORE_VERSION = "1.182.0"
"""The version whose internal interface this module was written against."""

RULE_SECONDS = 10
"""Longest time for one rule on one file."""
RULE_TIMEOUTS = 3
"""Timeouts after which the rest of a file is given up."""
MEMORY_MB = 2_000
"""Memory above which semgrep gives a file up."""
_GROUPS = 12
"""Most different sets of rules run: starting a process costs as much as scanning some twenty files."""
_PART_CHARACTERS = 400_000
"""Parts smaller than this are not worth a process of their own."""

_SUFFIX = {"python": ".py", "javascript": ".js", "typescript": ".ts", "tsx": ".tsx"}
_ANALYZER = {"python": "python", "javascript": "javascript", "typescript": "typescript", "tsx": "typescript"}
_RULE_ERRORS = (
    "Rule parse error",
    "PatternParseError",
    "Pattern parse error",
    "Invalid",
    "UnknownLanguage",
    "IncompatibleRule",
    "Missing plugin",
)
_TRANSIENT = ("Timeout", "Out of memory", "Stack overflow", "Fixpoint", "Too many matches")


class SemgrepError(Exception):
    """semgrep cannot be used at all; the message is the reason as a clause."""


@dataclass(frozen=True, slots=True)
class Target:
    """One text to scan; `language` is a key of semgrep's analyzers ("python", "javascript", "typescript", "tsx").

    `rules` are the ids of the rules that can match at all in this text.
    """

    path: str
    language: str
    text: str
    rules: frozenset[str]


@dataclass(frozen=True, slots=True)
class Match:
    """One match: the rule's id without any prefix, inclusive lines."""

    rule: str
    line: int
    end_line: int
    message: str


@dataclass(slots=True)
class Scan:
    """The account of one scan: matches per path, and per path that was not read the reason and whether trying again may help."""

    matches: dict[str, list[Match]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    transient: set[str] = field(default_factory=set)
    broken_rules: dict[str, str] = field(default_factory=dict)

    def merge(self, other: Scan) -> None:
        """Add the account of another part."""
        self.matches.update(other.matches)
        self.unread.update(other.unread)
        self.transient.update(other.transient)
        self.broken_rules.update(other.broken_rules)


def version() -> str:
    """The installed version, "" when semgrep is not installed. Never asks the program: that hangs without a network."""
    try:
        return importlib.metadata.version("semgrep")
    except importlib.metadata.PackageNotFoundError:
        return ""


def core_binary() -> str | None:
    """Path of `semgrep-core` inside the installed package, without importing it; None when missing or of another version."""
    if version() != CORE_VERSION:
        return None
    spec = importlib.util.find_spec("semgrep")
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        candidate = Path(place) / "bin" / "semgrep-core"
        if candidate.is_file():
            return str(candidate)
    return None


def cli_binary() -> str | None:
    """Path of the `semgrep` command."""
    return find_program("semgrep", Path(sys.executable))


def scan(
    rules: dict[str, str],
    targets: Sequence[Target],
    *,
    root: Path,
    workers: int,
    timeout: float | None,
    cancelled: threading.Event,
    core: str | None = None,
    cli: str | None = None,
) -> Scan:
    """Scan all targets with their rules (`rules`: JSON text by id); parts of one process each run side by side.

    Raises:
        SemgrepError: no usable semgrep, or it broke in a way that is not about single files.
    """
    if core is None and cli is None:
        raise SemgrepError("semgrep is not installed")
    account = Scan(matches={target.path: [] for target in targets if not target.rules})
    wanted = [target for target in targets if target.rules]
    if wanted:
        with workspace(root) as directory:
            run = _Run(directory, rules, _write(directory, wanted), workers, timeout, cancelled, core, cli)
            account.merge(run.all(_parts(wanted, workers)))
    for target in targets:
        if target.path not in account.matches and target.path not in account.unread:
            account.unread[target.path] = "semgrep gave no answer about it"
            account.transient.add(target.path)
    return account


def _write(directory: Path, targets: Sequence[Target]) -> dict[str, Target]:
    names: dict[str, Target] = {}
    for number, target in enumerate(targets):
        name = f"f{number:06d}{_SUFFIX[target.language]}"
        (directory / name).write_text(target.text, encoding="utf-8", errors="replace")
        names[name] = target
    return names


def _parts(targets: Sequence[Target], workers: int) -> list[list[Target]]:
    """The targets grouped by their rules and cut into pieces that keep all workers busy, largest first."""
    groups: dict[frozenset[str], list[Target]] = {}
    for target in targets:
        groups.setdefault(target.rules, []).append(target)
    while len(groups) > _GROUPS:  # join the smallest with the one that needs the fewest further rules: a superfluous rule only costs time
        smallest = min(groups, key=lambda rules: (_size(groups[rules]), sorted(rules)))
        moved = groups.pop(smallest)
        nearest = min(groups, key=lambda rules: (len(rules ^ smallest), sorted(rules)))
        joined = groups.pop(nearest) + moved
        groups.setdefault(nearest | smallest, []).extend(joined)
    total = sum(_size(group) for group in groups.values())
    parts = [part for group in groups.values() for part in _cut(group, max(_PART_CHARACTERS, total // (2 * workers)))]
    return sorted(parts, key=lambda part: (-_size(part), part[0].path))


def _size(targets: Sequence[Target]) -> int:
    return sum(len(target.text) + 200 for target in targets)


def _cut(group: list[Target], size: int) -> list[list[Target]]:
    """A group in parts of about equal size, each at most about `size` characters."""
    parts: list[list[Target]] = [[] for _ in range(min(len(group), 1 + _size(group) // size))]
    sizes = [0] * len(parts)
    for target in sorted(group, key=lambda target: (-len(target.text), target.path)):
        lightest = sizes.index(min(sizes))
        parts[lightest].append(target)
        sizes[lightest] += len(target.text) + 200
    return parts


@dataclass(slots=True)
class _Run:
    directory: Path
    rules: dict[str, str]
    names: dict[str, Target]
    workers: int
    timeout: float | None
    cancelled: threading.Event
    core: str | None
    cli: str | None

    def all(self, parts: list[list[Target]]) -> Scan:
        total = Scan()
        waiting = parts
        while waiting:
            again: list[list[Target]] = []
            for part, completed in zip(waiting, self._start(waiting), strict=True):
                account = self._account(part, completed)
                if account is not None:
                    total.merge(account)
                elif len(part) > 1:
                    again.extend((part[: len(part) // 2], part[len(part) // 2 :]))
                elif self.core is None or self._works():
                    total.unread[part[0].path] = "semgrep broke down on it"
                else:
                    again.append(part)
            if again and self.core is not None and not self._works():
                again = self._fall_back(again)
            waiting = again
        return total

    def _start(self, parts: list[list[Target]]) -> list[Completed]:
        jobs = [(self._command(number, part), "") for number, part in enumerate(parts)]
        return run_side_by_side(jobs, workers=self.workers, cwd=self.directory, timeout=self.timeout, cancelled=self.cancelled)

    def _account(self, part: list[Target], completed: Completed) -> Scan | None:
        """The account of one part, None when it has to be tried in smaller pieces."""
        if not completed.exited:
            reason = f"semgrep: {completed.ending.value}"
            paths = [target.path for target in part]
            return Scan(unread=dict.fromkeys(paths, reason), transient=set(paths))
        return read_output(completed.stdout, part, self.names)

    def _works(self) -> bool:
        """Whether semgrep-core answers at all, asked with nothing to scan."""
        jobs = [(self._command(len(self.names), []), "")]
        completed = run_side_by_side(jobs, workers=1, cwd=self.directory, timeout=self.timeout, cancelled=self.cancelled)
        return not completed[0].exited or read_output(completed[0].stdout, [], self.names) is not None

    def _fall_back(self, parts: list[list[Target]]) -> list[list[Target]]:
        if self.cli is None:
            raise SemgrepError("semgrep-core gives no usable answer")
        self.core = None
        return [[target for part in parts for target in part]]

    def _command(self, number: int, part: list[Target]) -> list[str]:
        by_path = {target.path: name for name, target in self.names.items()}
        chosen = [by_path[target.path] for target in part]
        wanted = sorted({rule for target in part for rule in target.rules} or self.rules)
        rules = self.directory / f"rules-{number}.json"
        rules.write_text('{"rules":[' + ",".join(self.rules[rule] for rule in wanted) + "]}", encoding="utf-8")
        if self.core is None:
            return cli_command(str(self.cli), rules.name, chosen)
        listing = self.directory / f"targets-{number}.json"
        listing.write_text(core_targets([(name, self.names[name].language) for name in chosen]), encoding="utf-8")
        return core_command(self.core, rules.name, listing.name)


def core_targets(names: Sequence[tuple[str, str]]) -> str:
    """The target file of `semgrep-core` for (file name, language) pairs."""
    entries = [
        ["CodeTarget", {"path": {"fpath": name, "ppath": f"/{name}"}, "analyzer": _ANALYZER[language], "products": ["sast"]}]
        for name, language in names
    ]
    return json.dumps(["Targets", entries])


def core_command(binary: str, rules: str, targets: str) -> list[str]:
    """Argument list for one shard."""
    limits = ["-timeout", str(RULE_SECONDS), "-timeout_threshold", str(RULE_TIMEOUTS), "-max_memory", str(MEMORY_MB)]
    return [binary, "-json_nodots", "-rules", rules, "-targets", targets, "-j", "1", "-fast", *limits]


def cli_command(binary: str, rules: str, names: Sequence[str]) -> list[str]:
    """The same through the command line: explicit files bypass every ignore file."""
    quiet = [
        "--quiet",
        "--json",
        "--disable-version-check",
        "--metrics=off",
        "--disable-nosem",
        "--no-git-ignore",
        "--scan-unknown-extensions",
    ]
    limits = ["--jobs=1", f"--timeout={RULE_SECONDS}", f"--timeout-threshold={RULE_TIMEOUTS}", "--max-target-bytes=0"]
    return [binary, "scan", "--config", rules, *quiet, *limits, *names]


def read_output(output: str, asked: Sequence[Target], names: dict[str, Target]) -> Scan | None:
    """The account of one answer of semgrep (core or command line), None when it is no usable answer."""
    try:
        data = json.loads(output)
        results, errors, scanned = data["results"], data["errors"], data["paths"]["scanned"]
        account = Scan(matches={target.path: [] for target in asked})
        for error in errors:
            if not _note_error(error, names, account):
                return None
        for target in _missing(asked, scanned, names, account):
            account.unread[target.path] = "semgrep did not scan it"
        for result in results:
            target = names[_base(result["path"])]
            account.matches.setdefault(target.path, []).append(_match(result))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    for path in account.unread:
        account.matches.pop(path, None)
    for found in account.matches.values():
        found.sort(key=lambda match: (match.line, match.end_line, match.rule))
    return account


def _missing(asked: Sequence[Target], scanned: list[str], names: dict[str, Target], account: Scan) -> list[Target]:
    seen = {names[_base(path)].path for path in scanned if _base(path) in names}
    return [target for target in asked if target.path not in seen and target.path not in account.unread]


def _match(result: dict[str, Any]) -> Match:
    return Match(
        rule=result["check_id"].rsplit(".", 1)[-1],  # the command line prefixes the path of the rule file
        line=int(result["start"]["line"]),
        end_line=int(result["end"]["line"]),
        message=" ".join(str(result["extra"].get("message", "")).split()),
    )


def _note_error(error: dict[str, Any], names: dict[str, Target], account: Scan) -> bool:
    """Charge an error to its file or rule; False when it is about neither, so that the whole answer is worthless."""
    kind = _kind(error)
    if kind.startswith(_RULE_ERRORS):
        account.broken_rules[str(error.get("rule_id", "?")).rsplit(".", 1)[-1]] = kind
        return True
    location = error.get("location") or {}
    name = _base(str(error.get("path") or location.get("path") or _span_path(error) or ""))
    if name in names:
        line = int((location.get("start") or {}).get("line") or 0)
        path = names[name].path
        account.unread[path] = f"semgrep could not read it completely ({kind}{f', line {line}' if line > 1 else ''})"
        if kind.startswith(_TRANSIENT):
            account.transient.add(path)
        return True
    return str(error.get("severity", error.get("level", "error"))) in {"warn", "info"}


def _kind(error: dict[str, Any]) -> str:
    """The error's type: a word, or a list of the word and its details; the command line calls the field `type`."""
    kind = error.get("error_type", error.get("type", "error"))
    return str(kind[0] if isinstance(kind, list) and kind else kind)


def _span_path(error: dict[str, Any]) -> str:
    spans = error.get("spans") or []
    return str(spans[0].get("file", "")) if spans else ""


def _base(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
