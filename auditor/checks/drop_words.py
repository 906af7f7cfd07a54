"""What is said of a dropped error: the call it is about, and who does not learn of it."""

from __future__ import annotations

from auditor.checks.failures import is_remote
from auditor.model.syntax import Handler


def culprit_of(handler: Handler, work: list[str]) -> str:
    """The call a handler is about: one of the library whose error is caught, else the first that asks something outside, else the first at all."""
    owners = {kind.partition(".")[0] for kind in handler.types if "." in kind}
    return next(
        (
            callee
            for chosen in (
                [callee for callee in work if callee.partition(".")[0] in owners],
                [callee for callee in work if is_remote(callee)],
                [callee for callee in work if "[" not in callee],
            )
            for callee in chosen
        ),
        "this",
    )


def message_of(rule: str, culprit: str, write: str, handler: Handler, *, page: bool) -> str:
    """One sentence for a drop of the kind `rule`; `write` names the write whose failure is hidden."""
    call = f"{culprit.removeprefix('new ')}()" if culprit != "this" else "the code above"
    if write:
        return f"When {call} fails here the error is dropped and the program goes on as if the data had been stored; nobody learns of the loss."
    if rule == "printed" and page:
        return f"A failure of {call} is only written to the visitor's console and the page goes on: whoever uses it is not told."
    if rule == "printed":
        return f"A failure of {call} is only printed and the program goes on; nobody is told and no log level marks it."
    if rule == "made-up-result":
        shown = handler.returned.text[:30] if handler.returned is not None else "an empty value"
        return (
            f"Every failure of {call} is turned into {shown}, which looks like an ordinary result: neither the user nor a log learns of it."
        )
    return f"A failure of {call} is dropped here without a trace: no log line, no message, no error for the caller."
