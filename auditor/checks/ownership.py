"""Whether a handler that is given an id asks whose record it is: what it reaches, and where the owner is compared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.authorization import Guards
from auditor.checks.guard import Strength
from auditor.checks.ownership_tables import PERSONAL, PERSONAL_TABLE, OwnedTable
from auditor.model.evidence import Route, RouteKind, Routes

_ID_PART = re.compile(r"\{[^}]+\}|:[A-Za-z]\w*|<[^>]+>|\[[^\]]+\]|\(\?P<")
_PRIVILEGED = re.compile(r"admin|staff|superuser|role|permission|manager|moderator|owner|policy|ability|can_|scope", re.IGNORECASE)
_ASKS = re.compile(
    r"(?:^|\.)_?(?:can[A-Z_]\w*|is_?[oO]wner\w*|owns\w*|\w+_owns_\w+|\w+Owns[A-Z]\w*|\w+_belongs_to\w*|has_?(?:access|permission|perm|object_permission)\w*|check_?\w*(?:access|owner\w*|permission\w*|belongs\w*|tenant)\w*|assert_?\w*(?:access|owner|permission|member|belongs)\w*|verify_?\w*(?:access|owner\w*|belongs\w*|permission\w*)\w*"
    r"|ensure_?\w*(?:access|owner\w*|permission\w*|member\w*)\w*|require_?\w*(?:access|owner\w*|permission\w*|member\w*)\w*|authorize\w*|\w*_for_user|\w*ForUser|\w*by_?user\w*|\w*ByUser\w*|enforce\w*|guard\w*|ability\.\w+|policy\.\w+)$",
    re.IGNORECASE,
)
_ASKS_FOR_RANK = re.compile(
    r"(?:^|\.)_?(?:require|ensure|assert|check|verify|only|must_?be|throw_?if_?not)_?(?:is_?)?\w*(?:admin|staff|superuser|moderator)\w*(?:\(\))?$",
    re.IGNORECASE,
)
"""Calls by which a handler keeps itself to those who administer: they may reach everybody's records."""
_REFUSES_OBJECT = re.compile(
    r"(?<![\w.])403(?![\w.])|forbidden|permission_?denied|not_? ?allowed|access_?denied|not_? ?authori[sz]ed", re.IGNORECASE
)
_CALLER_ID = r"(?:current_?user|currentUser|request\.user|req\.user|session\.user|session|ctx\.user|context\.user|user|auth|me|identity|principal|g\.user|claims|token|payload|viewer|actor)"
_OF_CALLER = re.compile(
    rf"\b{_CALLER_ID}\w*(?:\.|\?\.|\[['\"])(?:user\.|user\?\.)?(?:id|uid|sub|pk|user_?id|tenant_?id|organi[sz]ation_?id|company_?id|org_?id|household_?id|group_?id|team_?id|[a-z]+_set|[a-z]+s\.(?:filter|get|all))\b",
    re.IGNORECASE,
)

_PERSON = re.compile(
    r"[:{<\[](?:\w+:)?((?:user|account|customer|patient|member|owner|client|employee|student)(?:_?id|Id|_?name|_?uuid)|username)(?::\w+)?[}>\]]?(?=/|$)"
)
_NAMED_AFTER = re.compile(r"by_?user|for_?user", re.IGNORECASE)
_CALLER_WORD = re.compile(
    r"current_?user|(?<![\w.])session\b(?!\.(?:add|commit|query|exec|delete|flush|scalar|get|rollback|refresh|merge|begin|close))|\.session\.(?:user|\w*[iI]d\b)|\[['\"]sub['\"]\]|\.sub\b"
    r"|request\.user|req\.user|g\.user|\bidentity\b|\bclaims\b|principal|is_?admin|\.role\b",
    re.IGNORECASE,
)
"""Words by which a handler looks at the caller; then whether it compares is a question of its own."""
_WORKS = re.compile(
    r"(?:^|\.)(?:get\w*|filter\w*|find\w*|query\w*|exec\w*|select\w*|update\w*|delete\w*|insert\w*|save\w*|first\w*|all|one\w*|fetch\w*|create\w*|load\w*|read\w*|from|eq|where|aggregate|remove\w*|list\w*|add|commit|send\w*|download\w*|open)$"
)
_SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"\s*(?:async\s+)?(?:def|function)\s+\w{1,100}\s*(?:\[[^\]]{0,200}\])?\((?:[^()]|\((?:[^()]|\([^()]{0,300}\)){0,300}\)){0,4000}\)"
)


