"""The interview: a form of questions to people, read back and weighed as what it is, stated and not seen.

A statement answers items that only people can answer, and settles items that the repository left open. It never changes what the
repository shows: where both speak and disagree, the contradiction is kept and the repository wins. The code grade does not see it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from auditor.catalogue import catalogue
from auditor.errors import UsageError
from auditor.languages.yaml_nodes import SIZE_LIMIT, Node, read_yaml
from auditor.model.interview import Answer, Contradiction, Interview, Statement
from auditor.model.project import Kind
from auditor.model.report import Item, Report
from auditor.model.verdict import Confidence, Outcome, Verdict
from auditor.score import score, verdict_of
from auditor.words import listed

_QUESTIONS = Path(__file__).with_name("interview.toml")
_WEIGHT = {Answer.YES: 0.0, Answer.PARTLY: 0.5, Answer.NO: 1.0}
_FIELDS = ("answer", "evidence", "who", "date")
_ANSWERS = [answer.value for answer in Answer if answer is not Answer.OPEN]
_OUTSIDE = "outside"
_OF_WHAT_RUNS = frozenset({"observability.alerting-owned", "data.backups-restorable", "ops.load-known", "ops.recovery-practised"})
"""Items about something that runs: no question to a library."""


@cache
def questions() -> tuple[Statement, ...]:
    """The questions in their order, none of them answered."""
    data = tomllib.loads(_QUESTIONS.read_text(encoding="utf-8"))
    return tuple(Statement(number, entry["asks"], tuple(entry["items"]), Answer.OPEN) for number, entry in data.items())


def form() -> str:
    """An empty form to fill in: YAML with the questions as comments."""
    good = {number: entry["good"] for number, entry in tomllib.loads(_QUESTIONS.read_text(encoding="utf-8")).items()}
    lines = [
        "# Interview for a production audit: what only people can answer.",
        f"# answer: {', '.join(_ANSWERS)}; empty where it was not asked. yes, partly and not applicable need evidence: a date, a link, a name.",
        "who:    # who answered, where a question does not say otherwise",
        "date:   # on which day, as YYYY-MM-DD",
        "",
    ]
    for question in questions():
        lines += [
            f"{question.question}:",
            f"  # {question.asks}",
            f"  # A good answer has: {good[question.question]}",
            "  answer:",
            "  evidence:",
        ]
    return "\n".join(
        [
            *lines,
            "",
            "# What is set outside the repository (gateway limits, headers, network rules, scheduled jobs, dashboards), by the item it settles; see `auditor checks`:",
            "# outside:",
            "#   - item: security.rate-limited",
            "#     answer: yes",
            "#     evidence: gateway rule 12, exported on 2026-01-31",
            f"{_OUTSIDE}: []",
            "",
        ]
    )


def read(path: Path) -> tuple[Statement, ...]:
    """All questions with the answers of a form, and its statements about what is outside.

    Raises:
        UsageError: it cannot be read, or something in it is wrong; the message names the line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(4 * SIZE_LIMIT + 1)
        found = read_yaml(data.decode())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not text") from None
    if found.problem or not found.root.entries:
        raise UsageError(f"{path} is no form of answers ({found.problem or 'no keys'}): write one with `auditor interview FILE`")
    return _Form(path.name, found.root).statements()


@dataclasses.dataclass(frozen=True, slots=True)
class _Form:
    """A form being read; every complaint names the file and the line."""

    name: str
    root: Node

    def statements(self) -> tuple[Statement, ...]:
        known = {question.question: question for question in questions()}
        self._expect(self.root, (*known, "who", "date", _OUTSIDE))
        who, date = self.root.get("who").text.strip(), self.root.get("date").text.strip()
        answered = tuple(self._statement(self.root.get(number), question, who, date) for number, question in known.items())
        return (*answered, *(self._outside(node, who, date) for node in self.root.get(_OUTSIDE).children))

    def _outside(self, node: Node, who: str, date: str) -> Statement:
        self._expect(node, ("item", *_FIELDS))
        try:
            item = catalogue().item(node.get("item").text.strip())
        except UsageError as error:
            raise self._wrong(node, str(error)) from None
        statement = self._statement(node, Statement("", item.claim, (item.id,), Answer.OPEN), who, date, extra=("item",))
        if statement.answer is Answer.OPEN:
            raise self._wrong(node, f"what is said of {item.id} has no answer")
        return statement

    def _statement(self, node: Node, question: Statement, who: str, date: str, extra: tuple[str, ...] = ()) -> Statement:
        if not node:
            return question
        self._expect(node, (*extra, *_FIELDS))
        word = node.get("answer").text.strip().lower()
        if not word:
            return question
        if word not in _ANSWERS:
            raise self._wrong(node.get("answer"), f"{word!r} is no answer; it is one of {', '.join(_ANSWERS)}")
        answer = Answer(word)
        evidence = " ".join(node.get("evidence").text.split())
        who, date = node.get("who").text.strip() or who, node.get("date").text.strip() or date
        if answer in {Answer.YES, Answer.PARTLY, Answer.NOT_APPLICABLE} and not evidence:
            raise self._wrong(node, f"{answer.value!r} needs evidence: a date, a link, a name")
        if not who or not date:
            raise self._wrong(node, "an answer needs `who` gave it and its `date`, here or at the top of the form")
        try:
            day = dt.date.fromisoformat(date).isoformat()
        except ValueError:
            raise self._wrong(node, f"{date!r} is not a date: write it as YYYY-MM-DD") from None
        return dataclasses.replace(question, answer=answer, evidence=evidence, who=who, date=day)

    def _expect(self, node: Node, keys: Sequence[str]) -> None:
        """Only these keys: a misspelt one would silently drop an answer."""
        if not node.is_mapping and node:
            raise self._wrong(node, f"this should hold {listed(list(keys), 5)}")
        for key, value in node.entries:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, n=1)
                raise self._wrong(value, f"unknown key {key!r}{f'; did you mean {near[0]!r}?' if near else ''}")

    def _wrong(self, node: Node, what: str) -> UsageError:
        return UsageError(f"{self.name}, line {node.key_line or node.line}: {what}")


