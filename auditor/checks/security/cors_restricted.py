"""Cross-origin access is limited to named origins.

Passing title: Only named websites may call the API from a browser
Failing title: Any website may call the API with a visitor's browser
Grading: Fail when every origin (or every site of a shared host) is let in together with cookies and logins, or when every origin is let in to an API that
    writes without any login. Partial when every origin is let in to an API that wants a token, or in development only. Pass when there is no such header, when origins
    are named or come from a setting without an open default, and for an API that is open, read-only and without logins.
Done when: The origins are a list from the configuration, no wildcard stands next to credentials, and a request from another origin is refused in a test.
What it cannot see: Headers that a proxy or gateway outside the repository adds or removes.
"""

from __future__ import annotations

import re

from auditor.checks.cross_origin import Grant, Grants, Who, header_grants
from auditor.checks.registry import check
from auditor.model.evidence import Route, RouteKind, Routes
from auditor.model.needs import PROJECT, ROUTES, SYNTAX, TEXTS
from auditor.model.project import SERVING, Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable
from auditor.words import plural

_CONFIGURATION = re.compile(
    r"(?:^|/)(?:next\.config\.[cm]?[jt]s|vercel\.json|netlify\.toml|_headers|firebase\.json|nginx[\w.-]*\.conf|[\w.-]+\.nginx|staticwebapp\.config\.json)$"
)
_ANSWERS = re.compile(
    r"\b(?:res|response|reply|ctx|context\.res)\b[\w.()]{0,40}\.(?:header|setHeader|set|append|headers\.set)\(\s*[\"']access-control",
    re.IGNORECASE,
)
"""Headers of an answer: a browser sets none, whatever else its file says of the side it runs on."""
_LOGIN = re.compile(
    r"(?:^|[._])(?:jwt|jsonwebtoken|jose|passport|clerk|next_?auth|lucia|better-auth|getServerSession|login_required|current_user|currentUser|get_current_user|authenticate|authorize|authorized?_?\w*|HTTPBearer|HTTPBasic|OAuth2\w*"
    r"|verify_?(?:token|jwt|id_?token)|decode_?token|requireAuth|isAuthenticated|ensureAuth\w*|auth|getUser|check_password|bcrypt|argon2|APIKeyHeader|api_?key|permission_classes|IsAuthenticated|checkAuth|parseRequest)(?:$|[._(])",
    re.IGNORECASE,
)
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_OPEN = frozenset({Who.ANYBODY, Who.ECHO})


@check("security.cors-restricted", needs=(PROJECT, TEXTS), corroborating=(SYNTAX, ROUTES))
def cors_restricted(project: Project, texts: dict[str, str], syntax: Syntax, routes: Routes) -> Judgement:
    """Grade every place that lets origins in; the worst one counts."""
    if not project.has(*SERVING) and not any(route.kind not in {RouteKind.PAGE, RouteKind.COMMAND} for route in routes.routes):
        return NotApplicable("No HTTP API is served from here.")
    server = [path for path in project.server if _side_is_server(path, project, routes)]
    grants = [*Grants(syntax, server, texts).all()]
    for path in sorted(texts):
        if _CONFIGURATION.search(path) or (path in project.production and path not in server and _ANSWERS.search(texts[path])):
            grants.extend(header_grants(path, texts[path]))
    writes = [route for route in routes.routes if route.kind is not RouteKind.PAGE and _writes(route)]
    login = _has_login(syntax, project, routes)
    graded = [(badness, grant) for grant in grants if (badness := _badness(grant, writes=bool(writes), login=login))]
    worst = max((badness for badness, _ in graded), default=0.0)
    return Assessed(
        bad=0,
        total=0,
        floor=worst,
        summary=_summary(grants, graded),
        findings=tuple(_finding(grant, writes=bool(writes), login=login) for _, grant in graded),
        evidence=tuple(grant.place for grant in grants if grant.who is Who.NAMED)[:3],
        unexamined=tuple(
            (facts.path, f"does not parse (line {facts.error_line})")
            for facts in syntax.of(frozenset(server))
            if facts.error_line and "cors" in texts.get(facts.path, "").lower()
        ),
        signals=(
            f"places that let origins in: {len(grants)}",
            f"endpoints that write: {len(writes)}",
            f"logins or tokens: {'yes' if login else 'none found'}",
        ),
    )


def _side_is_server(path: str, project: Project, routes: Routes) -> bool:
    """Scripts whose side is not known count when their part serves something."""
    return path.endswith(".py") or bool(project.part_of(path).kinds & SERVING) or any(route.place.path == path for route in routes.routes)


def _writes(route: Route) -> bool:
    return route.method in _WRITING or (route.method == "ANY" and route.kind is RouteKind.HTTP)


def _has_login(syntax: Syntax, project: Project, routes: Routes) -> bool:
    """Whether anything on the server looks at who is calling."""
    if any(_LOGIN.search(name) for route in routes.routes for name in route.through):
        return True
    for facts in syntax.of(project.server):
        if any(_LOGIN.search(statement.module) or any(_LOGIN.search(name) for name, _ in statement.names) for statement in facts.imports):
            return True
        if any(_LOGIN.search(call.callee) for call in facts.calls):
            return True
        if any(re.search(r"^(?:authorization|x-api-key|bearer )", literal.text, re.IGNORECASE) for literal in facts.literals):
            return True
    return False


def _badness(grant: Grant, *, writes: bool, login: bool) -> float:
    if grant.who is Who.NAMED:
        return 0.0
    if grant.development:
        return 0.3
    if grant.credentials:
        return 1.0
    if grant.who in _OPEN:
        if login:
            return 0.5
        return 1.0 if writes else 0.0
    return 0.4


def _finding(grant: Grant, *, writes: bool, login: bool) -> Finding:
    whose = "Any website" if grant.who in _OPEN else "Any site on a shared host, where everybody can get one,"
    if grant.development:
        rule, what = (
            "open-in-development",
            "may call this API from a visitor's browser while the development switch is on: a forgotten switch opens it to all.",
        )
    elif grant.credentials:
        rule, what = "open-with-credentials", "may read and change things here with a visitor's login as soon as the visitor opens it."
    elif writes and not login:
        rule, what = "open-writes", "may write to this API from its visitors' browsers, and nobody has to log in for that."
    else:
        rule, what = "open-to-all", "may call this API from its visitors' browsers; only the token keeps it from acting for them."
    return Finding(rule, grant.place.path, f"{whose} {what}", grant.place.line, grant.place.end_line, cwe=942)


def _summary(grants: list[Grant], graded: list[tuple[float, Grant]]) -> str:
    if not grants:
        return "No cross-origin access is granted: browsers let only the same origin in."
    if not graded:
        return f"{plural(len(grants), 'place grants', 'places grant')} cross-origin access to named origins or to public data."
    return f"{len(graded)} of {plural(len(grants), 'place')} that grant cross-origin access let more than named origins in."
