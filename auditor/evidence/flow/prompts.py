"""Where text from outside becomes part of the instructions of a language model: the same for both languages, whose clients take the same settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.evidence.flow.language import Arguments, Harm
from auditor.evidence.flow.values import HOLE, NOTHING, OWN_HOLE, Value
from auditor.evidence.flow.weaknesses import harms
from auditor.language_models import CHAINS, HOST, METHODS, SCRIPT_FUNCTIONS, UNMISTAKABLE

_Hit = Iterator[Harm]
_INSTRUCTIONS = ("system", "system_instruction", "systemInstruction", "instructions", "system_prompt", "systemPrompt")
_RULERS = frozenset({"system", "developer"})
_OWN_TEXT = 20
"""Characters of the owner's own text beside the hole: without any, the caller is meant to give the instructions."""


def asks_model(path: str) -> bool:
    """Whether a call is one of a language model's client by its dotted name alone."""
    return bool(UNMISTAKABLE.search(path)) or path.rsplit(".", 1)[-1] in SCRIPT_FUNCTIONS


def is_model_address(url: Value) -> bool:
    """Whether an address is one at which a model answers."""
    return HOST.match(url.const if isinstance(url.const, str) else url.skeleton) is not None


def in_instructions(arguments: Arguments) -> _Hit:
    """The settings of a call to a model: its system prompt, and messages in the role of one."""
    path = arguments.path.lstrip("~")
    if asks_model(path) or METHODS.search(path) or CHAINS.search(path) or "ystem" in path or path.endswith("enerativeModel"):
        yield from _settings({**(arguments.get(0).items or {}), **arguments.named})


def in_request_body(body: Value) -> _Hit:
    """The same settings, sent to a model's address as JSON."""
    yield from _settings(body.items or {})


def is_instruction(arguments: Arguments) -> _Hit:
    """A message object that is an instruction by its class."""
    yield from _mixed(arguments.get(0, "content"))


def _settings(given: dict[object, Value] | object) -> _Hit:
    if not isinstance(given, dict):
        return
    config = given.get("config") or given.get("generationConfig") or NOTHING
    for settings in (given, config.items or {}):
        for name in _INSTRUCTIONS:
            for text in _texts(settings.get(name)):
                yield from _mixed(text)
    for name in ("messages", "input"):
        for message in _entries(given.get(name)):
            parts = message.items or {}
            if parts.get("role", NOTHING).const in _RULERS:
                for text in _texts(parts.get("content")):
                    yield from _mixed(text)


def _texts(value: Value | None) -> Iterable[Value]:
    """A text, or the text parts of a content in parts."""
    if value is None:
        return ()
    inner = (value.items or {}).get("parts", value)
    return [inner, *((part.items or {}).get("text", part) for part in _entries(inner))] if inner.items else [value]


def _entries(value: Value | None) -> Iterable[Value]:
    return list((value.items or {}).values())[:40] if value is not None else ()


def _mixed(text: Value) -> _Hit:
    own = text.skeleton.replace(OWN_HOLE, "").replace(HOLE, "").strip()
    if text.items is None and len(own) >= _OWN_TEXT:
        yield from harms(text, "prompt", "text-in-instructions")
