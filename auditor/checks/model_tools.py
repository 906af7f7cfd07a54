"""What a language model may set off by itself: functions offered to it as tools, and whether somebody is asked before they do harm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.model_calls import keys_of, model_imports
from auditor.checks.reach import Reach
from auditor.model.syntax import Call, DefinitionKind, FileFacts, Value, ValueKind

_DECORATORS = re.compile(r"(?:^|\.)(?:(?:function_)?tool(?:_plain)?|kernel_function)$")
_MAKERS = re.compile(r"^(?:new )?(?:\w+\.)?(?:tool|createTool|defineTool|DynamicTool|DynamicStructuredTool|FunctionTool(?:\.from)?)$")
_READY_MADE = re.compile(
    r"(?:^|\.)(?:PythonREPLTool|PythonAstREPLTool|PythonREPL|ShellTool|BashProcess|create_python_agent|PythonCodeTool|CodeInterpreterTool|PALChain\.\w+)$"
)
_PERMISSIONS = frozenset(
    {"allow_dangerous_code", "allow_dangerous_requests", "allow_dangerous_deserialization", "unsafe_mode", "allow_code_execution"}
)
_RUNS = re.compile(r"^(?:eval|exec|execSync|execa\.command|new Function|child_process\.exec(?:Sync)?|cp\.exec(?:Sync)?|vm\.run\w+)$")
_RAW_QUERY = re.compile(r"\.\$(?:query|execute)RawUnsafe$|(?:sql|db|client|knex)\.(?:unsafe|raw)$")
_PAYS = re.compile(r"stripe\.(?:refunds|charges|paymentIntents|transfers|payouts|Refund|Charge|PaymentIntent|Transfer|Payout)\.create$")
_WRITES_MAIL = re.compile(
    r"(?:^|[._])(?:sendMail|send_mail|send_?[eE]mail\w*|sendEmail\w*|emails\.send|sgMail\.send|send_message_smtp|sendmail|sendSms|send_sms)$"
)
_REMOVES = re.compile(
    r"(?:^|\.)(?:db|session|prisma|supabase\w*|repo\w*|\w*[rR]epository|collection|objects|tx|\w*_crud|crud)\b(?:\(\))?(?:\.\w+(?:\(\))?){0,6}\.(?:delete\w*|remove|destroy)$"
    r"|\.(?:deleteOne|deleteMany|delete_one|delete_many|findByIdAndDelete)$|\.from\(\)\.delete$|^(?:os\.(?:remove|unlink)|shutil\.rmtree|fs\.(?:promises\.)?(?:unlink|rm)(?:Sync)?|unlink(?:Sync)?)$"
)
_ASKS = re.compile(r"approv|confirm|interrupt|human_?in_?the_?loop|human_?input|consent|dry_?run", re.IGNORECASE)
_CARRYING_OUT = ("_execute_", "execute_", "_handle_", "handle_", "_run_", "run_", "_tool_", "tool_", "_")
"""What the names of functions that carry out a declared tool begin with."""
_MOST_TOOLS = 200


@dataclass(frozen=True, slots=True)
class HarmfulTool:
    """A tool that does harm without asking; `harm` says what it can do, `weight` how much it counts, `runs`: it runs code."""

    path: str
    line: int
    end_line: int
    name: str
    harm: str
    weight: float
    runs: bool = False


def harmful_tools(
    files: tuple[FileFacts, ...], reach: Reach, handlers: frozenset[tuple[str, int]] = frozenset()
) -> tuple[int, tuple[HarmfulTool, ...]]:
    """How many tools are offered to models, and those that do harm without asking anybody; `handlers` of endpoints only share a tool's name."""
    tools = [tool for tool in dict.fromkeys(_tools(files, reach)) if tool not in handlers][:_MOST_TOOLS]
    by_path = {facts.path: facts for facts in files}
    found = [harmful for path, index in tools if (harmful := _harm(by_path[path], index, reach)) is not None]
    ready = list(_ready_made(files))
    return len(tools) + len(ready), tuple(sorted([*found, *ready], key=lambda tool: (tool.path, tool.line)))


