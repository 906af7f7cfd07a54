"""Logins that tell a name nobody has from a wrong password: whoever asks learns who has an account here.

Two different answers in one login are looked for, not one: "Wrong password" alone may be what everybody is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.log_statements import calls
from auditor.checks.reach import within
from auditor.checks.session_tokens import Gap, runs_on_server
from auditor.model.evidence import Routes
from auditor.model.project import Project
from auditor.model.syntax import FileFacts, Literal, Syntax

_LOGIN = re.compile(r"(?:^|[/_.-])(?:log-?_?in|sign-?_?in|authenticate)(?:$|[/_.-])|[lL]og[iI]n|[sS]ign[iI]n|authenticate(?=$|[A-Z_])")
_OTHER = re.compile(r"sign-?_?up|regist|reset|forgot|recover|log-?_?out|invite|valid(?:ator|ation)|schema", re.IGNORECASE)
_ACCOUNT = r"(?:user(?:[ _-]?name)?|account|e-?mail(?: address)?|login)"
_NOBODY = re.compile(
    rf"\b{_ACCOUNT}\b[^.]{{0,25}}\b(?:not (?:found|registered|known|exist)|(?:does not|doesn['\u2019]t|didn['\u2019]t) exist|unknown)"
    rf"|\b(?:no (?:such )?|unknown |(?:can(?:not|['\u2019]t)|could not) find (?:the |your |this |a )?){_ACCOUNT}\b|^(?:invalid|wrong|incorrect) {_ACCOUNT}[.!]?$",
    re.IGNORECASE,
)
_PASSWORD = re.compile(
    r"\b(?:wrong|incorrect|invalid|bad) password\b|\bpassword\b[^.]{0,15}\b(?:(?:is |was )?(?:not correct|incorrect|wrong|invalid)|(?:does not|doesn['\u2019]t|did not|didn['\u2019]t) match)",
    re.IGNORECASE,
)
_EITHER = re.compile(r"\b(?:or|and|and/or|/)\s*(?:the )?(?:password|user|e-?mail)|combination|credentials", re.IGNORECASE)


def account_hints(syntax: Syntax, project: Project, routes: Routes) -> Iterator[Gap]:
    """Each login of the server that gives two different answers."""
    handlers = {
        (route.place.path, route.handler_scope) for route in routes.routes if _LOGIN.search(route.path) and not _OTHER.search(route.path)
    }
    for facts in syntax.of(project.server):
        if not runs_on_server(facts.path, project):
            continue
        found: dict[int, Literal] = {}
        for index, definition in enumerate(facts.definitions):
            if (facts.path, index) in handlers or (_LOGIN.search(definition.name) and not _OTHER.search(definition.name)):
                hint = _hint(facts, within(facts, index))
                if hint is not None:
                    found[hint.line] = hint
        for line in sorted(found):
            message = "The login says whether the name or the password was wrong: whoever tries a list of addresses learns who has an account here."
            yield Gap("account-told-apart", facts.path, line, line, message, 204, certain=False)


def _hint(facts: FileFacts, inside: frozenset[int]) -> Literal | None:
    """The answer that says that nobody has this name, where another one says that the password is wrong."""
    logged = {line for call, _ in calls(facts) for line in range(call.line, call.end_line + 1)}
    texts = [
        literal
        for literal in facts.literals
        if literal.scope in inside and literal.line not in logged and len(literal.text) < 120 and not _EITHER.search(literal.text)
    ]
    nobody = next((literal for literal in texts if _NOBODY.search(literal.text)), None)
    wrong = next((literal for literal in texts if _PASSWORD.search(literal.text) and literal is not nobody), None)
    return nobody if wrong is not None else None
