"""Whether a function turns callers away by who they are: where it refuses, and what decides whether it does.

A refusal counts when a test about the caller stands before it and sends away whoever is not known. One for another reason (a captcha, a limit, a record
that is not there, an answer of another server), and one that only known callers meet, is no guard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks import authorization_words as words
from auditor.checks.guard import last_name
from auditor.checks.reach import within
from auditor.model.syntax import Branch, DefinitionKind, FileFacts, HandlerEffect

_MOST_LINES = 400
_LEAVING = frozenset({HandlerEffect.RAISE, HandlerEffect.ANSWER, HandlerEffect.RETURN_CONSTANT})
_STEPS = 2
_QUOTED = re.compile(r"(?<![\[(])\"[^\"\n]*\"|(?<![\[(])'[^'\n]*'")
"""Texts a value is compared with; a key such as the one in `session["user"]` stays."""
_COMMENT = ("#", "//", "*", "/*")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal: `line` where it stands; `leaves`: it ends the request by itself (an exception, an answer), whoever called the function.

    `silent`: the function only gives up (`if (!session) return null`), which says nothing about what its caller then does. `wraps`: everything stands inside
    `if (session) {...}`, which protects what an endpoint does and lets strangers through a hook.
    """

    line: int
    leaves: bool
    silent: bool = False
    wraps: bool = False


