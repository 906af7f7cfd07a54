"""Whether a key that is drawn at random is also put away, so that the next start and other processes find it again."""

from __future__ import annotations

import re

from auditor.model.syntax import Call, FileFacts

_PUTS_AWAY = re.compile(
    r"(?:^|\.)(?:write|write_text|write_bytes|writeFile|writeFileSync|writelines|dump|set_key|save|insert|upsert|set_config|setItem|commit)$"
)
_NEAR = 15
"""Lines around a draw within which the writing belongs to it."""
_STATEMENT = 3


def is_kept(facts: FileFacts, name: str, line: int, scope: int) -> bool:
    """Whether what is drawn for `name` at a line is written somewhere: right there, or by the function of the file that draws it."""
    drawn_by = {call.callee for call in facts.calls if line <= call.line <= line + _STATEMENT}
    drawers = {index for index, definition in enumerate(facts.definitions) if definition.name and definition.name in drawn_by}
    return any(
        _PUTS_AWAY.search(call.callee)
        and (call.scope in drawers or (call.scope == scope and abs(call.line - line) <= _NEAR and _mentions(call, name)))
        for call in facts.calls
    )


def _mentions(call: Call, name: str) -> bool:
    return any(used.rpartition(".")[2] == name for argument in call.arguments for used in argument.value.names)
