"""The summary in a terminal: at most 40 lines of 80 columns, worst first, words beside colours."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.report import Report
from auditor.model.verdict import Severity, Verdict
from auditor.render import summary
from auditor.render.rulings import sentence
from auditor.render.text import cut, cut_path, pad, visible, width, wrap
from auditor.words import decimal, listed, percent, plural

COLUMNS = 80
LINES = 40
_UNKNOWN_GROUPS = 3
_BAR = 5

_RESET = "\x1b[0m"
_STYLES = {"bold": "\x1b[1m", "dim": "\x1b[2m", "red": "\x1b[31m", "yellow": "\x1b[33m", "green": "\x1b[32m", "cyan": "\x1b[36m"}
_SENTENCE_STYLE = {"ready": "green", "ready with conditions": "yellow", "not ready": "red", "cannot be judged": "cyan"}


@dataclass(frozen=True, slots=True)
class Painter:
    """Adds colour where it is wanted; never the only carrier of a meaning."""

    colour: bool

    def __call__(self, text: str, *styles: str) -> str:
        """The text in these styles."""
        return "".join(_STYLES[style] for style in styles) + text + _RESET if self.colour and text else text


def to_terminal(report: Report, *, colour: bool = False, saved: tuple[str, ...] = ()) -> str:
    """The summary; `saved` are the files written beside it, named in the last line."""
    paint = Painter(colour)
    top = [*_head(report, paint), ""]
    bottom = [*_categories(report, paint), *_unknown(report, paint), *_closing(report, paint, saved)]
    lines = [*top, *_open(report, paint, LINES - len(top) - len(bottom)), *bottom]
    return "".join(f"{line}\n" for line in lines[:LINES])


def to_line(report: Report) -> str:
    """The whole result in one line (`--quiet`)."""
    counts = summary.verdict_counts(report.outcomes)
    tally = ", ".join(f"{count} {verdict.value.replace('_', ' ')}" for verdict, count in counts.items())
    return f"{visible(report.scope.name)} {visible(summary.revision(report))}: {report.score.sentence}; {_grade_words(report)}; {tally}\n"


def _head(report: Report, paint: Painter) -> list[str]:
    scope = report.scope
    size = f"{plural(scope.files, 'file')}, {scope.lines:,} lines of code"
    about = f"auditor {report.version} · {visible(scope.name)} @ {visible(summary.revision(report))} · {size}"
    style = _SENTENCE_STYLE.get(report.score.sentence, "bold")
    verdict, *rest = wrap(visible(summary.headline(report)), COLUMNS, 3)
    lines = [
        paint(cut(about, COLUMNS), "dim"),
        paint(cut(f"audited {visible(report.date)} · {visible(summary.kinds_of(report))}", COLUMNS), "dim"),
        "",
        paint(verdict, "bold", style),
        *(paint(line, style) for line in rest),
        cut(_grade_words(report), COLUMNS),
    ]
    if report.score.cap and not report.score.no_grade:
        lines.append(paint(cut(f"Held down by a rule: {report.score.cap}", COLUMNS), "dim"))
    lines += [paint(line, "dim") for line in wrap(summary.production(report), COLUMNS, 2)]
    return lines


def _grade_words(report: Report) -> str:
    score = report.score
    assurance = f"assurance {percent(score.assurance)}"
    if score.value is None or score.letter is None:
        return f"no grade; {assurance}"
    text = f"Grade {score.letter}, {decimal(score.value)} of 100"
    if score.optimistic_value is not None and (score.optimistic_value, score.optimistic_letter) != (score.value, score.letter):
        text += f" ({score.optimistic_letter}, {decimal(score.optimistic_value)} if what is unknown is good)"
    return f"{text}; {assurance}"


def _open(report: Report, paint: Painter, room: int) -> list[str]:
    """Open items, two lines each, as many as there is room for."""
    found = summary.open_items(report)
    if not found:
        return []
    shown = found[: max(1, (room - 2) // 2)]
    lines = [line for entry in shown for line in _entry(entry, paint)]
    if len(shown) < len(found):
        lines.append(paint(f"{len(shown)} of {len(found)} open items shown; the others are in the JSON and HTML reports", "dim"))
    return [*lines, ""]


def _entry(entry: summary.Open, paint: Painter) -> list[str]:
    outcome = entry.outcome
    style = "red" if outcome.verdict is Verdict.FAIL else "yellow"
    word = "fails" if outcome.verdict is Verdict.FAIL else "partly"
    severity = pad(outcome.severity.value.upper(), 8)
    figures = f"{entry.item.effort or '-':>2} {'+' + decimal(entry.gain):>6}"
    emphasis = ("bold",) if outcome.severity is Severity.BLOCKER else ()
    name, place = visible(outcome.id), visible(summary.place_of(outcome))
    room = COLUMNS - 15 - len(figures)
    where = cut_path(place, max(0, room - width(name) - 2))
    middle = f"{name}  {paint(where, 'dim')}{' ' * (room - width(name) - 2 - width(where))}" if room - width(name) > 12 else pad(name, room)
    first = f"{paint(severity, *emphasis)}{paint(pad(word, 7), style)}{middle}{figures}"
    return [first, f"{'':15}{cut(visible(outcome.reason), COLUMNS - 15)}"]


def _categories(report: Report, paint: Painter) -> list[str]:
    """One cell per category in two columns: title, bar of ten, figure."""
    scores = {score.id: score for score in report.score.categories}
    cells = []
    for category in report.categories:
        score = scores.get(category.id)
        value = score.value if score else None
        full = 0 if value is None else int(value * _BAR / 100)
        bar = "·" * _BAR if value is None else "█" * full + "░" * (_BAR - full)
        cells.append((f"{pad(visible(category.title), 28)}", bar, "-" if value is None else decimal(value)))
    half = (len(cells) + 1) // 2
    lines = []
    for row in range(half):
        pair = [cells[row], *([cells[row + half]] if row + half < len(cells) else [])]
        lines.append("  ".join(f"{title}{paint(bar, 'cyan')}{figure:>5}" for title, bar, figure in pair).rstrip())
    return lines


def _unknown(report: Report, paint: Painter) -> list[str]:
    groups = summary.unknown_groups(report)
    if not groups:
        return []
    lines = [""]
    for group in groups[:_UNKNOWN_GROUPS]:
        names = visible(listed(list(group.ids), 1))
        lines += [paint(line, "cyan") for line in wrap(f"Unknown: {names}: {visible(group.reason)}", COLUMNS, 2)]
    if len(groups) > _UNKNOWN_GROUPS:
        rest = sum(len(group.ids) for group in groups[_UNKNOWN_GROUPS:])
        lines.append(paint(f"Unknown: {rest} more for other reasons", "cyan"))
    return lines


def _closing(report: Report, paint: Painter, saved: tuple[str, ...]) -> list[str]:
    counts = summary.verdict_counts(report.outcomes)
    later = sum(not item.judged for item in report.items)
    tally = (
        f"{len(report.outcomes)} judged: {counts[Verdict.PASS]} pass, {counts[Verdict.PARTIAL]} partial, {counts[Verdict.FAIL]} fail, "
        f"{counts[Verdict.UNKNOWN]} unknown, {counts[Verdict.NOT_APPLICABLE]} n/a"
    )
    step = summary.next_step(report)
    ruled = [paint(line, "dim") for line in wrap(sentence(report), COLUMNS, 3)]
    lines = ["", *([paint(cut(f"Next: {step}", COLUMNS), "bold")] if step else []), cut(f"{tally}; {later} not yet", COLUMNS), *ruled]
    lines += [paint(cut(line, COLUMNS), "dim") for line in _declared(report)]
    if saved:
        lines.append(paint(_saved(saved), "bold"))
    return lines


def _declared(report: Report) -> list[str]:
    """What a filter leaves out, which settings were used or were not, and exceptions written into the code, each in a line where it arises."""
    count = len(report.suppressions)
    exceptions = f"{plural(count, 'exception')} declared in the code, obeyed by a gate only" if count else ""
    shown = f"Shown: {report.shown}" if report.shown else ""
    gate = report.gate.sentence if report.gate else ""
    return [visible(line) for line in (gate, shown, report.configuration, exceptions) if line]


def _saved(paths: tuple[str, ...]) -> str:
    """Where the reports are; where there is no room, each name is cut alike."""
    label = "Full report: "
    room = (COLUMNS - width(label) + 2) // len(paths) - 2
    whole = ", ".join(visible(path) for path in paths)
    return label + (whole if width(label + whole) <= COLUMNS else ", ".join(cut_path(visible(path), room) for path in paths))
