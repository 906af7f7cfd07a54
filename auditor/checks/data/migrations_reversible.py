"""A bad change of the database structure can be undone.

Passing title: A bad change of the database can be taken back
Failing title: A bad change of the database cannot be taken back
Grading: Of the ten newest migrations, the first of each series left out, one without a working way back counts in full, one that refuses with a stated reason or
    restores only a part counts half; where data is dropped or deleted on the way up it counts double. Up to a fifth passes. A written policy
    (restore the backup made before, or fix forward only) passes whatever the files do.
Done when: The newest migrations have a way down that undoes each step, or the repository says what happens instead: which backup is restored, by whom, how.
What it cannot see: Whether a way down was ever run, and whether the backup a policy speaks of exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.migrations import State, newest, state_of
from auditor.checks.registry import PRODUCTION, check
from auditor.model.artifacts import Documents
from auditor.model.evidence import MigrationStep, Stores
from auditor.model.needs import DOCUMENTS, STORES
from auditor.model.snapshot import Role
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_WEIGHTS = {"no": 1.0, "refused": 0.5, "partial": 0.5}
_MOST = 0.2
"""Four of five are "most"."""
_SUBJECT = re.compile(r"\b(?:migrat\w+|schema changes?|database changes?)\b", re.IGNORECASE)
_POLICY = re.compile(
    r"\b(?:forward[- ](?:only|fix\w*)|fix(?:es)?[- ]forward|roll(?:s|ed)?[- ]forward|expand[- ]and[- ]contract|point[- ]in[- ]time (?:recovery|restore)"
    r"|(?:restor\w+|recover\w*)\b[^.\n]{0,80}\b(?:back ?ups?|snapshots?|dump)|(?:back ?ups?|snapshots?|dump)\b[^.\n]{0,80}\b(?:before|prior|restor\w+))",
    re.IGNORECASE,
)


@check("data.migrations-reversible", needs=(STORES,), optional=(DOCUMENTS,), roles=(*PRODUCTION, Role.MIGRATION), tolerance=_MOST)
def migrations_reversible(stores: Stores, documents: Documents | None) -> Judgement:
    """Weigh the newest migrations, or accept the policy that stands in for their way back."""
    if state_of(stores) not in {State.MANAGED, State.BY_HAND}:
        return NotApplicable("There are no migrations to take back: see how the database changes at all.")
    steps, total = newest(stores)
    policy = next(_policies(documents), None) if documents is not None else None
    if policy is not None:
        summary = "The documents say how a bad change is taken back: restore or fix forward."
        return Assessed(
            bad=0, total=len(steps), summary=summary, evidence=(policy,), signals=_signals(steps, total), confidence=Confidence.MEDIUM
        )
    judged = [step for step in steps if step.reversible != "unknown"]
    bad = min(float(len(judged)), sum(_weight(step) for step in judged))
    stuck = [step for step in judged if step.reversible in _WEIGHTS]
    return Assessed(
        bad=bad,
        total=len(judged),
        summary=_summary(len(judged), len(stuck)),
        findings=tuple(_finding(step) for step in stuck),
        evidence=tuple(Place(step.path, step.line, step.line) for step in judged if step.reversible == "yes")[-3:],
        signals=_signals(steps, total),
        unexamined=tuple((f"{step.path}:{step.line}", step.reason) for step in steps if step.reversible == "unknown"),
    )


def _weight(step: MigrationStep) -> float:
    return _WEIGHTS.get(step.reversible, 0.0) * (2 if step.destructive else 1)


def _summary(judged: int, stuck: int) -> str:
    if not judged:
        return "There is only the first migration, which starts from nothing."
    return f"{judged - stuck} of the {plural(judged, 'newest migration')} can be taken back."


def _finding(step: MigrationStep) -> Finding:
    name = "/".join(step.path.rsplit("/", 2)[-2:]) if step.path.endswith("migration.sql") else step.path.rpartition("/")[2]
    lost = " It drops or deletes data on the way up, which then only a backup brings back." if step.destructive else ""
    message = f"{name} {step.reason}: after a bad release the old version meets the new structure.{lost}"
    rules = {"no": "no-way-back", "refused": "way-back-refused", "partial": "way-back-incomplete"}
    return Finding(rules[step.reversible], step.path, message, step.line, step.line)


def _policies(documents: Documents) -> Iterator[Place]:
    """Paragraphs that speak of migrations and of restoring a backup or fixing forward."""
    for document in documents.documents:
        if document.purpose in {"changelog", "licence", "agent-rules"}:
            continue
        for section in document.sections:
            line = section.line
            for paragraph in re.split(r"\n\s*\n", section.text[:100_000]):
                about = _SUBJECT.search(paragraph) or _SUBJECT.search(section.title)
                if about and _POLICY.search(paragraph):
                    yield Place(document.path, line, line)
                    break


def _signals(steps: tuple[MigrationStep, ...], total: int) -> tuple[str, ...]:
    counted = {
        word: sum(1 for step in steps if step.reversible == word) for word in ("yes", "trivial", "partial", "refused", "no", "unknown")
    }
    words = ", ".join(f"{count} {word}" for word, count in counted.items() if count)
    return (f"migrations: {total}", f"way back of the newest {len(steps)}: {words or 'none'}")