class Access(StrEnum):
    """What a handler does with the id it is given."""

    NONE = "none"  # it could not be seen which record is addressed
    SHARED = "shared"  # a record that belongs to nobody in particular, none at all, or one that is refused with 403 in code whose table is not known
    SCOPED = "scoped"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Addressed:
    """One endpoint with an id. When `access` is OPEN: `table` is the owned table it reaches without asking, or `parameter` the id of a person it takes as sent."""

    route: Route
    access: Access
    table: OwnedTable | None = None
    parameter: str = ""


class Ownership:
    """Judges endpoints that take an id."""

    def __init__(self, guards: Guards, tables: Iterable[OwnedTable], routes: Routes, shared: Iterable[OwnedTable] = ()) -> None:
        self._guards = guards
        self._tables = tuple(tables)
        self._shared = tuple(shared)
        self._handlers = {(route.place.path, route.handler_scope) for route in routes.routes if route.handler_scope >= 0}
        self._comparing: dict[tuple[str, int], bool] = {}
        self._fetching: dict[tuple[str, int], OwnedTable | None] = {}
        words = sorted({owner for table in self._tables for owner in table.owners}, key=lambda word: (-len(word), word))
        column = "(?:" + "|".join(re.escape(word) for word in words) + ")" if words else "(?!)"
        self._compared = re.compile(
            rf"\b{column}(?:\.id|_id)?\b['\"\])]?\s*(?:==|!=|===|!==|\bin\b|\bis\b|<>)|(?:==|!=|===|!==)\s*(?:str\(|int\(|String\(|Number\()?[\w.\[\]'\"?]{{0,60}}\b{column}\b"
            rf"|\b(?:where|and|or)\b[^;\n]{{0,300}}?\b{column}['\"`]?\s*(?:=|in)\s*(?:\?|%|:|\$|@|\()|(?:eq|match|equals|ne|inArray)\(\s*['\"\w.]{{0,60}}\b{column}\b"
            rf"|(?:==|!=|===|!==)\s*(?:str\(|int\(|String\(|Number\()?{_CALLER_ID}(?:\.user)?(?:\.|\?\.|\[['\"])(?:id|uid|sub|pk|user_?id)\b|\b{_CALLER_ID}(?:\.user)?(?:\.|\?\.|\[['\"])(?:id|uid|sub|pk|user_?id)['\"\]]*\s*(?:==|!=|===|!==)"
            rf"|(?<![\w])(?:filter_by|filter|get|get_object_or_404|aget_object_or_404|get_or_404|where|andWhere|findFirst\w{{0,10}}|findUnique\w{{0,10}}|findOne\w{{0,20}}|findMany|find|find_one\w{{0,20}}|exists|exclude|first|count|aggregate|updateMany|deleteMany|updateOne|deleteOne|update|delete)"
            rf"\((?:[^();]|\((?:[^();]|\([^()]{{0,80}}\)){{0,120}}\)){{0,300}}?(?:\b{column}(?:__\w{{1,40}})?['\"]?\s*(?:=(?!=)|:)|[{{,]\s*{column}\s*[,}}])",
            re.IGNORECASE,
        )

    def of(self, route: Route) -> Addressed | None:
        """The endpoint if it takes an id in its path and is for people with an account; None otherwise."""
        if route.kind not in {RouteKind.HTTP, RouteKind.ACTION} or route.handler_scope < 0 or not self._takes_id(route):
            return None
        guard = self._guards.of(route)
        if guard.strength not in {Strength.SEEN, Strength.NAMED} or any(_PRIVILEGED.search(name) for name in (*route.through, guard.name)):
            return None
        if any(_ASKS_FOR_RANK.search(call.callee) for _, call in self._guards.reach.calls(route.place.path, route.handler_scope, 0)):
            return None
        if "admin" in route.path.lower() or "admin" in route.place.path.lower() or "admin" in route.handler.lower():
            return None
        return self._judged(route)

    def _takes_id(self, route: Route) -> bool:
        if route.kind is RouteKind.ACTION:
            definition = self._guards.definition(route.place.path, route.handler_scope)
            return any(re.search(r"(?:^|_)id$|Id$", parameter.name) for parameter in definition.parameters)
        return _ID_PART.search(route.path) is not None

    def _judged(self, route: Route) -> Addressed:
        reach = self._guards.reach
        reached = [
            entry
            for entry in reach.functions(route.place.path, route.handler_scope, 2)
            if entry == (route.place.path, route.handler_scope) or entry not in self._handlers
        ]
        compared = any(self._compares(path, index) for path, index in reached) or self._compares_given(route, reached)
        calls = [call.callee for _, call in reach.calls(route.place.path, route.handler_scope, 2)]
        own = self._guards.body(route.place.path, route.handler_scope)
        person = self._person(route, reached, calls)
        if person:
            return Addressed(route, Access.OPEN, None, person)
        scoped = compared or any(_ASKS.search(callee) for callee in calls) or _REFUSES_OBJECT.search(own) is not None
        table = next((found for path, index in reached if (found := self._fetched(path, index)) is not None), None)
        if scoped:
            asked = table is not None or compared or any(_ASKS.search(callee) for callee in calls)
            return Addressed(route, Access.SCOPED if asked else Access.SHARED)
        if table is None or self._passes_the_caller(own):
            shared = table is None and (not self._touches(reached, calls) or any(self._of_nobody(*entry) for entry in reached))
            return Addressed(route, Access.SHARED if shared else Access.NONE)
        return Addressed(route, Access.OPEN, table)

    def _touches(self, reached: list[tuple[str, int]], calls: list[str]) -> bool:
        """Whether a handler works on any record at all; forbidding in what it hands on to counts as an answer of its own."""
        if any(_REFUSES_OBJECT.search(self._guards.body(*entry)) for entry in reached[1:8] if entry not in self._handlers):
            return False
        texts = (text for entry in reached for text in self._guards.reach.texts(*entry))
        return any(_WORKS.search(callee) for callee in calls) or any(_SQL.match(text) for text in texts)

    def _of_nobody(self, path: str, index: int) -> bool:
        body = self._guards.body(path, index)
        lower = body.lower()
        return any(any(name.lower() in lower for name in table.names) and _by_id(body, table) for table in self._shared)

    def _person(self, route: Route, reached: list[tuple[str, int]], calls: list[str]) -> str:
        """The parameter that says whose personal data an endpoint works on, when it is taken as sent and nobody looks at the caller."""
        found = _PERSON.search(route.path)
        bodies = [_without_signature(self._guards.body(*entry)) for entry in reached]
        if found is None or any(_OF_CALLER.search(body) or _CALLER_WORD.search(body) for body in bodies):
            return ""
        if any(_ASKS.search(callee) and not _NAMED_AFTER.search(callee) for callee in calls):
            return ""
        words, name = f"{route.path} {route.handler}", found[1]
        personal = PERSONAL_TABLE.search(words) is not None or PERSONAL.search(words) is not None
        used = re.search(rf"\b{re.escape(name)}\b", bodies[0]) is not None
        return name if used and personal else ""

    def _compares(self, path: str, index: int) -> bool:
        key = (path, index)
        if key not in self._comparing:
            self._comparing[key] = self._compared.search(_without_signature(self._guards.body(path, index))) is not None
        return self._comparing[key]

    def _compares_given(self, route: Route, reached: list[tuple[str, int]]) -> bool:
        """Whether the caller, as a guard hands it over (`candidate = Depends(candidate_session)`), is compared by its id under whatever name it has."""
        given = self._guards.handed_over(route)
        if not given:
            return False
        name = "(?:" + "|".join(map(re.escape, given)) + ")"
        compared = re.compile(
            rf"(?:==|!=)\s*{name}\.(?:id|uid|pk|\w+_id)\b|\b{name}\.(?:id|uid|pk|\w+_id)\s*(?:==|!=)|\w+_id\s*=\s*{name}\.(?:id|uid|pk)\b"
        )
        return any(compared.search(_without_signature(self._guards.body(*entry))) for entry in reached)

    def _fetched(self, path: str, index: int) -> OwnedTable | None:
        """The owned table that a function reads or changes one record of by its id."""
        key = (path, index)
        if key not in self._fetching:
            body = self._guards.body(path, index)
            lower = body.lower()
            near = (table for table in self._tables if any(name.lower() in lower for name in table.names))
            self._fetching[key] = next((table for table in near if _by_id(body, table)), None)
        return self._fetching[key]

    def _passes_the_caller(self, body: str) -> bool:
        """Whether the handler hands the caller on to something that could not be read to its end."""
        without_assignments = re.sub(r"\b[\w.]{1,80}\s*=(?!=)\s*[\w.]{1,80}\s*(?:\n|;|$)", "\n", body)
        return _OF_CALLER.search(without_assignments) is not None


