"""Vue and Svelte components: their script parts at their own lines, and the components their templates use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.languages.tree import Grammar
from auditor.model.snapshot import Language
from auditor.model.syntax import Reference

_ATTRIBUTES = r"""((?:[^>"'<]|"[^"]{0,4000}"|'[^']{0,4000}'){0,400})"""
_OPENING = re.compile(rf"<(script|style)\b{_ATTRIBUTES}>", re.IGNORECASE)
_LANGUAGE = re.compile(r"""\blang\s*=\s*["']?(\w+)""", re.IGNORECASE)
_KIND = re.compile(r"""\btype\s*=\s*["']?([\w/+-]+)""", re.IGNORECASE)
_SCRIPT_KINDS = frozenset({"", "module", "text/javascript", "application/javascript", "text/typescript", "text/babel"})
_TAG = re.compile(r"<([A-Za-z][\w.-]{0,80})")
_WORD = re.compile(r"[\w$]+")
_CAST = re.compile(r"\bas\s+[A-Za-z_$][\w$.]{0,80}(?:<[\w$., ]{0,80}>)?(?![\w$(<])")
"""`value as Type` in a template: the type is gone when the page runs."""
_DYNAMIC = re.compile(r""":is\s*=\s*["']([A-Z]\w{0,80})["']""")
_TYPESCRIPT = {"ts": Grammar.TYPESCRIPT, "typescript": Grammar.TYPESCRIPT, "tsx": Grammar.TSX}


@dataclass(frozen=True, slots=True)
class Component:
    """The parts of a component file that are read. `script` has the line breaks of the whole file and nothing else outside the script parts."""

    script: str
    grammar: Grammar
    elements: tuple[Reference, ...]
    sources: tuple[tuple[str, int], ...]
    """Files that stand in for a script part (`<script src="...">`), with the line."""
    words: frozenset[str]
    """Every word of the template, hyphenated tags in capitals too: what of the script it may use."""


def read_component(text: str, language: Language) -> Component:
    """The script parts and the template of a component file."""
    parts: list[str] = []
    template: list[str] = []
    sources: list[tuple[str, int]] = []
    grammar = Grammar.JAVASCRIPT
    position = 0
    while position < len(text):
        opening = _OPENING.search(text, position)
        if opening is None:
            break
        name, attributes = opening[1].lower(), opening[2]
        end = text.find(f"</{name}", opening.end())
        end = len(text) if end < 0 else end
        before = text[position : opening.end()]
        body = text[opening.end() : end]
        reads = name == "script" and _matched(_KIND, attributes) in _SCRIPT_KINDS
        parts += [_blank(before), body if reads else _blank(body), ";" if reads and not body.endswith("\n") else ""]
        template += [before, _blank(body)]
        if reads:
            grammar = _TYPESCRIPT.get(_matched(_LANGUAGE, attributes), grammar)
            source = re.search(r"""(?<![\w-])src\s*=\s*["']([^"']{1,200})""", attributes)
            if source:
                sources.append((source[1], text.count("\n", 0, opening.start()) + 1))
        position = end
    rest = text[position:]
    template.append(rest)
    markup = "".join(template)
    return Component("".join(parts) + _blank(rest), grammar, _elements(markup, language), tuple(sources), _words(markup))


def _words(markup: str) -> frozenset[str]:
    markup = _CAST.sub("", _without_comments(markup))
    words = set(_WORD.findall(markup))
    joined = {"".join(part[:1].upper() + part[1:] for part in tag[1].split("-")) for tag in _TAG.finditer(markup)}
    return frozenset(words | joined | {word[1:] for word in words if word.startswith("$")})


def _matched(pattern: re.Pattern[str], attributes: str) -> str:
    found = pattern.search(attributes)
    return found[1].lower() if found else ""


def _blank(text: str) -> str:
    return "\n" * text.count("\n")


def _elements(template: str, language: Language) -> tuple[Reference, ...]:
    """Components by their tags: capitals, dots, and in Vue hyphens too."""
    plain = _without_comments(template)
    found: list[tuple[int, str]] = []
    for tag in _TAG.finditer(plain):
        name = tag[1]
        if name[0].isupper() or (language is Language.VUE and "-" in name) or ("." in name and name[-1] != "."):
            found.append((tag.start(), name))
    found += [(use.start(), use[1]) for use in _DYNAMIC.finditer(plain)]
    references: list[Reference] = []
    line, seen = 1, 0
    for start, name in sorted(found):
        line += plain.count("\n", seen, start)
        seen = start
        references.append(Reference(name, line, -1))
    return tuple(references)


def _without_comments(template: str) -> str:
    parts: list[str] = []
    position = 0
    while (start := template.find("<!--", position)) >= 0:
        end = template.find("-->", start)
        end = len(template) if end < 0 else end + 3
        parts += [template[position:start], _blank(template[start:end])]
        position = end
    return "".join(parts) + template[position:]
