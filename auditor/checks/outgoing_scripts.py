"""Outgoing calls in JavaScript and TypeScript, on the server and from the browser to other hosts.

Defaults, from the documentation of each library: fetch, axios, got, superagent and node's http none, ky 10 s, the openai and anthropic clients 10 min,
nodemailer 2 min to connect and 10 min idle, pg none, mysql2, ioredis, node-redis and kafkajs seconds, the MongoDB driver and postgres.js 30 s.
"""

from __future__ import annotations

import re
from collections import defaultdict

from auditor.checks.outgoing import LOW, Limit, Site, Target, is_nothing, site
from auditor.model.project import Project, Side
from auditor.model.syntax import Call, FileFacts, Value, ValueKind

_FETCH = frozenset({"fetch", "window.fetch", "globalThis.fetch", "global.fetch", "self.fetch"})
_FETCH_PACKAGES = frozenset({"node-fetch", "cross-fetch", "isomorphic-fetch", "undici", "node-fetch-native", "unfetch", "fetch-retry"})
_AXIOS = re.compile(r"^axios(?:\.(?:get|delete|head|options|post|put|patch|request))?$")
_BODY_VERBS = frozenset({"post", "put", "patch"})
_GOT = re.compile(r"^got(?:\.(?:get|post|put|patch|delete|head|extend|stream))?$")
_SUPERAGENT = re.compile(r"^(?:superagent|agent)\.(?:get|post|put|patch|delete|del)$")
_NODE_HTTP = re.compile(r"^(?:http|https|http2)\.(?:request|get)$")
_MODEL = re.compile(r"^new (?:OpenAI|AzureOpenAI|Anthropic|Groq|OpenAI\.OpenAI|AnthropicBedrock|ChatOpenAI|ChatAnthropic)$")
_GENERATE = frozenset({"generateText", "streamText", "generateObject", "streamObject", "embed", "embedMany"})
_POSTGRES = frozenset({"new Pool", "new Client", "new pg.Pool", "new pg.Client", "new PrismaPg", "new Pg.Pool"})
_POSTGRES_PACKAGES = frozenset({"pg", "@prisma/adapter-pg", "@neondatabase/serverless", "@vercel/postgres"})
_POSTGRES_LIMITS = re.compile(r"connectionTimeoutMillis|connect_timeout|statement_timeout|query_timeout|connectTimeout")
_DEFAULTS = {
    "new Kafka": ("kafkajs", Target.BROKER), "mongoose.connect": ("mongoose", Target.DATABASE), "new MongoClient": ("mongodb", Target.DATABASE),
    "new Redis": ("ioredis", Target.DATABASE), "new IORedis": ("ioredis", Target.DATABASE), "mysql.createPool": ("mysql2", Target.DATABASE),
    "mysql.createConnection": ("mysql2", Target.DATABASE), "postgres": ("postgres", Target.DATABASE), "redis.createClient": ("redis", Target.DATABASE),
}  # fmt: skip
_SUPABASE = frozenset({"createClient", "createBrowserClient", "createServerClient"})
_SUPABASE_PACKAGES = re.compile(r"^@supabase/(?:supabase-js|ssr|auth-helpers-\w+)|^https?://\S*supabase-js|^npm:@supabase/supabase-js")
_ABORTS = re.compile(
    r"^(?:AbortSignal\.(?:timeout|any)|new AbortController|Promise\.race|pTimeout|withTimeout|\w*[tT]imeout\w*Signal|\w*[fF]etchWithTimeout)$"
)
_OTHER_HOST = re.compile(r"url|api|server|backend", re.IGNORECASE)


