"""Outgoing network calls without a time limit.

Passing title: Calls to other systems give up after a while
Failing title: Calls to other systems wait without end
Grading: Every outgoing call of production code (HTTP, language model, mail) is one place; a database connection, or a call of the browser to another host,
    half a one. A limit set at the call, at its client or in a wrapper counts, and so does a client's own limit of up to a minute. Four of
    five limited, and none missing in code that answers requests, is a pass; no limit anywhere is a failure; everything between is partial.
Done when: Each client is made with a connect and a read limit, and each call that is not made through such a client names its own.
What it cannot see: Limits set by a proxy, a service mesh or the operating system, clients it does not know, limits handed through more than two functions, and
    whether a limit is short enough for the caller.
"""

from __future__ import annotations

import re

from auditor.checks.outgoing import Limit, Site, Target
from auditor.checks.outgoing_sites import outgoing_sites
from auditor.checks.processes import COMMAND
from auditor.checks.registry import check
from auditor.model.needs import PROJECT, SYNTAX
from auditor.model.project import SERVING, Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, percent, plural

TOLERANCE = 0.2
"""Most calls must be limited (the claim allows for a stray connection), and every one that a request waits for."""

_REQUEST_PATH_FLOOR = 0.25
_SOME_ARE_LIMITED = 0.59
_ONLY_DATABASE = 0.5
_PAGES = 2  # calls to another host that make a page live off a separate server
_ONCE = re.compile(r"(?:^|/)(?:bin|scripts?|docker|benchmarks?)/")
"""Beside a server: what somebody starts by hand, watches, and can stop."""
_RULES = {
    Target.HTTP: "http-without-timeout",
    Target.MODEL: "model-call-without-timeout",
    Target.MAIL: "mail-without-timeout",
    Target.DATABASE: "database-without-timeout",
    Target.BROKER: "broker-without-timeout",
}


@check("resilience.outbound-timeouts", needs=(PROJECT, SYNTAX), tolerance=TOLERANCE)
def outbound_timeouts(project: Project, syntax: Syntax) -> Judgement:
    """Judge the outgoing calls of production code, server and browser apart."""
    serves = project.has(*SERVING)
    sites = [site for site in outgoing_sites(syntax.of(project.production), project) if not (serves and _ONCE.search(site.path))]
    if not sites:
        return NotApplicable("Production code makes no outgoing network call (calls of a page to its own server are not counted).")
    return _assess(sites)


def _assess(sites: list[Site]) -> Judgement:
    missing = [site for site in sites if site.limit is Limit.NONE]
    limited = [site for site in sites if site.limit is not Limit.NONE]
    total = sum(site.weight for site in sites)
    bad = sum(site.weight for site in missing)
    waiting = [site for site in missing if site.target is not Target.DATABASE and not site.browser and not COMMAND.search(site.path)]
    pages = [site for site in sites if site.browser]
    unlimited_pages = len(pages) >= _PAGES and all(site.limit is Limit.NONE for site in pages)
    if limited:
        bad = min(bad, _SOME_ARE_LIMITED * total)
    elif all(site.target is Target.DATABASE for site in sites):
        bad = _ONLY_DATABASE * total
    ordered = sorted(missing, key=lambda site: (site.browser, site.target is Target.DATABASE, site.path, site.line))
    return Assessed(
        bad=bad,
        total=total,
        summary=_summary(sites, missing),
        floor=_REQUEST_PATH_FLOOR if waiting or unlimited_pages else 0.0,
        findings=tuple(Finding(_RULES[site.target], site.path, _message(site), site.line, site.end_line, cwe=1088) for site in ordered),
        evidence=tuple(Place(site.path, site.line) for site in limited[:5]),
        signals=_signals(sites),
    )


def _summary(sites: list[Site], missing: list[Site]) -> str:
    if not missing:
        return f"All {plural(len(sites), 'outgoing call')} have a time limit."
    named = listed(sorted({site.what for site in missing}))
    return f"{len(missing)} of {plural(len(sites), 'outgoing call')} ({percent(len(missing) / len(sites))}) have no time limit: {named}."


def _message(site: Site) -> str:
    where = {
        Target.HTTP: "the other server",
        Target.MODEL: "the language model",
        Target.MAIL: "the mail server",
        Target.DATABASE: "the database",
        Target.BROKER: "the message broker",
    }[site.target]
    who = "the request and its worker wait with it"
    if site.browser:
        who = "the visitor's page stays stuck"
    elif COMMAND.search(site.path):
        who = "the command hangs"
    return f"When {where} does not answer {site.what}(), {who}: no time limit is set and {site.default}."


def _signals(sites: list[Site]) -> tuple[str, ...]:
    own = sum(site.limit is Limit.EXPLICIT for site in sites)
    default = sum(site.limit is Limit.DEFAULT for site in sites)
    return (f"{own} limited explicitly, {default} by their client's own limit, {len(sites) - own - default} not at all",)
