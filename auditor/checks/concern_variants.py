"""In how many ways recurring concerns are solved: each way with the places that take it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from auditor.model.evidence import OwnCalls
from auditor.model.project import Project
from auditor.model.syntax import Call, FileFacts, Syntax, ValueKind
from auditor.model.verdict import Place

_COPIED_IN = re.compile(r"(?:^|/)components/ui/")
"""Parts that a component library's tool copies in, named its own way."""
_CONVENTION = re.compile(r"(?:^|/)(?:app|pages|routes|layouts)/|^[._+]|\.config\.|(?:^|/)index\.")
_SINGLE = re.compile(r"^[a-z0-9]+$|^[A-Z][a-z0-9]*$")
_NAMING = {
    "kebab-case": re.compile(r"^[a-z0-9]+(?:-[a-z0-9]+)+$"),
    "PascalCase": re.compile(r"^[A-Z][a-z0-9]+(?:[A-Z0-9][a-z0-9]*)+$"),
    "camelCase": re.compile(r"^[a-z][a-z0-9]*(?:[A-Z][a-z0-9]*)+$"),
    "snake_case": re.compile(r"^[a-z0-9]+(?:_[a-z0-9]+)+$"),
}
_COMPONENT = (".tsx", ".jsx", ".vue", ".svelte")
_ANSWER = re.compile(r"(?:status\(\)\.(?:json|send)|^(?:NextResponse|Response)\.json|(?:^|\.)jsonify|^c\.json)$")
_ERROR_KEYS = frozenset({"error", "message", "msg", "detail", "errors", "err"})
_BROWSER_CLIENTS = frozenset({"fetch", "axios", "$fetch", "ky", "superagent", "useFetch"})
_SETTINGS_HOME = re.compile(r"(?:^|[/_.-])(?:settings?|config(?:uration)?s?|env(?:ironment)?|constants)(?:[/_.-]|$)", re.IGNORECASE)
_FEWEST_AT_HOME = 3
_STATUS = re.compile(r"\b[45]\d\d\b")


@dataclass(frozen=True, slots=True)
class Variants:
    """The ways one concern is solved: (name of the way, its places), the most frequent first.

    `count`: how many places solve it; `share`: of those the ones that take the most frequent way of their own deployable part (0 to 1); `odd`: the others.
    """

    concern: str
    ways: tuple[tuple[str, tuple[Place, ...]], ...]
    count: int
    share: float
    odd: tuple[Place, ...]


Sighting = tuple[str, Place]


def variants(syntax: Syntax, project: Project, calls: OwnCalls) -> tuple[Variants, ...]:
    """Every concern in a fixed order; what occurs in one way only is there too, unless the language leaves no choice."""
    files = syntax.of(project.production)
    found: list[Variants] = []
    for concern, sightings in _CONCERNS.items():
        found.extend(_counted(concern, sightings(files), project))
    found.extend(_counted("calling the own server", _clients(calls, project), project))
    return tuple(one for one in found if len(one.ways) > 1 or one.concern not in _NO_CHOICE)


def _counted(concern: str, sightings: Iterator[Sighting], project: Project) -> Iterator[Variants]:
    ways: defaultdict[str, list[Place]] = defaultdict(list)
    parts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    seen = [(way, place, project.part_of(place.path).root) for way, place in sightings]
    for way, place, root in seen:
        ways[way].append(place)
        parts[root][way] += 1
    if seen:
        usual = {root: min(own, key=lambda way: (-own[way], way)) for root, own in parts.items()}
        odd = tuple(place for way, place, root in seen if way != usual[root])
        ordered = sorted(ways.items(), key=lambda item: (-len(item[1]), item[0]))
        yield Variants(concern, tuple((way, tuple(places)) for way, places in ordered), len(seen), 1 - len(odd) / len(seen), odd)


