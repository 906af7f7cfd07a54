"""Caches: whether an answer for one person can reach another, and whether what is kept ever leaves again.

Passing title: What is cached has an audience, an end and a bound
Failing title: Somebody can get what was cached for somebody else, or what is kept never leaves
Grading: Looked at are remembered functions, cached pages, answers that shared caches may keep, and collections of a module that are called caches. It fails when an answer that depends on
    who asks is put where everybody is served from. Partial is: a function that asks a database or another system and is remembered without an end, a method that is remembered together with
    its object, a cache of a module that requests fill and nothing ever empties. Remembered settings, constants and pure functions are right, and no cache at all is no fault.
Done when: Personal answers are marked private or keyed by the person, everything cached has an age or a size at which it goes, and writes drop what they change.
What it cannot see: Caches of a proxy or a host, keys that a helper puts together, and whether the age fits what is cached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.database_calls import database_calls
from auditor.checks.lifetimes import Lifetimes
from auditor.checks.outgoing_python import expand, imported
from auditor.checks.outgoing_sites import outgoing_sites
from auditor.checks.processes import COMMAND
from auditor.checks.reach import within
from auditor.checks.registry import check
from auditor.model.evidence import Routes
from auditor.model.needs import PROJECT, ROUTES, SYNTAX
from auditor.model.project import RUNNING, Project
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts, ImportKind, Syntax, Value, ValueKind
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Undecided
from auditor.words import listed, plural

_FAIL, _PARTIAL = 0.8, 0.4
_FOREVER = frozenset({"functools.lru_cache", "functools.cache"})
_PAGES = re.compile(r"(?:^|\.)cache_page$")
_STREAMLIT = re.compile(r"^streamlit\.(?:cache_data|cache|experimental_memo)$")
_BY_CALLER = re.compile(r"(?:^|\.)(?:vary_on_cookie|vary_on_headers|never_cache)$")
_KNOWS_CALLER = re.compile(
    r"^(?:request|self\.request|req|ctx\.state|c\.var|context|locals|event\.locals)\.(?:user|session|auth)\b|^current_user\b|(?:^|\.)(?:getServerSession|get_current_user|getCurrentUser|currentUser|auth\.getUser|getSession|requireUser|requireAuth)(?:\(\))?$"
)
_SIGNED_IN = re.compile(
    r"(?:^|\.)(?:login_required|permission_required|user_passes_test|staff_member_required|LoginRequiredMixin|PermissionRequiredMixin)$"
)
_SHARED = re.compile(r"(?:^|[\s,])(?:public|s-maxage=[1-9]\d*)(?:[\s,]|$)", re.IGNORECASE)
_VIEWS_OF_FLASK = re.compile(r"^\w*cache\.(?:cached|memoize)$")
_OWN_KEY = ("key_prefix", "make_cache_key", "query_string", "unless")
_STORES = re.compile(r"(?:^|\.)\w*(?:cache|[rR]edis(?:_?[cC]lient)?)\.(?:set|setex|psetex|get_or_set|set_many|wrap)$")
_AGED = re.compile(r"(?:^|\.)(?:setex|psetex)$")
_AGE = re.compile(r"\b(?:ex|px|ttl|timeout|expire\w*|EX|PX|EXAT|maxAge|\w*TTL\w*)\b")
_STORING = re.compile(
    r"^(?:lru-cache|node-cache|keyv|cache-manager|apicache|quick-lru|memoizee|cachetools|aiocache|fastapi_cache|diskcache|dogpile|@isaacs/ttlcache)(?:[./]|$)"
)
"""Packages whose caches have settings of their own, which are not read."""
_NAMED_CACHE = re.compile(r"cache|memo(?!ry)", re.IGNORECASE)
_PUTS = frozenset({"set", "setdefault"})
_EMPTIES = frozenset({"pop", "popitem", "clear", "delete", "size", "expire", "evict", "prune", "keys"})
_EMPTY_MAKERS = re.compile(r"^(?:new Map|dict|OrderedDict|collections\.OrderedDict|defaultdict|collections\.defaultdict)$")
_MESSAGES = {
    "private-answer-in-shared-cache": "{what} lets everybody be served from one copy, and the answer depends on who asks: one person gets what was made for another.",
    "cache-without-end": "{what}() asks a database or another system and is remembered without an end: what changes there is not seen before the next restart.",
    "cache-keeps-objects": "The method {what}() is remembered together with its object: neither is let go before the process ends.",
    "cache-without-bound": "{what} is filled by requests and never emptied: it grows until the memory is gone, and what it holds is never renewed.",
}
_CWES = {"private-answer-in-shared-cache": 524, "cache-without-bound": 770}


@dataclass(frozen=True, slots=True)
class _Cache:
    """One cache; `rule` is what is wrong with it, "" when nothing is."""

    rule: str
    path: str
    line: int
    what: str


@check("data.cache-deliberate", needs=(PROJECT, SYNTAX), corroborating=(ROUTES,))
def cache_deliberate(project: Project, syntax: Syntax, routes: Routes) -> Judgement:
    """Find what is cached, then who gets it and when it leaves."""
    if not project.has(*RUNNING):
        return NotApplicable("Nothing here runs for long and answers several people: there is no cache they could share.")
    paths = frozenset(path for path in project.server if not COMMAND.search(path))
    files = syntax.of(paths)
    asking = {(path, call.scope) for path, calls in database_calls(files).items() for call in calls}
    asking |= _outgoing_scopes(files, project)
    lifetimes = Lifetimes(syntax, paths, routes)
    cleared = {
        call.callee.split(".")[-2]
        for facts in files
        for call in facts.calls
        if call.callee.endswith((".cache_clear", ".clear")) and "." in call.callee
    }
    caches = [
        cache
        for facts in files
        for cache in (*_remembered(facts, asking, cleared), *_answers(facts), *_collections(facts, lifetimes), *_stored(facts))
    ]
    unclear = tuple(place for facts in files for place in _unclear(facts))
    if not caches and unclear:
        return Undecided(f"Something is cached here in a way that was not read: {unclear[0][1]} ({unclear[0][0]}).")
    if not caches:
        return NotApplicable("Nothing is cached here; that alone is no fault.")
    wrong = sorted(
        (cache for cache in caches if cache.rule),
        key=lambda cache: (cache.rule != "private-answer-in-shared-cache", cache.path, cache.line),
    )
    private = any(cache.rule == "private-answer-in-shared-cache" for cache in wrong)
    return Assessed(
        bad=0,
        total=0,
        floor=_FAIL if private else _PARTIAL if wrong else 0.0,
        summary=_summary(caches, wrong),
        findings=tuple(
            Finding(c.rule, c.path, _MESSAGES[c.rule].format(what=c.what), c.line, c.line, Confidence.MEDIUM, cwe=_CWES.get(c.rule, 0))
            for c in wrong
        ),
        signals=(f"caches: {len(caches)}; without an audience, an end or a bound: {len(wrong)}",),
        unexamined=(*unclear, *((facts.path, f"does not parse (line {facts.error_line})") for facts in files if facts.error_line)),
        confidence=Confidence.MEDIUM,
    )


def _summary(caches: list[_Cache], wrong: list[_Cache]) -> str:
    if not wrong:
        return f"{plural(len(caches), 'cache')}, each with an audience and an end or a bound."
    return f"{len(wrong)} of {plural(len(caches), 'cache')}: {listed(sorted({cache.rule.replace('-', ' ') for cache in wrong}))}."


def _outgoing_scopes(files: tuple[FileFacts, ...], project: Project) -> set[tuple[str, int]]:
    """The functions that call another system themselves."""
    lines = {(site.path, site.line) for site in outgoing_sites(files, project)}
    return {(facts.path, call.scope) for facts in files for call in facts.calls if (facts.path, call.line) in lines}


# -- remembered functions and pages ------------------------------------------------------------------------------------------------------


def _remembered(facts: FileFacts, asking: set[tuple[str, int]], cleared: set[str]) -> Iterator[_Cache]:
    """Functions and pages that are remembered; `cleared`: names of those that the program empties itself."""
    if not facts.path.endswith((".py", ".pyw")):
        return
    full = imported(facts)
    for index, definition in enumerate(facts.definitions):
        for mark in definition.decorators:
            name = expand(full, mark.callee)
            if name in _FOREVER:
                yield _Cache(
                    "" if definition.name in cleared else _forever(facts, index, definition, asking),
                    facts.path,
                    definition.line,
                    definition.name,
                )
            elif _STREAMLIT.match(name):
                endless = mark.argument("ttl") is None and definition.name not in cleared and _asks(facts, index, asking)
                yield _Cache("cache-without-end" if endless else "", facts.path, definition.line, definition.name)
            elif _VIEWS_OF_FLASK.match(mark.callee):
                own = mark.callee.endswith("memoize") or any(mark.argument(key) is not None for key in _OWN_KEY)
                private = not own and _depends_on_caller(facts, index)
                yield _Cache(
                    "private-answer-in-shared-cache" if private else "", facts.path, definition.line, f"{mark.callee} on {definition.name}"
                )
            elif _PAGES.search(mark.callee) or _pages_method(mark):
                private = _depends_on_caller(facts, index) and not any(
                    _BY_CALLER.search(m.callee) or "vary_on" in _text(m) for m in definition.decorators
                )
                yield _Cache(
                    "private-answer-in-shared-cache" if private else "", facts.path, definition.line, f"cache_page on {definition.name}"
                )


def _stored(facts: FileFacts) -> Iterator[_Cache]:
    """What is put into a store with an age, or into Django's cache, which gives one."""
    django = any(entry.module.startswith("django.core.cache") for entry in facts.imports)
    for call in facts.calls:
        if _STORES.search(call.callee) and (
            _AGED.search(call.callee) or django or _AGE.search(_text(call)) or any(_AGE.search(a.name) for a in call.arguments)
        ):
            yield _Cache("", facts.path, call.line, call.callee)


