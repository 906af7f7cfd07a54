"""Failures that come as a value instead of an exception and are not looked at, and saves that are called successful after they failed."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict

from auditor.checks.dropped_errors import Drop, says_nothing
from auditor.checks.failures import is_write
from auditor.model.syntax import Call, FileFacts, HandlerEffect, ValueKind

_SUPABASE = re.compile(r"^(?:\w*\.)?\w*[sS]upabase\w*(?:\(\))?\.(?:from\(\)|rpc$|auth\.\w+$|storage\.from\(\)|functions\.invoke$)")
_RESULT = re.compile(
    r"\.(?:select|insert|update|upsert|delete|eq|single|maybeSingle|order|limit|in|match|rpc|upload|download|remove|invoke|signUp|signInWithPassword|updateUser|neq|gte|lte|range|is|filter)$"
)
_SUPABASE_WRITE = re.compile(r"\.from\(\)(?:\.\w+\(\))*\.(?:insert|update|upsert|delete)\b")
_SUCCESS = re.compile(
    r"^(?:toast|message|notify|notification|messages|enqueueSnackbar|showToast|addToast|setSuccess\w*|setMessage|setStatus|alert|flash|st)(?:\.success)?$"
)
_SUCCESS_TEXT = re.compile(r"success|saved|updated|created|deleted|added|erfolg|berhasil|guardad|enregistr", re.IGNORECASE)
_UNIMPORTANT = re.compile(
    r"logout|sign-?out|analytics|track|metric|telemetry|beacon|ping|/log|csp|collect|revalidate|refresh", re.IGNORECASE
)
_ERROR_FIELD = re.compile(r"^\{[^{}]{0,200}\berror\b(?:\s*:\s*(\w+))?")
_TELLS = re.compile(r"(?:^|\.)(?:error|warn|log|toast|alert|captureException|set\w*Error)$")
_SOON = 4  # lines behind a query within which its error is looked at
_NEAR = 12  # lines between a call and the message of success that belongs to it


def unread_answers(facts: FileFacts) -> list[Drop]:
    """Changing `fetch` calls whose answer nobody looks at: `fetch` does not throw when the server refuses."""
    found = []
    for call in facts.calls:
        if call.callee not in {"fetch", "window.fetch"} or not call.awaited or call.used or len(call.arguments) < 2:
            continue
        options = call.arguments[1].value
        method, url = options.item("method"), call.arguments[0].value
        if method is None or method.literal.upper() not in {"POST", "PUT", "PATCH", "DELETE"}:
            continue
        if options.item("keepalive") is not None or _UNIMPORTANT.search(url.text):
            continue
        message = "The server's answer to this change is not looked at: when it refuses, the page goes on as if the change had been stored."
        found.append(Drop(facts.path, call.line, call.end_line, "ignored-result", 1, message))
    return found


def ignored_results(facts: FileFacts) -> tuple[int, list[Drop]]:
    """How many results of the Supabase client there are (it never throws, `error` is a field), and those whose error nobody looks at."""
    count = 0
    drops = []
    for call in _outermost(facts):
        if not call.awaited:
            continue
        count += 1
        if _throws(call):
            continue
        if emptied := _answers_with_nothing(facts, call):
            message = f"When this query fails, {emptied} is returned as if there were no data: nobody learns of the failure."
            drops.append(Drop(facts.path, call.line, call.end_line, "made-up-result", 1, message))
            continue
        ignored = not call.used or (call.target.startswith("{") and not re.search(r"\berror\b|\.\.\.", call.target))
        if not ignored:
            continue
        write = call.callee if _SUPABASE_WRITE.search(call.callee) else ""
        what = "this change was refused" if write else "this query failed"
        message = f"Supabase reports errors in a field that is not read here: if {what}, the program goes on as if it had worked."
        drops.append(Drop(facts.path, call.line, call.end_line, "ignored-result", 1, message, write))
    return count, drops


def _answers_with_nothing(facts: FileFacts, call: Call) -> str:
    """What `const { data, error } = ...; if (error) return [];` returns, where the error itself goes nowhere; "" otherwise."""
    named = _ERROR_FIELD.search(call.target)
    if named is None:
        return ""
    name = named[1] or "error"
    soon = range(call.end_line + 1, call.end_line + _SOON + 1)
    empty = next((a.value for a in facts.returns if a.scope == call.scope and a.line in soon and says_nothing(a.value)), None)
    if empty is None or any(raised.line in soon for raised in facts.raises):
        return ""
    values = [argument.value for other in facts.calls if other.line in soon for argument in other.arguments]
    values += [a.value for a in (*facts.returns, *facts.assignments) if a.value is not None and a.line in soon]
    told = any(used == name or used.startswith(name + ".") for value in values for used in value.names)
    reported = any(other.line in soon and _TELLS.search(other.callee) for other in facts.calls)
    return "" if told or reported else empty.text[:30]


def is_hosted_result(callee: str) -> bool:
    """Whether a call answers with a result that holds its own error and never raises."""
    return bool(_SUPABASE.match(callee) and _RESULT.search(callee)) and "throwOnError" not in callee


def _outermost(facts: FileFacts) -> list[Call]:
    return [call for call in facts.calls if _SUPABASE.match(call.callee) and _RESULT.search(call.callee)]


def _throws(call: Call) -> bool:
    return "throwOnError" in call.callee


def successes_after_failed_saves(files: tuple[FileFacts, ...]) -> list[Drop]:
    """Calls of a function that catches its own failed write without passing it on, after which the screen says that it worked."""
    quiet = _quiet_savers(files)
    found = []
    for facts in files:
        praising: defaultdict[int, list[Call]] = defaultdict(list)
        for call in sorted(facts.calls, key=lambda each: each.line):
            if _praises(call):
                praising[call.scope].append(call)
        lines = {scope: [call.line for call in calls] for scope, calls in praising.items()}
        for call in facts.calls:
            name = call.callee.rpartition(".")[2]
            if name not in quiet or not call.awaited or call.used or call.scope not in lines:
                continue
            start = bisect_right(lines[call.scope], call.end_line)
            praise = next((later for later in praising[call.scope][start : start + 1] if later.line <= call.end_line + _NEAR), None)
            if praise is not None:
                message = (
                    f"{name}() keeps a failed save to itself, and this place then tells the user that it worked: what they entered is lost."
                )
                found.append(Drop(facts.path, call.line, praise.end_line, "failed-save-shown-as-success", 1, message, quiet[name]))
    return found


def _quiet_savers(files: tuple[FileFacts, ...]) -> dict[str, str]:
    """Function name -> its write, for functions whose handler around the write neither raises nor returns anything; unique names only."""
    names = Counter(definition.name for facts in files for definition in facts.definitions)
    quiet: dict[str, str] = {}
    for facts in files:
        for handler in facts.handlers:
            if handler.scope < 0 or handler.effect is HandlerEffect.RAISE or handler.returned is not None:
                continue
            definition = facts.definitions[handler.scope]
            returns = any(value.scope == handler.scope and value.value is not None for value in facts.returns)
            write = next((callee for callee in handler.tried if is_write(callee) or _SUPABASE_WRITE.search(callee)), "")
            if write and definition.name and names[definition.name] == 1 and not returns:
                quiet[definition.name] = write
    return quiet


def _praises(call: Call) -> bool:
    if not _SUCCESS.match(call.callee):
        return False
    texts = [a.value.literal for a in call.arguments if a.value.kind in {ValueKind.STRING, ValueKind.TEMPLATE}]
    texts += [
        item.literal
        for a in call.arguments
        for key, item in a.value.items
        if key in {"title", "message", "description", "severity", "variant"}
    ]
    return call.callee.endswith(".success") or any(_SUCCESS_TEXT.search(text) for text in texts)
