"""Handlers that turn a failure into a success: what was asked of a store or another system failed, and the caller or the user is told that it worked.

What tries another way (a queue, a second provider, a copy on the device) pretends nothing, and neither does an answer that is the same on purpose: a password
reset that does not say whether the account exists, something already there, a farewell to a session.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from auditor.checks.failures import is_broad, is_cleanup, is_remote, is_write
from auditor.model.syntax import FileFacts, Handler, HandlerEffect, Value, ValueKind

_FLAGS = frozenset(
    {"success", "ok", "succeeded", "valid", "verified", "paid", "authenticated", "authorized", "isValid", "is_valid", "sent", "saved"}
)
_STATES = frozenset({"status", "state", "result", "payment_status", "paymentStatus"})
_GOOD_STATES = frozenset({"success", "ok", "succeeded", "sent", "completed", "saved", "paid", "verified", "delivered"})
_ADMITS = re.compile(
    r"^(?:errors?|warnings?|degraded|fall_?back\w*|from_?cache|cached|offline|queued|pending|skipped|partial|failed\w*|reason|stale|retry\w*|is_?(?:mock|demo|fallback)\w*|mock|demo\w*|source)$",
    re.IGNORECASE,
)
"""Keys of an answer that say that not all went well."""
_SUCCESS_TEXT = re.compile(
    r"\b(?:success(?:ful|fully)?|completed|saved|sent|submitted|processed|created|updated|deleted|booked|paid|confirmed)\b", re.IGNORECASE
)
_NOT_SUCCESS = re.compile(
    r"\b(?:not|no|fail\w*|error|unable|could|couldn|cannot|can't|won't|didn't|unsuccessful\w*|un\w+ed|try|again|without|until|after|before|if|never|but|however|locally|offline|queue\w*|pending"
    r"|later|already|when|once|should|must|to be|will be|problem|wrong|invalid|fallback|partial\w*|cached|warning|except)\b",
    re.IGNORECASE,
)
_PRAISE = re.compile(
    r"(?:^|\.)(?:toast|message|notify|notification|notifications|snackbar|Swal|alert)\.success$|^(?:setSuccess|setSubmitted|setIsSubmitted|setSaved)$"
)
_TELLS = re.compile(
    r"^(?:toast|message|notify|enqueueSnackbar|showToast|addToast|setMessage|setStatus|alert|flash|st\.success|messages\.success)$"
    r"|^(?:res|resp|response|reply|ctx|c)\b.*\.(?:json|send|end)$|^(?:NextResponse|Response)\.json$|^new (?:Next)?Response$|(?:^|\.)(?:JSONResponse|JsonResponse|jsonify|HttpResponse)$"
)  # fmt: skip
_ANOTHER_WAY = re.compile(
    r"queue|offline|fall_?back|retr(?:y|ies)|backup|outbox|defer|schedule|secondary|alternat|persist|store_?local|local_?storage|setItem|delay\b",
    re.IGNORECASE,
)
_ON_PURPOSE = re.compile(
    r"forgot|reset|resend|recover|unsubscribe|log_?out|sign_?out|analytics|track|metric|telemetry|beacon|ping|notif|heart_?beat|health|captcha|turnstile|rate_?limit|throttle|cache|prefetch|warm|audit_?log|log_?(?:event|activity)|view_?count|newsletter_unsub",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"enumerat|reveal|leak|idempoten|already|duplicate|best[ -]effort|non-?(?:critical|fatal|blocking|essential)|optional|don'?t fail|not fatal",
    re.IGNORECASE,
)
_SENDS = re.compile(
    r"(?:^|\.)_?(?:send\w*|invoke|publish\w*|produce|charge\w*|upload\w*|sign_?in\w*|sign_?up\w*|login|pay|submit\w*|save\w*|process_?\w*payment\w*)$",
    re.IGNORECASE,
)
_GATE = re.compile(
    r"^_?(?:verify|authenticate|authori[sz]e|has_?permission|is_?(?:admin|authori[sz]ed|authenticated)|(?:validate|check)_?(?:token|signature|password|licen[cs]e|webhook|permission|auth|access|session|payment)\w*"
    r"|can_?(?:access|view|edit|delete)\w*)(?:[A-Z_]\w*)?$",
    re.IGNORECASE,
)  # fmt: skip
_COMING = re.compile(r"coming soon|not (?:yet )?(?:implemented|available|supported)", re.IGNORECASE)
_ALREADY = re.compile(r"(?:IntegrityError|Conflict\w*|Duplicate\w*|UniqueViolation\w*|AlreadyExists\w*)$")
_DEEP = 3


@dataclass(frozen=True, slots=True)
class Pretence:
    """A handler that calls a failure a success. `callee`: what failed; `told`: what is said instead; `write`: something was to be stored, sent, paid or allowed."""

    path: str
    line: int
    end_line: int
    callee: str
    told: str
    write: bool


def pretences(facts: FileFacts, outside: Collection[str] = ()) -> Iterator[Pretence]:
    """The pretending handlers of one file; `outside` are callees known to ask another system."""
    comments = {comment.line: comment.text for comment in facts.comments}
    for handler in facts.handlers:
        if handler.effect is HandlerEffect.RAISE or not _may_pretend(facts, handler, comments):
            continue
        name = facts.definitions[handler.scope].name if handler.scope >= 0 else ""
        if _opens(handler, name):
            yield Pretence(facts.path, handler.line, handler.end_line, name, "true", write=True)
            continue
        asked = next((callee for callee in handler.tried if _asks(callee, outside)), "")
        told = _praise(facts, handler) if asked and not _ON_PURPOSE.search(asked) else ""
        if told:
            write = any(is_write(callee) or _SENDS.search(callee) for callee in handler.tried)
            yield Pretence(facts.path, handler.line, handler.end_line, asked.removeprefix("new "), told, write)


def _asks(callee: str, outside: Collection[str]) -> bool:
    return callee in outside or is_write(callee) or is_remote(callee) or bool(_SENDS.search(callee))


def _may_pretend(facts: FileFacts, handler: Handler, comments: dict[int, str]) -> bool:
    """Whether a handler has no good reason for a friendly answer: another way, something that was there already, a purpose it states."""
    if handler.kind == "suppress" or (
        handler.types and not is_broad(handler.types) and all(_ALREADY.search(kind) for kind in handler.types)
    ):
        return False
    if any(
        _ANOTHER_WAY.search(callee) or (_asks(callee, ()) and not is_cleanup(callee) and not _TELLS.search(callee))
        for callee in handler.calls
    ):
        return False
    scope, depth = handler.scope, 0
    while scope >= 0 and depth < _DEEP:
        if _ON_PURPOSE.search(facts.definitions[scope].name):
            return False
        scope, depth = facts.definitions[scope].parent, depth + 1
    return not any(_STATED.search(comments.get(line, "")) for line in range(handler.line - 1, min(handler.end_line, handler.line + 60) + 1))


def _opens(handler: Handler, name: str) -> bool:
    """Whether a check of a right says yes when it fails."""
    returned = handler.returned
    yes = returned is not None and returned.kind is ValueKind.BOOLEAN and returned.literal.lower() == "true"
    return yes and is_broad(handler.types) and bool(_GATE.match(name))


def _praise(facts: FileFacts, handler: Handler) -> str:
    """The words of success a handler gives back, shows or puts in place of the result; "" for none."""
    lines = range(handler.line, handler.end_line + 1)
    for call in facts.calls:
        if call.line in lines and _PRAISE.search(call.callee) and not any(_denies(argument.value) for argument in call.arguments):
            return f"{call.callee}()"
    values = [argument.value for call in facts.calls if call.line in lines and _TELLS.search(call.callee) for argument in call.arguments]
    values += [a.value for a in (*facts.returns, *facts.assignments) if a.line in lines and a.value is not None]
    return next((told for value in values if (told := success_in(value))), "")


def _denies(value: Value) -> bool:
    return bool(_NOT_SUCCESS.search(value.literal)) or any(_NOT_SUCCESS.search(item.literal) for _, item in value.items)


def success_in(value: Value, depth: int = _DEEP) -> str:
    """The part of a value that says that it worked, where no other part of it says otherwise."""
    if value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
        said = " " in value.literal.strip() and _SUCCESS_TEXT.search(value.literal) and not _NOT_SUCCESS.search(value.literal)
        return f"“{value.literal[:60]}”" if said else ""
    if value.kind is not ValueKind.COLLECTION and not (value.kind is ValueKind.CALL and _TELLS.search(value.literal)):
        return ""
    if any(
        _ADMITS.match(key)
        or (item.kind in {ValueKind.STRING, ValueKind.TEMPLATE} and (_NOT_SUCCESS.search(item.literal) or _COMING.search(item.literal)))
        for key, item in value.items
    ):
        return ""
    for key, item in value.items:
        if key in _FLAGS and item.kind is ValueKind.BOOLEAN:
            return f"{key}: {item.literal}" if item.literal.lower() == "true" else ""
        if key in _STATES and item.literal.lower() in _GOOD_STATES:
            return f"{key}: {item.literal}"
    return next((told for _, item in value.items if depth and (told := success_in(item, depth - 1))), "")
