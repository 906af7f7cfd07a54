"""Settings read from the environment: which names count, where they are written down, and which of them are checked at start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.model.artifacts import EnvironmentFile, TaskFile
from auditor.model.project import Project
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import FileFacts, Syntax, ValueKind
from auditor.model.verdict import Place

_PLATFORM = re.compile(
    r"^(?:NODE_ENV|ENV|PORT|HOST|HOSTNAME|HOME|PATH|USER|PWD|SHELL|LANG|TZ|TERM|TMPDIR|TEMP|TMP|APPDATA|CI|DEV|PROD|SSR|MODE|BASE_URL|DEBUG|VERBOSE|NO_COLOR|FORCE_COLOR|PYTHON\w*|NEXT_RUNTIME|NEXT_PHASE|VITEST|JEST_WORKER_ID"
    r"|(?:VERCEL|NETLIFY|GITHUB|GITLAB|CI|RAILWAY|RENDER|FLY|HEROKU|DYNO|K_SERVICE|KUBERNETES|AWS_LAMBDA|AWS_EXECUTION|CODESPACE|GITPOD|REPL|WEBSITE|CF_PAGES|SPACE|npm|XDG|GCLOUD|FUNCTION)(?:_\w+)?|https?_proxy|no_proxy|HTTPS?_PROXY|\w*TEST(?:ING|S)?(?:_\w+)?|FLASK_(?:RUN\w*|APP|DEBUG|ENV)|DJANGO_SETTINGS_MODULE|WERKZEUG\w*|RUN_MAIN|SERVER_SOFTWARE)$"
)
_NAME = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\b[A-Z][A-Z0-9]{3,}\b")
_COMPLAINT = re.compile(
    r"missing|required|must be|not set|not configured|undefined|no value|is unset|please set|cannot start|not (?:found|defined|provided)|environment variable|configure",
    re.IGNORECASE,
)
_EXITS = re.compile(r"^(?:sys\.exit|os\._exit|exit|quit|process\.exit|Deno\.exit|process\.abort)$")
_VALIDATORS = re.compile(
    r"^(?:envalid|@t3-oss/env-|znv|env-var|@julr/vite-plugin-validate-env|dotenv-safe|environ_config|goodconf|starlette\.config|typed-settings|zod-env|@fastify/env|env-schema)"
)
_SCHEMA_LIBRARIES = frozenset({"zod", "joi", "yup", "valibot", "arktype", "@sinclair/typebox", "superstruct"})
_PARSED_ENVIRONMENT = re.compile(r"(?:parse|safeParse|parseAsync|validate|validateSync|attempt|assert|create)\b")
_SHELL_CHECK = re.compile(
    r"\$\{([A-Z][A-Z0-9_]{2,}):\?|(?:-z|test -z)\s+[\"']?\$\{?([A-Z][A-Z0-9_]{2,})[^\n]{0,200}(?:\n[^\n]{0,200}){0,6}?\bexit [1-9]"
)
_FILE_LIMIT = 300_000
_NO_DOCUMENT = re.compile(
    r"(?:^|/)(?:package-lock\.json|pnpm-lock\.yaml|yarn\.lock|composer\.lock|[\w.-]*\.lock|[\w.-]*lock\.json|CHANGELOG[\w.]*)$|^\.github/workflows/"
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One name read from the environment in production code: its first place, whether a fallback exists, and the fallback's text if it is a constant."""

    name: str
    place: Place
    has_default: bool
    fallback: str
    guarded: bool


def settings_of(project: Project, syntax: Syntax, tasks: tuple[TaskFile, ...]) -> tuple[Setting, ...]:
    """Every setting of production code by name, names given by platforms and test runners left out."""
    guarded = _guarded(syntax, tasks)
    everything = validates_everything(syntax.of(project.production))
    found: dict[str, Setting] = {}
    for facts in syntax.of(project.production):
        for name, line, default, literal, required in _reads(facts):
            given = "supabase/functions/" in facts.path and name.startswith("SUPABASE_")  # set by the platform for its functions
            if given or _PLATFORM.match(name) or not name.isupper() or len(name) < 3:
                continue
            safe = required or name in guarded or everything
            known = found.get(name)
            if known is None:
                found[name] = Setting(name, Place(facts.path, line, line), default, literal, safe)
            elif safe and not known.guarded:
                found[name] = Setting(name, known.place, known.has_default, known.fallback, guarded=True)
    return tuple(found[name] for name in sorted(found))


