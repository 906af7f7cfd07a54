"""What the tests set going in the product: addresses they ask, first-party functions they call, refusals they expect."""

from __future__ import annotations

import re
from collections import defaultdict

from auditor.checks.critical_flows import Flow, parts, plain, resource
from auditor.checks.suites import Case
from auditor.model.evidence import ModuleGraph, Route
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import Call, FileFacts, ImportKind, Syntax, ValueKind
from auditor.model.verdict import Place

_ASKS = re.compile(
    r"(?:^|[._])(?:post\w*|put|patch|delete|del|request|api_?request|inject|fetch|generic|click|submit|press|fill|type|execute|mutate|login)$",
    re.IGNORECASE,
)
_READS = re.compile(r"(?:^|\.)(?:get|head|options)$")
_PRETENDS = re.compile(
    r"^(?:http|rest|msw|nock\(\)|nock|mock\w*|fetchMock|axiosMock|cy\.intercept|page\.route|context\.route|responses|respx|requests_mock|rsps|httpx_mock|httpretty)(?:\.|$)|\.(?:onPost|onPut|onPatch|onDelete|add_response|mockResponse)$"
)
_NAMES = re.compile(r"(?:^|\.)(?:reverse|reverse_lazy|url_for|url_path_for|resolve_url)$")
_GENERIC = re.compile(r"^(?:create|update|delete|new|add|edit|save|remove|info|\*)$")
_CLIENT = re.compile(r"(?:^|/)(?:axios|ky|got|\w*(?:api|http|fetch)\w*|\w*client)$", re.IGNORECASE)
_DRIVES = re.compile(r"(?:^|\.)(?:page|browser|driver|cy)\.(?:goto|visit)$|^(?:self\.)?driver\.get$")
"""Steps in a browser name pages and buttons, not the endpoints behind them."""
_MOST_LITERALS = 20_000
_REFUSED = re.compile(
    r"\b(?:401|403)\b|unauthori[sz]ed|forbidden|permission|HTTP_40[13]|access denied|login_?required|assertLoginRequired", re.IGNORECASE
)
_REFUSED_TITLE = re.compile(
    r"unauthori[sz]ed|unauthenticated|forbid|denie[ds]|permission|anonymous|not[ _]logged|login[ _](?:is[ _])?required|requires?[ _](?:auth|login|team|owner|admin)|\b40[13]\b|_40[13](?:_|$)|without[ _](?:auth|login|token)|non[ _-]?(?:admin|owner|member)|not[ _](?:allowed|owner|admin)|wrong[ _](?:user|team|owner|project)|read[ _-]?only",
    re.IGNORECASE,
)


class Exercised:
    """The tests that can fail, and what they and their helpers ask of the product."""

    def __init__(self, snapshot: Snapshot, syntax: Syntax, graph: ModuleGraph, cases: tuple[Case, ...]) -> None:
        self.real = [case for case in cases if case.is_real]
        self._files = {case.path for case in self.real}
        tests = frozenset(file.path for file in snapshot.with_role(Role.TEST)) if self.real else frozenset()
        facts = syntax.of(tests)
        self._syntax = syntax
        self._addresses: set[tuple[str, ...]] = set()
        self._named: set[str] = set()
        self._texts: list[str] = []
        self._called: defaultdict[str, set[str]] = defaultdict(set)
        self.unread: list[tuple[str, int]] = []
        self._imports = _imports(graph, tests)
        self._imported = {target for path in self._files for target in self._imports.get(path, ())}
        self._constants = _constants(facts)
        for file in facts:
            self._read(file)

    def refusal(self) -> Case | None:
        """The first real test that expects a stranger to be turned away."""
        for case in self.real:
            if _REFUSED_TITLE.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", case.name)):
                return case
            facts = self._syntax.files[case.path]
            stated = [one.text for one in facts.assertions if case.line <= one.line <= case.end_line]
            stated += [
                " ".join([call.callee, *(argument.value.text for argument in call.arguments)])
                for call in facts.calls
                if case.line <= call.line <= case.end_line
                and re.search(r"assert|expect|to(?:Be|Equal)|status|raises|throw", call.callee, re.IGNORECASE)
            ]
            if any(_REFUSED.search(text) for text in stated):
                return case
        return None

    def covers(self, flow: Flow) -> bool:
        """Whether a test asks one of the flow's endpoints or calls what stands behind it."""
        return any(self._asked(route) for route in flow.routes) or any(self._called_at(place) for place in _hosted(flow))

    def may_cover(self, flow: Flow) -> bool:
        """Whether a test loads a module the flow's hosted writes stand in and never names the function: a form that is shown may or may not be sent."""
        return any(place.path in self._imported for place in _hosted(flow))

    def _called_at(self, place: Place) -> bool:
        """Whether a test calls a function, imported from its module, that the place stands in."""
        around = {one.name for one in self._syntax.files[place.path].definitions if one.name and one.line <= place.line <= one.end_line}
        return any(place.path in self._imports.get(path, ()) for name in around for path in self._called.get(name, ()))

    def _asked(self, route: Route) -> bool:
        own = parts(route.path)
        if any(_same(own, address) for address in self._addresses):
            return True
        last = next((part for part in reversed(own) if part != "*"), "")
        if route.framework in {"graphql", "trpc"} and last:
            field = route.path.rstrip("/").rpartition("/")[2].rpartition(".")[2]
            return any(re.search(rf"\b{re.escape(field)}\b", text) for text in self._texts) or field in self._called
        handler = route.handler.rpartition(".")[2]
        if handler and any(route.place.path in self._imports.get(path, ()) for path in self._called.get(handler, ())):
            return True
        about = resource(route).rstrip("s")
        return any(name == last or name == plain(handler) or (about and about in name.split("-")) for name in self._named)

    def _read(self, facts: FileFacts) -> None:
        for call in facts.calls:
            self._called[call.callee.rpartition(".")[2].removeprefix("new ")].add(facts.path)
        asks = [call for call in facts.calls if _ASKS.search(call.callee) and not _PRETENDS.search(call.callee)]
        left_out = {
            (call.line, call.arguments[0].value.literal)
            for call in facts.calls
            if call.arguments and (_PRETENDS.search(call.callee) or _READS.search(call.callee) or _is_served(call))
        }
        for call in facts.calls:
            if _NAMES.search(call.callee) and call.arguments:
                self._named.add(plain(call.arguments[0].value.literal.rpartition(":")[2]))
        literals = [one for one in facts.literals[:_MOST_LITERALS] if (one.line, one.text) not in left_out]
        self._texts += [one.text for one in literals if one.template or "{" in one.text]
        if not asks or _client_pretended(facts):
            return
        found = {_address(one.text) for one in literals if "/" in one.text and not re.search(r"^[.@~]|\s", one.text.strip())} - {()}
        found |= {
            self._constants[name]
            for call in asks
            for argument in call.arguments[:2]
            for name in (name.rpartition(".")[2] for name in argument.value.names)
            if name in self._constants
        }
        self._addresses |= found
        if any(_DRIVES.search(call.callee) for call in facts.calls) or (not found and any(_unreadable(call) for call in asks)):
            self.unread.append((facts.path, asks[0].line))


