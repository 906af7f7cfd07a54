"""Archives that code unpacks entry by entry, each written where its own name says: `../` in a name leads out of the folder.

What a library unpacks as a whole is left to the flows and to bandit. A look at the name, or at the path it leads to, anywhere in the function is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.model.verdict import Confidence, Finding

_SCRIPT_LIBRARIES = re.compile(
    r"^(?:unzipper|unzip-stream|yauzl|adm-zip|tar-stream|tar-fs|tar|jszip|node-stream-zip|yazl|decompress|fflate|node-unzip-2)$"
)
_SCRIPT_ENTRY = re.compile(r"(?:^|\.)(?:entry|header|zip_?entry|zipped|member|file)\.(?:path|fileName|entryName|name)$", re.IGNORECASE)
_PYTHON_ENTRY = re.compile(r"\bfor\s+(\w+)\s+in\s+[\w.()]{1,80}\.(?P<how>namelist|infolist|getmembers|getnames)\(")
_WRITES = frozenset(
    {"open", "createWriteStream", "writeFile", "writeFileSync", "outputFile", "outputFileSync", "write_bytes", "write_text"}
)
_LOOKS = re.compile(
    r"starts_?[wW]ith\(|['\"]\.\.['\"/]|\.relative\(|basename\(|isAbsolute|is_absolute|isabs\(|is_relative_to|commonpath|commonprefix|realpath\(|secure_filename|safe_join|\.replace\(|sanitiz|\.test\(|re\.(?:match|sub|fullmatch)"
)
_STEPS = 2


def archive_entries(facts: FileFacts, text: str) -> Iterator[Finding]:
    """Each entry of one file that is written under its own name."""
    lines = text.split("\n")
    for call in facts.calls:
        if call.callee.rsplit(".", 1)[-1] not in _WRITES or call.scope < 0 or not call.arguments:
            continue
        function = facts.definitions[call.scope]
        if _is_entry(call, facts) and not _LOOKS.search("\n".join(lines[function.line - 1 : function.end_line])):
            message = (
                "Entries of an archive are written where their own names say: a name with ../ puts a file anywhere the server may write."
            )
            yield Finding("archive-unpacked", facts.path, message, call.line, call.end_line, Confidence.MEDIUM, "syntax", 22)


def _is_entry(call: Call, facts: FileFacts) -> bool:
    target = call.arguments[0].value
    if not facts.path.endswith(".py"):
        reads = any(_SCRIPT_LIBRARIES.match(entry.module) for entry in facts.imports)
        return reads and any(_SCRIPT_ENTRY.search(name) for value in _made_of(target, call.scope, facts) for name in value.names)
    if not _is_for_writing(call) or not any(entry.module in {"zipfile", "tarfile"} for entry in facts.imports):
        return False
    loops = [
        _PYTHON_ENTRY.search(loop.header) for loop in facts.loops if loop.scope == call.scope and loop.line <= call.line <= loop.end_line
    ]
    names = {name for found in loops if found for name in (found[1], f"{found[1]}.filename", f"{found[1]}.name")}
    return any(name in names for value in _made_of(target, call.scope, facts) for name in value.names)


def _is_for_writing(call: Call) -> bool:
    mode = call.argument("mode", 1)
    return call.callee.rsplit(".", 1)[-1] != "open" or (
        mode is not None and mode.kind is ValueKind.STRING and mode.literal[:1] in {"w", "x", "a"}
    )


def _made_of(value: Value, scope: int, facts: FileFacts) -> list[Value]:
    """A value and what the names in it were bound to in the same function."""
    found = [value]
    for _ in range(_STEPS):
        names = {name for one in found for name in one.names}
        found += [
            a.value for a in facts.assignments if a.scope == scope and a.value is not None and a.target in names and a.value not in found
        ]
    return found
