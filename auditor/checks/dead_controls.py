"""Buttons and links of pages that do nothing when they are used: empty handlers, handlers that only log, links to "#", pages that only announce themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.syntax import Control, FileFacts

_BUTTON = re.compile(r"(?:^|\.)(?:button|a|form|\w*Button|\w*Link|\w*MenuItem|\w*Item|\w*Action|Pressable|Touchable\w*)$")
_PRESSED = re.compile(r"(?:^|\.)(?:\w*[bB]utton|Pressable|Touchable\w*|form)$")
_EMPTY = re.compile(
    r"^(?:async )?(?:\(\w*(?::\s*\w+)?\)|\w+) => (?:\{\s*(?:/\*.*\*/|//[^{}]*)?\s*\}|undefined|null|void 0|console\.\w+\([^()]*\))$|^function \w*\(\w*\) \{\s*\}$|^(?:noop|_\.noop)$"
)
_LOGS = re.compile(r"^(?:async )?(?:\(\w*(?::\s*\w+)?\)|\w+) => \{\s*console\.\w+\([^()]*\);?\s*\}$")
_OFF = ("disabled", "aria-disabled", "readOnly", "...", "asChild", "type", "role")
_PICTURED = re.compile(r"preview|editor|canvas|builder|template|sample|story|stories|mock|theme|example|styleguide|design", re.IGNORECASE)
"""Places that show what a page or mail will look like: their links lead nowhere on purpose."""
_TOP = re.compile(r"^(?:.{0,20}\b(?:top|home|logo|brand)\b.{0,20}|[^\w]*)$", re.IGNORECASE)
_PAGE = re.compile(r"(?:^|/)(?:pages|views|screens|routes|app)/|(?:^|/)(?:page|\w*Page)\.[jt]sx$")
_ANNOUNCED = re.compile(
    r">\s*(?:[^<>{}]{0,80}\b)?(?:coming soon|under construction|not (?:yet )?implemented|work in progress)\b", re.IGNORECASE
)
_SMALL = 60
_FEW_CALLS = 3


@dataclass(frozen=True, slots=True)
class Dead:
    """A control or page that does nothing: `rule` says which kind, `what` what is written on it."""

    path: str
    line: int
    rule: str
    what: str


def dead_controls(facts: FileFacts, text: str) -> Iterator[Dead]:
    """The dead controls of one file, then the page itself if it only announces what is to come."""
    if _PICTURED.search(facts.path):
        return
    for control in facts.controls:
        if not _BUTTON.search(control.element):
            continue
        if _does_nothing(control) and (control.text or _PRESSED.search(control.element)):
            yield Dead(facts.path, control.line, "dead-button", control.text)
        elif _leads_nowhere(control):
            yield Dead(facts.path, control.line, "dead-link", control.text)
    announced = _announces(facts, text)
    if announced:
        yield Dead(facts.path, announced, "page-to-come", "")


def _does_nothing(control: Control) -> bool:
    """Whether the only thing a control does is nothing, or a line in the console."""
    handlers = [value for name, value in control.attributes if name in {"onClick", "onPress", "onSubmit"}]
    if not handlers or any(
        control.attribute(name) is not None
        for name in (*_OFF[:5], "href", "to", "onMouseDown", "onPointerDown", "onSelect", "onValueChange")
    ):
        return False
    return all(_EMPTY.match(value) or _LOGS.match(value) for value in handlers)


def _leads_nowhere(control: Control) -> bool:
    """Whether a link with words on it leads to the top of its own page, and nothing else makes use of it."""
    target = control.attribute("href") if control.attribute("to") is None else control.attribute("to")
    if target != "#" or any(
        name not in {"href", "to", "className", "class", "style", "target", "rel", "title", "aria-label", "key"}
        for name, _ in control.attributes
    ):
        return False
    return bool(control.text) and not _TOP.match(control.text)


def _announces(facts: FileFacts, text: str) -> int:
    """The line on which a page that does nothing else says that it is still to come, 0 when there is none."""
    if not _PAGE.search(facts.path) or not facts.elements or facts.code_lines > _SMALL or len(facts.calls) > _FEW_CALLS:
        return 0
    found = _ANNOUNCED.search(text)
    return text.count("\n", 0, found.end()) + 1 if found else 0
