"""Functions, classes and exported values that no other text of the tree names: nobody can call them.

A name counts as dead where it stands exactly once in all code, templates and configuration, its own definition. What frameworks call by name, what is decorated or registered,
methods, published packages and kits are left alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.framework_entries import CALLED_BY_NAME, KIT, is_entry
from auditor.model.artifacts import Ecosystem, Manifests
from auditor.model.project import Kind, Part, Project
from auditor.model.syntax import Definition, DefinitionKind, FileFacts, Syntax

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_SPEAKS = re.compile(
    r"\.(?:pyi?|pyw|[cm]?[jt]sx?|vue|svelte|html?|ejs|hbs|pug|jinja2?|j2|njk|twig|php|erb|astro|mdx|ya?ml|toml|ini|cfg|json|jsonc|xml|sh|bash|prisma|graphql|gql|sql|tf|ipynb|txt|conf)$|(?:^|/)(?:[Dd]ockerfile[\w.-]*|Makefile|justfile|Procfile|\.\w+)$"
)
_MUTE = re.compile(
    r"lock\.(?:json|ya?ml)$|(?:^|/)(?:package-lock|locales?|translations?)(?:[/.]|$)|\.map$|\.min\.\w+$|requirements[\w.-]*\.txt$"
)
_LONGEST = 1_500_000
_WORK = 4
_BY_NAME = re.compile(
    r"^(?:__\w+__|test_\w+|pytest_\w+|visit_\w+|do_[A-Z]+|on_\w+|handle_\w+|validate_\w+|clean_\w+|get_\w+_display|has_\w+_permission|resolve_\w+|_)$|^\$"
)
_PLAIN_BASE = re.compile(
    r"^(?:[\w.]+\.)?(?:object|str|int|float|dict|list|tuple|Enum|IntEnum|StrEnum|Flag|TypedDict|NamedTuple|ABC|Generic\[.*\]|Protocol(?:\[.*\])?|BaseModel|BaseHTTPMiddleware|Exception|\w*Error|\w*Exception)$"
)
"""Bases whose classes nobody collects: only who names them can use them."""
_HOOKS = re.compile(
    r"(?:^|/)(?:gunicorn[\w.]*|conftest|noxfile|fabfile|setup|wsgi|asgi|celeryconfig|locustfile|env)\.py$|\.config\.[cm]?[jt]s$|\.d\.ts$"
)


@dataclass(frozen=True, slots=True)
class DeadName:
    """A definition that nothing names: its place, kind ("function", "class") and lines of code."""

    path: str
    line: int
    end_line: int
    name: str
    kind: str
    lines: int


def _spoken(texts: dict[str, str]) -> Counter[str]:
    """How often each word stands in all texts that may name code."""
    found: Counter[str] = Counter()
    for path, text in texts.items():
        if _SPEAKS.search(path) and not _MUTE.search(path) and len(text) < _LONGEST:
            found.update(_WORD.findall(text))
    return found


def dead_names(syntax: Syntax, project: Project, manifests: Manifests, texts: dict[str, str], dead: frozenset[str]) -> Iterator[DeadName]:
    """Dead definitions of production files, those of the `dead` files left out, in path and line order."""
    words = _spoken(texts)
    published = tuple(f"{m.root}/" if m.root else "" for m in manifests.manifests if m.publishable and not m.private)
    for facts in syntax.of(project.production):
        part = project.part_of(facts.path)
        if facts.path in dead or _is_open(facts, part) or _is_published(facts.path, published, manifests):
            continue
        entry = is_entry(facts.path, part)
        lines = texts.get(facts.path, "").splitlines()
        for definition in facts.definitions:
            if words[definition.name] != 1 or definition.code_lines < _WORK or (entry and definition.exported):
                continue
            if _can_be_judged(definition, facts) and _is_declared(definition, lines):
                kind = "class" if definition.kind is DefinitionKind.CLASS else "function"
                yield DeadName(facts.path, definition.line, definition.end_line, definition.name, kind, definition.code_lines)


def _is_open(facts: FileFacts, part: Part) -> bool:
    """Whether names of a file may be used from outside the tree, or its text could not be read whole."""
    return bool(facts.error_line) or Kind.LIBRARY in part.kinds or bool(KIT.search(facts.path)) or bool(_HOOKS.search(facts.path))


def _is_published(path: str, published: tuple[str, ...], manifests: Manifests) -> bool:
    own = Ecosystem.PYPI if path.endswith((".py", ".pyw")) else Ecosystem.NPM
    return any(path.startswith(root) for root in published) and any(
        m.ecosystem is own and m.publishable and not m.private and path.startswith(f"{m.root}/" if m.root else "")
        for m in manifests.manifests
    )


def _can_be_judged(definition: Definition, facts: FileFacts) -> bool:
    """Whether a definition can only be used by its name: a plain function or class of a module, or one inside a plain function."""
    name = definition.name
    if len(name) < 4 or name in CALLED_BY_NAME or _BY_NAME.match(name) or definition.decorators or definition.kind is DefinitionKind.METHOD:
        return False
    if definition.kind is DefinitionKind.CLASS and any(not _PLAIN_BASE.match(base) for base in definition.bases):
        return False
    if definition.parent >= 0 and facts.definitions[definition.parent].kind is DefinitionKind.CLASS:
        return False
    return not any(export.name in {"default", "="} and export.local == name for export in facts.exports)


def _is_declared(definition: Definition, lines: list[str]) -> bool:
    """Whether a definition is a statement of its own; functions inside expressions and objects are used where they stand."""
    if not 0 < definition.line <= len(lines):
        return False
    name = re.escape(definition.name)
    declares = rf"\s*(?:export\s+)?(?:async\s+)?(?:function\s*\*?\s*{name}\b|(?:const|let|var)\s+{name}\b|(?:abstract\s+)?class\s+{name}\b|def\s+{name}\b)"
    return re.match(declares, lines[definition.line - 1]) is not None