def _reads(facts: FileFacts) -> Iterator[tuple[str, int, bool, str, bool]]:
    """(name, line, has a default, its constant text, a missing one raises) of each read and each field of a settings class."""
    for read in facts.environment:
        default = read.default is not None and read.default.kind is not ValueKind.NONE and read.default.text not in {'""', "''", "``"}
        literal = read.default.literal if read.default is not None and read.default.kind in {ValueKind.STRING, ValueKind.TEMPLATE} else ""
        yield read.name, read.line, default, literal, read.required
    models = settings_models(facts)
    for assignment in facts.assignments:
        if assignment.scope in models and assignment.annotation and assignment.target not in {"model_config", "Config"}:
            value = assignment.value
            needed = (
                value is None
                or (value.kind is ValueKind.CALL and value.literal == "Field" and not value.items)
                or (value.kind is not ValueKind.CALL and value.text == "...")
            )
            literal = value.literal if value is not None and value.kind is ValueKind.STRING else ""
            yield f"{_prefix(facts, assignment.scope)}{assignment.target}".upper(), assignment.line, not needed, literal, needed


def _prefix(facts: FileFacts, model: int) -> str:
    """What pydantic puts before the names of a settings class: `env_prefix` of its `model_config` or of its inner `Config`."""
    inner = {index for index, definition in enumerate(facts.definitions) if definition.parent == model and definition.name == "Config"}
    for assignment in facts.assignments:
        value = assignment.value
        if value is not None and assignment.scope == model and assignment.target == "model_config":
            value = value.item("env_prefix")
        elif assignment.scope not in inner or assignment.target != "env_prefix":
            continue
        if value is not None and value.kind is ValueKind.STRING:
            return value.literal
    return ""


def settings_models(facts: FileFacts) -> frozenset[int]:
    """Scopes of classes whose fields are settings: those built on pydantic's, or on another class named so."""
    return frozenset(
        index
        for index, definition in enumerate(facts.definitions)
        if any(base.rpartition(".")[2].split("[")[0].endswith("Settings") for base in definition.bases)
    )


def _guarded(syntax: Syntax, tasks: tuple[TaskFile, ...]) -> frozenset[str]:
    """Names whose absence stops the program: named in an exception, in a complaint of a file that exits, or tested by a start script."""
    found: set[str] = set()
    for facts in syntax.files.values():
        raised = " ".join(entry.value.text for entry in facts.raises if entry.value is not None)
        found.update(_NAME.findall(raised))
        if any(_EXITS.match(call.callee) for call in facts.calls) or facts.raises:
            for literal in facts.literals:
                if _COMPLAINT.search(literal.text):
                    found.update(_NAME.findall(literal.text[:400]))
            found.update(_checked_by_list(facts))
    for task_file in tasks:
        if task_file.kind == "shell":
            found.update(match[1] or match[2] for task in task_file.tasks for match in _SHELL_CHECK.finditer(task.command))
    return frozenset(found)


_CHECKING = re.compile(
    r"check_?env|validate_?env|require_?env|assert_?env|ensure_?env|get_?env_?or_?throw|must_?env|required_?env|env_?or_?throw|get_?required|required_?(?:variables|vars|settings|keys)|check_?missing",
    re.IGNORECASE,
)


def _checked_by_list(facts: FileFacts) -> Iterator[str]:
    """Names handed to a function, or kept in a list, whose own name says that it checks them."""
    for call in facts.calls:
        if _CHECKING.search(call.callee):
            for argument in call.arguments:
                yield from _NAME.findall(argument.value.text)
    for assignment in facts.assignments:
        if assignment.value is not None and _CHECKING.search(assignment.target):
            yield from _NAME.findall(assignment.value.text)


def validates_everything(files: Iterable[FileFacts]) -> bool:
    """Whether the environment goes through a schema as a whole at start."""
    for facts in files:
        modules = {statement.module for statement in facts.imports}
        if any(_VALIDATORS.match(module) for module in modules):
            return True
        if modules & _SCHEMA_LIBRARIES or any(module.startswith("@hapi/joi") for module in modules):
            for call in facts.calls:
                whole = any(
                    argument.value.text in {"process.env", "import.meta.env", "env", "Deno.env.toObject()", "Bun.env"}
                    for argument in call.arguments
                )
                if whole and _PARSED_ENVIRONMENT.search(call.callee.rpartition(".")[2]):
                    return True
    return False


def written_down(snapshot: Snapshot, texts: dict[str, str], files: tuple[EnvironmentFile, ...]) -> frozenset[str]:
    """Names that stand in example files, documents, and configuration files of the tree."""
    found = {name for file in files if file.example or file.tracked for name, _, _ in file.entries}
    for file in snapshot.files:
        if file.role in {Role.DOC, Role.CONFIG} and not _NO_DOCUMENT.search(file.path):
            found.update(_NAME.findall(texts.get(file.path, "")[:_FILE_LIMIT]))
    return frozenset(found)
