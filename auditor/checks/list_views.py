"""Class-based list views of Django and its REST framework: whether the framework cuts what they return."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.collection_reads import Bound, CollectionRead, is_small
from auditor.model.syntax import Assignment, DefinitionKind, FileFacts

_REST = re.compile(r"(?:^|\.)(?:ModelViewSet|ReadOnlyModelViewSet|ListAPIView|ListCreateAPIView|ListModelMixin)$")
_PLAIN = re.compile(r"(?:^|\.)(?:ListView|MultipleObjectMixin)$")
_QUERYSET = re.compile(r"(\w+)\.objects\b")


def list_views(files: tuple[FileFacts, ...]) -> Iterator[CollectionRead]:
    """One read per list view; a project-wide pagination class limits those of the REST framework."""
    paged = _default_pagination(files)
    for facts in files:
        if not facts.path.endswith(".py"):
            continue
        for index, definition in enumerate(facts.definitions):
            if definition.kind is not DefinitionKind.CLASS or not any(_REST.search(b) or _PLAIN.search(b) for b in definition.bases):
                continue
            own = {a.target: a for a in facts.assignments if a.scope == index}
            table = _table(own)
            if table is None or is_small(table):
                continue
            rest = any(_REST.search(base) for base in definition.bases)
            chosen = any(d.parent == index and d.name == "get_queryset" for d in facts.definitions)
            bound = Bound.LIMITED if _is_cut(own, paged=paged and rest) else Bound.UNKNOWN if chosen else Bound.NONE
            yield CollectionRead(facts.path, definition.line, definition.line, index, table, bound)


def _table(own: dict[str, Assignment]) -> str | None:
    """The model of a list view; None where it is chosen in a method, so that nothing can be said about it."""
    for name in ("queryset", "model"):
        entry = own.get(name)
        if entry is None or entry.value is None:
            continue
        found = _QUERYSET.search(entry.value.text)
        return found[1] if found else entry.value.literal or None
    return None


def _is_cut(own: dict[str, Assignment], *, paged: bool) -> bool:
    pagination = own.get("pagination_class")
    if pagination is not None and pagination.value is not None:
        return pagination.value.text != "None"
    return paged or "paginate_by" in own


def _default_pagination(files: tuple[FileFacts, ...]) -> bool:
    for facts in files:
        for assignment in facts.assignments:
            if assignment.target == "REST_FRAMEWORK" and assignment.value is not None:
                entry = assignment.value.item("DEFAULT_PAGINATION_CLASS")
                return entry is not None and entry.text != "None"
    return False
