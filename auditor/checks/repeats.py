"""What happens when an operation is carried out a second time: which of its effects add up, and what recognises the repeat.

Facts of one operation only: the function it begins in and the first-party functions it reaches. Which functions are operations is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.database_calls import DatabaseCall
from auditor.checks.failures import is_write
from auditor.checks.reach import Reach, within
from auditor.model.syntax import Branch, Call, FileFacts, Syntax


class Effect(StrEnum):
    """What happens once more each time."""

    ROW = "adds another row"
    AMOUNT = "changes an amount once more"
    MESSAGE = "sends another message"
    MONEY = "moves money once more"


@dataclass(frozen=True, slots=True)
class Act:
    """One effect that adds up, where it happens; `what` names the call or the change."""

    effect: Effect
    path: str
    line: int
    end_line: int
    scope: int
    what: str
    loop: bool = False
    keyed: bool = False
    """Whether the row carries the sender's key: a unique index may refuse the second one."""


class Guarding(StrEnum):
    """How far a repeat is recognised."""

    SURE = "sure"  # a key, a unique row, or a look-up of what was done already decides
    MAYBE = "maybe"  # a state is asked, but whether it is the stored one cannot be seen
    NONE = "none"


_ADDS = re.compile(
    r"\.(?:insert|insert_one|insert_many|insertOne|insertMany|create|createMany|createManyAndReturn|bulkCreate|bulk_create|bulk_save_objects|add_all)(?:\(\)|$)|^addDoc$|\.collection\(\)\.add$"
)
_SESSION_ADD = re.compile(r"(?:^|\.)\w*session\w*(?:\(\))?\.add$", re.IGNORECASE)
_RECORDS = re.compile(
    r"(?:^|[_.\W]|(?<=[a-z]))(?:[aA]udit|[lL]ogs?|[hH]istory|[eE]vents?|[aA]nalytics|[tT]racking|[mM]etrics?|[tT]elemetry|[tT]races?|[aA]ctivit(?:y|ies)|[cC]licks?|[vV]isits?)(?=$|[_.\W]|[A-Z])"
)
"""Names of tables that keep what arrived: a second line there says the truth."""
_INSERT = re.compile(r"\binsert\s+into\s+[\"'`\[]?([\w.]+)", re.IGNORECASE)
_CONFLICT = re.compile(
    r"\bon\s+conflict\b|\binsert\s+(?:or\s+(?:ignore|replace)|ignore)\b|\bon\s+duplicate\s+key\b|\bwhere\s+not\s+exists\b|\bmerge\s+into\b",
    re.IGNORECASE,
)
_SET_MORE = re.compile(r"\bset\b[^;]{0,400}?\b([\w.]+)\s*=\s*(?:coalesce\(\s*)?\1\b[^,;]{0,20}[-+]", re.IGNORECASE)
_MORE = re.compile(r"(?:^|[.\s{\"'])(?:\$inc|increment|decrement)[\"']?\s*:|FieldValue\.increment|\bF\([^)]{1,60}\)\s*[-+]")
_MORE_CALL = re.compile(r"(?:^|\.)(?:increment|decrement|incrementBy|decrementBy)$")
AMOUNT = re.compile(
    r"(?:^|[._])(?:\w*_)?(?:balance|credits?|stock|quantity|inventory|points|wallet|coins|seats|total_?(?:paid|spent)|amount_?paid|expires?_at)$"
    r"|(?:[a-z](?:Balance|Credits?|Stock|Quantity|Points))$"
)
"""Names of quantities whose worth somebody would notice."""
_MESSAGE = re.compile(
    r"(?:^|[._])(?:send_?mail|send_?mass_?mail|send_?e?mail(?:s|_\w+|[A-Z]\w*)?|send_\w+_e?mail|send[A-Z]\w*(?:Email|Mail|SMS|Sms)|sendSms|send_sms|emails\.send|messages\.create|sgMail\.send|mail\.send|mailer\.send|transporter\.sendMail)$"
)
_MONEY = re.compile(
    r"(?:^|\.)(?:\w*[sS]tripe\w*)(?:\(\))?\.(?:charges|transfers|payouts|invoiceItems|subscriptions|Charge|Transfer|Payout|InvoiceItem|Subscription)\.create(?:_async)?$"
    r"|(?:^|\.)transaction\.sale$|(?:^|\.)iyzipay\.payment\.create$"
)
_CONFIRMED = re.compile(r"(?:^|\.)(?:\w*[sS]tripe\w*)(?:\(\))?\.(?:paymentIntents|PaymentIntent)\.create(?:_async)?$")
_CONFIRMS = re.compile(r"[\"']?\b(?:confirm|off_session)[\"']?\s*[:=]\s*(?:true|True)")
_KEY = re.compile(r"idempoten", re.IGNORECASE)
_ONCE = re.compile(
    r"(?:^|\.)(?:setnx|\w*[dD]edup\w*|\w*[aA]lready[A-Z_]\w*|\w*[iI]dempoten\w*|"
    r"(?:is|mark|has|check|was)_?\w{0,30}(?:[pP]rocessed|[dD]uplicate|[sS]een|[hH]andled)\w{0,20})(?:\(|$)"
)
_ONCE_WORDS = re.compile(
    r"[\"']23505[\"']|\bP2002\b|\bE11000\b|\b11000\b|\bNX\b|\bnx\s*[:=]\s*[tT]rue|[jJ]ob_?[iI]d\s*[:=]|\bER_DUP_ENTRY\b"
)
_UNIQUE_ERROR = re.compile(r"IntegrityError|UniqueViolation|UniqueConstraint|DuplicateKey|AlreadyExists")
_DONE = re.compile(
    r"(?:status|state|paid|processed|fulfilled|completed|captured|settled|delivered|handled|active|activated|confirmed|granted|already\w*|existing\w*|duplicate\w*|(?:_at|At))\b|\.has\b",
)
_STILL = re.compile(r"(?:status|state|paid|processed|fulfilled|is_\w+|\w+_at|\w+At)\b[\"']?\s*(?:[:=,]|\s==)")
_NEGATED = re.compile(r"^\(?\s*(?:!(?!=)|not\b)|(?:==|===|\bis)\s*(?:null|None|undefined|0)\b")
_READS = re.compile(
    r"(?:find|load|lookup|fetch|select|get)(?:_|[A-Z])\w*$|(?:get|findOne|findFirst|findUnique|first|scalar_one_or_none|one_or_none)$"
)
_SETTLED = re.compile(r"\bignore_conflicts\b|\bskipDuplicates\b|\bignoreDuplicates\b|on_?[cC]onflict|onDuplicateKey|\bprefix_with\b")
_MADE = re.compile(r"\b(?:created|inserted|is_?new|acquired|claimed|first_?time)\b", re.IGNORECASE)
_KEYED = re.compile(
    r"\b(?:\w*(?:event|payment|transaction|message|external|stripe|paypal|delivery|request|charge|invoice|intent|provider|order)_?[iI]d|wamid|reference|txn_?[iI]d)\b[\"']?\s*[:=,}]"
)
_MESSENGERS = re.compile(
    r"https://(?:api\.)?(?:resend\.com|sendgrid\.com|api\.mailgun\.net|mailgun\.net|postmarkapp\.com|brevo\.com|sendinblue\.com|twilio\.com|telegram\.org|mandrillapp\.com)"
)
_ASKS = re.compile(r"^(?:fetch|axios(?:\.post)?)$|(?:^|\.)(?:requests|httpx|client)\.post$")
_MORE_NAME = re.compile(r"^(?:increment|decrement|add|deduct|credit|debit|grant|consume)_")
_ROUNDS = 2


