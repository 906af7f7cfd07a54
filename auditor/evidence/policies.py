"""Evidence POLICIES: the end state of row-level security over the SQL files of a hosted PostgreSQL, read with PostgreSQL's own parser."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from auditor.evidence.policy_conditions import asks_caller, columns_of, condition_access, tables_of
from auditor.evidence.registry import Context, own_stamp, provides
from auditor.languages import postgres
from auditor.model.evidence import Access, PolicyFunction, PolicyTable, PolicyView, RowPolicies
from auditor.model.need import Known, Unavailable
from auditor.model.needs import POLICIES, SNAPSHOT, TEXTS
from auditor.model.snapshot import NOT_OURS, Role, Snapshot
from auditor.model.verdict import Place

_NOT_READ = NOT_OURS | {Role.GENERATED}
_SPEAKS = re.compile(r"row\s+level\s+security|create\s+policy|auth\.uid\s*\(", re.IGNORECASE)
_INNER = re.compile(
    r"(?:create\s+policy|drop\s+policy|alter\s+policy|alter\s+table\s+[^;]{1,200}?(?:enable|disable)\s+row\s+level\s+security)[^;]{0,4000};",
    re.IGNORECASE,
)
_DYNAMIC = re.compile(r"execute\b[^;]{0,300}(?:policy|row\s+level\s+security)", re.IGNORECASE)
_ASKS = re.compile(
    r"auth\.(?:uid|jwt|email|role)\s*\(|current_setting|session_user|has_role|is_admin|is_\w{1,40}\s*\(|has_\w{1,40}\s*\(|check_\w{1,40}\s*\(|can_\w{1,40}\s*\(|token|secret|api_?key",
    re.IGNORECASE,
)
_CHANGES = re.compile(r"\b(?:update\s+[\w.\"]{1,80}\s+set|delete\s+from|truncate)\b", re.IGNORECASE)
_COMMANDS = ("select", "insert", "update", "delete")
_OUTSIDE = frozenset({"anon", "authenticated", "public"})
_RANK = {access: number for number, access in enumerate(Access)}
STORED_FILES = "storage.objects"
"""The table of stored files, whose row security the platform keeps on."""
_FILES = ("storage", "objects")
_SIZE_LIMIT = 2_000_000


@dataclass(slots=True)
class _Policy:
    """One policy as last written."""

    name: str
    command: str
    roles: frozenset[str]
    using: Access | None
    check: Access | None
    permissive: bool
    place: Place

    def access(self, command: str) -> Access | None:
        """Whom the policy lets carry out a command; None when it does not speak of it."""
        if self.command not in {"all", command}:
            return None
        found = (self.check if self.check is not None else self.using) if command == "insert" else self.using
        found = Access.ANYBODY if found is None else found
        if not self.roles & _OUTSIDE:
            return Access.NOBODY if self.roles & {"service_role", "postgres", "supabase_admin"} else Access.CALLER
        if not self.roles & {"anon", "public"}:
            return max(found, Access.LOGGED_IN, key=_RANK.__getitem__)
        return found


@dataclass(slots=True)
class _Table:
    """One table as far as the files were read."""

    name: str
    place: Place
    columns: list[str] = field(default_factory=list)
    secured: bool = False
    policies: dict[str, _Policy] = field(default_factory=dict)
    revoked: bool = False


@provides(POLICIES, needs=(SNAPSHOT, TEXTS))
def policies(_context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[RowPolicies] | Unavailable:
    """Read the migrations of the hosted database in order, or, where there are none, every SQL file that speaks of row security."""
    sql = [f.path for f in snapshot.files if f.path.endswith(".sql") and f.role not in _NOT_READ and f.path in texts]
    migrations = [path for path in sql if re.search(r"(?:^|/)supabase/migrations/[^/]+\.sql$", path)]
    chosen = migrations or sql
    if not any(_SPEAKS.search(texts[path][:_SIZE_LIMIT]) for path in chosen):
        return Known(RowPolicies((), (), (), ordered=True), own_stamp())
    reader = _Reader()
    for path in sorted(chosen, key=lambda path: (path.rpartition("/")[2], path) if migrations else ("", path)):
        reader.read(path, texts[path])
    return Known(reader.result(tuple(sorted(chosen)), ordered=bool(migrations) or len(chosen) == 1), own_stamp())


class _Reader:
    """Carries out the statements of one file after the other on tables, policies and functions."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}
        self._functions: dict[str, PolicyFunction] = {}
        self._views: dict[str, PolicyView] = {}
        self._unread: list[tuple[str, str]] = []

    def read(self, path: str, text: str) -> None:
        """One file."""
        if len(text) > _SIZE_LIMIT or text.count("/*") > 5_000:
            self._unread.append((path, "too large to be a structure script"))
            return
        starts = [0, *(found.end() for found in re.finditer(rb"\n", text.encode("utf-8", "replace")))]
        data = text.encode("utf-8", "replace")
        for offset, length, node in postgres.statements(text):
            piece = data[offset : offset + length if length else None]
            skipped = re.match(rb"(?:\s+|--[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)*+", piece[:20_000])
            line = bisect_right(starts, offset + (skipped.end() if skipped else 0))
            if node is None:
                if _SPEAKS.search(piece.decode("utf-8", "replace")):
                    self._unread.append((f"{path}:{line}", "a statement on row security could not be read"))
                continue
            self._statement(node, Place(path, line, line))

    def _statement(self, node: Any, place: Place) -> None:
        kind = node.WhichOneof("node")
        handler = {
            "create_stmt": self._create,
            "alter_table_stmt": self._alter,
            "drop_stmt": self._drop,
            "create_policy_stmt": self._policy,
            "alter_policy_stmt": self._alter_policy,
            "create_function_stmt": self._function,
            "grant_stmt": self._grant,
            "do_stmt": self._do,
            "rename_stmt": self._rename,
            "view_stmt": self._view,
        }.get(kind or "")
        if handler is not None:
            handler(getattr(node, kind), place)

    def _table(self, relation: Any, place: Place) -> _Table | None:
        if (relation.schemaname, relation.relname) == _FILES:
            stored = _Table(STORED_FILES, place, ["bucket_id", "name", "owner_id"], secured=True)
            return self._tables.setdefault(STORED_FILES, stored)
        if relation.schemaname not in {"", "public"}:
            return None
        name = str(relation.relname).lower()
        return self._tables.get(name) or self._tables.setdefault(name, _Table(name, place))

    def _create(self, statement: Any, place: Place) -> None:
        if statement.relation.relpersistence == "t":
            return
        known = str(statement.relation.relname).lower() in self._tables
        table = self._table(statement.relation, place)
        if table is None or (known and table.columns and statement.if_not_exists):
            return
        table.place = place
        for element in statement.table_elts:
            if element.WhichOneof("node") == "column_def":
                table.columns.append(str(element.column_def.colname).lower())

    def _alter(self, statement: Any, place: Place) -> None:
        if not statement.HasField("relation"):
            return
        if statement.relation.relname.lower() in self._views:
            self._alter_view(statement)
            return
        table = self._table(statement.relation, place)
        if table is None:
            return
        for entry in statement.cmds:
            command = entry.alter_table_cmd
            kind = command.DESCRIPTOR.fields_by_name["subtype"].enum_type.values_by_number[command.subtype].name
            if kind in {"AT_EnableRowSecurity", "AT_ForceRowSecurity"}:
                table.secured = True
            elif kind == "AT_DisableRowSecurity":
                table.secured, table.place = False, place
            elif kind == "AT_AddColumn":
                table.columns.append(str(getattr(command, "def").column_def.colname).lower())
            elif kind == "AT_DropColumn" and command.name.lower() in table.columns:
                table.columns.remove(command.name.lower())

    def _rename(self, statement: Any, place: Place) -> None:
        kind = statement.DESCRIPTOR.fields_by_name["rename_type"].enum_type.values_by_number[statement.rename_type].name
        if kind == "OBJECT_TABLE" and statement.relation.relname.lower() in self._tables:
            table = self._tables.pop(statement.relation.relname.lower())
            table.name, table.place = statement.newname.lower(), place
            self._tables[table.name] = table
        elif kind == "OBJECT_POLICY":
            owner = self._table(statement.relation, place)
            policy = owner.policies.pop(statement.subname, None) if owner is not None else None
            if owner is not None and policy is not None:
                policy.name = statement.newname
                owner.policies[policy.name] = policy

    def _drop(self, statement: Any, _place: Place) -> None:
        kind = statement.DESCRIPTOR.fields_by_name["remove_type"].enum_type.values_by_number[statement.remove_type].name
        for entry in statement.objects:
            names = [item.string.sval.lower() for item in entry.list.items] if entry.HasField("list") else []
            if kind == "OBJECT_VIEW" and names:
                self._views.pop(names[-1], None)
            elif kind == "OBJECT_TABLE" and names:
                self._tables.pop(names[-1], None)
            elif kind == "OBJECT_POLICY" and len(names) > 1:
                table = self._tables.get(STORED_FILES if tuple(names[-3:-1]) == _FILES else names[-2])
                if table is not None:
                    table.policies.pop(entry.list.items[-1].string.sval, None)
            elif kind == "OBJECT_FUNCTION" and entry.HasField("object_with_args"):
                self._functions.pop(".".join(item.string.sval for item in entry.object_with_args.objname).removeprefix("public."), None)

    def _view(self, statement: Any, place: Place) -> None:
        """A view without `security_invoker`, unless its own text asks who is calling."""
        name = str(statement.view.relname).lower()
        self._views.pop(name, None)
        if statement.view.schemaname in {"", "public"} and not _invoker(statement.options) and not asks_caller(statement.query):
            self._views[name] = PolicyView(name, tables_of(statement.query), columns_of(statement.query), place)

    def _alter_view(self, statement: Any) -> None:
        for entry in statement.cmds:
            if _invoker(getattr(entry.alter_table_cmd, "def").list.items):
                self._views.pop(statement.relation.relname.lower(), None)

    def _policy(self, statement: Any, place: Place) -> None:
        table = self._table(statement.table, place)
        if table is None:
            return
        roles = frozenset(entry.role_spec.rolename or "public" for entry in statement.roles) or frozenset({"public"})
        using = condition_access(statement.qual, storage=_is_storage(table)) if statement.HasField("qual") else None
        check = condition_access(statement.with_check, storage=_is_storage(table)) if statement.HasField("with_check") else None
        table.policies[statement.policy_name] = _Policy(
            statement.policy_name, statement.cmd_name or "all", roles, using, check, bool(statement.permissive), place
        )

    def _alter_policy(self, statement: Any, place: Place) -> None:
        table = self._table(statement.table, place)
        policy = table.policies.get(statement.policy_name) if table is not None else None
        if policy is None:
            return
        policy.place = place
        if statement.roles:
            policy.roles = frozenset(entry.role_spec.rolename or "public" for entry in statement.roles)
        if statement.HasField("qual"):
            policy.using = condition_access(statement.qual, storage=_is_storage(table))
        if statement.HasField("with_check"):
            policy.check = condition_access(statement.with_check, storage=_is_storage(table))

    def _function(self, statement: Any, place: Place) -> None:
        name = ".".join(item.string.sval for item in statement.funcname).removeprefix("public.")
        self._functions.pop(name, None)
        body, definer = "", False
        for option in statement.options:
            element = option.def_elem
            if element.defname == "security":
                definer = bool(element.arg.boolean.boolval)
            elif element.defname == "as":
                body = " ".join(item.string.sval for item in element.arg.list.items)
        returns = ".".join(item.string.sval for item in statement.return_type.names)
        if not definer or "." in name or returns.endswith(("trigger", "bool")) or not statement.parameters:
            return
        if not _ASKS.search(body):
            self._functions[name] = PolicyFunction(name, _CHANGES.search(body) is not None, place)

    def _grant(self, statement: Any, _place: Place) -> None:
        if statement.is_grant:
            return
        outside = {entry.role_spec.rolename or "public" for entry in statement.grantees} & _OUTSIDE
        for entry in statement.objects:
            if entry.HasField("range_var") and outside & {"anon", "public"} and entry.range_var.relname.lower() in self._views:
                self._views.pop(entry.range_var.relname.lower())
            elif entry.HasField("range_var") and {"anon", "authenticated"} <= outside and entry.range_var.relname.lower() in self._tables:
                self._tables[entry.range_var.relname.lower()].revoked = True
            elif entry.HasField("object_with_args") and outside & {"public", "authenticated"}:
                self._functions.pop(".".join(item.string.sval for item in entry.object_with_args.objname).removeprefix("public."), None)

    def _do(self, statement: Any, place: Place) -> None:
        """Statements written out inside a block are read; what is put together from texts is not."""
        for option in statement.args:
            body = option.def_elem.arg.string.sval
            if _DYNAMIC.search(body):
                self._unread.append((f"{place.path}:{place.line}", "statements on row security are put together while the script runs"))
            for number, found in enumerate(_INNER.finditer(body)):
                if number >= 400:
                    break
                for _, _, node in postgres.statements(found[0]):
                    if node is not None:
                        self._statement(node, Place(place.path, place.line + body.count("\n", 0, found.start())))

    # -- result ------------------------------------------------------------------------------------------------------------------------

    def result(self, files: tuple[str, ...], *, ordered: bool) -> RowPolicies:
        """The end state; tables that no file makes are known only by what was said of them and left out."""
        made = [self._tables[name] for name in sorted(self._tables) if self._tables[name].columns]
        functions = tuple(self._functions[name] for name in sorted(self._functions))
        return RowPolicies(
            tuple(_finished(table) for table in made),
            functions,
            files,
            ordered,
            tuple(sorted(set(self._unread))),
            tuple(self._views[name] for name in sorted(self._views)),
        )


