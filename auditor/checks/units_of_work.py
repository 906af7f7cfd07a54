"""Functions that write several things which belong together, and whether a transaction holds them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from auditor.checks.database_calls import database_calls
from auditor.checks.model_names import singular, words
from auditor.checks.processes import COMMAND
from auditor.checks.query_texts import QueryText, query_texts
from auditor.checks.stored_writes import Verb, Write, writes
from auditor.model.syntax import Call, DefinitionKind, FileFacts

_CLIMBS = re.compile(
    r"(?:^|\.)(?:map|forEach|flatMap|reduce|filter|then|catch|finally|all|allSettled|each|\$transaction|transaction|withTransaction|runTransaction|run_in_transaction|runInTransaction|atomic|run|serialize|begin|tx|nextTick|setTimeout|useCallback)$"
)
"""Calls whose function argument is a part of what the function around it does."""
_SCOPED = re.compile(
    r"(?:^|\.)(?:\$transaction|transaction|withTransaction|runTransaction|run_transaction|run_in_transaction|runInTransaction|startTransaction|start_transaction|startSession|start_session|"
    r"writeBatch|batch|beginTransaction|begin_transaction|begin|begin_nested|atomic|bulkWrite|bulk_write|unitOfWork|unit_of_work|transactional|with_transaction|withTx|inTransaction|db_transaction|useTransaction)(?:\(|$)"
)
_BEGINS = re.compile(r"^\s*(?:begin|start\s+transaction|savepoint)\b", re.IGNORECASE)
_DECORATED = re.compile(
    r"(?:^|\.)(?:atomic|transaction\w*|Transactional|Transaction|UseTransaction|transactional|with_transaction|commit_on_success)(?:$|\.)"
)
_PAST_WORDS = """
log logs audit audits event events history histories activity activities tracking metric metrics analytics notification notifications notify message messages trace traces session sessions
token tokens cache job jobs queue outbox webhook webhooks delivery stats stat usage visit view views attempt attempts email emails mail mails otp changelog
changelogs authentication authorization refresh blacklist summaries summary
"""
_PAST = frozenset(_PAST_WORDS.split())
"""Words of tables that stand by themselves: nothing is wrong when they were written and the rest was not, or the other way round."""
_WORTH_WORDS = """
payment payments invoice invoices order orders transaction transactions wallet wallets balance balances credit credits refund refunds payout payouts stock inventory inventories
booking bookings reservation reservations sale sales purchase purchases transfer transfers ledger bill bills checkout
"""
_WORTH = frozenset(_WORTH_WORDS.split())
_NO_GOODS = frozenset({"service", "work", "sort", "display", "template", "setting", "settings"})
_ASIDE_WORDS = "seed seeds demo dummy sample fixture fixtures populate init initialize migrate migration backfill cleanup clean prune purge truncate setup bootstrap"
_ASIDE = frozenset(_ASIDE_WORDS.split())
"""Words of functions that are run once, or again and again until they come through."""


_UPSERTS = re.compile(r"upsert|(?:update|get|find)_?or_?create|ensure|(?:\.set|setDoc)(?:\(|$)", re.IGNORECASE)
_CASE = re.compile(r"^\s*(?:case\b[^\n]{1,200}|default\s*):\s*\{?\s*$")
_LEAVES = re.compile(r"^\s*(?:continue|break)\b")
_ABSENT = re.compile(r"^\(?\s*(?:!|not\s+)\s*(\w+)\s*\)?$")
_SEED_PATH = re.compile(r"(?:^|/)seeds?/")
_MOST_CALLERS = 12
_MOST_WRITES = 200
"""Writes of one function that are held against each other."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One function with the writes that belong together in it, `first` and `last` of them; `held`: a transaction holds them. `worth`: money or goods are among them."""

    path: str
    name: str
    line: int
    first: Write
    last: Write
    tables: tuple[str, ...]
    held: bool
    worth: bool
    commits: bool = False

    @property
    def weight(self) -> float:
        """Removing step by step counts half: whoever tries again gets to the end."""
        return 0.5 if self.first.verb is Verb.REMOVE and self.last.verb is Verb.REMOVE else 1.0