class Repeats:
    """Looks into operations of one program; `databases` are the database calls of its files, by path."""

    def __init__(
        self, syntax: Syntax, paths: frozenset[str], databases: dict[str, tuple[DatabaseCall, ...]], texts: dict[str, str]
    ) -> None:
        self.syntax = syntax
        self.texts = texts
        self.reach = Reach(syntax, paths)
        self._files = syntax.files
        self._databases = {
            path: {(each.line, each.scope): each for each in calls if each.call is not None} for path, calls in databases.items()
        }

    def stores(self, functions: Iterable[tuple[str, int]]) -> bool:
        """Whether any of the functions reads from or writes to a store, as far as its calls show."""
        return any(
            (call.line, call.scope) in self._databases.get(path, {}) or is_write(call.callee)
            for path, scope in functions
            for call in self._files[path].calls
            if call.scope in within(self._files[path], scope)
        )

    def acts(self, functions: Iterable[tuple[str, int]]) -> list[Act]:
        """The effects that add up, each once, in the order of the functions."""
        found: dict[tuple[str, int, Effect], Act] = {}
        for path, scope in functions:
            facts = self._files[path]
            inside = within(facts, scope)
            for act in (*self._called(facts, inside), *_amounts(facts, inside)):
                found.setdefault((act.path, act.line, act.effect), act)
        return list(found.values())

    def _called(self, facts: FileFacts, inside: frozenset[int]) -> Iterator[Act]:
        databases = self._databases.get(facts.path, {})
        for call in facts.calls:
            if call.scope not in inside:
                continue
            effect = _effect(facts, call, database=databases.get((call.line, call.scope)))
            if effect is not None:
                keyed = effect is Effect.ROW and any(_KEYED.search(text) for text in _given(facts, call))
                what = f"{call.callee.removeprefix('new ')}()"
                yield Act(effect, facts.path, call.line, call.end_line, call.scope, what, call.in_loop, keyed)
        for literal in facts.literals:
            if literal.scope in inside and not _CONFLICT.search(literal.text):
                inserted = _INSERT.search(literal.text)
                if inserted is not None and not _RECORDS.search(inserted[1]):
                    keyed = _KEYED.search(literal.text) is not None
                    yield Act(Effect.ROW, facts.path, literal.line, literal.line, literal.scope, f"INSERT INTO {inserted[1]}", keyed=keyed)
                elif _SET_MORE.search(literal.text):
                    yield Act(Effect.AMOUNT, facts.path, literal.line, literal.line, literal.scope, "UPDATE … SET")

    def guarding(self, functions: list[tuple[str, int]], act: Act) -> Guarding:
        """Whether the function an effect stands in, or the first of the functions, recognises the second time before the effect."""
        if act.keyed:
            return Guarding.MAYBE
        best = Guarding.NONE
        for number, (path, scope) in enumerate(functions):
            own = path == act.path and act.scope in within(self._files[path], scope)
            found = self._guarded(self._files[path], scope, act if own else None)
            if found is Guarding.SURE and (own or number == 0):
                return found
            if found is not Guarding.NONE:
                best = Guarding.MAYBE
        return best

    def _guarded(self, facts: FileFacts, scope: int, act: Act | None) -> Guarding:
        """What one function does about a repeat; `act`: the effect, if it stands in this function."""
        inside = within(facts, scope)
        end = act.end_line if act is not None else facts.definitions[scope].end_line
        start = facts.definitions[scope].line
        text = "\n".join(self.texts.get(facts.path, "").split("\n")[start - 1 : end])[:60_000]
        handled = any(_UNIQUE_ERROR.search(kind) for handler in facts.handlers if handler.scope in inside for kind in handler.types)
        if (
            handled
            or _KEY.search(text)
            or _ONCE_WORDS.search(text)
            or any(call.line <= end and (_ONCE.search(call.callee) or _only_once(call)) for call in facts.calls if call.scope in inside)
        ):
            return Guarding.SURE
        return self._asked(facts, inside, act)

    def _asked(self, facts: FileFacts, inside: frozenset[int], act: Act | None) -> Guarding:
        """Whether a branch asks what was stored before; what only a name says was read, and a state of unknown origin, may be it."""
        stored, named = self._stored(facts, inside, named=False), self._stored(facts, inside, named=True)
        best = Guarding.NONE
        for branch in facts.branches:
            if branch.scope not in inside:
                continue
            roots, done = _roots(branch.names), _DONE.search(branch.test) is not None
            decides = _decides(facts, branch, act, done=done)
            if decides and (roots & stored or (roots & named and done)):
                return Guarding.SURE
            if done or (decides and roots & named):
                best = Guarding.MAYBE
        return best

    def _stored(self, facts: FileFacts, inside: frozenset[int], *, named: bool) -> set[str]:
        """Names that hold what was read from the store, and what was made of it; with `named`, also what only a function's name says is read."""
        databases = self._databases.get(facts.path, {})
        stored: set[str] = set()
        for call in facts.calls:
            if call.scope in inside and call.target and ((call.line, call.scope) in databases or (named and _reads(call))):
                stored.update(re.findall(r"\w+", call.target))
        for _ in range(_ROUNDS):
            for assignment in facts.assignments:
                if assignment.scope in inside and assignment.value is not None and _roots(assignment.value.names) & stored:
                    stored.update(re.findall(r"\w+", assignment.target.partition(".")[0]))
        return stored


