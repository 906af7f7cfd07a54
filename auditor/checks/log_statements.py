"""Finds what production code writes about its own running: calls of a logger with levels, and bare prints; and whether a logger is set up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from auditor.checks.dropped_errors import bindings_of_console
from auditor.model.project import Part
from auditor.model.syntax import Call, FileFacts, ValueKind
from auditor.model.verdict import Place

_PYTHON_LEVELS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "success", "trace"})
_SCRIPT_LEVELS = frozenset(
    {"trace", "debug", "info", "warn", "error", "fatal", "log", "verbose", "silly", "http", "notice", "critical", "success", "warning"}
)
_LOGGER = re.compile(
    r"(?i:(?:^|[._])(?:log|logs|logger|logging|slog|structlog|winston|pino|bunyan|log4js|consola|loglevel|audit_?log)\d?(?:\[\]|\(\))?$)|[a-z]Log(?:ger)?(?:\[\]|\(\))?$"
)
_LOGGER_MAKERS = re.compile(
    r"(?:^|[._])(?:getLogger|get_logger|get_task_logger|get_child|getChild|createLogger|child|bind|getLog)$|^(?:new )?(?:pino|winston\.createLogger|bunyan\.createLogger|Logger|Pino|ConsoleLogger|PinoLogger)$"
)
_PYTHON_PRINTS = frozenset({"print", "pprint", "pprint.pprint", "traceback.print_exc", "sys.stdout.write", "sys.stderr.write"})
_SCRIPT_PRINTS = re.compile(
    r"^(?:(?:globalThis|global)\.)?console\.(?:log|info|warn|error|debug|trace|dir|table)$|^process\.std(?:out|err)\.write$"
)
_SET_UP = re.compile(
    r"(?:^|\.)(?:basicConfig|dictConfig|fileConfig|addHandler|configure_logging|setup_logging|init_logging|configure_logger|setup_logger|setLoggerClass|QueueListener|LOGGING_CONFIG)$"
    r"|^structlog\.configure$|^logger\.(?:add|configure)$|^(?:coloredlogs\.install|logfire\.configure|logging_config\.\w+|log\.configure|log4js\.configure)$"
)
_SCRIPT_SET_UP = re.compile(
    r"^(?:pino|pinoHttp|new Logger|new PinoLogger|new ConsoleLogger|new Consola|createConsola|log4js\.configure|app\.useLogger|log\.setLevel)$|(?:^|\.)createLogger$|LoggerModule\.forRoot\w*$|^getLogger$|^log4js\.getLogger$"
)
_COMMAND_PATH = re.compile(
    r"(?:^|/)(?:management/commands|commands?|cli|bin|seeds?|seeders)/|(?:^|/)(?:manage|cli|__main__|populate\w*|seed\w*|ping|wsgi_check)\.\w+$"
)
_COMMAND_LIBRARIES = frozenset(
    {
        "argparse",
        "click",
        "typer",
        "fire",
        "docopt",
        "optparse",
        "flask.cli",
        "flask_script",
        "cmd",
        "commander",
        "yargs",
        "inquirer",
        "cac",
        "ink",
        "prompts",
        "oclif",
        "@oclif/core",
    }
)
_HELPER = re.compile(r"^(?:log|write_log|audit|record_event)(?:_\w{1,40}|[A-Z]\w{0,40})?$|^\w{1,40}_log$")
_HOSTED_LOGGERS = re.compile(
    r"firebase-functions/(?:v\d/)?logger$|firebase-functions(?:/v\d)?$|@aws-lambda-powertools/logger$|@google-cloud/logging"
)
"""Loggers that the platform a function runs on sets up."""
_SELF_CONFIGURED = frozenset({"loguru"})


@dataclass(slots=True)
class Statements:
    """What was found: places of logger calls and of prints, and what sets a logger up."""

    logged: list[Place] = field(default_factory=list)
    printed: list[Place] = field(default_factory=list)
    set_up: list[Place] = field(default_factory=list)
    console_is_logger: bool = False


def read(files: tuple[FileFacts, ...]) -> Statements:
    """The statements of server code; what a command prints for its user is no log and is left out."""
    found = Statements()
    found.console_is_logger = any(bindings_of_console(facts) for facts in files)
    for facts in files:
        for call, way in calls(facts):
            logged = way is Way.LOGGED or (found.console_is_logger and not _is_python(facts))
            (found.logged if logged else found.printed).append(_place(facts, call))
        if _is_python(facts):
            _python(facts, found)
        else:
            _script(facts, found)
    _through_helpers(files, found)
    return found


class Way(StrEnum):
    """How a call tells of the running: through a logger, or by a bare print."""

    LOGGED = "logged"
    PRINTED = "printed"


def calls(facts: FileFacts) -> Iterator[tuple[Call, Way]]:
    """The calls of one file that write what happens; what a command prints for its user is no log and is left out."""
    python = _is_python(facts)
    command = is_command(facts)
    loggers = _made_loggers(facts)
    first, last = facts.main_lines
    for call in facts.calls:
        if call.callee in _PYTHON_PRINTS if python else _SCRIPT_PRINTS.match(call.callee):
            if not command and not first <= call.line <= last:
                yield call, Way.PRINTED
        elif _is_logged(call, _PYTHON_LEVELS if python else _SCRIPT_LEVELS, loggers) and not call.callee.startswith(("Math.", "console.")):
            yield call, Way.LOGGED


def helpers_of(files: tuple[FileFacts, ...]) -> frozenset[str]:
    """Names of first-party functions that exist to log: they are called so, and they log."""
    found: set[str] = set()
    for facts in files:
        inside = {call.scope for call, way in calls(facts) if call.scope >= 0 and way is Way.LOGGED}
        found.update(facts.definitions[scope].name for scope in inside if _HELPER.match(facts.definitions[scope].name))
    return frozenset(found)


def _through_helpers(files: tuple[FileFacts, ...], found: Statements) -> None:
    """Add the calls of first-party functions that exist to log (`log("logins", "{name} logged in", name=...)`)."""
    helpers = helpers_of(files)
    for facts in files:
        found.logged += [_place(facts, call) for call in facts.calls if call.callee in helpers]


def _is_python(facts: FileFacts) -> bool:
    return facts.path.endswith((".py", ".pyw", ".pyi"))


def is_command(facts: FileFacts) -> bool:
    """Whether a file is a command whose prints are its output."""
    if _COMMAND_PATH.search(facts.path):
        return True
    if any(statement.module in _COMMAND_LIBRARIES for statement in facts.imports):
        return True
    return any(call.callee in {"input", "getpass.getpass", "readline.createInterface"} for call in facts.calls)


def _python(facts: FileFacts, found: Statements) -> None:
    for call in facts.calls:
        if _SET_UP.search(call.callee):
            found.set_up.append(_place(facts, call))
        elif re.search(r"(?:^|\.)(?:app|current_app|application)\.logger\.", call.callee):
            found.set_up.append(_place(facts, call))  # Flask gives its logger a handler of its own
    for assignment in facts.assignments:
        if (
            assignment.target in {"LOGGING", "LOGGING_CONFIG"}
            and assignment.value is not None
            and assignment.value.kind is not ValueKind.NONE
        ):
            found.set_up.append(Place(facts.path, assignment.line))
    for statement in facts.imports:
        if statement.module.split(".")[0] in _SELF_CONFIGURED or any(name == "get_task_logger" for name, _ in statement.names):
            found.set_up.append(Place(facts.path, statement.line))


def _script(facts: FileFacts, found: Statements) -> None:
    for call in facts.calls:
        if _SCRIPT_SET_UP.search(call.callee) or _framework_logger(call):
            found.set_up.append(_place(facts, call))
    for statement in facts.imports:
        if _HOSTED_LOGGERS.match(statement.module):
            found.set_up.append(Place(facts.path, statement.line))


def _framework_logger(call: Call) -> bool:
    """`Fastify({ logger: true })` and the like."""
    name = call.callee.removeprefix("new ").rpartition(".")[2].lower()
    if name not in {"fastify", "create", "createserver", "hono"}:
        return False
    return any(
        key == "logger" and not (item.kind is ValueKind.BOOLEAN and item.literal == "false")
        for a in call.arguments
        for key, item in a.value.items
    )


def _made_loggers(facts: FileFacts) -> frozenset[str]:
    """Names bound to a logger in the file, whatever they are called."""
    names = {
        call.target
        for call in facts.calls
        if call.target and _LOGGER_MAKERS.search(call.callee) and not call.callee.endswith("child_process")
    }
    return frozenset(names)


def _is_logged(call: Call, levels: frozenset[str], loggers: frozenset[str]) -> bool:
    owner, _, name = call.callee.rpartition(".")
    if name not in levels or not owner:
        return False
    return (
        owner in loggers
        or owner.removeprefix("this.") in loggers
        or bool(_LOGGER.search(owner))
        or owner.endswith(("getLogger()", "get_logger()"))
    )


def _place(facts: FileFacts, call: Call) -> Place:
    return Place(facts.path, call.line, call.end_line)


def entry_of(parts: Iterable[Part], files: tuple[FileFacts, ...]) -> Place:
    """Where a reader would look for logging: the place that makes the application, or the first server file that is no command."""
    paths = {facts.path for facts in files}
    for part in parts:
        for framework in part.frameworks:
            if framework.place.path in paths:
                return framework.place
    return Place(next((facts.path for facts in files if not is_command(facts)), files[0].path), 1)
