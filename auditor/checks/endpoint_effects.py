"""What an endpoint does with what is stored: whether it changes something, removes records, or fetches what it may reveal."""

from __future__ import annotations

import re
from collections import defaultdict

from auditor.checks.database_calls import database_calls
from auditor.checks.held_records import HeldRecords, mapped_classes
from auditor.checks.model_names import words
from auditor.checks.reach import Reach, within
from auditor.checks.stored_writes import Verb, Write, writes
from auditor.model.evidence import Route, Stores
from auditor.model.project import Project
from auditor.model.syntax import Call, DefinitionKind, Syntax

_WRITES = re.compile(
    r"(?:^|\.)(?:db|session|conn|connection|database|cursor|cur|client|pool|prisma|tx|trx|knex|repo|repository|store|collection|model|manager|queryset|qs|objects|\w*(?:Repository|Repo|Service|Model|Collection|DAO|Store|_repo|_service|_crud|crud|Db|DB))(?:\(\))?(?:\.\w+(?:\(\))?){0,6}"
    r"\.(?:add|add_all|commit|merge|bulk_\w+|create\w*|insert\w*|update\w*|upsert\w*|delete\w*|remove\w*|destroy\w*|save\w*|replace\w*|write\w*|store\w*|put\w*|executemany|softDelete|restore)$"
    r"|\.(?:insertOne|insertMany|insert_one|insert_many|updateOne|updateMany|update_one|update_many|deleteOne|deleteMany|delete_one|delete_many|findByIdAndUpdate|findByIdAndDelete|findOneAndUpdate|findOneAndDelete|findOneAndReplace|createMany|updateMany|upsert|objects\.create|get_or_create|update_or_create|bulkWrite)$"
    r"|^(?:setDoc|addDoc|updateDoc|deleteDoc|os\.remove|os\.unlink|shutil\.(?:rmtree|move|copy\w*)|fs\.(?:promises\.)?(?:writeFile|unlink|rm|rename|appendFile|copyFile)(?:Sync)?|fsp?\.(?:writeFile|unlink|rm)|writeFile(?:Sync)?|unlink(?:Sync)?|copyFile(?:Sync)?)$"
    r"|redis\w*\.(?:set\w*|hset|h?del|delete|[lr]push|incr\w*)$|\.from\(\)\.(?:insert|update|upsert|delete)$|\.doc\(\)\.(?:set|update|delete)$|\.collection\(\)\.add$"
)
_WRITING_SQL = re.compile(
    r"^\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|DROP\s+TABLE|TRUNCATE|REPLACE\s+INTO)\b", re.IGNORECASE
)
_READS = re.compile(
    r"(?:^|\.)(?:find[A-Z]\w*|find|find_\w+|select|query|filter_by|objects\.(?:all|filter|get)|query\.\w+|get_all\w*|getAll\w*|list_?[A-Z]\w*|scalars?|execute|fetchall|fetchone|fetch_all|aggregate|readdir(?:Sync)?|listdir)$"
)
_READING_SQL = re.compile(r"^\s*SELECT\b", re.IGNORECASE)
_GENERIC = re.compile(
    r"(?:^|\.)(?:(?P<removes>Delete|Destroy)|Create|Update|\w*Update(?P<both>Destroy)|\w*Create)(?:View|APIView|ModelMixin)$"
)
"""Views of Django and REST framework that write without any code of their own."""
_PASSING_WORDS = """
session sessions token tokens cache caches otp otps code codes attempt attempts lock locks draft drafts cart carts basket baskets wishlist like likes favorite favorites favourite favourites
bookmark bookmarks follow follows follower vote votes reaction reactions subscription subscriptions subscriber visit visits view views log logs job jobs upload uploads temp tmp challenge nonce state
"""
_PASSING = frozenset(_PASSING_WORDS.split())
"""Words of records that come and go, or that visitors take back themselves."""
_DEPTH = 2


class Effects:
    """Finds them; `stores` names the models, None where that could not be read."""

    def __init__(self, project: Project, syntax: Syntax, reach: Reach, stores: Stores | None) -> None:
        files = syntax.of(project.production)
        tables = stores.data.tables if stores is not None else ()
        models = frozenset(table.name for table in tables) | mapped_classes(syntax, project.production)
        databases = database_calls(files)
        held = HeldRecords(syntax, reach, models)
        self._syntax = syntax
        self._reach = reach
        self._held: defaultdict[str, list[Write]] = defaultdict(list)
        self._written: dict[str, list[Write]] = {}
        for facts in files:
            self._held[facts.path] = list(held.writes(facts))
            self._written[facts.path] = writes(facts, databases.get(facts.path, ()), (), models)

    def changes(self, route: Route) -> bool:
        """Whether the endpoint, or what it calls, stores, changes or removes something."""
        if any(_WRITES.search(call.callee) for call in self._calls(route)) or any(_WRITING_SQL.match(text) for text in self._texts(route)):
            return True
        if self._generic(route) is not None:
            return True
        reached = self._reach.functions(route.place.path, route.handler_scope, _DEPTH)
        return any(self._inside(self._held[path], path, index) for path, index in reached)

    def fetches(self, route: Route) -> bool:
        """Whether the endpoint, or what it calls, reads stored data."""
        return any(_READS.search(call.callee) for call in self._calls(route)) or any(
            _READING_SQL.match(text) for text in self._texts(route)
        )

    def removes(self, route: Route) -> bool:
        """Whether the endpoint's own code removes records that are meant to stay; what it puts back in the same place is only replaced."""
        path = route.place.path
        if self._generic(route) == "removes":
            return True
        found = self._inside([*self._held[path], *self._written.get(path, ())], path, route.handler_scope)
        added = {write.table for write in found if write.verb is Verb.ADD}
        return any(
            write.verb is Verb.REMOVE and write.table not in added and write.table and not _PASSING & set(words(write.table))
            for write in found
        )

    def _inside(self, found: list[Write], path: str, index: int) -> list[Write]:
        scopes = within(self._syntax.files[path], index) if found else frozenset()
        return [write for write in found if write.scope in scopes]

    def _generic(self, route: Route) -> str | None:
        """What a framework's view does for a class that inherits it: "removes", "changes", None for nothing."""
        facts = self._syntax.files.get(route.place.path)
        if facts is None or route.handler_scope < 0 or facts.definitions[route.handler_scope].kind is not DefinitionKind.CLASS:
            return None
        found = [match for base in facts.definitions[route.handler_scope].bases if (match := _GENERIC.search(base))]
        if any(match["removes"] or (match["both"] and route.method == "DELETE") for match in found):
            return "removes"
        return "changes" if found else None

    def _calls(self, route: Route) -> list[Call]:
        return [call for _, call in self._reach.calls(route.place.path, route.handler_scope, _DEPTH)]

    def _texts(self, route: Route) -> list[str]:
        reached = self._reach.functions(route.place.path, route.handler_scope, _DEPTH)
        return [text for path, index in reached for text in self._reach.texts(path, index)]
