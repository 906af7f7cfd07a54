"""Logs and error reports contain no passwords, tokens or personal data.

Passing title: Logs give away no credential and no personal data
Failing title: Whoever reads the logs can act as somebody else
Grading: Fail when server code writes the value of a credential (password, token, key, code or link that lets somebody in, card number) to its log. Partial when that happens at debug level or in
    the visitor's own console, when whole requests, sessions, environments or people are written, when addresses and telephone numbers are, or when the error tracker is told to send personal
    data. Masked, cut, counted and compared values, names without their values, what a command prints for its user, and people and requests at debug level are none. A token that is only called `token` counts where the
    message, the function or the object it belongs to is about signing in.
Done when: the logger removes the known fields by itself, events carry ids in place of people, and a search for a test user's password and address in the log of a test run finds nothing.
What it cannot see: what stands inside errors and answers of others that are logged whole, what a proxy or a platform records, and filters configured outside the repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.exposed_values import Exposure, exposure, shown
from auditor.checks.log_statements import Way, calls
from auditor.checks.registry import check
from auditor.model.needs import PROJECT, SYNTAX
from auditor.model.project import Project
from auditor.model.syntax import Call, FileFacts, Syntax, Value, ValueKind
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.secret_names import words_of
from auditor.words import plural

_SIGNING_IN = re.compile(
    r"\b(?:auth(?:enticat\w+|orization)?|jwt|bearer|log(?:ged)?[ -]?in|sign(?:ed)?[ -]?in|reset|password|oauth\d?|credentials?)\b",
    re.IGNORECASE,
)
_QUIET = re.compile(r"\.(?:debug|trace|silly|verbose)$")
_REDACTS = re.compile(r"redact|Redact|SensitiveDataFilter|SecretsFilter|MaskingFilter|mask_sensitive|scrub", re.ASCII)
_PERSONAL_SETTING = frozenset({"send_default_pii", "sendDefaultPii"})
_DEBUG_OR_BROWSER = 0.5
_WHOLE = 0.4
_PERSONAL = 0.25
_SINGLE_PERSONAL = 0.15


@dataclass(frozen=True, slots=True)
class _Leak:
    """One value a statement gives away."""

    facts: FileFacts
    call: Call
    name: str
    kind: Exposure
    browser: bool

    @property
    def proves(self) -> bool:
        """Whether it alone proves the claim false."""
        return self.kind is Exposure.CREDENTIAL and not self.browser and not _QUIET.search(self.call.callee)


@check("observability.no-sensitive-logs", needs=(PROJECT, SYNTAX))
def no_sensitive_logs(project: Project, syntax: Syntax) -> Judgement:
    """Look at what every statement of production code writes."""
    files = syntax.of(project.production)
    statements = [(facts, call, way) for facts in files for call, way in calls(facts)]
    if not statements:
        return NotApplicable("Production code logs and prints nothing.")
    redacted = any(_redacts(facts) for facts in files)
    leaks = [leak for facts, call, way in statements for leak in _leaks(project, facts, call, whole=not (redacted and way is Way.LOGGED))]
    settings = list(_settings(files))
    findings = [_finding(leak) for leak in sorted(leaks, key=lambda leak: (not leak.proves, leak.kind is not Exposure.CREDENTIAL))]
    signals = (
        f"{plural(len(statements), 'statement')} that {'logs' if len(statements) == 1 else 'log'} or print looked at"
        + ("; the logger removes named fields" if redacted else ""),
    )
    bad = len({(leak.facts.path, leak.call.line) for leak in leaks}) + len(settings)
    return Assessed(
        bad=bad if any(leak.proves for leak in leaks) else min(bad, _DEBUG_OR_BROWSER * len(statements)),
        total=len(statements),
        floor=_floor(leaks, settings),
        summary=_summary(leaks, settings, len(statements)),
        findings=(*findings, *settings),
        signals=signals,
    )


def _floor(leaks: list[_Leak], settings: list[Finding]) -> float:
    if any(leak.proves for leak in leaks):
        return 1.0
    if any(leak.kind is Exposure.CREDENTIAL for leak in leaks):
        return _DEBUG_OR_BROWSER
    if any(leak.kind is Exposure.WHOLE for leak in leaks):
        return _WHOLE
    if len(leaks) > 1 or settings:
        return _PERSONAL
    return _SINGLE_PERSONAL if leaks else 0.0


def _summary(leaks: list[_Leak], settings: list[Finding], total: int) -> str:
    if not leaks and not settings:
        return f"{plural(total, 'statement')} {'writes' if total == 1 else 'write'} no credential, no whole request and no personal data."
    counted = {kind: len([leak for leak in leaks if leak.kind is kind]) for kind in Exposure}
    parts = [
        plural(counted[Exposure.CREDENTIAL], "credential"),
        plural(counted[Exposure.WHOLE], "whole object"),
        plural(counted[Exposure.PERSONAL], "piece of personal data", "pieces of personal data"),
    ]
    text = ", ".join(part for part in parts if not part.startswith("0 "))
    return f"{text} written to the log by {plural(total, 'statement')}." if text else "The error tracker is told to send personal data."


def _leaks(project: Project, facts: FileFacts, call: Call, *, whole: bool) -> Iterator[_Leak]:
    """What one statement gives away; of the visitor's own console only credentials count."""
    script = not facts.path.endswith(".py")
    browser = script and not project.on_server(facts.path)
    told = " ".join(argument.value.literal for argument in call.arguments if argument.value.kind in {ValueKind.STRING, ValueKind.TEMPLATE})
    seen: set[str] = set()
    for value, direct in _written(call, script=script):
        for key, name in shown(value):
            kind = _kind(facts, call, key, name, told, script=script, direct=direct)
            if kind is None or name.literal in seen or (browser and kind is not Exposure.CREDENTIAL):
                continue
            if kind is Exposure.WHOLE and not whole:
                continue
            seen.add(name.literal)
            yield _Leak(facts, call, name.literal, kind, browser)


