"""Asynchronous work that nobody waits for or watches, and calls that hold up the event loop, from the facts of the files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.failures import is_write
from auditor.checks.ignored_results import is_hosted_result
from auditor.checks.outgoing_python import expand, imported
from auditor.checks.reach import within
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts, HandlerEffect, ValueKind

_KEEPS_KIND = re.compile(r"^(?:staticmethod|classmethod|override|typing\.override|abstractmethod)$")
_GIVEN = re.compile(r"^on[A-Z]")
"""Names of callbacks that a component is given: what they are is decided elsewhere."""
_GIVES_ERROR = re.compile(r"^\{[^{}]{0,80}\berror\b")
"""`const { data, error } = await api.notes.list()`: the client hands its errors back and does not raise them."""
_SAME_NAMES = 3
_STARTS = ("create_task", "ensure_future")
_TASKS = re.compile(
    r"^(?:asyncio\.(?:create_task|ensure_future)|(?:\w+\.)*(?:_?loop|get_event_loop\(\)|get_running_loop\(\))\.create_task)$"
)
_BLOCKING = re.compile(
    r"^(?:requests\.(?:get|post|put|patch|delete|head|options|request)|httpx\.(?:get|post|put|patch|delete|head|options|request)|time\.sleep|urllib\.request\.(?:urlopen|urlretrieve)|subprocess\.(?:run|call|check_output|check_call)"
    r"|os\.system|smtplib\.SMTP(?:_SSL)?|psycopg2\.connect|pymysql\.connect|MySQLdb\.connect|mysql\.connector\.connect)$"
)
_MODEL_CALL = re.compile(r"(?:^|\.)(?:chat\.completions|completions|responses|embeddings|messages)\.create$")
_MODEL_CLIENT = re.compile(r"^(?:openai|anthropic|groq)\.(?:OpenAI|AzureOpenAI|Anthropic|Groq)$")
_OFFLOADS = re.compile(r"(?:^|\.)(?:run_in_executor|to_thread|run_in_threadpool|sync_to_async|run_sync|submit|database_sync_to_async)$")
_SESSION_TYPE = re.compile(r"(?:^|[\[.|, ])(?:Session|SessionDep|DbSession|DBSession)\b")
_ASYNC_SESSION_TYPE = re.compile(r"\bAsyncSession\b")
_SESSION_WORK = frozenset({"query", "execute", "commit", "exec", "scalars", "scalar", "get", "refresh", "flush"})
_SESSION_WRITES = frozenset({"commit", "execute", "flush", "delete", "refresh"})
_HEAVY = re.compile(
    r"(?:^|\.)(?:execSync|spawnSync|execFileSync|hashSync|compareSync|genSaltSync|pbkdf2Sync|scryptSync|brotliCompressSync|gzipSync)$"
)
_FILES = re.compile(r"(?:^|\.)(?:readFileSync|writeFileSync|appendFileSync|readdirSync|copyFileSync|rmSync|unlinkSync|mkdirSync)$")
_LAZY_WRITE = re.compile(
    r"(?:^|\.)prisma\.\w+\.(?:create|update|delete|upsert|createMany|updateMany|deleteMany)$|[sS]upabase\w*(?:\(\))?\.from\(\)(?:\.\w+\(\))*\.(?:insert|update|upsert|delete)\b(?!.*\.(?:then|catch)$)"
)
_MONGOOSE_WRITE = re.compile(
    r"^[A-Z]\w*\.(?:create|insertMany|updateOne|updateMany|deleteOne|deleteMany|findByIdAndUpdate|findByIdAndDelete|findOneAndUpdate|findOneAndDelete)$"
)
_FIRESTORE = frozenset({"setDoc", "addDoc", "updateDoc", "deleteDoc"})
_DROPPED, _WATCHED = 1.0, 0.5
_BROWSER = 0.5  # one visitor's page, not the service
_DATABASE_WAIT, _FILE_WAIT = 0.5, 0.5


@dataclass(frozen=True, slots=True)
class Lapse:
    """One place: `rule` says of which kind, `what` names the call; `write`: data is lost or never stored; `scope` is the function around it."""

    path: str
    line: int
    end_line: int
    scope: int
    rule: str
    what: str
    weight: float
    write: bool = False


class AsyncWork:
    """Knows the asynchronous functions of all production files by name."""

    def __init__(self, files: tuple[FileFacts, ...], browser: frozenset[str]) -> None:
        self._browser = browser
        self._facts = {facts.path: facts for facts in files}
        self._named: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        self._answering = frozenset(
            call.callee.partition(".")[0]
            for facts in files
            for call in facts.calls
            if call.awaited and "." in call.callee and _GIVES_ERROR.match(call.target)
        )
        for facts in files:
            for index, definition in enumerate(facts.definitions):
                if definition.name and definition.kind is not DefinitionKind.CLASS:
                    self._named[definition.name].append((facts.path, index))

    def lapses(self, facts: FileFacts, text: str, handlers: frozenset[int], *, serves: bool) -> Iterator[Lapse]:
        """Every lapse of one file; `handlers` are the functions that answer requests, `serves`: the part is a long-lived server."""
        python = facts.path.endswith((".py", ".pyw"))
        lines = text.splitlines()
        for call in facts.calls:
            if not call.used and not call.awaited and call.scope >= 0:
                found = self._dropped(facts, call, lines, python=python)
                if found is not None:
                    yield found
        if python:
            yield from _held_up(facts) if serves else ()
            yield from _session_calls_without_await(facts)
        else:
            yield from _looped(facts, self._browser)
            yield from _held_up_by_sync(facts, handlers)

    # -- work nobody waits for -------------------------------------------------------------------------------------------------------

    def _dropped(self, facts: FileFacts, call: Call, lines: list[str], *, python: bool) -> Lapse | None:
        place = facts.path, call.line, call.end_line, call.scope
        if python and call.callee.endswith(_STARTS) and _TASKS.match(expand(imported(facts), call.callee)):
            started = next((name for argument in call.arguments for name in argument.value.names), "")
            watched = self._is_watched(facts, started.removesuffix("()"))
            return Lapse(*place, "task-dropped", call.callee, _WATCHED if watched else _DROPPED)
        if not python and _is_lazy_write(facts, call):
            return Lapse(*place, "write-not-awaited", call.callee, _DROPPED, write=True)
        targets = self._targets(facts, call.callee)
        if not targets or (not python and _is_void(call, lines)):
            return None
        path, index = targets[0]
        writes = any(is_write(each.callee) for each in _inside(self._facts[path], index))
        if python:
            return Lapse(*place, "coroutine-never-runs", call.callee, _DROPPED, write=writes)
        if all(_cannot_reject(self._facts[where], number, self._answering) for where, number in targets):
            return None
        if facts.path in self._browser:
            return Lapse(*place, "promise-not-watched-in-page", call.callee, _BROWSER)
        return Lapse(*place, "promise-not-watched", call.callee, _DROPPED)

    def _targets(self, facts: FileFacts, callee: str) -> list[tuple[str, int]]:
        """The functions a call surely means, if all of them are asynchronous."""
        owner, _, name = callee.rpartition(".")
        named = [] if _GIVEN.match(name) else self._named.get(name, [])
        if owner in {"self", "this"}:
            found = [
                (path, i) for path, i in named if path == facts.path and self._facts[path].definitions[i].kind is DefinitionKind.METHOD
            ]
        elif owner:
            return []
        else:
            found = [
                (path, i) for path, i in named if path == facts.path and self._facts[path].definitions[i].kind is DefinitionKind.FUNCTION
            ]
            if not found and any(local == name and original == name for entry in facts.imports for original, local in entry.names):
                found = [(path, i) for path, i in named if self._facts[path].definitions[i].parent < 0]
        definitions = [self._facts[path].definitions[i] for path, i in found]
        if not 0 < len(found) <= _SAME_NAMES or not all(_is_plainly_async(definition) for definition in definitions):
            return []
        return found

    def _is_watched(self, facts: FileFacts, callee: str) -> bool:
        targets = self._targets(facts, callee)
        return bool(targets) and all(_cannot_reject(self._facts[path], index, self._answering) for path, index in targets)


def _is_plainly_async(definition: Definition) -> bool:
    return definition.is_async and all(_KEEPS_KIND.match(mark.callee) for mark in definition.decorators)


def _inside(facts: FileFacts, index: int) -> list[Call]:
    inside = within(facts, index)
    return [call for call in facts.calls if call.scope in inside]


def _cannot_reject(facts: FileFacts, index: int, answering: frozenset[str]) -> bool:
    """Whether everything a function waits for or throws is caught in it, or never raises; `answering` are clients that hand errors back."""
    caught: set[int] = set()
    tried: set[int] = set()
    for handler in facts.handlers:
        if handler.scope == index:
            lines = range(handler.line - handler.tried_lines - 1, handler.line + 1)
            tried.update(lines)
            if handler.effect is not HandlerEffect.RAISE:
                caught.update(lines)
    if any(raised.scope == index and raised.line not in caught for raised in facts.raises):
        return False
    waits = [call for call in facts.calls if call.scope == index and call.awaited]
    return all(
        call.line in caught
        or (call.guarded and call.line not in tried)
        or is_hosted_result(call.callee)
        or call.callee == "new Promise"
        or ("." in call.callee and call.callee.partition(".")[0] in answering)
        for call in waits
    )


def _is_void(call: Call, lines: list[str]) -> bool:
    shown = lines[call.line - 1] if call.line <= len(lines) else ""
    return bool(re.search(rf"\bvoid\s+{re.escape(call.callee)}\b", shown))


def _is_lazy_write(facts: FileFacts, call: Call) -> bool:
    """Whether a write of a client that returns promises stands alone, without a callback."""
    if any(argument.value.kind is ValueKind.FUNCTION for argument in call.arguments):
        return False
    modules = {entry.module for entry in facts.imports}
    if _LAZY_WRITE.search(call.callee):
        return True
    if _MONGOOSE_WRITE.match(call.callee):
        return any(module == "mongoose" or re.search(r"(?:^|/)models?(?:/|$)", module) for module in modules)
    return call.callee in _FIRESTORE and any(module.startswith("firebase/firestore") for module in modules)


def _looped(facts: FileFacts, browser: frozenset[str]) -> Iterator[Lapse]:
    """`items.forEach(async ...)`: nobody waits for any of them."""
    for call in facts.calls:
        first = call.arguments[0].value if call.arguments else None
        if (
            not call.callee.endswith(".forEach")
            or first is None
            or first.kind is not ValueKind.FUNCTION
            or not first.text.startswith("async")
        ):
            continue
        callback = next(
            (i for i, d in enumerate(facts.definitions) if d.is_async and call.line <= d.line <= call.end_line and d.parent == call.scope),
            -1,
        )
        waits = [each for each in facts.calls if each.awaited and callback >= 0 and each.scope in within(facts, callback)]
        if waits:
            watched = all(each.guarded for each in waits)
            weight = _WATCHED if watched or facts.path in browser else _DROPPED
            yield Lapse(
                facts.path,
                call.line,
                call.end_line,
                call.scope,
                "loop-not-awaited",
                call.callee,
                weight,
                write=not watched and any(is_write(e.callee) for e in waits),
            )


def _session_calls_without_await(facts: FileFacts) -> Iterator[Lapse]:
    """`session.commit()` of an asynchronous session without `await`: the coroutine is made and thrown away."""
    for call in facts.calls:
        owner, _, name = call.callee.rpartition(".")
        if call.used or call.awaited or call.scope < 0 or name not in _SESSION_WRITES:
            continue
        parameter = next((p for p in facts.definitions[call.scope].parameters if p.name == owner), None)
        if parameter is not None and _ASYNC_SESSION_TYPE.search(parameter.annotation):
            yield Lapse(facts.path, call.line, call.end_line, call.scope, "write-not-awaited", call.callee, _DROPPED, write=True)


# -- calls that hold up the event loop ------------------------------------------------------------------------------------------------------


def _held_up(facts: FileFacts) -> Iterator[Lapse]:
    """Calls in `async def` during which no other request is served."""
    if not any(definition.is_async for definition in facts.definitions):
        return
    full = imported(facts)
    models = any(_MODEL_CLIENT.match(expand(full, call.callee)) for call in facts.calls)
    elsewhere = {line for call in facts.calls if _OFFLOADS.search(call.callee) for line in range(call.line, call.end_line + 1)}
    for call in facts.calls:
        if call.scope < 0 or call.awaited or call.line in elsewhere or not facts.definitions[call.scope].is_async:
            continue
        name = expand(full, call.callee)
        place = facts.path, call.line, call.end_line, call.scope
        if _BLOCKING.match(name) or (models and _MODEL_CALL.search(call.callee)):
            yield Lapse(*place, "blocks-the-event-loop", call.callee, _DROPPED)
        elif _is_sync_session(facts, call):
            yield Lapse(*place, "blocks-the-event-loop", call.callee, _DATABASE_WAIT)


def _is_sync_session(facts: FileFacts, call: Call) -> bool:
    owner, _, name = call.callee.rpartition(".")
    owner = owner.partition(".")[0]
    if name not in _SESSION_WORK and ".query()" not in call.callee:
        return False
    parameter = next((p for p in facts.definitions[call.scope].parameters if p.name == owner), None)
    if parameter is None or _ASYNC_SESSION_TYPE.search(parameter.annotation):
        return False
    return bool(_SESSION_TYPE.search(parameter.annotation))


def _held_up_by_sync(facts: FileFacts, handlers: frozenset[int]) -> Iterator[Lapse]:
    """Synchronous versions of slow calls in functions that answer requests."""
    scopes = {scope for handler in handlers for scope in within(facts, handler)} if handlers else set()
    for call in facts.calls:
        if call.scope in scopes and (_HEAVY.search(call.callee) or _FILES.search(call.callee)):
            weight = _DROPPED if _HEAVY.search(call.callee) else _FILE_WAIT
            yield Lapse(facts.path, call.line, call.end_line, call.scope, "blocks-the-event-loop", call.callee, weight)
