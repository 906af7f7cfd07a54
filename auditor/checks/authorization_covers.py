"""Guards before everything in a part of a repository: middleware, hooks of an application, default permissions, global guards, contexts of GraphQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from auditor.checks import authorization_words as words
from auditor.checks.guard import Cover, Guard, Strength, last_name
from auditor.checks.reach import Reach
from auditor.model.evidence import Routes
from auditor.model.project import Project
from auditor.model.syntax import FileFacts, Syntax
from auditor.model.verdict import Place


class Judge(Protocol):
    """What a cover needs to know of guards by name and by body."""

    reach: Reach

    def named(self, path: str, name: str) -> Guard:
        """What a name stands for."""

    def refuses(self, path: str, index: int) -> bool:
        """Whether a function turns callers away."""


class Covers:
    """Finds them, file by file."""

    def __init__(self, judge: Judge, project: Project, texts: dict[str, str], syntax: Syntax) -> None:
        self._judge = judge
        self._project = project
        self._texts = texts
        self._syntax = syntax

    def all(self, paths: list[str], routes: Routes) -> Iterator[Cover]:
        """Every guard of that kind, by file."""
        frameworks = {route.framework for route in routes.routes}
        for path in paths:
            root = self._project.part_of(path).root
            facts = self._syntax.files[path]
            if frameworks & {"fastapi", "starlette"}:
                yield from self._python_middleware(facts, root)
            if frameworks & {"flask", "flask-restx", "flask-restful", "quart"}:
                yield from self._before_requests(facts, root)
            if frameworks & {"django", "drf", "django-ninja"}:
                yield from self._django_settings(facts, root)
            if "nestjs" in frameworks:
                yield from self._nest(path, root)
            if "graphql" in frameworks:
                yield from self._graphql_context(facts, root)
            if words.MIDDLEWARE_FILE.search(path) and frameworks & {"nextjs", "astro"}:
                yield from self._next_middleware(facts, root)
            if words.HOOKS_FILE.search(path) and frameworks & {"sveltekit", "nuxt"}:
                yield from self._hooks(facts, root)

    def _python_middleware(self, facts: FileFacts, root: str) -> Iterator[Cover]:
        served = ("fastapi", "starlette", "graphql")
        for index, definition in enumerate(facts.definitions):
            if any(last_name(decorator.callee) == "middleware" for decorator in definition.decorators) and self._judge.refuses(
                facts.path, index
            ):
                yield Cover(
                    root, Guard(Strength.SEEN, definition.name, Place(facts.path, definition.line, definition.end_line)), framework=served
                )
        for call in facts.calls:
            if last_name(call.callee) == "add_middleware" and call.arguments:
                found = self._judge.named(facts.path, call.arguments[0].value.literal)
                if found.strength is not Strength.NONE:
                    yield Cover(root, found, framework=served)

    def _before_requests(self, facts: FileFacts, root: str) -> Iterator[Cover]:
        """Flask's hooks of the whole application."""
        served = ("flask", "flask-restx", "flask-restful", "quart", "graphql")
        for index, definition in enumerate(facts.definitions):
            hooked = any(
                last_name(decorator.callee) == "before_app_request"
                or re.search(r"(?:^|\.)\w*app(?:lication)?\.before_request$", decorator.callee)
                for decorator in definition.decorators
            )
            if hooked and self._judge.refuses(facts.path, index):
                yield Cover(
                    root, Guard(Strength.SEEN, definition.name, Place(facts.path, definition.line, definition.end_line)), framework=served
                )
        for call in facts.calls:
            if re.search(r"(?:^|\.)\w*app(?:lication)?\.before_request$", call.callee) and call.arguments:
                name = call.arguments[0].value.literal
                found = self._judge.named(facts.path, name)
                if found.strength is Strength.SEEN and any(
                    self._judge.refuses(home, index) for home, index in self._judge.reach.named(facts.path, name)
                ):
                    yield Cover(root, found, framework=served)

    def _django_settings(self, facts: FileFacts, root: str) -> Iterator[Cover]:
        text = self._texts.get(facts.path, "")
        for assignment in facts.assignments:
            names = [item.literal for _, item in assignment.value.items] if assignment.value is not None else []
            if assignment.target == "MIDDLEWARE" and any(last_name(name) == "LoginRequiredMiddleware" for name in names):
                yield Cover(
                    root, Guard(Strength.SEEN, "LoginRequiredMiddleware", Place(facts.path, assignment.line)), framework=("django", "drf")
                )
        found = words.DEFAULT_PERMISSIONS.search(text[:400_000])
        classes = re.findall(r"['\"]([\w.]+)['\"]|(?<![\w'\"])(\w+(?:\.\w+)*)", found[1]) if found else []
        for quoted, plain in classes:
            guard = self._judge.named(facts.path, last_name(quoted or plain))
            if guard.strength is not Strength.NONE and found:
                line = text.count("\n", 0, found.start()) + 1
                yield Cover(
                    root, Guard(guard.strength, guard.name, Place(facts.path, line)), framework=("drf", "django"), through=words.REST_VIEW
                )

    def _nest(self, path: str, root: str) -> Iterator[Cover]:
        text = self._texts.get(path, "")[:400_000]
        if "APP_GUARD" not in text and "useGlobalGuards" not in text:
            return
        for found in (*words.APP_GUARD.finditer(text), *words.GLOBAL_GUARD.finditer(text)):
            guard = self._judge.named(path, found[1])
            if guard.strength is not Strength.NONE:
                line = text.count("\n", 0, found.start()) + 1
                yield Cover(root, Guard(guard.strength, found[1], Place(path, line)), framework=("nestjs", "graphql"))

    def _graphql_context(self, facts: FileFacts, root: str) -> Iterator[Cover]:
        """A context that is only made for known callers, and rules that are laid over the whole schema."""
        for call in facts.calls:
            if call.callee == "shield":
                yield Cover(root, Guard(Strength.NAMED, "shield", Place(facts.path, call.line, call.end_line)), framework=("graphql",))
            options = [value for argument in call.arguments for value in (argument.value, argument.value.item("context"))]
            named = [value.literal for value in options if value is not None and re.search(r"[cC]ontext", value.literal)]
            inside = [i for i, d in enumerate(facts.definitions) if d.name == "context" and call.line <= d.line <= call.end_line]
            found = [
                *((facts.path, index) for index in inside),
                *(entry for name in named for entry in self._judge.reach.named(facts.path, name)),
            ]
            for home, index in found:
                if re.search(r"apollo|yoga|graphql|middleware|standalone", call.callee, re.IGNORECASE) and self._judge.refuses(home, index):
                    definition = self._syntax.files[home].definitions[index]
                    place = Place(home, definition.line, definition.end_line)
                    yield Cover(root, Guard(Strength.SEEN, definition.name, place), framework=("graphql",))

    def _hooks(self, facts: FileFacts, root: str) -> Iterator[Cover]:
        """`handle` of SvelteKit and the server middleware of Nuxt, which run before every request."""
        for index, definition in enumerate(facts.definitions):
            if definition.parent == -1 and self._judge.refuses(facts.path, index):
                place = Place(facts.path, definition.line, definition.end_line)
                yield Cover(root, Guard(Strength.SEEN, definition.name or "middleware", place), framework=("sveltekit", "nuxt"))

    def _next_middleware(self, facts: FileFacts, root: str) -> Iterator[Cover]:
        for index, definition in enumerate(facts.definitions):
            if (
                definition.parent == -1
                and (definition.exported or definition.name in {"middleware", "proxy", "default"})
                and self._judge.refuses(facts.path, index)
            ):
                guard = Guard(Strength.SEEN, "middleware", Place(facts.path, definition.line, definition.end_line))
                patterns: list[re.Pattern[str] | None] = [*_matchers(facts)]
                for pattern in patterns or [None]:
                    yield Cover(root, guard, pattern, ("nextjs", "astro"))
                return


def _matchers(facts: FileFacts) -> Iterator[re.Pattern[str]]:
    """The paths a Next.js middleware is limited to, `export const config = { matcher: [...] }`."""
    for assignment in facts.assignments:
        if assignment.target == "config" and assignment.value is not None:
            matcher = assignment.value.item("matcher")
            for value in [item for _, item in matcher.items] or [matcher] if matcher is not None else []:
                if len(value.literal) > 300:
                    continue
                text = re.sub(r":\w+\*", ".*", value.literal)
                text = re.sub(r":\w+", "[^/]+", text)
                try:
                    yield re.compile(f"^{text}$")
                except re.error:
                    continue
