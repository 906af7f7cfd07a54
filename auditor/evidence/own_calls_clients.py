"""Calls over HTTP as libraries write them: which argument is the address, and which says the method. Part of the evidence OWN_CALLS."""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.evidence.own_calls_values import Hole, Pieces, Values
from auditor.languages.migrations import last
from auditor.model.syntax import Call, FileFacts, Value, ValueKind

VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_FETCH = re.compile(
    r"^(?:(?:window|globalThis|self|global)\.)?fetch$|^\$fetch(?:\.raw)?$|^(?:ofetch|useFetch|useLazyFetch|fetchEventSource)$"
)
_HTTP = re.compile(r"^(?:axios|ky|superagent|requests|httpx|\$|jQuery)\.(?P<verb>get|post|put|patch|delete|head|options|getJSON)$")
_ANGULAR = re.compile(r"(?:^|\.)_?(?:http|httpClient)\.(?P<verb>get|post|put|patch|delete|head)$")
_INSTANCES = re.compile(
    r"^(?:axios\.create|ky\.(?:create|extend)|ofetch\.create|\$fetch\.create|requests\.[sS]ession|httpx\.(?:Async)?Client|(?:aiohttp\.)?ClientSession)$"
)
_PACKAGES = {"axios": "axios", "ky": "ky", "requests": "requests", "httpx": "httpx", "superagent": "superagent", "ofetch": "ofetch"}
_SWR = frozenset({"useSWR", "useSWRImmutable"})
_EMPTY: tuple[Pieces, ...] = ((),)


@dataclass(frozen=True, slots=True)
class Sent:
    """One call over HTTP: the addresses it may go to, and its method: upper case, "ANY" unknown, or the parameter that says it."""

    call: Call
    addresses: tuple[Pieces, ...]
    method: str | Hole


@dataclass(frozen=True, slots=True)
class Instance:
    """A client with a base address of its own, "" where it has none."""

    bases: tuple[Pieces, ...]


def instance(facts: FileFacts, call: Call, values: Values) -> Instance | None:
    """The client that a call makes."""
    if not _INSTANCES.match(call.callee):
        return None
    settings = call.argument("", 0)
    base = call.argument("base_url") or (settings.item("baseURL") or settings.item("prefixUrl") if settings is not None else None)
    if base is None and call.callee.endswith("ClientSession"):
        base = settings
    if base is None and settings is not None and settings.kind not in {ValueKind.COLLECTION, ValueKind.NONE}:
        return Instance(((Hole("unknown", settings.text),),))
    return Instance(values.expand(facts, base, call.scope) or _EMPTY)


def sent(facts: FileFacts, call: Call, values: Values, known: Instance | None, packages: frozenset[str]) -> Sent | None:
    """What a call sends, if its library is one that is known; `known`: the client it is made on."""
    callee = call.callee
    if known is not None:
        return _by_instance(facts, call, values, known)
    if _FETCH.match(callee):
        address = call.argument("", 0)
        if address is None or address.kind is ValueKind.COLLECTION:
            return None  # a function that happens to have the name
        return _sent(facts, call, values, address, _option_method(facts, call, values, 1, "GET"))
    if callee in _SWR:
        key = call.argument("", 0)
        if key is not None and key.kind is ValueKind.FUNCTION:
            return None
        found = _sent(facts, call, values, key, "GET")
        return found if found is not None and any(a and isinstance(a[0], str) and a[0].startswith("/") for a in found.addresses) else None
    if callee in {"$.ajax", "jQuery.ajax", "axios", "axios.request"} and _first_kind(call) is ValueKind.COLLECTION:
        return _by_object(facts, call, values, _EMPTY)
    if callee in {"axios", "ky"}:
        return _sent(facts, call, values, call.argument("", 0), _option_method(facts, call, values, 1, "GET"))
    if callee in {"requests.request", "httpx.request"}:
        return _sent(facts, call, values, call.argument("url", 1), _method_of(facts, call.argument("method", 0), call.scope, values))
    found_verb = _HTTP.match(callee) or (_ANGULAR.search(callee) if "@angular/common/http" in packages else None)
    if found_verb is not None:
        verb = found_verb["verb"].upper().replace("GETJSON", "GET")
        return _sent(facts, call, values, call.argument("url", 0), verb)
    if callee.endswith("navigator.sendBeacon"):
        return _sent(facts, call, values, call.argument("", 0), "POST")
    if callee == "new EventSource":
        return _sent(facts, call, values, call.argument("", 0), "GET")
    method = call.argument("", 0)
    if last(callee) == "open" and method is not None and method.literal.lower() in VERBS and len(call.arguments) > 1:
        return _sent(facts, call, values, call.argument("", 1), method.literal.upper())
    return None