def _hosted(flow: Flow) -> list[Place]:
    """The places of a flow that are calls of a hosted database, not endpoints."""
    own = {route.place for route in flow.routes}
    return [place for place in flow.places if place not in own]


def _imports(graph: ModuleGraph, tests: frozenset[str]) -> dict[str, set[str]]:
    """What each test file imports itself."""
    paths = {module.id: module.path for module in graph.modules}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        if edge.kind is not ImportKind.TYPE_ONLY and paths.get(edge.source) in tests and edge.target in paths:
            found[paths[edge.source]].add(paths[edge.target])
    return found


def _client_pretended(facts: FileFacts) -> bool:
    """Whether a test answers its own requests, so that no endpoint of the product is asked."""
    mocked = (
        call.arguments[0].value.literal for call in facts.calls if call.callee in {"jest.mock", "vi.mock", "vitest.mock"} and call.arguments
    )
    fetched = (one.target for one in facts.assignments if one.value is not None and re.match(r"(?:jest|vi)\.fn", one.value.text))
    return any(_CLIENT.search(name) for name in mocked) or any(re.search(r"(?:^|\.)fetch$", name) for name in fetched)


def _constants(files: tuple[FileFacts, ...]) -> dict[str, tuple[str, ...]]:
    """Addresses that test code keeps under a name: `LOGIN = "/api/login"`."""
    return {
        one.target.rpartition(".")[2]: _address(one.value.literal)
        for facts in files
        for one in facts.assignments
        if one.value is not None
        and one.value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}
        and "/" in one.value.literal
        and _address(one.value.literal)
    }


def _address(text: str) -> tuple[str, ...]:
    """The segments of an address: without host, query and what a template puts before the path."""
    text = re.split(r"[?#]", re.sub(r"^(?:\w+:)?//[^/]*", "", text.strip()), maxsplit=1)[0]
    return parts(re.sub(r"^(?:\{[^}]*\})+(?=/)", "", text))


def _same(route: tuple[str, ...], address: tuple[str, ...]) -> bool:
    """Whether an address may be a route's: the ends agree; a prefix may be added by the client, or be unknown of the route."""
    own, asked = _without_end(route), _without_end(address)
    shared = min(len(own), len(asked))
    if not shared or own[-1] != asked[-1]:
        return False
    if shared == 1 and _GENERIC.match(own[-1]) and len(own) != len(asked):
        return False
    return all("*" in (one, other) or one == other for one, other in zip(own[-shared:], asked[-shared:], strict=True))


def _without_end(segments: tuple[str, ...]) -> tuple[str, ...]:
    while segments and (segments[-1] == "*" or segments[-1].isdigit()):
        segments = segments[:-1]
    return segments


def _is_served(call: Call) -> bool:
    """A test that makes a server of its own: `app.post("/login", (request, response) => ...)`."""
    return len(call.arguments) > 1 and any(argument.value.kind is ValueKind.FUNCTION for argument in call.arguments[1:])


def _unreadable(call: Call) -> bool:
    """A request whose address is put together elsewhere."""
    return bool(call.arguments) and call.arguments[0].value.kind in {ValueKind.NAME, ValueKind.CALL}
