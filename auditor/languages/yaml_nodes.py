"""YAML as nodes that know their line, read so that no text can make it hang: streamed events, bounded in size, depth and count.

Anchors share one node and merge keys are looked up, never copied, so nested aliases cost nothing until somebody walks them;
`Node.walk` is bounded for that reason. Texts are as written: `on`, `yes` and `1.10` stay what they are.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

SIZE_LIMIT = 1_000_000
"""Largest text that is read, in characters: about a second of work."""
_DEPTH_LIMIT = 60
_EVENT_LIMIT = 150_000
_MERGE_DEPTH = 8
_WALK_LIMIT = 20_000


class NodeKind(StrEnum):
    """What a node is."""

    NOTHING = "nothing"
    SCALAR = "scalar"
    SEQUENCE = "sequence"
    MAPPING = "mapping"


@dataclass(eq=False, slots=True)
class Node:
    """A scalar, sequence or mapping; look-ups of what is not there give an empty node, so that they can be chained.

    `line` is where the value begins (from 1), `key_line` where its key stands; `tag` the tag without its exclamation mark; `block`: a `|` or `>` scalar.
    """

    kind: NodeKind
    line: int = 0
    text: str = ""
    tag: str = ""
    block: bool = False
    key_line: int = 0
    children: list[Node] = field(default_factory=list)
    entries: list[tuple[str, Node]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.kind is not NodeKind.NOTHING

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return self.kind is NodeKind.MAPPING

    @property
    def is_sequence(self) -> bool:
        """Whether it is a sequence."""
        return self.kind is NodeKind.SEQUENCE

    @property
    def is_scalar(self) -> bool:
        """Whether it is a scalar."""
        return self.kind is NodeKind.SCALAR

    def get(self, *keys: str) -> Node:
        """The value below the given keys, one level each; merge keys are followed."""
        node = self
        for key in keys:
            node = next((value for name, value in node.items() if name == key), NOTHING)
        return node

    def items(self) -> list[tuple[str, Node]]:
        """The entries of a mapping, merged ones last and only where they are not overridden; empty for other kinds."""
        found = {name: value for name, value in reversed(self.entries) if name != "<<"}
        ordered = [(name, found[name]) for name in dict.fromkeys(name for name, _ in self.entries if name != "<<")]
        level = [value for name, value in self.entries if name == "<<"]
        for _ in range(_MERGE_DEPTH):
            mappings = [node for value in level for node in (value.children if value.is_sequence else [value])][:50]
            level = []
            for mapping in mappings:
                for name, value in mapping.entries:
                    if name == "<<":
                        level.append(value)
                    elif name not in found:
                        found[name] = value
                        ordered.append((name, value))
        return ordered

    def elements(self) -> list[Node]:
        """The elements of a sequence; a scalar or mapping counts as a sequence of itself."""
        if self.is_sequence:
            return self.children
        return [self] if self else []

    def texts(self) -> list[str]:
        """The scalars of a sequence (or the scalar itself) as texts."""
        return [node.text for node in self.elements() if node.is_scalar]

    def scalars(self, limit: int = 200) -> list[Node]:
        """All scalars below, in order, nested sequences flattened (mappings are not entered)."""
        found: list[Node] = []
        pending = [self]
        steps = 0
        while pending and len(found) < limit and steps < _WALK_LIMIT:
            steps += 1
            node = pending.pop()
            if node.is_scalar:
                found.append(node)
            elif node.is_sequence:
                pending.extend(reversed(node.children[:limit]))
        return found

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Scalar entries of a mapping as texts."""
        return tuple((name, value.text) for name, value in self.items() if value.is_scalar)

    def walk(self) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Every node below with its path of keys and indices, parents first; stops after a bounded number."""
        pending: list[tuple[tuple[str, ...], Node]] = [((), self)]
        steps = 0
        while pending and steps < _WALK_LIMIT:
            steps += 1
            path, node = pending.pop()
            yield path, node
            if len(path) >= _DEPTH_LIMIT:
                continue
            inner = node.items() if node.is_mapping else [(str(index), child) for index, child in enumerate(node.children)]
            pending.extend(((*path, name), child) for name, child in reversed(inner[:2_000]))


NOTHING = Node(NodeKind.NOTHING)


@dataclass(frozen=True, slots=True)
class YamlText:
    """What could be read of a text: its documents, and the reason if not everything could."""

    documents: tuple[Node, ...]
    problem: str = ""

    @property
    def root(self) -> Node:
        """The first document that holds something."""
        return next((document for document in self.documents if document), NOTHING)


class _TooMuchError(Exception):
    """The text is deeper or larger than any honest file."""


def read_yaml(text: str) -> YamlText:
    """Read all documents of a YAML text; never raises and never takes long."""
    if len(text) > SIZE_LIMIT:
        return YamlText((), f"larger than {SIZE_LIMIT // 1_000_000} MB: not read")
    builder = _Builder()
    problem = ""
    try:
        reader = YAML(typ="safe", pure=True)
        for number, event in enumerate(reader.parse(io.StringIO(text))):
            builder.take(event, number)
    except YAMLError as error:
        problem = f"not valid YAML: {_first_line(error)}"
    except _TooMuchError as error:
        problem = f"not read: {error}"
    except (ValueError, TypeError, AttributeError, IndexError, AssertionError, RecursionError, NotImplementedError) as error:
        problem = f"not valid YAML ({type(error).__name__})"  # the reader's own slips on malformed input
    return YamlText(tuple(builder.documents), problem)


def _first_line(error: YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = str(getattr(error, "problem", "") or str(error)).split("\n", 1)[0][:120]
    return f"{what}, line {mark.line + 1}" if mark is not None else what


class _Builder:
    """Puts nodes together from events without recursion."""

    def __init__(self) -> None:
        self.documents: list[Node] = []
        self._open: list[Node] = []
        self._keys: list[Node | None] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: object, number: int) -> None:
        """Add one event, the `number`th of the text."""
        if number > _EVENT_LIMIT:
            raise _TooMuchError(f"more than {_EVENT_LIMIT:,} elements")
        match event:
            case DocumentStartEvent():
                self._anchors = {}
            case ScalarEvent():
                node = Node(NodeKind.SCALAR, event.start_mark.line + 1, event.value, _tag(event), event.style in ("|", ">"))
                self._add(node, event.anchor)
            case MappingStartEvent() | SequenceStartEvent():
                kind = NodeKind.MAPPING if isinstance(event, MappingStartEvent) else NodeKind.SEQUENCE
                node = Node(kind, event.start_mark.line + 1, tag=_tag(event))
                self._add(node, event.anchor)
                if len(self._open) >= _DEPTH_LIMIT:
                    raise _TooMuchError(f"deeper than {_DEPTH_LIMIT} levels")
                self._open.append(node)
                self._keys.append(None)
            case MappingEndEvent() | SequenceEndEvent():
                self._open.pop()
                self._keys.pop()
            case AliasEvent():
                self._add(self._anchors.get(str(event.anchor), NOTHING), None)
            case DocumentEndEvent():
                self._open, self._keys = [], []
            case _:
                pass

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self.documents.append(node)
            return
        parent = self._open[-1]
        if parent.is_sequence:
            parent.children.append(node)
        elif self._keys[-1] is None:
            self._keys[-1] = node
        else:
            key = self._keys[-1]
            if node and not node.key_line:
                node.key_line = key.line
            parent.entries.append((key.text, node))
            self._keys[-1] = None


def _tag(event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> str:
    return str(getattr(event, "tag", None) or "").lstrip("!")


_DIRECTIVE = re.compile(r"^[ \t]*\{\{-?[^{}\n]{0,400}-?\}\}[ \t]*$", re.MULTILINE)
_HOLE = re.compile(r"\{\{-?[^{}\n]{0,400}-?\}\}|\{%[^%\n]{0,400}%\}|<%[^%\n]{0,400}%>")


def without_template(text: str) -> str:
    """A Helm, Jinja or ERB template with its directives blanked out and its holes filled by a word, lines kept."""
    if len(text) > SIZE_LIMIT or ("{{" not in text and "{%" not in text and "<%" not in text):
        return text
    return _HOLE.sub("templated", re.sub(r"^[ \t]*\{%[^%\n]{0,400}%\}[ \t]*$", "", _DIRECTIVE.sub("", text), flags=re.MULTILINE))


def flattened(node: Node, limit: int = 300) -> tuple[tuple[str, str], ...]:
    """Scalars below a node as (dotted path, text cut at 300 characters), at most `limit`."""
    found: list[tuple[str, str]] = []
    for path, below in node.walk():
        if below.is_scalar:
            found.append((".".join(path), below.text[:300]))
            if len(found) >= limit:
                break
    return tuple(found)
