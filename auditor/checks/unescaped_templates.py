"""Templates, and template engines, that show values without escaping them. What is known to be cleaned, or to be the page's own, is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.markup_suppliers import MarkupSuppliers
from auditor.model.evidence import ToolHit
from auditor.model.snapshot import Language, Role, Snapshot
from auditor.model.syntax import FileFacts, Syntax, Value, ValueKind
from auditor.model.verdict import Confidence, Finding

_SAFE_FILTER = re.compile(r"\{\{-?\s*([\w.\[\]'\"()]{1,80})[^{}|]{0,80}(\|[^{}]{0,120})?\|\s*safe\b[^{}]{0,40}\}\}")
_CLEANED = re.compile(r"\|\s*(?:escape|e|tojson|json_script|striptags|bleach|sanitize|clean|nh3|forceescape|urlencode|int|float)\b")
_OWN_TEXT = re.compile(r"^(?:_|gettext|trans|csrf\w*|form\b|field\b|forms?\.|loop\.|config\.|settings\.|Configs?\.|icon|svg|ngettext)")
_BOUND_HERE = r"\{{%-?\s*(?:cycle\s+(?:(?:'[^'{{}}]*'|\"[^\"{{}}]*\")\s+){{1,20}}as\s+{name}(?:\s+silent)?|(?:set|with)\s+{name}\s*=\s*(?:'[^'{{}}]*'|\"[^\"{{}}]*\"))\s*-?%\}}"
"""How a template itself gives a name a text of its own."""
_TAG = re.compile(r"</(?:p|a|div|span|td|li|body|html|h\d|button|label|section|main|form)>")
_VUE_HTML = re.compile(r"\bv-html\s*=\s*[\"']([^\"']{1,200})[\"']")
_SVELTE_HTML = re.compile(r"\{@html\s+([^}]{1,200})\}")
_SANITISES = re.compile(r"\bsaniti[sz]e\w*\(|purify\w*[.(]|\bescape_?html\(|\bxss\(", re.IGNORECASE)
_RENDERS = re.compile(r"\b(?:template|nunjucks|markdown\w*|md|mdi?t?)\.render(?:String)?\(", re.IGNORECASE)
_ESCAPING_RENDERER = re.compile(r"[\"']markdown-it[\"']|\bnunjucks\b")
_LETS_MARKUP_THROUGH = re.compile(r"\bhtml\s*:\s*true|\bautoescape\s*:\s*false|\|\s*safe\b")
"""Renderers that escape what they are given, unless they are told not to."""
_SANITISER = re.compile(r"sanitiz|purify|escape|clean|highlight|\bt\(|\$t\(|i18n", re.IGNORECASE)
_RAW = {
    ".ejs": re.compile(r"<%-\s*([\w$.\[\]'\"]{1,80})\s*;?\s*-?%>"),
    ".hbs": re.compile(r"\{\{\{\s*([\w.@/]{1,80})\s*\}\}\}"),
    ".pug": re.compile(r"(?:!\{|^[ \t]*[\w.#-]*!=[ \t]*)([\w$.]{1,80})[ \t]*(?:\}|$)", re.MULTILINE),
}
"""How the template languages of Node show a value as it is; a call may escape for itself and is not matched."""
_OF_CONSTANTS = re.compile(
    r"\{\{-?\s*[\w.]{1,60}\(\s*(?:(?:\"[^\"{}]{0,200}\"|'[^'{}]{0,200}'|\d{1,9})\s*,?\s*){1,8}\)\s*\|\s*safe\s*-?\}\}"
)
_NUMBER = re.compile(
    r"\{\{-?\s*(?:[\w.]{0,60}[._])?(?:pct|percent(?:age)?|count|total|width|height|index|number|amount)\s*\|\s*safe\s*-?\}\}"
)
_OTHER_MARKS = frozenset({"variable_start_string", "block_start_string"})
"""Who changes the marks of a template engine writes texts that hold the usual ones: code, or other templates."""
_PAGE_NAME = re.compile(r"\.(?:x?html?|xml|svg)(?:\.(?:j2|jinja2?))?$|^text/html|</?(?:html|body|div|p|table|a)\b", re.IGNORECASE)
_LAYOUT = re.compile(
    r"(?:^|\.)(?:body|content|contents|yield|block|blocks|script|scripts|style|styles|stylesheets|head|csrf\w*)$", re.IGNORECASE
)
_ENGINE = re.compile(r"(?:^|\.)(?:setup|configure|setDefaults|setup_jinja2?|Jinja2?|init_\w+)$")


def engines_that_do_not_escape(files: tuple[FileFacts, ...]) -> Iterator[Finding]:
    """Set-ups of a template engine that switch escaping off for every template; Jinja's own `Environment` is left to bandit."""
    for facts in files:
        for call in facts.calls:
            given = [value for argument in call.arguments for value in (_option(argument.name, argument.value),) if value is not None]
            if given and _ENGINE.search(call.callee) and given[0].text.lower() == "false":
                message = "Escaping is switched off for all templates: whatever a user typed runs as script in other people's browsers."
                yield Finding("escaping-switched-off", facts.path, message, call.line, call.end_line, Confidence.MEDIUM, "syntax", 79)


