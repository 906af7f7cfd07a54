"""Incoming webhooks and callbacks prove their sender before anything changes.

Passing title: Messages from other services are accepted from these services alone
Failing title: Anybody can send messages that are taken for those of a payment or partner service
Grading: The share of incoming webhooks that act without any proof of the sender; one that speaks of payments fails the item by itself. A proof that is
    skipped when a setting is missing, and a secret that is part of the address, count half. A function that is called verification and verifies nothing is no proof. Callbacks
    of logins, webhooks that change nothing, and pages where users manage their own outgoing webhooks do not count.
Done when: Every webhook verifies the sender's signature over the raw body and refuses without it, also when the secret is not configured, and a forged call is refused in a test.
What it cannot see: Lists of allowed addresses and signatures checked by a gateway outside the repository.
"""

from __future__ import annotations

from auditor.checks.incoming_webhooks import Hook, IncomingWebhooks, Proof
from auditor.checks.registry import check
from auditor.model.evidence import Routes
from auditor.model.needs import PROJECT, ROUTES, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

ITEM = "security.webhooks-verified"
_WEIGHT = {Proof.NONE: 1.0, Proof.STUB: 1.0, Proof.SKIPPED: 0.5, Proof.IN_ADDRESS: 0.5}


@check(ITEM, needs=(ROUTES, SYNTAX, PROJECT, TEXTS))
def webhooks_verified(routes: Routes, syntax: Syntax, project: Project, texts: dict[str, str]) -> Judgement:
    """Judge each incoming webhook by what its handler does first."""
    incoming = IncomingWebhooks(routes, syntax, project, texts)
    hooks = list(incoming.all())
    elsewhere = [] if hooks else incoming.verified_elsewhere()
    if not hooks and not elsewhere:
        return NotApplicable("No endpoint waits for messages of another service.")
    counted = [hook for hook in hooks if hook.proof not in {Proof.UNKNOWN, Proof.HARMLESS}]
    bad = [hook for hook in counted if hook.proof in _WEIGHT]
    open_payment = any(hook.payment and hook.proof in {Proof.NONE, Proof.STUB} for hook in bad)
    sound = [Place(h.route.place.path, h.line, h.end_line) for h in counted if h.proof is Proof.SIGNATURE]
    return Assessed(
        bad=sum(_WEIGHT[hook.proof] for hook in bad),
        total=len(counted),
        floor=1.0 if open_payment else 0.0,
        summary=_summary(len(bad), len(counted)),
        findings=tuple(_finding(hook) for hook in bad),
        evidence=tuple([*sound, *(Place(path, line, line) for path, line in elsewhere)][:3]),
        signals=(
            f"incoming webhooks: {len(hooks)}",
            f"of these without effect: {sum(hook.proof is Proof.HARMLESS for hook in hooks)}",
            f"about payments: {sum(hook.payment for hook in hooks)}",
        ),
        unexamined=tuple(
            (hook.route.place.path, f"the handler of {hook.route.path} could not be followed")
            for hook in hooks
            if hook.proof is Proof.UNKNOWN
        ),
        confidence=Confidence.HIGH if any(hook.proof is Proof.STUB for hook in bad) or not bad else Confidence.MEDIUM,
    )


def _finding(hook: Hook) -> Finding:
    what = hook.route.path
    money = "a payment that never happened" if hook.payment else "any message"
    if hook.proof is Proof.STUB:
        message = f"{what} calls a function that says it verifies the sender but computes nothing: anybody can report {money} to it."
    elif hook.proof is Proof.NONE:
        message = f"{what} acts on what it is sent without asking who sent it: anybody can report {money} to it."
    elif hook.proof is Proof.SKIPPED:
        message = (
            f"{what} verifies its sender only if the secret is configured: where the setting is missing, anybody can report {money} to it."
        )
    else:
        message = f"{what} trusts a secret in its address, which logs and proxies keep: whoever reads one of them can report {money} to it."
    return Finding(
        f"webhook-{hook.proof.value}", hook.route.place.path, message, hook.line, hook.end_line, Confidence.MEDIUM, "syntax", 345
    )


def _summary(bad: int, total: int) -> str:
    if bad:
        return f"{bad} of {plural(total, 'incoming webhook')} {'does' if bad == 1 else 'do'} not make sure who is calling."
    return (
        f"{plural(total, 'incoming webhook')} make sure of the sender."
        if total > 1
        else "Incoming messages are verified before they change anything."
    )
