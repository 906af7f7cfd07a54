"""Which environments of a system its files describe, and what is fixed in the code so that all of them would share it."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.recipes import deploying_steps
from auditor.model.artifacts import CiWorkflow, Deployment, Document, Documents
from auditor.model.project import Project
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import DefinitionKind, FileFacts, Syntax, Value, ValueKind
from auditor.model.verdict import Place


class Stage(StrEnum):
    """What an environment is for."""

    DEVELOPMENT = "development"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "production"


_WORDS = {
    Stage.DEVELOPMENT: r"dev|develop|development|local[-_]?dev|local|override|debug",
    Stage.TEST: r"test|tests|testing|ci|e2e",
    Stage.STAGING: r"stage|staging|preview|qa|uat|preprod|pre-prod|pre-production|sandbox",
    Stage.PRODUCTION: r"prod|production|live|deploy|deployment|release|cloud",
}
_ENVIRONMENT = "|".join(_WORDS.values())
_MODULES = r"dev|development|local|local[-_]?dev|test|testing|ci|stag(?:e|ing)|preview|qa|prod|production"
"""Names of modules of settings: a page of settings may be called release or cloud."""
_ONE = {stage: re.compile(rf"(?:{words})$", re.IGNORECASE) for stage, words in _WORDS.items()}
_FAMILIES = (
    ("compose files", re.compile(rf"(?:^|/)(?:docker-)?compose(?:[._-](?P<env>{_ENVIRONMENT}))?\.ya?ml$", re.IGNORECASE)),
    ("compose files", re.compile(rf"(?:^|/)(?P<env>{_ENVIRONMENT})/(?:docker-)?compose\.ya?ml$", re.IGNORECASE)),
    ("values of a chart", re.compile(rf"(?:^|/)values(?:[._-](?P<env>{_ENVIRONMENT}))?\.ya?ml$", re.IGNORECASE)),
    ("overlays", re.compile(rf"(?:^|/)(?:overlays|envs?|environments?|clusters)/(?P<env>{_ENVIRONMENT})/[^/]+\.(?:ya?ml|tf|hcl|tfvars)$", re.IGNORECASE)),
    ("Terraform variables", re.compile(rf"(?:^|/)(?P<env>{_ENVIRONMENT})\.(?:auto\.)?tfvars(?:\.json)?(?:\.example)?$", re.IGNORECASE)),
    ("settings", re.compile(rf"(?:^|/)(?:settings|config|configs|conf|environments?)/(?P<env>{_MODULES}|base|common|default|main|global|__init__)\.(?:py|js|ts|json|ya?ml|toml)$", re.IGNORECASE)),
    ("settings", re.compile(rf"(?:^|/)(?:settings|config|environment)(?:[._-](?P<env>{_MODULES}))?\.(?:py|ts|js|json|ya?ml|toml)$", re.IGNORECASE)),
    ("platform files", re.compile(rf"(?:^|/)(?:fly|app|render|serverless|wrangler)(?:[._-](?P<env>{_ENVIRONMENT}))?\.(?:toml|ya?ml|jsonc?)$", re.IGNORECASE)),
    (".env files", re.compile(r"(?:^|/)\.env(?:[._-](?P<env>dev|development|test|testing|stag(?:e|ing)|preview|qa|prod|production|deploy))?(?:\.local)?(?:[._-](?:example|sample|template|default|dist|defaults))?$", re.IGNORECASE)),
)  # fmt: skip
"""Kinds of files that describe an environment by their name; without a name they are the base the others vary. `.env.local` is a developer's own copy."""
_HIDDEN_FOLDER = re.compile(r"(?:^|/)\.[\w-]+/")
_UNREAD = frozenset({Role.VENDORED, Role.GENERATED, Role.TEST, Role.EXAMPLE})
_CLASS = re.compile(
    r"^(?P<env>Dev|Development|Local|Test|Testing|Stage|Staging|Prod|Production)(?:uction)?(?:Config|Configuration|Settings)$"
)
_ABOUT = re.compile(r"\b(?:staging|environments|deployment environments?|local (?:vs|and) production)\b", re.IGNORECASE)
_HOSTED_PROJECT = re.compile(r"https://[a-z]{20}\.supabase\.co\b")
_CONNECTION = re.compile(
    r"^(?:postgres(?:ql)?(?:\+\w+)?|mysql(?:\+\w+)?|mariadb(?:\+\w+)?|mongodb(?:\+srv)?|rediss?|amqps?)://(?:[^@/\s{}$<>]+@)?(?P<host>[\w-]+(?:\.[\w-]+){2,})(?::\d+)?(?:/|$)"
)
_OWN_MACHINE = re.compile(r"(?:^|\.)(?:localhost|local|internal|example|test|invalid|svc|docker|lan)(?:\.|$)|^\d+\.|example", re.IGNORECASE)
_FIREBASE = "the Firebase project"
_EMULATOR = re.compile(r"(?:^|\.)(?:connect(?:Firestore|Auth|Database|Functions|Storage)Emulator|useEmulator)$")
_LOCAL_STACK = re.compile(r"^(?:db|api|studio|auth|inbucket)\.")
_LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Described:
    """A description of more than one environment: what it is, and its places."""

    what: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    """A store or project that stands in the repository itself, so that every copy of the program talks to the same one."""

    what: str
    place: Place


