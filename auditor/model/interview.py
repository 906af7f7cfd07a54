"""What people said in the interview, as data: stated, not seen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model.verdict import Outcome


class Answer(StrEnum):
    """How a question was answered; `OPEN`: it was not."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"
    OPEN = "not answered"


@dataclass(frozen=True, slots=True)
class Statement:
    """One question with its answer, what supports it, who gave it and on which day (ISO 8601).

    `question` is the question's id, "" for a statement about something outside the repository, which names its item itself.
    """

    question: str
    asks: str
    items: tuple[str, ...]
    answer: Answer
    evidence: str = ""
    who: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A statement that the repository does not bear out; the repository wins."""

    item: str
    stated: Statement
    seen: str


@dataclass(frozen=True, slots=True)
class Interview:
    """All statements; the outcomes they make (items only people can answer) or settle (items nobody could decide); what contradicts the code."""

    statements: tuple[Statement, ...]
    outcomes: tuple[Outcome, ...]
    contradictions: tuple[Contradiction, ...] = ()

    @property
    def held(self) -> bool:
        """Whether anything was answered."""
        return any(statement.answer is not Answer.OPEN for statement in self.statements)
