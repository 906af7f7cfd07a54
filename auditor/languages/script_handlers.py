"""What the body of a `catch`, or the callback of a promise's `.catch`, does with the error."""

from __future__ import annotations

import re

from tree_sitter import Node

from auditor.languages.script_nodes import FUNCTIONS, unwrapped
from auditor.languages.script_values import Values
from auditor.languages.script_walk import Frame, Walk
from auditor.languages.tree import end_line_of, folded
from auditor.model.syntax import Handler, HandlerEffect, Value, ValueKind

TRIED_KEPT = 40
_LARGEST = 4000  # nodes of one tried block or handler body that are looked at

_RAISES = re.compile(
    r"^(?:reject|process\.exit|process\.abort|Deno\.exit|Promise\.reject|next|done|cb|callback|fail|ctx\.throw|c\.throw|raise|notFound|redirect|forbidden|unauthorized|rethrow\w*)$"
    r"|(?:^|\.)(?:rejectWithValue|reject|throwError|handleHttpError)$"
)
_NEEDS_ERROR = frozenset({"next", "done", "cb", "callback", "fail"})
_LEVELS = r"(?:debug|info|warn|warning|error|exception|critical|fatal|log|trace|verbose|notice|silly|http)"
_LOGGER = re.compile(
    rf"(?i:(?:^|[._])\w{{0,30}}(?:log|logs|logger|logging|winston|pino|bunyan|log4js|fastify|signale|consola|loglevel|audit)\d?(?:\(\)|\[\])?\.{_LEVELS}$)"
    r"|^(?:debug|log|logger|logError|logException|logWarning|logErr|logMessage)$"
)
_TRACKERS = re.compile(
    r"(?:^|\.)(?:captureException|captureMessage|captureError|reportError|reportException|recordException|recordError|noticeError|setException|trackException|trackError"
    r"|onError|handleError|handleErrors|showError|showErrors|displayError|setErrors?|notify|notifyError|alert|toast|showToast|addToast|showNotification|addNotification"
    r"|showMessage|showAlert|showSnackbar|enqueueSnackbar|openSnackbar|addError|pushError|emitError|dispatchError|failWithError|setStatus|setFailed|setMessage|addIssue|flash|confirm)$"
    r"|^(?:toast|Toast|message|notification|notify|Notify|snackbar|Swal|swal|toastr|ElMessage|ElNotification|Alert|Notification|useToast\(\)|\$toast|this\.\$(?:toast|message|notify|q|bvToast))\.\w+$"
    r"|^(?:set\w{0,30}(?:Err|Fail|Status|Message|Alert|Warning|Notice|Toast|Invalid|Problem|Feedback)\w{0,20})$"
    r"|(?:^|[._a-z])(?:log|report|capture|notify|audit|track|toast|alert|show|display)\w{0,20}(?:Error|Err|Exception|Failure|Fail)\w{0,20}$|(?:^|\.)(?:log|report|notify)[A-Z]\w{0,30}$"
)
_PRINTS = re.compile(r"^(?:(?:window\.|globalThis\.)?console\.\w+|print|process\.std(?:out|err)\.write|util\.log)$")
_NEUTRAL = re.compile(
    r"^(?:String|Number|Boolean|JSON\.\w+|Object\.\w+|Array\.\w+|new Error|new \w*Error|isAxiosError|axios\.isAxiosError|axios\.isCancel|typeof|parseInt|util\.inspect|inspect|format)$"
    r"|\.(?:toString|includes|startsWith|endsWith|match|test|indexOf|replace|trim|split|join|slice|toLowerCase|isAxiosError|is|isCancel|rollback|get|has|isInstance)$|^(?:is|has|get)[A-Z]\w*$"
)
_ANSWERS = re.compile(
    r"(?:^|\.)(?:status|sendStatus|json|send|end|render|code|redirect|writeHead|html|text|fail|error|badRequest|internalServerError|unauthorized|notFound|left|Left|err|Err|failure|internal)$"
    r"|^new (?:\w*Response|\w*Error|\w*Exception)$|(?:^|\.)\w*(?:Error|Failure|Failed|Invalid|Response)$|^(?:create|make|build|to|send|respond|return|format|map)\w{0,30}(?:Error|Response|Failure)\w{0,20}$"
)
_RESPONSE_ROOT = re.compile(r"^(?:res|response|reply|ctx|c|context|NextResponse|Response|h|event|resp|httpRes|this)\b")
_ERROR_KEY = re.compile(
    r"^(?:\w{0,30}err(?:or)?s?|error\w{0,30}|detail|details|message|msg|status|status_?code|ok|success|succeeded|reason|exception|valid|isvalid|warnings?|fail\w{0,20}|code|unavailable|cause)$",
    re.IGNORECASE,
)
_ERROR_WORD = re.compile(
    r"err|fail|invalid|unable|cannot|could not|couldn't|can't|problem|not found|denied|missing|exception|warning|wrong|unavailable|issue",
    re.IGNORECASE,
)
_KEEPS = re.compile(
    r"(?:^|[._])(?:\w{0,40}[eE]rr(?:or)?s?(?:Message|Text|Msg)?|\w{0,30}[fF]ailed|\w{0,30}[fF]ailures?|status|message)(?:\.value|\[\])?$"
)
DIRECTIVE = re.compile(r"eslint-|@ts-|prettier-|istanbul|c8 ignore|v8 ignore|biome-|#region|tslint|^\W*no-?op\W*$", re.IGNORECASE)
"""Comments that speak to a tool, or only say that nothing is done: they give no reason."""
_NOTHING = re.compile(r"^(?:noop|_\.noop|\w*[nN]oop|\$\.noop|Function\.prototype)$")


