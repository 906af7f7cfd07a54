"""Attributes and keywords that code gives to SQLAlchemy's and SQLModel's models, looked up in their classes. Part of the evidence SCHEMA_NAMES."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.evidence.chains import Chain, chains
from auditor.evidence.route_names import Names
from auditor.evidence.schema_lookup import Model
from auditor.evidence.tables_classes import PythonClass, PythonClasses
from auditor.languages.migrations import last
from auditor.model.schema_names import SchemaUse
from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.model.tables import Table
from auditor.model.verdict import Place

_ASKS_WORDS = """
    select query filter filter_by where order_by group_by having join outerjoin with_entities options load_only defer undefer joinedload
    selectinload subqueryload contains_eager and_ or_ not_ asc desc distinct values returning on_conflict_do_update count sum avg min max
    coalesce exists in_ label cast extract case add_columns nulls_last nullslast nulls_first update delete insert scalar_subquery
    """
_ASKS = frozenset(_ASKS_WORDS.split())
_OF_COLUMN = re.compile(
    r"^(?:asc|desc|in_|not_in|notin_|like|ilike|not_like|is_|isnot|is_not|between|contains|any|has|label|startswith|endswith|op|cast|distinct|nulls_last|nulls_first)$"
)
_ROOTS = re.compile(
    r"^(?:DeclarativeBase|DeclarativeBaseNoMeta|MappedAsDataclass|AsyncAttrs|SQLModel|Model|Base|object|Generic|ABC|UserMixin|str|Enum|RoleMixin)$"
)
"""Bases of libraries whose own names are known."""
_BROUGHT = frozenset(
    {"query", "query_class", "metadata", "registry", "awaitable_attrs", "is_authenticated", "is_active", "is_anonymous", "get_id"}
)
_PYDANTIC = re.compile(
    r"^(?:model_\w+|parse_\w+|from_orm|validate|construct|schema|schema_json|dict|json|copy|update_forward_refs|fields|sqlmodel_\w+)$"
)


class PythonModels:
    """Models by the class that declares them, with every name an instance or the class answers to."""

    def __init__(self, classes: PythonClasses, tables: Iterable[Table], mapper: str, brought: frozenset[str]) -> None:
        known = {(table.name, table.place.path): table for table in tables if table.mapper == mapper}
        self._brought = brought
        self._classes = classes
        self.found: dict[tuple[str, str], tuple[PythonClass, Model]] = {}
        for each in classes.all:
            table = known.get((each.definition.name, each.facts.path))
            if table is not None:
                self.found[each.facts.path, each.definition.name] = (each, self._model(each, table))

    def _model(self, found: PythonClass, table: Table) -> Model:
        names = set(self._brought) | {name for column in table.columns for name in (column.name, column.attribute) if name}
        whole = True
        for owner, base in self._classes.lineage(found):
            if owner is None:
                whole = whole and _ROOTS.match(re.sub(r"\[.*", "", base).rsplit(".", 1)[-1]) is not None
                continue
            names |= {assignment.target for assignment in owner.own}
            names |= {d.name for d in owner.facts.definitions if d.parent == owner.index}
        return Model(table.name, table.place, frozenset(names), whole)

    def of(self, names: Names, path: str, dotted: str) -> tuple[PythonClass, Model] | None:
        """The model a dotted name means in a file."""
        spot = names.spot(path, dotted)
        return self.found.get((spot.path, spot.name)) if spot is not None else None

    def makes_itself(self, found: PythonClass) -> bool:
        """Whether a class says by itself what it is made of."""
        owners = [owner for owner, _ in self._classes.lineage(found) if owner is not None]
        return any(
            d.name in {"__init__", "__new__"} and d.parent == owner.index for owner in owners for d in owner.facts.definitions
        ) or any("dataclass" in decorator.callee for owner in owners for decorator in owner.definition.decorators)


def alchemy_uses(files: list[FileFacts], classes: PythonClasses, tables: Iterable[Table], names: Names) -> Iterator[SchemaUse]:
    """Every attribute of a model in a query, and every keyword a model or a filter is given."""
    models = PythonModels(classes, tables, "sqlalchemy", _BROUGHT | frozenset(_from_elsewhere(files)))
    if not models.found:
        return
    words = frozenset(name for _, name in models.found)
    for facts in files:
        if not words & _words(facts):
            continue
        reader = _Reader(facts, models, names)
        for chain in chains(facts):
            yield from reader.chain(chain)


def _words(facts: FileFacts) -> frozenset[str]:
    """Names a file imports or defines, by which most files are told to use no model; a file that imports whole modules may use any."""
    imported = {name for s in facts.imports for pair in s.names for name in pair}
    calls = {word for call in facts.calls for word in re.findall(r"\w+", call.callee)[:3]}
    return frozenset(imported | {d.name for d in facts.definitions} | calls)


def _from_elsewhere(files: list[FileFacts]) -> Iterator[str]:
    """Attributes that relations of other models and later assignments bring."""
    for facts in files:
        for assignment in facts.assignments:
            owner, _, attribute = assignment.target.rpartition(".")
            if owner[:1].isupper() and "." not in owner:
                yield attribute
            value = assignment.value
            yield from _backwards(value.items if value is not None and value.kind is ValueKind.CALL else ())
        for call in facts.calls:
            yield from _backwards((argument.name, argument.value) for argument in call.arguments)


def _backwards(arguments: Iterable[tuple[str, Value]]) -> Iterator[str]:
    """The names `backref="boats"`, `backref=backref("boats")` and `back_populates="boats"` give to the other side."""
    for key, value in arguments:
        if key in {"backref", "back_populates"}:
            yield value.items[0][1].literal if value.kind is ValueKind.CALL and value.items else value.literal


class _Reader:
    """Uses of models in one file."""

    def __init__(self, facts: FileFacts, models: PythonModels, names: Names) -> None:
        self._facts = facts
        self._models = models
        self._names = names
        self._shadowed = frozenset(a.target for a in facts.assignments if a.scope >= 0) | frozenset(
            p.name for d in facts.definitions for p in d.parameters
        )

    def chain(self, chain: Chain) -> Iterator[SchemaUse]:
        seen: set[tuple[str, str]] = set()
        for call in chain.calls:
            if last(call.callee) in _ASKS:
                for argument in call.arguments:
                    for dotted in argument.value.names:
                        yield from self._attribute(dotted, call, seen)
            if _OF_COLUMN.match(last(call.callee)):
                yield from self._attribute(call.callee.rpartition(".")[0], call, seen)
            if last(call.callee) == "filter_by":
                yield from self._filter_by(chain, call)
        yield from self._made(chain.calls[0])

    def _model(self, dotted: str) -> tuple[PythonClass, Model] | None:
        if not dotted or dotted.partition(".")[0] in self._shadowed or not re.match(r"^[\w.]+$", dotted):
            return None
        return self._models.of(self._names, self._facts.path, dotted)

    def _attribute(self, dotted: str, call: Call, seen: set[tuple[str, str]]) -> Iterator[SchemaUse]:
        """`User.email`, `models.User.email`, `User.email.desc`."""
        parts = dotted.split(".")
        for end in range(1, min(3, len(parts))):
            name, attribute = ".".join(parts[:end]), parts[end]
            if not name.rsplit(".", 1)[-1][:1].isupper() or attribute.startswith("__") or not re.fullmatch(r"\w+", attribute):
                continue
            found = self._model(name)
            if found is not None and (name, attribute) not in seen and not _PYDANTIC.match(attribute):
                seen.add((name, attribute))
                yield found[1].use(self._place(call), found[1].name, attribute, "sqlalchemy")

    def _filter_by(self, chain: Chain, call: Call) -> Iterator[SchemaUse]:
        """Keywords of `User.query.filter_by(...)`, `session.query(User).filter_by(...)`, `select(User).filter_by(...)`; after a join they may be another's."""
        if {"join", "outerjoin", "select_from", "with_entities"} & set(chain.steps):
            return
        query = re.match(r"^([\w.]+)\.query$", chain.head)
        asked = chain.step("query", "select")
        first = asked.argument("", 0) if asked is not None and len(asked.arguments) == 1 else None
        name = query[1] if query else first.literal if first is not None and first.kind is ValueKind.NAME else ""
        found = self._model(name)
        for argument in call.arguments if found is not None else ():
            if argument.name not in {"", "*", "**"} and found is not None:
                yield found[1].use(self._place(call), found[1].name, argument.name, "sqlalchemy")

    def _made(self, call: Call) -> Iterator[SchemaUse]:
        """Keywords of `User(...)`: the mapper refuses those it does not know, or drops them."""
        if not last(call.callee)[:1].isupper():
            return
        found = self._model(call.callee)
        if found is None or self._models.makes_itself(found[0]):
            return
        for argument in call.arguments:
            if argument.name not in {"", "*", "**"}:
                yield found[1].use(self._place(call), found[1].name, argument.name, "sqlalchemy", writes=True)

    def _place(self, call: Call) -> Place:
        return Place(self._facts.path, call.line, call.line)
