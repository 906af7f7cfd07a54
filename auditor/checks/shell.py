"""Shell texts as single commands: split at operators outside quotes, wrappers taken off, directories followed. Nothing is executed."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass

_TEXT_LIMIT = 20_000
_COMMANDS = 300
_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*\+?=")
_KEYWORDS = frozenset(
    {"if", "then", "else", "elif", "do", "while", "until", "!", "(", "{", "time", "exec", "sudo", "nohup", "command", "then;", "builtin"}
)
_QUIET_AFTER = re.compile(r"^(?:true|:|exit 0|echo\b|printf\b|/bin/true|return 0)")


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """One simple command: its words without wrappers, the directory it runs in, its line within the text (from 0).

    `swallowed`: its failure cannot end the text with an error.
    """

    words: tuple[str, ...]
    directory: str
    line: int
    swallowed: bool = False

    @property
    def text(self) -> str:
        """The words joined."""
        return " ".join(self.words)


def commands_of(text: str, directory: str = "") -> tuple[ShellCommand, ...]:
    """The commands of a shell text in order; `cd` moves those behind it, in a subshell up to its end."""
    pieces = _pieces(text[:_TEXT_LIMIT])
    tolerant = _tolerates(text[:_TEXT_LIMIT])
    found: list[ShellCommand] = []
    here = directory
    outside: list[str] = []
    for number, (whole, operator, line) in enumerate(pieces[:_COMMANDS]):
        piece, opens, closes = _bracketed(whole, inside=bool(outside))
        if opens:
            outside.append(here)
        words = unwrapped(_words(piece))
        if words and words[0] in {"cd", "pushd"}:
            here = joined(here, words[1]) if len(words) > 1 else directory
        elif words:
            following = pieces[number + 1][0].strip() if number + 1 < len(pieces) else ""
            swallowed = tolerant or (operator == "||" and bool(_QUIET_AFTER.match(following)))
            found.append(ShellCommand(tuple(words), here, line, swallowed))
        if closes:
            here = outside.pop()
    return tuple(found)


def _bracketed(piece: str, *, inside: bool) -> tuple[str, bool, bool]:
    """The text without the brackets of a subshell, and whether one begins or ends with it."""
    text = piece.strip()
    opens = text.startswith("(") and not text.startswith("((")
    text = text[1:] if opens else text
    closes = (opens or inside) and text.endswith(")") and text.count(")") > text.count("(")
    return (text[:-1] if closes else text), opens, closes


def joined(base: str, relative: str) -> str:
    """A directory below another; "?" when a variable decides it, "" for the root."""
    if base == "?" or "$" in relative or relative.startswith(("~", "/", "%")):
        return "?"
    path = posixpath.normpath(posixpath.join(base, relative or "."))
    return "" if path == "." else path


def _tolerates(text: str) -> bool:
    """`set +e` without anything that hands the error on afterwards."""
    return bool(re.search(r"(?m)^\s*set \+e\b", text)) and not re.search(r"(?m)^\s*(?:set -e\b|.{0,80}\bexit\s+[\"']?[$1-9])", text)


def _pieces(text: str) -> list[tuple[str, str, int]]:
    """(command text, operator behind it, line) of a text; quotes, comments, continuations and substitutions are respected."""
    found: list[tuple[str, str, int]] = []
    piece: list[str] = []
    quote, begun = "", False
    line, start, position = 0, 0, 0
    while position < len(text):
        character = text[position]
        two = text[position : position + 2]
        if not begun and not character.isspace():
            begun, start = True, line
        line += character == "\n"
        if quote:
            quote = "" if character == quote else quote
            piece.append(character)
        elif two == "\\\n":
            piece.append(" ")
            line += 1
            position += 1
        elif character in "\"'":
            quote = character
            piece.append(character)
        elif character == "#" and (not piece or piece[-1].isspace()):
            position = text.find("\n", position)
            if position < 0:
                break
            continue
        elif two in {"&&", "||"} or character in "\n;|":
            operator = two if two in {"&&", "||"} else character
            found.append(("".join(piece), operator, start))
            piece, begun = [], False
            position += len(operator) - 1
        elif character == "&" and (not piece or piece[-1] != ">") and text[position + 1 : position + 2] != ">":
            found.append(("".join(piece), "&", start))
            piece, begun = [], False
        else:
            piece.append(character)
        position += 1
    found.append(("".join(piece), "", start))
    return [entry for entry in found if entry[0].strip()]


def _words(piece: str) -> list[str]:
    plain = re.sub(r"^\s*@?-?(?=\w)", "", piece) if piece.lstrip().startswith(("@", "-")) else piece
    try:
        return shlex.split(plain)
    except ValueError:
        return plain.split()


_RUNNERS = {
    ("npx",), ("bunx",), ("uvx",), ("pnpx",), ("pnpm", "exec"), ("pnpm", "dlx"), ("yarn", "exec"), ("yarn", "dlx"), ("bun", "x"), ("npm", "exec"), ("uv", "run"), ("poetry", "run"),
    ("pipenv", "run"), ("pdm", "run"), ("rye", "run"), ("pixi", "run"), ("hatch", "run"), ("cross-env",), ("dotenv",), ("xvfb-run",), ("c8",), ("nyc",), ("env-cmd",), ("env",), ("op", "run"),
    ("doppler", "run"), ("corepack",), ("dbus-run-session",), ("busybox",), ("micromamba", "run"), ("conda", "run"), ("devbox", "run"), ("mise", "exec"), ("infisical", "run"),
}  # fmt: skip
_WITH_VALUE = frozenset(
    {
        "-n",
        "--with",
        "--extra",
        "--group",
        "--python",
        "-p",
        "--package",
        "-e",
        "--env-file",
        "-f",
        "--project",
        "--name",
        "-s",
        "--server-args",
        "--reporter",
        "--exclude",
    }
)


def unwrapped(words: list[str]) -> list[str]:
    """The words of the command that really runs: keywords, assignments, `npx`, `uv run`, `timeout 5` and the like taken off."""
    for _ in range(8):
        while words and (words[0] in _KEYWORDS or _ASSIGNMENT.match(words[0]) or words[0].lstrip("({") == ""):
            words = words[1:]
        if words and words[0][:1] in "({" and not words[0].startswith("${"):
            words = [words[0].lstrip("({"), *words[1:]]
        if len(words) > 2 and words[0] == "timeout":
            words = [word for word in words[1:] if not word.startswith("-")][1:]
        elif tuple(words[:1]) in _RUNNERS:
            words = _without_options(words[1:])
        elif tuple(words[:2]) in _RUNNERS:
            words = _without_options(words[2:])
        else:
            break
    return words


def _without_options(words: list[str]) -> list[str]:
    while words and (words[0].startswith("-") or _ASSIGNMENT.match(words[0])):
        words = words[2:] if words[0] in _WITH_VALUE else words[1:]
    return words
