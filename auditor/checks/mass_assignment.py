"""Rights that a caller can give themselves: a role or an administrator's flag that is taken from what is sent into an account's record."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.handler_classes import names_before
from auditor.checks.reach import within
from auditor.model.evidence import Route
from auditor.model.syntax import Call, Definition, DefinitionKind, FileFacts, Syntax, Value, ValueKind
from auditor.model.verdict import Place

_RIGHT = re.compile(
    r"^(?:role|roles|user_?role|is_?admin|admin|is_?staff|is_?super_?user|super_?user|is_?owner|access_?level|permissions?)$", re.IGNORECASE
)
_PEOPLE = re.compile(r"user|account|member|regist|sign_?-?up|profile|employee|customer", re.IGNORECASE)
_ASKS = re.compile(r"admin|staff|superuser|require_?role|roles?_?(?:required|guard)|permission|can_?manage|owner", re.IGNORECASE)
"""Names before a handler that say only administrators come this far."""
_CHECKED = re.compile(
    r"(?:current_?user|currentUser|req\.user|request\.user|session\.user|ctx\.user|g\.user|\bme|auth\w*|user)\??\.(?:role|is_?admin|isAdmin|is_staff|is_superuser|admin)\b|isAdmin\(|is_admin\(|hasRole|has_role|check_?permission|authorize\("
    r"|(?:includes|indexOf|has)\(\s*(?:req\.body\.)?role|\brole\s*(?:not\s+)?in\b|\brole\s*[!=]==?\s*['\"]|z\.enum|\.oneOf\(|Literal\[",
    re.IGNORECASE,
)
"""Checks of the caller's own rights, or of the value that was sent."""
_BODY = re.compile(r"^(?:await\s+)?(?:req|request|ctx\.request|c\.req|event)\.(?:body|json|form|get_json|POST|data|values)\b")
_STORES = re.compile(
    r"(?:\.(?:create|insert\w*|save|update\w*|upsert|add|findByIdAndUpdate|findOneAndUpdate|build)|^new [A-Z]\w*|^[A-Z]\w*|\.[A-Z]\w*)$"
)
_DUMPS = re.compile(r"\*\*\s*\w+\.(?:dict|model_dump)\(\s*\)|\*\*\s*\w+\.(?:dict|model_dump)\((?![^)]*exclude\s*=)")


def taken_right(route: Route, syntax: Syntax, code: str, classes: dict[str, list[tuple[FileFacts, Definition]]]) -> Place | None:
    """Where a handler puts a right into a record as it was sent; None for handlers only administrators reach and for values that are checked."""
    facts = syntax.files[route.place.path]
    words = f"{route.path} {route.handler}"
    if (
        any(_ASKS.search(name) for name in names_before(route, syntax))
        or re.search(r"admin", words, re.IGNORECASE)
        or _CHECKED.search(code)
    ):
        return None
    inside = within(facts, route.handler_scope)
    sent = _sent(facts, inside)
    calls = [call for call in facts.calls if call.scope in inside and _STORES.search(call.callee)]
    for call in calls:
        if (_PEOPLE.search(words) or _PEOPLE.search(call.callee)) and _gives(call, sent, code):
            return Place(facts.path, call.line, call.end_line)
    if (
        facts.path.endswith(".py")
        and _PEOPLE.search(words)
        and _DUMPS.search(code)
        and _model_with_right(facts, route.handler_scope, classes)
    ):
        line = facts.definitions[route.handler_scope].line + code.count("\n", 0, next(_DUMPS.finditer(code)).start())
        return Place(facts.path, line, line)
    return None