def _written(call: Call, *, script: bool) -> Iterator[tuple[Value, bool]]:
    """The expressions a statement writes, and whether the object itself is handed over."""
    for argument in call.arguments:
        if argument.name in {"exc_info", "stack_info", "stacklevel", "file", "end", "sep", "flush"}:
            continue
        yield argument.value, script and argument.value.kind in {ValueKind.NAME, ValueKind.COLLECTION, ValueKind.CALL}


def _kind(facts: FileFacts, call: Call, key: str, name: Value, told: str, *, script: bool, direct: bool) -> Exposure | None:
    path = name.literal
    last = path.rpartition(".")[2]
    if last == "token" or key == "token":
        about = f"{told} {path.rpartition('.')[0]} {facts.definitions[call.scope].qualname if call.scope >= 0 else ''}"
        words = " ".join(words_of(f"{about} {facts.path}"))
        return Exposure.CREDENTIAL if last == "token" and _SIGNING_IN.search(words) else None
    kind = exposure(path, script=script, direct=direct)
    return kind if kind is Exposure.CREDENTIAL or not _QUIET.search(call.callee) else None  # debug output is off where people are


def _redacts(facts: FileFacts) -> bool:
    """Whether the file sets up the removal of fields from logs."""
    return any(
        (argument.name == "redact" or argument.value.item("redact") is not None) for call in facts.calls for argument in call.arguments
    ) or any(_REDACTS.search(definition.name) for definition in facts.definitions if definition.name)


def _settings(files: tuple[FileFacts, ...]) -> Iterator[Finding]:
    for facts in files:
        for call in facts.calls:
            if call.callee.removeprefix("new ").rpartition(".")[2] != "init":
                continue
            given = [(argument.name, argument.value) for argument in call.arguments] + [
                entry for a in call.arguments for entry in a.value.items
            ]
            if any(
                name in _PERSONAL_SETTING and value.kind is ValueKind.BOOLEAN and value.literal.lower() == "true" for name, value in given
            ):
                message = "The error tracker is told to send addresses, names and cookies of the people an error happens to."
                yield Finding("personal-data-to-tracker", facts.path, message, call.line, call.end_line, cwe=359)


def _finding(leak: _Leak) -> Finding:
    call = leak.call
    last = leak.name
    if leak.kind is Exposure.CREDENTIAL:
        where = (
            "the visitor's console, where every script and recorder of the page reads it"
            if leak.browser
            else "the log, where everybody who reads logs can use it"
        )
        quiet = " as soon as debug output is on" if _QUIET.search(call.callee) and not leak.browser else ""
        message = f"The value of {last} is written to {where}{quiet}."
        rule, cwe = "credential-logged", 532
    elif leak.kind is Exposure.WHOLE:
        message = f"All of {last} is written to the log: whatever password, token or address it carries today or tomorrow is in there."
        rule, cwe = "whole-object-logged", 532
    else:
        message = f"{last} is written to the log: people's contact details lie where no deletion request reaches them."
        rule, cwe = "personal-data-logged", 359
    confidence = Confidence.HIGH if leak.proves else Confidence.MEDIUM
    return Finding(rule, leak.facts.path, message, call.line, call.end_line, cwe=cwe, confidence=confidence)
