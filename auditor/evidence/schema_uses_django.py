"""Fields that code gives to Django's query sets and models, looked up in the models. Part of the evidence SCHEMA_NAMES.

Only the first part of `user__email` is looked up, and only in chains whose every step is one of the framework's own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from auditor.evidence.chains import Chain, chains
from auditor.evidence.route_names import Names
from auditor.evidence.schema_lookup import Model
from auditor.evidence.tables_classes import PythonClass, PythonClasses
from auditor.evidence.tables_django import is_abstract
from auditor.languages.migrations import last
from auditor.model.schema_names import SchemaUse
from auditor.model.syntax import Argument, Call, FileFacts, Value, ValueKind
from auditor.model.tables import Table
from auditor.model.verdict import Place

_MANAGER = re.compile(r"^([\w.]+)\.(?:objects|_default_manager)$")
_RELATIONS = frozenset({"ForeignKey", "OneToOneField", "ManyToManyField", "ParentalKey", "TreeForeignKey"})
_CONDITIONS = frozenset({"filter", "exclude", "get", "aget", "get_or_create", "aget_or_create", "update_or_create", "aupdate_or_create"})
_NAMED = frozenset(
    {"order_by", "values", "values_list", "only", "defer", "select_related", "prefetch_related", "distinct", "latest", "earliest"}
)
_MADE = frozenset({"create", "acreate", "update", "aupdate"})
_OTHER_STEPS = """
    all none first last count exists delete aggregate reverse using select_for_update iterator in_bulk afirst alast acount aexists adelete
    union get_queryset get_object_or_404
    """
_PLAIN_STEPS = _CONDITIONS | _NAMED | _MADE | frozenset(_OTHER_STEPS.split())
_ANNOTATES = frozenset({"annotate", "alias"})
_ACCOUNT = frozenset(
    {
        "username",
        "first_name",
        "last_name",
        "email",
        "password",
        "groups",
        "user_permissions",
        "is_staff",
        "is_active",
        "is_superuser",
        "last_login",
        "date_joined",
    }
)
_ROOTS = re.compile(r"^(?:Model|AbstractUser|AbstractBaseUser|PermissionsMixin|object|ABC)$")
_FIELD = re.compile(r"^-?([a-z_]\w*?)(?:__\w+)?$")
_FREE = frozenset({"pk", "id", "defaults", "create_defaults", "flat", "named", "using", "force_insert", "_state"})


class _Models:
    """Django's models with the names their query sets and their instances know."""

    def __init__(self, classes: PythonClasses, tables: Iterable[Table]) -> None:
        known = {(table.name, table.place.path): table for table in tables if table.mapper == "django"}
        self._classes = classes
        self._reverse = _reverse_names(classes)
        self.found: dict[tuple[str, str], tuple[PythonClass, Model, Model]] = {}
        for each in classes.all:
            table = known.get((each.definition.name, each.facts.path))
            if table is not None:
                self.found[each.facts.path, each.definition.name] = (each, *self._both(each, table))

    def _both(self, found: PythonClass, table: Table) -> tuple[Model, Model]:
        """What queries may ask for, and what an instance may be given: properties can be set, and not be asked for."""
        fields = {name for column in table.columns for name in (column.name, column.attribute) if name} | _FREE
        others: set[str] = set()
        whole, managed = True, True
        for owner, base in self._classes.lineage(found):
            if owner is None:
                plain = re.sub(r"\[.*", "", base).rsplit(".", 1)[-1]
                whole = whole and _ROOTS.match(plain) is not None
                fields |= _ACCOUNT if plain in {"AbstractUser", "AbstractBaseUser", "PermissionsMixin"} else set()
                continue
            if not is_abstract(owner):
                fields |= self._reverse[owner.definition.name] | {owner.definition.name.lower() + "_ptr"}
            for assignment in owner.own:
                kind = last(assignment.value.literal) if assignment.value is not None else ""
                fields |= (
                    {assignment.target, f"{assignment.target}_id"} if kind.endswith(("Field", "Key", "Relation", "Manager")) else set()
                )
                managed = managed and not (assignment.target == "objects" and kind not in {"Manager", "UserManager"})
            others |= {d.name for d in owner.facts.definitions if d.parent == owner.index} | {a.target for a in owner.own}
        queries = Model(table.name, table.place, frozenset(fields), whole and managed)
        return queries, Model(table.name, table.place, frozenset(fields | others), whole)

    def of(self, names: Names, path: str, dotted: str) -> tuple[PythonClass, Model, Model] | None:
        spot = names.spot(path, dotted)
        return self.found.get((spot.path, spot.name)) if spot is not None else None


