"""Remarks by which code says of itself that it is not the real thing yet, and what then follows them.

A remark alone proves nothing: much good code says what another system would need. It counts where the code around it does nothing, or answers something
invented, or where it names a check that is not made. Comments are quoted, never obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.reach import within
from auditor.model.syntax import Comment, Definition, DefinitionKind, FileFacts, Value, ValueKind

_REAL = re.compile(
    r"\bin (?:a |an |the )?(?:real|actual|proper|full)(?:[ -]\w+){0,2}[ -](?:app\w*|world|life|implementation|project|scenario|system|environment|product|setup|version|code)\b"
    r"|\bin (?:a |the )?(?:production|real)(?: (?:app\w*|environment|system|implementation|code|version|scenario))?,?[ -]*(?:this|you|we|it|these|they|i)?(?:'d\b| would\b)"
    r"|\bin (?:a )?real (?:app\w*|implementation|system|scenario|life|world)\b|\bproduction,? (?:this|you|we|it) (?:would|'d)\b",
    re.IGNORECASE,
)
"""What would be done elsewhere: in a real application, in production."""
_WOULD = re.compile(r"\b(?:would|might|could|should|must|needs?|will)\b|'d\b", re.IGNORECASE)
_STANDS_IN = re.compile(
    r"\b(?:simulat(?:e|es|ed|ing)|mock(?:ed|ing)?|fake|dummy|stub(?:bed)?|hard-?cod(?:e|ed|ing)|pretend(?:ing)?|placeholder) (?:\w+ ){0,3}?(?:api|calls?|response|delay|result|success\w*|upload\w*|payment|request|implementation|logic|version|function|answer|check|analysis|process\w*)\b"
    r"|\bfor now,? (?:we |we'll |i'll |just |this |it |let's |simply |always |only )*(?:simulat\w+|mock\w*|fake|pretend\w*|return\w* (?:an? |the |some )?(?:mock|dummy|fake|sample|default|static|placeholder|constant|hard\w*|true|false|success\w*))"
    r"|\bjust (?:simulat\w+|pretend)|\b(?:return\w*|us(?:e|es|ing)) (?:an? |the |some )?(?:mock|dummy|fake|hard-?coded) |\bplaceholder (?:implementation|logic|function|for (?:the |an? )?(?:actual|real|future))|\bnot (?:yet )?implemented|\b(?:to|will) be implemented",
    re.IGNORECASE,
)
"""What stands in for the real thing."""
_TO_DO = re.compile(
    r"\b(?:TODO|FIXME)\b:?.{0,40}?\b(?:implement(?! (?:cach|option|better|more|some|(?:this |it )?(?:with|using)\b))|integrat|connect (?:to|with)|hook (?:this |it )?up|wire (?:this |it )?up|(?:replace|swap) (?:\w+ )?with (?:an? |the )?(?:real|actual|proper|edge|api|backend)|(?:actual|real) (?:api|call|implementation|logic|data|backend|service)|(?:call|send|save|persist|fetch) (?:\w+ ){0,3}(?:to|from|in|via) (?:the )?(?:api|backend|server|database|db))",
    re.IGNORECASE,
)
_NOT_MEANT = re.compile(
    r"\btest(?:s|ing)?\b|\bdebug|\bmsw\b|storybook|eslint|simulat\w+ (?:\w+ ){0,2}(?:click|key\w*|typing|human)|polyfill|shim|jsdom|fall-?back|fall(?:s|ing)? back|\b(?:if|on|in case of) (?:there's |there is )?(?:\w+ ){0,2}(?:fails?|an error|failure|errors?)\b|\b(?:mock|fake|demo|dry[- ]?run) (?:client|mode|provider)|\bwhen using (?:the )?mock",
    re.IGNORECASE,
)
_CHECK = re.compile(
    r"\b(?:would|should|must|need(?:s)? to|TODO|FIXME|implement)\b.{0,60}?\b(?:verif(?:y|ied|ication)|validat(?:e|ed|ion of)|authenticat\w+|authori[sz]\w+|check(?:s|ed)? (?:\w+ ){0,3}(?:signature|permission\w*|token|role|owner\w*|password|credential\w*)|proper jwt|jwt (?:decod|verif|validat)\w+)",
    re.IGNORECASE,
)
"""A check that is said to be missing."""
_OF_RIGHTS = re.compile(r"token|\bjwt\b|permission|credential|password|owner|\brole|session|\bauth|payment|user", re.IGNORECASE)
_JUDGED_ELSEWHERE = re.compile(r"webhook|signature", re.IGNORECASE)
_CHECKS = re.compile(
    r"(?:^|[._])(?:verif|validat|authenticat|authori[sz]|check_?sig|decode|compare|constructEvent)|_?(?:Verif|Validat)\w*$", re.IGNORECASE
)
_WINDOW = 7
_LONGEST = 30
_SETS = re.compile(r"^(?:set[A-Z]\w*|e|ev|evt|event)(?:\.\w+)?$|\.preventDefault$|\.stopPropagation$")
_WORK = frozenset({ValueKind.CALL, ValueKind.OPERATION, ValueKind.OTHER})
_TELLS = re.compile(
    r"^(?:alert|window\.alert|console\.\w+|print|log(?:ger|ging)?\.\w+|toast(?:\.\w+)?|message\.\w+|notify|showToast|addToast|enqueueSnackbar|this\.logger\.\w+|self\.logger\.\w+)$"
)
_SHOWS = re.compile(r"^(?:alert|window\.alert|toast(?:\.\w+)?|message\.\w+|notify|showToast|addToast|enqueueSnackbar)$")
_WAITS = re.compile(r"^(?:setTimeout|window\.setTimeout|asyncio\.sleep|time\.sleep|sleep|delay|wait)$")
_RANDOM = re.compile(r"^(?:Math\.random|random\.\w+)$")
_LITERALS = frozenset({ValueKind.STRING, ValueKind.NUMBER, ValueKind.BOOLEAN, ValueKind.NONE, ValueKind.TEMPLATE})
_MADE_UP = re.compile(r"mock|dummy|fake|sample|placeholder", re.IGNORECASE)
_QUOTED = 90


class Said(StrEnum):
    """What a remark admits."""

    STANDS_IN = "stands-in"
    CHECK_MISSING = "check-missing"


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment, its lines joined, that calls what follows unfinished; `scope` is the innermost definition around it (-1 = none)."""

    line: int
    end_line: int
    text: str
    scope: int
    said: Said
    plain: bool
    """It only says what would be done elsewhere, and not that anything here stands in for it."""

    @property
    def quoted(self) -> str:
        """Its text, cut for a sentence."""
        return self.text if len(self.text) <= _QUOTED else self.text[:_QUOTED].rsplit(" ", 1)[0] + " …"