def makes_pages(hit: ToolHit, syntax: Syntax, paths: frozenset[str]) -> bool:
    """Whether a Jinja environment is for pages or mails: settings files and code are made with it too, and need no escaping."""
    facts = syntax.files.get(hit.path)
    made = (
        next((call for call in facts.calls if call.line <= hit.line <= call.end_line and call.callee.endswith("Environment")), None)
        if facts
        else None
    )
    if facts is None or made is None:
        return True
    if any(argument.name in _OTHER_MARKS for argument in made.arguments):
        return False
    named = [
        call.arguments[0].value.literal
        for call in facts.calls
        if call.scope == made.scope
        and call.callee.endswith("get_template")
        and call.arguments
        and call.arguments[0].value.kind is ValueKind.STRING
    ]
    if named:
        return any(_PAGE_NAME.search(name) for name in named)
    maker = facts.definitions[made.scope].name if made.scope >= 0 else ""
    near = [
        other
        for path in sorted(paths)
        if (other := syntax.files.get(path)) is not None
        and (path == hit.path or (maker and any(call.callee.rsplit(".", 1)[-1] == maker for call in other.calls)))
    ]
    return any(_PAGE_NAME.search(literal.text) for other in near for literal in other.literals)


def _option(name: str, value: Value) -> Value | None:
    if name == "autoescape":
        return value
    return value.item("autoescape") if value.kind is ValueKind.COLLECTION else None


def unescaped_places(snapshot: Snapshot, texts: dict[str, str], suppliers: MarkupSuppliers) -> list[Finding]:
    """Templates that show a variable without escaping it, what they are supplied with by server code taken into account."""
    found = []
    for file in snapshot.with_role(Role.FIRST_PARTY):
        text = texts.get(file.path, "")
        raw = next(
            (pattern for suffix, pattern in _RAW.items() if file.path.endswith((suffix, ".jade" if suffix == ".pug" else suffix))), None
        )
        if raw is not None:
            patterns = [(match, match[1], "") for match in raw.finditer(text) if not _LAYOUT.search(match[1])]
        elif file.language is Language.HTML and _TAG.search(text):
            patterns = [(match, match[1], match[2] or "") for match in _SAFE_FILTER.finditer(text)]
        elif file.language is Language.VUE:
            patterns = [(match, match[1], "") for match in _VUE_HTML.finditer(text)]
        elif file.language is Language.SVELTE:
            patterns = [(match, match[1], "") for match in _SVELTE_HTML.finditer(text)]
        else:
            continue
        for match, name, filters in patterns:
            if (
                not _CLEANED.search(filters)
                and not _OWN_TEXT.match(name)
                and not _SANITISER.search(name)
                and not name.startswith(("'", '"'))
                and not (file.language in {Language.VUE, Language.SVELTE} and _cleaned_in_script(name, text))
                and not _bound_here(name, text)
                and not _is_own(match[0])
                and not suppliers.harmless(name)
            ):
                line = text.count("\n", 0, match.start()) + 1
                message = f"The template shows {name[:40]} without escaping it: if a user can influence it, their script runs in other people's browsers."
                found.append(Finding("escaping-switched-off", file.path, message, line, line, Confidence.LOW, "text", 79))
    return found


def _is_own(shown: str) -> bool:
    """Whether a template shows what a helper makes of nothing but texts written here (`include_svg("logo.svg")`), or a number by its name."""
    return _OF_CONSTANTS.match(shown) is not None or _NUMBER.match(shown) is not None


def _bound_here(name: str, text: str) -> bool:
    """Whether the template gives the name a text of its own, and nothing else."""
    return re.fullmatch(r"\w{1,80}", name) is not None and re.search(_BOUND_HERE.format(name=name), text) is not None


def _cleaned_in_script(expression: str, text: str) -> bool:
    """Whether the script of a component makes what it shows with a sanitiser: `html = computed(() => DOMPurify.sanitize(...))`."""
    name = re.match(r"[\w$]+", expression.strip().removeprefix("this."))
    if name is None:
        return False
    made = re.compile(
        rf"(?:^|[\s;{{(]|\bthis\.){re.escape(name[0])}(?:<[^<>\n]{{1,80}}>|:[^=\n]{{1,80}})?\s*(?:=(?!=)|\([^()\n]{{0,200}}\)\s*\{{|:\s*\()"
    )
    renders = _ESCAPING_RENDERER.search(text) is not None and _LETS_MARKUP_THROUGH.search(text) is None
    blocks = [_block(text, found.start()) for found in made.finditer(text)]
    return any(_SANITISES.search(block) or (renders and _RENDERS.search(block)) for block in blocks)


def _block(text: str, start: int) -> str:
    """The lines of a definition: those indented deeper than the line it begins on."""
    lines = text[text.rfind("\n", 0, start + 1) + 1 : start + 6_000].split("\n")
    if not lines[0].strip():
        lines = lines[1:]
    indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    kept = lines[:1]
    for line in lines[1:120]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        kept.append(line)
    return "\n".join(kept)
