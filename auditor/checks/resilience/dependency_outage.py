"""What happens when another system or the database is down: caught with a clear answer, tried again, replaced, or nothing.

Passing title: The product degrades on purpose when a dependency is down
Failing title: When a dependency is down, the product falls with it or pretends that all went well
Grading: Every place that depends on another system (HTTP, a language model, mail, a broker) is looked at. Passes when four of five are caught, here or in every caller, and
    something is tried again, queued, cut off or replaced. Fails when a failed call ends in a message of success, or when hardly any of several calls is caught,
    nothing is tried again, and no last-resort handler answers. Everything between is partial, and so is a product whose only dependency is a database that is
    neither checked nor tried again. Server and browser are weighed apart; calls of a page alone are partial at worst.
Done when: Each dependency has a stated answer to its outage, calls are tried again a few times with pauses, and what does not need the dependency goes on working.
What it cannot see: Retries and queues of the platform or a proxy, whether a fallback is right, limits of retries that a library decides, and calls through clients it does not
    know.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.error_answers import is_error_middleware
from auditor.checks.failures import is_remote
from auditor.checks.guards import Guards
from auditor.checks.ignored_results import ignored_results, successes_after_failed_saves
from auditor.checks.outgoing import Site, Target
from auditor.checks.outgoing_sites import outgoing_sites
from auditor.checks.pretences import pretences
from auditor.checks.processes import COMMAND
from auditor.checks.registry import check
from auditor.checks.retries import retries_of
from auditor.model.evidence import Stores
from auditor.model.needs import PROJECT, STORES, SYNTAX
from auditor.model.project import Kind, Project, Side
from auditor.model.syntax import FileFacts, HandlerEffect, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import listed, percent, plural

_HOSTED = frozenset({"createClient", "createBrowserClient", "createServerClient"})
"""Makers of a client that asks nothing yet; its answers are looked at one by one."""
_MOST_CAUGHT = 0.8
_HARDLY, _SEVERAL = 0.25, 3
_FAIL, _PARTIAL, _WEAK = 0.65, 0.4, 0.5
_QUEUES = re.compile(
    r"^(?:pybreaker|purgatory|circuitbreaker|aiobreaker|cockatiel|opossum|bullmq|bull|bee-queue|pg-boss|celery|dramatiq|huey|rq|arq|django_q|inngest|@trigger\.dev/sdk|agenda)(?:[./]|$)"
)
"""Packages that queue work or cut a failing dependency off."""
_FRESH = frozenset({"pool_pre_ping", "health_check_interval", "keepAlive", "retryStrategy", "retryDelayOnFailover"})
_BUILT_IN_RETRY = re.compile(r"(?:^|\.)(?:OpenAI|AsyncOpenAI|AzureOpenAI|Anthropic|AsyncAnthropic|Groq|boto3\.(?:client|resource)|Kafka)$")
_INSTEAD = re.compile(r"cache|fall_?back|stale|offline|outbox|enqueue|bundled|local_?storage|(?:^|\.)default[A-Z_]|DEFAULT_", re.IGNORECASE)
_LAST_RESORT = frozenset({"add_exception_handler", "register_error_handler", "setErrorHandler", "useGlobalFilters", "exception_handler", "errorhandler", "app_errorhandler"})  # fmt: skip
_CATCHES_ITSELF = ("django", "fastapi", "flask", "starlette", "nextjs", "nestjs", "fastify", "koa", "hono", "remix", "sveltekit", "nuxt")


@dataclass(frozen=True, slots=True)
class _Results:
    """The answers of a hosted database in one file, and those whose error nobody looks at."""

    browser: bool
    count: int
    ignored: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _SideOf:
    """The calls of other systems from one side, those nobody catches, and whether anything there is tried again, queued or replaced."""

    calls: int
    loose: tuple[Finding, ...]
    retried: bool
    kept: bool

    @property
    def caught(self) -> float:
        """The share of the calls whose failure is caught."""
        return 1 - len(self.loose) / self.calls if self.calls else 0.0

    @property
    def floor(self) -> float:
        """How bad it is, at least."""
        if self.caught >= _MOST_CAUGHT:
            return 0.0 if self.retried else _PARTIAL
        if self.caught < _HARDLY and self.calls >= _SEVERAL and not self.retried and not self.kept:
            return _FAIL
        return _PARTIAL if self.retried else _WEAK


@check("resilience.dependency-outage", needs=(PROJECT, SYNTAX, STORES))
def dependency_outage(project: Project, syntax: Syntax, stores: Stores) -> Judgement:
    """Weigh how the calls of other systems are caught, and what happens then; server and browser apart."""
    files = syntax.of(project.production)
    sites = [site for site in outgoing_sites(files, project) if site.what not in _HOSTED]
    results = _hosted_results(project, files)
    guards = Guards(files)
    outside = [site for site in sites if site.target is not Target.DATABASE and guards.concerns(site) and _is_waited_for(site, project)]
    if not sites and not results and not stores.relational and not stores.document:
        return NotApplicable("Production code calls no other system over the network and keeps no database.")
    named = _named(outside)
    again = sorted({*_ways_out(files, named)}, key=lambda place: (place.path, place.line))
    databases = [site for site in sites if site.target is Target.DATABASE]
    if not (outside or databases or results or stores.relational or stores.document):
        return _nothing_seen(sites, project)
    server, browser = _sides(project, files, outside, results, again, guards)
    loose = [*server.loose, *browser.loose]
    pretended = _pretended(files, outside, named)
    calls = server.calls + browser.calls
    if not calls:
        floor = 0.0 if again else _PARTIAL
    else:
        floor = max(server.floor if server.calls else 0.0, min(browser.floor, _WEAK) if browser.calls else 0.0)
    findings = pretended
    if pretended:
        floor = _FAIL
    elif floor:
        findings = loose or [_database(stores, [*outside, *databases])]
    return Assessed(
        bad=0,
        total=0,
        floor=floor,
        summary=_summary(server, browser, again, bool(pretended)),
        findings=tuple(findings),
        evidence=tuple(again[:4]),
        signals=(
            f"{plural(calls, 'call')} of other systems, {calls - len(loose)} caught; places that try again, queue or replace: {len(again)}",
            f"systems: {listed(sorted({site.target.value for site in sites})) or 'a database'}",
        ),
        confidence=Confidence.MEDIUM,
    )


def _is_waited_for(site: Site, project: Project) -> bool:
    """Whether somebody other than the one who started a command waits for the answer: a command that ends with the error has told it."""
    return not COMMAND.search(site.path) or project.part_of(site.path).kinds <= {Kind.CLI, Kind.PIPELINE}


def _nothing_seen(sites: list[Site], project: Project) -> Judgement:
    if any(_is_waited_for(site, project) for site in sites):
        return Undecided("Clients of other systems are made, and nothing could be seen of where they are used.")
    return NotApplicable("Other systems are called by commands only, which end with the error in front of the person who started them.")


def _named(outside: list[Site]) -> dict[str, set[str]]:
    """What each file calls of other systems, by path."""
    named: defaultdict[str, set[str]] = defaultdict(set)
    for site in outside:
        named[site.path].add(site.what)
    return named


def _sides(  # noqa: PLR0917 - what each side is weighed by
    project: Project, files: tuple[FileFacts, ...], outside: list[Site], results: list[_Results], again: list[Place], guards: Guards
) -> tuple[_SideOf, _SideOf]:
    """The server and the browser, each with its own calls and its own ways out."""
    loose = [site for site in outside if not guards.catches(site)]
    kept = (
        bool(project.uses(*_CATCHES_ITSELF)) or any(_answers_last(facts) for facts in files) or project.kinds <= {Kind.CLI, Kind.PIPELINE}
    )
    found = [
        _SideOf(
            sum(site.browser is browser for site in outside) + sum(each.count for each in results if each.browser is browser),
            (
                *(_uncaught(site) for site in loose if site.browser is browser),
                *(finding for each in results if each.browser is browser for finding in each.ignored),
            ),
            any(place.path in paths for place in again),
            kept,
        )
        for browser, paths in ((False, project.server), (True, project.browser))
    ]
    return found[0], found[1]


def _pretended(files: tuple[FileFacts, ...], outside: list[Site], named: dict[str, set[str]]) -> list[Finding]:
    """Failed calls of other systems that are shown as successes."""
    lines = {(site.path, site.line) for site in outside}
    found = []
    for facts in files:
        for each in pretences(facts, named[facts.path]):
            if (
                each.callee in named[facts.path]
                or is_remote(each.callee)
                or any((each.path, line) in lines for line in range(each.line - 30, each.line))
            ):
                message = f"When {each.callee}() fails, the answer is {each.told}: what was asked for is lost and nobody asks again."
                found.append(Finding("failure-told-as-success", each.path, message, each.line, each.end_line, Confidence.MEDIUM, cwe=390))
    found += [
        Finding("failed-save-shown-as-success", each.path, each.message, each.line, each.end_line, cwe=390)
        for each in successes_after_failed_saves(files)
    ]
    return found


def _summary(server: _SideOf, browser: _SideOf, again: list[Place], pretends: bool) -> str:
    if pretends:
        return "A failed call of another system is shown as a success."
    calls, loose = server.calls + browser.calls, len(server.loose) + len(browser.loose)
    if not calls:
        return (
            "The database is checked or tried again."
            if again
            else "The database is the only dependency, and nothing is tried again when it fails."
        )
    what = f"{percent(1 - loose / calls)} of {plural(calls, 'call')} of other systems are caught"
    return f"{what}, and {'something is tried again, queued or replaced' if again else 'nothing is tried again, queued or replaced'}."


def _uncaught(site: Site) -> Finding:
    message = (
        f"When the other end of {site.what}() is down, nothing here catches it: whatever needed the call ends with an error of its own."
    )
    return Finding("call-not-caught", site.path, message, site.line, site.end_line, Confidence.MEDIUM, cwe=755)


def _hosted_results(project: Project, files: tuple[FileFacts, ...]) -> list[_Results]:
    """What the client of a hosted database answers: it never raises, so that only a look at the error field catches an outage."""
    found = []
    for facts in files:
        count, ignored = ignored_results(facts)
        if count:
            findings = (
                Finding("error-field-not-read", facts.path, d.message, d.line, d.end_line, Confidence.MEDIUM, cwe=755) for d in ignored
            )
            found.append(_Results(project.sides.get(facts.path) is Side.BROWSER, count, tuple(findings)))
    return found


def _database(stores: Stores, sites: list[Site]) -> Finding:
    places = [*stores.relational, *stores.document, *(Place(site.path, site.line) for site in sites)]
    first = min(places, key=lambda place: (COMMAND.search(place.path) is not None, place.path, place.line))
    message = "A dependency that is down for a moment fails everything that needs it: nothing is tried again, queued or replaced."
    return Finding("nothing-tried-again", first.path, message, first.line, confidence=Confidence.MEDIUM)


def _answers_last(facts: FileFacts) -> bool:
    return (
        any(call.callee.rpartition(".")[2] in _LAST_RESORT for call in facts.calls)
        or any(mark.callee.rpartition(".")[2] in _LAST_RESORT for definition in facts.definitions for mark in definition.decorators)
        or any(is_error_middleware(definition) for definition in facts.definitions)
    )


def _ways_out(files: tuple[FileFacts, ...], outside: dict[str, set[str]]) -> Iterator[Place]:
    """Places that try again, queue, cut off, replace or keep a connection fresh."""
    for facts in files:
        modules = {local for entry in facts.imports for _, local in entry.names}
        yield from (Place(facts.path, entry.line) for entry in facts.imports if _QUEUES.match(entry.module) and entry.names)
        yield from (Place(facts.path, retry.line, retry.end_line) for retry in retries_of(facts, outside[facts.path]))
        for call in facts.calls:
            callee = call.callee.removeprefix("new ")
            options = {argument.name for argument in call.arguments} | {
                key for argument in call.arguments for key, _ in argument.value.items
            }
            if options & _FRESH or (_BUILT_IN_RETRY.search(callee) and callee.partition(".")[0] in modules):
                yield Place(facts.path, call.line, call.end_line)
        yield from _replacements(facts)


def _replacements(facts: FileFacts) -> Iterator[Place]:
    """Handlers around a call of another system that go on with something kept for that case."""
    for handler in facts.handlers:
        if not any(is_remote(callee) for callee in handler.tried):
            continue
        names = [*handler.calls, *(handler.returned.names if handler.returned is not None else ())]
        if handler.effect in {HandlerEffect.OTHER, HandlerEffect.REPORT, HandlerEffect.PRINT} and any(
            _INSTEAD.search(name) for name in names
        ):
            yield Place(facts.path, handler.line, handler.end_line)
