"""Home-made cleaning of mark-up: script tags taken out with a regular expression, which browsers read otherwise than the expression does.

`<script >`, `</script foo>`, nested pieces and event handlers of any other tag pass by it. Taking out every tag to get at the words of a page is another matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.reach import within
from auditor.model.syntax import Call, FileFacts
from auditor.model.verdict import Confidence, Finding

_REPLACES = re.compile(r"(?:^|\.)(?:subn?|replace|replaceAll)$")
_SCRIPT_TAG = re.compile(r"<\\?[\s*+?\\]*(?:\(\?:)?\s*script", re.IGNORECASE)
_EVERY_TAG = re.compile(r"<\\?/?\??(?:\[\^<?>\]|\.[*+]\?>|\(\?:|\[a-z)", re.IGNORECASE)
_CLEANS = re.compile(
    r"sanit|clean|filter|purif|escape|safe|secure|xss|strip_?(?:script|html|tags)|remove_?(?:script|html|tags)", re.IGNORECASE
)


def filtered_scripts(facts: FileFacts) -> Iterator[Finding]:
    """Each function of one file that cleans this way, by what it is called."""
    for call in facts.calls:
        if not _takes_scripts_out(call) or call.scope < 0:
            continue
        own = [other for other in facts.calls if other.scope in within(facts, call.scope)]
        cleans = _CLEANS.search(f"{facts.definitions[call.scope].name} {call.target}") is not None
        if cleans and not any(_REPLACES.search(other.callee) and _EVERY_TAG.search(_pattern(other)) for other in own):
            message = "Script tags are taken out with a regular expression: browsers read mark-up otherwise, and what passes by it runs in other people's pages."
            yield Finding("script-tags-filtered", facts.path, message, call.line, call.end_line, Confidence.MEDIUM, "syntax", 116)


def _takes_scripts_out(call: Call) -> bool:
    replaced_by = call.arguments[1].value if len(call.arguments) > 1 else None
    return (
        bool(_REPLACES.search(call.callee))
        and replaced_by is not None
        and not replaced_by.literal.strip()
        and bool(_SCRIPT_TAG.search(_pattern(call)))
    )


def _pattern(call: Call) -> str:
    return call.arguments[0].value.text if call.arguments else ""
