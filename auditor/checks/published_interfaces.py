"""What programs outside of the repository may call: who says so, what describes it, whether it has versions, and what notices a change of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.checks.pipelines import run_steps
from auditor.model.artifacts import CiWorkflow, Document, Documents, Manifests
from auditor.model.evidence import Route, RouteKind, Routes
from auditor.model.project import Kind, Project
from auditor.model.snapshot import Role, Snapshot
from auditor.model.syntax import DefinitionKind, Syntax
from auditor.model.verdict import Place

_DESCRIPTION = re.compile(
    r"(?:^|/)(?:[\w-]+\.)?(?:openapi|swagger|asyncapi)(?:[._-][\w.-]*)?\.(?:json|ya?ml)$|(?:^|/)schema\.(?:graphqls?|gql)$|\.proto$|\.api\.md$",
    re.IGNORECASE,
)
_GENERATORS = frozenset(
    {"drf-spectacular", "drf-yasg", "flasgger", "flask-smorest", "apispec", "apiflask", "flask-restx", "django-ninja", "litestar", "@nestjs/swagger", "swagger-jsdoc", "tsoa", "@fastify/swagger",
     "@asteasolutions/zod-to-openapi", "zod-to-openapi", "@hono/zod-openapi", "hono-openapi", "@ts-rest/open-api", "trpc-openapi", "trpc-to-openapi", "express-openapi-validator", "swagger-autogen",
     "openapi-backend", "zod-openapi"}
)  # fmt: skip
_DESCRIBES_ITSELF = frozenset({"fastapi", "graphql", "flask-restx"})
_KEYS = re.compile(r"^(?:api_?(?:key|token)|personal_?access_?token|long_?live_?token)s?(?:model|entity)?$", re.IGNORECASE)
_KEY_ROUTE = re.compile(
    r"/(?:(?:personal[-_]?)?access[-_]tokens|api[-_]?(?:keys?|tokens?))(?:/|$)|/(?!(?:device|push|refresh|fcm|csrf|design|reset|session)[-_])(?:\w+[-_])?tokens/?$",
    re.IGNORECASE,
)
_FOR_PROGRAMS = re.compile(r"\b(?:REST|HTTP|public|management|external)\s+API\b", re.IGNORECASE)
_LETS_PROGRAMS_IN = re.compile(r"\bAPI[- ]?(?:key|token)|X-Api-Key|\bAuthorization:|\baccess token", re.IGNORECASE)
_API_TITLE = re.compile(
    r"\b(?:REST|HTTP|public|management|web|external)\s+API\b|^API\s+(?:reference|documentation|methods|specification|usage|v\d)",
    re.IGNORECASE,
)
_NAMED_ENDPOINT = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE)\b[\s`*|]*(?:https?://|/)|/api/\w")
_FEWEST_NAMED = 3
_NOTES = re.compile(r"(?:^|/)(?:specs?|plans?|prompts?|history|tasks|\.\w[\w-]*)/", re.IGNORECASE)
"""Documents for those who build it, not for those who call it."""
_POLICY = re.compile(r"deprecat|breaking change|backwards?[- ]compatib|API changelog|version(?:ing)? policy", re.IGNORECASE)
_ABOUT_API = re.compile(r"\bAPI\b")
_COMPARES = re.compile(
    r"\b(?:oasdiff|openapi-diff|openapi-changes|optic|schemathesis|dredd|pact(?:-\w+)?|graphql-inspector|buf breaking|api-extractor|griffe check|prism proxy|portman)\b"
    r"|\brover (?:sub)?graph check\b|@redocly/cli diff"
)
_REGENERATES = re.compile(r"openapi|swagger|graphql|api[-_ ]?schema|proto\b|generate[-_: ]?client|codegen", re.IGNORECASE)
_REFUSES = re.compile(r"git diff\b[^\n]{0,80}(?:--exit-code|--quiet)|git status --porcelain|\bdiff -|--check\b|--fail-on")
_CONTRACT_TEST = re.compile(r"(?:^|/)[\w.-]*(?:openapi|swagger|api[_-]?schema|contract)[\w.-]*\.\w+$", re.IGNORECASE)
_VERSION = re.compile(r"(?:^|/)(?:v\d+(?:\.\d+)?|[:{<][\w:]*version[}>]?)(?:/|$)", re.IGNORECASE)
_API_VERSION = re.compile(r"\bAPI versions?(?:ing)?\b|\bAPI v\d", re.IGNORECASE)
_FEWEST_VERSIONED = 3
_API_PATH = re.compile(r"(?:^|/)(?:api|rest)(?:/|$)", re.IGNORECASE)
_VERSION_CLASS = re.compile(r"(?:AcceptHeader|Namespace|URLPath|QueryParameter)Versioning")


def api_routes(routes: Routes) -> tuple[Route, ...]:
    """The endpoints that programs call: those with a version, else those below `/api`, else all over HTTP that are no pages."""
    plain = tuple(route for route in routes.routes if route.kind is RouteKind.HTTP)
    versioned = tuple(route for route in plain if _VERSION.search(route.path))
    if len(versioned) >= _FEWEST_VERSIONED:
        return versioned
    return tuple(route for route in plain if _API_PATH.search(route.path)) or plain


def outside_callers(snapshot: Snapshot, syntax: Syntax, project: Project, routes: Routes, documents: Documents) -> tuple[Place, str] | None:
    """Where the repository shows that others than its own pages call it, and how."""
    for route in api_routes(routes):
        if route.method in {"GET", "ANY"} and _KEY_ROUTE.search(route.path):
            return route.place, "it hands out keys for programs"
    for facts in syntax.of(project.server):
        for entry in facts.definitions:
            if entry.kind is DefinitionKind.CLASS and _KEYS.match(entry.name) and not any("Settings" in base for base in entry.bases):
                return Place(facts.path, entry.line), "it hands out keys for programs"
    described = next(descriptions(snapshot), None)
    if described is not None:
        return Place(described), "a description of the interface is published with it"
    document = described_by_hand(documents, _FOR_PROGRAMS)
    if document is not None and any(_LETS_PROGRAMS_IN.search(text) for text in _texts(document)):
        return Place(document.path), "a document explains it to programs that call it"
    return None


def has_own_pages(project: Project) -> bool:
    """Whether the repository holds a user interface of its own."""
    return project.has(Kind.FRONTEND, Kind.FULLSTACK, Kind.APP)


def descriptions(snapshot: Snapshot) -> Iterator[str]:
    """Committed descriptions of an interface in a form that programs read."""
    return (
        file.path
        for file in snapshot.files
        if _DESCRIPTION.search(file.path) and file.role not in {Role.TEST, Role.VENDORED, Role.MINIFIED}
    )


def described_by_hand(documents: Documents, title: re.Pattern[str] = _API_TITLE) -> Document | None:
    """A document with a section about the interface that names several endpoints."""
    for document in documents.documents:
        about = (
            document.purpose not in {"agent-rules", "changelog"}
            and not _NOTES.search(document.path)
            and any(title.search(section.title) for section in document.sections)
        )
        if about and sum(len(_NAMED_ENDPOINT.findall(text)) for text in _texts(document)) >= _FEWEST_NAMED:
            return document
    return None


def _texts(document: Document) -> Iterator[str]:
    for section in document.sections:
        yield from (section.title, section.text, *(code for _, code, _ in section.code))


def describes_itself(routes: Iterable[Route], manifests: Manifests, syntax: Syntax, project: Project) -> str:
    """What makes a description of the interface from the code, "" for nothing."""
    frameworks = {route.framework for route in routes} & _DESCRIBES_ITSELF
    if "fastapi" in frameworks and _is_switched_off(syntax, project):
        frameworks -= {"fastapi"}
    declared = {entry.name.lower() for manifest in manifests.manifests for entry in manifest.requirements}
    return next(iter(sorted(frameworks)), "") or next(iter(sorted(declared & _GENERATORS)), "")


def _is_switched_off(syntax: Syntax, project: Project) -> bool:
    for facts in syntax.of(project.production):
        for call in facts.calls:
            value = call.argument("openapi_url") if call.callee in {"FastAPI", "fastapi.FastAPI"} else None
            if value is not None and value.text == "None":
                return True
    return False


def has_versions(routes: tuple[Route, ...], syntax: Syntax, project: Project, documents: Documents) -> bool:
    """Whether most endpoints carry a version, callers choose one by header, or the interface is one that grows without versions (GraphQL)."""
    document = described_by_hand(documents, _FOR_PROGRAMS)
    if document is not None and any(_API_VERSION.search(section.title) for section in document.sections):
        return True
    if routes and sum(bool(_VERSION.search(route.path)) or route.framework == "graphql" for route in routes) >= len(routes) / 2:
        return True
    return any(
        any(call.callee.endswith(".enableVersioning") for call in facts.calls)
        or any(_VERSION_CLASS.search(literal.text) for literal in facts.literals)
        or any(name in facts.bound for name in ("AcceptHeaderVersioning", "URLPathVersioning"))
        for facts in syntax.of(project.production)
    )


def what_notices_changes(workflows: tuple[CiWorkflow, ...], snapshot: Snapshot, documents: Documents) -> tuple[Place, str] | None:
    """What makes a change of the interface visible: a comparison in the pipeline, a test of the description, or a written policy."""
    for step in run_steps(workflows):
        text = f"{step.step.uses}\n{step.step.run}\n{step.step.name}"
        if _COMPARES.search(text) or (_REGENERATES.search(text) and _REFUSES.search(step.step.run)):
            return step.place(0), "the pipeline compares the interface"
    for file in snapshot.files:
        if file.role is Role.TEST and _CONTRACT_TEST.search(file.path):
            return Place(file.path), "a test holds the description"
    for document in documents.documents:
        for section in document.sections if document.purpose != "agent-rules" else ():
            if _ABOUT_API.search(section.title) and (_POLICY.search(section.title) or _POLICY.search(section.text)):
                return Place(document.path, section.line), "a policy for changes is written down"
    return None