def _sent(facts: FileFacts, inside: frozenset[int]) -> dict[str, str]:
    """Variable -> the right it holds: `const { role } = req.body`, `kind = data.get("role")`."""
    bodies = {"req.body", "request.body", "body", "data", "payload"}
    bodies |= {
        a.target
        for a in facts.assignments
        if a.scope in inside and a.value is not None and _BODY.match(a.value.text) and a.target.isidentifier()
    }
    found: dict[str, str] = {}
    for assignment in facts.assignments:
        value = assignment.value
        if assignment.scope not in inside or value is None:
            continue
        if assignment.target.startswith("{") and (_BODY.match(value.text) or value.literal in bodies):
            found.update({name: name for name in re.findall(r"\w+", assignment.target) if _RIGHT.match(name)})
        elif (right := _field(value, bodies)) is not None:
            found[assignment.target] = right
    return found


def _field(value: Value, bodies: set[str]) -> str | None:
    """The right that an expression reads from what was sent."""
    parts = re.match(r"^([\w.]+?)(?:\.get\(\s*['\"](\w+)['\"]|\[\s*['\"](\w+)['\"]\s*\]|\.(\w+)$)", value.text)
    name = next((part for part in parts.groups()[1:] if part), "") if parts else ""
    if not parts or not _RIGHT.match(name):
        return None
    return name if parts[1] in bodies or _BODY.match(value.text) else None


def _gives(call: Call, sent: dict[str, str], code: str) -> bool:
    for key, value in _entries(call):
        if not _RIGHT.match(key):
            continue
        if value.kind is ValueKind.NAME and (value.literal in sent or _BODY.match(value.text)):
            return True
        asked = re.search(rf"['\"]{re.escape(key)}['\"]\s*(?:\]|\)|in\b)|\.get\(\s*['\"]{re.escape(key)}['\"]", code)
        if value.kind is ValueKind.NAME and value.literal == key and asked and re.search(r"request|body|data|payload|json", code):
            return True
        if value.kind is ValueKind.CALL and re.search(rf"\.get\(\s*['\"]{re.escape(key)}['\"]", value.text):
            return True
    return False


def _entries(call: Call) -> Iterator[tuple[str, Value]]:
    """Keywords and properties of what a call is given, one level into `data: {...}`."""
    for argument in call.arguments:
        if argument.name:
            yield argument.name, argument.value
        for key, value in argument.value.items:
            yield key, value
            if key in {"data", "$set", "defaults"}:
                yield from value.items


def _model_with_right(facts: FileFacts, scope: int, classes: dict[str, list[tuple[FileFacts, Definition]]]) -> bool:
    """Whether a parameter's model has a field for a right."""
    for parameter in facts.definitions[scope].parameters:
        for name in re.findall(r"\b[A-Z]\w+", parameter.annotation):
            for home, definition in classes.get(name, [])[:2]:
                index = home.definitions.index(definition)
                if any(a.scope == index and _RIGHT.match(a.target) for a in home.assignments):
                    return True
    return False


# -- forms of models ---------------------------------------------------------------------------------------------------------------


def open_forms(files: tuple[FileFacts, ...]) -> list[Place]:
    """Django forms and serialisers of the account model that take every field, or all but a list that forgets the rights."""
    return [place for facts in files if facts.path.endswith(".py") and not facts.path.endswith("admin.py") for place in _open_metas(facts)]


def _open_metas(facts: FileFacts) -> Iterator[Place]:
    for index, definition in enumerate(facts.definitions):
        if definition.name != "Meta" or definition.parent < 0 or definition.kind is not DefinitionKind.CLASS:
            continue
        outer = facts.definitions[definition.parent]
        if not any(base.rpartition(".")[2] in {"ModelForm", "ModelSerializer", "UserCreationForm"} for base in outer.bases):
            continue
        fields = {a.target: a.value for a in facts.assignments if a.scope == index and a.value is not None}
        model = fields.get("model")
        if model is None or not re.fullmatch(r"(?:\w+\.)*User|get_user_model\(\)", model.text):
            continue
        everything = fields["fields"].literal == "__all__" if "fields" in fields else False
        left_out = fields.get("exclude")
        forgets = left_out is not None and "is_superuser" not in left_out.text
        guarded = fields.get("read_only_fields")
        if (everything and (guarded is None or "is_superuser" not in guarded.text)) or (forgets and "fields" not in fields):
            yield Place(facts.path, outer.line, definition.line)
