"""Logins to databases as the code writes them: a password that stands in the call, or none at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.certificates import LOCAL_HOST
from auditor.model.syntax import FileFacts, Value, ValueKind
from auditor.placeholders import is_placeholder, is_reference

_CONNECTS = re.compile(
    r"^(?:mysql\.connector|pymysql|MySQLdb|psycopg2?|asyncpg|aiomysql|aiopg|mariadb|pyodbc|pymssql|cx_Oracle|oracledb|pymongo|psycopg2\.pool)\.(?:connect|create_pool|SimpleConnectionPool|ThreadedConnectionPool|MongoClient)$"
    r"|^(?:mysql2?|mariadb|promise|mysql2/promise)\.(?:createConnection|createPool)$|^new (?:pg\.)?(?:Pool|Client|DataSource|Sequelize|ConnectionPool)$"
)
_USERS = ("user", "username", "USER", "db_user")
_PASSWORDS = ("password", "passwd", "PASSWORD", "pwd")
_HOSTS = ("host", "server", "HOST")
_ADDRESS = re.compile(r"^[a-z][a-z0-9]{2,15}(?:\+\w{2,15})?://[^\s:/@{}<>$%]{1,60}:@(?P<host>[^\s/:?]{1,200})")


@dataclass(frozen=True, slots=True)
class Login:
    """One login; `empty`: without any password; `local`: the host is named and is the own machine."""

    line: int
    end_line: int
    empty: bool
    local: bool


def database_logins(facts: FileFacts) -> Iterator[Login]:
    """The logins of one file whose password the code decides."""
    for call in facts.calls:
        if _CONNECTS.match(call.callee):
            options = {argument.name: argument.value for argument in call.arguments if argument.name}
            for argument in call.arguments:
                options |= dict(argument.value.items) if argument.value.kind is ValueKind.COLLECTION else {}
            yield from _login(options, call.line, call.end_line)
    for assignment in facts.assignments:
        if assignment.value is None:
            continue
        if assignment.target == "DATABASES":
            for _, entry in assignment.value.items:
                yield from _login(dict(entry.items), assignment.line, assignment.line)
        found = _ADDRESS.match(assignment.value.literal) if assignment.value.kind is ValueKind.STRING else None
        if found:
            yield Login(assignment.line, assignment.line, empty=True, local=_is_local(found["host"]))


def _login(options: dict[str, Value], line: int, end_line: int) -> Iterator[Login]:
    user, password, host = (_first(options, names) for names in (_USERS, _PASSWORDS, _HOSTS))
    if user is None or password is None or password.kind is not ValueKind.STRING or user.kind is not ValueKind.STRING or not user.literal:
        return
    word = password.literal
    if word and (
        is_reference(word)
        or re.search(r"[<>{}]|\.{3}|^your|change|xxx", word, re.IGNORECASE)
        or (is_placeholder(word) and not word.isalnum())
    ):
        return
    where = host.literal if host is not None and host.kind is ValueKind.STRING else ""
    yield Login(line, end_line, empty=not word, local=_is_local(where))


def _first(options: dict[str, Value], names: tuple[str, ...]) -> Value | None:
    return next((options[name] for name in names if name in options), None)


def _is_local(host: str) -> bool:
    """Whether a host is the own machine or a name of its network alone; none given means the own machine."""
    return not host or bool(LOCAL_HOST.search(f"//{host}/"))