def _unclear(facts: FileFacts) -> Iterator[tuple[str, str]]:
    """Caches whose age or bound stands elsewhere."""
    known = {cache.line for cache in _stored(facts)}
    for entry in facts.imports:
        if _STORING.match(entry.module) and entry.kind is not ImportKind.TYPE_ONLY:
            yield f"{facts.path}:{entry.line}", f"the cache of {entry.module} is not read"
    for call in facts.calls:
        if _STORES.search(call.callee) and call.line not in known:
            yield f"{facts.path}:{call.line}", f"whether what {call.callee}() stores has an age was not seen"


def _pages_method(mark: Call) -> bool:
    return mark.callee.endswith("method_decorator") and bool(mark.arguments) and _PAGES.search(mark.arguments[0].value.literal) is not None


def _text(mark: Call) -> str:
    return " ".join(argument.value.text for argument in mark.arguments)


def _forever(facts: FileFacts, index: int, definition: Definition, asking: set[tuple[str, int]]) -> str:
    first = definition.parameters[0].name if definition.parameters else ""
    if definition.kind is DefinitionKind.METHOD and first == "self":
        return "cache-keeps-objects"
    return "cache-without-end" if _asks(facts, index, asking) else ""


def _asks(facts: FileFacts, index: int, asking: set[tuple[str, int]]) -> bool:
    return any((facts.path, scope) in asking for scope in within(facts, index))


