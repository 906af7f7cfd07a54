"""Calls to addresses of this system that no endpoint answers.

Passing title: Every call of the system to itself reaches an endpoint
Failing title: Calls go to endpoints that nobody wrote
Grading: b is the share of calls that reach nothing, of those whose address could be followed. One that saves, deletes or sends something fails; where only reads lead nowhere, it is partial.
Done when: every address the front end, the pages and the services call is answered by an endpoint with that method, and a test per call says so.
What it cannot see: addresses put together at run time or kept in records and pages, servers outside of the repository or in languages that are not read, and what a gateway makes of an address.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from auditor.checks.endpoint_paths import call_segments, fit, route_segments
from auditor.checks.registry import check
from auditor.model.evidence import OwnCall, OwnCalls, Route, RouteKind, Routes
from auditor.model.needs import OWN_CALLS, PROJECT, ROUTES, SNAPSHOT, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.snapshot import UNREAD_LANGUAGES, Role, Snapshot
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import listed, plural

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_DEVELOPMENT_PORT = re.compile(r"^host:(?:localhost|127\.0\.0\.1|0\.0\.0\.0):(?:3000|3001|3333|4000|5000|5001|8000|8001|8080|8787)$")
_SHOWS_A_PAGE = re.compile(
    r"sendFile|FileResponse|HTMLResponse|TemplateResponse|send_from_directory|send_static_file|render|index_html|createReadStream|next\(?|handle$|SpaFallback",
    re.IGNORECASE,
)
_PROXY_FILE = re.compile(
    r"(?:^|/)(?:(?:vite|next|nuxt|vue|astro|svelte|craco|webpack[\w.-]*|rsbuild)\.config[\w.]*\.[cm]?[jt]s|vercel\.json|netlify\.toml|_redirects|firebase\.json|staticwebapp\.config\.json|setupProxy\.[jt]s|proxy\.conf[\w.]*\.(?:js|json)|[\w.-]*nginx[\w.-]*|[\w.-]*\.conf(?:\.template)?|[\w.-]*Caddyfile[\w.-]*|traefik[\w.-]*)$"
)
_PROXIES = re.compile(
    r"\bproxy\b|proxy_pass|rewrites?\b|reverse_proxy|handle_path|\bredirects?\b|^/\S+\s+\S+\s+200", re.IGNORECASE | re.MULTILINE
)
_OUTSIDE = re.compile(
    r"(?:destination|target|proxy_pass|proxy|to|reverse_proxy|[\"']/[\w/*:-]*[\"'])[\"']?\s*[:=]?\s*[\"'`]?(?:https?://(?!localhost|127\.|0\.0\.0\.0|host\.docker|[\w-]+(?::\d+)?[/\"'`;\s])|\$\{|process\.env|env\.)"
)
_TEXT_LIMIT = 200_000
_SERVICE = re.compile(
    r"^/(?:rest|auth|storage|realtime)/v1/|graphql$|/trpc(?:/|$)|/socket\.io|^/_next/|/__\w+|^/(?:static|assets|media|public|favicon|manifest|sw\.js)"
)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What became of one call: `state` is "reached", "missing", "method", "perhaps" or "elsewhere"; `near` the endpoint nearest to it, `methods` what answers there."""

    call: OwnCall
    state: str
    near: Route | None = None
    methods: tuple[str, ...] = ()


