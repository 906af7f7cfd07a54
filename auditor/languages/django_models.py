"""Fields, indexes and constraints as Django writes them in migrations, and the models a line of migrations has described so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.languages import flow_ir as ir
from auditor.languages.column_types import canonical, usual_length
from auditor.languages.migration_expressions import Link, chain, constant, dotted, text_of, words
from auditor.languages.operations import CHECK, EXCLUDE, UNIQUE, Column, Constraint
from auditor.languages.postgres_columns import VOLATILE

_TO_ONE = frozenset({"ForeignKey", "OneToOneField", "ParentalKey"})
MANY = frozenset({"ManyToManyField", "ParentalManyToManyField", "SortedManyToManyField", "TaggableManager"})


@dataclass(slots=True)
class Model:
    """One model: its table, its fields by name (None for a many-to-many field, which is a table of its own), its sets of unique fields.

    `named`: it names its table itself; `pinned`: the fields that name their column themselves.
    """

    table: str
    named: bool = False
    fields: dict[str, Column | None] = field(default_factory=dict)
    together: frozenset[tuple[str, ...]] = frozenset()
    pinned: set[str] = field(default_factory=set)

    def declare(self, name: str, column: Column | None, value: ir.Expression | None) -> None:
        """A field as declared; one that names its column keeps that name whatever the field is called."""
        self.fields[name] = column
        link = link_of(value)
        if link is not None and text_of(link.argument("db_column")):
            self.pinned.add(name)
        else:
            self.pinned.discard(name)

    def columns(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The columns of fields; a field nobody knows keeps its name."""
        return tuple(self.column(name) for name in names)

    def column(self, name: str) -> str:
        """The column of a field."""
        known = self.fields.get(name.lstrip("-"))
        return known.name if known is not None else name.lstrip("-")


@dataclass(slots=True)
class Models:
    """All models by (app, name in lower case)."""

    known: dict[tuple[str, str], Model] = field(default_factory=dict)

    def of(self, app: str, name: str) -> Model:
        """A model; one nobody has seen made gets the table Django would give it."""
        key = (app, name.lower())
        if key not in self.known:
            self.known[key] = Model(f"{app}_{name.lower()}")
        return self.known[key]

    def table(self, app: str, target: str) -> str:
        """The table behind a reference: "app.Model", "Model" or "self" (the caller puts its own name in)."""
        owner, _, name = target.rpartition(".")
        if "AUTH_USER_MODEL" in target:
            return "settings.AUTH_USER_MODEL"
        return self.of(owner or app, name).table


def link_of(value: ir.Expression | None) -> Link | None:
    """The call an expression is."""
    return chain(value)[1][-1] if isinstance(value, ir.Call) else None


def column_of(name: str, value: ir.Expression | None, models: Models, app: str, model: str) -> Column | None:
    """A field as column; None for many-to-many fields, generic relations and what is no call."""
    link = link_of(value)
    if link is None or link.name in MANY or (link.name.startswith("Generic") and link.name != "GenericIPAddressField"):
        return None
    to_one = link.name in _TO_ONE
    default, volatile = _default(link)
    primary = constant(link.argument("primary_key")) is True
    unique = constant(link.argument("unique")) is True or link.name == "OneToOneField"
    indexed = constant(link.argument("db_index"))
    type_name, size = ("", ()) if to_one else _type(link)
    python_default = link.argument("default")
    return Column(
        text_of(link.argument("db_column")) or (f"{name}_id" if to_one else name),
        type_name,
        size,
        not_null=constant(link.argument("null")) is not True and link.name != "NullBooleanField",
        unique=unique or primary,
        primary=primary,
        default=default,
        volatile=volatile,
        generated=_generated(link),
        references=_target(link, models, app, model) if to_one and constant(link.argument("db_constraint")) is not False else "",
        cascades=to_one and dotted(link.argument("on_delete", 1)).endswith("CASCADE"),
        indexed=not unique and not primary and (indexed is True or (indexed is None and (to_one or link.name == "SlugField"))),
        filled=python_default is not None and not (isinstance(python_default, ir.Const) and python_default.value is None),
        line=value.line if value is not None else 0,
    )


def _target(link: Link, models: Models, app: str, model: str) -> str:
    value = link.argument("to", 0)
    target = text_of(value) or dotted(value)
    return models.table(app, model if target == "self" else target) if target else ""


def _type(link: Link) -> tuple[str, tuple[int, ...]]:
    name = link.name.lower()
    length = constant(link.argument("max_length"))
    if name == "decimalfield":
        numbers = [constant(link.argument("max_digits")), constant(link.argument("decimal_places"))]
        return "numeric", tuple(number for number in numbers if isinstance(number, int))
    if name == "generatedfield":
        output = link_of(link.argument("output_field"))
        return _type(output) if output is not None else ("", ())
    found = canonical(name)
    if found == name:
        return "", ()  # a field of the project's own: nobody here knows what it is in the database
    if found == "varchar":
        return found, (length,) if isinstance(length, int) else usual_length(name)
    return found, ()


def _default(link: Link) -> tuple[str, bool]:
    """The default the database keeps (`db_default`); Django's `default` is none."""
    value = link.argument("db_default")
    if value is None:
        return "", False
    if isinstance(value, ir.Const):
        return ("" if value.value is None else repr(value.value)), False
    inner = link_of(value)
    called = f"{inner.name}()" if inner is not None else dotted(value) or "?"
    return called, VOLATILE.search(called) is not None


def _generated(link: Link) -> str:
    if link.name == "GeneratedField":
        return "stored" if constant(link.argument("db_persist")) is True else "virtual"
    return "identity" if link.name in {"AutoField", "BigAutoField", "SmallAutoField"} else ""


def constraint_of(value: ir.Expression | None, model: Model, *, validated: bool = True) -> Constraint | None:
    """`models.UniqueConstraint(...)`, `CheckConstraint(...)` or `ExclusionConstraint(...)`."""
    link = link_of(value)
    if link is None:
        return None
    name = text_of(link.argument("name")) or ""
    match link.name:
        case "UniqueConstraint":
            plain = link.argument("condition") is None
            return Constraint(UNIQUE, name, model.columns(words(link.argument("fields"))) if plain else ())
        case "CheckConstraint":
            condition = link.argument("condition") or link.argument("check")
            return Constraint(CHECK, name, validated=validated, required=model.columns(tuple(_demanded(condition))))
        case "ExclusionConstraint":
            return Constraint(EXCLUDE, name)
        case _:
            return Constraint(CHECK, name, validated=validated)


def _demanded(condition: ir.Expression | None) -> Iterator[str]:
    """The fields of `Q(a__isnull=False)`."""
    link = link_of(condition)
    for key, value in link.keywords if link is not None and link.name == "Q" else ():
        if key.endswith("__isnull") and constant(value) is False:
            yield key.removesuffix("__isnull")


def sets_of(value: ir.Expression | None) -> frozenset[tuple[str, ...]]:
    """`unique_together`: one tuple of names or a collection of them."""
    if isinstance(value, ir.Call) and value.arguments:  # set([...])
        return sets_of(value.arguments[0])
    if not isinstance(value, ir.Sequence):
        return frozenset()
    if all(text_of(item) is not None for item in value.items):
        return frozenset({words(value)}) if value.items else frozenset()
    return frozenset(words(item) for item in value.items)
