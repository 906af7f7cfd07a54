"""Functions that every version of the language still repaired has removed: a call of one fails when it runs.

From "What's New in Python" 3.7 to 3.11, section "Removed", and Node's list of deprecations at their end of life (DEP0106). Removals of versions after those
are left out: a program may be made for an older one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.model.syntax import FileFacts
from auditor.model.verdict import Confidence, Finding

_PYTHON: dict[str, tuple[str, str]] = {
    "time.clock": ("3.8", "time.perf_counter or time.process_time"),
    "cgi.escape": ("3.8", "html.escape"),
    "platform.linux_distribution": ("3.8", "the package distro"),
    "platform.dist": ("3.8", "the package distro"),
    "base64.encodestring": ("3.9", "base64.encodebytes"),
    "base64.decodestring": ("3.9", "base64.decodebytes"),
    "fractions.gcd": ("3.9", "math.gcd"),
    "sys.setcheckinterval": ("3.9", "sys.setswitchinterval"),
    "sys.getcheckinterval": ("3.9", "sys.getswitchinterval"),
    "inspect.getargspec": ("3.11", "inspect.signature"),
    "inspect.formatargspec": ("3.11", "inspect.signature"),
    "asyncio.coroutine": ("3.11", "async def"),
    "os.getcwdu": ("3.0", "os.getcwd"),
    "string.maketrans": ("3.0", "str.maketrans"),
    "itertools.izip": ("3.0", "zip"),
    "itertools.imap": ("3.0", "map"),
}
_NODE: dict[str, tuple[str, str]] = {
    "crypto.createCipher": ("22", "crypto.createCipheriv"),
    "crypto.createDecipher": ("22", "crypto.createDecipheriv"),
}
_ASKS = re.compile(r"version_info|PY2\b|PY3\b|process\.version")
"""A file that asks for the version may call what that version has."""


def removed_functions(facts: FileFacts, text: str) -> Iterator[Finding]:
    """Each call of one in a file, those that are tried or asked for first left out."""
    python = facts.path.endswith(".py")
    table, language = (_PYTHON, "Python") if python else (_NODE, "Node")
    if _ASKS.search(text):
        return
    modules = {entry.module.removeprefix("node:") for entry in facts.imports}
    local = {alias: f"{entry.module}.{name}" for entry in facts.imports for name, alias in entry.names if f"{entry.module}.{name}" in table}
    for call in facts.calls:
        name = local.get(call.callee, call.callee)
        known = table.get(name)
        if known is None or call.guarded or name.partition(".")[0] not in modules or f'"{name.rpartition(".")[2]}"' in text:
            continue
        message = f"{name} does not exist since {language} {known[0]}: this call fails when it runs. {known[1][:1].upper()}{known[1][1:]} takes its place."
        yield Finding("removed-function", facts.path, message, call.line, call.end_line, Confidence.HIGH, "syntax", 477)
