"""Code that was switched off by making it a comment: runs of comment lines that read like statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.model.syntax import FileFacts

_FEWEST = 6
_SHARE = 0.75
_PYTHON = re.compile(
    r"^(?:from [\w.]+ import \S|import \w[\w., ]*$|(?:async )?def \w+\(|class \w+\s*[(:]|return\b(?: [\w\[({\"'].*)?$|(?:el)?if .+:$|else:$|for \w.* in .+:$|while .+:$|try:$|except\b.*:$|finally:$|with .+:$|raise \w|@\w[\w.]*(?:\(.*\))?$"
    r"|[\w.\[\]\"']+(?:: \w+)? [-+*/|]?= \S|(?:await )?[\w.]+\(.*\)?,?$|[\w\"'.]+(?::|=) ?[\w\"'\[({].*,$|[)\]}]+[,)]*$|[\"'\w.]+,$)"
)
_SCRIPT = re.compile(
    r"^(?:(?:export )?(?:const|let|var) [\w{\[]|(?:import|export) .*(?:from|\{)|(?:return|throw)\b.*[;,({\[]$|(?:\} )?(?:else )?if \(|\}? ?else\b|for \(|while \(|switch \(|case .+:$|try \{|\} (?:catch|finally)|(?:async )?function\b|(?:await )?[\w.$?]+\(.*[;,({]$|[\w.$\[\]]+ [-+*/|]?= .*"
    r"|[\w\"'-]+: .+,$|</?[A-Za-z>].*|/?>$|\{.*\}$|[\])}>;,]+[;,)]*$|.*(?:;|=> \{|=> \(|\{|\)\.)$|\.\w+\(.*|[\w.]+,$|\w+=\{.*|className=.*)"
)
_EXPLAINS = re.compile(
    r"\b(?:example|e\.g|usage|like|for instance|such as|sample|syntax|note|todo|see|copyright|licen[sc]e|@param|@returns|@example|equivalent|pseudo|->|means|would|should|because)\b|<your|<[a-z]+-[a-z-]+>",
    re.IGNORECASE,
)
_PROSE = re.compile(r"^[A-Z][a-z]+(?: [\w',-]+){3,}[.:]?$|[.!?]$")
_SETTINGS = re.compile(
    r"(?:^|/)(?:settings?|config\w*|conf|gunicorn[\w.]*|local|defaults|constants|\w*\.config|\.\w+rc)(?:/|\.\w+$)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class CommentedCode:
    """A run of lines that was code and is now a comment."""

    path: str
    line: int
    end_line: int

    @property
    def lines(self) -> int:
        """How long it is."""
        return self.end_line - self.line + 1


def commented_code(facts: FileFacts, text: str) -> Iterator[CommentedCode]:
    """The runs of one file, in order; files of settings show what could be set, and are left alone."""
    if _SETTINGS.search(facts.path) or not facts.comments:
        return
    lines = text.splitlines()
    python = facts.path.endswith((".py", ".pyw"))
    for first, last in _runs(lines, [comment.line for comment in facts.comments], python=python):
        inner = [_bare(line, python=python) for line in lines[first - 1 : last]]
        spoken = [line for line in inner if line]
        if len(spoken) < _FEWEST or any(_EXPLAINS.search(line) for line in spoken):
            continue
        pattern = _PYTHON if python else _SCRIPT
        if sum(bool(pattern.match(line)) and not _PROSE.search(line) for line in spoken) >= _SHARE * len(spoken):
            yield CommentedCode(facts.path, first, last)


def _runs(lines: list[str], starts: list[int], *, python: bool) -> Iterator[tuple[int, int]]:
    """First and last line of what stands in one comment, or in line comments that follow each other."""
    done = 0
    for start in starts:
        if start <= done or start > len(lines):
            continue
        head = lines[start - 1].strip()
        if not python and head.startswith(("/*", "{/*")) and not head.startswith("/**"):
            end = next((number for number in range(start, min(len(lines), start + 2_000) + 1) if "*/" in lines[number - 1]), start)
        elif head.startswith("#" if python else "//"):
            mark = "#" if python else "//"
            end = start
            while end < len(lines) and lines[end].strip().startswith(mark):
                end += 1
        else:
            continue
        done = end
        yield start, end


def _bare(line: str, *, python: bool) -> str:
    marks = r"^\s*#+ ?|\s+$" if python else r"^\s*(?:\{?/\*+|\*/\}?|//+|\*(?=\s))? ?|\s*\*/\}?\s*$"
    return re.sub(marks, "", line).strip()
