"""Data that is made up and shown as real: mock and sample records in product code, random numbers under the name of a measurement, fixed figures on a dashboard.

Left alone: folders and files made for it (mocks, stories, seeds, demos, simulations, games), files that look at a switch for a demo or a development mode, random numbers
for ids, animation, jitter, shuffling and sampling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.failures import is_remote
from auditor.model.syntax import FileFacts, HandlerEffect, ImportKind, Value, ValueKind

_MADE_FOR_IT = re.compile(
    r"(?:^|/)(?:_?_?mocks?_?_?|fixtures?|stories|\.?storybook|seeds?|seeders?|seeding|demos?|samples?|examples?|sandbox|playgrounds?|showcase|simulat\w*|games?|dev|devtools|testing|test_?utils?|factories|fakes?|stubs?"
    r"|dummy|benchmarks?|scripts?|training|notebooks?)(?:/|$)|(?:^|[/._-])(?:stories|mocks?|seed\w*|demo\w*|fake\w*|dummy\w*|simulat\w*|playground|example\w*|faker|generators?|generate[_-]\w+|previews?|templates?|populate\w*|loadtest|locustfile)(?:[._-]|$)|(?:^|[/._-])test[_-]|Preview|Template",
    re.IGNORECASE,
)
_SWITCH = re.compile(
    r"(?:use|is|enable|show|with|in|has|allow)_?(?:mock|demo|fake|sample|sandbox|preview)\w*|(?:mock|demo|fake|sandbox|offline|preview|dev|development|test|debug|guest|trial|simulation)[_ -]?mode|NODE_ENV|import\.meta\.env\.(?:DEV|MODE|PROD|VITE_\w*(?:MOCK|DEMO))"
    r"|__DEV__|settings\.DEBUG|app\.debug|\bis_?(?:dev|prod)\w*|(?:DEMO|MOCK|FAKE)_?(?:MODE|DATA_ENABLED|ENABLED)|storybook|msw\b|SPACES?_ID",
    re.IGNORECASE,
)
"""What a file says that shows its made-up data only under a switch, or never in production."""
_RECORDS = (
    r"data|users?|orders?|products?|items|customers?|clients|transactions?|posts|reviews|stats|statistics|metrics|results?|response|messages|notifications|events|bookings|appointments|tasks|projects|invoices"
    r"|employees|students|courses|patients|records|rows|reports?|analytics|articles|jobs|tickets|leads|contacts|accounts|payments|activities|activity|comments|profiles?|listings|properties|history|chart\w*|members|teams|vehicles"
)
_PARTS = (
    r"\w*(?:server|request|req|res|response|config\w*|store|client|provider|context|event|fn|function|api|adapter|element|window|document|router|socket|file|mode|service|timer|logger|agent|name|email|password|hash|key|id"
    r"|token|url|image|icon|target|node|input|template|implementation\w*)$"
)
"""Parts of a program that are imitated for reasons of their own (a dummy hash against timing, a request object for a handler)."""
_MADE_UP = re.compile(
    rf"^(?:_?(?:mock|fake|dummy)(?:ed)?_?(?!{_PARTS})\w*|(?:sample|demo|SAMPLE|DEMO)_?(?:{_RECORDS})|(?:get|generate|create|build|load)_?(?:mock|fake|dummy|sample|demo)_?(?:{_RECORDS})\w*)$",
    re.IGNORECASE,
)
_MODULE = re.compile(r"(?:^|[/_-])(?:mock|dummy|fake|sample)[_-]?data(?:$|[./])|(?:^|/)mocks?(?:/|$)", re.IGNORECASE)
_FIRST_PARTY = re.compile(r"^(?:\.|@/|~/|src/|app/)")
_RANDOM = re.compile(
    r"^(?:Math\.random|random\.(?:randint|uniform|random|gauss|randrange|normalvariate|triangular|choice)|(?:np|numpy)\.random\.\w+|faker?\.\w[\w.]*|chance\.\w+|secrets\.randbelow)$"
)
_MEASURED = frozenset(
    [
        "score",
        "scores",
        "confidence",
        "accuracy",
        "price",
        "prices",
        "revenue",
        "sales",
        "profit",
        "balance",
        "temperature",
        "humidity",
        "cpu",
        "memory",
        "uptime",
        "visitors",
        "views",
        "likes",
        "followers",
        "subscribers",
        "rating",
        "ratings",
        "reviews",
        "sentiment",
        "growth",
        "conversion",
        "engagement",
        "risk",
        "occupancy",
        "traffic",
        "users",
        "orders",
        "clicks",
        "impressions",
        "downloads",
        "stock",
        "inventory",
        "demand",
        "calories",
        "steps",
        "heartrate",
        "bmi",
        "similarity",
        "relevance",
        "sentiment_score",
        "match_score",
        "matchscore",
    ]
)
_ANOTHER_USE = re.compile(
    r"particle|confetti|star|dot|bubble|animat|shuffle|noise|jitter|sampl|seed|monte|simulat|mutat|crossover|backoff|retry|delay|skeleton|placeholder|init|weights|augment|experiment|variant|canary|rollout|generate_?(?:id|key|code|token|name|test|mock|fake|demo)|game|enemy|player|bot|spawn|dice",
    re.IGNORECASE,
)
_GAME = re.compile(r"\b(?:game|gameplay|player|enemy|enemies|dice|phaser|pygame|three|monte.?carlo|simulation|simulator)\b", re.IGNORECASE)
_FIGURE = re.compile(r"^[$€£¥]?\s?\d[\d,.]*\s?(?:[kKmM%+]|hrs?|ms|s|h)?$")
_CHANGE = re.compile(r"^[+-]\s?\d+(?:[.,]\d+)?\s?%")
_ADVERTISING = re.compile(r"landing|hero|marketing|pricing|about|home\b|feature|testimonial|cta|banner|welcome", re.IGNORECASE)
_MAKES = re.compile(r"^(?:get|generate|create|build|load)_?", re.IGNORECASE)
_LEAST_FIGURES = 2
_LEAST_NUMBERS = 3


@dataclass(frozen=True, slots=True)
class Invention:
    """One place where made-up data stands for real data; `what` names it, `rule` says of which kind it is."""

    path: str
    line: int
    end_line: int
    rule: str
    what: str


def is_made_for_it(path: str) -> bool:
    """Whether a file's place says that it holds invented data on purpose."""
    return bool(_MADE_FOR_IT.search(path))


