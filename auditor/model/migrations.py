"""What `auditor migrations` says: schema changes judged file by file, and what is wrong with them as a set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JudgedOperation:
    """One thing the way up of a migration does.

    `kind`: a kind of the table of dangers ("drop_column"), or the plain name of what it does ("create_table") where it is none. `line` is 1-based. `why`: why
    it is dangerous here, or why it is not. `harm` and `steps`, for unsafe ones: what happens to a running system, and the safe sequence in this framework.
    """

    kind: str
    line: int
    table: str
    column: str
    unsafe: bool
    why: str
    harm: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MigrationVerdict:
    """One migration file: `unsafe` are the kinds found, sorted; `reason` is about the way back.

    `reversible`: True, False, "partial" (the way down restores some steps, or the structure and not the data), or None where nobody can say. `unread`: statements that were
    not understood, with their lines.
    """

    path: str
    framework: str
    unsafe: tuple[str, ...]
    reversible: bool | str | None
    operations: tuple[JudgedOperation, ...]
    reason: str
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetProblem:
    """What is wrong with the migrations as a set: multiple_heads, broken_chain, no_migrations, drift, duplicate_version, missing_down, journal_mismatch, missing_rls."""

    kind: str
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """All files in the order they are applied, series after series; `unexamined` are (path, reason)."""

    files: tuple[MigrationVerdict, ...]
    problems: tuple[SetProblem, ...] = ()
    unexamined: tuple[tuple[str, str], ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing unsafe and no problem was found."""
        return not self.problems and not any(file.unsafe for file in self.files)
