"""Whose a value is that the flow engine did not see through: a constant, the program's own, or what somebody else wrote into a file or to a model.

Requests and their like are the engine's matter. Here a name is followed through the assignments, loops and appended pieces of its scope, through the
`return` of first-party functions and, for a parameter, to the places that call the function. What cannot be followed is `OWN`: nobody knows, so nobody may call it an attack.
"""

from __future__ import annotations

import re
from collections import defaultdict
from enum import IntEnum

from auditor.checks.guard import last_name
from auditor.model.syntax import Argument, Assignment, Call, Definition, DefinitionKind, FileFacts, Syntax, Value, ValueKind

DEPTH = 9
_CALLERS = 12
_VISITS = 600
_BASES = 8
_NAMESAKES = 4
"""Functions of one name among which a call by name may choose."""
_LOOP_LINES = 250
_FOREIGN = re.compile(
    r"(?:^|\.)(?:namelist|infolist|DictReader|read_csv|read_excel|load_workbook|generate_content|generateContent|generateText|(?:completions|responses|messages)\.create)$|^csv\.reader$"
)
"""Calls that give what somebody else has written: into a file, or to a language model."""
_BOUND_TYPE = re.compile(
    r"\b(?:int|float|bool|Decimal|UUID\d?|date|datetime|time|timedelta|Literal|Enum|number|boolean|Date|Session|AsyncSession|Request|Engine|Connection|Depends)\b"
)
_HARMLESS = re.compile(
    r"(?:^|\.)(?:int|float|bool|len|round|abs|hash|ord|UUID|uuid4|Decimal|parseInt|parseFloat|Number|BigInt|Boolean|quote_ident|quote_identifier|quote_name|"
    r"escapeId|escape_identifier|escapeIdentifier|Identifier|Literal|isoformat|strftime|toISOString|getTime|now|utcnow|token_hex|hexdigest|literal|escape|"
    r"randomBytes|randomUUID|getWhereConditions|whereItemsQuery)$"
)
_HARMLESS_CHAIN = re.compile(r"(?:^|\.)(?:toISOString|isoformat|strftime|uuid4|randomBytes|randomUUID|hexdigest|getTime)\(\)\.")
"""Pieces of a date, a number or an id, whatever is cut out of them."""
_SETTING = re.compile(r"^(?:process\.env|import\.meta\.env|Deno\.env|Bun\.env|os\.environ|os\.getenv|environ)\b")
"""The environment of the process: who may set it has the passwords of everything the program can reach anyway."""
_LOOKUP = re.compile(r"^([A-Za-z_$][\w.$]*)(?:\[[^\[\]]{1,80}\]|\.get\([^()]{1,80}\))$")
_CONSTANT_ELEMENTS = re.compile(
    r"^[\[({]?\s*(?:\"[^\"]*\"|'[^']*'|`[^`$]*`)\s+for\b"  # "?" for _ in ids
    r"|\.(?:map|fill)\(\s*(?:(?:\([\w\s,]*\)|\w+)\s*=>\s*)?(?:\"[^\"]*\"|'[^']*'|`[^`$]*`|`\$?\$\{\s*\w+\s*\+\s*\w+\s*\}`)\s*\)"  # ids.map((_, i) => `$${i + 1}`)
)
_APPENDS = frozenset({"append", "extend", "insert", "add", "push", "unshift"})


class Origin(IntEnum):
    """Who wrote the value; the greater, the worse."""

    CONSTANT = 0
    OWN = 1
    FOREIGN = 2