def has_switch(text: str) -> bool:
    """Whether a file knows a mode of its own for demonstrations or development."""
    return bool(_SWITCH.search(text))


def inventions(facts: FileFacts, text: str) -> tuple[Invention, ...]:
    """The made-up data of one production file; nothing where a switch is known or the file was made for it."""
    if is_made_for_it(facts.path):
        return ()
    found = (*_records(facts), *_instead_of_an_answer(facts), *_measurements(facts, text), *_figures(facts))
    return () if found and has_switch(text) else found


def _records(facts: FileFacts) -> Iterator[Invention]:
    """Mock records that stand in the file or are imported from a file of such."""
    for statement in facts.imports:
        if statement.kind is ImportKind.TYPE_ONLY or not (_FIRST_PARTY.match(statement.module) or statement.from_form):
            continue
        names = [
            local for _, local in statement.names if local and (_MADE_UP.match(local) or _MODULE.search(statement.module.replace(".", "/")))
        ]
        if names and not all(name[:1].isupper() and not name.isupper() for name in names):  # types and components are no records
            yield Invention(facts.path, statement.line, statement.line, "mock-data", names[0])
    for assignment in facts.assignments:
        value = assignment.value
        if value is not None and _MADE_UP.match(assignment.target) and _holds_records(value) and not _is_owned(facts, assignment.scope):
            yield Invention(facts.path, assignment.line, assignment.line, "mock-data", assignment.target)

    for call in facts.calls:
        name = call.callee.rpartition(".")[2]
        if _MAKES.match(name) and _MADE_UP.match(name) and call.used and not _is_owned(facts, call.scope):
            yield Invention(facts.path, call.line, call.line, "mock-data", f"{name}()")


def _is_owned(facts: FileFacts, scope: int) -> bool:
    """Whether a function around a place says in its name that it makes data up, or shows an example: what matters then is who uses it."""
    while scope >= 0:
        if re.search(
            r"mock|fake|dummy|demo|sample|template|preview|example|export|download|import|test|seed",
            facts.definitions[scope].name,
            re.IGNORECASE,
        ):
            return True
        scope = facts.definitions[scope].parent
    return False