@check("wiring.calls-reach-endpoints", needs=(OWN_CALLS, ROUTES, PROJECT, SYNTAX, SNAPSHOT, TEXTS))
def calls_reach_endpoints(  # noqa: PLR0917 - evidence comes by position
    calls: OwnCalls, routes: Routes, project: Project, syntax: Syntax, snapshot: Snapshot, texts: dict[str, str]
) -> Judgement:
    """Compare every call that may be meant for this system with its endpoints."""
    unread = tuple((place, reason) for place, reason in calls.unread if _asks_home(place.rpartition(":")[0], project))
    if not calls.calls and not unread:
        return NotApplicable("Nothing in the repository calls an address of its own over HTTP.")
    endpoints = [route for route in routes.routes if route.kind not in {RouteKind.COMMAND, RouteKind.WEBSOCKET}]
    if not endpoints:
        return NotApplicable(
            "No endpoint is in the repository: what is called stands elsewhere.", (calls.calls[0].place,) if calls.calls else ()
        )
    found = _Judge(routes, endpoints, project, syntax, snapshot, texts).judge(calls)
    states = Counter(verdict.state for verdict in found)
    if not states.keys() - {"elsewhere"} and not unread:
        return NotApplicable("No call is meant for an endpoint of this repository: all go to other systems.", (found[0].call.place,))
    lost = [verdict for verdict in found if verdict.state in {"missing", "method"}]
    known = states["reached"] + len(lost)
    unclear = [
        (f"{v.call.place.path}:{v.call.place.line}", "whether an endpoint answers cannot be told") for v in found if v.state == "perhaps"
    ]
    saves = any(verdict.call.method in _WRITES for verdict in lost)
    summary = (
        f"{len(lost)} of {plural(known, 'call')} to the system's own addresses lead nowhere."
        if lost
        else f"All of {plural(known, 'call')} to the system's own addresses reach an endpoint."
    )
    return Assessed(
        len(lost),
        known,
        summary,
        (0.7 if saves else 0.2) if lost else 0.0,
        tuple(_finding(verdict) for verdict in lost),
        tuple(verdict.call.place for verdict in found if verdict.state == "reached")[:3],
        (
            f"{plural(len(found), 'call')} with an address that could be read, {plural(len(endpoints), 'endpoint')}; to other systems: {states['elsewhere']}; to where a record or a page says: {calls.brought}",
        ),
        (*unclear, *unread),
        confidence=Confidence.MEDIUM,
    )


def _asks_home(path: str, project: Project) -> bool:
    """Whether a call whose address cannot be read is probably one to the own server: those of servers go to other systems."""
    return path not in project.server or path in project.browser


def _finding(verdict: _Verdict) -> Finding:
    call, near = verdict.call, verdict.near
    does = {"POST": "sends to", "PUT": "saves at", "PATCH": "changes", "DELETE": "deletes at"}.get(call.method, "asks")
    shown = call.address.replace("{*}", "…").replace("{}", "…")
    if verdict.state == "method" and near is not None:
        message = f"This {does} {shown} with {call.method}, and the endpoint there ({near.place.path}:{near.place.line}) answers {listed(list(verdict.methods))} only: whoever gets here gets an error."
        return Finding("wrong-method", call.place.path, message, call.place.line, confidence=Confidence.MEDIUM)
    beside = f"; the nearest is {near.method} {near.path} ({near.place.path}:{near.place.line})" if near is not None else ""
    named = "" if call.method == "ANY" else f"{call.method} "
    message = f"This {does} {shown}, and no endpoint answers {named}{shown}{beside}: whoever gets here gets an error in place of a result."
    return Finding("missing-endpoint", call.place.path, message, call.place.line, confidence=Confidence.MEDIUM)


