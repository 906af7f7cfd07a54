"""What every command shares: how it ends, and how it speaks on stdout and stderr."""

from __future__ import annotations

import datetime as dt
import functools
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from auditor.errors import AuditError, ExitCode

P = ParamSpec("P")
R = TypeVar("R")


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Turn every way a command can end into its exit code and at most one line on stderr."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            result = function(*args, **kwargs)
            sys.stdout.flush()
        except AuditError as error:
            complain(str(error))
            raise SystemExit(int(error.exit_code)) from None
        except KeyboardInterrupt:
            interrupted()
            raise  # not reached; tells the type checker
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone (`| head`): nothing left to say
            raise SystemExit(int(ExitCode.OK)) from None
        except Exception as error:
            if kwargs.get("debug"):
                raise
            complain(f"internal error ({type(error).__name__}: {error}); run again with --debug for the details and report it")
            raise SystemExit(int(ExitCode.INTERNAL)) from None
        return result

    return run


def complain(message: str) -> None:
    """One line on stderr, with control characters written out."""
    from auditor.render.text import visible

    print(f"auditor: {visible(message)}", file=sys.stderr, flush=True)  # noqa: T201 - this is the program's voice


def interrupted() -> None:
    """Leave at once: workers are daemons and end with us, and there is no half-written file to save."""
    complain("interrupted")
    os._exit(int(ExitCode.INTERRUPTED))


def say(text: str) -> None:
    """Text on stdout, whatever the terminal can show."""
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))


def wants_colour() -> bool:
    """Whether stdout is a terminal whose user wants colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"  # noqa: TID251 - no-color.org


def reporter(wanted: bool) -> Callable[[str], None]:
    """Prints progress with the seconds since the start; called from several threads."""
    if not wanted:
        return lambda _text: None
    from auditor.render.text import visible

    start, lock = time.monotonic(), threading.Lock()

    def report(text: str) -> None:
        with lock:
            print(f"{time.monotonic() - start:7.1f} s  {visible(text)}", file=sys.stderr, flush=True)  # noqa: T201

    return report


def today() -> str:
    """The date in UTC, ISO 8601."""
    return dt.datetime.fromtimestamp(time.time(), tz=dt.UTC).date().isoformat()