def _finished(table: _Table) -> PolicyTable:
    access: list[tuple[str, Access]] = []
    places: list[tuple[str, Place]] = []
    for command in _COMMANDS:
        if not table.secured:
            access.append((command, Access.ANYBODY))
            continue
        spoken = [(found, policy) for policy in table.policies.values() if (found := policy.access(command)) is not None]
        permissive = [entry for entry in spoken if entry[1].permissive]
        restrictive = [entry[0] for entry in spoken if not entry[1].permissive]
        widest = min(permissive, key=lambda entry: _RANK[entry[0]], default=None)
        if widest is None:
            access.append((command, Access.NOBODY))
            continue
        access.append((command, max(widest[0], *restrictive, key=_RANK.__getitem__) if restrictive else widest[0]))
        places.append((command, widest[1].place))
    return PolicyTable(table.name, tuple(table.columns), table.secured, tuple(access), table.place, tuple(places), table.revoked)


def _is_storage(table: _Table | None) -> bool:
    return table is not None and table.name == STORED_FILES


def _invoker(options: Any) -> bool:
    """Whether a view is told to run with the rights of whoever asks it."""
    for option in options:
        element = option.def_elem
        if element.defname == "security_invoker":
            value = element.arg.string.sval or str(element.arg.boolean.boolval)
            return not element.HasField("arg") or value.lower() in {"true", "on", "1", "yes"}
    return False
