"""Errors that are dropped: caught and forgotten, turned into an ordinary-looking result, or only printed.

Passing title: When something fails, the error is handled, logged or passed on
Failing title: Failures are dropped in silence
Grading: Every handler of production code is one place that may drop an error; a broad one that only prints counts as half, and is none where it states the reason,
    tries again, falls back or returns that it failed; in a page the console is the log, and only a failed call of a server or a store that the visitor learns nothing of counts. Narrow handlers of what may
    well be absent, clean-up and parsing with an explicit fallback drop nothing. No place is a pass, one to three places (or less than a tenth of all
    handlers) are partial, more are a failure, and so is a single error dropped without a stated reason around a write to a store or a
    payment, and a save that the screen calls successful although its failure was kept back.
Done when: Every handler narrows the error, logs it with its context, or hands an explicit failure to its caller; the list of places is empty.
What it cannot see: Errors dropped by a library or by a framework's own settings, promises that nobody waits for, response codes that are read in a helper, and whether
    a logged error is ever looked at.
"""

from __future__ import annotations

import re

from auditor.checks.dropped_errors import Drop, FileHandlers, bindings_of_console
from auditor.checks.failures import is_pure, is_write
from auditor.checks.ignored_results import ignored_results, successes_after_failed_saves, unread_answers
from auditor.checks.registry import check
from auditor.model.needs import PROJECT, SYNTAX
from auditor.model.project import Kind, Project, Side
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place
from auditor.words import decimal, percent, plural

FEW_PLACES = 3
FEW_SHARE = 0.1
_FAIL = 0.6
_HIDDEN_WRITE = 0.8
_PARTIAL_AT_MOST = 0.5
_COMMAND = re.compile(r"(?:^|/)(?:management/commands|commands|cli|bin)/|(?:^|/)(?:cli|manage|__main__)\.\w+$")
_LOGGER = re.compile(r"(?:^|/)(?:log|logs|logger|logging)(?:/|\.\w+$)")
"""Where a logger itself is written: the console is what it has left when it fails."""


@check("resilience.no-swallowed-errors", needs=(PROJECT, SYNTAX))
def no_swallowed_errors(project: Project, syntax: Syntax) -> Judgement:
    """Judge what every handler of production code does with the error."""
    files = syntax.of(project.production)
    console_is_logger = any(bindings_of_console(facts) for facts in files)
    handled = 0
    drops: list[Drop] = []
    fine: list[Place] = []
    for facts in files:
        python = facts.path.endswith((".py", ".pyw", ".pyi"))
        reader = FileHandlers(
            facts,
            python=python,
            prints_are_fine=_talks_by_printing(project, facts) or (console_is_logger and not python),
            page=project.sides.get(facts.path) is Side.BROWSER,
        )
        counted, dropped = reader.counted(), reader.drops()
        callbacks, printed = reader.callbacks()
        results, ignored = ignored_results(facts)
        unread = unread_answers(facts)
        handled += len(counted) + callbacks + results + len(unread)
        drops += [*dropped, *printed, *ignored, *unread]
        bad_lines = {drop.line for drop in dropped}
        fine += [Place(facts.path, handler.line) for handler in counted if handler.line not in bad_lines]
    drops += successes_after_failed_saves(files)
    if not handled and not any(_can_fail(facts) for facts in files):
        return NotApplicable("Production code has no error handler and does nothing that can fail for outside reasons.")
    return _assess(drops, handled, fine)


def _talks_by_printing(project: Project, facts: FileFacts) -> bool:
    """Whether print is the way a file speaks to the person who started it: a command, or a dialogue in the terminal."""
    asks = any(call.callee in {"input", "readline.createInterface", "getpass.getpass"} for call in facts.calls)
    return asks or project.part_of(facts.path).kinds == {Kind.CLI} or bool(_COMMAND.search(facts.path) or _LOGGER.search(facts.path))


def _can_fail(facts: FileFacts) -> bool:
    return any(is_write(call.callee) or (call.awaited and not is_pure(call.callee)) or call.callee == "open" for call in facts.calls)


def _assess(drops: list[Drop], handled: int, fine: list[Place]) -> Judgement:
    places = sum(drop.weight for drop in drops)
    share = places / handled if handled else 0.0
    hidden = [drop for drop in drops if drop.write]
    many = places > FEW_PLACES and share >= FEW_SHARE
    ordered = sorted(drops, key=lambda drop: (not drop.write, -drop.weight, drop.path, drop.line))
    findings = tuple(
        Finding(f"swallowed-{drop.rule}", drop.path, drop.message, drop.line, drop.end_line, cwe=755 if drop.rule == "printed" else 390)
        for drop in ordered
    )
    if not drops:
        summary = (
            f"All {plural(handled, 'handler')} pass the error on, report it or answer with it."
            if handled
            else "Nothing is caught and dropped."
        )
    else:
        summary = f"{decimal(places)} of {plural(handled, 'handler')} ({percent(share)}) drop the error" + (
            f", {len(hidden)} of them around a write whose loss stays hidden." if hidden else "."
        )
    failed = bool(hidden) or many
    return Assessed(
        bad=places if failed else min(places, _PARTIAL_AT_MOST * handled),
        total=handled,
        summary=summary,
        floor=_HIDDEN_WRITE if hidden else _FAIL if many else 0.0,
        findings=findings,
        evidence=tuple(fine[:5]),
        signals=(f"{plural(handled, 'handler')} in production code; import guards and clean-up left out",),
    )