def described(  # noqa: PLR0917 - one kind of evidence each
    snapshot: Snapshot, project: Project, syntax: Syntax, workflows: tuple[CiWorkflow, ...], deployment: Deployment, documents: Documents
) -> tuple[Described, ...]:
    """Every description of two or more environments, tests alone left out."""
    return (
        *_by_name(snapshot),
        *_classes(syntax.of(project.production)),
        *_deployed_to(workflows),
        *_platforms(deployment),
        *_written(documents),
        *_emulators(syntax.of(project.production)),
    )


def _stage(word: str) -> Stage | None:
    return next((stage for stage, pattern in _ONE.items() if pattern.match(word)), None)


def _by_name(snapshot: Snapshot) -> Iterator[Described]:
    found: defaultdict[tuple[str, str], list[tuple[Stage | None, str]]] = defaultdict(list)
    for file in snapshot.files:
        if file.role in _UNREAD or _HIDDEN_FOLDER.search(file.path):
            continue
        matches = ((family, match) for family, pattern in _FAMILIES if (match := pattern.search(file.path)) is not None)
        family, match = max(matches, key=lambda entry: entry[1]["env"] is not None, default=("", None))
        if match is not None:
            found[family, posixpath.dirname(file.path) if family == "settings" else ""].append((_stage(match["env"] or ""), file.path))
    for (family, _), entries in sorted(found.items()):
        if _several({stage for stage, _ in entries}):
            named = [path for stage, path in entries if stage is not None] + [path for stage, path in entries if stage is None]
            yield Described(f"{family} for each of them", tuple(Place(path) for path in named[:4]))


def _several(stages: set[Stage | None]) -> bool:
    """Whether two environments are told apart; None is the base the named ones vary, and a set-up for tests is no environment people work in.

    Staging is by its nature beside something else.
    """
    return Stage.STAGING in stages or len(stages - {Stage.TEST}) >= 2


def _classes(files: Iterable[FileFacts]) -> Iterator[Described]:
    for facts in files:
        found = [
            (_stage(match["env"]), Place(facts.path, definition.line))
            for definition in facts.definitions
            if definition.kind is DefinitionKind.CLASS and (match := _CLASS.match(definition.name)) is not None
        ]
        if _several({stage for stage, _ in found}):
            yield Described("a class of settings for each of them", tuple(place for _, place in found))