def catch_handler(walk: Walk, clause: Node, body: Node | None, frame: Frame) -> Handler:
    """The fact of a catch clause; `body` is the block it guards."""
    parameter, block = clause.child_by_field_name("parameter"), clause.child_by_field_name("body")
    tried_lines = max(0, body.end_point[0] - body.start_point[0] - 1) if body is not None else 0
    return _Reading(walk.values, "catch", clause, frame.definition, parameter).handler(block, tried_callees(walk, body), tried_lines)


def promise_handler(walk: Walk, callback: Node, guarded: Node, frame: Frame) -> Handler:
    """The fact of the callback of `.catch(...)` or of the second argument of `.then(...)`; `guarded` is the promise."""
    function = unwrapped(callback)
    tried = tried_callees(walk, guarded)
    lines = guarded.end_point[0] - guarded.start_point[0] + 1
    if function.type not in FUNCTIONS:
        return _named(walk.values, function, frame.definition, tried, lines)
    parameter = function.child_by_field_name("parameter")
    listed = function.child_by_field_name("parameters")
    if parameter is None and listed is not None:
        first = next((child for child in listed.named_children if child.type != "comment"), None)
        parameter = first.child_by_field_name("pattern") or first if first is not None else None
    reading = _Reading(walk.values, ".catch", function, frame.definition, parameter)
    return reading.handler(function.child_by_field_name("body"), tried, lines)


def tried_callees(walk: Walk, node: Node | None) -> tuple[str, ...]:
    """Callees in guarded code, in source order; bounded."""
    found: dict[str, None] = {}
    if node is None:
        return ()
    if node.type == "call_expression":
        found[walk.values.callee(node)] = None
    for inner in walk.values.below(node, _LARGEST):
        if len(found) >= TRIED_KEPT:
            break
        if inner.type in {"call_expression", "new_expression"}:
            found[walk.values.callee(inner)] = None
    return tuple(found)


def _named(values: Values, function: Node, scope: int, tried: tuple[str, ...], lines: int) -> Handler:
    """A handler that is a function from elsewhere: its name has to tell."""
    name = values.path(function)
    effect = HandlerEffect.OTHER
    if _NOTHING.match(name):
        effect = HandlerEffect.EMPTY
    elif _RAISES.search(name):
        effect = HandlerEffect.RAISE
    elif _PRINTS.match(name):
        effect = HandlerEffect.PRINT
    elif _LOGGER.search(name) or _TRACKERS.search(name):
        effect = HandlerEffect.REPORT
    line, end = function.start_point[0] + 1, end_line_of(function)
    calls = (name,) if name else ()
    return Handler(".catch", line, end, scope, (), "", uses_binding=True, effect=effect, tried=tried, calls=calls, returned=None, comment=False, statements=1, tried_lines=lines)  # fmt: skip