def remarks(facts: FileFacts, lines: list[str]) -> Iterator[Remark]:
    """Every remark of a file that admits a stand-in inside a definition or right above one, in order."""
    for comments in _blocks(facts.comments):
        text = " ".join(" ".join(comment.text.split()).lstrip("*- ") for comment in comments).strip()
        if not admits(text):
            continue
        first, last = comments[0].line, _end(comments[-1].line, lines)
        below = _below(facts, last)
        scope = below if below >= 0 else innermost(facts, first)
        if scope >= 0:
            missing = _CHECK.search(text) and _OF_RIGHTS.search(text) and not _JUDGED_ELSEWHERE.search(text)
            said = Said.CHECK_MISSING if missing else Said.STANDS_IN
            yield Remark(first, last, text, scope, said, not (_STANDS_IN.search(text) or _TO_DO.search(text)))


def admits(text: str) -> bool:
    """Whether a text says that something stands in for the real thing, or what would be done in its place."""
    if _NOT_MEANT.search(text):
        return False
    return bool((_REAL.search(text) and _WOULD.search(text)) or _STANDS_IN.search(text) or _TO_DO.search(text))


def _end(line: int, lines: list[str]) -> int:
    """The last line of a comment that begins at `line`."""
    if "/*" not in lines[line - 1]:
        return line
    return next((number for number in range(line, min(len(lines), line + 80) + 1) if "*/" in lines[number - 1]), line)


def _below(facts: FileFacts, line: int) -> int:
    """The definition that a comment stands on, -1 for none."""
    return next((i for i, d in enumerate(facts.definitions) if d.line == line + 1 and d.name and d.kind is not DefinitionKind.CLASS), -1)


def _blocks(comments: tuple[Comment, ...]) -> Iterator[list[Comment]]:
    """Comments of consecutive lines together."""
    block: list[Comment] = []
    for comment in comments:
        if block and comment.line > block[-1].line + 1:
            yield block
            block = []
        block.append(comment)
    if block:
        yield block


