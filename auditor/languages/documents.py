"""Reads prose documents into sections: Markdown through markdown-it, reStructuredText, AsciiDoc and plain text by their heading lines.

What a document is for is told from its name, its place and its content. Documents are data here: links are not followed, mark-up is
not rendered, and only the block structure is parsed, with bounded nesting.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from auditor.model.artifacts import Document, Section

READ_BYTES = 400_000
"""Characters of one document that are read; what stands behind them is not examined."""

_LONGEST_LINE = 20_000
_SECTIONS = 4_000

_SMALL_WORDS = frozenset({"the", "of", "and", "with", "this", "that", "from", "you", "your", "will", "to", "are", "for", "or", "not"})
_SMALL_SHARE = 0.025
"""English prose has a quarter of them; terse check lists have as few as this."""
_SMALL_SHARE_PLAIN = 0.005
"""The same for texts without a foreign letter, which are more often English."""
_FOREIGN_SHARE = 0.05
"""Words with letters beyond ASCII: one in twelve in German, one in nine in Portuguese, all in Chinese."""
_ENOUGH_WORDS = 60
_WORD = re.compile(r"[^\W\d_]+")
_NO_PROSE = re.compile(r"`[^`\n]*`|https?://\S+")

_Code = tuple[str, str, int]

_HTML_HEADING = re.compile(r"<h([1-6])\b[^<>]{0,300}>(.{0,300}?)</h\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]{0,300}>")
_UNDERLINE = re.compile(r"^([=\-~^\"'`#*+.:_])\1{2,}\s*$")
_ATX = re.compile(r"^(#{1,6}|={1,6})[ \t]+(\S.{0,200})$")
_CAPITALS = re.compile(r"^(?:(?:step\s+)?\d+[.):]\s+)?[A-Z][A-Z0-9 &/'()\-]{3,60}:?$")
_STEP = re.compile(r"^(?:step\s+\d+\s*[:.)-]|\d+\.)\s+\S.{0,70}$", re.IGNORECASE)
_RST_CODE = re.compile(r"^(\s*)\.\.\s+(?:code-block|code|sourcecode|prompt)::\s*(\S*)")
_ASCIIDOC_FENCE = re.compile(r"^(?:-{4,}|\.{4,})$")


def read_document(path: str, text: str) -> Document:
    """The sections and the purpose of the document at `path`."""
    text = _bounded(text)
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in {".md", ".mdx", ".mdc", ".markdown"} or (
        suffix not in {".rst", ".txt", ".adoc", ".asciidoc"} and _looks_like_markdown(text)
    ):
        sections = _markdown(text)
    else:
        sections = _plain(text, suffix)
    return Document(path, purpose_of(path, sections), tuple(sections), len(text.split()), _is_english(sections))


def _is_english(sections: list[Section]) -> bool:
    """Whether the prose uses the small words of English; a text too short to tell is taken for English."""
    prose = _NO_PROSE.sub(" ", "\n".join(section.text for section in sections))
    words = _WORD.findall(prose)
    small = sum(word.lower() in _SMALL_WORDS for word in words)
    foreign = sum(not word.isascii() for word in words) >= _FOREIGN_SHARE * len(words)
    return len(words) < _ENOUGH_WORDS or small >= (_SMALL_SHARE if foreign else _SMALL_SHARE_PLAIN) * len(words)


def _bounded(text: str) -> str:
    text = text[:READ_BYTES]
    if max(map(len, text.split("\n"))) <= _LONGEST_LINE:
        return text
    return "\n".join(line[:_LONGEST_LINE] for line in text.split("\n"))


def _looks_like_markdown(text: str) -> bool:
    return bool(re.search(r"^(?:#{1,6} |```|[-*] \S)", text[:20_000], re.MULTILINE))


# --- Markdown -------------------------------------------------------------------------------------------------------------------


def _markdown(text: str) -> list[Section]:
    front, body = _front_matter(text)
    tokens = MarkdownIt("commonmark", {"maxNesting": 20}).disable("inline").parse(body)
    lines = body.split("\n")
    marks = _headings(tokens, lines)
    blocks = _code_blocks(tokens)
    return _assemble(lines, marks, blocks, front)


def _front_matter(text: str) -> tuple[str, str]:
    """The YAML block a document may start with, and the text with that block blanked so that line numbers stay."""
    if not text.startswith("---\n"):
        return "", text
    end = text.find("\n---", 3, 10_000)
    if end < 0:
        return "", text
    block = text[4:end]
    return block, "\n" * (block.count("\n") + 2) + text[end + 4 :]


def _headings(tokens: list[Token], lines: list[str]) -> list[tuple[int, int, int, str]]:
    """(first line, line after the heading, level, title), lines from 0."""
    found = []
    for position, token in enumerate(tokens):
        if token.map is None or token.level:
            continue
        if token.type == "heading_open" and position + 1 < len(tokens):
            found.append((token.map[0], token.map[1], int(token.tag[1]), _title(tokens[position + 1].content)))
        elif token.type == "html_block":
            for match in _HTML_HEADING.finditer(token.content[:20_000]):
                line = token.map[0] + token.content.count("\n", 0, match.start())
                end = line + match[0].count("\n") + 1
                found.append((line, min(end, len(lines)), int(match[1]), _title(match[2])))
    return found[:_SECTIONS]


def _code_blocks(tokens: list[Token]) -> list[tuple[int, int, _Code]]:
    """(first line, line after it, block); the block's own line is that of its first code line, from 1."""
    blocks = []
    for token in tokens:
        if token.map and token.type in {"fence", "code_block"}:
            language = token.info.strip().split()[0].lower() if token.info.strip() else ""
            first = token.map[0] + (2 if token.type == "fence" else 1)
            blocks.append((token.map[0], token.map[1], (language, token.content, first)))
    return blocks


