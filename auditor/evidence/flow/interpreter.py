"""The state of one analysis, shared by all parts of the abstract interpreter, and the operations each part must supply to the others.

The interpreter is one object in layers, each of which sees only those below it: `Interpreter` (here), conditions, assignments, expressions, schemas, callbacks, calls,
statements, engine. What a lower layer needs of a higher one is declared here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from auditor.evidence.flow.language import Arguments, Flow, Harm, Language
from auditor.evidence.flow.objects import clean_value
from auditor.evidence.flow.places import Certainty, Places
from auditor.evidence.flow.values import NOTHING, PROVEN, Closure, Mark, Scope, Shape, Value
from auditor.evidence.flow.weaknesses import harmful_mark
from auditor.languages import flow_ir as ir

BUDGET = 60_000
"""Statements and calls followed in one file; beyond that the file is given up as unexamined."""


class TooMuchError(Exception):
    """The file needs more steps than `BUDGET`."""


@dataclass(slots=True)
class Frame:
    """One function being followed."""

    scope: Scope
    returns: list[Value] = field(default_factory=list)
    breaks: list[dict[str, Value]] = field(default_factory=list)
    continues: list[dict[str, Value]] = field(default_factory=list)
    function: ir.Function | None = None
    decorators: tuple[Value, ...] = ()
    answers: bool = False


Waiting = tuple[ir.Function, Scope, tuple[Value, ...], tuple[Value, ...], Value | None]
"""A function to be followed on its own: the variables around it, its decorators, the bases of its class, its object."""


class Interpreter(ABC):
    """Follows one file; `flows` holds what was found, `places` says of each place where a value can do harm how much is known of all that came there, `imported` supplies names of other files of the audited code.

    `doubtful`: parameters that nobody in sight fills carry a mark of their own, so that what is shown as mark-up can be told from what is known to be harmless.
    """

    def __init__(
        self,
        language: Language,
        imported: Callable[[str, str], Value | None] = lambda _origin, _member: None,
        *,
        doubtful: bool = False,
    ) -> None:
        self.language = language
        self.imported = imported
        self.doubtful = doubtful
        self.flows: dict[tuple[str, str, int, str], Flow] = {}
        self.places = Places()
        self.steps = 0
        self.depth = 0
        self.active: list[ir.Function] = []
        self.memo: dict[tuple[int, int, int, tuple[object, ...]], tuple[Scope, Value, dict[str, Certainty]]] = {}
        self.pending: list[Waiting] = []
        self.seen: set[int] = set()
        self.declared: dict[ir.Function, dict[str, Shape]] = {}
        self.kept: dict[ir.Function, dict[str, ir.Expression]] = {}

    @abstractmethod
    def execute(self, statements: Iterable[ir.Statement], frame: Frame) -> bool:
        """Run statements in order; False when the end is not reached."""

    @abstractmethod
    def evaluate(self, expression: ir.Expression, frame: Frame) -> Value:
        """The value of an expression; calls are followed and judged on the way."""

    @abstractmethod
    def attribute(self, base: Value, name: str, line: int) -> Value:
        """`base.name`."""

    @abstractmethod
    def call(self, call: ir.Call, frame: Frame) -> Value:
        """The value of a call, which is judged on the way."""

    @abstractmethod
    def call_closure(self, closure: Closure, arguments: Arguments) -> Value:
        """Enter a function of the audited code with these arguments."""

    @abstractmethod
    def callee(self, call: ir.Call, frame: Frame) -> tuple[Value, Value]:
        """The function a call calls, and the object it is a method of."""

    @abstractmethod
    def arguments(self, call: ir.Call, function: Value, receiver: Value, frame: Frame) -> Arguments:
        """The values a call hands over."""

    def step(self) -> None:
        """Count one statement or call.

        Raises:
            TooMuchError: the budget is spent.
        """
        self.steps += 1
        if self.steps > BUDGET:
            raise TooMuchError

    def queue(
        self,
        function: ir.Function,
        scope: Scope,
        decorators: tuple[Value, ...] = (),
        bases: tuple[Value, ...] = (),
        bound: Value | None = None,
    ) -> None:
        """Follow a function on its own later, once."""
        if id(function) not in self.seen:
            self.seen.add(id(function))
            self.pending.append((function, scope, decorators, bases, bound))

    def judge(self, harm: Harm, frame: Frame, lines: tuple[int, int], callee: str) -> None:
        """Remember a flow, once for each place and rule; and whether every value that ever came to the place was harmless."""
        weakness, rule, value = harm
        self.places.judge(frame.scope.source, lines, weakness, value)
        mark = harmful_mark(value, weakness)
        if mark is not None:
            self.flows.setdefault(
                (weakness, frame.scope.source, lines[0], rule), Flow(weakness, rule, frame.scope.source, *lines, callee, mark)
            )

    def withdraw(self, weakness: str, path: str, function: ir.Function) -> None:
        """Take back the flows of one weakness in the answers that a function makes."""
        lines = range(function.line, function.end_line + 1)
        for key in [
            key
            for key, flow in self.flows.items()
            if key[:2] == (weakness, path) and flow.line in lines and flow.callee in self.language.answers
        ]:
            del self.flows[key]

    def clean_everywhere(self, marks: frozenset[Mark], classes: frozenset[str], frame: Frame) -> None:
        """What was checked is harmless in every variable that holds it, not only in the one that was looked at."""
        if not marks or not classes:
            return
        origins = {mark.origin for mark in marks}
        frame.scope.variables = {name: clean_value(value, origins, classes) for name, value in frame.scope.variables.items()}
        known = frame.scope.variables.get(PROVEN, NOTHING).marks
        frame.scope.variables[PROVEN] = Value(known | frozenset(mark.cleaned(classes) for mark in marks))