class ScriptSites:
    """Finds the outgoing calls of all script files of production code."""

    def __init__(self, files: tuple[FileFacts, ...], project: Project) -> None:
        self._files = files
        self._project = project
        self._nearby = _Nearby(FileFacts(""))
        self._axios_limited = any(
            re.search(r"axios\w*\.defaults\.timeout$", a.target)
            or (a.target.endswith("axios.defaults") and a.value is not None and "timeout" in a.value.text)
            for facts in files
            for a in facts.assignments
        )

    def find(self) -> list[Site]:
        """Every outgoing call, in path and line order."""
        found = []
        for facts in self._files:
            browser = self._project.sides.get(facts.path) is Side.BROWSER
            packages = {local: statement.module for statement in facts.imports for _, local in statement.names}
            own = {definition.name for definition in facts.definitions if definition.name} | {
                p.name for d in facts.definitions for p in d.parameters
            }
            self._nearby = _Nearby(facts)
            for call in facts.calls:
                made = self._known(facts, call, packages, own, browser=browser)
                if made is not None:
                    found.append(made)
        return sorted(found, key=lambda each: (each.path, each.line))

    def _known(self, facts: FileFacts, call: Call, packages: dict[str, str], own: set[str], *, browser: bool) -> Site | None:
        callee = call.callee
        head = callee.removeprefix("new ").partition(".")[0]
        package = packages.get(head, "")
        if callee in _FETCH or package in _FETCH_PACKAGES:
            return self._fetch(facts, call, package, own, browser=browser)
        if _AXIOS.match(callee) and "axios" not in own and (not package or package == "axios"):
            return self._axios(facts, call, browser=browser)
        if callee in {"axios.create", "Axios.create"}:
            return self._axios_instance(facts, call, browser=browser)
        if callee in _SUPABASE and _SUPABASE_PACKAGES.match(package):
            limited = any(
                "fetch" in argument.value.text and re.search(r"signal|timeout|abort", argument.value.text, re.IGNORECASE)
                for argument in call.arguments
            )
            limit = Limit.EXPLICIT if limited else Limit.NONE
            return site(
                facts,
                call,
                Target.HTTP,
                limit,
                "the Supabase client waits as long as fetch does",
                weight=LOW if browser else 1,
                browser=browser,
            )
        return None if browser else self._server(facts, call, package)

    def _server(self, facts: FileFacts, call: Call, package: str) -> Site | None:
        callee = call.callee
        if _GOT.match(callee) and package == "got":
            return site(facts, call, Target.HTTP, self._option(call, "timeout"), "got waits without end")
        if _SUPERAGENT.match(callee) and package == "superagent":
            chained = callee in self._nearby.chained
            return site(facts, call, Target.HTTP, Limit.EXPLICIT if chained else Limit.NONE, "superagent waits without end")
        if _NODE_HTTP.match(callee) and package.removeprefix("node:") in {"http", "https", "http2"}:
            later = call.scope in self._nearby.timers
            limit = Limit.EXPLICIT if later or self._option(call, "timeout") is Limit.EXPLICIT else Limit.NONE
            return site(facts, call, Target.HTTP, limit, "node waits without end")
        if _MODEL.match(callee):
            return site(facts, call, Target.MODEL, self._option(call, "timeout"), "the client's own limit is ten minutes")
        if callee in _GENERATE and package == "ai":
            limited = self._nearby.duration or self._option(call, "abortSignal") is Limit.EXPLICIT
            return site(facts, call, Target.MODEL, Limit.EXPLICIT if limited else Limit.NONE, "the SDK waits as long as fetch does")
        if callee.endswith("createTransport") and (package == "nodemailer" or callee.startswith("nodemailer.")):
            return self._mailer(facts, call)
        return self._store(facts, call, package)

    def _store(self, facts: FileFacts, call: Call, package: str) -> Site | None:
        if call.callee in _POSTGRES and package in _POSTGRES_PACKAGES:
            limited = any(_POSTGRES_LIMITS.search(text) for argument in call.arguments for text in self._nearby.texts(argument.value))
            return site(facts, call, Target.DATABASE, Limit.EXPLICIT if limited else Limit.NONE, "pg waits for a connection without end")
        known = _DEFAULTS.get(call.callee)
        if known is None and call.callee == "createClient" and package in {"redis", "@redis/client"}:
            known = ("redis", Target.DATABASE)
        if known is None or package.partition("/")[0] != known[0]:
            return None
        explicit = any("imeout" in text for argument in call.arguments for text in self._nearby.texts(argument.value))
        return site(facts, call, known[1], Limit.EXPLICIT if explicit else Limit.DEFAULT, "")

    # -- one client each ---------------------------------------------------------------------------------------------------------------

    def _fetch(self, facts: FileFacts, call: Call, package: str, own: set[str], *, browser: bool) -> Site | None:
        callee = call.callee
        if callee == "fetch" and ("fetch" in own or (package and package not in _FETCH_PACKAGES)):
            return None
        if package in _FETCH_PACKAGES and callee.rpartition(".")[2] not in {"fetch", "default", "request", callee}:
            return None
        if browser and not _leaves_the_host(call):
            return None
        limit = self._option(call, "signal", 1)
        if limit is Limit.NONE and self._nearby.around(call):
            limit = Limit.EXPLICIT
        return site(facts, call, Target.HTTP, limit, "fetch waits without end", weight=LOW if browser else 1, browser=browser)

    def _axios(self, facts: FileFacts, call: Call, *, browser: bool) -> Site | None:
        verb = call.callee.rpartition(".")[2]
        if browser and not _leaves_the_host(call):
            return None
        position = 2 if verb in _BODY_VERBS else 1 if verb in {"get", "delete", "head", "options"} else 0
        limited = self._axios_limited or self._option(call, "timeout", position) is Limit.EXPLICIT
        limited = limited or self._option(call, "signal", position) is Limit.EXPLICIT
        limit = Limit.EXPLICIT if limited else Limit.NONE
        return site(facts, call, Target.HTTP, limit, "axios waits without end", weight=LOW if browser else 1, browser=browser)

    def _axios_instance(self, facts: FileFacts, call: Call, *, browser: bool) -> Site | None:
        settings = call.argument("", 0)
        base = settings.item("baseURL") if settings is not None else None
        if browser and (base is None or (base.kind is ValueKind.STRING and base.literal.startswith("/"))):
            return None
        later = bool(call.target) and any(a.target == f"{call.target}.defaults.timeout" for a in facts.assignments)
        limited = later or self._axios_limited or self._option(call, "timeout") is Limit.EXPLICIT
        limit = Limit.EXPLICIT if limited else Limit.NONE
        return site(facts, call, Target.HTTP, limit, "axios waits without end", weight=LOW if browser else 1, browser=browser)

    def _mailer(self, facts: FileFacts, call: Call) -> Site | None:
        settings = call.argument("", 0)
        texts = self._nearby.texts(settings) if settings is not None else []
        if any(re.search(r"jsonTransport|streamTransport|sendmail", text) for text in texts):
            return None
        limited = any(re.search(r"connectionTimeout|socketTimeout|greetingTimeout", text) for text in texts)
        return site(
            facts,
            call,
            Target.MAIL,
            Limit.EXPLICIT if limited else Limit.NONE,
            "the mailer waits two minutes for a connection and ten for an answer",
        )

    # -- limits ------------------------------------------------------------------------------------------------------------------------

    def _option(self, call: Call, name: str, position: int = -1) -> Limit:
        """Whether an options object of the call sets `name`; any argument when the position is not known."""
        positional = [argument.value for argument in call.arguments]
        if position >= 0:
            positional = positional[position : position + 1]
        for value in positional:
            for candidate in (value, *self._nearby.bound(value)):
                given = candidate.item(name)
                if given is not None and not is_nothing(given):
                    return Limit.EXPLICIT
        return Limit.NONE


