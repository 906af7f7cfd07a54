"""Calls of language models in production code: which client, where, and whether the length of the answer is limited. Shared by every check that asks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.language_models import CHAINS, HOST, METHODS, OUTPUT_LIMITS, SCRIPT_FUNCTIONS, UNMISTAKABLE, is_package
from auditor.model.syntax import Call, FileFacts, ImportKind, Value, ValueKind

_SENDS = re.compile(r"(?:^|[._])(?:\w*[fF]etch\w*|post|request|axios|urlopen|send|stream|create)$")
_LOCAL = re.compile(r"^https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|host\.docker\.internal|ollama)(?::|/|$)")
_LOCAL_CLIENTS = frozenset({"ollama", "langchain_ollama", "ChatOllama", "OllamaLLM", "LlamaCpp", "HuggingFacePipeline"})


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call whose answer is made by a language model.

    `limited`: a setting bounds the length of the answer, at the call, in its client or in settings of the same file. `local`: the model runs on
    the owner's own machine, so that an answer costs time and no money.
    """

    path: str
    line: int
    end_line: int
    scope: int
    callee: str
    limited: bool
    local: bool
    call: Call


def model_calls(files: Iterable[FileFacts]) -> tuple[ModelCall, ...]:
    """Every call of a model, in path and line order."""
    found = [call for facts in files for call in _in_file(facts)]
    return tuple(sorted(found, key=lambda each: (each.path, each.line)))


def model_imports(files: Iterable[FileFacts]) -> tuple[tuple[str, int, str], ...]:
    """(path, line, module) of every import of a client of models that takes effect."""
    return tuple(
        (facts.path, entry.line, entry.module)
        for facts in files
        for entry in facts.imports
        if entry.kind is not ImportKind.TYPE_ONLY and entry.names and is_package(entry.module, script=not _is_python(facts))
    )


def keys_of(value: Value) -> Iterator[str]:
    """The names of all entries and keyword arguments inside a value."""
    for key, inner in value.items:
        yield key
        yield from keys_of(inner)


def _is_python(facts: FileFacts) -> bool:
    return facts.path.endswith((".py", ".pyw"))


def _in_file(facts: FileFacts) -> Iterator[ModelCall]:
    packages = model_imports([facts])
    functions = {
        local
        for entry in facts.imports
        if re.match(r"^(?:npm:)?ai(?:@|$)", entry.module)
        for name, local in entry.names
        if name in SCRIPT_FUNCTIONS
    }
    addresses = _addresses(facts)
    limited = _file_limits(facts)
    local = _runs_here(facts)
    for call in facts.calls:
        if _asks(call, functions, addresses, framework=bool(packages)):
            own = limited or any(name in OUTPUT_LIMITS for argument in call.arguments for name in (argument.name, *keys_of(argument.value)))
            yield ModelCall(facts.path, call.line, call.end_line, call.scope, call.callee, own, local, call)


def _asks(call: Call, functions: set[str], addresses: frozenset[str], *, framework: bool) -> bool:
    callee = call.callee
    if UNMISTAKABLE.search(callee) or callee in functions or _sends(call, addresses):
        return True
    if METHODS.search(callee) and (framework or _names_model(call)):
        return True
    if framework and CHAINS.search(callee):
        return True
    handed = (a.value.literal for a in call.arguments if a.value.kind is ValueKind.NAME)  # to_thread(client.chat.completions.create, ...)
    return any(UNMISTAKABLE.search(name) for name in handed)


def _names_model(call: Call) -> bool:
    """Whether a call says which model is to answer what: its client may be made in another file."""
    keys = {name for argument in call.arguments for name in (argument.name, *(key for key, _ in argument.value.items))}
    return "model" in keys and not keys.isdisjoint({"messages", "prompt", "input", "contents"})


def _addresses(facts: FileFacts) -> frozenset[str]:
    """The names that hold the address of a model."""
    return frozenset(
        assignment.target
        for assignment in facts.assignments
        if assignment.value is not None
        and any(HOST.match(value.literal) for value in (assignment.value, *(inner for _, inner in assignment.value.items)))
    )


def _sends(call: Call, addresses: frozenset[str]) -> bool:
    """Whether a call sends something to the address of a model."""
    if not _SENDS.search(call.callee):
        return False
    for value in [argument.value for argument in call.arguments if argument.name in {"", "url"}][:2]:
        if HOST.match(value.literal) or any(name in addresses for name in value.names[:3]):
            return value.kind in {ValueKind.STRING, ValueKind.TEMPLATE, ValueKind.NAME}
    return False


def _file_limits(facts: FileFacts) -> bool:
    """Whether a client or its settings, made elsewhere in the file, limit the answer."""
    if any(a.name in OUTPUT_LIMITS for call in facts.calls for a in call.arguments):
        return True
    return any(
        assignment.target.rpartition(".")[2].strip("[]'\"") in OUTPUT_LIMITS
        or (assignment.value is not None and any(key in OUTPUT_LIMITS for key in keys_of(assignment.value)))
        or re.search(r"\[['\"](?:max_tokens|max_completion_tokens|maxOutputTokens|max_output_tokens)['\"]\]$", assignment.target)
        is not None
        for assignment in facts.assignments
    )


def _runs_here(facts: FileFacts) -> bool:
    """Whether the file's client talks to the owner's own machine."""
    named = any(entry.module.split(".")[0] in _LOCAL_CLIENTS or any(n in _LOCAL_CLIENTS for n, _ in entry.names) for entry in facts.imports)
    paid = any(
        entry.module.split(".")[0].lstrip("@") in {"openai", "anthropic", "groq", "cohere", "mistralai", "google"}
        for entry in facts.imports
    )
    return (named and not paid) or any(_LOCAL.match(literal.text) for literal in facts.literals if "11434" in literal.text)