class OwnValues:
    """Answers where values come from; one instance per check run."""

    def __init__(self, syntax: Syntax, paths: frozenset[str], texts: dict[str, str]) -> None:
        self._files = {path: syntax.files[path] for path in sorted(paths) if path in syntax.files}
        self._lines: dict[str, list[str]] = {}
        self._texts = texts
        self._definitions: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        self._classes: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        self._calls: defaultdict[str, list[tuple[str, Call]]] = defaultdict(list)
        for path, facts in self._files.items():
            for index, definition in enumerate(facts.definitions):
                if definition.name:
                    table = self._classes if definition.kind is DefinitionKind.CLASS else self._definitions
                    table[definition.name].append((path, index))
            for call in facts.calls:
                self._calls[last_name(call.callee)].append((path, call))
        self._memory: dict[tuple[str, int, str], Origin] = {}
        self._left = 0

    def calls_of(self, name: str) -> list[tuple[str, Call]]:
        """Every call whose callee ends in `name`, by path."""
        return self._calls.get(name, [])

    def of(self, value: Value, path: str, scope: int, line: int) -> Origin:
        """The worst origin among the parts of a value used at a place."""
        self._left = _VISITS
        return self._value(value, path, scope, line, DEPTH)

    def definition(self, name: str) -> tuple[str, int] | None:
        """The one function of that name in the tree; None when there is none or several."""
        found = self._definitions.get(name, [])
        return found[0] if len(found) == 1 else None

    # -- values ----------------------------------------------------------------------------------------------------------------------

    def _value(self, value: Value, path: str, scope: int, line: int, depth: int) -> Origin:
        self._left -= 1
        if depth < 0 or self._left < 0:
            return Origin.OWN
        match value.kind:
            case ValueKind.STRING | ValueKind.NUMBER | ValueKind.BOOLEAN | ValueKind.NONE | ValueKind.FUNCTION:
                return Origin.CONSTANT
            case ValueKind.NAME:
                return self._named(value, path, scope, line, depth)
            case ValueKind.CALL:
                return self._called(value, path, scope, line, depth)
            case ValueKind.COLLECTION:
                return (
                    self._worst((item for _, item in value.items), path, scope, line, depth)
                    if value.items
                    else self._names(value, path, scope, line, depth)
                )
            case ValueKind.OPERATION if _is_number(value, path):
                return Origin.CONSTANT
            case ValueKind.OPERATION if value.items:
                items = value.items[1:] if value.items[0][0] == "?:" else value.items
                return self._worst((item for _, item in items), path, scope, line, depth)
            case ValueKind.TEMPLATE if value.items:
                return self._worst((item for _, item in value.items), path, scope, line, depth)
            case _:
                return Origin.CONSTANT if _CONSTANT_ELEMENTS.search(value.text) else self._names(value, path, scope, line, depth)

    def _worst(self, values: object, path: str, scope: int, line: int, depth: int) -> Origin:
        worst = Origin.CONSTANT
        for value in values:  # type: ignore[attr-defined]
            worst = max(worst, self._value(value, path, scope, line, depth))
        return worst

    def _named(self, value: Value, path: str, scope: int, line: int, depth: int) -> Origin:
        lookup = _LOOKUP.match(value.text)
        if lookup and self._name(lookup[1], path, scope, line, depth - 1) is Origin.CONSTANT:
            return Origin.CONSTANT
        return self._name(value.literal or value.text, path, scope, line, depth)

    def _called(self, value: Value, path: str, scope: int, line: int, depth: int) -> Origin:
        callee = value.literal
        if _HARMLESS.search(callee) or _HARMLESS_CHAIN.search(callee) or _CONSTANT_ELEMENTS.search(value.text):
            return Origin.CONSTANT
        lookup = _LOOKUP.match(value.text)
        if lookup and self._name(lookup[1], path, scope, line, depth - 1) is Origin.CONSTANT:
            return Origin.CONSTANT
        if _FOREIGN.search(callee):
            return Origin.FOREIGN
        if _SETTING.match(callee):
            return Origin.CONSTANT
        found = self.definition(last_name(callee))
        if found is not None:
            returned = self._returned(found, depth - 1)
            if returned is Origin.CONSTANT:
                return Origin.CONSTANT
        return self._names(value, path, scope, line, depth) or (
            Origin.CONSTANT
            if last_name(callee)
            in {
                "join",
                "format",
                "concat",
                "strip",
                "trim",
                "upper",
                "lower",
                "str",
                "list",
                "sorted",
                "set",
                "tuple",
                "map",
                "text",
                "SQL",
                "raw",
                "new URL",
            }
            else Origin.OWN
        )

    def _returned(self, place: tuple[str, int], depth: int) -> Origin:
        path, index = place
        facts = self._files[path]
        returns = [entry for entry in facts.returns if entry.scope == index and entry.value is not None]
        if not returns:
            return Origin.OWN
        return max(self._value(entry.value, path, index, entry.line, depth) for entry in returns if entry.value is not None)

    def _names(self, value: Value, path: str, scope: int, line: int, depth: int) -> Origin:
        """The worst origin of the names that occur in a value whose structure was not kept."""
        facts = self._files.get(path)
        harmless = _consumed(facts, scope, line, value.text) if facts else frozenset()
        worst = Origin.CONSTANT
        skip = False
        for name in value.names:
            if skip:
                skip = False
                continue
            if name.endswith("[]") and self._name(name.removesuffix("[]"), path, scope, line, depth - 1) is Origin.CONSTANT:
                skip = True
                continue
            if name in harmless or _HARMLESS.search(name) or f"{name}(" in value.text.replace(" (", "("):
                continue
            worst = max(worst, self._name(name, path, scope, line, depth))
            if worst is Origin.FOREIGN:
                break
        return worst

    # -- names -----------------------------------------------------------------------------------------------------------------------

    def _name(self, name: str, path: str, scope: int, line: int, depth: int) -> Origin:
        if _is_constant_name(name) or _SETTING.match(name):
            return Origin.CONSTANT
        key = (path, scope, name)
        if key in self._memory:
            return self._memory[key]
        self._left -= 1
        if depth <= 0 or self._left < 0:
            return Origin.OWN
        self._memory[key] = Origin.CONSTANT  # a name that refers to itself adds nothing
        found = self._resolve(name, path, scope, line, depth)
        self._memory[key] = found
        return found

    def _resolve(self, name: str, path: str, scope: int, line: int, depth: int) -> Origin:
        facts = self._files.get(path)
        if facts is None:
            return Origin.OWN
        if self._is_checked(name, path, scope, line):
            return Origin.CONSTANT
        where = scope
        while True:
            bound = self._bound(name, facts, where, line, depth)
            if bound is not None:
                return bound
            if where < 0:
                break
            where = facts.definitions[where].parent
        head = re.split(r"[.\[]", name, maxsplit=1)[0]
        if head in {"self", "this", "cls"} and head != name:
            return self._attribute(name.partition(".")[2], path, scope, depth - 1)
        if head != name and head not in {"self", "this", "cls"}:
            return self._name(head, path, scope, line, depth - 1)
        return Origin.OWN

    def _attribute(self, attribute: str, path: str, scope: int, depth: int) -> Origin:
        """The worst value that the class around `scope`, or the nearest base that has it, gives the attribute anywhere."""
        owner = scope
        while owner >= 0 and self._files[path].definitions[owner].kind is not DefinitionKind.CLASS:
            owner = self._files[path].definitions[owner].parent
        pending = [(path, owner)] if owner >= 0 else []
        seen: set[tuple[str, int]] = set()
        while pending and len(seen) < _BASES:
            home, index = pending.pop(0)
            if (home, index) in seen:
                continue
            seen.add((home, index))
            facts = self._files[home]
            given = [entry for entry in facts.assignments if entry.value is not None and _sets(entry, attribute, facts, index)]
            if given and _is_filled(facts, index, attribute):
                return Origin.OWN
            if given:
                return max(self._value(entry.value, home, entry.scope, entry.line, depth - 1) for entry in given if entry.value is not None)
            pending += [place for base in facts.definitions[index].bases if (place := self._class(base)) is not None]
        return Origin.OWN

    def _class(self, base: str) -> tuple[str, int] | None:
        """The one class of that name in the tree; None when there is none or several."""
        found = self._classes.get(last_name(re.split(r"[\[(<]", base, maxsplit=1)[0]), [])
        return found[0] if len(found) == 1 else None

    def _bound(self, name: str, facts: FileFacts, scope: int, line: int, depth: int) -> Origin | None:
        """The origin of what `scope` itself binds to the name; None when it does not."""
        path = facts.path
        values = [entry.value for entry in facts.assignments if entry.scope == scope and entry.target == name and entry.value is not None]
        destructured = [
            entry for entry in facts.assignments if entry.scope == scope and entry.target[:1] in "{[(" and _mentions(entry.target, name)
        ]
        for call in facts.calls:
            if call.scope == scope and call.callee.rpartition(".")[0] == name and last_name(call.callee) in _APPENDS:
                values.extend(argument.value for argument in call.arguments)
        if values:
            return max(self._value(value, path, scope, line, depth - 1) for value in values)
        if destructured:
            origins = [self._value(entry.value, path, scope, line, depth - 1) for entry in destructured if entry.value is not None]
            return max(origins, default=Origin.OWN) or Origin.OWN
        looped = self._loop(name, path, scope, line)
        if looped is not None:
            return self._name(looped, path, scope, line, depth - 1) if looped else Origin.CONSTANT
        if scope >= 0:
            return self._parameter(name, facts, scope, depth)
        return None

    def _parameter(self, name: str, facts: FileFacts, scope: int, depth: int) -> Origin | None:
        definition = facts.definitions[scope]
        matches = [
            (position, parameter)
            for position, parameter in enumerate(definition.parameters)
            if parameter.name == name or (parameter.kind == "destructured" and _mentions(parameter.name, name))
        ]
        if not matches:
            return None
        position, parameter = matches[0]
        if _BOUND_TYPE.search(parameter.annotation):
            return Origin.CONSTANT
        if parameter.kind == "destructured" or not 0 < len(self._definitions.get(definition.name, [])) <= _NAMESAKES:
            return Origin.OWN
        return self._from_callers(definition, position, parameter.name, parameter.default, depth)

    def _from_callers(self, definition: Definition, position: int, name: str, default: Value | None, depth: int) -> Origin:
        offset = 1 if definition.parameters and definition.parameters[0].name in {"self", "cls"} else 0
        callers = self._calls.get(definition.name, [])
        if not callers or len(callers) > _CALLERS:
            return Origin.OWN
        worst = Origin.CONSTANT
        for path, call in callers:
            if any(argument.name in {"*", "**", "..."} for argument in call.arguments):
                return Origin.OWN
            value = call.argument(name, position - offset)
            if value is None and default is None:
                worst = max(worst, Origin.OWN)
            elif value is not None:
                worst = max(worst, self._value(value, path, call.scope, call.line, depth - 1))
        return worst

    # -- text of the scope -----------------------------------------------------------------------------------------------------------

    def _span(self, path: str, scope: int, line: int) -> list[str]:
        """The lines from the start of the scope to the place, at most a screenful."""
        if path not in self._lines:
            self._lines[path] = self._texts.get(path, "").split("\n")
        facts = self._files[path]
        start = facts.definitions[scope].line if 0 <= scope < len(facts.definitions) else 1
        return self._lines[path][max(start - 1, line - _LOOP_LINES) : line]

    def _loop(self, name: str, path: str, scope: int, line: int) -> str | None:
        """What a loop that binds the name runs over: a name, "" for a literal, None when no loop binds it."""
        if "." in name or "[" in name:
            return None
        pattern = re.compile(
            rf"\bfor\s*\(?\s*(?:const|let|var)?\s*[(\[]?[\w\s,]*\b{re.escape(name)}\b[\w\s,]*[)\]]?\s+(?:in|of)\s+([^:{{]{{1,160}})"
        )
        for text in reversed(self._span(path, scope, line)):
            found = pattern.search(text[:400])
            if found:
                source = found[1].strip().rstrip(")") if "(" not in found[1] else found[1].strip()
                if re.match(r"[(\[{]\s*[\"'(]", source):
                    return ""
                inner = re.match(
                    r"(?:enumerate|sorted|reversed|list|set|tuple|Object\.(?:keys|values|entries))?\(?([A-Za-z_$][\w.$]*?)(?:\.(?:items|keys|values|entries)\(\))?\)?$",
                    source,
                )
                return inner[1] if inner else None
        return None

    def _is_checked(self, name: str, path: str, scope: int, line: int) -> bool:
        """Whether the name was compared with a list of allowed values: refused unless in it before the place, or accepted around the place."""
        quoted = re.escape(name)
        refused = re.compile(
            rf"\b(?:if|elif)\b[^\n]{{0,80}}(?<![\w.]){quoted}\s+not\s+in\s|\bassert\s+{quoted}\s+in\s|![\w.$()]{{1,60}}\.(?:includes|has)\(\s*{quoted}\s*\)"
        )
        accepted = re.compile(rf"\b(?:if|elif)\b[^\n]{{0,80}}(?<![\w.]){quoted}\s+in\s|[\w\])]\.(?:includes|has)\(\s*{quoted}\s*\)")
        span = self._span(path, scope, line)
        depth = _indent(span[-1]) if span else 0
        for text in reversed(span[:-1]):
            head = text[:300]
            if refused.search(head):
                return True
            if text.strip() and _indent(text) < depth:
                depth = _indent(text)
                if accepted.search(head):
                    return True
        return False