def _title(text: str) -> str:
    text = _TAG.sub(" ", text)
    text = re.sub(r"!?\[([^\[\]]{0,200})\]\([^()]{0,500}\)", r"\1", text)
    return " ".join(text.replace("`", "").replace("*", "").split())[:200]


def _assemble(lines: list[str], marks: list[tuple[int, int, int, str]], blocks: list[tuple[int, int, _Code]], front: str) -> list[Section]:
    inside_code = {number for start, end, _ in blocks for number in range(start, end)}
    bounds = [(0, 0, 0, ""), *marks, (len(lines), len(lines), 0, "")]
    sections = []
    pending = iter(sorted(blocks))
    block = next(pending, None)
    for (start, after, level, title), (following, *_) in pairwise(bounds):
        code = []
        while block is not None and block[0] < following:
            code.append(block[2])
            block = next(pending, None)
        prose = "\n".join(lines[number] for number in range(after, following) if number not in inside_code).strip()
        if level == 0 and front:
            prose = f"{front}\n{prose}".strip()
        if level or prose or code:
            sections.append(Section(title, level, start + 1, prose, tuple(code)))
    return sections


# --- reStructuredText, AsciiDoc, plain text ---------------------------------------------------------------------------------------


def _plain(text: str, suffix: str) -> list[Section]:
    lines = text.split("\n")
    blocks = _marked_code(lines)
    inside_code = {number for start, end, _ in blocks for number in range(start, end)}
    marks: list[tuple[int, int, int, str]] = []
    styles: list[str] = []
    for number in range(len(lines)):
        if number in inside_code or (marks and number < marks[-1][1]):
            continue
        mark = _underlined(lines, number, styles) or _one_line_heading(lines, number, suffix)
        if mark:
            marks.append(mark)
        if len(marks) >= _SECTIONS:
            break
    return _assemble(lines, marks, blocks, "")