def _depends_on_caller(facts: FileFacts, index: int) -> bool:
    """Whether a function, or the class around it, looks at who asks."""
    scopes = within(facts, index)
    parent = facts.definitions[index].parent
    marks = (
        [mark.callee for mark in facts.definitions[index].decorators]
        + list(facts.definitions[index].bases)
        + (list(facts.definitions[parent].bases) if parent >= 0 else [])
    )
    if any(_SIGNED_IN.search(mark) for mark in marks):
        return True
    return any(_KNOWS_CALLER.search(name) for name in _names(facts, scopes))


def _names(facts: FileFacts, scopes: frozenset[int]) -> Iterator[str]:
    for call in facts.calls:
        if call.scope in scopes:
            yield call.callee
            yield from (name for argument in call.arguments for name in argument.value.names)
    for each in (*facts.assignments, *facts.returns):
        if each.scope in scopes and each.value is not None:
            yield from each.value.names


# -- answers that shared caches may keep -------------------------------------------------------------------------------------------------


def _answers(facts: FileFacts) -> Iterator[_Cache]:
    """Cache-Control that speaks of everybody, in the function that makes the answer."""
    found = {(call.line, call.scope) for call in facts.calls for argument in call.arguments if _is_header(argument.value, call)}
    found |= {
        (a.line, a.scope)
        for a in facts.assignments
        if "cache-control" in a.target.lower() and a.value is not None and _SHARED.search(a.value.literal)
    }
    for line, scope in sorted(found):
        private = scope >= 0 and _depends_on_caller(facts, scope)
        yield _Cache("private-answer-in-shared-cache" if private else "", facts.path, line, "Cache-Control: public")


