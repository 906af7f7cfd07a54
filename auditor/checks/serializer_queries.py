"""Lists of Django's REST framework whose serialiser reads a relation of each row by a query of its own, because the queryset does not bring it along.

Only what can be read as a whole is judged: views with a base, a manager or a serialiser chosen elsewhere are left alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.model_names import TableNames
from auditor.checks.per_row_queries import PerRow
from auditor.checks.reach import within
from auditor.model.syntax import Assignment, Call, DefinitionKind, FileFacts, Value, ValueKind
from auditor.model.tables import Table

_LISTS = re.compile(r"(?:^|\.)(?:ModelViewSet|ReadOnlyModelViewSet|ListAPIView|ListCreateAPIView|ListModelMixin)$")
_FRAMEWORK = re.compile(
    r"^(?:viewsets|generics|mixins|views)\.|^(?:GenericViewSet|GenericAPIView|APIView|ViewSet|(?:Create|Retrieve|Update|Destroy|List)ModelMixin)$"
)
_SERIALIZER = re.compile(r"(?:^|\.)(?:Model|HyperlinkedModel)?Serializer$")
_NESTED = re.compile(r"Serializer$")
_RELATED = re.compile(r"(?:^|\.)(?:StringRelatedField|SlugRelatedField)$")
_KEYS = re.compile(r"(?:^|\.)PrimaryKeyRelatedField$")
_BRINGS = re.compile(r"(?:^|\.)(?:select_related|prefetch_related|Prefetch)$")
_CHOSEN = frozenset({"get_serializer_class", "list", "filter_queryset", "paginate_queryset"})


@dataclass(frozen=True, slots=True)
class _Class:
    facts: FileFacts
    index: int

    @property
    def own(self) -> dict[str, Assignment]:
        """What the body of the class binds."""
        return {entry.target: entry for entry in self.facts.assignments if entry.scope == self.index}

    @property
    def methods(self) -> dict[str, int]:
        """Its functions with their place among the definitions."""
        return {d.name: n for n, d in enumerate(self.facts.definitions) if d.parent == self.index and d.kind is not DefinitionKind.CLASS}

    @property
    def calls(self) -> list[Call]:
        """All calls in it."""
        inside = within(self.facts, self.index)
        return [call for call in self.facts.calls if call.scope in inside]


def serializer_queries(files: tuple[FileFacts, ...], tables: tuple[Table, ...]) -> Iterator[PerRow]:
    """One entry for each list whose serialiser asks once per row."""
    if not any(entry.module.startswith("rest_framework") for facts in files for entry in facts.imports):
        return
    classes: defaultdict[str, list[_Class]] = defaultdict(list)
    for facts in files:
        if facts.path.endswith(".py"):
            for index, definition in enumerate(facts.definitions):
                if definition.kind is DefinitionKind.CLASS:
                    classes[definition.name].append(_Class(facts, index))
    names = TableNames(table for table in tables if table.mapper == "django")
    for views in list(classes.values()):
        for view in views:
            relation = _asked(view, classes, names)
            if relation:
                place = view.own["serializer_class"]
                yield PerRow(view.facts.path, place.line, place.line, view.index, relation, relation=relation)


def _asked(view: _Class, classes: dict[str, list[_Class]], names: TableNames) -> str:
    """The relation that a list view reads per row; "" where there is none, or not all of it is in sight."""
    definition = view.facts.definitions[view.index]
    if not any(_LISTS.search(base) for base in definition.bases) or _CHOSEN & set(view.methods):
        return ""
    if not all(_LISTS.search(base) or _FRAMEWORK.search(base) for base in definition.bases):
        return ""
    serializer = _one(classes, view.own.get("serializer_class"))
    brought = _brought(view)
    if serializer is None or brought is None or "get" not in _methods(view):
        return ""
    table = _model(serializer, names)
    manager = _managed(classes, table)
    if table is None or manager:
        return ""
    return next((head for head in _relations(serializer, table) if head not in brought), "")


def _methods(view: _Class) -> set[str]:
    entry = view.own.get("http_method_names")
    return {"get"} if entry is None or entry.value is None else {item.literal.lower() for _, item in entry.value.items}


def _one(classes: dict[str, list[_Class]], entry: Assignment | None) -> _Class | None:
    """The one serialiser a view names, if it stands on the framework's own alone."""
    if entry is None or entry.value is None or entry.value.kind is not ValueKind.NAME:
        return None
    found = classes.get(entry.value.literal.rpartition(".")[2], [])
    if len(found) != 1 or not all(_SERIALIZER.search(base) for base in found[0].facts.definitions[found[0].index].bases):
        return None
    return None if "to_representation" in found[0].methods else found[0]


def _brought(view: _Class) -> set[str] | None:
    """The relations a view's queryset brings along; None where its making is not in sight."""
    made = view.methods.get("get_queryset")
    if made is not None and not any(".objects" in call.callee or call.callee == "super" for call in view.calls if call.scope == made):
        return None
    if made is None and "queryset" not in view.own:
        return None
    found: set[str] = set()
    for call in view.calls:
        if not _BRINGS.search(call.callee):
            continue
        for argument in call.arguments:
            if argument.value.kind is ValueKind.CALL:
                continue  # Prefetch(...), which is a call of its own
            if argument.value.kind is not ValueKind.STRING:
                return None
            found.add(argument.value.literal.partition("__")[0])
        if not call.arguments:
            return None
    return found


def _model(serializer: _Class, names: TableNames) -> Table | None:
    meta = next((n for n, d in enumerate(serializer.facts.definitions) if d.parent == serializer.index and d.name == "Meta"), -1)
    model = (
        next((e.value for e in serializer.facts.assignments if e.scope == meta and e.target == "model" and e.value), None)
        if meta >= 0
        else None
    )
    found = names.named(model.literal.rpartition(".")[2]) if model is not None else []
    return found[0] if len(found) == 1 else None


def _managed(classes: dict[str, list[_Class]], table: Table | None) -> bool:
    """Whether a model's rows come through a manager of its own, which may bring relations along."""
    found = classes.get(table.name, []) if table is not None else []
    return any("objects" in each.own for each in found)


def _relations(serializer: _Class, table: Table) -> Iterator[str]:
    """The relations that a serialiser's fields read."""
    for entry in serializer.own.values():
        value = entry.value
        if value is None or value.kind is not ValueKind.CALL or _is_set(value, "write_only"):
            continue
        source = value.item("source")
        path = source.literal if source is not None else entry.target
        head, _, rest = path.partition(".")
        column = table.column(head)
        keyed = column is not None and bool(column.references)
        many = column is None and _is_set(value, "many")
        nested = _NESTED.search(value.literal) is not None or _RELATED.search(value.literal) is not None
        if head not in {"", "*"} and ((nested and (keyed or many)) or (_KEYS.search(value.literal) and many) or (rest and keyed)):
            yield head


def _is_set(value: Value, key: str) -> bool:
    found = value.item(key)
    return found is not None and found.text == "True"
