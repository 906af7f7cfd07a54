"""What slows callers down: limiters by name, those that stand before everything, and where they count."""

from __future__ import annotations

import re

from auditor.model.project import Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Place

LIMITER = re.compile(
    r"rate_?-?limit|limit_?(?:attempts|requests|calls|tries|logins?)\b|throttl|(?:^|[._])\w*limiter(?:$|[._(])|slow_?down|brute|token_?bucket|too_?many_?(?:requests|attempts|tries)|(?:^|[._])axes|failed_?(?:login_?)?attempts|lock(?:ed)?_?out|login_?attempts|ipLimit|arcjet|aj\.protect|limiter\.consume|ratelimit",
    re.IGNORECASE,
)
"""Names of limiters, of their calls and of what they count."""
_FLOOR_LIMITER = re.compile(
    r"SlowAPI(?:ASGI)?Middleware|RateLimit\w*|Throttl\w*(?:Middleware|Guard)|DEFAULT_THROTTLE_CLASSES|ratelimit\w*\.middleware|AxesMiddleware|defender\.middleware|FailedLoginMiddleware",
    re.IGNORECASE,
)
_GATEWAY = re.compile(
    r"^\s*limit_req\s|\brate_limit\s*\{|\bratelimit\.average\b|\brateLimit:\s|aws_wafv2_web_acl[\s\S]{0,2000}rate_based_statement|\"rate_limit\"|cloudflare_(?:rate_limit|ruleset)",
    re.MULTILINE,
)
_GATEWAY_FILE = re.compile(
    r"(?:^|/)(?:[\w.-]*nginx[\w./-]*|[\w.-]+\.conf(?:\.template)?|Caddyfile|traefik[\w.-]*\.ya?ml|docker-compose[\w.-]*\.ya?ml|[\w-]+\.tf|vercel\.json|ingress[\w.-]*\.ya?ml)$"
)
_SHARED_STORE = re.compile(
    r"storage_uri|RATELIMIT_STORAGE|redis|upstash|memcached|RedisStore|postgres|mongo|objects\.|cache\.|TokenBucket|database", re.IGNORECASE
)


def before_everything(syntax: Syntax, project: Project, texts: dict[str, str]) -> Place | None:
    """A limiter that stands before all endpoints: middleware, global guard, default limits, gateway configuration."""
    for facts in syntax.of(project.server):
        for call in facts.calls:
            name = call.callee.rsplit(".", 1)[-1]
            if name == "add_middleware" and any(_FLOOR_LIMITER.search(a.value.literal) for a in call.arguments):
                return Place(facts.path, call.line, call.line)
            defaults = call.argument("default_limits") or call.argument("application_limits")
            if name == "Limiter" and defaults is not None and defaults.items:
                return Place(facts.path, call.line, call.line)
        for assignment in facts.assignments:
            value = assignment.value
            listed_names = assignment.target in {"MIDDLEWARE", "REST_FRAMEWORK"} or assignment.target == "providers"
            if (
                value is not None
                and listed_names
                and _FLOOR_LIMITER.search(texts.get(facts.path, "")[:400_000])
                and _FLOOR_LIMITER.search(_region(texts, facts.path, assignment.line))
            ):
                return Place(facts.path, assignment.line, assignment.line)
        if re.search(r"(?:^|/)(?:middleware|proxy)\.[jt]s$", facts.path) and any(LIMITER.search(call.callee) for call in facts.calls):
            return Place(facts.path, 1, 1)
        if any(
            call.callee == "Module"
            and "APP_GUARD" in _region(texts, facts.path, call.line)
            and "Throttler" in _region(texts, facts.path, call.line)
            for call in facts.calls
        ):
            return Place(facts.path, 1, 1)
    for path in sorted(texts):
        if _GATEWAY_FILE.search(path) and (found := _GATEWAY.search(texts[path][:400_000])):
            line = texts[path].count("\n", 0, found.start() + 1) + 1
            return Place(path, line, line)
    return None


def _region(texts: dict[str, str], path: str, line: int) -> str:
    """The lines an assignment or call probably spans."""
    return "\n".join(texts.get(path, "").split("\n")[line - 1 : line + 60])[:6_000]


def limits_somewhere(syntax: Syntax, project: Project) -> bool:
    """Whether any endpoint or socket handler uses a limiter (made and called, not only imported)."""
    return any(
        re.search(r"(?:[lL]imiter|rate_?[lL]imit\w*)\.(?:consume|limit|check|hit|test)$", call.callee)
        for facts in syntax.of(project.server)
        for call in facts.calls
    )


def counts_in_memory(syntax: Syntax, project: Project, texts: dict[str, str]) -> bool:
    """Whether the files that make limiters name no shared store."""
    makers = [
        facts.path
        for facts in syntax.of(project.server)
        if any(
            re.search(r"(?:^|\.|new )(?:Limiter|rateLimit|rateLimiter|RateLimiterMemory|slowDown)$", call.callee) for call in facts.calls
        )
    ]
    return bool(makers) and not any(_SHARED_STORE.search(texts.get(path, "")) for path in makers)
