"""Which findings of two audits are the same one, as far as fingerprints tell.

In order: equal fingerprint and path; equal fingerprint elsewhere (of several, the file of the same name, then of the same folder), which is
code that moved or a file with a new name; the same item, rule and definition in
the same file, which is code that was changed and is still at fault. Each finding is used once, so more of the same is new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from auditor.fingerprints import COPIED, COPIES, base_of, loose_of, named_fingerprint, of_item
from auditor.layers import upward
from auditor.model.report import Copy, GraphReport, Report
from auditor.model.syntax import ImportKind
from auditor.model.verdict import Outcome, Severity, Verdict

Layers = tuple[tuple[str, tuple[str, ...]], ...]
LAYERS, UPWARD = "architecture.boundaries-respected", "declared-layer"
"""Item and rule under which imports against declared layers are compared."""


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """What is needed of a finding to find it again; `rule` and `path` are "" for an item that is open without a place."""

    item: str
    rule: str
    path: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding with what a gate needs of it. `is_open`: its item is open, not tolerated or undecided; `twin`, `twin_line`: the other place of a copy."""

    known: Known
    line: int
    message: str
    severity: Severity
    is_open: bool
    twin: str = ""
    twin_line: int = 0


@dataclass(frozen=True, slots=True)
class Matched:
    """Positions of the findings of `now` that are old and their partners, and what is left over on both sides."""

    pairs: tuple[tuple[int, int], ...]
    new: tuple[int, ...]
    gone: tuple[int, ...]


_WAYS: tuple[Callable[[Known], Hashable], ...] = (
    lambda one: (one.item, one.fingerprint, one.path),
    lambda one: (one.item, base_of(one.fingerprint), one.path),
    lambda one: (one.item, base_of(one.fingerprint), one.path.rpartition("/")[2]),
    lambda one: (one.item, base_of(one.fingerprint), one.path.rpartition("/")[0]),
    lambda one: (one.item, base_of(one.fingerprint)),
    lambda one: (one.item, one.rule, loose_of(one.fingerprint), one.path),
)


def match(before: Sequence[Known], now: Sequence[Known]) -> Matched:
    """Pair the findings of two audits; positions are those in the sequences given."""
    left_before, left_now = list(range(len(before))), list(range(len(now)))
    pairs: list[tuple[int, int]] = []
    for key in _WAYS:
        waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
        for position in reversed(left_before):
            waiting[key(before[position])].append(position)
        still = []
        for position in left_now:
            partners = waiting.get(key(now[position]))
            if partners:
                pairs.append((partners.pop(), position))
            else:
                still.append(position)
        used = {old for old, _ in pairs}
        left_before, left_now = [position for position in left_before if position not in used], still
    return Matched(tuple(sorted(pairs)), tuple(left_now), tuple(left_before))


def placed(report: Report, layers: Layers = ()) -> list[Placed]:
    """Every finding of a report in report order, whatever its item's verdict, and one entry for each item that is open without a place.

    Copies of code come place by place and not as the families their item shows. `layers`: an owner's, top first; imports upwards are findings too.
    """
    found = []
    for outcome in report.outcomes:
        is_open = outcome.verdict in {Verdict.FAIL, Verdict.PARTIAL}
        shared = (outcome.severity, is_open)
        if outcome.id == COPIES:
            found += [_copied(copy, outcome) for copy in (report.clones.copies if report.clones else ())]
            continue
        for finding in outcome.findings:
            known = Known(outcome.id, finding.rule, finding.path, finding.fingerprint)
            found.append(Placed(known, finding.line, finding.message, *shared))
        if is_open and not outcome.findings:
            found.append(Placed(Known(outcome.id, "", "", of_item(outcome.id)), 0, outcome.reason, *shared))
    return [*found, *(_upward(breach) for breach in breaches(report.graph, layers))]


def known_findings(report: Report, layers: Layers = ()) -> list[Known]:
    """As `placed`, without the words."""
    return [one.known for one in placed(report, layers)]


def _copied(copy: Copy, outcome: Outcome) -> Placed:
    known = Known(COPIES, COPIED, copy.path, copy.fingerprint)
    message = f"About {copy.lines} lines repeat {copy.twin}:{copy.twin_line}: whoever repairs one of them has to find the other."
    return Placed(known, copy.line, message, outcome.severity, is_open=True, twin=copy.twin, twin_line=copy.twin_line)


def _upward(breach: Breach) -> Placed:
    message = (
        f"{breach.source_layer} imports {breach.target} of {breach.target_layer}, which lies above it in the layers the owner declared."
    )
    known = Known(LAYERS, UPWARD, breach.path, named_fingerprint(LAYERS, UPWARD, breach.source, breach.target))
    return Placed(known, breach.line, message, Severity.HIGH, is_open=True)


@dataclass(frozen=True, slots=True)
class Breach:
    """An import from a lower declared layer into a higher one; `source` and `target` are module ids."""

    path: str
    line: int
    source: str
    target: str
    source_layer: str
    target_layer: str


def breaches(graph: GraphReport | None, layers: Layers) -> list[Breach]:
    """Imports against the direction of the declared layers (top first), types left out; modules of no layer are free."""
    if graph is None or not layers:
        return []
    specs = [(name, GitIgnoreSpec.from_lines(patterns)) for name, patterns in layers]
    home = {module.id: module.path for module in graph.modules}
    fitting = {name: next((layer for layer, spec in specs if spec.match_file(path)), "") for name, path in home.items()}
    lines = {(edge.source, edge.target): edge.line for edge in reversed(graph.edges) if edge.kind is not ImportKind.TYPE_ONLY}
    found = [
        Breach(home[source], lines[source, target], source, target, fitting[source], fitting[target])
        for source, target in upward(lines, fitting, [layer for layer, _ in specs], declared=True)
    ]
    return sorted(found, key=lambda one: (one.path, one.line, one.target))