class _Nearby:
    """What else stands in a file: calls that stop something after a while, and what names are bound to."""

    def __init__(self, facts: FileFacts) -> None:
        found = [call for call in facts.calls if _ABORTS.match(call.callee)]
        self._scopes = {call.scope for call in found}
        self._lines = {line for call in found for line in range(call.line, min(call.end_line, call.line + 200) + 1)}
        self.timers = {call.scope for call in facts.calls if call.callee.endswith(".setTimeout") and call.callee != "window.setTimeout"}
        self.chained = {call.callee.partition("()")[0] for call in facts.calls if call.callee.endswith(").timeout")}
        self.duration = any(a.target == "maxDuration" and a.scope < 0 for a in facts.assignments)  # the platform ends the whole answer
        self._values: defaultdict[str, list[Value]] = defaultdict(list)
        for assignment in facts.assignments:
            if assignment.value is not None:
                self._values[assignment.target].append(assignment.value)

    def around(self, call: Call) -> bool:
        """Whether the function around the call, or a call around it, stops it."""
        return call.scope in self._scopes or call.line in self._lines

    def bound(self, value: Value) -> list[Value]:
        """Values that a name, or the names spread into an object, are bound to in the same file."""
        names = {value.literal} if value.kind is ValueKind.NAME else {item.literal for key, item in value.items if key == "..."}
        return [bound for name in sorted(names) for bound in self._values[name][:20]] if names else []

    def texts(self, value: Value) -> list[str]:
        """The text of a value and of what its names are bound to."""
        return [value.text, *(bound.text for bound in self.bound(value))]


def _leaves_the_host(call: Call) -> bool:
    """Whether a browser call surely goes to another host than the page's own."""
    url = call.arguments[0].value if call.arguments else None
    if url is not None and url.kind is ValueKind.COLLECTION:
        url = url.item("url")
    if url is None:
        return False
    if url.kind is ValueKind.STRING:
        return url.literal.startswith(("http://", "https://"))
    if url.kind is ValueKind.TEMPLATE:
        if url.literal.startswith(("http://", "https://")):
            return True
        first = url.names[0] if url.names else ""
        return url.literal.startswith("{}") and bool(_OTHER_HOST.search(first)) and "location" not in first
    return False
