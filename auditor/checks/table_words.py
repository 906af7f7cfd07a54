"""Which table a name in code means: a model, a variable that holds a record, a repository, a segment of an address."""

from __future__ import annotations

import re
from collections import defaultdict

from auditor.checks.model_names import TableNames, singular, words
from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.model.tables import Table

_FILLER_WORDS = """
    model models repository repositories repo repos service services store crud manager managers dao entity entities table obj object record instance collection doc document row entry item to
    delete deleted deleting remove removed db current existing target old the my own self this in by id ids request req get fetched found authenticated logged
    """
_FILLER = frozenset(_FILLER_WORDS.split())
_SUFFIXES = frozenset({"entity", "model", "schema", "class", "table", "orm", "document", "record", "db"})
"""Words of a class that say it is a table."""
_PLACEHOLDERS_WORDS = "obj object instance entity record row result item model document doc self it entry target existing data value resource cls element node found current old db"
_PLACEHOLDERS = frozenset(_PLACEHOLDERS_WORDS.split())
_LOGGED_IN = frozenset({"current_user", "request.user", "req.user", "g.user", "ctx.user"})


class TableWords:
    """Finds the tables that names mean; `accounts` are those whose rows are people who log in."""

    def __init__(self, tables: tuple[Table, ...], accounts: tuple[Table, ...] = ()) -> None:
        self.tables = tables
        self.accounts = accounts
        self._names = TableNames(tables)
        self._plain: defaultdict[str, list[Table]] = defaultdict(list)
        for table in tables:
            bare = [word for word in words(table.name) if word not in _SUFFIXES]
            if bare and len(bare) < len(words(table.name)):
                self._plain["_".join((*bare[:-1], singular(bare[-1])))].append(table)
        self._classes = {table.name for table in tables}

    def of(self, name: str) -> list[Table]:
        """The tables of a name, words in front of it and words that say nothing left out: `dbUser`, `user_repository`, `public.users`."""
        last = name.replace("()", "").rsplit(".", 1)[-1]
        exact = self._named(last)
        if exact:
            return exact
        parts = [*words(last)]
        while parts and parts[-1] in _FILLER:
            parts.pop()
        for start in range(len(parts)):
            found = self._named("_".join(parts[start:]))
            if found:
                return found
        return []

    def _named(self, name: str) -> list[Table]:
        """The tables of exactly that name, in the singular or the plural; a class may say besides what kind of thing it is."""
        parts = words(name)
        key = "_".join((*parts[:-1], singular(parts[-1]))) if parts else ""
        return list(dict.fromkeys((*self._names.named(name), *self._plain.get(key, ()))))

    def held(self, facts: FileFacts, value: Value, scope: int, line: int) -> list[Table]:
        """The tables of the record that a value holds: what it was read or made from, else what it is called."""
        if value.kind is ValueKind.CALL:
            named = [table for name in value.names for table in self.classed(name)]
            return named or self.of(value.literal)
        if value.literal in _LOGGED_IN and self.accounts:
            return list(self.accounts)
        read = self._read_from(facts, value.literal, scope, line)
        typed = [table for name in self._annotation(facts, value.literal, scope) for table in self.of(name)]
        return read or typed or self.of(value.literal)

    def _read_from(self, facts: FileFacts, name: str, scope: int, line: int) -> list[Table]:
        for call in reversed(facts.calls):
            if call.scope == scope and call.line <= line and call.target == name:
                found = [table for each in _spoken(call) for table in self.classed(each)]
                if found:
                    return found
        return []

    def spoken_of(self, facts: FileFacts, scope: int, line: int) -> tuple[Table, ...]:
        """The table whose class was mentioned last before a place in the same function."""
        for call in reversed(facts.calls):
            if call.scope == scope and call.line <= line:
                found = [table for name in _spoken(call) for table in self.classed(name)]
                if found:
                    return tuple(found)
        return ()

    def classed(self, name: str) -> list[Table]:
        """The table of a dotted name in which a model's class occurs: `models.User.id`, `User.query`."""
        for part in reversed(re.split(r"[.()\[\]]+", name)):
            if part in self._classes:
                return self._names.named(part)
        return []

    @staticmethod
    def _annotation(facts: FileFacts, name: str, scope: int) -> list[str]:
        if scope < 0:
            return []
        texts = [parameter.annotation for parameter in facts.definitions[scope].parameters if parameter.name == name]
        return [word for text in texts for word in re.findall(r"[A-Z]\w+", text)]

    @staticmethod
    def is_placeholder(name: str) -> bool:
        """Whether a name stands for a record of whatever kind."""
        parts = words(name.replace("()", "").rsplit(".", 1)[-1])
        return not parts or all(part in _PLACEHOLDERS for part in parts)


def _spoken(call: Call) -> list[str]:
    """The names a call mentions, in its callee and in what it is given."""
    return [call.callee.removeprefix("new "), *(name for argument in call.arguments for name in argument.value.names)]
