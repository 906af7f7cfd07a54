"""Where it is said what is kept about people: documents, sections of documents, pages. A heading without text under it says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.model.artifacts import Documents
from auditor.model.evidence import RouteKind, Routes
from auditor.model.snapshot import NOT_OURS, Language, Role, Snapshot
from auditor.model.verdict import Place

_NAME = re.compile(
    r"(?:^|[_.-])(?:privacy(?:[-_]?(?:policy|notice|statement|page|view))?|datenschutz\w*|gdpr|dsgvo|lgpd|data[-_]?(?:protection|retention|inventory|processing)|privacidade?|privacidad|confidentialite)(?:[_.-]|$)",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TITLE = re.compile(
    r"\b(?:privacy|gdpr|dsgvo|lgpd|data (?:protection|retention|deletion|inventory)|personal data|datenschutz|privacidade|privacidad|what we (?:keep|store|collect))\b",
    re.IGNORECASE,
)
_PAGES = frozenset(
    {Language.HTML, Language.TSX, Language.TYPESCRIPT, Language.JAVASCRIPT, Language.VUE, Language.SVELTE, Language.MARKDOWN}
)
_TOOLS = re.compile(r"(?:^|/)(?:\.[\w-]+|specs?|plans?|prompts?|skills?|components/ui|locales?|i18n|lang|translations?)/")
"""Folders of tools, of intentions and of translations."""
_TAG = re.compile(r"<[^<>]{0,2000}>|\{[^{}]{0,400}\}")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SECTION_WORDS = 20
_PAGE_WORDS = 100
_DEEP = 2
_READ = 200_000
_KEEPS = re.compile(
    r"\b(?:stor(?:e|es|ed)|keep|kept|collect\w*|retain\w*|retention|delet\w+|personal|gespeichert|erhoben|armazen\w+|colet\w+|almacen\w+|conserv\w+)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"\b(?:personal|data|collect|retain|retention|delete|e-?mail|daten|dados|datos|donn[ée]es)\b", re.IGNORECASE)


def statements(snapshot: Snapshot, documents: Documents, routes: Routes, texts: dict[str, str]) -> tuple[Place, ...]:
    """The places that state it, pages first."""
    return tuple(dict.fromkeys((*_pages(snapshot, texts), *_routes(routes, texts), *_sections(documents))))


def _pages(snapshot: Snapshot, texts: dict[str, str]) -> Iterator[Place]:
    for file in snapshot.files:
        if file.role in NOT_OURS - {Role.DOC} or file.language not in _PAGES or _TOOLS.search(file.path):
            continue
        folder, _, name = file.path.rpartition("/")
        named = name.rpartition(".")[0]
        if named in {"page", "index", "+page"}:  # a page is named by its folder
            named = folder.rpartition("/")[2]
        if _NAME.search(_CAMEL.sub("-", named)) and _says_something(texts.get(file.path, "")):
            yield Place(file.path)


def _routes(routes: Routes, texts: dict[str, str]) -> Iterator[Place]:
    for route in routes.routes:
        named = _NAME.search(route.path.rstrip("/").rpartition("/")[2]) is not None and route.method in {"GET", "ANY"}
        if named and (route.kind is not RouteKind.PAGE or _says_something(texts.get(route.place.path, ""))):
            yield route.place


def _says_something(text: str) -> bool:
    """Whether a page has text of its own, tags and code in braces left out."""
    plain = _TAG.sub(" ", text[:_READ])
    return len(_WORD.findall(plain)) >= _PAGE_WORDS and _ABOUT.search(plain) is not None


def _sections(documents: Documents) -> Iterator[Place]:
    for document in documents.documents:
        if document.purpose in {"changelog", "licence", "agent-rules"} or _TOOLS.search(document.path):
            continue
        own = _NAME.search(_CAMEL.sub("-", document.path.rpartition("/")[2].rpartition(".")[0])) is not None
        general = document.purpose in {"readme", "security"} or document.path.count("/") < _DEEP
        for section in document.sections:
            said = len(section.text.split()) >= _SECTION_WORDS and _KEEPS.search(section.text) is not None
            if said and (own or (general and section.level and _TITLE.search(section.title))):
                yield Place(document.path, section.line)
                break