def innermost(facts: FileFacts, line: int) -> int:
    """Index of the innermost definition around a line, -1 for none."""
    found = -1
    for index, definition in enumerate(facts.definitions):
        if definition.line <= line <= definition.end_line and (found < 0 or _size(definition) <= _size(facts.definitions[found])):
            found = index
    return found


def _size(definition: Definition) -> int:
    return definition.end_line - definition.line


def invents(facts: FileFacts, remark: Remark, lines: list[str]) -> str:
    """What the code behind a remark does in place of the real thing, in words; "" where it may do real work."""
    if is_hollow(facts, remark.scope):
        return "does nothing"
    window = _window(remark, lines)
    if not window or not facts.definitions[remark.scope].line <= remark.line:
        return "does nothing" if not window and _is_alone(remark, lines) else ""
    calls = [call for call in facts.calls if call.line in window]
    if any(_WAITS.match(call.callee) for call in calls):
        return "only waits"
    if any(_RANDOM.match(call.callee) for call in calls):
        return "draws a random number"
    first = window[0]
    if any(entry.line == first and entry.value is not None and _is_written(entry.value) for entry in facts.returns):
        return "answers what is written into the code"
    changed = [a for a in facts.assignments if a.line in window]
    tells = _SHOWS if remark.plain else _TELLS
    if calls and not changed and all(tells.match(call.callee) for call in calls):
        return "only tells or logs something"
    written = [a.value for a in changed if a.line == first and a.value is not None and not _is_empty(a.value)]
    if written and not remark.plain and all(map(_is_written, written)) and not any(call.line == first for call in calls):
        return "uses what is written into the code"
    return ""


def is_hollow(facts: FileFacts, index: int) -> bool:
    """Whether a function decides nothing, asks nobody and answers nothing but what is written in it."""
    definition = facts.definitions[index]
    if definition.kind is DefinitionKind.CLASS or definition.code_lines - definition.string_lines > _LONGEST:
        return False
    inside = within(facts, index)
    if any(d.complexity > 1 for i, d in enumerate(facts.definitions) if i in inside) or any(
        entry.scope in inside for entry in facts.raises
    ):
        return False
    if any(call.scope in inside and not (_TELLS.match(call.callee) or _SETS.match(call.callee)) for call in facts.calls):
        return False
    if any(a.scope in inside and ("." in a.target or a.value is None or a.value.kind in _WORK) for a in facts.assignments):
        return False
    return all(entry.value is None or _is_written(entry.value) for entry in facts.returns if entry.scope in inside)


def _is_empty(value: Value) -> bool:
    """A start for something that is computed: nothing, no text, an empty list."""
    return value.kind is ValueKind.NONE or (
        value.kind in {ValueKind.COLLECTION, ValueKind.STRING} and not value.items and not value.literal
    )


def lacks_check(facts: FileFacts, remark: Remark) -> bool:
    """Whether the function around a remark makes none of the checks that the remark misses."""
    if remark.scope < 0:
        return False
    definition = facts.definitions[remark.scope]
    return not any(definition.line <= call.line <= definition.end_line and _CHECKS.search(call.callee) for call in facts.calls)


def _window(remark: Remark, lines: list[str]) -> range:
    """The lines that belong to a remark: those behind it, up to the first gap."""
    first = remark.end_line + 1
    if first > len(lines) or not lines[first - 1].strip() or lines[first - 1].strip()[0] in "})]":
        return range(0)
    last = first
    while last < len(lines) and last < first + _WINDOW and lines[last].strip():
        last += 1
    return range(first, last + 1)


def _is_alone(remark: Remark, lines: list[str]) -> bool:
    """Whether a block holds the remark and nothing else."""
    before = next((line.strip() for line in reversed(lines[: remark.line - 1]) if line.strip()), "")
    after = next((line.strip() for line in lines[remark.end_line :] if line.strip()), "")
    return before.endswith(("{", "=>", ":")) and after[:1] in {"}", ")"}


def _is_written(value: Value, depth: int = 2) -> bool:
    """Whether a value stands in the code as it is, or says that it is made up."""
    if value.kind in _LITERALS:
        return True
    if value.kind is ValueKind.COLLECTION:
        inner = [item for _, item in value.items]
        return not inner or any(_is_written(item, depth - 1) for item in inner if depth)
    return any(_MADE_UP.search(name.rpartition(".")[2]) for name in value.names[:3])