def _is_header(value: Value, call: Call) -> bool:
    """Whether an argument is a shared Cache-Control: an entry of an options object, or beside the header's name."""
    if any(a.value.literal.lower() == "cache-control" for a in call.arguments):
        return value.kind in {ValueKind.STRING, ValueKind.TEMPLATE} and _SHARED.search(value.literal) is not None
    inner = [value, *(entry for _, entry in value.items)]
    return any(key.lower() == "cache-control" and _SHARED.search(entry.literal) for each in inner for key, entry in each.items)


# -- collections of a module -------------------------------------------------------------------------------------------------------------


def _collections(facts: FileFacts, lifetimes: Lifetimes) -> Iterator[_Cache]:
    """Collections called caches that functions of requests fill."""
    for each in facts.assignments:
        name = each.target
        if each.scope >= 0 or not name.isidentifier() or not _NAMED_CACHE.search(name) or not _is_empty(each.value):
            continue
        fills = [
            a.scope
            for a in facts.assignments
            if a.scope >= 0 and a.target.startswith(f"{name}[") and not re.search(r"\[['\"][^'\"]*['\"]\]$", a.target)
        ]
        fills += [
            c.scope
            for c in facts.calls
            if c.scope >= 0
            and c.callee.rpartition(".")[0] == name
            and c.callee.rpartition(".")[2] in _PUTS
            and c.arguments
            and c.arguments[0].value.kind is not ValueKind.STRING
        ]
        if not any(lifetimes.request(facts.path, scope) for scope in fills):
            continue
        emptied = any(c.callee.rpartition(".")[0] == name and c.callee.rpartition(".")[2] in _EMPTIES for c in facts.calls)
        emptied = emptied or any(a.value is not None and a.target == name and a.scope >= 0 for a in facts.assignments)
        measured = any(name in a.value.names for c in facts.calls if c.callee == "len" for a in c.arguments) or any(
            f"{name}.size" in b.names for b in facts.branches
        )
        aged = any(re.search(r"(?:^|\.)(?:time|monotonic|now|utcnow)$", c.callee) and c.scope in set(fills) for c in facts.calls)
        yield _Cache("" if emptied or measured or aged else "cache-without-bound", facts.path, each.line, name)


def _is_empty(value: Value | None) -> bool:
    if value is None:
        return False
    return (value.kind is ValueKind.COLLECTION and not value.items) or (
        value.kind is ValueKind.CALL and _EMPTY_MAKERS.match(value.literal) is not None
    )
