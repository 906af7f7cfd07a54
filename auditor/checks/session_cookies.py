"""Cookies that carry a login: their flags, and whether another site can make a visitor's browser act with them.

Tokens themselves are in `auditor.checks.session_tokens`; nothing here gives a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.cookie_calls import (
    ALL_ON,
    carries_login,
    clears_cookie,
    cookie_flags,
    cookie_parts,
    flags_on_by_default,
    hidden_and_open,
    imports,
    is_harmless,
    is_off,
    resolved,
    sets_cookie,
)
from auditor.checks.reach import within
from auditor.checks.session_settings import settings_gaps
from auditor.checks.session_tokens import Gap, runs_on_server
from auditor.model.evidence import Route, RouteKind, Routes
from auditor.model.project import Project
from auditor.model.syntax import Call, FileFacts, Syntax, Value, ValueKind
from auditor.model.verdict import Place

_IDENTITY_NAME = re.compile(
    r"^(?:user_?id|uid|user|username|user_?name|role|is_?admin|admin|e?mail|logged_?in|authenticated)$", re.IGNORECASE
)
_SIGNS = re.compile(
    r"sign|encode|encrypt|seal|token|jwt|serialize|dumps|hash|secrets|uuid|random|lambda|createSession|create_session", re.IGNORECASE
)
_PROTECTED = re.compile(
    r"csrf|xsrf|SeaSurf|\blusca\b|FlaskForm|same_?origin_?check|verify_?origin|check_?origin|allowedOrigins|Sec-Fetch-Site|sec-fetch-site",
    re.IGNORECASE,
)
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_MIDDLEWARE = frozenset({"MIDDLEWARE", "MIDDLEWARE_CLASSES"})
"""Django's setting; the second name is that of versions before 1.10."""
_SWITCHES = frozenset({"true", "false", "1", "0", "yes", "no"})
"""What a page is told in a cookie; it says nothing that others could use."""
_MADE_FROM = (".cfg.template", ".py.template", ".cfg.j2", ".py.j2", ".cfg.dist", ".py.tpl")
"""Templates from which an installation's settings are made."""
_LOOSE = frozenset({"none", "false", "no_restriction"})