def _underlined(lines: list[str], number: int, styles: list[str]) -> tuple[int, int, int, str] | None:
    """A title with a line of punctuation below it, and perhaps one above; levels in the order in which the styles first occur."""
    over = bool(_UNDERLINE.match(lines[number]))
    title_line = number + 1 if over else number
    if title_line + 1 >= len(lines):
        return None
    title, below = lines[title_line].strip(), lines[title_line + 1].strip()
    match = _UNDERLINE.match(below)
    if not match or not title or _UNDERLINE.match(title) or len(title) > 200:
        return None
    if over and lines[number].strip()[:1] != match[1]:
        return None
    if len(below) < min(len(title), 4):
        return None
    style = match[1] * (2 if over else 1)
    if style not in styles:
        styles.append(style)
    return number, title_line + 2, min(6, styles.index(style) + 1), title


def _one_line_heading(lines: list[str], number: int, suffix: str) -> tuple[int, int, int, str] | None:
    line = lines[number].rstrip()
    if match := _ATX.match(line):
        return number, number + 1, len(match[1]), match[2].strip(" =#")
    if suffix == ".rst":
        return None
    alone = number == 0 or not lines[number - 1].strip()
    if _CAPITALS.match(line) and alone and any(character.isalpha() for character in line):
        return number, number + 1, 2, line.rstrip(":")
    if _STEP.match(line) and alone and number + 1 < len(lines) and lines[number + 1][:2] in {"  ", "\t", "- ", ""}:
        return number, number + 1, 3, line.rstrip(":")
    return None


def _marked_code(lines: list[str]) -> list[tuple[int, int, _Code]]:
    blocks: list[tuple[int, int, _Code]] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        directive = _RST_CODE.match(line)
        if directive or (line.rstrip().endswith("::") and not line.lstrip().startswith("..")):
            start, end = _indented(lines, number + 1, len(line) - len(line.lstrip()))
            if end > start:
                blocks.append((start, end, (directive[2].lower() if directive else "", "\n".join(lines[start:end]), start + 1)))
            number = max(end, number + 1)
        elif _ASCIIDOC_FENCE.match(line) or line.startswith("```"):
            end = next(
                (n for n in range(number + 1, min(len(lines), number + 2_000)) if lines[n].rstrip() == line[:3] or lines[n] == line), -1
            )
            opened = end > 0 and (
                line.startswith("```") or number == 0 or not lines[number - 1].strip() or lines[number - 1].startswith("[")
            )
            if opened:
                blocks.append((number, end + 1, (line.strip("`-. ").lower(), "\n".join(lines[number + 1 : end]), number + 2)))
                number = end + 1
            else:
                number += 1
        else:
            number += 1
    return blocks


def _indented(lines: list[str], start: int, margin: int) -> tuple[int, int]:
    """The block below `start` that is indented deeper than `margin`, options and blank lines at its head left out."""
    number = start
    while number < len(lines) and (not lines[number].strip() or lines[number].lstrip().startswith(":")):
        number += 1
    first = number
    last = number
    while number < len(lines) and (not lines[number].strip() or len(lines[number]) - len(lines[number].lstrip()) > margin):
        if lines[number].strip():
            last = number + 1
        number += 1
    return first, last


# --- purpose ----------------------------------------------------------------------------------------------------------------------