class Function:
    """One function with what is needed to see what its tests are about."""

    def __init__(self, facts: FileFacts, index: int, lines: list[str]) -> None:
        self._facts = facts
        self._definition = facts.definitions[index]
        self._inside = within(facts, index)
        self._lines = lines
        self._branches = [branch for branch in facts.branches if branch.scope in self._inside]
        self._values = self._assigned()

    def _assigned(self) -> dict[str, str]:
        """Variable -> the text it is made of; a variable that is made of several keeps all of them."""
        values: dict[str, list[str]] = {}
        for assignment in self._facts.assignments:
            if assignment.value is not None and (assignment.scope in self._inside or assignment.scope == -1):
                for name in re.findall(r"[A-Za-z_$][\w$]*", assignment.target)[:12]:
                    values.setdefault(name, []).append(f"{assignment.value.text} {' '.join(assignment.value.names)}")
        return {name: " ".join(texts)[:2_000] for name, texts in values.items()}

    # -- refusals ----------------------------------------------------------------------------------------------------------------------

    def refusals(self) -> Iterator[Refusal]:
        """Every refusal that is about the caller."""
        for number, text in self._code():
            found = words.REFUSES.search(self._without_tests(number, text))
            if found and self._about_the_caller(number, text[: found.start()]):
                yield Refusal(number, words.LEAVES.search(text) is not None)
        for branch in self._branches:
            if self._unknown_is_sent_away(branch):
                wraps = not _negative(branch.test)
                yield Refusal(branch.line, leaves=self._goes(branch) and not wraps, silent=wraps or not self._goes(branch), wraps=wraps)
        for handler in self._facts.handlers:
            signed = words.SIGNED.search(" ".join((*handler.tried, *handler.types)))
            if handler.scope in self._inside and signed and handler.effect in _LEAVING:
                yield Refusal(handler.line, leaves=handler.effect is not HandlerEffect.RETURN_CONSTANT)
        if self._definition.name in words.ASKED:
            yield from self._answers()
        yield from self._goes_on_for_known_ones()

    def _answers(self) -> Iterator[Refusal]:
        """`return request.user.is_authenticated`, or `return False` beside a test of the caller, where a framework asks for a yes or no."""
        tests = any(self._names_caller(self._expanded(branch)) for branch in self._branches)
        for answer in self._facts.returns:
            if answer.scope not in self._inside or answer.value is None or answer.value.text in {"True", "true"}:
                continue
            denies = answer.value.text in {"False", "false"}
            if (denies and tests) or (not denies and self._names_caller(f"{answer.value.text} {' '.join(answer.value.names)}")):
                yield Refusal(answer.line, leaves=True)

    def _goes_on_for_known_ones(self) -> Iterator[Refusal]:
        """A decorator whose wrapper calls what it wraps only inside a test of the caller, and ends the request otherwise."""
        wrapped = {parameter.name for index in self._inside for parameter in self._facts.definitions[index].parameters}
        goes_on = [call for call in self._facts.calls if call.scope in self._inside and call.callee in wrapped]
        known = [branch for branch in self._branches if not _negative(branch.test) and self._names_caller(self._expanded(branch))]
        held = [branch for branch in known if any(branch.line <= call.line <= branch.end_line for call in goes_on)]
        if not held or not all(any(branch.line <= call.line <= branch.end_line for branch in held) for call in goes_on):
            return
        last = max(branch.end_line for branch in held)
        for raised in self._facts.raises:
            if raised.scope in self._inside and raised.line > last:
                yield Refusal(raised.line, leaves=True)

    def passes_on(self, name: str) -> bool:
        """Whether what another function refuses also stops this one: it is called for everybody, and its exception is not swallowed."""
        for call in self._facts.calls:
            used = {last_name(call.callee), *(last_name(n) for a in call.arguments for n in a.value.names)}
            an_object = name == "__call__" and call.callee in self._values
            if call.scope not in self._inside or not (name in used or an_object):
                continue
            around = [branch for branch in self._branches if branch.line <= call.line <= branch.end_line and branch.line != call.line]
            if any(_holds_for_known_ones(branch) for branch in around):
                continue
            handled = [h for h in self._facts.handlers if call.guarded and h.scope in self._inside and call.callee in h.tried]
            if not handled or any(h.effect in {HandlerEffect.RAISE, HandlerEffect.ANSWER, HandlerEffect.REPORT} for h in handled):
                return True
        return False

    def tested(self) -> frozenset[str]:
        """The last parts of all names its tests and results depend on."""
        texts = [" ".join((*branch.names, *(self._values.get(_head(name), "") for name in branch.names))) for branch in self._branches]
        texts += [
            f"{r.value.text} {' '.join(r.value.names)}" for r in self._facts.returns if r.scope in self._inside and r.value is not None
        ]
        return frozenset(name for text in texts for name in re.findall(r"[A-Za-z_]\w*", text))

    def _code(self) -> Iterator[tuple[int, str]]:
        """Lines of the function, those that are comment or documentation left out."""
        first, last = self._definition.line, min(self._definition.end_line, self._definition.line + _MOST_LINES)
        documented = self._definition.docstring
        for number in range(first, last + 1):
            text = self._lines[number - 1] if number <= len(self._lines) else ""
            if not text.lstrip().startswith(_COMMENT) and not (documented and text.strip() and text.strip() in documented):
                yield number, text

    def _without_tests(self, line: int, text: str) -> str:
        """A line without the test of a branch on it: `if answer.status == 401` asks another server's answer."""
        for branch in self._branches:
            if branch.line == line and words.REFUSES.search(branch.test):
                text = text.replace(branch.test, " ") if branch.test in text else ""
        return text

    # -- what a refusal depends on -----------------------------------------------------------------------------------------------------

    def _about_the_caller(self, line: int, before: str) -> bool:
        around = [branch for branch in self._branches if branch.line <= line <= branch.last_line]
        caught = [h for h in self._facts.handlers if h.scope in self._inside and h.line <= line <= h.end_line]
        if any(line <= branch.end_line and _holds_for_known_ones(branch) for branch in around):
            return False
        if any(self._names_caller(" ".join((*handler.tried, *handler.types))) for handler in caught):
            return True
        for branch in around:
            holds = line <= branch.end_line
            if self._names_caller(self._expanded(branch)) and (_negative(branch.test) if holds else not _negative(branch.test)):
                return True
        if around or caught:
            return self._names_caller(before.split("=", maxsplit=1)[0]) and bool(words.EITHER.search(before))
        passed = [branch for branch in self._branches if branch.last_line < line]
        if passed:  # `if (known) return next();` and then the refusal
            return any(self._names_caller(self._expanded(branch)) for branch in passed)
        return self._names_caller(before) or self._names_caller(" ".join(self._values.values()))

    def _unknown_is_sent_away(self, branch: Branch) -> bool:
        """`if (!session) return null`, also `if (session) {...}` around everything that is done."""
        if not words.IDENTITY.search(self._expanded(branch)) or not words.SUBJECT.search(branch.test):
            return False
        if not _negative(branch.test):
            return branch.end_line >= self._definition.end_line - 2 and branch.line <= self._definition.line + 8
        returned = any(a.scope in self._inside and branch.line <= a.line <= branch.end_line for a in self._facts.returns)
        return returned or self._goes(branch)

    def _goes(self, branch: Branch) -> bool:
        """Whether what a test leads to ends the request: an exception, a redirect."""
        raised = any(a.scope in self._inside and branch.line <= a.line <= branch.end_line for a in self._facts.raises)
        return raised or any(
            c.scope in self._inside and branch.line <= c.line <= branch.end_line and words.GOES.search(c.callee) for c in self._facts.calls
        )

    def _expanded(self, branch: Branch) -> str:
        """The text of a test with what its variables are made of, two steps back."""
        text, names = _QUOTED.sub("''", branch.test), [_head(name) for name in branch.names]
        seen: set[str] = set()
        for _ in range(_STEPS):
            sent = [name for name in names if words.SENT.match(self._values.get(name, ""))]
            for name in sent:  # a field of what was sent says nothing about who sent it
                text = re.sub(rf"\b{re.escape(name)}\b", " ", text)
            added = [self._values[name] for name in names if name in self._values and name not in seen]
            seen.update(names)
            names = [_head(word) for piece in added for word in re.findall(r"[A-Za-z_$][\w$.]*", piece)][:60]
            text = " ".join((text, *added))
        return text[:6_000]

    @staticmethod
    def _names_caller(text: str) -> bool:
        if not words.CALLER.search(text):
            return False
        own = words.EDITABLE.sub(" ", words.SENT.sub(" ", words.OTHER_REASON.sub(" ", text)))
        return own == text or words.PROOF.search(own) is not None


def _negative(test: str) -> bool:
    return words.NEGATIVE.search(test) is not None


def _holds_for_known_ones(branch: Branch) -> bool:
    """`if user:`, `if authed() and ...`: whoever is not known passes by what stands inside."""
    return any(words.KNOWN_ONE.match(part.strip()) for part in re.split(r"&&|\band\b", branch.test))


def _head(name: str) -> str:
    return re.split(r"[.\[(?]", name, maxsplit=1)[0]


def is_read(facts: FileFacts, index: int) -> bool:
    """Whether a definition is a function whose body says something about callers; guards against forged requests and floods do not."""
    definition = facts.definitions[index]
    name = definition.name.lower()
    return definition.kind is not DefinitionKind.CLASS and not any(
        word in name for word in ("csrf", "captcha", "throttle", "ratelimit", "rate_limit")
    )
