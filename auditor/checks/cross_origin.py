"""Which origins a server lets into other people's browsers: settings of CORS libraries and headers set by hand."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from auditor.model.syntax import Call, FileFacts, Syntax, Value, ValueKind
from auditor.model.verdict import Place

_DEPTH = 4
_SHARED_HOSTS = (
    r"vercel\.app|netlify\.app|herokuapp\.com|github\.io|gitlab\.io|ngrok(?:-free)?\.(?:io|app)|hf\.space|onrender\.com|web\.app|firebaseapp\.com|pages\.dev|workers\.dev|replit\.(?:app|dev)|repl\.co|fly\.dev"
    r"|railway\.app|surge\.sh|azurewebsites\.net|cloudfront\.net|amplifyapp\.com|lovable\.app|streamlit\.app"
)
_ANY_PATTERN = re.compile(r"^[\^/]*(?:\(?https\??:(?:\\?/){2}\)?)?(?:\.\*|\.\+|\(\.\*\)|\[\^/\]\+)[$/\w]*$")
_SHARED_PATTERN = re.compile(r"//\(?(?:\.\*|\.\+|\*|\[[^\]]{1,20}\][+*])\)?\\?\.?(?:" + _SHARED_HOSTS.replace("\\.", "\\\\?\\.") + ")")
_HEADER = re.compile(
    r"""access-control-allow-origin['"]?\s*\]?\s*(?:[,:=]|=>|\s)\s*(?:["']?value["']?\s*:\s*)?(?P<value>["']\*["']|\*|(?:[\w.]{1,40}\.)?(?:req|request|ctx|c)\b[^\n;]{0,40}origin[^\n;]{0,12}|origin\b(?!s))""",
    re.IGNORECASE,
)
_CREDENTIALS_HEADER = re.compile(
    r"""access-control-allow-credentials['"]?\s*\]?\s*(?:[,:=]|=>|\s)\s*(?:["']?value["']?\s*:\s*)?["']?true""", re.IGNORECASE
)
_CREDENTIALS_ASKED = re.compile(r"\bif\s*\([^()\n]{0,60}credentials[^()\n]{0,40}\)\s*\{?[^{}]{0,80}\Z", re.IGNORECASE)
"""The header is only sent where an option of the caller asks for it."""
_STAR = re.compile(r"""["']\*["']""")
_DEVELOPMENT = re.compile(r"NODE_ENV|\bDEBUG\b|development|__DEV__|\bdebug\b|is_?dev|\bdev\b", re.IGNORECASE)
_PRODUCTION = re.compile(
    r"={2,3}\s*[\"']prod|(?<!!)\b(?<!not )is_?prod\w*|not\s+(?:\w+\.)*\w*debug|!(?:\w+\.)*is_?dev|!={1,2}\s*[\"']dev", re.IGNORECASE
)
_DEVELOPMENT_FILE = re.compile(r"(?:^|[/_.-])(?:dev|development|local|debug|test|testing)(?:[_.-]|\.py$|/)", re.IGNORECASE)
_STATIC_FILES = re.compile(r"\bsetHeaders\s*[:(=][^{}]{0,80}\{[^{}]{0,140}\Z")
"""The option of a server of static files that sets headers: what it serves is public."""
_LIBRARIES = frozenset(
    {"cors", "hono/cors", "@koa/cors", "koa2-cors", "@elysiajs/cors", "@fastify/cors", "fastify-cors", "micro-cors", "nextjs-cors"}
)
_ECHO_BY_DEFAULT = frozenset({"@koa/cors", "koa2-cors"})


class Who(Enum):
    """Whose pages are let in."""

    NAMED = "named origins"
    ANYBODY = "every origin"
    ECHO = "whatever origin asks"
    SHARED = "every site of a shared host"


@dataclass(frozen=True, slots=True)
class Grant:
    """One place that lets origins in."""

    place: Place
    who: Who
    credentials: bool = False
    development: bool = False