def units(files: tuple[FileFacts, ...], models: frozenset[str], sources: dict[str, str]) -> tuple[list[Unit], int]:
    """The functions with several writes, by path and line, and how many writes were seen at all; `models` are the classes of the mappers, `sources` the texts of the files."""
    databases = database_calls(files)
    texts: defaultdict[str, list[QueryText]] = defaultdict(list)
    for query in query_texts(files):
        texts[query.path].append(query)
    written = {facts.path: writes(facts, databases.get(facts.path, ()), tuple(texts[facts.path]), models) for facts in files}
    helpers = _helpers(files, written)
    found: list[Unit] = []
    for facts in files:
        every = [*written[facts.path], *_through_helpers(facts, helpers)]
        lines = sources.get(facts.path, "").split("\n") if every else []
        by_unit: defaultdict[int, list[Write]] = defaultdict(list)
        for write in sorted(every, key=lambda write: (write.line, write.verb is Verb.COMMIT)):
            by_unit[_unit_of(facts, write.scope)].append(write)
        for scope, own in sorted(by_unit.items()):
            unit = _unit(facts, scope, own[:_MOST_WRITES], lines) if scope >= 0 else None
            if unit is not None:
                found.append(unit)
    callers = _callers(files, frozenset(unit.name for unit in found if not unit.held))
    held = [unit if unit.held or not _called_within(callers.get(unit.name, []), unit) else replace(unit, held=True) for unit in found]
    return held, sum(map(len, written.values()))


@dataclass(frozen=True, slots=True)
class _Helper:
    """A function that puts something into the session and commits it: whoever calls two of them has two transactions."""

    path: str
    line: int
    end_line: int
    table: str
    verb: Verb


def _helpers(files: tuple[FileFacts, ...], written: dict[str, list[Write]]) -> dict[str, _Helper]:
    """Functions that commit what they have written and are the only ones of their name."""
    found: defaultdict[str, list[_Helper]] = defaultdict(list)
    names = Counter(d.name for facts in files for d in facts.definitions if d.kind is not DefinitionKind.CLASS)
    for facts in files:
        by_scope: defaultdict[int, list[Write]] = defaultdict(list)
        for write in written[facts.path]:
            by_scope[write.scope].append(write)
        for scope, own in by_scope.items():
            real = [
                write for write in own if write.verb is not Verb.COMMIT and write.table and not _stands_alone(write) and not write.bound
            ]
            commits = any(write.verb is Verb.COMMIT for write in own)
            definition = facts.definitions[scope] if scope >= 0 else None
            if definition is None or not real or not commits or names[definition.name] != 1 or not (words(definition.name)[1:]):
                continue
            if not (_PAST | _ASIDE) & set(words(definition.name)):
                helper = _Helper(facts.path, definition.line, definition.end_line, real[0].table, real[0].verb)
                found[definition.name].append(helper)
    return {name: entries[0] for name, entries in found.items() if len(entries) == 1}


def _through_helpers(facts: FileFacts, helpers: dict[str, _Helper]) -> Iterator[Write]:
    """The writes that the functions called here carry out."""
    for call in facts.calls:
        helper = helpers.get(call.callee.rpartition(".")[2])
        if helper is None or call.scope < 0 or (helper.path == facts.path and helper.line <= call.line <= helper.end_line):
            continue
        yield Write(
            facts.path,
            call.line,
            call.end_line,
            call.scope,
            helper.verb,
            helper.table,
            pending=True,
            loop=call.in_loop,
            what=f"{call.callee}()",
        )
        yield Write(facts.path, call.line, call.end_line, call.scope, Verb.COMMIT, what=f"{call.callee}()")