class _Judge:
    """Endpoints of one repository, and what may stand between them and their callers."""

    def __init__(  # noqa: PLR0917 - one argument per kind of evidence
        self, routes: Routes, endpoints: list[Route], project: Project, syntax: Syntax, snapshot: Snapshot, texts: dict[str, str]
    ) -> None:
        self._project = project
        served = [(route, (*route_segments(route.path), *(("**",) if route.framework == "supabase" else ()))) for route in endpoints]
        self._open = [segments for route, segments in served if segments == ("**",) and not _is_page(route, syntax.files)]
        self._served = [(route, segments) for route, segments in served if segments != ("**",)]
        self._opaque = [(*route_segments(prefix), "**") for prefix, _ in routes.opaque]
        self._parts = {project.part_of(route.place.path).root for route in endpoints}
        self._first = {segments[0] for _, segments in served if segments and "*" not in segments[0]}
        self._functions = any(route.framework == "supabase" for route in endpoints)
        own = [file.path for file in snapshot.files if file.role not in {Role.VENDORED, Role.MINIFIED} and _PROXY_FILE.search(file.path)]
        proxies = [text for path in own if _PROXIES.search(text := texts.get(path, "")[:_TEXT_LIMIT])]
        self._proxied = bool(proxies)
        self._outside = any(_OUTSIDE.search(text) for text in proxies)
        others = [f for f in snapshot.with_role(Role.FIRST_PARTY) if f.language in UNREAD_LANGUAGES]
        self._unread = bool(others) or any("view set" in reason for _, reason in routes.unresolved)

    def judge(self, calls: OwnCalls) -> list[_Verdict]:
        """What becomes of each call; bases that lead to other systems are told by the company they keep."""
        first = [self._reach(call) for call in calls.calls]
        ours = Counter(v.call.base for v in first if v.state in {"reached", "method"})
        theirs = Counter(v.call.base for v in first if v.state == "missing")
        return [v if v.state == "reached" else self._weighed(v, ours[v.call.base], theirs[v.call.base]) for v in first]

    def _weighed(self, verdict: _Verdict, ours: int, theirs: int) -> _Verdict:
        call, base = verdict.call, verdict.call.base
        shared = next(iter(call_segments(call.address)), "") in self._first
        if base == "functions:":
            mine = self._functions
        elif base == "":
            mine = bool(ours) or shared or self._project.part_of(call.place.path).root in self._parts
        elif _DEVELOPMENT_PORT.match(base):
            mine = ours >= theirs > 0 or shared
        else:
            mine = ours >= max(theirs, 1)
        if not mine:
            return _Verdict(call, "elsewhere")
        if self._unread or (self._outside and base in {"", "name:page"}) or (base == "" and not ours and not shared and theirs > 2):
            return _Verdict(call, "perhaps")
        return verdict

    def _reach(self, call: OwnCall) -> _Verdict:
        segments = call_segments(call.address)
        if _SERVICE.search(call.address) or not segments:
            return _Verdict(call, "elsewhere")
        if call.base == "functions:":
            return _Verdict(call, "reached" if any(fit(known, segments, prefixes=False) for _, known in self._served) else "missing")
        lenient = call.loose or self._proxied
        fits = [(route, found) for route, known in self._served if (found := fit(known, segments, prefixes=lenient)) is not None]
        fits = [(route, found) for route, found in fits if found.extra >= 0 or self._proxied]
        answering = [(route, found) for route, found in fits if _answers(route, call.method)]
        if answering:
            return _Verdict(call, "reached")
        if any(fit(prefix, segments, prefixes=lenient) for prefix in self._opaque) or self._open:
            return _Verdict(call, "perhaps")
        if fits:
            clear = all(found.exact for _, found in fits)
            fits.sort(key=lambda pair: -sum(a == b for a, b in zip(route_segments(pair[0].path), segments, strict=False)))
            return _Verdict(call, "method" if clear else "perhaps", fits[0][0], self._methods(fits[0][0]))
        return _Verdict(call, "missing", self._nearest(segments))

    def _methods(self, like: Route) -> tuple[str, ...]:
        """The methods of all endpoints at the path of one."""
        return tuple(sorted({route.method for route, _ in self._served if route.path == like.path}))

    def _nearest(self, segments: tuple[str, ...]) -> Route | None:
        """The endpoint whose path begins most like the address, or ends like it."""
        best = max(self._served, key=lambda pair: _common(pair[1], segments), default=None)
        return best[0] if best is not None and _common(best[1], segments) >= min(2, len(segments)) else None


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return max(count, sum(1 for segment in set(one) & set(other) if segment != "*") if one[-1:] == other[-1:] else 0)


def _answers(route: Route, method: str) -> bool:
    if "ANY" in {route.method, method} or route.kind in {RouteKind.PAGE, RouteKind.ACTION}:
        return True
    return route.method == method or (method in {"HEAD", "OPTIONS"})


def _is_page(route: Route, files: dict[str, FileFacts]) -> bool:
    """Whether a route for everything shows the front end's page, and answers no call."""
    facts = files.get(route.place.path)
    if route.kind is RouteKind.PAGE:
        return True
    if facts is None or route.handler_scope < 0:
        return route.method == "GET"
    return any(call.scope == route.handler_scope and _SHOWS_A_PAGE.search(call.callee) for call in facts.calls)