def hold(report: Report, statements: Sequence[Statement] = ()) -> Report:
    """The report with its production grade: everything the code grade counts, and what only people can answer.

    What was not answered counts as unknown there. A report without a grade gets none here either.
    """
    said = tuple(statements) or questions()
    if report.score.no_grade:
        return dataclasses.replace(report, interview=Interview(said, ()))
    seen = {outcome.id: outcome for outcome in report.outcomes}
    asked = [
        _asked(item, [one for one in said if item.id in one.items], _not_here(item, report))
        for item in report.items
        if item.how == "ask" and item.id not in seen
    ]
    settled = {outcome.id: outcome for outcome in _settled(report.outcomes, said)}
    interview = Interview(said, (*asked, *settled.values()), tuple(_contradictions(seen, said)))
    whole = [settled.get(outcome.id, outcome) for outcome in report.outcomes]
    return dataclasses.replace(report, interview=interview, production=score([*whole, *asked]))


def _not_here(item: Item, report: Report) -> str:
    """Why a question does not arise in this repository, "" where it does."""
    kinds = {kind for part in report.parts for kind in part.kinds}
    if item.id in _OF_WHAT_RUNS and kinds and kinds <= {Kind.LIBRARY, Kind.CLI}:
        return f"Nothing here is operated: {listed(sorted(kinds))}."
    data = [outcome for outcome in report.outcomes if outcome.category == "data"]
    if item.id == "data.backups-restorable" and data and all(outcome.verdict is Verdict.NOT_APPLICABLE for outcome in data):
        return "No data is kept here."
    return ""


def _asked(item: Item, said: list[Statement], not_here: str) -> Outcome:
    """The outcome of an item that only people can answer: the mean of its answers, and what was not answered as if it were bad."""
    if not_here and all(one.answer is Answer.OPEN for one in said):
        return _stated(item, Verdict.NOT_APPLICABLE, 0.0, 0.0, not_here)
    counting = [one for one in said if one.answer is not Answer.NOT_APPLICABLE]
    given = [_WEIGHT[one.answer] for one in counting if one.answer in _WEIGHT]
    missing = len(counting) - len(given)
    badness = sum(given) / len(counting) if counting else 0.0
    ceiling = (sum(given) + missing) / len(counting) if counting else 0.0
    verdict = Verdict.NOT_APPLICABLE if said and not counting else Verdict.UNKNOWN if missing and not badness else verdict_of(badness)
    reason = " ".join(_words(one) for one in said if one.answer is not Answer.OPEN) or "Nobody was asked."
    return _stated(item, verdict, badness, 1.0 if verdict is Verdict.UNKNOWN else ceiling, reason)


def _settled(outcomes: Iterable[Outcome], said: Iterable[Statement]) -> Iterator[Outcome]:
    """Items that the repository leaves open and a statement answers."""
    by_item = {item: one for one in said for item in one.items if one.answer in _WEIGHT}
    for outcome in outcomes:
        statement = by_item.get(outcome.id)
        if statement and outcome.verdict is Verdict.UNKNOWN:
            badness = _WEIGHT[statement.answer]
            yield _stated(catalogue().item(outcome.id), verdict_of(badness), badness, badness, _words(statement))


def _contradictions(seen: dict[str, Outcome], said: Iterable[Statement]) -> Iterator[Contradiction]:
    against = {Answer.YES: Verdict.FAIL, Answer.NO: Verdict.PASS}
    for one in said:
        for item in one.items:
            if item in seen and seen[item].verdict is against.get(one.answer):
                yield Contradiction(item, one, seen[item].reason)


def _words(statement: Statement) -> str:
    answer = f"{statement.question}: {statement.answer.value}" if statement.question else statement.answer.value
    return f"Stated by {statement.who} on {statement.date}: {answer}{f', {statement.evidence}' if statement.evidence else ''}."


def _stated(item: Item, verdict: Verdict, badness: float, ceiling: float, reason: str) -> Outcome:
    return Outcome(
        item.id, item.category, item.severity, verdict, badness, ceiling, Confidence.MEDIUM, reason, (), (), (), 0, 0, badness, 1.0
    )