def _unit_of(facts: FileFacts, scope: int) -> int:
    """The function a write belongs to: callbacks of loops, promises and transactions are parts of the function around them."""
    while scope >= 0:
        definition = facts.definitions[scope]
        if definition.kind is DefinitionKind.CLASS or definition.parent < 0:
            return scope
        if facts.definitions[definition.parent].kind is DefinitionKind.CLASS:
            return scope
        around = given_to(facts, scope)
        if around is None or not _CLIMBS.search(around.callee):
            return scope
        scope = definition.parent
    return scope


def given_to(facts: FileFacts, scope: int) -> Call | None:
    """The call a function is an argument of: the narrowest one round it."""
    definition = facts.definitions[scope]
    if definition.name:
        return None
    calls = [c for c in facts.calls if c.scope == definition.parent and c.line <= definition.line and definition.end_line <= c.end_line]
    return min(calls, key=lambda call: (call.end_line - call.line, -call.line), default=None)


def _unit(facts: FileFacts, scope: int, own: list[Write], lines: list[str]) -> Unit | None:
    definition = facts.definitions[scope]
    if (
        _ASIDE & {*words(definition.name), *words(facts.path.rpartition("/")[2])}
        or COMMAND.search(facts.path)
        or _SEED_PATH.search(facts.path)
    ):
        return None
    collected = all(write.pending or write.verb is Verb.COMMIT for write in own)
    apart = _commits(facts, own, lines) if collected else _pair(facts, own, lines)
    pair = apart or _pair(facts, own, lines)
    if pair is None:
        return None
    held = apart is None or _is_held(facts, scope, own)
    first, last = pair
    tables = tuple(dict.fromkeys(write.table for write in own if write.table))
    worth = any(_WORTH & set(words(write.table)) and not _NO_GOODS & set(words(write.table)) for write in pair)
    name = definition.name or f"the function at line {definition.line}"
    return Unit(facts.path, name, definition.line, first, last, tables, held, worth, commits=first.pending)


def _pair(facts: FileFacts, own: list[Write], lines: list[str]) -> tuple[Write, Write] | None:
    """Two writes to different tables, one after the other on one way through the function."""
    real = [
        write
        for write in own
        if write.verb is not Verb.COMMIT and write.table and not _stands_alone(write) and not _in_handler(facts, write)
    ]
    for number, first in enumerate(real):
        for later in real[number + 1 :]:
            if not _same_table(first, later) and not _repeatable(first) and _follows(facts, first, later, lines):
                return first, later
    return None


def _repeatable(write: Write) -> bool:
    """Whether doing it again has the same end, so that whoever tries once more completes what was left half done."""
    return _UPSERTS.search(write.what) is not None


def _same_table(first: Write, later: Write) -> bool:
    return singular(first.table.lower()) == singular(later.table.lower())


def _commits(facts: FileFacts, own: list[Write], lines: list[str]) -> tuple[Write, Write] | None:
    """Two records of different kinds with a commit between them, and one after."""
    ordered = sorted(own, key=lambda write: write.line)
    ends = [write for write in ordered if write.verb is Verb.COMMIT]
    real = [w for w in ordered if w.verb is not Verb.COMMIT and w.table and not _stands_alone(w) and not _in_handler(facts, w)]
    for number, first in enumerate(real):
        for later in real[number + 1 :]:
            between = any(
                first.line <= end.line < later.line and _follows(facts, first, end, lines) and _follows(facts, end, later, lines)
                for end in ends
            )
            apart = not _same_table(first, later) and not _repeatable(first)
            if between and apart and first.verb is not Verb.REMOVE and _follows(facts, first, later, lines):
                return first, later
    return None


def _stands_alone(write: Write) -> bool:
    return write.touch or bool(_PAST & set(words(write.table)))


def _in_handler(facts: FileFacts, write: Write) -> bool:
    """Whether a write makes good for a failed one."""
    return any(handler.line <= write.line <= handler.end_line for handler in facts.handlers)


