"""Functions that are declared and not written: they raise that they are not implemented, do nothing under a remark, or say yes to everything.

Left alone: abstract methods and interfaces, classes that others extend, overrides of what a library calls, empty functions without a remark, and
functions that nobody uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from auditor.checks.reach import within
from auditor.checks.remarks import Said, admits, innermost, invents, is_hollow, lacks_check, remarks
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts, ValueKind

UNFINISHED = re.compile(
    r"\bnot (?:yet )?(?:been )?implemented\b|\bunimplemented\b|\bcoming soon\b|\bunder construction\b|\bnot (?:yet )?(?:available|supported) yet\b|\bnot yet (?:available|supported|ready)\b|\bstill in development\b",
    re.IGNORECASE,
)
"""What a program tells its users where a feature is missing."""
_TO_DO = re.compile(
    r"\b(?:TODO|FIXME|XXX)\b|\b(?:placeholder|stub)\b|\bnot (?:yet )?implemented\b|\bimplement (?:this|me|later)\b", re.IGNORECASE
)
_SHOWS = re.compile(
    r"^(?:window\.)?alert$|^Alert\.alert$|^Swal\.fire$|^(?:this\.\$root\.)?\$?toast\w*(?:\.\w+)?$|^(?:message|messages|notification|notifications|snackbar)\.\w+$|^(?:notify|showToast|addToast|enqueueSnackbar|flash)$|\.toast(?:Error|Success)?$"
)
_ANSWERS = re.compile(
    r"^(?:HttpResponse|JsonResponse|JSONResponse|PlainTextResponse|jsonify|Response|new (?:Next)?Response|NextResponse\.json|HTTPException|abort|c\.json)$|^(?:res|reply|response)\b.*\.(?:json|send|status|code|end)$"
)
_NOT_IMPLEMENTED = re.compile(r"NotImplemented(?:Error)?\b|[\"'`][^\"'`]{0,60}\bnot (?:yet )?implemented\b|[\"'`]TODO\b", re.IGNORECASE)
_BASE = re.compile(
    r"(?:^|\.)_?(?:Base|Abstract|I[A-Z])\w*|(?:Base|Mixin|Interface|Protocol|Abstract|Stub|Mock|Fake|Dummy|Null|Noop|NoOp)\b|(?:Base|Mixin|Interface|Protocol)$"
)
_SAYS_SO = re.compile(r"mock|fake|dummy|demo|stub|noop|no_op|example|sample|placeholder|not_?implemented|unsupported", re.IGNORECASE)
_DECIDES = re.compile(
    r"^_?(?:verify|validate|authenticate|authori[sz]e|is_?(?:valid|authori[sz]ed|allowed)|has_?(?:permission|access)|can_?access)(?:_\w+|[A-Z]\w*)?$"
)
_ASKS = re.compile(r"^_?(?:is|has|should|get|use|can|init|mounted|created|setup|watch|__)(?:[A-Z_]|$)")
"""Names of functions that only answer, and hooks that a framework calls whether there is something to do or not."""
_CRITICAL = re.compile(
    r"verif|validat|authent|authori[sz]|token(?!s|i)|current_?user|permission|passw|log_?in|sign_?in|sign_?up|charge|pay(?!load)|checkout|refund|billing|subscri(?:be|ption)|renewal|invoice|delet|remove|purge|cancel|encrypt|backup|restore",
    re.IGNORECASE,
)
_CRITICAL_PLACE = re.compile(r"(?:^|/)(?:auth|payments?|billing|checkout|security|permissions?|subscriptions?)(?:/|[._-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stub:
    """A place where something is missing: `rule` says in which way, `what` names the function, `how` what it does in place of its work, `quoted` its own words.

    `critical`: logging in, paying, deleting or checking depends on it.
    """

    path: str
    line: int
    end_line: int
    rule: str
    what: str
    how: str
    quoted: str
    critical: bool


@dataclass(frozen=True, slots=True)
class Extended:
    """Names of the classes that other classes of the tree extend or implement."""

    names: frozenset[str]

    @classmethod
    def of(cls, files: tuple[FileFacts, ...]) -> Extended:
        """The bases of every class of the given files, by their last word."""
        return cls(frozenset(_last(base) for facts in files for d in facts.definitions for base in d.bases))


def _last(base: str) -> str:
    return re.split(r"[<\[(]", base, maxsplit=1)[0].rpartition(".")[2].strip()


def stubs(facts: FileFacts, text: str, extended: Extended) -> Iterator[Stub]:
    """Every stub of one production file, each function once."""
    seen: set[int] = set()
    for found, index in (
        *_by_remark(facts, text),
        *_raising(facts, extended),
        *_empty(facts, extended),
        *_always_yes(facts),
        *_telling(facts),
        *_answering(facts),
    ):
        outer = _outermost(facts, index)
        if outer not in seen and not _is_meant(facts, index):
            seen.add(outer)
            yield found


def _outermost(facts: FileFacts, index: int) -> int:
    """The named function that one without a name belongs to."""
    while index >= 0 and not facts.definitions[index].name and facts.definitions[index].parent >= 0:
        index = facts.definitions[index].parent
    return index


def _is_meant(facts: FileFacts, index: int) -> bool:
    """Whether a function or its class says in its name that it is no real one."""
    while index >= 0:
        if _SAYS_SO.search(facts.definitions[index].name):
            return True
        index = facts.definitions[index].parent
    return False


def _stub(facts: FileFacts, index: int, rule: str, how: str, *, quoted: str = "", line: int = 0) -> tuple[Stub, int]:
    definition = facts.definitions[index]
    named = facts.definitions[_outermost(facts, index)]
    critical = bool(_CRITICAL.search(named.name) or _CRITICAL_PLACE.search(facts.path))
    first = line or definition.line
    return Stub(
        facts.path, first, first if line else definition.end_line, rule, named.name or "this function", how, quoted, critical
    ), index


def _by_remark(facts: FileFacts, text: str) -> Iterator[tuple[Stub, int]]:
    """Functions whose own remark says that they are not the real thing, and that prove it."""
    lines = text.splitlines()
    for remark in remarks(facts, lines):
        how = invents(facts, remark, lines)
        if how:
            yield _stub(facts, remark.scope, "stand-in", how, quoted=remark.quoted, line=remark.line)
        elif remark.said is Said.CHECK_MISSING and lacks_check(facts, remark):
            stub, index = _stub(facts, remark.scope, "check-left-out", "goes on without it", quoted=remark.quoted, line=remark.line)
            yield replace(stub, critical=True), index


def _raising(facts: FileFacts, extended: Extended) -> Iterator[tuple[Stub, int]]:
    """Functions that do nothing but raise that they are not implemented."""
    for index, definition in enumerate(facts.definitions):
        thrown = [entry for entry in facts.raises if entry.scope == index]
        if not thrown or thrown[0].value is None or not _NOT_IMPLEMENTED.search(thrown[0].value.text):
            continue
        calls = [call for call in facts.calls if call.scope == index and call.callee not in _errors(thrown[0].value.literal)]
        if calls or len(thrown) > 1 or definition.complexity > 1 or any(a.scope == index for a in (*facts.assignments, *facts.returns)):
            continue
        if not _is_open(facts, definition, extended):
            yield _stub(facts, index, "not-implemented", "raises that it is not implemented")


def _errors(literal: str) -> frozenset[str]:
    return frozenset({literal, f"new {literal}"})


def _is_open(facts: FileFacts, definition: Definition, extended: Extended) -> bool:
    """Whether a method is left to subclasses, or overrides what a library or an interface asks for."""
    if any("abstract" in decorator.callee or "overload" in decorator.callee for decorator in definition.decorators):
        return True
    if definition.parent < 0:
        return False
    owner = facts.definitions[definition.parent]
    if owner.kind is not DefinitionKind.CLASS:
        return False
    return bool(owner.bases) or owner.name in extended.names or _BASE.search(owner.name) is not None


def _empty(facts: FileFacts, extended: Extended) -> Iterator[tuple[Stub, int]]:
    """Functions that do nothing, under a note that something is to be done."""
    for index, definition in enumerate(facts.definitions):
        if (
            definition.kind is DefinitionKind.CLASS
            or not definition.name
            or definition.name.startswith("__")
            or _is_open(facts, definition, extended)
        ):
            continue
        said = [
            comment.text
            for comment in facts.comments
            if definition.line <= comment.line <= definition.end_line and innermost(facts, comment.line) == index
        ]
        note = next((words for words in (*said, definition.docstring) if _TO_DO.search(words)), "")
        if note and is_hollow(facts, index) and (admits(note) or _is_empty(facts, index)):
            yield _stub(facts, index, "empty-function", "does nothing", quoted=" ".join(note.split())[:90])


def _is_empty(facts: FileFacts, index: int) -> bool:
    """Whether a function that is to do something, and no handler of an error, answers nothing at all."""
    definition = facts.definitions[index]
    if _ASKS.match(definition.name) or any(handler.line <= definition.line <= handler.end_line for handler in facts.handlers):
        return False
    inside = within(facts, index)
    return not any(
        scope in inside
        for scope in (*(e.scope for e in facts.returns), *(c.scope for c in facts.calls), *(a.scope for a in facts.assignments))
    )


def _always_yes(facts: FileFacts) -> Iterator[tuple[Stub, int]]:
    """Functions that are named after a check, look at none of their arguments and say yes."""
    for index, definition in enumerate(facts.definitions):
        if (
            definition.kind is not DefinitionKind.FUNCTION
            or not _DECIDES.match(definition.name)
            or not definition.parameters
            or definition.decorators
        ):
            continue
        inside = within(facts, index)
        answers = [entry.value for entry in facts.returns if entry.scope in inside]
        yes = len(answers) == 1 and answers[0] is not None and answers[0].kind is ValueKind.BOOLEAN and answers[0].literal.lower() == "true"
        if yes and len(inside) == 1 and is_hollow(facts, index):
            yield _stub(facts, index, "says-yes-to-everything", "looks at nothing and says yes")


def _telling(facts: FileFacts) -> Iterator[tuple[Stub, int]]:
    """Functions that tell whoever uses them that the feature is missing."""
    for call in facts.calls:
        if call.scope < 0 or not _SHOWS.search(call.callee):
            continue
        told = next((words for words in _texts(call) if UNFINISHED.search(words)), "")
        if told and not any(handler.line <= call.line <= handler.end_line for handler in facts.handlers):
            yield _stub(facts, call.scope, "told-unfinished", "only says so", quoted=" ".join(told.split())[:90], line=call.line)


def _answering(facts: FileFacts) -> Iterator[tuple[Stub, int]]:
    """Functions whose only answer to a request is that they are not implemented."""
    for call in facts.calls:
        if call.scope < 0 or not _ANSWERS.search(call.callee) or facts.definitions[call.scope].complexity > 1:
            continue
        told = next((words for words in _texts(call) if UNFINISHED.search(words)), "")
        if told or any(argument.value.literal == "501" for argument in call.arguments):
            stub, index = _stub(
                facts, call.scope, "unfinished-endpoint", "answers that it is not implemented", quoted=" ".join(told.split())[:90]
            )
            yield replace(stub, critical=False), index  # whoever asks learns the truth


def _texts(call: Call) -> Iterator[str]:
    for argument in call.arguments:
        for value in (argument.value, *(item for _, item in argument.value.items)):
            if value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
                yield value.literal