def _deployed_to(workflows: tuple[CiWorkflow, ...]) -> Iterator[Described]:
    found: dict[Stage, Place] = {}
    for step in deploying_steps(workflows):
        text = f"{step.job.environment} {step.job.name} {posixpath.basename(step.path)}"
        for word in re.findall(r"[A-Za-z]+(?:-prod\w*)?", text):
            stage = _stage(word) if word.lower() not in {"deploy", "deployment", "release", "ci", "cloud", "test", "tests"} else None
            if stage is not None:
                found.setdefault(stage, step.place())
    if _several(set(found)):
        yield Described("pipelines that deploy to each of them", tuple(found.values()))


def _platforms(deployment: Deployment) -> Iterator[Described]:
    for platform in deployment.platforms:
        keys = [key for key, _ in platform.settings]
        if platform.platform == "supabase" and any(_LOCAL_STACK.match(key) for key in keys):
            yield Described("a local copy of the hosted database", (Place(platform.path),))
        stages = {
            _stage(match[1]) for key in keys if (match := re.match(r"(?:context|env|stages|environments)\.([\w-]+)\.", key)) is not None
        }
        if _several(stages | {None}) and stages - {None}:
            yield Described("settings of the platform for each of them", (Place(platform.path),))


def _written(documents: Documents) -> Iterator[Described]:
    for document in documents.documents:
        if document.purpose in {"changelog", "licence", "agent-rules"} or _HIDDEN_FOLDER.search(document.path):
            continue
        yield from _sections(document)


def _sections(document: Document) -> Iterator[Described]:
    for section in document.sections:
        if section.level and _ABOUT.search(section.title):
            words = {word.lower() for word in re.findall(r"[A-Za-z]{3,12}", section.text[:_LONGEST])}
            stages = {_stage(word) for word in words & {"development", "local", "staging", "preview", "production", "prod"}} - {None}
            if _several(stages):
                yield Described(f"the section “{section.title[:60]}”", (Place(document.path, section.line),))


def _emulators(files: Iterable[FileFacts]) -> Iterator[Described]:
    places = tuple(Place(facts.path, call.line) for facts in files for call in facts.calls if _EMULATOR.search(call.callee))
    if places:
        yield Described("emulators in place of the hosted project on one's own machine", places[:2])


def fixed_stores(project: Project, syntax: Syntax, snapshot: Snapshot, texts: dict[str, str]) -> tuple[Fixed, ...]:
    """Hosted projects and remote databases whose address stands in production code or in a committed settings file.

    A Firebase project is none where the code turns to emulators on a developer's machine.
    """
    files = syntax.of(project.production)
    emulated = any(True for _ in _emulators(files))
    found = [entry for facts in files for entry in _in_code(facts) if not (emulated and entry.what == _FIREBASE)]
    for file in snapshot.files:
        if posixpath.basename(file.path) == ".env" and file.tracked and file.role not in _UNREAD:
            text = texts.get(file.path, "")[:_LONGEST]
            match = _HOSTED_PROJECT.search(text)
            if match is not None:
                found.append(Fixed("the address of the hosted project", Place(file.path, text.count("\n", 0, match.start()) + 1)))
    return tuple(found)


def _in_code(facts: FileFacts) -> Iterator[Fixed]:
    for literal in facts.literals:
        if _HOSTED_PROJECT.match(literal.text):
            yield Fixed("the address of the hosted project", Place(facts.path, literal.line, literal.line))
        elif (match := _CONNECTION.match(literal.text)) is not None and not _OWN_MACHINE.search(match["host"]):
            yield Fixed("the address of a remote store", Place(facts.path, literal.line, literal.line))
    for assignment in facts.assignments:
        if assignment.value is not None and _is_firebase(assignment.value):
            yield Fixed(_FIREBASE, Place(facts.path, assignment.line, assignment.line))
    for call in facts.calls:
        if any(_is_firebase(argument.value) for argument in call.arguments):
            yield Fixed(_FIREBASE, Place(facts.path, call.line, call.line))


def _is_firebase(value: Value) -> bool:
    project, key = value.item("projectId"), value.item("apiKey")
    return (
        project is not None
        and key is not None
        and project.kind is ValueKind.STRING
        and key.kind is ValueKind.STRING
        and bool(project.literal)
    )
