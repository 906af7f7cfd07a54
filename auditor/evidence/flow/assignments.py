"""Assignments: names, patterns, attributes and entries get their values, and changed containers go back to where they came from."""

from __future__ import annotations

from dataclasses import replace

from auditor.evidence.flow.conditions import Conditions
from auditor.evidence.flow.interpreter import Frame
from auditor.evidence.flow.objects import named
from auditor.evidence.flow.values import ANY, NOTHING, UNSET, Scope, Unset, Value, constant, element, join
from auditor.languages import flow_ir as ir


class Assignments(Conditions):
    """Binds values to targets."""

    def assign(self, target: ir.Expression, value: Value, frame: Frame, line: int) -> None:
        """Bind a name, pattern, attribute or entry."""
        match target:
            case ir.Name():
                frame.scope.variables[target.id] = value if value.path or value.marks or value.items else named(value, target.id)
            case ir.Sequence():
                for number, part in enumerate(target.items):
                    inner = part.value if isinstance(part, ir.Spread) else part
                    self.assign(inner, element(value, UNSET if isinstance(part, ir.Spread) else number), frame, line)
            case ir.Mapping():
                for key, part in target.entries:
                    known = self.evaluate(key, frame).const if key is not None else UNSET
                    detail = known if isinstance(known, str) else ""
                    found = self.attribute(value, detail, line) if detail else element(value)
                    self.assign(part, found, frame, line)
            case ir.Binding():
                default = self.evaluate(target.value, frame)
                self.assign(target.target, join(value, default), frame, line)
            case ir.Attribute() | ir.Index():
                self._assign_inside(target, value, frame, line)

    def _assign_inside(self, target: ir.Attribute | ir.Index, value: Value, frame: Frame, line: int) -> None:
        base = self.evaluate(target.base, frame)
        if isinstance(target, ir.Attribute):
            key = constant(target.name)
            whole = replace(base, path=f"{base.path}.{target.name}" if base.path else "")
        else:
            key = self.evaluate(target.key, frame) if target.key is not None else NOTHING
            whole = replace(base, path=f"{base.path}[]" if base.path else "")
        for harm in self.language.assigned(whole, key, value):
            self.judge(harm, frame, (line, line), whole.path)
        withdrawn = self.language.withdraws(whole, key, value)
        if withdrawn and frame.function is not None:
            self.withdraw(withdrawn, frame.scope.source, frame.function)
        name = key.const if not isinstance(key.const, Unset) else ANY
        items = dict(base.items or {})
        items[name] = value if name is not ANY else join(items[ANY], value) if ANY in items else value
        self.store(target.base, replace(base, items=items), frame)

    def store(self, expression: ir.Expression, value: Value, frame: Frame) -> None:
        """Put a changed container back where it came from."""
        if isinstance(expression, ir.Name):
            scope: Scope | None = frame.scope
            while scope is not None and expression.id not in scope.variables:
                scope = scope.outer
            (scope or frame.scope).variables[expression.id] = value
        elif isinstance(expression, ir.Attribute):
            base = self.evaluate(expression.base, frame)
            self.store(expression.base, replace(base, items={**(base.items or {}), expression.name: value}), frame)
        elif isinstance(expression, ir.Index) and expression.key is not None:
            base, key = self.evaluate(expression.base, frame), self.evaluate(expression.key, frame).const
            name = ANY if isinstance(key, Unset) else key
            self.store(expression.base, replace(base, items={**(base.items or {}), name: value}), frame)