class Cookies:
    """What the server's code says about its login cookies."""

    def __init__(self, syntax: Syntax, project: Project, routes: Routes, texts: dict[str, str]) -> None:
        self._files = [facts for facts in syntax.of(project.server) if runs_on_server(facts.path, project)]
        self._syntax = syntax
        self._project = project
        self._texts = texts
        self._changes = [route for route in routes.routes if _changes(route)]
        self._guarded = any(_PROTECTED.search(word) for facts in self._files for word in _words(facts))
        self._proxy_adds = any(
            "proxy_cookie_flags" in text or "proxy_cookie_path" in text
            for path, text in texts.items()
            if "nginx" in path or path.endswith(".conf")
        )
        self.carried: list[Place] = []
        """Where cookies that carry a login are set or configured."""

    def gaps(self) -> list[Gap]:
        """Everything that is missing, in path order."""
        found: list[Gap] = []
        for facts in self._files:
            for call in facts.calls:
                if sets_cookie(call):
                    found += self._set(facts, call)
                elif call.callee.rsplit(".", 1)[-1] in {"session", "expressSession"} and imports(facts, "express-session"):
                    found += self._express(facts, call)
                elif call.callee.rsplit(".", 1)[-1] == "add_middleware" and any(
                    a.value.literal.endswith("SessionMiddleware") for a in call.arguments
                ):
                    found += self._starlette(facts, call)
                elif call.callee.rsplit(".", 1)[-1].endswith("Storage") and imports(facts, "aiohttp_session"):
                    found += self._aiohttp(facts, call)
        found += self._flask()
        found += self._django()
        known = {(gap.kind, gap.path, gap.line) for gap in found}
        for facts in self._files:
            written = settings_gaps(facts, self._texts.get(facts.path, ""))
            found += [gap for gap in written if (gap.kind, gap.path, gap.line) not in known and not self._proxy_adds]
        return found

    # -- one cookie ------------------------------------------------------------------------------------------------------------

    def _set(self, facts: FileFacts, call: Call) -> Iterator[Gap]:
        name, value, options = cookie_parts(call, facts)
        if value is not None and (value.kind is ValueKind.NONE or value.text in {'""', "''", "null"} or value.literal.lower() in _SWITCHES):
            return
        if clears_cookie(call, options):
            return
        if _IDENTITY_NAME.match(name) and value is not None and not self._signed(call, options, value) and self._read_back(name):
            message = f"Who is logged in stands as plain text in the cookie {name}: whoever edits it in their browser is another user."
            yield Gap("unverified-token", facts.path, call.line, call.end_line, message, 565, forged=True)
            return
        flags = cookie_flags(call, options)
        if not carries_login(call, facts):
            if flags is not None and hidden_and_open(flags) and not is_harmless(name) and not self._proxy_adds:
                message = "This cookie is hidden from scripts, so it holds something worth hiding, and is sent without encryption all the same: whoever listens on the same network can take it."
                yield Gap("cookie-over-http", facts.path, call.line, call.end_line, message, 614)
            return
        self.carried.append(Place(facts.path, call.line, call.end_line))
        if flags is None:
            return
        if flags_on_by_default(facts):
            flags = {**ALL_ON, **flags}
        elif call.callee.startswith("ctx.cookies.") and self._project.uses("koa") is not None:
            flags = {name: ALL_ON[name] for name in ("httponly", "secure")} | flags  # Koa's own defaults, Secure wherever TLS is used
        yield from self._flag_gaps(facts, call, name, flags)

    def _flag_gaps(self, facts: FileFacts, call: Call, name: str, flags: dict[str, Value]) -> Iterator[Gap]:
        if is_off(flags.get("httponly")) and not self._needed_by_scripts(name):
            message = "Every script of the page can read the login cookie: one foreign script takes over the accounts of its visitors."
            yield Gap("script-readable-cookie", facts.path, call.line, call.end_line, message, 1004)
        if is_off(flags.get("secure")) and not self._proxy_adds:
            message = "The login cookie is also sent without encryption: whoever listens on the same network can take it."
            yield Gap("cookie-over-http", facts.path, call.line, call.end_line, message, 614)
        same = flags.get("samesite")
        default = imports(facts, "starlette", "fastapi")
        loose = (same is None and not default) or (
            same is not None
            and same.literal.lower() in _LOOSE | {""}
            and same.kind in {ValueKind.STRING, ValueKind.BOOLEAN, ValueKind.NONE}
        )
        if loose:
            yield from self._forgeable(facts.path, call.line, call.end_line)

    def _forgeable(self, path: str, line: int, end_line: int) -> Iterator[Gap]:
        if not self._guarded and self._changes:
            message = "Another website can make a visitor's browser change things here with the visitor's login: neither the cookie nor a token prevents it."
            yield Gap("no-csrf", path, line, end_line, message, 352)

    def _needed_by_scripts(self, name: str) -> bool:
        """Whether the page's own scripts read the cookie on purpose."""
        if not name:
            return False
        pattern = re.compile(rf"(?:Cookies\.get|getCookie|readCookie|get_cookie)\(\s*[`'\"](?:\$\{{\w{{1,40}}\}})?{re.escape(name)}[`'\"]")
        return any(pattern.search(self._texts.get(path, "")) for path in sorted(self._project.production) if not path.endswith(".py"))

    def _signed(self, call: Call, options: Value | None, value: Value) -> bool:
        signed = (options.item("signed") if options is not None else None) or call.argument("signed")
        text = f"{value.text} {' '.join(value.names)}"
        return (
            (signed is not None and signed.text == "true")
            or bool(_SIGNS.search(text))
            or "signed" in call.callee.lower()
            or "set_secure" in call.callee
        )

    def _read_back(self, name: str) -> bool:
        pattern = re.compile(
            rf"cookies(?:\(\))?(?:\?)?(?:\.get\(\s*['\"]{re.escape(name)}['\"]|\[\s*['\"]{re.escape(name)}['\"]|\.{re.escape(name)}\b)|getCookie\(\s*\w+\s*,\s*['\"]{re.escape(name)}['\"]"
        )
        return any(pattern.search(self._texts.get(facts.path, "")) for facts in self._files)

    # -- sessions of frameworks ------------------------------------------------------------------------------------------------

    def _express(self, facts: FileFacts, call: Call) -> Iterator[Gap]:
        options = resolved(call.arguments[0].value, facts) if call.arguments else None
        if options is None or options.kind is not ValueKind.COLLECTION:
            return
        self.carried.append(Place(facts.path, call.line, call.end_line))
        cookie = resolved(options.item("cookie"), facts)
        spread = any(key == "..." for key, _ in options.items)
        later = re.search(r"\.cookie\.(?:secure|sameSite)\s*=", self._texts.get(facts.path, ""))
        if (
            spread
            or later
            or (cookie is not None and (cookie.kind is not ValueKind.COLLECTION or any(k == "..." for k, _ in cookie.items)))
        ):
            return
        flags = {key.lower(): value for key, value in cookie.items} if cookie is not None else {}
        flags.setdefault("httponly", Value(ValueKind.BOOLEAN, "true", "true"))
        yield from self._flag_gaps(facts, call, "", flags)

    def _starlette(self, facts: FileFacts, call: Call) -> Iterator[Gap]:
        if not any(re.search(r"\brequest\.session\b", self._texts.get(other.path, "")) for other in self._files):
            return
        self.carried.append(Place(facts.path, call.line, call.end_line))
        flags = {a.name.lower(): a.value for a in call.arguments if a.name}
        if "**" in flags:
            return
        if is_off(flags.get("https_only")) and not self._proxy_adds:
            message = "The session cookie is also sent without encryption: whoever listens on the same network can take it."
            yield Gap("cookie-over-http", facts.path, call.line, call.end_line, message, 614)
        same = flags.get("same_site")
        if same is not None and same.literal.lower() in _LOOSE:
            yield from self._forgeable(facts.path, call.line, call.end_line)

    def _aiohttp(self, facts: FileFacts, call: Call) -> Iterator[Gap]:
        self.carried.append(Place(facts.path, call.line, call.end_line))
        flags = {a.name.lower(): a.value for a in call.arguments if a.name}
        if "**" not in flags:
            flags.setdefault("httponly", Value(ValueKind.BOOLEAN, "True", "True"))
            yield from self._flag_gaps(facts, call, "", flags)

    def _flask(self) -> Iterator[Gap]:
        """A Flask application that keeps the login in its session."""
        if self._project.uses("flask") is None:
            return
        places = [
            Place(facts.path, statement.line, statement.line)
            for facts in self._files
            for statement in facts.imports
            if statement.module == "flask_login"
            or (
                statement.module == "flask"
                and any(name == "session" for name, _ in statement.names)
                and _keeps_login(self._texts.get(facts.path, ""))
            )
        ]
        if not places:
            return
        self.carried += places[:3]
        settings = _settings(self._texts, self._files)
        place = self._settings_place() or self._app_place("Flask") or places[0]
        if not _set_on(settings, "SESSION_COOKIE_SECURE") and not re.search(r"\bTalisman\(", settings) and not self._proxy_adds:
            message = "The session cookie is also sent without encryption (SESSION_COOKIE_SECURE is not set): whoever listens on the same network can take it."
            yield Gap("cookie-over-http", place.path, place.line, place.end_line, message, 614)
        if re.search(r"SESSION_COOKIE_HTTPONLY['\"\]]*\s*(?::\s*\w+\s*)?[=:]\s*False", settings):
            message = "Every script of the page can read the session cookie: one foreign script takes over the accounts of its visitors."
            yield Gap("script-readable-cookie", place.path, place.line, place.end_line, message, 1004)
        if not re.search(r"SESSION_COOKIE_SAMESITE['\"\]]*[^\n]{0,20}[=:]", settings) or re.search(
            r"SESSION_COOKIE_SAMESITE['\"\]]*\s*=\s*(?:None|['\"]None)", settings
        ):
            yield from self._forgeable(place.path, place.line, place.end_line)

    def _django(self) -> Iterator[Gap]:
        for facts in self._files:
            middleware = next((a for a in facts.assignments if a.target in _MIDDLEWARE and a.value is not None), None)
            listed = (
                [value.literal for _, value in middleware.value.items] if middleware is not None and middleware.value is not None else []
            )
            if middleware is None or not any(name.endswith("SessionMiddleware") for name in listed):
                continue
            self.carried.append(Place(facts.path, middleware.line, middleware.line))
            settings = _settings(self._texts, self._files)
            elsewhere = re.search(r"local_?settings\b[^\n]{0,40}import|import_module\([^\n]{0,60}settings|include\(", settings)
            if not _set_on(settings, "SESSION_COOKIE_SECURE") and not elsewhere and not self._proxy_adds:
                message = "The session cookie is also sent without encryption (SESSION_COOKIE_SECURE is not set): whoever listens on the same network can take it."
                yield Gap("cookie-over-http", facts.path, middleware.line, middleware.line, message, 614)
            if re.search(r"^SESSION_COOKIE_HTTPONLY\s*=\s*False", settings, re.MULTILINE):
                message = (
                    "Every script of the page can read the session cookie: one foreign script takes over the accounts of its visitors."
                )
                yield Gap("script-readable-cookie", facts.path, middleware.line, middleware.line, message, 1004)
            if not any(re.search(r"csrf", name, re.IGNORECASE) for name in listed) and self._changes:
                message = "Another website can make a visitor's browser change things here with the visitor's login: the protection against forged requests is not switched on."
                yield Gap("no-csrf", facts.path, middleware.line, middleware.line, message, 352)
            break
        if self.carried:
            yield from self._exempted()

    def _exempted(self) -> Iterator[Gap]:
        """Views that act for whoever is logged in and are taken out of the protection against forged requests."""
        for facts in self._files:
            for index, definition in enumerate(facts.definitions):
                names = {decorator.callee.rsplit(".", 1)[-1] for decorator in definition.decorators}
                if "csrf_exempt" not in names:
                    continue
                inside = within(facts, index)
                body = "\n".join(self._texts.get(facts.path, "").split("\n")[definition.line - 1 : definition.end_line])[:20_000]
                proves = re.search(r"hmac|signature|construct_event|api_?key|token|secret|basic|verify", body, re.IGNORECASE)
                form = re.search(r"\brequest\.POST\b", body) and re.search(r"\b(?:render|render_to_response|TemplateResponse)\(", body)
                acts = form or names & {"login_required", "permission_required"} or re.search(r"\brequest\.user\b", body)
                writes = any(
                    re.search(r"\.(?:save|create|delete|update|update_or_create|get_or_create)$", c.callee)
                    for c in facts.calls
                    if c.scope in inside
                )
                if acts and writes and not proves:
                    message = "This view changes things for a visitor of its pages and is taken out of the protection against forged requests: another website can call it with a visitor's login."
                    yield Gap("no-csrf", facts.path, definition.line, definition.line, message, 352)

    def _settings_place(self) -> Place | None:
        return next(
            (
                Place(f.path, a.line, a.line)
                for f in self._files
                for a in f.assignments
                if re.search(r"SESSION_COOKIE_|PERMANENT_SESSION", a.target)
            ),
            None,
        )

    def _app_place(self, callee: str) -> Place | None:
        return next(
            (Place(f.path, c.line, c.end_line) for f in self._files for c in f.calls if c.callee.rsplit(".", 1)[-1] == callee and c.target),
            None,
        )