class Grants:
    """Reads the grants of a set of files; names are followed to their assignments, also in other files."""

    def __init__(self, syntax: Syntax, paths: Iterable[str], texts: dict[str, str]) -> None:
        self._files = [syntax.files[path] for path in sorted(paths) if path in syntax.files]
        self._texts = texts
        self._values: defaultdict[str, list[tuple[str, Value]]] = defaultdict(list)
        for facts in self._files:
            for assignment in facts.assignments:
                if assignment.value is not None:
                    self._values[assignment.target.rsplit(".", 1)[-1]].append((facts.path, assignment.value))

    def all(self) -> Iterator[Grant]:
        """The grants of the source files, in order."""
        for facts in self._files:
            if _DEVELOPMENT_FILE.search(facts.path):
                continue
            if facts.path.endswith(".py"):
                yield from self._python(facts)
            else:
                yield from self._script(facts)
            yield from header_grants(facts.path, self._texts.get(facts.path, ""))

    # -- Python ------------------------------------------------------------------------------------------------------------------------

    def _python(self, facts: FileFacts) -> Iterator[Grant]:
        for call in facts.calls:
            name = call.callee.rsplit(".", 1)[-1]
            if name == "CORSMiddleware" or any(
                a.value.literal.endswith("CORSMiddleware") for a in call.arguments if a.value.kind is ValueKind.NAME
            ):
                options = (call.argument("allow_origins"), call.argument("allow_origin_regex"))
                yield self._grant(facts, call, self._strongest(facts, options), _true(call.argument("allow_credentials")))
            elif name in {"CORS", "cross_origin"} and any(statement.module.startswith("flask_cors") for statement in facts.imports):
                yield self._grant(facts, call, self._flask(facts, call), _true(call.argument("supports_credentials")))
            elif call.argument("cors_allowed_origins") is not None:
                yield self._grant(facts, call, self.who(facts.path, call.argument("cors_allowed_origins")), credentials=False)
        yield from self._django(facts)

    def _flask(self, facts: FileFacts, call: Call) -> Who:
        origins = call.argument("origins")
        resources = call.argument("resources")
        if origins is not None:
            return self.who(facts.path, origins)
        nested = [item.item("origins") for _, item in resources.items] if resources is not None else []
        stated = [value for value in nested if value is not None]
        return self._strongest(facts, stated) if stated else Who.ANYBODY

    def _django(self, facts: FileFacts) -> Iterator[Grant]:
        settings = {a.target: a for a in facts.assignments if a.scope == -1 and a.value is not None}
        credentials = "CORS_ALLOW_CREDENTIALS" in settings and _true(settings["CORS_ALLOW_CREDENTIALS"].value)
        for name in ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"):
            if name in settings and settings[name].value is not None:
                value = settings[name].value
                if _true(value) or (value is not None and re.search(r"default\s*=\s*True|,\s*True\)", value.text)):
                    yield self._grant(facts, settings[name].line, Who.ECHO, credentials)
                elif value is not None and _DEVELOPMENT.search(value.text) and value.kind is ValueKind.NAME:
                    place = Place(facts.path, settings[name].line, settings[name].line)
                    yield Grant(place, Who.ECHO, credentials, development=True)
        for name in ("CORS_ALLOWED_ORIGINS", "CORS_ORIGIN_WHITELIST", "CORS_ALLOWED_ORIGIN_REGEXES"):
            if name in settings:
                yield self._grant(facts, settings[name].line, self.who(facts.path, settings[name].value), credentials)

    # -- scripts -----------------------------------------------------------------------------------------------------------------------

    def _script(self, facts: FileFacts) -> Iterator[Grant]:
        libraries = {local: s.module for s in facts.imports if s.module in _LIBRARIES for _, local in s.names}
        for call in facts.calls:
            name = call.callee.rsplit(".", 1)[-1]
            options = call.argument("", 0)
            if call.callee in libraries or (name == "enableCors" and "." in call.callee):
                default = Who.ECHO if libraries.get(call.callee) in _ECHO_BY_DEFAULT else Who.ANYBODY
                yield self._grant(facts, call, *self._options(facts, options, default))
            elif name == "register" and options is not None and options.literal in libraries:
                yield self._grant(facts, call, *self._options(facts, call.argument("", 1), Who.ANYBODY))
            else:
                yield from self._nested(facts, call)

    def _nested(self, facts: FileFacts, call: Call) -> Iterator[Grant]:
        """`cors` options of other constructors: socket.io, Nest, Apollo."""
        for argument in call.arguments:
            options = argument.value.item("cors")
            if options is None or argument.value.kind is not ValueKind.COLLECTION:
                continue
            if _true(options):
                yield self._grant(facts, call, Who.ANYBODY, credentials=False)
            elif options.kind is ValueKind.COLLECTION:
                yield self._grant(facts, call, *self._options(facts, options, Who.NAMED))

    def _options(self, facts: FileFacts, options: Value | None, default: Who) -> tuple[Who, bool]:
        if options is not None and options.kind is ValueKind.NAME:
            options = self._assigned(facts.path, options.literal) or options
        if options is None:
            return default, False
        if options.kind is not ValueKind.COLLECTION:
            return Who.NAMED, False
        origin = options.item("origin")
        who = default if origin is None and not any(key == "..." for key, _ in options.items) else self.who(facts.path, origin)
        return who, _true(options.item("credentials"))

    # -- values ------------------------------------------------------------------------------------------------------------------------

    def _grant(self, facts: FileFacts, at: Call | int, who: Who, credentials: bool) -> Grant:
        line = at if isinstance(at, int) else at.line
        development = in_development_branch(self._texts.get(facts.path, ""), line)
        return Grant(Place(facts.path, line, line), who, credentials, development)

    def _strongest(self, facts: FileFacts, values: Iterable[Value | None]) -> Who:
        found = [self.who(facts.path, value) for value in values if value is not None]
        return next((who for who in (Who.ECHO, Who.ANYBODY, Who.SHARED) if who in found), Who.NAMED)

    def _assigned(self, path: str, name: str) -> Value | None:
        known = self._values.get(name.rsplit(".", 1)[-1], [])
        own = [value for place, value in known if place == path]
        return own[0] if own else known[0][1] if len(known) == 1 else None

    def who(self, path: str, value: Value | None, depth: int = _DEPTH) -> Who:
        """Whom a setting lets in; what is read from the environment without an open default is named."""
        if value is None or not depth:
            return Who.NAMED
        match value.kind:
            case ValueKind.STRING:
                return _written(value.literal)
            case ValueKind.BOOLEAN:
                return Who.ECHO if value.text.lower() == "true" else Who.NAMED
            case ValueKind.NAME:
                return self.who(path, self._assigned(path, value.literal), depth - 1)
            case ValueKind.FUNCTION:
                return _function(value.text)
            case ValueKind.OTHER:
                return _written(value.text.strip("/"))
            case ValueKind.OPERATION if _DEVELOPMENT.search(value.text):
                return Who.NAMED
            case _ if _STAR.search(value.text) and value.kind in {ValueKind.CALL, ValueKind.OPERATION}:
                return Who.ANYBODY
            case _:
                found = [self.who(path, item, depth - 1) for _, item in value.items] if value.kind is ValueKind.COLLECTION else []
                return next((who for who in (Who.ECHO, Who.ANYBODY, Who.SHARED) if who in found), Who.NAMED)


