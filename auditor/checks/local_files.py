"""Files on the server's own disk that other users of the machine can get between: predictable temporary names, files anybody may change."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.cookie_calls import imports
from auditor.model.syntax import Call, FileFacts, ValueKind
from auditor.model.verdict import Confidence, Finding

_NAMES_ONLY = re.compile(r"^(?:tempfile\.)?mktemp$|^os\.(?:tempnam|tmpnam)$")
_CHANGES_MODE = re.compile(r"^(?:os|fs|fsp|fs\.promises|fsPromises)\.(?:f|l)?chmod(?:Sync)?$|(?:^|\.)chmod(?:Sync)?$")
_ANYBODY_WRITES, _STICKY = 0o002, 0o1000
_COMMAND = re.compile(r"\bchmod\s+(?:-\w+\s+)*(?:0?(?:777|666)\b|(?:a|o|ugo)?\+\w*w)")
_RUNS = re.compile(r"^(?:os\.system|os\.popen|subprocess\.\w+|exec|execSync|child_process\.\w+|spawn|spawnSync|\$)$")


def file_faults(facts: FileFacts) -> Iterator[Finding]:
    """Everything of one server file, in the order of its calls."""
    python = facts.path.endswith(".py")
    for call in facts.calls:
        if python and _NAMES_ONLY.match(call.callee) and (call.callee != "mktemp" or imports(facts, "tempfile")):
            message = "Only the name of a temporary file is made here: before it is opened, another user of the machine can put a file or a link in its place."
            yield Finding("predictable-temporary-file", facts.path, message, call.line, call.end_line, Confidence.HIGH, "syntax", 377)
        elif _opens_to_all(call):
            message = "Every user of the machine may change this file afterwards: whoever gets into one service there changes what this one reads or runs."
            yield Finding("world-writable-file", facts.path, message, call.line, call.end_line, Confidence.HIGH, "syntax", 732)


def _opens_to_all(call: Call) -> bool:
    if _RUNS.match(call.callee):
        words = [argument.value.literal for argument in call.arguments]
        words += [" ".join(item.literal for _, item in argument.value.items) for argument in call.arguments]
        return any(_COMMAND.search(word) for word in words)
    if not _CHANGES_MODE.search(call.callee) or not call.arguments:
        return False
    mode = call.arguments[-1].value
    if mode.kind is ValueKind.NUMBER or (mode.kind is ValueKind.STRING and "fs" in call.callee):
        number = _mode(mode.literal, text=mode.kind is ValueKind.STRING)
        return bool(number & _ANYBODY_WRITES) and not number & _STICKY
    return any(name.endswith(("S_IWOTH", "S_IRWXO")) for name in (*mode.names, mode.literal))


def _mode(literal: str, *, text: bool) -> int:
    """The bits of `0o777`, `0777`, `511` or the text "777"."""
    digits = literal.lower().replace("_", "")
    octal = re.fullmatch(r"0o?([0-7]{1,6})", digits) or (re.fullmatch(r"([0-7]{3,4})", digits) if text else None)
    if octal:
        return int(octal[1], 8)
    return int(digits) if digits.isdigit() and not text else 0