def _is_filled(facts: FileFacts, owner: int, attribute: str) -> bool:
    """Whether the attribute is a field that objects of the class are made with (models, data classes), so that its first value says nothing."""
    definition = facts.definitions[owner]
    return facts.path.endswith(".py") and not attribute.startswith("_") and bool(definition.bases or definition.decorators)


def _sets(entry: Assignment, attribute: str, facts: FileFacts, owner: int) -> bool:
    """Whether an assignment gives the attribute its value: in the body of the class, or through the object in one of its methods."""
    if entry.target == attribute:
        return entry.scope == owner
    head, _, rest = entry.target.partition(".")
    if rest != attribute or head not in {"self", "this", "cls"}:
        return False
    scope = entry.scope
    while scope >= 0 and scope != owner:
        scope = facts.definitions[scope].parent
    return scope == owner


def _is_number(value: Value, path: str) -> bool:
    """Whether an operator gives a number whatever it is given: in scripts all arithmetic but a sum does, and so does a plus before a single value."""
    signs = {sign for sign, _ in value.items}
    if path.endswith(".py"):
        return signs in ({"-"}, {"/"}, {"//"}, {"**"}) and len(value.items) > 1
    return bool(signs) and (signs <= {"*", "-", "/", "%", "**"} or (signs == {"+"} and len(value.items) == 1))


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _mentions(pattern: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?![\w:])", pattern[:400]) is not None


