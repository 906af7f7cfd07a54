"""Before and after in a terminal and as JSON: what became of the findings of an earlier audit."""

from __future__ import annotations

import msgspec

from auditor.model.comparison import Change, Comparison, Match, Standing, State
from auditor.render.language import N_, decimal, plural, thousands, tr
from auditor.render.terminal import COLUMNS, Painter
from auditor.render.text import cut, cut_path, pad, visible, width, wrap
from auditor.words import percent

SHOWN = 8
"""Findings listed of one state."""
WORDS: dict[State, tuple[str, str]] = {
    State.REOPENED: (N_("Reopened"), N_("fixed once, here again")),
    State.NEW: (N_("New"), N_("not there before")),
    State.FIRST_SEEN: (N_("Seen for the first time"), N_("the earlier run did not decide it")),
    State.FIXED: (N_("Fixed"), N_("judged again, and gone")),
    State.STILL_OPEN: (N_("Still open"), N_("there before and now")),
    State.ACCEPTED: (N_("Accepted"), N_("open, and somebody answers for it")),
    State.FALSE_POSITIVE: (N_("Called a false alarm"), N_("open by our rules, and somebody says it is not so")),
    State.TOLERATED: (N_("Tolerated"), N_("still there, and the item holds")),
    State.NOT_APPLICABLE: (N_("No longer applicable"), N_("the claim does not arise any more; not counted as fixed")),
    State.UNDECIDED: (N_("Not known any more"), N_("nobody could look this time; not counted as fixed")),
}
"""Heading and meaning of each state, in the order they are shown."""
_STYLES = {State.REOPENED: "red", State.NEW: "red", State.FIRST_SEEN: "yellow", State.FIXED: "green"}
_LISTED = (State.REOPENED, State.NEW, State.FIRST_SEEN, State.FIXED)


def to_terminal(comparison: Comparison, *, colour: bool = False) -> str:
    """The comparison in lines of 80 columns: grades, what got worse and what was fixed by name, the rest as numbers."""
    paint = Painter(colour)
    lines = [*_head(comparison, paint), "", paint(cut(tally(comparison), COLUMNS), "bold")]
    for state in _LISTED:
        found = comparison.of(state)
        if found:
            heading, meaning = WORDS[state]
            lines += ["", f"{paint(heading, 'bold', _STYLES[state])} ({plural(len(found), 'finding')}: {meaning})"]
            lines += [_line(change, paint) for change in found[:SHOWN]]
            if len(found) > SHOWN:
                lines.append(paint(f"  and {len(found) - SHOWN:,} more", "dim"))
    lines += [line for caveat in comparison.caveats for line in ("", *wrap(f"Note: {visible(caveat)}", COLUMNS, 4))]
    return "".join(f"{line}\n" for line in lines)


def to_json(comparison: Comparison) -> bytes:
    """The comparison as indented UTF-8 JSON."""
    return msgspec.json.format(msgspec.json.encode(comparison, order="deterministic"), indent=1) + b"\n"


def tally(comparison: Comparison) -> str:
    """How many findings there are of each state: `2 new, 5 fixed, 31 still open`."""
    counts = [(tr(WORDS[state][0]), len(comparison.of(state))) for state in WORDS]
    said = [f"{thousands(count)} {word[:1].lower()}{word[1:]}" for word, count in counts if count]
    return ", ".join(said) or tr("nothing open before or now")


def grades(standing: Standing) -> str:
    """`D, 31.2 before; C, 44 now`."""
    return tr("{0} before; {1} now", _grade(standing.old_letter, standing.old), _grade(standing.new_letter, standing.new))


def _grade(letter: str | None, value: float | None) -> str:
    return tr("no grade") if letter is None or value is None else f"{letter}, {decimal(value)}"


def _head(comparison: Comparison, paint: Painter) -> list[str]:
    old, new = comparison.old, comparison.new
    runs = f"{visible(new.name)}: {_revision(old.commit, old.date)} -> {_revision(new.commit, new.date)}"
    before, after = comparison.assurance
    lines = [
        paint(cut(runs, COLUMNS), "dim"),
        cut(f"Grade {grades(comparison.grade)} (score model {new.model}); assurance {percent(before)}, now {percent(after)}", COLUMNS),
    ]
    if comparison.common:
        lines.append(cut(f"On the items both runs judged: {grades(comparison.common)}", COLUMNS))
    return lines


def _revision(commit: str, date: str) -> str:
    return f"{commit[:7] or 'no git'} of {date}"


def _line(change: Change, paint: Painter) -> str:
    where = visible(f"{change.path}:{change.line}" if change.line else change.path) or "no single place"
    head = f"  {pad(change.severity.value.upper(), 8)}{visible(change.item)}"
    room = COLUMNS - width(head) - 2
    return f"{head}  {paint(cut_path(where, room), 'dim')}" if room > 8 else cut(head, COLUMNS)


def how_known(change: Change) -> str:
    """How a finding was known again, where that needs to be said."""
    match change.match:
        case Match.MOVED:
            return tr("moved from {0}", change.was)
        case Match.CHANGED:
            return tr("edited, was at {0}", change.was) if change.was else tr("edited")
        case _:
            return ""