def _holds_records(value: Value) -> bool:
    """Whether a value is a list of records, a table of them, or a row of figures."""
    inner = [item for _, item in value.items] if value.kind is ValueKind.COLLECTION else []
    return (
        any(item.kind is ValueKind.COLLECTION for item in inner) or sum(item.kind is ValueKind.NUMBER for item in inner) >= _LEAST_NUMBERS
    )


def _instead_of_an_answer(facts: FileFacts) -> Iterator[Invention]:
    """Handlers that go on with made-up data when another system did not answer."""
    for handler in facts.handlers:
        if handler.effect is HandlerEffect.RAISE or not any(is_remote(callee) for callee in handler.tried):
            continue
        lines = range(handler.line, handler.end_line + 1)
        names = [name for a in (*facts.returns, *facts.assignments) if a.line in lines and a.value is not None for name in a.value.names]
        names += [name for call in facts.calls if call.line in lines for argument in call.arguments for name in argument.value.names]
        made_up = next((name for name in [*names, *handler.calls] if _MADE_UP.match(name.rpartition(".")[2])), "")
        if made_up:
            yield Invention(facts.path, handler.line, handler.end_line, "mock-data-instead-of-error", made_up)


def _measurements(facts: FileFacts, text: str) -> Iterator[Invention]:
    """Random numbers under a name that stands for something measured or counted."""
    if not any(_RANDOM.match(call.callee) for call in facts.calls) or _GAME.search(text):
        return
    seen: set[int] = set()
    for name, value, line, scope in _named(facts):
        if line in seen or not _is_random(value) or not _measures(name):
            continue
        around = facts.definitions[scope].qualname if scope >= 0 else ""
        if not _ANOTHER_USE.search(f"{around} {name}"):
            seen.add(line)
            yield Invention(facts.path, line, line, "random-as-measurement", name)


def _named(facts: FileFacts) -> Iterator[tuple[str, Value, int, int]]:
    """(name, value, line, scope) of everything that gets a name: variables, keys of a literal, keyword arguments, state setters."""
    for assignment in (*facts.assignments, *facts.returns):
        if assignment.value is not None:
            yield assignment.target, assignment.value, assignment.line, assignment.scope
            yield from ((key, item, assignment.line, assignment.scope) for key, item in _entries(assignment.value))
    for call in facts.calls:
        setter = re.match(r"^set([A-Z]\w*)$", call.callee)
        for argument in call.arguments:
            yield argument.name or (setter[1] if setter else ""), argument.value, call.line, call.scope
            yield from ((key, item, call.line, call.scope) for key, item in _entries(argument.value))


def _entries(value: Value, depth: int = 3) -> Iterator[tuple[str, Value]]:
    if value.kind is ValueKind.COLLECTION and depth:
        for key, item in value.items:
            yield key, item
            yield from _entries(item, depth - 1)


def _is_random(value: Value) -> bool:
    return value.kind in {ValueKind.CALL, ValueKind.OPERATION} and any(_RANDOM.match(name) for name in value.names)


def _measures(name: str) -> bool:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name.rpartition(".")[2])
    return bool(_MEASURED & {word.lower() for word in words}) and len(words) <= 4


def _figures(facts: FileFacts) -> Iterator[Invention]:
    """Dashboard figures written into the page, each with its change since last month."""
    if _ADVERTISING.search(facts.path) or not facts.path.endswith((".tsx", ".jsx", ".vue", ".svelte")):
        return
    for assignment in facts.assignments:
        value = assignment.value
        if value is None or value.kind is not ValueKind.COLLECTION:
            continue
        entries = [dict(item.items) for _, item in value.items if item.kind is ValueKind.COLLECTION]
        if sum(_is_figure(entry) for entry in entries) >= _LEAST_FIGURES:
            yield Invention(facts.path, assignment.line, assignment.line, "fixed-figures", assignment.target)


def _is_figure(entry: dict[str, Value]) -> bool:
    literals = [item.literal for item in entry.values() if item.kind in {ValueKind.STRING, ValueKind.NUMBER}]
    return any(_CHANGE.match(text) for text in literals) and any(_FIGURE.match(text) for text in literals)