class _Reading:
    """Reads one handler's body."""

    def __init__(self, values: Values, kind: str, node: Node, scope: int, parameter: Node | None) -> None:
        self.values = values
        self.kind = kind
        self.node = node
        self.scope = scope
        self.binding = folded(parameter, values.source) if parameter is not None else ""
        self.bound: set[str] = set()
        if parameter is not None:
            leaves = [parameter, *values.below(parameter, 50)]
            self.bound = {values.text(leaf) for leaf in leaves if leaf.type in {"identifier", "shorthand_property_identifier_pattern"}}
        self.calls: list[Node] = []
        self.returned: list[Node | None] = []
        self.assigned: list[tuple[str, Node]] = []
        self.raises = False
        self.jumps = False
        self.uses = False
        self.comment = False

    def handler(self, body: Node | None, tried: tuple[str, ...], tried_lines: int) -> Handler:
        """The finished fact."""
        statements = 0
        if body is not None and body.type == "statement_block":
            statements = sum(1 for child in body.named_children if child.type not in {"comment", "empty_statement"})
            self._read(body)
        elif body is not None:
            statements = 1
            self.returned.append(body)
            self._read(body)
        effect = self._effect(statements)
        value = next((node for node in self.returned if node is not None), None)
        return Handler(
            kind=self.kind,
            line=self.node.start_point[0] + 1,
            end_line=end_line_of(self.node),
            scope=self.scope,
            types=(),
            binding=self.binding,
            uses_binding=self.uses,
            effect=effect,
            tried=tried,
            calls=tuple(dict.fromkeys(self.values.callee(call) for call in self.calls))[:TRIED_KEPT],
            returned=self.values.value(value) if value is not None else None,
            comment=self.comment,
            statements=statements,
            tried_lines=tried_lines,
        )

    def _read(self, body: Node) -> None:
        for node in (body, *self.values.below(body, _LARGEST)):
            kind = node.type
            if kind in {"call_expression", "new_expression"}:
                self.calls.append(node)
            elif kind == "throw_statement":
                self.raises = True
            elif kind == "return_statement":
                self.returned.append(next((child for child in node.named_children if child.type != "comment"), None))
            elif kind == "assignment_expression":
                left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
                if left is not None and right is not None:
                    self.assigned.append((self.values.path(left), right))
            elif kind in {"continue_statement", "break_statement"}:
                self.jumps = True
            elif kind == "comment":
                self.comment = self.comment or not DIRECTIVE.search(self.values.text(node))
            elif kind in {"identifier", "shorthand_property_identifier"} and self.values.text(node) in self.bound:
                self.uses = True

    def _effect(self, statements: int) -> HandlerEffect:
        callees = [(self.values.callee(call), call) for call in self.calls]
        if self.raises or any(self._raising(callee, call) for callee, call in callees):
            return HandlerEffect.RAISE
        if any(self._reports(callee, call) for callee, call in callees):
            return HandlerEffect.REPORT
        if any(node is not None and self._carries(self.values.value(node)) for node in self.returned):
            return HandlerEffect.ANSWER
        if any(_ANSWERS.search(callee) and _RESPONSE_ROOT.match(callee) for callee, _ in callees):
            return HandlerEffect.ANSWER
        if any(self._keeps(target, self.values.value(right)) for target, right in self.assigned):
            return HandlerEffect.ANSWER
        if any(_PRINTS.match(callee) for callee, _ in callees):
            return HandlerEffect.PRINT
        if self.returned and all(node is None or _constant(self.values.value(node)) for node in self.returned):
            return HandlerEffect.RETURN_CONSTANT
        if self.jumps:
            return HandlerEffect.CONTINUE
        return HandlerEffect.OTHER if statements else HandlerEffect.EMPTY

    def _raising(self, callee: str, call: Node) -> bool:
        if not _RAISES.search(callee):
            return False
        return callee not in _NEEDS_ERROR or self._given_error(call)

    def _given_error(self, call: Node) -> bool:
        return any(self._mentions(value) for _, value in self.values.arguments(call)) or not self.bound

    def _reports(self, callee: str, call: Node) -> bool:
        """Whether a call tells somebody: a logger, an error tracker, the user, or anything that is given the error itself."""
        if _PRINTS.match(callee) or _NEUTRAL.search(callee):
            return False
        if _LOGGER.search(callee) or _TRACKERS.search(callee):
            return True
        if _RESPONSE_ROOT.match(callee) or _ANSWERS.search(callee):
            return False
        return bool(self.bound) and any(self._mentions(value) for _, value in self.values.arguments(call))

    def _mentions(self, value: Value) -> bool:
        return any(name.partition(".")[0] in self.bound for name in value.names)

    def _carries(self, value: Value) -> bool:
        """Whether a value tells its receiver that something went wrong."""
        if value.kind is ValueKind.CALL and _PRINTS.match(value.literal):
            return False
        if self.bound and self._mentions(value):
            return True
        if value.kind is ValueKind.CALL:
            return bool(_ANSWERS.search(value.literal)) or any(
                self._carries(item) for _, item in value.items if item.kind is ValueKind.COLLECTION
            )
        if value.kind in {ValueKind.STRING, ValueKind.TEMPLATE, ValueKind.NAME}:
            return bool(_ERROR_WORD.search(value.literal))
        return value.kind is ValueKind.COLLECTION and any(_ERROR_KEY.match(key) for key, _ in value.items)

    def _keeps(self, target: str, value: Value) -> bool:
        """Whether an assignment keeps the error, or says that there was one, for later."""
        if value.kind is ValueKind.NONE:
            return False
        return (bool(self.bound) and self._mentions(value)) or bool(_KEEPS.search(target))


def _constant(value: Value) -> bool:
    """Whether a value is the same whatever went wrong."""
    if value.kind in {ValueKind.NONE, ValueKind.BOOLEAN, ValueKind.NUMBER, ValueKind.STRING}:
        return True
    return value.kind is ValueKind.COLLECTION and not value.names