def _without_signature(body: str) -> str:
    """The body alone: parameters that are named after an owner compare nothing."""
    found = _SIGNATURE.match(body)
    return body[found.end() :] if found else body


def _by_id(body: str, table: OwnedTable) -> bool:
    """Whether a function reads or changes one record of a table by its id."""
    name = "(?:" + "|".join(re.escape(word) for word in sorted(table.names)) + ")"
    return any(
        re.search(pattern, body)
        for pattern in (
            rf"\b{name}\.query\.(?:get|get_or_404)\(|(?:\.get|\.get_or_404|get_or_404|get_one_or_404|\.get_one)\(\s*{name}\s*,|get_object_or_404\(\s*{name}\s*,\s*(?:pk|id)\s*=",
            rf"\b{name}\.objects\.(?:get|filter)\(\s*(?:pk|id)\s*=|\b{name}\.query\.filter_by\(\s*id\s*=|\b{name}\.id\s*==",
            rf"\b{name}\.(?:findById|findByIdAndUpdate|findByIdAndDelete|findByPk)\(|\b{name}\.(?:findOne|findOneAndUpdate|findOneAndDelete|deleteOne|updateOne)\(\s*\{{\s*_?id\b",
            rf"\.{name}\.(?:findUnique|findFirst|findUniqueOrThrow|update|delete)\(\s*\{{\s*where:\s*\{{\s*id\b",
            rf"from\(\s*['\"]{name}['\"]\s*\)[^;]{{0,300}}?\.eq\(\s*['\"]id['\"]",
            rf"(?i:(?:from|update|into)\s+[\"`]?{name}[\"`]?\b[^;'\"]{{0,200}}?\bwhere\s+(?:\w+\.)?[\"`]?(?:{name}_)?id[\"`]?\s*=)",
            rf"eq\(\s*{name}\.id\s*,",
            rf"(?i:\b{name}s?_?(?:repository|repo|model)\.(?:findOne|findOneOrFail|update|delete|softDelete|findOneBy|findById|findByIdAndUpdate|findByIdAndDelete)\(\s*(?:id\b|\{{\s*(?:where:\s*\{{\s*)?_?id\b))",
        )
    )
