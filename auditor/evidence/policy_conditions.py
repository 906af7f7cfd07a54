"""Whom the condition of a row policy lets through, read from PostgreSQL's syntax tree: constants folded, tautologies seen, questions about the caller told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.model.evidence import Access

_CALLER_FUNCTIONS = frozenset({"auth.uid", "auth.jwt", "auth.email", "current_setting"})
_PLAIN_FUNCTIONS = frozenset(
    {
        "now", "lower", "upper", "coalesce", "count", "length", "trim", "btrim", "array_length", "cardinality", "current_date", "jsonb_typeof",
        "to_jsonb", "date_trunc", "clock_timestamp", "timezone", "string_to_array", "split_part", "position", "char_length",
    }
)  # fmt: skip
_EDITABLE = ('sval: "user_metadata"', 'sval: "raw_user_meta_data"')
"""Claims that every account can change for itself."""
_ACCOUNTS = frozenset({"users", "profiles", "user_profiles"})
_OWN_KEY = frozenset({"id", "user_id", "auth_user_id", "auth_id"})
_RANK = {access: number for number, access in enumerate(Access)}
_DEPTH = 60
_EQUAL = frozenset({"=", "=="})
_UNEQUAL = frozenset({"<>", "!="})


def condition_access(node: Any, depth: int = _DEPTH, *, storage: bool = False) -> Access:
    """Whom a condition lets through; `storage`: on the table of stored files, where naming the bucket asks nothing of the caller."""
    node = _plain(node)
    kind = node.WhichOneof("node")
    if not depth:
        return Access.CALLER
    folded = _folded(node, depth)
    if folded is not None:
        return Access.ANYBODY if folded else Access.NOBODY
    if kind == "bool_expr":
        operator = _enum(node.bool_expr, "boolop")
        inner = [condition_access(entry, depth - 1, storage=storage) for entry in node.bool_expr.args]
        if operator == "OR_EXPR":
            return min(inner, key=_RANK.__getitem__)
        if operator == "AND_EXPR":
            return max(inner, key=_RANK.__getitem__)
    if storage and _names_bucket(node):
        return Access.ANYBODY
    return _of_role(node) or _of_question(node, kind, depth)


def _of_question(node: Any, kind: str | None, depth: int) -> Access:
    """A single condition, by the functions in it."""
    functions = set(_functions(node, depth))
    caller = functions & _CALLER_FUNCTIONS
    others = functions - _CALLER_FUNCTIONS - _PLAIN_FUNCTIONS - {"auth.role"}
    text = str(node)[:20_000]
    if not others and any(claim in text for claim in _EDITABLE) and "auth.uid" not in functions:
        return Access.LOGGED_IN
    if others or (caller and not _only_asks_for_login(kind, text) and not _has_own_account(node)):
        return Access.CALLER
    if caller or ("auth.role" in functions and "authenticated" in text):
        return Access.LOGGED_IN
    return Access.CALLER if "auth.role" in functions or 'sval: "current_user"' in text else Access.CONDITION


def _only_asks_for_login(kind: str | None, text: str) -> bool:
    return kind == "null_test" and "IS_NOT_NULL" in text and "column_ref" not in text


def _has_own_account(node: Any) -> bool:
    """`exists (select 1 from profiles where id = auth.uid())`: every account has such a row."""
    if node.WhichOneof("node") != "sub_link" or _enum(node.sub_link, "sub_link_type") != "EXISTS_SUBLINK":
        return False
    select = node.sub_link.subselect.select_stmt
    tables = [entry.range_var.relname for entry in select.from_clause if entry.WhichOneof("node") == "range_var"]
    where = _plain(select.where_clause)
    if len(tables) != 1 or len(select.from_clause) != 1 or tables[0] not in _ACCOUNTS or where.WhichOneof("node") != "a_expr":
        return False
    left, right = _plain(where.a_expr.lexpr), _plain(where.a_expr.rexpr)
    column = left if left.WhichOneof("node") == "column_ref" else right
    other = right if column is left else left
    names = _column(column)
    return bool(names) and names[-1] in _OWN_KEY and _called(other) == "auth.uid"


def _of_role(node: Any) -> Access | None:
    """A comparison of the role of the caller: everybody is `anon` or `authenticated`."""
    if node.WhichOneof("node") != "a_expr":
        return None
    sign = node.a_expr.name[0].string.sval if node.a_expr.name else ""
    left = _plain(node.a_expr.lexpr)
    if _called(left) != "auth.role" and not _is_role_claim(left):
        return None
    right = node.a_expr.rexpr
    entries = right.list.items if right.WhichOneof("node") == "list" else [right]
    roles = {_constant(entry) for entry in entries}
    if sign in _EQUAL and "anon" in roles:
        return Access.ANYBODY
    if sign in _EQUAL and roles == {"authenticated"}:
        return Access.LOGGED_IN
    if sign in _UNEQUAL and roles == {"anon"}:
        return Access.LOGGED_IN
    return None


def _is_role_claim(node: Any) -> bool:
    """`auth.jwt() ->> 'role'`."""
    if node.WhichOneof("node") != "a_expr" or not node.a_expr.name or node.a_expr.name[0].string.sval != "->>":
        return False
    return _called(_plain(node.a_expr.lexpr)) == "auth.jwt" and _constant(node.a_expr.rexpr) == "role"


def _names_bucket(node: Any) -> bool:
    if node.WhichOneof("node") != "a_expr":
        return False
    return any(_column(_plain(side))[-1:] == ["bucket_id"] for side in (node.a_expr.lexpr, node.a_expr.rexpr)) and not list(
        _functions(node, _DEPTH)
    )


# -- queries of views ---------------------------------------------------------------------------------------------------------------


def asks_caller(query: Any) -> bool:
    """Whether a query looks at who is calling, or calls a function that may."""
    plain = {
        "sum",
        "avg",
        "min",
        "max",
        "row_number",
        "rank",
        "dense_rank",
        "round",
        "concat",
        "json_build_object",
        "jsonb_build_object",
        "array_agg",
    }
    plain |= {
        "json_agg",
        "jsonb_agg",
        "string_agg",
        "date_part",
        "extract",
        "to_char",
        "greatest",
        "least",
        "age",
        "abs",
        "nullif",
        "unnest",
        "bool_or",
    }
    return any(name not in _PLAIN_FUNCTIONS | plain for name in _functions(query, _DEPTH))


def tables_of(query: Any) -> tuple[str, ...]:
    """The tables a query reads, in its own schema."""
    found = {str(node.relname).lower() for node in _messages(query, "RangeVar") if node is not None and node.schemaname in {"", "public"}}
    return tuple(sorted(found))


def columns_of(query: Any) -> tuple[str, ...]:
    """The columns the outermost query shows as they are; "*" for all of a table."""
    found: list[str] = []
    for target in query.select_stmt.target_list:
        value = target.res_target.val
        if value.WhichOneof("node") == "column_ref":
            last = value.column_ref.fields[-1]
            found.append("*" if last.WhichOneof("node") == "a_star" else last.string.sval.lower())
    return tuple(dict.fromkeys(found))


# -- constants ---------------------------------------------------------------------------------------------------------------------


def _folded(node: Any, depth: int) -> bool | None:
    """True or false where a condition is always so, None where it depends."""
    node = _plain(node)
    kind = node.WhichOneof("node")
    if not depth:
        return None
    if kind == "a_const":
        value = _constant(node)
        return value if isinstance(value, bool) else None
    if kind == "bool_expr" and _enum(node.bool_expr, "boolop") == "NOT_EXPR":
        inner = _folded(node.bool_expr.args[0], depth - 1)
        return None if inner is None else not inner
    if kind == "coalesce_expr" and node.coalesce_expr.args:
        return _folded(node.coalesce_expr.args[0], depth - 1)
    if kind == "boolean_test":
        inner = _folded(node.boolean_test.arg, depth - 1)
        wanted = _enum(node.boolean_test, "booltesttype")
        return None if inner is None or wanted not in {"IS_TRUE", "IS_FALSE"} else inner is (wanted == "IS_TRUE")
    return _compared(node) if kind == "a_expr" else None


def _compared(node: Any) -> bool | None:
    """A comparison of two constants, or of a column with itself."""
    sign = node.a_expr.name[0].string.sval if node.a_expr.name else ""
    if sign not in _EQUAL | _UNEQUAL or _enum(node.a_expr, "kind") != "AEXPR_OP":
        return None
    left, right = _plain(node.a_expr.lexpr), _plain(node.a_expr.rexpr)
    one, other = _constant(left), _constant(right)
    if one is not None and other is not None:
        return (one == other) is (sign in _EQUAL)
    same = _column(left)[-1:] == _column(right)[-1:] != []  # outside a sub-query both are columns of the table itself
    return True if same and sign in _EQUAL else None


def _plain(node: Any) -> Any:
    """A node without casts, and the one value of `(select value)`."""
    for _ in range(_DEPTH):
        kind = node.WhichOneof("node")
        if kind == "type_cast":
            node = node.type_cast.arg
        elif kind == "sub_link" and _enum(node.sub_link, "sub_link_type") == "EXPR_SUBLINK":
            select = node.sub_link.subselect.select_stmt
            if select.from_clause or select.HasField("where_clause") or len(select.target_list) != 1:
                return node
            node = select.target_list[0].res_target.val
        else:
            return node
    return node


def _constant(node: Any) -> str | int | bool | None:
    node = _plain(node)
    if node.WhichOneof("node") != "a_const":
        return None
    value = node.a_const
    which = value.WhichOneof("val")
    if which == "boolval":
        return bool(value.boolval.boolval)
    if which == "ival":
        return int(value.ival.ival)
    return str(value.sval.sval) if which == "sval" else None


def _column(node: Any) -> list[str]:
    if node.WhichOneof("node") != "column_ref":
        return []
    return [entry.string.sval.lower() for entry in node.column_ref.fields if entry.WhichOneof("node") == "string"]


def _called(node: Any) -> str:
    if node.WhichOneof("node") != "func_call":
        return ""
    return ".".join(item.string.sval for item in node.func_call.funcname)


def _enum(message: Any, name: str) -> str:
    """The name of an enumeration's value."""
    return str(message.DESCRIPTOR.fields_by_name[name].enum_type.values_by_number[getattr(message, name)].name)


def _functions(message: Any, depth: int) -> Iterator[str]:
    """Names of the functions a tree calls."""
    for node in _messages(message, "FuncCall", depth * 6):
        yield "deeper than it is read" if node is None else _name(node)


def _name(call: Any) -> str:
    return ".".join(item.string.sval for item in call.funcname).removeprefix("pg_catalog.").removeprefix("public.")


def _messages(message: Any, kind: str, deepest: int = _DEPTH * 6) -> Iterator[Any]:
    """All nodes of one kind in a tree, walked without recursion; None where it is deeper than it is read."""
    pending: list[tuple[Any, int]] = [(message, 0)]
    while pending:
        current, level = pending.pop()
        if level > deepest:
            yield None
            return
        if current.DESCRIPTOR.name == kind:
            yield current
        for descriptor, value in current.ListFields():
            if descriptor.message_type is None:
                continue
            children = value if hasattr(value, "__len__") and not hasattr(value, "ListFields") else [value]
            pending.extend((child, level + 1) for child in children)