def _effect(facts: FileFacts, call: Call, *, database: DatabaseCall | None) -> Effect | None:
    """What a call adds each time it is made, None for what can be repeated."""
    shown = " ".join(argument.value.text for argument in call.arguments)
    if _MONEY.search(call.callee) or (_CONFIRMED.search(call.callee) and _CONFIRMS.search(shown)):
        return Effect.MONEY
    if _MESSAGE.search(call.callee) or (
        _ASKS.search(call.callee) and call.arguments and _MESSENGERS.match(call.arguments[0].value.literal)
    ):
        return Effect.MESSAGE
    if _SESSION_ADD.search(call.callee):
        return Effect.ROW if call.arguments and _is_new(facts, call) else None
    if database is None:
        return None
    counted = call.callee.endswith(".rpc") and call.arguments and _MORE_NAME.match(call.arguments[0].value.literal)
    if counted or _MORE.search(shown) or _MORE_CALL.search(call.callee):
        return Effect.AMOUNT
    if (
        _ADDS.search(call.callee)
        and not _SETTLED.search(f"{call.callee} {shown}")
        and not (_RECORDS.search(call.callee) or _RECORDS.search(_table(facts, call)))
    ):
        return Effect.ROW
    return None


def _given(facts: FileFacts, call: Call) -> Iterator[str]:
    """What a call that adds a row is given, through its chain and through the variable that holds the record."""
    for other in facts.calls:
        if other.scope == call.scope and call.line <= other.line <= call.end_line and call.callee.startswith(other.callee):
            for argument in other.arguments:
                yield argument.value.text
                for assignment in facts.assignments:
                    if assignment.scope == call.scope and assignment.target == argument.value.text and assignment.value is not None:
                        yield assignment.value.text


