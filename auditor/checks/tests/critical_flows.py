"""Signing in, being refused, paying and writing the main data each have a test that sets the flow going.

Passing title: The flows the product lives on have tests of their own
Failing title: A flow the product lives on has no test
Grading: The flows are read from the endpoints: signing in, signing up, setting a new password, paying, the notice of a payment, writing the main data (what most endpoints write, or
    tables of a hosted database), and the refusal of strangers where an endpoint is guarded. The share without a test counts: none passes, all of them fails. A flow is tested when a test
    file with requests names the address of one of its endpoints (a request that only reads does not count), when a test asks it by the name of its route or field, or calls its handler; the
    refusal when a test that can fail expects it. Sign-in that a hosted service or library brings along is no flow of the product.
Done when: Each flow has a test that goes through the real endpoint against a test database and looks at what was kept or refused.
What it cannot see: Whether the test asserts the right thing, flows behind endpoints that could not be read, which data is the main data, and tests kept in another repository. Where tests
    go through pages in a browser or addresses that are put together elsewhere, a flow without a visible test stays open.
"""

from __future__ import annotations

from auditor.checks.authorization import Guards
from auditor.checks.critical_flows import Flow, accepts_data, flows
from auditor.checks.exercised import Exercised
from auditor.checks.guard import Guard, Strength
from auditor.checks.registry import check
from auditor.checks.suites import suite
from auditor.model.evidence import ModuleGraph, Route, RouteKind, Routes
from auditor.model.needs import MODULE_GRAPH, PROJECT, ROUTES, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place, Undecided
from auditor.words import plural

_OPEN = "tests go through pages, forms or addresses that do not name the endpoint"
_REFUSAL = "refusing strangers"


@check(
    "tests.critical-flows",
    needs=(SNAPSHOT, PROJECT, TEXTS),
    corroborating=(SYNTAX, ROUTES, MODULE_GRAPH),
    roles=(Role.TEST,),
)
def critical_flows(  # noqa: PLR0917 - one parameter for each need
    snapshot: Snapshot, project: Project, texts: dict[str, str], syntax: Syntax, routes: Routes, graph: ModuleGraph
) -> Judgement:
    """Compare the flows with what the tests set going."""
    listed = flows(project, texts, syntax, routes)
    tests = Exercised(snapshot, syntax, graph, suite(snapshot, syntax).cases)
    refusal = tests.refusal()
    guarded = _guarded(project, texts, syntax, routes) if refusal is None else None
    if guarded is not None:
        listed.append(Flow(_REFUSAL, (), (guarded,)))
    if not listed:
        if routes.unresolved:
            return Undecided("The addresses of the endpoints could not be read, so which flows there are is not known.")
        if any(route.kind is RouteKind.WEBSOCKET for route in routes.routes):
            return Undecided(
                "The product answers over sockets, whose messages are not read as flows: show by hand which test signs in and writes through them."
            )
        if accepts_data(routes):
            return Undecided(
                "Endpoints take data in, and whether they keep it could not be seen: show by hand which of them matter and which test asks them."
            )
        return NotApplicable("No endpoint signs anybody in, takes money or writes data: there is no flow of this kind.")
    bare = [flow for flow in listed if flow.name == _REFUSAL or not tests.covers(flow)]
    hidden = [flow for flow in bare if tests.unread or (flow.name != _REFUSAL and tests.may_cover(flow))]
    missing = [flow for flow in bare if flow not in hidden]
    total = len(listed) + (refusal is not None)
    return Assessed(
        bad=len(missing),
        total=total,
        summary=f"{total - len(bare)} of {plural(total, 'critical flow')} {'has' if total - len(bare) == 1 else 'have'} a test that can be seen.",
        findings=tuple(_finding(flow, bool(tests.real)) for flow in missing),
        evidence=(Place(refusal.path, refusal.line, refusal.end_line),) if refusal is not None else (),
        signals=(
            *(f"{flow.name}: {'no test seen' if flow in bare else 'tested'}" for flow in listed),
            f"{plural(len(routes.unresolved), 'endpoint')} could not be read",
        ),
        unexamined=tuple((flow.places[0].path, f"whether {flow.name} is tested: {_OPEN}") for flow in hidden),
        confidence=Confidence.MEDIUM,
    )


def _guarded(project: Project, texts: dict[str, str], syntax: Syntax, routes: Routes) -> Place | None:
    """The first endpoint with a guard before it that was read; a handler that refuses by itself may only pass on another service's answer."""
    guards = Guards(project, texts, syntax, routes)
    return next(
        (
            route.place
            for route in routes.routes
            if route.kind is not RouteKind.PAGE and route.place.path in project.production and _stands_before(guards.of(route), route)
        ),
        None,
    )


def _stands_before(guard: Guard, route: Route) -> bool:
    return guard.strength is Strength.SEEN and guard.name != route.handler


def _finding(flow: Flow, tested: bool) -> Finding:
    place = flow.places[0]
    if flow.name == _REFUSAL:
        message = "No test expects a stranger to be refused here or anywhere: a guard that falls away is noticed by whoever walks in."
        return Finding("refusal-without-test", place.path, message, place.line, place.end_line)
    rest = "none of the tests sets it going" if tested else "there is no test that could fail"
    message = f"For {flow.name} {rest}: the customers are the first to notice when it breaks."
    return Finding("flow-without-test", place.path, message, place.line, place.end_line)
