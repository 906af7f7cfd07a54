"""Row-level security: where it is switched off, and policies that let everybody write."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.languages.operations import Operation, Policy
from auditor.languages.risk_context import EVERYBODY, NEW_TABLE, Here, Risk, danger, safe
from auditor.languages.schema_state import Table, altered_policy


def disable_rls(here: Here, operation: Operation) -> Iterator[Risk]:
    """Row-level security switched off, unless it is on again at the end."""
    table = here.end.tables.get(operation.table)
    if operation.table in here.new:
        yield safe(operation, "disable_rls", NEW_TABLE)
    elif here.end.tables and (table is None or table.secured):
        yield safe(operation, "disable_rls", "a later migration turns it on again, or drops the table")
    else:
        yield danger(operation, "disable_rls", "whoever reaches the table reads and writes every row of it")


def create_policy(here: Here, operation: Operation) -> Iterator[Risk]:
    """A policy that lets everybody write."""
    if operation.policy is not None:
        yield from _opened(here, operation, operation.policy)


def alter_policy(here: Here, operation: Operation) -> Iterator[Risk]:
    """The same, made of one that did not."""
    before = here.schema.tables.get(operation.table)
    known = before.policies.get(operation.name) if before is not None else None
    if known is not None:
        yield from _opened(here, operation, altered_policy(known, operation))


def _opened(here: Here, operation: Operation, policy: Policy) -> Iterator[Risk]:
    if not lets_everybody_write(policy):
        return
    table: Table | None = here.end.tables.get(operation.table)
    if table is not None and table.policies.get(operation.name) != policy:
        yield safe(operation, "permissive_policy", "a later migration replaces it")
    else:
        who = "every signed-in user" if {*policy.roles} == {"authenticated"} else "everybody"
        yield danger(
            operation,
            "permissive_policy",
            f"{who} may {_verb(policy)} any row: its condition is always true and no role is named that would limit it",
        )


def lets_everybody_write(policy: Policy) -> bool:
    """Whether a policy lets everybody, or every signed-in user, write any row; what its name promises does not count."""
    if policy.restrictive or (policy.roles and not EVERYBODY & {*policy.roles}):
        return False
    match policy.command:
        case "insert":
            return policy.check_true
        case "update":
            return policy.using_true and (policy.check_true or not policy.has_check)
        case "delete":
            return policy.using_true
        case "all":
            return policy.using_true or policy.check_true
        case _:
            return False


def _verb(policy: Policy) -> str:
    return {"insert": "insert", "update": "change", "delete": "delete"}.get(policy.command, "read, change and delete")