def _clients(calls: OwnCalls, project: Project) -> Iterator[Sighting]:
    """What pages call the system's own server with."""
    for call in calls.calls:
        if call.place.path in project.browser:
            root = re.split(r"[.(\[]", call.callee.removeprefix("window.").removeprefix("globalThis."), maxsplit=1)[0]
            yield root if root in _BROWSER_CLIENTS else "a function of its own", call.place


def _component_names(files: tuple[FileFacts, ...]) -> Iterator[Sighting]:
    for facts in files:
        name = facts.path.rpartition("/")[2].split(".", 1)[0]
        if facts.path.endswith(_COMPONENT) and not (
            _COPIED_IN.search(facts.path) or _CONVENTION.search(facts.path) or name.startswith("use")
        ):
            yield from _named(name, facts.path)


def _named(name: str, path: str) -> Iterator[Sighting]:
    if not _SINGLE.match(name):
        way = next((way for way, pattern in _NAMING.items() if pattern.match(name)), "")
        if way:
            yield way, Place(path)


def _languages(files: tuple[FileFacts, ...]) -> Iterator[Sighting]:
    """JavaScript beside TypeScript, where the folder above does not say that it is another kind of code (static scripts, build scripts)."""
    for facts in files:
        if re.search(r"(?:^|/)(?:public|static|scripts?|assets)/", facts.path) or facts.path.endswith((".py", ".vue", ".svelte")):
            continue
        yield "TypeScript" if re.search(r"\.[cm]?tsx?$", facts.path) else "JavaScript", Place(facts.path)


def _module_systems(files: tuple[FileFacts, ...]) -> Iterator[Sighting]:
    """How script files bring others in, file by file."""
    for facts in files:
        if facts.path.endswith((".py", ".vue", ".svelte")):
            continue
        if any(call.callee == "require" and call.scope < 0 for call in facts.calls):
            yield "require", Place(facts.path)
        elif any(entry.names and entry.scope < 0 for entry in facts.imports):
            yield "import", Place(facts.path)


def _error_answers(files: tuple[FileFacts, ...]) -> Iterator[Sighting]:
    """The fields in which answers with a status of failure carry the reason."""
    for facts in files:
        for call in facts.calls:
            keys = _answered_keys(call) if _ANSWER.search(call.callee) else ()
            reason = sorted(_ERROR_KEYS.intersection(keys))
            if reason:
                success = "success, " if {"success", "ok", "status"} & set(keys) else ""
                yield f"{{{success}{', '.join(reason)}}}", Place(facts.path, call.line)


def _answered_keys(call: Call) -> tuple[str, ...]:
    values = [argument.value for argument in call.arguments]
    if not values or values[0].kind is not ValueKind.COLLECTION:
        return tuple(argument.name for argument in call.arguments if argument.name)
    if "status()" not in call.callee and "jsonify" not in call.callee and not any(_STATUS.search(value.text) for value in values[1:]):
        return ()
    return tuple(key for key, _ in values[0].items)


def _settings(files: tuple[FileFacts, ...]) -> Iterator[Sighting]:
    """Settings read in one place made for them, or wherever they are needed; only where there is such a place."""
    homes = {facts.path for facts in files if _SETTINGS_HOME.search(facts.path) and len(facts.environment) >= _FEWEST_AT_HOME}
    for facts in files if homes else ():
        for read in facts.environment:
            if read.name not in {"NODE_ENV", "CI", "DEBUG"} and not re.search(r"\.config\.[cm]?[jt]s$", facts.path):
                yield (
                    "in the settings module" if facts.path in homes else "from the environment where it is needed",
                    Place(facts.path, read.line),
                )


_NO_CHOICE = frozenset({"the language of scripts", "bringing modules in"})
_CONCERNS: dict[str, Callable[[tuple[FileFacts, ...]], Iterator[Sighting]]] = {
    "naming files of components": _component_names,
    "the language of scripts": _languages,
    "bringing modules in": _module_systems,
    "answering with an error": _error_answers,
    "reading settings": _settings,
}