def _reverse_names(classes: PythonClasses) -> defaultdict[str, set[str]]:
    """For each model the names by which the models that lead to it are reached from there; those of abstract bases belong to their children."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for each in classes.all:
        name = each.definition.name
        for parent, base in ((classes.named(base, each.facts.path), base) for base in each.bases):
            if parent is not None and not is_abstract(parent):
                found[base.rsplit(".", 1)[-1]].add(name.lower())
        inherited = (assignment for owner, _ in classes.lineage(each) if owner is not None for assignment in owner.own)
        for assignment in inherited:
            value = assignment.value
            if value is not None and last(value.literal) in _RELATIONS:
                target = next((item for key, item in value.items if key in {"", "to"}), None)
                leads = last(target.literal.split(" ")[0]) if target is not None else ""
                found[name if leads == "self" else leads] |= set(_reached_by(value, name.lower()))
    accounts = found.pop("AUTH_USER_MODEL", set()) | found.pop("get_user_model", set())
    for each in classes.all:
        found[each.definition.name] |= accounts
    return found


def _reached_by(relation: Value, owner: str) -> Iterator[str]:
    yield owner
    yield f"{owner}_set"
    for key in ("related_name", "related_query_name"):
        given = relation.item(key)
        if given is not None:
            yield given.literal.replace("%(class)s", owner).replace("%(app_label)s", "")


def django_uses(files: list[FileFacts], classes: PythonClasses, tables: Iterable[Table], names: Names) -> Iterator[SchemaUse]:
    """Every field in conditions, orders and new records of models whose fields are all known."""
    models = _Models(classes, tables)
    for facts in files if models.found else ():
        for chain in chains(facts):
            yield from _chain(facts, chain, models, names)


def _chain(facts: FileFacts, chain: Chain, models: _Models, names: Names) -> Iterator[SchemaUse]:
    manager = _MANAGER.match(chain.head)
    first = chain.calls[0]
    found = models.of(names, facts.path, manager[1] if manager else first.callee)
    if found is None:
        return
    _, queries, instances = found
    if not manager:
        for name in _keywords(first):
            yield instances.use(Place(facts.path, first.line, first.line), instances.name, name, "django", writes=True)
        return
    added: set[str] = set()
    for call in chain.calls:
        step = last(call.callee)
        place = Place(facts.path, call.line, call.line)
        if step in _ANNOTATES or step in {"values", "values_list", "aggregate"}:
            added |= set(_keywords(call))
        if step in _ANNOTATES:
            added |= {f"{_first(argument.value)}__{last(argument.value.literal).lower()}" for argument in call.arguments}
        if step in _MADE:
            for name in _keywords(call):
                yield instances.use(place, instances.name, name, "django", writes=True)
        elif step in _CONDITIONS | _NAMED:
            for name in _asked(call, step):
                if name not in added and not any(word.startswith(f"{name}__") for word in added):
                    yield queries.use(place, queries.name, name, "django", writes="create" in step)
            if step in {"values", "values_list"}:
                return  # what follows speaks of rows
        elif step not in _PLAIN_STEPS:
            return


def _first(value: Value) -> str:
    return next((item.literal for _, item in value.items if item.kind is ValueKind.STRING), "")


def _keywords(call: Call) -> list[str]:
    return [argument.name for argument in call.arguments if argument.name not in {"", "*", "**"} | _FREE]


def _asked(call: Call, step: str) -> Iterator[str]:
    """The fields a step names, up to the first relation."""
    for argument in call.arguments:
        if step in _CONDITIONS:
            yield from _condition(argument)
        elif argument.value.kind is ValueKind.STRING and argument.name == "":
            found = _FIELD.match(argument.value.literal)
            if found and not argument.value.literal.startswith("?"):
                yield found[1]
    defaults = call.argument("defaults")
    if defaults is not None and defaults.kind is ValueKind.COLLECTION:
        yield from (key for key, _ in defaults.items if re.fullmatch(r"[a-z_]\w*", key))


def _condition(argument: Argument) -> Iterator[str]:
    """`total__gt=5`, and what stands in `Q(...)`."""
    pending: list[tuple[str, Value]] = [(argument.name, argument.value)]
    while pending:
        name, value = pending.pop()
        if name and re.fullmatch(r"[a-z_]\w*", name) and name not in _FREE:
            yield name.partition("__")[0]
        elif value.kind is ValueKind.CALL and last(value.literal) == "Q":
            pending += [item for item in value.items if item[0] not in {"*", "**"}]
        elif value.kind is ValueKind.OPERATION and not name:
            pending += [("", item) for _, item in value.items]