def _tools(files: tuple[FileFacts, ...], reach: Reach) -> Iterator[tuple[str, int]]:
    """(file, definition) of every function that is offered to a model."""
    by_path = {facts.path: facts for facts in files}
    for facts in files:
        for index, definition in enumerate(facts.definitions):
            if any(_DECORATORS.search(decorator.callee) for decorator in definition.decorators):
                yield facts.path, index
        if model_imports([facts]):
            for call in facts.calls:
                if _MAKERS.match(call.callee):
                    yield from ((facts.path, index) for index in _inside(facts, call))
        for name in _declared(facts):
            near = [entry for prefix in _CARRYING_OUT for entry in reach.named(facts.path, prefix + name) if entry[0] == facts.path]
            for path, index in (*reach.named(facts.path, name), *near):
                if path in by_path and by_path[path].definitions[index].kind is not DefinitionKind.CLASS:
                    yield path, index


def _inside(facts: FileFacts, call: Call) -> Iterator[int]:
    """The outermost functions written inside a call."""
    for index, definition in enumerate(facts.definitions):
        if call.line <= definition.line and definition.end_line <= call.end_line:
            parent = definition.parent
            if parent < 0 or facts.definitions[parent].line < call.line:
                yield index


def _declared(facts: FileFacts) -> Iterator[str]:
    """Names of functions in descriptions of tools: {"type": "function", "function": {"name": ...}}, {"name": ..., "input_schema": ...}."""
    values = [a.value for a in facts.assignments if a.value is not None]
    values += [argument.value for call in facts.calls for argument in call.arguments]
    pending = [(value, 0) for value in values if value.kind is ValueKind.COLLECTION]
    while pending:
        value, depth = pending.pop()
        keys = {key for key, _ in value.items}
        name = value.item("name")
        if (
            name is not None
            and name.kind is ValueKind.STRING
            and keys & {"parameters", "input_schema", "inputSchema"}
            and "description" in keys
        ):
            yield name.literal
        if depth < 4:
            pending.extend((inner, depth + 1) for _, inner in value.items if inner.kind is ValueKind.COLLECTION)


def _harm(facts: FileFacts, index: int, reach: Reach) -> HarmfulTool | None:
    definition = facts.definitions[index]
    calls = [call for _, call in reach.calls(facts.path, index, 2)]
    if _asks_somebody(facts, index, calls):
        return None
    for call in calls:
        harm = _effect(call)
        if harm is not None:
            words, weight, runs = harm
            return HarmfulTool(facts.path, definition.line, definition.end_line, definition.name or "a tool", words, weight, runs)
    return None


def _effect(call: Call) -> tuple[str, float, bool] | None:
    first = call.arguments[0].value if call.arguments else None
    variable = first is not None and first.kind not in {ValueKind.STRING, ValueKind.FUNCTION, ValueKind.COLLECTION}
    if variable and _RUNS.match(call.callee):
        return "runs commands or code", 1.0, True
    if variable and _RAW_QUERY.search(call.callee):
        return "runs database queries of its own making", 1.0, True
    if _PAYS.search(call.callee):
        return "moves money", 1.0, False
    if _WRITES_MAIL.search(call.callee):
        return "sends mail or messages", 1.0, False
    if _REMOVES.search(call.callee):
        return "deletes data", 0.5, False
    return None


def _asks_somebody(facts: FileFacts, index: int, calls: list[Call]) -> bool:
    definition = facts.definitions[index]
    around = [call for call in facts.calls if call.line <= definition.line and definition.end_line <= call.end_line]
    names = [parameter.name for parameter in definition.parameters]
    names += [name for call in (*calls, *around) for name in (call.callee, *(a.name for a in call.arguments))]
    names += [key for call in around for argument in call.arguments for key in keys_of(argument.value)]
    return any(_ASKS.search(name) for name in names)


def _ready_made(files: tuple[FileFacts, ...]) -> Iterator[HarmfulTool]:
    """Tools of libraries that run whatever the model writes, and agents that are allowed to."""
    for facts in files:
        if not model_imports([facts]):
            continue
        for call in facts.calls:
            allowed = [a.name for a in call.arguments if a.name in _PERMISSIONS and _is_true(a.value)]
            if _READY_MADE.search(call.callee) or "allow_dangerous_code" in allowed or "unsafe_mode" in allowed:
                name = call.callee.rsplit(".", 1)[-1]
                yield HarmfulTool(facts.path, call.line, call.end_line, name, "runs code that the model writes", 1.0, runs=True)
            elif "allow_dangerous_requests" in allowed:
                name = call.callee.rsplit(".", 1)[-1]
                yield HarmfulTool(facts.path, call.line, call.end_line, name, "calls any address the model names", 1.0)


def _is_true(value: Value) -> bool:
    return value.kind is ValueKind.BOOLEAN and value.literal.lower() == "true"