def _follows(facts: FileFacts, first: Write, later: Write, lines: list[str]) -> bool:
    """Whether one way through the function does both: they are not in two branches, and nothing ends the function after the first."""
    if _another_case(first, later, lines) or _settled_before(facts, first, later) or _another_loop(facts, first, later):
        return False
    for branch in facts.branches:
        inside = branch.line <= first.line <= branch.end_line
        if inside and branch.end_line < later.line <= branch.last_line:
            return False
        if inside and later.line > branch.end_line:
            ends = (*facts.returns, *facts.raises)
            leaves = any(_LEAVES.match(line) for line in lines[first.end_line : branch.end_line])
            if leaves or any(first.end_line <= end.line <= branch.end_line for end in ends):
                return False
    for end in facts.returns:
        if end.scope == first.scope and first.line <= end.line < later.line:
            apart = [b for b in facts.branches if b.line <= end.line <= b.last_line and not b.line <= first.line <= b.last_line]
            handled = any(h.line <= end.line <= h.end_line for h in facts.handlers)
            if not apart and not handled:
                return False
    return True


def _another_case(first: Write, later: Write, lines: list[str]) -> bool:
    """Whether the two stand in different cases of one `switch` or `match`."""
    depth = _depth(lines[first.line - 1]) if first.line <= len(lines) else 0
    return any(_CASE.match(line) and _depth(line) < depth for line in lines[first.line : later.line - 1])


def _settled_before(facts: FileFacts, first: Write, later: Write) -> bool:
    """Whether the second is only done where the first has not settled it: `if found: user = ...` and then `if not user`."""
    for branch in facts.branches:
        absent = _ABSENT.match(branch.test)
        if absent is None or not branch.line <= later.line <= branch.end_line or first.line >= branch.line:
            continue
        around = [b for b in facts.branches if b.line <= first.line <= b.end_line < later.line]
        if any(b.line <= a.line <= b.end_line and a.target == absent[1] for b in around for a in facts.assignments):
            return True
    return False


def _another_loop(facts: FileFacts, first: Write, later: Write) -> bool:
    """Whether the two are steps of two loops that stand one after the other: rows of two lists, not two halves of one change."""
    around = [{loop.line for loop in facts.loops if loop.line <= write.line <= loop.end_line} for write in (first, later)]
    return bool(around[0] and around[1]) and not around[0] & around[1]


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_held(facts: FileFacts, scope: int, own: list[Write]) -> bool:
    """Whether the function, or one around it, opens a transaction, or the writes name theirs."""
    return all(write.bound for write in own if write.verb is not Verb.COMMIT) or _opens(facts, scope)


def _opens(facts: FileFacts, scope: int) -> bool:
    """Whether a function, or one around it, opens a transaction."""
    inside = set(range(scope, len(facts.definitions)))
    definition = facts.definitions[scope]
    lines = range(definition.line, definition.end_line + 1)
    around = scope
    while around >= 0:
        if any(_DECORATED.search(decorator.callee) for decorator in facts.definitions[around].decorators):
            return True
        around = facts.definitions[around].parent
    if any(call.scope in inside and call.line in lines and _SCOPED.search(call.callee) for call in facts.calls):
        return True
    return any(literal.line in lines and _BEGINS.match(literal.text) for literal in facts.literals) or any(
        argument.value.literal and _BEGINS.match(argument.value.literal)
        for call in facts.calls
        if call.line in lines
        for argument in call.arguments
    )


def _callers(files: tuple[FileFacts, ...], names: frozenset[str]) -> dict[str, list[tuple[FileFacts, Call]]]:
    """The calls inside of functions whose last name is one of those."""
    found: defaultdict[str, list[tuple[FileFacts, Call]]] = defaultdict(list)
    for facts in files:
        for call in facts.calls:
            name = call.callee.rpartition(".")[2]
            if name in names and call.scope >= 0:
                found[name].append((facts, call))
    return found


def _called_within(calls: list[tuple[FileFacts, Call]], unit: Unit) -> bool:
    """Whether every function that calls this one, as far as its name shows, opens the transaction."""
    callers = [(facts, call.scope) for facts, call in calls if not (facts.path == unit.path and call.line == unit.line)]
    return 0 < len(callers) <= _MOST_CALLERS and all(_opens(facts, scope) for facts, scope in callers)