def _is_new(facts: FileFacts, call: Call) -> bool:
    """Whether what a session is given was made here, and is no record of what happened."""
    value = call.arguments[0].value
    made = value.literal if value.literal[:1].isupper() else ""
    for assignment in facts.assignments:
        if assignment.scope == call.scope and assignment.target == value.text and assignment.value is not None:
            made = assignment.value.literal or made
    last = made.rpartition(".")[2]
    return bool(last[:1].isupper()) and not _RECORDS.search(last)


def _table(facts: FileFacts, call: Call) -> str:
    """The table a chain begins with: the argument of its `.from(...)`, `.table(...)` or `.collection(...)`."""
    for other in facts.calls:
        if other.scope == call.scope and call.line <= other.line <= call.end_line and call.callee.startswith(other.callee + "()"):
            first = other.argument("", 0)
            if first is not None and re.search(r"(?:^|\.)(?:from_?|table|collection|insert)$", other.callee):
                return first.literal
    return ""


def _amounts(facts: FileFacts, inside: frozenset[int]) -> Iterator[Act]:
    """`account.balance += amount`: an attribute of a record that speaks of a quantity, changed by what it was."""
    for assignment in facts.assignments:
        value = assignment.value
        if assignment.scope not in inside or value is None or not value.items or "." not in assignment.target:
            continue
        if value.items[0][0] in {"+=", "-=", "+", "-"} and assignment.target in value.names and AMOUNT.search(assignment.target):
            yield Act(Effect.AMOUNT, facts.path, assignment.line, assignment.line, assignment.scope, assignment.target)


def _only_once(call: Call) -> bool:
    """A change that names the state it expects: `update(...).eq("status", "pending")`, `filter(status="new").update(...)`."""
    if call.callee.endswith((".eq", ".neq", ".is", ".is_", ".in", ".in_")) and ".update()" in call.callee:
        first = call.argument("", 0)
        return first is not None and _STILL.search(f"{first.literal}=") is not None
    last = call.callee.rpartition(".")[2]
    where = next((argument.value.item("where") for argument in call.arguments), None)
    if last in {"update", "updateMany"} and where is not None:
        return _STILL.search(where.text) is not None
    return last == "filter" and any(_STILL.search(f"{argument.name}=") for argument in call.arguments if argument.name)


def _reads(call: Call) -> bool:
    """A look-up by its name: of a document, or through a function of the program's own."""
    last = call.callee.rpartition(".")[2]
    if last == "get" and not call.awaited:
        return False
    return _READS.match(last) is not None


def _decides(facts: FileFacts, branch: Branch, act: Act | None, *, done: bool) -> bool:
    """Whether a look-up keeps the effect from happening again: what is there ends the work, or only what is not there is added."""
    ends = any(branch.line <= end.line <= branch.end_line for end in (*facts.returns, *facts.raises) if end.scope == branch.scope)
    negated = _NEGATED.search(branch.test) is not None
    if act is None:
        return ends and (done or not negated or _MADE.search(branch.test) is not None)
    if branch.line <= act.line <= branch.last_line:
        return done or negated or act.line > branch.end_line
    return ends and branch.line < act.line and (done or not negated or _MADE.search(branch.test) is not None)


def _roots(names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0].partition("[")[0] for name in names}
