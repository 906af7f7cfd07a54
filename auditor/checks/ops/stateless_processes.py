"""State that a process or a machine keeps for itself: what is lost when it is replaced, and what a second one beside it does not know.

Passing title: A process can be replaced or joined by a second one
Failing title: Replacing a process loses data, or a second one does not know what the first knows
Grading: Looked for are sessions, registries and records in the memory of a server, sockets without a channel that all processes share, uploads and records on the local disk,
    and a database that is a file. Any of them is partial. It fails when what users gave is lost with a deployment: records in memory alone, or files and databases on the disk
    of a host or composed container that begins anew each time, with no volume declared. A volume makes them safe for one instance, which is partial. Caches, temporary files, reports that can
    be made again, and what can be kept in an object store or a database server by a setting are left out.
Done when: Sessions, registries and locks are in a store that all processes share, files in an object store, and two instances side by side answer alike.
What it cannot see: Disks and sticky routing set up in a console, state in libraries it does not know, files written by other programs, and collections that are fields of objects.
"""

from __future__ import annotations

from auditor.checks.durable_disks import thrown_away, volume
from auditor.checks.limiters import counts_in_memory
from auditor.checks.process_state import State, database_files, keeps_objects_outside, states_of
from auditor.checks.processes import several_processes
from auditor.checks.registry import check
from auditor.model.artifacts import Deployment
from auditor.model.evidence import Routes, Stores
from auditor.model.needs import DEPLOYMENT, PROJECT, ROUTES, STORES, SYNTAX, TEXTS
from auditor.model.project import SERVING, Project, Side
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

_FAIL, _PARTIAL = 0.65, 0.4
_MARKUP = (".tsx", ".jsx", ".vue", ".svelte")
_MESSAGES = {
    "session-in-memory": "Logins are kept in the memory of this process ({what} without a store): a restart logs everybody out, and a second instance knows nobody.",
    "session-on-local-disk": "Logins are kept on the disk of one machine ({what}): a second instance knows nobody who logged in at the first.",
    "registry-in-memory": "{what} lives in the memory of one process: a restart empties it, and a second instance does not see it.",
    "connections-in-memory": "{what} holds the connections of one process: who is connected to a second instance is not reached from here.",
    "sockets-of-one-process": "{what} reaches those connected to its own process only: with a second instance, half of the visitors miss every event.",
    "records-in-memory": "What visitors send is kept in {what}, in the memory of one process: the next restart loses all of it.",
    "uploads-on-local-disk": "What users upload goes to the local disk ({what})",
    "files-on-local-disk": "{what}() writes what a request brought to the local disk",
    "database-in-a-file": "The database is a file on the local disk ({what})",
    "limits-in-memory": "Limits count in the memory of each process, and several run: each of them grants the whole amount.",
}


@check("ops.stateless-processes", needs=(PROJECT, SYNTAX, TEXTS), corroborating=(ROUTES,), optional=(DEPLOYMENT, STORES))
def stateless_processes(  # noqa: PLR0917 - evidence comes by position
    project: Project, syntax: Syntax, texts: dict[str, str], routes: Routes, deployment: Deployment | None, stores: Stores | None
) -> Judgement:
    """Collect what one process or machine keeps, then ask what a replacement would lose."""
    paths = frozenset(path for path in project.server if _serves(path, project))
    if not paths:
        return NotApplicable("No server here answers several people: there is no process to replace or to put beside another.")
    outside = stores is not None and bool(stores.relational or stores.document)
    states = [*states_of(syntax, paths, routes, stores=outside), *database_files(syntax, paths, routes, texts)]
    processes = several_processes(deployment)
    if processes is not None and counts_in_memory(syntax, project, texts):
        states.append(State("limits-in-memory", processes.path, processes.line, "limits"))
    disk = volume(deployment, texts)
    hosts = {state: thrown_away(state.path, project, deployment) for state in states}
    lost = [state for state in states if _is_lost(state, disk, hosts[state])]
    return Assessed(
        bad=0,
        total=0,
        floor=_FAIL if lost else _PARTIAL if states else 0.0,
        summary=_summary(states, lost, disk),
        findings=tuple(_finding(state, disk, hosts[state]) for state in sorted(states, key=lambda state: state not in lost)),
        evidence=(disk,) if disk is not None else (),
        signals=(
            f"kept by one process or machine: {plural(len(states), 'thing')}",
            f"volume: {disk.path if disk is not None else 'none declared'}; object store: {'yes' if keeps_objects_outside(syntax.of(paths)) else 'no'}",
        ),
        confidence=Confidence.MEDIUM,
    )


def _serves(path: str, project: Project) -> bool:
    """Whether a file belongs to a process that answers requests, and to its server's side."""
    if not project.part_of(path).kinds & SERVING and not project.part_of(path).uses("streamlit", "gradio"):
        return False
    return path.endswith((".py", ".pyw")) or (project.sides.get(path) in {Side.SERVER, Side.UNKNOWN} and not path.endswith(_MARKUP))


def _is_lost(state: State, disk: Place | None, host: Place | None) -> bool:
    """Whether users' data goes with the process or its disk."""
    if state.rule == "records-in-memory":
        return True
    return state.data and disk is None and host is not None


def _finding(state: State, disk: Place | None, host: Place | None) -> Finding:
    message = _MESSAGES[state.rule].format(what=state.what)
    if state.data and state.rule != "records-in-memory":
        if disk is not None:
            message += f"; the volume of {disk.path} keeps it for one instance, a second one would not see it."
        elif host is not None:
            message += f", and {host.path} begins each deployment with an empty one: it is gone with the next."
        else:
            message += ": it is as safe as that one machine, and a second instance would not see it."
    return Finding(state.rule, state.path, message, state.line, confidence=Confidence.MEDIUM)


def _summary(states: list[State], lost: list[State], disk: Place | None) -> str:
    if not states:
        return "Nothing was found that one process or machine keeps for itself."
    named = listed(sorted({state.rule.replace("-", " ") for state in lost or states}))
    if lost:
        return f"What users gave is lost when the process is replaced: {named}."
    return (
        f"A process can be replaced, but not joined by a second one: {named}."
        if disk is not None
        else f"One process or machine keeps for itself: {named}."
    )
