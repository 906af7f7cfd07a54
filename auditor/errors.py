"""Every error a user can cause, and the exit codes of the command line.

`AuditError` is the root; its message is one line that says what happened, where, and what to do.
`NothingToAuditError`, `UsageError`, `UnreachableError` and `MissingProgramError` map to exit codes 4, 2, 6 and 7. Anything else that escapes is a defect of ours (exit code 5).
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller; 1 and 3 belong to the gate."""

    OK = 0
    GATE_FAILED = 1
    USAGE = 2
    CANNOT_SAY = 3
    NOTHING_TO_AUDIT = 4
    INTERNAL = 5
    UNREACHABLE = 6
    MISSING_PROGRAM = 7
    INTERRUPTED = 130


class AuditError(Exception):
    """Something the user can put right; the message is printed as it is."""

    exit_code = ExitCode.USAGE


class UsageError(AuditError):
    """The call's words are wrong: a path that does not exist, an unknown id, an unreadable report."""


class NothingToAuditError(AuditError):
    """The tree holds nothing this version can judge."""

    exit_code = ExitCode.NOTHING_TO_AUDIT


class UnreachableError(AuditError):
    """A server that the user told us to ask was not reached, or what it sent cannot be used."""

    exit_code = ExitCode.UNREACHABLE


class MissingProgramError(AuditError):
    """What was asked for needs a program that is not installed."""

    exit_code = ExitCode.MISSING_PROGRAM


class PrintError(AuditError):
    """The browser that prints did not; the report itself is unharmed."""

    exit_code = ExitCode.MISSING_PROGRAM
