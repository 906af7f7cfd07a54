"""Outgoing calls in Python: clients with and without a limit of their own, their instances, and first-party wrappers two levels deep.

Defaults, from the documentation of each library: requests and urllib none, httpx 5 s, aiohttp 5 min, the openai and anthropic clients 10 min, smtplib
none, boto3 60 s, PyMongo 30 s, mysql-connector and PyMySQL 10 s, asyncpg 60 s, psycopg and redis-py none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace

from auditor.checks.outgoing import Limit, Site, Target, assigned_values, enclosing, is_nothing, site
from auditor.model.syntax import Call, FileFacts, Value, ValueKind

_VERBS = "get|post|put|patch|delete|head|options|request"
_REQUESTS = re.compile(rf"^requests\.(?:{_VERBS})$")
_SESSIONS = frozenset(
    {"requests.Session", "requests.session", "requests.sessions.Session", "requests_html.HTMLSession", "cloudscraper.create_scraper"}
)
_ON_SESSION = re.compile(rf"\.(?:{_VERBS})$")
_HTTPX_CALL = re.compile(rf"^httpx\.(?:{_VERBS}|stream)$")
_HTTPX_CLIENT = frozenset({"httpx.Client", "httpx.AsyncClient"})
_URLOPEN = frozenset({"urllib.request.urlopen", "urllib2.urlopen", "urllib.request.urlretrieve"})
_MODEL_PACKAGES = frozenset({"openai", "anthropic", "groq", "together", "cerebras"})
_MODEL_CLIENT = re.compile(
    r"^(?:openai|anthropic|groq|together|cerebras\.cloud\.sdk)\.(?:Async)?(?:OpenAI|AzureOpenAI|Anthropic|AnthropicBedrock|AnthropicVertex|Groq|Together|Cerebras|Client|AsyncClient)$"
)
_MODEL_CALL = re.compile(
    r"(?:^|\.)(?:chat\.completions|completions|responses|embeddings|images|moderations|audio\.\w+|messages|beta(?:\.\w+){1,3})\.(?:create|acreate|stream|parse|generate)$"
    r"|^openai\.(?:ChatCompletion|Completion|Embedding)\.a?create$"
)
_MODEL_WRAPPERS = frozenset({"ChatOpenAI", "AzureChatOpenAI", "ChatAnthropic", "OpenAIEmbeddings"})
_MAIL = frozenset({"smtplib.SMTP", "smtplib.SMTP_SSL"})
_ENGINES = frozenset(
    {"sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine", "sqlmodel.create_engine", "sqlalchemy.engine.create_engine"}
)
_WITHOUT_LIMIT = frozenset(
    {
        "psycopg2.connect",
        "psycopg.connect",
        "MySQLdb.connect",
        "psycopg.AsyncConnection.connect",
        "psycopg2.pool.ThreadedConnectionPool",
        "psycopg2.pool.SimpleConnectionPool",
    }
)
_REDIS = frozenset(
    {
        "redis.Redis",
        "redis.StrictRedis",
        "redis.from_url",
        "redis.Redis.from_url",
        "redis.asyncio.Redis",
        "redis.asyncio.from_url",
        "redis.asyncio.Redis.from_url",
    }
)
_LIMITED = {
    "boto3.client": Target.HTTP, "boto3.resource": Target.HTTP, "pymongo.MongoClient": Target.DATABASE, "motor.motor_asyncio.AsyncIOMotorClient": Target.DATABASE,
    "pymysql.connect": Target.DATABASE, "mysql.connector.connect": Target.DATABASE, "asyncpg.connect": Target.DATABASE, "asyncpg.create_pool": Target.DATABASE,
    "aiokafka.AIOKafkaProducer": Target.BROKER, "aiokafka.AIOKafkaConsumer": Target.BROKER, "elasticsearch.Elasticsearch": Target.DATABASE,
    "slack_sdk.WebClient": Target.HTTP, "aiosmtplib.send": Target.MAIL,
}  # fmt: skip
_TIMEOUTS = ("timeout", "request_timeout", "connect_timeout", "command_timeout", "default_request_timeout")
_USES_LOOKED_AT = 200
_MINUTES = {"aiohttp": "its own limit is five minutes", "model": "the client's own limit is ten minutes"}


@dataclass(frozen=True, slots=True)
class _Wrapper:
    """A first-party function whose callers decide about the limit, through `parameter`; `position` is where it stands, -1 for keyword only."""

    path: str
    name: str
    parameter: str
    position: int
    target: Target


class _Nearby:
    """What else stands in a file, looked up by name or function."""

    def __init__(self, facts: FileFacts) -> None:
        self.limited_sessions = {
            a.target.removesuffix(".request")
            for a in facts.assignments
            if a.target.endswith(".request") and a.value is not None and "timeout" in a.value.text
        }
        self.requests: defaultdict[str, list[Call]] = defaultdict(list)
        self.options: defaultdict[int, list[Call]] = defaultdict(list)
        self.defaulting = {a.scope for a in facts.assignments if re.search(r"\[['\"]timeout['\"]\]$", a.target)}
        self._values: defaultdict[str, list[Value]] = defaultdict(list)
        for call in facts.calls:
            owner, _, last = call.callee.rpartition(".")
            if last == "mount" and any("imeout" in argument.value.text for argument in call.arguments):
                self.limited_sessions.add(owner)
            elif last == "setopt" and len(call.arguments) > 1:
                self.options[call.scope].append(call)
            elif last == "setdefault" and call.arguments and call.arguments[0].value.literal == "timeout":
                self.defaulting.add(call.scope)
            elif _ON_SESSION.search(call.callee):
                self.requests[owner].append(call)
        for assignment in facts.assignments:
            if assignment.value is not None:
                self._values[assignment.target].append(assignment.value)

    def texts(self, value: Value) -> list[str]:
        """The text of a value and of what its names are bound to."""
        return [value.text, *(bound.text for name in value.names for bound in self._values[name][:20])]


class PythonSites:
    """Finds the outgoing calls of all Python files of production code."""

    def __init__(self, files: tuple[FileFacts, ...]) -> None:
        self._files = files
        self._values = assigned_values(files)
        self._locals = {facts.path: imported(facts) for facts in files}
        self._modules = _modules(files)
        self._nearby = {facts.path: _Nearby(facts) for facts in files}
        self._model_limited = self._clients_are_limited()
        self._wrappers: dict[tuple[str, str], _Wrapper] = {}
        self._called: set[tuple[str, str]] = set()
        self._handed: list[tuple[_Wrapper, Site]] = []

    def find(self) -> list[Site]:
        """Every outgoing call, in path and line order."""
        found: list[Site] = []
        for facts in self._files:
            for call, target, limit, default in self._primitive(facts):
                self._add(found, facts, call, site(facts, call, target, limit, default))
        seen: set[tuple[str, str]] = set()
        for _ in range(2):
            fresh = {key: wrapper for key, wrapper in self._wrappers.items() if key not in seen}
            seen |= fresh.keys()
            self._through(found, fresh)
        found += [last for wrapper, last in self._handed if (wrapper.path, wrapper.name) not in self._called]
        found += self._django_mail()
        return sorted(found, key=lambda each: (each.path, each.line))

    # -- calls of libraries --------------------------------------------------------------------------------------------------------------

    def _primitive(self, facts: FileFacts) -> list[tuple[Call, Target, Limit, str]]:
        full = self._locals[facts.path]
        sessions = self._sessions(facts)
        models = any(name.split(".")[0] in _MODEL_PACKAGES for name in full.values())
        found = []
        for call in facts.calls:
            name = expand(full, call.callee)
            known = self._known(facts, call, name, sessions, models=models)
            if known is not None:
                found.append((call, *known))
        return found

    def _known(
        self, facts: FileFacts, call: Call, name: str, sessions: dict[str, Limit], *, models: bool
    ) -> tuple[Target, Limit, str] | None:
        owner = call.callee.rpartition(".")[0]
        if _REQUESTS.match(name) or name == "urllib3.PoolManager":
            return Target.HTTP, self._limit(facts, call), "requests waits without end"
        if owner in sessions and _ON_SESSION.search(call.callee):
            own = self._limit(facts, call)
            return Target.HTTP, sessions[owner] if own is Limit.NONE else own, "the session waits without end"
        if _HTTPX_CALL.match(name) or name in _HTTPX_CLIENT:
            return Target.HTTP, self._limit(facts, call, default=Limit.DEFAULT), "its limit is switched off"
        if name in _URLOPEN:
            return Target.HTTP, self._limit(facts, call, position=2), "urlopen waits without end"
        if name == "aiohttp.ClientSession":
            return Target.HTTP, self._aiohttp(facts, call), _MINUTES["aiohttp"]
        if name == "pycurl.Curl":
            return Target.HTTP, self._curl(facts, call), "curl waits without end"
        if _MODEL_CALL.search(name) and (models or (self._model_limited is not None and not call.callee.endswith("messages.create"))):
            own = self._limit(facts, call)
            return Target.MODEL, Limit.EXPLICIT if own is Limit.NONE and self._model_limited else own, _MINUTES["model"]
        if name.rpartition(".")[2] in _MODEL_WRAPPERS:
            return Target.MODEL, self._limit(facts, call), _MINUTES["model"]
        return self._stores_and_mail(facts, call, name)

    def _stores_and_mail(self, facts: FileFacts, call: Call, name: str) -> tuple[Target, Limit, str] | None:
        if name in _MAIL:
            return Target.MAIL, self._limit(facts, call, position=3), "smtplib waits without end"
        if name in _LIMITED:
            return _LIMITED[name], self._limit(facts, call, default=Limit.DEFAULT), "its limit is switched off"
        if name in _ENGINES:
            return self._engine(call)
        if name in _WITHOUT_LIMIT:
            limited = any("timeout" in argument.name or "timeout" in argument.value.text for argument in call.arguments)
            return Target.DATABASE, Limit.EXPLICIT if limited else Limit.NONE, "connecting waits as long as the network lets it"
        if name in _REDIS:
            limited = any("timeout" in argument.name for argument in call.arguments) or any(a.name == "**" for a in call.arguments)
            return Target.DATABASE, Limit.EXPLICIT if limited else Limit.NONE, "redis-py waits without end"
        return None

    def _engine(self, call: Call) -> tuple[Target, Limit, str] | None:
        url = call.argument("url", 0)
        texts = self._texts(url) if url is not None else []
        if texts and any("sqlite" in text for text in texts) and not any(re.search(r"postgres|mysql|mssql|oracle", text) for text in texts):
            return None
        if any("timeout" in argument.value.text for argument in call.arguments if argument.name != "pool_timeout") or any(
            "timeout" in text for text in texts
        ):
            return Target.DATABASE, Limit.EXPLICIT, ""
        if any("asyncpg" in text for text in texts):
            return Target.DATABASE, Limit.DEFAULT, ""
        return Target.DATABASE, Limit.NONE, "connecting waits as long as the network lets it"

    def _texts(self, value: Value) -> list[str]:
        """The texts a value may have: its own, and those bound to the names in it."""
        texts = [value.text]
        for name in value.names:
            texts += [bound.text for bound in self._values.get(name.rpartition(".")[2], [])]
        return texts

    # -- limits ------------------------------------------------------------------------------------------------------------------------

    def _limit(self, facts: FileFacts, call: Call, *, keyword: str = "timeout", position: int = -1, default: Limit = Limit.NONE) -> Limit:
        value = next((argument.value for argument in call.arguments if argument.name in _TIMEOUTS or argument.name == keyword), None)
        if value is None and position >= 0:
            value = call.argument("timeout", position)
        definition = enclosing(facts, call.scope)
        parameters = {parameter.name: parameter for parameter in definition.parameters} if definition is not None else {}
        if value is None:
            spread = [argument.value for argument in call.arguments if argument.name == "**"]
            if not spread:
                return default
            if any(name in parameters and parameters[name].kind == "kwargs" for item in spread for name in item.names):
                return Limit.EXPLICIT if call.scope in self._nearby[facts.path].defaulting else Limit.CALLER
            return Limit.EXPLICIT if any("timeout" in text for item in spread for text in self._nearby[facts.path].texts(item)) else default
        if is_nothing(value):
            return Limit.NONE
        if value.kind is ValueKind.NAME and value.literal in parameters:
            given = parameters[value.literal].default
            return Limit.EXPLICIT if given is not None and not is_nothing(given) else Limit.CALLER
        return Limit.EXPLICIT

    def _sessions(self, facts: FileFacts) -> dict[str, Limit]:
        """Names bound to a requests session, with the limit its adapter or a patched `request` gives."""
        full, limited = self._locals[facts.path], self._nearby[facts.path].limited_sessions
        return {
            call.target: Limit.EXPLICIT if call.target in limited else Limit.NONE
            for call in facts.calls
            if call.target and expand(full, call.callee) in _SESSIONS
        }

    def _aiohttp(self, facts: FileFacts, call: Call) -> Limit:
        own = self._limit(facts, call)
        if own is not Limit.NONE or not call.target:
            return own
        uses = self._nearby[facts.path].requests[call.target][:_USES_LOOKED_AT]
        return Limit.EXPLICIT if uses and all(self._limit(facts, other) is Limit.EXPLICIT for other in uses) else Limit.NONE

    def _curl(self, facts: FileFacts, call: Call) -> Limit:
        for other in self._nearby[facts.path].options[call.scope][:_USES_LOOKED_AT]:
            option, value = other.arguments[0].value, other.arguments[1].value
            if re.search(r"\.(?:TIMEOUT|TIMEOUT_MS)$", option.literal):
                definition = enclosing(facts, call.scope)
                given = next((p for p in definition.parameters if p.name == value.literal), None) if definition is not None else None
                if given is None:
                    return Limit.EXPLICIT
                return Limit.EXPLICIT if given.default is not None and not is_nothing(given.default) else Limit.CALLER
        return Limit.NONE

    def _clients_are_limited(self) -> bool | None:
        """Whether every client of a language model in the program is made with a time limit; None when none is made."""
        made = [
            any(argument.name == "timeout" and not is_nothing(argument.value) for argument in call.arguments)
            for facts in self._files
            for call in facts.calls
            if _MODEL_CLIENT.match(expand(self._locals[facts.path], call.callee))
        ]
        return all(made) if made else None

    # -- wrappers ------------------------------------------------------------------------------------------------------------------------

    def _add(self, found: list[Site], facts: FileFacts, call: Call, made: Site) -> None:
        """Keep a site, or remember the function around it as a wrapper whose callers decide."""
        definition = enclosing(facts, call.scope)
        if made.limit is not Limit.CALLER:
            found.append(made)
            return
        undecided = replace(made, limit=Limit.NONE)
        if definition is None:
            found.append(undecided)
            return
        plain = [
            parameter for parameter in definition.parameters if parameter.kind == "positional" and parameter.name not in {"self", "cls"}
        ]
        named = next((parameter.name for parameter in definition.parameters if "timeout" in parameter.name), "timeout")
        position = next((index for index, parameter in enumerate(plain) if parameter.name == named), -1)
        wrapper = _Wrapper(facts.path, definition.name, named, position, made.target)
        self._wrappers.setdefault((facts.path, definition.name), wrapper)
        self._handed.append((wrapper, undecided))

    def _through(self, found: list[Site], wrappers: dict[tuple[str, str], _Wrapper]) -> None:
        """Calls of the given first-party functions become outgoing calls of their callers."""
        names = {name for _, name in wrappers}
        for facts in self._files:
            for call in facts.calls:
                if call.callee.rpartition(".")[2] not in names:
                    continue
                key = self._resolve(facts, call.callee)
                wrapper = wrappers.get(key) if key is not None else None
                if wrapper is None or key is None:
                    continue
                self._called.add(key)
                limit = self._limit(facts, call, keyword=wrapper.parameter, position=wrapper.position)
                self._add(found, facts, call, site(facts, call, wrapper.target, limit, f"{wrapper.name}() sets no limit unless told to"))

    def _resolve(self, facts: FileFacts, callee: str) -> tuple[str, str] | None:
        owner, _, name = callee.rpartition(".")
        full = self._locals[facts.path]
        if not owner:
            origin = full.get(name)
            if origin is None:
                return facts.path, name
            module, _, name = origin.rpartition(".")
        elif owner in {"self", "cls"}:
            return facts.path, name
        elif owner in full:
            module = full[owner]
        else:
            return None
        paths = self._modules.get(module.lstrip("."), [])
        return (paths[0], name) if len(paths) == 1 else None

    # -- mail by Django's settings -------------------------------------------------------------------------------------------------------

    def _django_mail(self) -> list[Site]:
        """Mail sent through Django: its SMTP backend waits without end unless EMAIL_TIMEOUT is set."""
        hosts = [(f, a) for f in self._files for a in f.assignments if a.target == "EMAIL_HOST" and a.scope < 0]
        sends = any(name.startswith("django.core.mail") for names in self._locals.values() for name in names.values())
        if not hosts or not sends:
            return []
        limited = any(value.kind is not ValueKind.NONE for value in self._values.get("EMAIL_TIMEOUT", []))
        facts, assignment = hosts[0]
        limit = Limit.EXPLICIT if limited else Limit.NONE
        return [
            Site(facts.path, assignment.line, assignment.line, "EMAIL_HOST", Target.MAIL, limit, "Django's SMTP backend waits without end")
        ]


def imported(facts: FileFacts) -> dict[str, str]:
    """Local name -> full dotted name of what it stands for; relative modules keep their leading dots."""
    found: dict[str, str] = {}
    for statement in facts.imports:
        for name, local in statement.names:
            if statement.from_form:
                separator = "" if statement.module.endswith(".") else "."
                found[local] = f"{statement.module}{separator}{name}"
            else:
                found[local] = local if local == statement.module.split(".")[0] else statement.module
    return found


def expand(full: dict[str, str], callee: str) -> str:
    """A callee with its first name replaced by what that was imported from."""
    head, dot, rest = callee.partition(".")
    return full[head] + dot + rest if head in full else callee


def _modules(files: tuple[FileFacts, ...]) -> dict[str, list[str]]:
    """Dotted module name, and every shorter tail of it, -> the paths it may mean."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for facts in files:
        parts = facts.path.removesuffix(".py").removesuffix("/__init__").split("/")
        for start in range(len(parts)):
            found[".".join(parts[start:])].append(facts.path)
    return found
