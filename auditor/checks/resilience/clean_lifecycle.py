"""Whether what is opened is closed again, and whether the process ends what it has begun when it is told to stop.

Passing title: What is opened is closed, and a stop lets requests finish
Failing title: Connections and listeners are left behind, or a stop cuts requests in half
Grading: Counted are the places where functions of the server open a file, an HTTP or database client, a session, a connection or a pool of threads, and effects of pages that start a
    timer or a listener; badness is the share that is never closed, of pages partial at most. It fails when requests make database clients that stay. Partial is: a server in JavaScript without a handler for the
    signal to stop, or one that ends the process at once; an image whose first process is a shell or a package manager, which keeps the signal to itself. Servers for Python and the
    start commands of full-stack frameworks handle the signal themselves, and functions of a host have no such moment.
Done when: Everything opened in a function is closed by a context manager, in a finally block or by a cleanup, the server closes on SIGTERM, and images start it in exec form.
What it cannot see: Whether closing works in the time the platform grants, resources of native libraries, and signals sent by other means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.connection_purposes import answers_requests
from auditor.checks.database_handles import database_handles
from auditor.checks.images import builds_of
from auditor.checks.lifetimes import Lifetime, Lifetimes, is_remembered
from auditor.checks.outgoing_python import expand, imported
from auditor.checks.processes import COMMAND
from auditor.checks.reach import within
from auditor.checks.registry import check
from auditor.checks.releases import Fate, fate
from auditor.checks.stops import Stop, servers_that_fall, signals_lost
from auditor.model.artifacts import Deployment, Manifests, TaskFile
from auditor.model.evidence import Routes
from auditor.model.needs import DEPLOYMENT, MANIFESTS, PROJECT, ROUTES, SYNTAX, TASKS, TEXTS
from auditor.model.project import RUNNING, Project, Side
from auditor.model.syntax import Call, FileFacts, Syntax, ValueKind
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import listed, plural

_CLIENT_PER_REQUEST = 0.8
_PAGE = 0.4  # at worst: one visitor's page, not the service
_OPENS = frozenset(
    {
        "open", "io.open", "codecs.open", "gzip.open", "zipfile.ZipFile", "tarfile.open", "aiohttp.ClientSession", "httpx.Client", "httpx.AsyncClient", "smtplib.SMTP", "smtplib.SMTP_SSL", "socket.socket",
        "socket.create_connection", "ftplib.FTP", "imaplib.IMAP4_SSL", "paramiko.SSHClient", "concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor", "multiprocessing.Pool",
    }
)  # fmt: skip
_BORROWS = re.compile(r"(?:^|[._])(?:pool|\w*Pool|db_?pool|connection_?pool)\.(?:connect|getConnection|acquire|getconn)$")
_GOES_ON = re.compile(r"^(?:mongoose\.)?connect$")
"""Goes on with the connection there is."""
_EFFECTS = frozenset({"useEffect", "useLayoutEffect", "React.useEffect", "React.useLayoutEffect"})
_LASTING = re.compile(
    r"^(?:(?:window\.|globalThis\.)?setInterval|(?:window|document|socket|navigator\.\w+|[\w.]*(?:[rR]ef\.current|emitter|[sS]ocket|mediaQuery|mql))\.(?:addEventListener|addListener|on)|new (?:EventSource|WebSocket|IntersectionObserver|ResizeObserver|MutationObserver))$"
)
_ENDS = re.compile(r"(?:^|\.)(?:clearInterval|removeEventListener|removeListener|off|disconnect|close|unsubscribe|abort)$")
_MESSAGES = {
    "left-open": "{what} is opened here and never closed: each call leaves one behind until the process has no more to open.",
    "client-left-open": "A request makes {what} and never closes it: its connections stay until the database refuses more to everybody.",
    "effect-without-cleanup": "An effect starts {what} and returns nothing that ends it: each visit to the page adds another that goes on running.",
    "stops-mid-request": "The server is not told what to do when it has to stop: each deployment cuts off the requests it is answering.",
    "exits-at-once": "When told to stop, the process exits at once: each deployment cuts off the requests it is answering.",
    "signal-lost-in-shell": "The image starts its server through a shell ({what}), which keeps the signal to stop to itself: the server is killed in the middle of its work.",
    "signal-lost-in-package-manager": "The image starts its server through a package manager ({what}), which does not reliably hand on the signal to stop: the server may be killed in the middle of its work.",
}
_CWES = {"left-open": 772, "client-left-open": 772, "effect-without-cleanup": 401}


@dataclass(frozen=True, slots=True)
class _Opened:
    """One place that opens something; `rule` says how it is left behind, "" when it is not."""

    rule: str
    path: str
    call: Call
    what: str


@check(
    "resilience.clean-lifecycle",
    needs=(PROJECT, TEXTS, SYNTAX),
    corroborating=(ROUTES,),
    optional=(DEPLOYMENT, MANIFESTS, TASKS),
    tolerance=0.05,
)
def clean_lifecycle(  # noqa: PLR0917 - evidence comes by position
    project: Project,
    texts: dict[str, str],
    syntax: Syntax,
    routes: Routes,
    deployment: Deployment | None,
    manifests: Manifests | None,
    tasks: tuple[TaskFile, ...] | None,
) -> Judgement:
    """What is opened and closed in code, and what a stop does."""
    if not project.has(*RUNNING):
        return NotApplicable(
            "Nothing here runs for long: no process has to stop cleanly, and what is open ends with the program or the page."
        )
    paths = frozenset(path for path in project.server if not COMMAND.search(path))
    files = syntax.of(paths)
    on_server = [*_in_python(files, texts), *_clients(files, syntax, paths, routes, texts)]
    in_pages = list(_effects(syntax, project))
    opened = [*on_server, *in_pages]
    left = [each for each in opened if each.rule]
    builds = builds_of((), deployment, manifests, tasks or ()) if deployment is not None and manifests is not None else None
    stops = [*servers_that_fall(files, project, deployment), *(signals_lost(deployment, builds, tasks or ()) if builds is not None else ())]
    floor = max(
        [*(stop.weight for stop in stops), *(_CLIENT_PER_REQUEST for each in left if each.rule == "client-left-open"), _share(in_pages)],
        default=0.0,
    )
    unread = tuple((f.path, f"does not parse (line {f.error_line})") for f in files if f.error_line)
    return Assessed(
        bad=sum(1 for each in on_server if each.rule),
        total=len(on_server),
        floor=floor,
        summary=_summary(opened, left, stops),
        findings=(*(_stop(stop) for stop in stops), *(_left(each) for each in left)),
        signals=(f"places that open something: {len(opened)}; never closed: {len(left)}", f"places where a stop goes wrong: {len(stops)}"),
        unexamined=unread,
        confidence=Confidence.MEDIUM,
    )


def _share(in_pages: list[_Opened]) -> float:
    """What effects that are never ended count: their share, never a failure by itself."""
    return min(_PAGE, sum(1 for each in in_pages if each.rule) / len(in_pages)) if in_pages else 0.0


def _summary(opened: list[_Opened], left: list[_Opened], stops: list[Stop]) -> str:
    parts = [f"{len(left)} of {plural(len(opened), 'place')} that open something never close it" if left else ""]
    parts.append(
        "a stop does not let the server finish: " + listed(sorted({stop.rule.replace("-", " ") for stop in stops})) if stops else ""
    )
    said = "; ".join(part for part in parts if part)
    return (
        f"{said[0].upper()}{said[1:]}."
        if said
        else "What functions open is closed again, and nothing keeps the process from stopping cleanly."
    )


def _stop(stop: Stop) -> Finding:
    return Finding(stop.rule, stop.path, _MESSAGES[stop.rule].format(what=stop.what), stop.line, stop.end_line, Confidence.MEDIUM)


def _left(each: _Opened) -> Finding:
    message = _MESSAGES[each.rule].format(what=each.what)
    return Finding(each.rule, each.path, message, each.call.line, each.call.end_line, Confidence.MEDIUM, cwe=_CWES[each.rule])


def _in_python(files: tuple[FileFacts, ...], texts: dict[str, str]) -> Iterator[_Opened]:
    """Files, clients and pools of threads; what has no name is closed by the interpreter as soon as it is used."""
    for facts in files:
        if not facts.path.endswith((".py", ".pyw")):
            continue
        full = imported(facts)
        for call in facts.calls:
            if call.scope >= 0 and expand(full, call.callee) in _OPENS and not is_remembered(facts, call):
                gone = fate(facts, call, texts.get(facts.path, "")) is Fate.LEFT_OPEN
                yield _Opened("left-open" if gone else "", facts.path, call, call.callee)


def _clients(
    files: tuple[FileFacts, ...], syntax: Syntax, paths: frozenset[str], routes: Routes, texts: dict[str, str]
) -> Iterator[_Opened]:
    """Clients and connections of databases that requests make, and connections lent by pools."""
    handles = database_handles(files, texts)
    lifetimes = Lifetimes(syntax, paths, routes) if handles else None
    for handle in handles:
        facts = syntax.files[handle.path]
        made = lifetimes is not None and not _GOES_ON.search(handle.named) and lifetimes.of(handle.path, handle.call) is Lifetime.REQUEST
        made = made and lifetimes is not None and answers_requests(facts, handle, lifetimes)
        gone = made and fate(facts, handle.call, texts.get(handle.path, "")) in {Fate.LEFT_OPEN, Fate.UNKNOWN}
        yield _Opened("client-left-open" if gone else "", handle.path, handle.call, handle.named.removeprefix("new "))
    for facts in files:
        for call in facts.calls:
            if call.scope >= 0 and call.used and _BORROWS.search(call.callee):
                gone = fate(facts, call, texts.get(facts.path, "")) is Fate.LEFT_OPEN
                yield _Opened("left-open" if gone else "", facts.path, call, call.callee)


def _effects(syntax: Syntax, project: Project) -> Iterator[_Opened]:
    """Effects of pages that start something lasting."""
    for facts in syntax.of(
        frozenset(path for path in project.production if project.sides.get(path) is not Side.SERVER and not path.endswith(".py"))
    ):
        for call in facts.calls:
            if call.callee not in _EFFECTS:
                continue
            bodies = [
                i for i, d in enumerate(facts.definitions) if d.parent == call.scope and call.line <= d.line and d.end_line <= call.end_line
            ]
            for body in bodies[:1]:
                inside = within(facts, body)
                lasting = [each for each in facts.calls if each.scope == body and _LASTING.search(each.callee)]
                if lasting:
                    returned = any(
                        r.scope == body and r.value is not None and r.value.kind in {ValueKind.FUNCTION, ValueKind.NAME, ValueKind.CALL}
                        for r in facts.returns
                    )
                    ended = returned or any(each.scope in inside and _ENDS.search(each.callee) for each in facts.calls)
                    yield _Opened("" if ended else "effect-without-cleanup", facts.path, lasting[0], lasting[0].callee.removeprefix("new "))
