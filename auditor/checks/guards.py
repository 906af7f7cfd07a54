"""Whether the failure of an outgoing call is caught: where it stands, where its client is used, or by everybody who calls the function around it."""

from __future__ import annotations

import re
from collections import defaultdict

from auditor.checks.outgoing import Site
from auditor.model.syntax import Call, FileFacts

_DEPTH = 3
_SAME_NAMES = 4  # functions of one name among which callers are still told apart
_CALLERS_LOOKED_AT = 20
_SUPERVISED = re.compile(r"retry|task|job|breaker|on_exception")
_TAKES_FAILURES = frozenset(
    {"tryCatch", "tryCatchK", "tryPromise", "fromPromise", "fromThrowable", "fromAsyncThrowable", "useQuery", "useMutation", "useInfiniteQuery", "useSWR", "useSWRMutation", "useAsync", "createAsyncThunk"}
)  # fmt: skip
"""Functions that run what they are given and make a value, or a state of the page, of its failure."""
_MAKES = re.compile(r"^(?:[aA]xios\.create|boto3\.(?:client|resource)|(?:\w+\.)?createTransport)$|(?:^|\.)(?!SMTP)[A-Z]\w*$")
"""Calls that only make a client: nothing is asked until it is used."""


class Guards:
    """Follows calls to their callers by name, a few steps up."""

    def __init__(self, files: tuple[FileFacts, ...]) -> None:
        self._facts = {facts.path: facts for facts in files}
        self._callers: defaultdict[str, list[tuple[str, Call]]] = defaultdict(list)
        self._named: defaultdict[str, int] = defaultdict(int)
        self._through: defaultdict[tuple[str, str], list[Call]] = defaultdict(list)
        self._takers: defaultdict[str, list[Call]] = defaultdict(list)
        for facts in files:
            for definition in facts.definitions:
                self._named[definition.name] += 1
            for call in facts.calls:
                last = call.callee.rpartition(".")[2]
                self._callers[last].append((facts.path, call))
                if last in _TAKES_FAILURES:
                    self._takers[facts.path].append(call)
                owner = call.callee.partition("(")[0].rpartition(".")[0]
                self._through[facts.path, owner].append(call)

    def catches(self, site: Site) -> bool:
        """Whether a failure of the call, or of each use of the client it makes, is caught."""
        call = self._call(site)
        if call is None:
            return False
        if self._caught(site.path, call, _DEPTH):
            return True
        uses = [(path, use) for path, use in self._uses(site.path, call) if use is not call] if call.target else []
        return bool(uses) and all(self._caught(path, use, _DEPTH - 1) for path, use in uses)

    def concerns(self, site: Site) -> bool:
        """Whether something is asked at the site, as far as can be seen: a client that is only made, and used nowhere in sight, asks nothing."""
        if not _MAKES.search(site.what):
            return True
        call = self._call(site)
        return call is not None and (self._caught(site.path, call, _DEPTH) or (bool(call.target) and bool(self._uses(site.path, call))))

    def _call(self, site: Site) -> Call | None:
        calls = self._facts[site.path].calls
        return next((one for one in calls if one.line == site.line and one.callee.removeprefix("new ") == site.what), None)

    def _uses(self, path: str, call: Call) -> list[tuple[str, Call]]:
        """Calls through the name a client is bound to, in its own file or wherever that name is imported."""
        name = call.target
        own = [(path, one) for one in self._through[path, name]]
        plain = name.rpartition(".")[2]
        others = [
            (other, one)
            for other, facts in self._facts.items()
            if other != path and any(local == plain for entry in facts.imports for _, local in entry.names)
            for one in self._through[other, plain]
        ]
        return own + others

    def _caught(self, path: str, call: Call, depth: int) -> bool:
        facts = self._facts[path]
        if call.guarded or any(taken.line <= call.line and call.end_line <= taken.end_line for taken in self._takers[path]):
            return True
        scope = call.scope
        while scope >= 0:
            definition = facts.definitions[scope]
            if any(_SUPERVISED.search(mark.callee) for mark in definition.decorators):
                return True
            if definition.name and depth and self._named[definition.name] <= _SAME_NAMES:
                callers = [(where, one) for where, one in self._callers[definition.name] if one is not call]
                if callers and all(self._caught(where, one, depth - 1) for where, one in callers[:_CALLERS_LOOKED_AT]):
                    return True
            scope = definition.parent
        return False