def _is_constant_name(name: str) -> bool:
    """Names that are constants by convention, and names of tables that the program itself declares."""
    last = name.rpartition(".")[2]
    return re.fullmatch(r"[A-Z][A-Z0-9_]+", last) is not None or last in {"__tablename__", "__table__", "db_table", "tableName", "__name__"}


def _consumed(facts: FileFacts, scope: int, line: int, text: str) -> frozenset[str]:
    """Names that occur in the text only as arguments of calls whose result is harmless."""
    names: set[str] = set()
    for call in facts.calls:
        if (
            call.scope == scope
            and call.line <= line <= call.end_line + 40
            and (_HARMLESS.search(call.callee) or _is_constant_join(call.arguments, call.callee))
        ):
            own = {name for argument in call.arguments for name in argument.value.names}
            names.update(name for name in own if any(argument.value.text and argument.value.text in text for argument in call.arguments))
    return frozenset(names)


def _is_constant_join(arguments: tuple[Argument, ...], callee: str) -> bool:
    if last_name(callee) != "join" or not arguments:
        return False
    value = arguments[0].value
    repeated = value.kind is ValueKind.OPERATION and any(
        key == "*" and item.kind is ValueKind.COLLECTION and not item.names for key, item in value.items
    )
    return repeated or _CONSTANT_ELEMENTS.search(value.text) is not None