def _words(facts: FileFacts) -> Iterator[str]:
    """Names and texts of a file that is run, comments left out."""
    yield from (call.callee for call in facts.calls)
    yield from (literal.text for literal in facts.literals)
    for definition in facts.definitions:
        yield definition.name
        yield from definition.bases
    for call in facts.calls:
        yield from (name for argument in call.arguments for name in (argument.name, *argument.value.names))


def _changes(route: Route) -> bool:
    return route.kind not in {RouteKind.PAGE, RouteKind.COMMAND} and (
        route.method in _CHANGING or route.method == "ANY" or route.kind is RouteKind.ACTION
    )


def _keeps_login(text: str) -> bool:
    """Whether a Flask session is used to remember who is logged in."""
    return bool(
        re.search(
            r"\bsession(?:\[|\.get\(|\.pop\()\s*['\"](?:_?user\w*|uid|id|logged_?in|admin\w*|role|username|email|auth\w*|account\w*)['\"]",
            text,
            re.IGNORECASE,
        )
    )


def _settings(texts: dict[str, str], files: list[FileFacts]) -> str:
    """The lines of Python code and settings files that speak of cookies, middleware or other settings files."""
    kept = []
    paths = sorted(
        {facts.path for facts in files if facts.path.endswith(".py")}
        | {path for path in texts if path.endswith((".ini", ".cfg", ".env.example", ".toml", *_MADE_FROM))}
    )
    for path in paths:
        kept += [
            line[:300]
            for line in texts.get(path, "").split("\n")
            if not line.lstrip().startswith(("#", ";"))
            and re.search(r"COOKIE|Talisman|settings\b.{0,60}import|import_module|^include\(", line[:300])
        ]
    return "\n".join(kept)


def _set_on(settings: str, name: str) -> bool:
    """Whether a setting is given any value but a plain False."""
    return bool(re.search(rf"{name}['\"\]]*\s*(?::\s*\w+\s*)?[=:]\s*(?!False\b|false\b|0\b|None\b)\S", settings))
