"""Sessions and tokens are verified, expire, travel only in safe cookies or headers, and state-changing requests resist CSRF.

Passing title: Logins cannot be forged, stolen by a script or used by another site
Failing title: Logins can be forged, stolen or used by another site
Grading: A token or cookie that says who is calling and whose signature nobody checks fails the item. Of tokens without end, login cookies that scripts can
    read, login cookies that travel without encryption, sessions that are not renewed at the login or are unpickled, tokens in the browser's storage, missing protection against requests forged by another site, and unchecked values in the
    session, one kind is partial and two or more kinds fail. A login that tells unknown names from wrong passwords is partial at most. Sessions of hosted identity providers and safe defaults of frameworks pass.
Done when: Tokens are verified with a fixed algorithm and end within days, login cookies are HttpOnly, Secure and SameSite, and a POST from another site is refused in a test.
What it cannot see: Flags a proxy outside the repository adds to cookies, tokens a gateway has verified before, and settings that exist only on the server.
"""

from __future__ import annotations

import re

from auditor.checks.account_hints import account_hints
from auditor.checks.registry import check
from auditor.checks.session_cookies import Cookies
from auditor.checks.session_starts import session_gaps
from auditor.checks.session_tokens import Gap, token_gaps, uses_tokens
from auditor.model.evidence import Routes, ToolHits
from auditor.model.needs import FLOWS, PROJECT, ROUTES, SYNTAX, TEXTS
from auditor.model.project import Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

ITEM = "security.sessions-protected"
_LOGIN_PACKAGE = re.compile(
    r"^(?:jsonwebtoken|jose|jwt|passport[\w-]*|next-auth|@auth/.+|better-auth.*|lucia|iron-session|cookie-session|express-session|@clerk/.+|@supabase/.+|supabase|firebase.*|firebase_admin.*|@auth0/.+|auth0.*|authlib.*"
    r"|@kinde.*|@workos.*|flask_login|flask_jwt_extended|fastapi_users.*|django\.contrib\.auth.*|allauth.*|rest_framework\.authentication|rest_framework_simplejwt.*|python_jose|@nestjs/(?:jwt|passport)|@fastify/(?:jwt|session|cookie)|hono/jwt|aiohttp_session.*|keycloak.*|msal.*)$"
)
_HINT = 0.2
"""Badness of a login that says who has an account: it opens nothing by itself."""
_HANDLES = re.compile(
    r"authorization['\"]|Bearer |request\.user\b|req\.user\b|cookies?\.get\(|req\.cookies|signIn|OAuth2PasswordBearer|APIKeyHeader",
    re.IGNORECASE,
)


@check(ITEM, needs=(PROJECT, SYNTAX, TEXTS, ROUTES), corroborating=(FLOWS,))
def sessions_protected(project: Project, syntax: Syntax, texts: dict[str, str], routes: Routes, flows: ToolHits) -> Judgement:
    """One unverified token fails; otherwise the kinds of missing protection are counted."""
    cookies = Cookies(syntax, project, routes, texts)
    gaps = [*token_gaps(syntax, project, texts), *cookies.gaps(), *session_gaps(syntax, project, routes, texts)]
    hints = list(account_hints(syntax, project, routes))
    trusted = [hit for hit in flows.of(ITEM) if hit.path in project.production]
    sound = _evidence(syntax, project, cookies)
    if not gaps and not hints and not trusted and not sound and not _handles_logins(syntax, project, texts):
        return NotApplicable("There is no login, session or token in this code.")
    findings = [_finding(gap) for gap in (*gaps, *hints)]
    findings += [Finding(h.rule, h.path, h.message, h.line, h.end_line, h.confidence, "flows", h.cwe or 501) for h in trusted]
    kinds = sorted({gap.kind for gap in gaps if not gap.forged} | ({"session-from-request"} if trusted else set()))
    forged = any(gap.forged for gap in gaps)
    least = _HINT if hints else 0.0
    floor = 1.0 if forged else (least, 0.4)[len(kinds)] if len(kinds) < 2 else min(0.9, 0.4 + 0.2 * (len(kinds) - 1))
    return Assessed(
        bad=0,
        total=0,
        floor=floor,
        summary=_summary(len(kinds), forged=forged, hints=bool(hints)),
        findings=tuple(sorted(findings, key=lambda f: (f.rule != "unverified-token", f.path, f.line, f.rule))),
        evidence=tuple(sound[:3]),
        signals=(
            f"places that set or configure login cookies: {len(cookies.carried)}",
            f"kinds of missing protection: {', '.join(kinds) if kinds else 'none'}",
        ),
        confidence=Confidence.HIGH if all(gap.certain for gap in (*gaps, *hints)) else Confidence.MEDIUM,
    )


def _finding(gap: Gap) -> Finding:
    confidence = Confidence.HIGH if gap.certain else Confidence.MEDIUM
    return Finding(gap.kind, gap.path, gap.message, gap.line, gap.end_line, confidence, "syntax", gap.cwe)


def _evidence(syntax: Syntax, project: Project, cookies: Cookies) -> list[Place]:
    token = uses_tokens(syntax, project)
    return [*([Place(token[0], token[1], token[1])] if token else []), *cookies.carried]


def _handles_logins(syntax: Syntax, project: Project, texts: dict[str, str]) -> bool:
    for facts in syntax.of(project.production):
        if any(_LOGIN_PACKAGE.match(statement.module) for statement in facts.imports):
            return True
        if _HANDLES.search(texts.get(facts.path, "")[:400_000]):
            return True
    return False


def _summary(kinds: int, *, forged: bool, hints: bool) -> str:
    if forged:
        return "Somebody can pretend to be another user: who is calling is read from something nobody has verified."
    if kinds:
        return f"{plural(kinds, 'protection')} of the login {'is' if kinds == 1 else 'are'} missing."
    if hints:
        return "The login tells strangers who has an account here."
    return "Logins are verified, end, and travel in protected cookies or headers, as far as this code decides it."