def package_of(module: str) -> str:
    """The client library a module belongs to, "" for none."""
    return _PACKAGES.get(module.partition("/")[0], "")


def _first_kind(call: Call) -> ValueKind | None:
    first = call.argument("", 0)
    return first.kind if first is not None else None


def _by_instance(facts: FileFacts, call: Call, values: Values, known: Instance) -> Sent | None:
    verb = last(call.callee)
    if verb in VERBS:
        found = _sent(facts, call, values, call.argument("url", 0), verb.upper())
    elif verb == "request" and _first_kind(call) is not ValueKind.COLLECTION and facts.path.endswith(".py"):
        found = _sent(facts, call, values, call.argument("url", 1), _method_of(facts, call.argument("method", 0), call.scope, values))
    elif _first_kind(call) is ValueKind.COLLECTION:
        return _by_object(facts, call, values, known.bases)
    elif verb in {"request", call.callee}:
        found = _sent(facts, call, values, call.argument("", 0), _option_method(facts, call, values, 1, "GET"))
    else:
        return None
    return _based(found, known.bases) if found is not None else None


def _by_object(facts: FileFacts, call: Call, values: Values, bases: tuple[Pieces, ...]) -> Sent | None:
    """`request({ url, method })`."""
    options = call.argument("", 0)
    if options is None or options.item("url") is None:
        return None
    stated = options.item("method") or options.item("type")
    method = _method_of(facts, stated, call.scope, values) if stated is not None else "ANY" if options.item("...") else "GET"
    found = _sent(facts, call, values, options.item("url"), method)
    return _based(found, bases) if found is not None else None


def _based(found: Sent, bases: tuple[Pieces, ...]) -> Sent:
    """Addresses below the base of the client; a whole address stands by itself."""
    addresses = []
    for address in found.addresses:
        whole = bool(address) and isinstance(address[0], str) and re.match(r"\w+://", address[0]) is not None
        for base in bases:
            plain = "".join(piece for piece in base if isinstance(piece, str))
            between = "/" if base and not plain.endswith("/") and not (isinstance(address[0], str) and address[0].startswith("/")) else ""
            addresses.append(address if whole or not base else (*base, between, *address))
    return Sent(found.call, tuple(addresses), found.method)


def _sent(facts: FileFacts, call: Call, values: Values, address: Value | None, method: str | Hole) -> Sent | None:
    if address is None:
        return None
    found = tuple(pieces for pieces in values.expand(facts, address, call.scope) if pieces)
    return Sent(call, found, method) if found else None


def _option_method(facts: FileFacts, call: Call, values: Values, position: int, default: str) -> str | Hole:
    """The `method` of an options object."""
    options = call.argument("", position)
    return default if options is None else options_method(facts, options, call.scope, values, default)


def options_method(facts: FileFacts, options: Value, scope: int, values: Values, default: str) -> str | Hole:
    """The method an options object states; a parameter that holds the options says it later."""
    if options.kind is ValueKind.NONE:
        return default
    if options.kind is ValueKind.COLLECTION:
        stated = options.item("method")
        if stated is not None:
            return _method_of(facts, stated, scope, values)
        spread = [item for key, item in options.items if key == "..."]
        holes = [values.parameter(facts, item.literal, scope) for item in spread if item.kind is ValueKind.NAME]
        if spread and len(holes) == len(spread):
            first = holes[0]
            return Hole("options", first.text, first.scope, first.position, first.key) if first is not None else "ANY"
        return "ANY" if spread else default
    if options.kind is ValueKind.NAME:
        hole = values.parameter(facts, options.literal, scope)
        if hole is not None:
            return Hole("options", hole.text, hole.scope, hole.position, hole.key)
        given = [a.value for a in facts.assignments if a.target == options.literal and a.scope == scope and a.value is not None]
        touched = any(a.target == f"{options.literal}.method" for a in facts.assignments)
        if len(given) == 1 and given[0].kind is ValueKind.COLLECTION and not touched:
            return options_method(facts, given[0], scope, values, default)
    return "ANY"


def _method_of(facts: FileFacts, value: Value | None, scope: int, values: Values) -> str | Hole:
    if value is None:
        return "ANY"
    if value.kind is ValueKind.STRING:
        return value.literal.upper()
    if value.kind is ValueKind.OPERATION and value.items and value.items[0][0] in {"||", "??", "or"}:
        return _method_of(facts, value.items[0][1], scope, values)
    if value.kind is ValueKind.NAME:
        hole = values.parameter(facts, value.literal.removesuffix(".toUpperCase"), scope)
        return hole if hole is not None else "ANY"
    return "ANY"
