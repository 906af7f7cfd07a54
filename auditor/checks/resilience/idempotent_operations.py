"""Payments, messages of other services, jobs and imports that come twice: done once, or done twice.

Passing title: What arrives twice is done once
Failing title: A repeated payment, message, job or import is carried out again
Grading: Looked at are handlers of incoming webhooks, calls that move money, jobs that their queue tries again, and endpoints that import many records. One is bad if
    it does something that adds up (another row, an amount changed by what it was, money moved, a message sent) and nothing in it or in what it calls recognises the
    repeat: a key, a unique row, a conflict clause, a look-up of what was done. Setting a record to what was reported can be repeated. Fails when money or credit is
    concerned; everything else is partial.
Done when: Every such operation stores the key of what it was asked together with its effect, under a unique index, and hands the provider an idempotency key; a test sends
    the same message twice and sees one effect.
What it cannot see: Unique indexes that alone refuse the second row, duplicates a queue or provider removes by its own settings, and whether the key that is compared is the right one.
"""

from __future__ import annotations

from auditor.checks.database_calls import database_calls
from auditor.checks.incoming_webhooks import IncomingWebhooks
from auditor.checks.registry import check
from auditor.checks.repeated_operations import Operation, Origin, operations
from auditor.checks.repeats import Act, Effect, Repeats
from auditor.model.evidence import Routes
from auditor.model.needs import PROJECT, ROUTES, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_FAIL, _PARTIAL = 0.7, 0.4
_RULES = {Origin.MESSAGE: "webhook-repeats", Origin.PAYMENT: "payment-repeats", Origin.JOB: "job-repeats", Origin.IMPORT: "import-repeats"}
_WEIGHT = {Effect.MONEY: 0, Effect.AMOUNT: 1, Effect.ROW: 2, Effect.MESSAGE: 3}


@check("resilience.idempotent-operations", needs=(ROUTES, SYNTAX, PROJECT, TEXTS))
def idempotent_operations(routes: Routes, syntax: Syntax, project: Project, texts: dict[str, str]) -> Judgement:
    """Judge each operation that may arrive twice by what adds up in it and by what recognises the repeat."""
    hooks = list(IncomingWebhooks(routes, syntax, project, texts).all())
    repeats = Repeats(syntax, project.server, database_calls(syntax.of(project.server)), texts)
    found = list(operations(repeats, hooks, routes, project))
    if not found:
        return NotApplicable("No message of another service, payment, job that is tried again or import is handled here.")
    decided = [each for each in found if not each.why]
    bad = [each for each in decided if each.acts]
    worst = any(_pays(each) for each in bad)
    return Assessed(
        bad=0,
        total=0,
        floor=_FAIL if worst else _PARTIAL if bad else 0.0,
        summary=_summary(bad, len(decided)),
        findings=tuple(_finding(each) for each in sorted(bad, key=lambda each: (not _pays(each), each.path, each.line))),
        evidence=tuple(Place(each.path, each.line, each.end_line) for each in decided if each.adds and not each.acts)[:4],
        signals=(
            *(f"{origin.value}: {sum(each.origin is origin for each in found)}" for origin in Origin if any(each.origin is origin for each in found)),
            f"with nothing that adds up: {sum(not each.adds for each in decided)}",
        ),
        unexamined=tuple((each.path, each.why) for each in found if each.why),
        confidence=Confidence.MEDIUM,
    )  # fmt: skip


def _pays(operation: Operation) -> bool:
    """Whether money or credit is had twice: it is moved, or a message about a payment adds a row or changes an amount."""
    effects = {act.effect for act in operation.acts}
    return Effect.MONEY in effects or (operation.money and bool(effects & {Effect.ROW, Effect.AMOUNT}))


def _first(operation: Operation) -> Act:
    return min(operation.acts, key=lambda act: (_WEIGHT[act.effect], act.path != operation.path, act.path, act.line))


def _finding(operation: Operation) -> Finding:
    act = _first(operation)
    again = {
        Origin.MESSAGE: f"When the same message reaches {operation.name} twice",
        Origin.PAYMENT: f"When {operation.name} runs twice for one order, after a second click or a lost answer",
        Origin.JOB: f"When {operation.name} fails after this line and is tried again",
        Origin.IMPORT: f"When the same file is sent to {operation.name} twice",
    }[operation.origin]
    message = f"{again}, {act.what} {act.effect.value}: no key, no unique row and no look-up recognises the repeat."
    return Finding(_RULES[operation.origin], act.path, message, act.line, act.end_line, Confidence.MEDIUM, cwe=837)


def _summary(bad: list[Operation], total: int) -> str:
    if bad:
        return f"{len(bad)} of {plural(total, 'operation')} that may arrive twice {'does' if len(bad) == 1 else 'do'} the thing twice."
    if not total:
        return "Whether what arrives twice is done twice could be settled for no operation."
    return f"{plural(total, 'operation')} that may arrive twice: each is harmless to repeat or recognises the repeat."
