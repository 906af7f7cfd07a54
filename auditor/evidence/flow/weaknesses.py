"""What the tables of all languages share: weaknesses with their items, and small tests on texts with holes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.evidence.flow.language import Harm
from auditor.evidence.flow.values import OWN_HOLE, SETTING, Mark, Value


@dataclass(frozen=True, slots=True)
class Weakness:
    """A kind of harm: the checklist item it belongs to, its CWE, and what happens, in the owner's words."""

    item: str
    cwe: int
    harm: str


_QUERY = "security.sql-parameterised"
_EXECUTION = "security.no-dynamic-execution"
_MARKUP = "security.output-encoded"
_OUTSIDE = "security.outside-paths-and-urls"

WEAKNESSES: dict[str, Weakness] = {
    "sql": Weakness(_QUERY, 89, "becomes part of a query text: whoever sends it can read, change or delete what is in the database"),
    "nosql": Weakness(_QUERY, 943, "becomes a query of its own: an object in place of a text matches every record"),
    "ldap": Weakness(_QUERY, 90, "becomes part of a directory filter: whoever sends it can widen the search or log in as somebody else"),
    "xpath": Weakness(_QUERY, 643, "becomes part of an XPath query: whoever sends it can read other records"),
    "command": Weakness(_EXECUTION, 78, "becomes part of a command line: whoever sends it can run programs on the server"),
    "code": Weakness(_EXECUTION, 95, "is run as code on the server"),
    "template": Weakness(_EXECUTION, 1336, "is run as a template on the server, which can execute code"),
    "deserialise": Weakness(_EXECUTION, 502, "is turned into objects by a loader that can run code"),
    "pattern": Weakness(_EXECUTION, 1333, "is run as a pattern: a crafted one keeps the server busy for minutes"),
    "backtracking": Weakness(
        "security.input-validated",
        1333,
        "is matched with a pattern that can read it in countless ways: a crafted text of forty letters keeps the server busy for hours",
    ),
    "xxe": Weakness(_OUTSIDE, 611, "is read by an XML parser that follows entities: a document can read files of the server"),
    "path": Weakness(_OUTSIDE, 22, "becomes part of a file path: ../ leads out of the folder"),
    "url": Weakness(_OUTSIDE, 918, "chooses the address the server calls: internal services can be reached through it"),
    "redirect": Weakness(_OUTSIDE, 601, "chooses where the visitor is sent: a link to this site can end on another one"),
    "markup": Weakness(_MARKUP, 79, "is shown as mark-up: a script in it runs in other people's browsers"),
    "type": Weakness(_MARKUP, 113, "chooses the type of the answer: what was meant as data can be shown as a page, script included"),
    "prompt": Weakness(
        "security.llm-boundaries", 1427, "is pasted into the instructions of a language model: whoever sends it can overrule them"
    ),
    "trust": Weakness("security.sessions-protected", 501, "is stored in the session unchecked, where later code trusts it"),
}

SOURCES: dict[str, str] = {
    "request": "a request",
    "page": "the page's address",
    "download": "an answer of a server",
    "model": "the answer of a language model",
    "arguments": "the command line",
    "unclear": "a caller that is not in sight",
}
"""Kind of source -> words for it."""

_EXECUTING = frozenset({"code", "command", "template", "deserialise"})
_REACH: dict[str, frozenset[str]] = {
    "arguments": frozenset({"code", "command", "sql", "deserialise"}),
    "download": _EXECUTING | {"markup"},
    "model": _EXECUTING | {"markup", "sql"},
    "page": frozenset({"code", "markup", "redirect"}),
    "unclear": frozenset({"markup"}),
    SETTING: frozenset(),
}
"""What each source can do harm with; a request can do all of it. Whoever starts a program may name files, and a visitor may send their own browser anywhere."""

WEAK_RULES = frozenset(
    {
        "path-probe",
        "filter-injection",
        "session-from-request",
        "nosql-injection",
        "nosql-operator",
        "outside-pattern",
        "entities-by-default",
        "archive-unpacked",
        "catastrophic-pattern",
        "type-from-request",
    }
)
"""Rules whose flow harms only under conditions the code does not show."""

CERTAIN_SOURCES = frozenset({"request", "page", "model", "download"})
"""Sources anybody can feed; the command line belongs to whoever starts the program."""

HANDS_ON = re.compile(
    r"(?:^|[._]|(?<=[a-z]))(?:(?i:format|build|make|join|concat|encode|decode|parse|normali[sz]e|strip|trim|lower|upper|replace|quote|wrap|convert|clean|append|prefix|suffix|merge|copy|assign|"
    r"pick|clone|slice|split|unquote|json|dumps|loads|validate[ds]?)|to|as|str|do)(?:_|$|[A-Z0-9])|(?:Text|String|Path|Url|URL|Html|HTML|Query|Sql|SQL|Name|Command|Params|Filters)$|_(?:text|path|url|query|sql|name)$"
)
"""Names of functions that hand a text on in some form; a function not seen inside and named otherwise looks something up."""
ALL_WEAKNESSES = frozenset(WEAKNESSES)

_SQL_WORDS = re.compile(
    r"\b(?:select\b.{0,400}?\bfrom|insert\s+into|update\b.{0,200}?\bset|delete\s+from|create\s+(?:table|database|user|index)|alter\s+table|drop\s+(?:table|database)|truncate|where\b.{0,200}?=|order\s+by|union\s+select|call\s+\w+|exec\s+\w+|grant\s)",
    re.IGNORECASE | re.DOTALL,
)
_FIXED_HOST = re.compile(r"^[a-z][a-z0-9+.-]*://[^/{}?#\\]+[/?#]", re.IGNORECASE)
_LOCAL_PATH = re.compile(r"^(?:/(?![/\\{])|[?#]|\./)")
_TAG = re.compile(r"<[a-zA-Z!/]")


def is_query(text: str) -> bool:
    """Whether a text with holes reads like SQL."""
    return bool(_SQL_WORDS.search(text))


def has_fixed_host(text: str) -> bool:
    """Whether an address names its host before the first hole from outside."""
    return bool(_FIXED_HOST.match(text)) or text.startswith(OWN_HOLE)


def is_local_target(text: str) -> bool:
    """Whether a redirect target stays on this site whatever is in the holes."""
    return bool(_LOCAL_PATH.match(text)) or has_fixed_host(text)


def has_tags(text: str) -> bool:
    """Whether a text with holes holds mark-up."""
    return bool(_TAG.search(text))


def harmful_mark(value: Value, weakness: str) -> Mark | None:
    """The first mark of `value` that can cause `weakness`."""
    return next((mark for mark in value.harmful(weakness) if weakness in _REACH.get(mark.source, ALL_WEAKNESSES)), None)


def harms(value: Value, weakness: str, rule: str) -> Iterator[Harm]:
    """A value where it can cause `weakness`, as a sink says it."""
    yield weakness, rule, value


def harms_any(values: Iterable[Value], weakness: str, rule: str) -> Iterator[Harm]:
    """As `harms`, over several values."""
    for value in values:
        yield weakness, rule, value