_AGENT_NAMES = {
    "agents", "agent", "claude", "claude.local", "gemini", "qwen", "replit", "codex", "warp", "copilot-instructions", "crush", "jules",
    ".cursorrules", ".windsurfrules", ".clinerules", ".roorules", ".goosehints", ".augment-guidelines", ".rules",
}  # fmt: skip
_AGENT_PLACE = re.compile(
    r"(?:^|/)(?:\.cursor/rules|\.windsurf/rules|\.clinerules|\.roo/rules[\w-]*|\.continue/rules|\.trae/rules|\.kiro/steering|\.amazonq/rules|\.qoder/rules"
    r"|\.augment/rules|\.agent/rules|\.agents/rules|\.claude/rules|\.github/instructions)/|(?:^|/)\.junie/guidelines\.md$|(?:^|/)\.specify/memory/constitution\.md$"
)
_AGENT_TEXT = re.compile(
    r"(?:guidance|guidelines|instructions|context) (?:to|for) (?:(?:all|the|any) )?(?:AI|LLM|coding|Claude|Cursor|Copilot|Gemini|Codex|automated)\b[^.\n]{0,40}?(?:agents?|assistants?|Code|tools?)\b"
    r"|when working with code in this repository|^alwaysApply:",
    re.IGNORECASE | re.MULTILINE,
)
_BY_STEM = (
    ("readme", re.compile(r"^readme\b|^readme[._-]|^lisezmoi|^leeme")),
    ("contributing", re.compile(r"^(?:contributing|contribute|hacking|developing|development|developer[-_ ]?guide|style[-_ ]?guide|coding[-_ ]?(?:standards|guidelines|style)|conventions)\b")),
    ("changelog", re.compile(r"^(?:changelog|changes|history|news|release[-_ ]?notes|whats[-_ ]?new)\b")),
    ("security", re.compile(r"^security\b")),
    ("licence", re.compile(r"^(?:licen[cs]e|copying|notice|unlicense|third[-_ ]?party[-_ ]?(?:licen[cs]es|notices))\b")),
    ("runbook", re.compile(r"(?:^|[-_ ])(?:runbooks?|playbooks?|operations|deploy(?:ment|ing)?|on[-_ ]?call|incidents?|disaster|rollback|troubleshoot(?:ing)?)(?:[-_ ]|$)|^(?:ops|backups?|restore|recovery|monitoring|maintenance)$")),
)  # fmt: skip
_DOCUMENTATION = re.compile(r"(?:^|/)(?:docs?|documentation|content|wiki|manual)/")
_FOR_CONTRIBUTORS = re.compile(
    r"(?:^|/)(?:docs?|documentation)/(?:[\w.-]{1,60}/){0,4}(?:contributors?|contributing|developers?[-_]guide|dev[-_]guide|development)/"
)
_PLANNING = re.compile(
    r"(?:^|/)(?:specs?|\.specify|\.kiro|openspec|prompts?|agents?|commands|skills|\.claude|\.cursor|plans?|tasks?|history|blueprints?|rfcs?|adrs?)(?:/|[-_.])|(?:spec|plan|tasks|prompt|design|prd)\.md$"
)
"""Where plans, specifications and prompts are kept: they speak of operation without being instructions for it."""

_OPERATING = (
    re.compile(r"\b(?:deploy|release|production|hosting|go[- ]live)", re.IGNORECASE),
    re.compile(r"\b(?:troubleshoot|common (?:issues|problems|errors)|debugging|incident|on[- ]call|first aid|failure)", re.IGNORECASE),
    re.compile(r"\b(?:backup|back up|restore|recovery|roll ?back)", re.IGNORECASE),
    re.compile(r"\b(?:logs?|monitor|alert|health check|metrics|observab)", re.IGNORECASE),
    re.compile(r"\b(?:upgrade|updating|maintenance|scaling|migrat)", re.IGNORECASE),
)


def purpose_of(path: str, sections: list[Section]) -> str:
    """What the document is for: its name and place first, then what its text says it is."""
    name = PurePosixPath(path).name.lower()
    stem = re.sub(r"\.(?:md|mdx|mdc|rst|txt|adoc|markdown)$", "", name)
    about_agents = name == PurePosixPath(path).name and _DOCUMENTATION.search(path) is not None  # a page on the product's own agents
    if (stem in _AGENT_NAMES and not about_agents) or _AGENT_PLACE.search(path) or (stem.startswith("copilot") and "instructions" in stem):
        return "agent-rules"
    for purpose, pattern in _BY_STEM:
        if pattern.search(stem) and not (purpose == "runbook" and _PLANNING.search(path.lower())):
            return purpose
    if _FOR_CONTRIBUTORS.search(path.lower()):
        return "contributing"
    head = "\n".join(f"{section.title}\n{section.text[:2_000]}" for section in sections[:3])
    if _AGENT_TEXT.search(head[:6_000]):
        return "agent-rules"
    if _PLANNING.search(path.lower()):
        return "other"
    titles = "\n".join(section.title for section in sections if section.text or section.code)
    return "runbook" if sum(bool(pattern.search(titles)) for pattern in _OPERATING) >= 3 else "other"
