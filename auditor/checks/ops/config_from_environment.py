"""What differs between environments comes from the environment or config, documented and checked at start.

Passing title: Settings come from the environment, are written down, and a missing one stops the start
Failing title: Addresses and paths of one machine are built into the program
Grading: Three sub-claims: no address, path or host of one environment stands in production code; the settings read are listed in an example file or document; a missing essential one stops the
    start with a message. b is the share not met, half a claim where it is met in part. When more such values are hard-coded than settings are read, and at least three, it fails.
    Fallbacks for harmless options, messages, development branches and local addresses a program merely compares with are left out.
Done when: a search for `localhost`, home directories and host names finds none in production code, `.env.example` names every setting, and starting without an essential one ends with a message that names it.
What it cannot see: settings stored in the database or a secret manager, values that look general and are not (company names, numbers), and whether the documented meaning is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from auditor.checks.environment_names import Setting, settings_models, settings_of, written_down
from auditor.checks.registry import check
from auditor.model.artifacts import EnvironmentFile, TaskFile
from auditor.model.needs import ENVIRONMENT_FILES, PROJECT, SNAPSHOT, SYNTAX, TASKS, TEXTS
from auditor.model.project import RUNNING, Kind, Project
from auditor.model.snapshot import Snapshot
from auditor.model.syntax import FileFacts, Literal, Syntax, ValueKind
from auditor.model.verdict import Assessed, Finding, Judgement, NotApplicable, Place
from auditor.words import listed, plural

_LOCAL = re.compile(
    r"^(?:https?|wss?|redis|amqps?|mongodb(?:\+srv)?|postgres(?:ql)?(?:\+\w+)?|mysql(?:\+\w+)?|kafka|nats|mqtt|grpc|tcp)://(?:[^/@\s{}]{1,100}@)?(?:localhost|127\.0\.0\.1|host\.docker\.internal|0\.0\.0\.0|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+):\d{2,5}(?:[/?]|$)|^(?:localhost|127\.0\.0\.1):\d{2,5}$",
    re.IGNORECASE,
)
_HOME = re.compile(
    r"^(?:/home/(?!app\b|node\b|user/app\b)[a-z][\w.-]{1,40}/|/Users/(?!Shared/)[A-Za-z][\w.-]{1,40}/|[A-Z]:\\{1,2}Users\\{1,2}[^\\]{1,60}\\|[A-Z]:/Users/[^/]{1,60}/)"
)
_SERVER = re.compile(r"^https?://(?!(?:0|127|10|192\.168|255)\.)(?:\d{1,3}\.){3}\d{1,3}(?::\d{2,5})?(?:/|$)")
_DEPLOYED = re.compile(
    r"^(?:https?|wss?)://[\w.-]{1,100}\.(?:supabase\.co|vercel\.app|netlify\.app|herokuapp\.com|onrender\.com|up\.railway\.app|fly\.dev|ngrok(?:-free)?\.(?:io|app)|azurewebsites\.net|run\.app|replit\.(?:dev|app)|repl\.co|pythonanywhere\.com|trycloudflare\.com|execute-api\.[\w-]+\.amazonaws\.com|firebaseio\.com)(?:[:/?]|$)"
)
_DATA_URL = re.compile(r"^(?:sqlite(?:\+\w+)?|file):/{3,4}(?!:memory:)[^\s?]{1,200}\.(?:db|sqlite3?)\b")
_DATA_FILE = re.compile(r"^[\w./\\-]{1,200}\.(?:db|sqlite3?)$")
_NAMES_DATA = re.compile(r"DATABASE|SQLITE|(?:^|_)DB(?:_|$)|DATA_(?:DIR|PATH)")
_OPENS_DATA = re.compile(
    r"(?:^|\.)(?:connect|Database|DatabaseSync|create_engine|create_async_engine|SqliteDatabase|TinyDB|open_database)$|^new (?:\w+\.)?(?:Database|DatabaseSync)$",
    re.IGNORECASE,
)
_MESSAGE = re.compile(
    r"^(?:print|console\.\w+|log\w*\.\w+|_?logger\.\w+|logging\.\w+|click\.echo|typer\.echo|app\.logger\.\w+|fastify\.log\.\w+|st\.\w+|rich\.print|sys\.std\w+\.write|alert|toast(?:\.\w+)?)$"
)
_DEVELOPMENT_LINE = re.compile(
    r"\bDEV\b|develop|isDev|is_dev|NODE_ENV|\bdebug\b|DEBUG|[iI]s_?[pP]rod|PROD|[cC]onfig\w*\.get|\bbind\b|\blisten\w*|startsWith|startswith|includes\(|endsWith|placeholder|example|e\.g\.|description|help=|__main__|schemes?\b|\blocal\b.{0,20}[=:]",
    re.IGNORECASE,
)
_SETTING_NAME = re.compile(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$")
_ASKED_OR_COMPARED = re.compile(r"[\"'][A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+[\"']\s*[,)]|[!=]==?\s*[\"'`]{2}")
_DEVELOPMENT_BRANCH = re.compile(
    r"\bif\b[^\n]{0,80}(?:\bDEV\b|isDev|is_dev|NODE_ENV|[iI]s_?[pP]rod|PRODUCTION|DEBUG|development|\bdebug\b)"
)
_UNSET_BRANCH = re.compile(
    r"\bif\b[^\n]{0,120}(?:\bis None\b|\bnot [\w.]{1,60}|==\s*null\b|={2,3}\s*undefined\b|\(![\w.]{1,60}\))[^\n]{0,20}[:{)]?\s*$"
)
"""What stands below it holds where nothing was set."""
_BEHIND_A_SETTING = re.compile(r"(?:\?\?|\|\||\bor\b)\s*[\"'`(]*$")
_DEFAULT_OF_A_PROPERTY = re.compile(r"^\s*\w{1,60}\s*=\s*[\"'`]{2},?\s*$")
"""A line of a destructured parameter, without its text: whoever calls gives another value."""
_DEVELOPMENT_FILE = re.compile(
    r"(?:^|/)(?:[\w.-]*\.)?(?:dev|develop\w*|local|ci|serve|contrib|playground|mock\w*|stub\w*|populate|seed\w*|debug|storybook|example\w*)(?:[._/-]|$)",
    re.IGNORECASE,
)
_ESSENTIAL = re.compile(
    r"^(?:\w+_)?(?:DATABASE_UR[IL]|DB_UR[IL]|MONGO\w*_UR[IL]|POSTGRES_URL|SECRET_KEY|APP_SECRET|JWT_SECRET\w*|SESSION_SECRET|AUTH_SECRET|NEXTAUTH_SECRET|COOKIE_SECRET|ENCRYPTION_KEY|SUPABASE_URL|SUPABASE_(?:ANON_|SERVICE_ROLE_|PUBLISHABLE_)?KEY|API_URL|API_BASE_URL|BACKEND_URL)$|^SECRET$"
)
_SETTINGS_LIBRARY = frozenset(
    {"configparser", "dynaconf", "config", "convict", "nconf", "omegaconf", "hydra", "confuse", "rc", "cosmiconfig"}
)
_SETTINGS_EXAMPLE = re.compile(
    r"(?:^|/)(?:local[_-]?)?(?:config|configuration|settings)[\w-]{0,30}[._-](?:example|sample|template|dist)(?:\.\w{1,6})?$|(?:^|/)example[._-](?:config|settings)\.\w{1,6}$",
    re.IGNORECASE,
)
_CONFIGURATION_ERROR = re.compile(r"ImproperlyConfigured|Config(?:uration)?Error|\bconfigur\w+\b|\bsetting\b", re.IGNORECASE)
_NEAR = 2
_DATA_KEPT = "the file the data is kept in"
_ADDRESS = re.compile(r"^(?:\w+(?:\+\w+)?://)?(?:[^/@\s]{1,100}@)?([\w.-]{1,120}(?::\d{2,5})?)(?:[/?]|$)")


@dataclass(frozen=True, slots=True)
class _HardCoded:
    """A value of one environment in production code, in words; `key` is equal for the same value at several places; `weak`: a file beside the program."""

    place: Place
    what: str
    key: str
    weak: bool
    count: int = 1


@check("ops.config-from-environment", needs=(SNAPSHOT, TEXTS, PROJECT, SYNTAX, ENVIRONMENT_FILES, TASKS), tolerance=0.1)
def config_from_environment(  # noqa: PLR0917 - evidence comes by position
    snapshot: Snapshot,
    texts: dict[str, str],
    project: Project,
    syntax: Syntax,
    files: tuple[EnvironmentFile, ...],
    tasks: tuple[TaskFile, ...],
) -> Judgement:
    """Judge the three sub-claims over production code."""
    settings = settings_of(project, syntax, tasks)
    files_of_code = [facts for facts in syntax.of(project.production) if not _is_replaced(facts.path, texts)]
    hard = [entry for facts in files_of_code for entry in _hard_coded(facts, texts.get(facts.path, ""))]
    fallbacks = [s for s in settings if s.place.path in project.browser and _LOCAL.search(s.fallback)]
    by_file = _settings_files(project, syntax, snapshot)
    if by_file or any(_NAMES_DATA.search(setting.name) for setting in settings):
        hard = [entry for entry in hard if not entry.weak]  # the place of the data can be set; what stands in the code is the fallback
    if not settings and not hard and not by_file:
        return _nothing_differs(project)
    places = _grouped(hard)
    strong = sum(not place.weak for place in places)
    many = strong >= 3 and strong > len(settings) + len(by_file)
    outside = 1.0 if many else 0.5 if places or fallbacks else 0.0
    shares = (outside, _documented(settings, snapshot, texts, files), _checked(settings, bool(by_file), tasks, _complains(project, syntax)))
    findings = [
        *_address_findings(places, fallbacks),
        *_documentation_findings(settings, snapshot, texts, files, shares[1]),
        *_check_findings(settings, shares[2]),
    ]
    met = sum(share == 0 for share in shares)
    signals = (
        f"{plural(len(settings), 'setting')} read from the environment; {plural(len(places), 'place')} with values of one environment; {sum(s.guarded for s in settings)} checked at start",
    )
    evidence = tuple(s.place for s in settings if s.guarded)[:2] + tuple(Place(file.path) for file in files if file.example)[:1]
    return Assessed(
        sum(shares) if many else min(sum(shares), 1.5),
        3,
        f"{met} of three hold: settings from outside, written down, checked at start.",
        0.7 if many else 0.0,
        tuple(findings),
        evidence or by_file[:2],
        signals,
    )


def _is_replaced(path: str, texts: dict[str, str]) -> bool:
    """Whether the build puts the file for production in the place of this one (Angular's `environment.ts`)."""
    stem, dot, suffix = path.rpartition(".")
    return path.endswith("/environment.ts") and any(f"{stem}.{name}{dot}{suffix}" in texts for name in ("prod", "production"))


def _nothing_differs(project: Project) -> NotApplicable:
    kinds = (
        "A library takes its settings from its caller."
        if project.kinds == {Kind.LIBRARY}
        else "No value that differs between environments was found in the code."
    )
    return NotApplicable(kinds)


def _settings_files(project: Project, syntax: Syntax, snapshot: Snapshot) -> tuple[Place, ...]:
    """Places where production code reads a settings file through a library for it, and examples of settings files."""
    read = [
        Place(facts.path, statement.line, statement.line)
        for facts in syntax.of(project.server)
        for statement in facts.imports
        if statement.module.split(".")[0] in _SETTINGS_LIBRARY
    ]
    examples = [Place(file.path) for file in snapshot.files if _SETTINGS_EXAMPLE.search(file.path)] if project.has(*RUNNING) else []
    return (*read, *examples)


def _hard_coded(facts: FileFacts, text: str) -> Iterator[_HardCoded]:
    if _DEVELOPMENT_FILE.search(facts.path):
        return
    said = {line for call in facts.calls if _MESSAGE.match(call.callee) for line in range(call.line, call.end_line + 1)}
    defaults = {read.line for read in facts.environment}
    fallbacks = {value.literal for read in facts.environment if (value := read.default) is not None}
    fallbacks |= {
        argument.value.literal
        for call in facts.calls
        if len(call.arguments) > 1 and _SETTING_NAME.match(call.arguments[0].value.literal)
        for argument in call.arguments[1:]
    }
    models = settings_models(facts)
    main = range(facts.main_lines[0], facts.main_lines[1] + 1) if facts.main_lines != (0, 0) else range(0)
    lines = text.split("\n")
    for literal in facts.literals:
        if literal.line in said or literal.line in defaults or literal.line in main or literal.text in fallbacks or literal.scope in models:
            continue
        shown = lines[literal.line - 1][:400] if 0 < literal.line <= len(lines) else ""
        before = " ".join(line[:200] for line in lines[max(0, literal.line - 3) : max(0, literal.line - 1)])
        what = _kind(literal, facts)
        plain = shown.replace(literal.text, "")
        excused = bool(_DEVELOPMENT_LINE.search(plain) or _ASKED_OR_COMPARED.search(plain) or _DEVELOPMENT_BRANCH.search(before))
        excused = excused or bool(_LOCAL.search(literal.text) and _is_fallback(shown, literal.text, before, facts.path))
        if what and not excused:
            address = _ADDRESS.match(literal.text.strip())
            yield _HardCoded(
                Place(facts.path, literal.line, literal.line),
                what,
                address[1].lower() if address else literal.text[:80],
                what == _DATA_KEPT,
            )


def _is_fallback(line: str, text: str, before: str, path: str) -> bool:
    """Whether a text is what holds when nothing else was given."""
    head, found, _ = line.partition(text)
    if found and (_BEHIND_A_SETTING.search(head) or _UNSET_BRANCH.search(before)):
        return True
    return not path.endswith(".py") and "," in line and _DEFAULT_OF_A_PROPERTY.match(line.replace(text, "")) is not None


def _kind(literal: Literal, facts: FileFacts) -> str:
    text = literal.text.strip()
    if _LOCAL.search(text):
        return "an address on the developer's own machine or network"
    if _HOME.search(text):
        return "a path in somebody's home directory"
    if _SERVER.search(text):
        return "the address of one server"
    if _DEPLOYED.search(text):
        return "the address of one deployment"
    if _DATA_URL.match(text) or (_DATA_FILE.match(text) and _opened(literal, facts)):
        return _DATA_KEPT
    return ""


def _opened(literal: Literal, facts: FileFacts) -> bool:
    """Whether the text itself, not a path put together with it, is what a database is opened by."""
    return any(
        argument.value.kind is ValueKind.STRING and argument.value.literal == literal.text
        for call in facts.calls
        if call.line <= literal.line <= call.end_line and _OPENS_DATA.search(call.callee)
        for argument in call.arguments
    )


def _grouped(found: list[_HardCoded]) -> list[_HardCoded]:
    """The same value is one place however often it stands there; so is a list of addresses, such as allowed origins."""
    kept: dict[str, _HardCoded] = {}
    previous: _HardCoded | None = None
    for entry in found:
        near = (
            previous is not None
            and (previous.place.path, previous.what) == (entry.place.path, entry.what)
            and entry.place.line - previous.place.line <= _NEAR
        )
        key = previous.key if near and previous is not None else entry.key
        kept[key] = replace(kept[key], count=kept[key].count + 1) if key in kept else entry
        previous = replace(entry, key=key)
    return list(kept.values())


def _undocumented(
    settings: tuple[Setting, ...], snapshot: Snapshot, texts: dict[str, str], files: tuple[EnvironmentFile, ...]
) -> list[Setting]:
    names = written_down(snapshot, texts, files)
    return [setting for setting in settings if setting.name not in names]


def _documented(settings: tuple[Setting, ...], snapshot: Snapshot, texts: dict[str, str], files: tuple[EnvironmentFile, ...]) -> float:
    if not settings:
        return 0.0
    share = 1 - len(_undocumented(settings, snapshot, texts, files)) / len(settings)
    return 0.0 if share >= 0.8 else 0.5 if share >= 0.4 else 1.0


def _complains(project: Project, syntax: Syntax) -> bool:
    """Whether server code raises errors about its configuration."""
    return any(
        entry.value is not None and _CONFIGURATION_ERROR.search(entry.value.text)
        for facts in syntax.of(project.server)
        for entry in facts.raises
    )


def _checked(settings: tuple[Setting, ...], by_file: bool, tasks: tuple[TaskFile, ...], complains: bool) -> float:
    if not settings:
        stops = any(
            re.search(r"\$\{[A-Z_]+:\?|-z [\"']?\$\{?[A-Z_]+", task.command) and "exit 1" in task.command
            for task_file in tasks
            for task in task_file.tasks
        )
        return 0.0 if stops or complains or not by_file else 1.0
    essential = [setting for setting in settings if _ESSENTIAL.match(setting.name)]
    if not any(setting.guarded for setting in settings):
        return 1.0
    return 0.5 if any(not setting.guarded for setting in essential) else 0.0


def _address_findings(places: list[_HardCoded], fallbacks: list[Setting]) -> Iterator[Finding]:
    for entry in places:
        often = f" ({plural(entry.count, 'place')})" if entry.count > 1 else ""
        ending = (
            "every environment that starts here shares it, or loses it with the container"
            if entry.weak
            else "moved to another environment it talks to the wrong place, or to nothing"
        )
        message = f"The program has {entry.what} built in{often}: {ending}."
        yield Finding("hard-coded", entry.place.path, message, entry.place.line, entry.place.line)
    for setting in fallbacks:
        message = (
            f"Built without {setting.name}, the page talks to the visitor's own machine: it works for the developer and for nobody else."
        )
        yield Finding("local-fallback", setting.place.path, message, setting.place.line, setting.place.line)


def _documentation_findings(
    settings: tuple[Setting, ...], snapshot: Snapshot, texts: dict[str, str], files: tuple[EnvironmentFile, ...], share: float
) -> Iterator[Finding]:
    if share:
        missing = _undocumented(settings, snapshot, texts, files)
        message = f"{len(missing)} of {plural(len(settings), 'setting')} stand in no example file or document ({listed([s.name for s in missing])}): whoever sets up the next environment finds them by failures."
        yield Finding("undocumented", missing[0].place.path, message, missing[0].place.line, missing[0].place.line)


def _check_findings(settings: tuple[Setting, ...], share: float) -> Iterator[Finding]:
    if not share or not settings:
        return
    unguarded = [s for s in settings if _ESSENTIAL.match(s.name) and not s.guarded] or [s for s in settings if not s.guarded]
    first = unguarded[0]
    how = "with a stand-in" if first.has_default else "and fails later, somewhere else"
    message = f"Without {listed([s.name for s in unguarded])} the program starts all the same {how}: a forgotten or misspelt setting shows in production only."
    yield Finding("unchecked", first.place.path, message, first.place.line, first.place.line)