def _written(text: str) -> Who:
    if text == "*" or _ANY_PATTERN.match(text):
        return Who.ANYBODY
    return Who.SHARED if _SHARED_PATTERN.search(text) else Who.NAMED


def _function(text: str) -> Who:
    """A function that says yes to everybody."""
    if re.search(r"\bif\b|includes|indexOf|test\(|some\(|has\(|===|==|match|startsWith|endsWith|\?", text):
        return Who.NAMED
    return (
        Who.ECHO
        if re.search(r"\(\s*null\s*,\s*(?:true|origin)\s*\)|=>\s*(?:origin|true)\s*$|return (?:origin|true)\b", text)
        else Who.NAMED
    )


def _true(value: Value | None) -> bool:
    return value is not None and value.text in {"True", "true"}


def header_grants(path: str, text: str) -> Iterator[Grant]:
    """Headers set by hand, in code or in a platform's configuration."""
    if "ccess-" not in text and "CCESS-" not in text:
        return
    text = text[:2_000_000]
    credentials = any(
        not _CREDENTIALS_ASKED.search(text, max(0, at.start() - 160), at.start()) for at in _CREDENTIALS_HEADER.finditer(text)
    )
    for found in _HEADER.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()].lstrip()
        if before.startswith(("#", "//", "*", "/*")) or _STATIC_FILES.search(text, max(0, found.start() - 240), found.start()):
            continue
        who = Who.ANYBODY if "*" in found["value"] else Who.ECHO
        checked = who is Who.ECHO and _is_checked(text, found.start())
        development = in_development_branch(text, line)
        yield Grant(Place(path, line, line), Who.NAMED if checked else who, credentials, development)


def _is_checked(text: str, at: int) -> bool:
    """Whether the lines before an echoed origin compare it with a list."""
    return re.search(r"(?:includes|indexOf|has|test|some|\bin\b|match|===)\W", text[max(0, at - 400) : at]) is not None


def in_development_branch(text: str, line: int) -> bool:
    """Whether a line stands inside an `if` that speaks of development."""
    lines = text.split("\n")
    if not 0 < line <= len(lines):
        return False
    indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    other_branch = False
    for above in reversed(lines[max(0, line - 25) : line - 1]):
        bare = above.lstrip()
        width = len(above) - len(bare)
        if not bare or width > indent or (width == indent and not other_branch):
            continue
        indent = width
        if bare.startswith(("else:", "} else {", "else {")):
            other_branch = True
        elif bare.startswith(("if ", "if(", "elif ", "} else if")):
            return bool(_PRODUCTION.search(bare)) if other_branch else bool(_DEVELOPMENT.search(bare)) and not _PRODUCTION.search(bare)
        else:
            other_branch = False
    return False
