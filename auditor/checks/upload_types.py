"""Uploads that are kept on disk under the ending their sender chose while nothing looks at what kind of file they are.

Only where code names the kind it expects (pictures, a table, a film), or keeps the file in a folder that is served: a store for any kind of file is another
matter. A library's cleaning of the name (`secure_filename`) keeps the ending. Where the code says anything about kinds of files, names the allowed ones or opens
the upload as what it should be, that is taken for the look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.model.syntax import Call, FileFacts, Value
from auditor.model.verdict import Confidence, Finding

_LOOKS = re.compile(
    r"allowed|permitted|accepted|whitelist|allow_?list|content_?-?type|mime|imghdr|\bmagic\b|file_?type|fileFilter|\.ends_?with\(|endsWith|FileAllowed|FileRequired|FileExtension|[vV]alidat|is_valid"
    r"|guess_type|Image\.open|\bsharp\(|\.includes\(|\bnot in\b|\bsuffix(?:es)?\b[^\n]{0,40}\bin\b|[eE]xtensions\b|\.(?:match|test)\(",
)
_PYTHON_UPLOAD = re.compile(r"\brequest\.(?:files|FILES)\b")
_KEPT = frozenset({"save", "open", "write_bytes", "copyfileobj", "move", "rename", "mv", "writeFile", "writeFileSync", "createWriteStream"})
_HANDED_BACK = frozenset({"cb", "callback", "done", "next"})
"""How a function of multer's storage says under which name an upload is kept."""
_EXPECTED = re.compile(
    r"(?:^|[^a-z])(?:images?|imgs?|pictures?|pics?|photos?|avatars?|logos?|icons?|thumbnails?|banners?|covers?|pdfs?|csvs?|videos?|audios?|resumes?|cvs?|static|public|www|htdocs|media)(?:[^a-z]|$)"
)
_STEPS = 3


def upload_types(facts: FileFacts, text: str) -> Iterator[Finding]:
    """Each place of one server file."""
    lines = text.split("\n")
    python = facts.path.endswith(".py")
    for line, end_line, scope in dict.fromkeys(_in_python(facts) if python else _in_scripts(facts)):
        function = facts.definitions[scope] if python else None
        # a script says elsewhere in its file what its uploads may be; a function of Python says it itself, or asks a form or a helper by a name that does
        around = lines[function.line - 1 : function.end_line] if function is not None else lines
        marks = [mark.callee for mark in function.decorators] if function is not None else []
        if _LOOKS.search("\n".join((*marks, *around))) or not any(_EXPECTED.search(_plain(one)) for one in around):
            continue
        message = "An upload is kept under the ending its sender chose, and nothing looks at what it is: a page or a program can be put where pictures are expected."
        yield Finding("upload-of-any-type", facts.path, message, line, end_line, Confidence.MEDIUM, "syntax", 434)


def _plain(line: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", line).lower()


def _in_python(facts: FileFacts) -> Iterator[tuple[int, int, int]]:
    for scope in range(len(facts.definitions)):
        uploads = {a.target for a in facts.assignments if a.scope == scope and a.value is not None and _PYTHON_UPLOAD.search(a.value.text)}
        uploads |= {p.name for p in facts.definitions[scope].parameters if re.search(r"\bUploadFile\b", p.annotation)}
        if uploads:
            names = _named_after(facts, scope, frozenset(f"{upload}.{part}" for upload in uploads for part in ("filename", "name")))
            yield from _kept(facts, scope, names)


def _in_scripts(facts: FileFacts) -> Iterator[tuple[int, int, int]]:
    for call in facts.calls:
        last = call.callee.rsplit(".", 1)[-1]
        texts = [argument.value.text for argument in call.arguments]
        if (last in _HANDED_BACK or last in _KEPT) and any(
            "originalname" in one or re.search(r"\bfiles?\.\w*\.?name\b", one) for one in texts
        ):
            yield call.line, call.end_line, call.scope


def _named_after(facts: FileFacts, scope: int, first: frozenset[str]) -> frozenset[str]:
    """The names of a function that hold the upload's own file name, or something made of it."""
    names = set(first)
    for _ in range(_STEPS):
        names |= {a.target for a in facts.assignments if a.scope == scope and a.value is not None and _mentions(a.value, names)}
    return frozenset(names)


def _kept(facts: FileFacts, scope: int, names: frozenset[str]) -> Iterator[tuple[int, int, int]]:
    for call in facts.calls:
        if call.scope == scope and call.callee.rsplit(".", 1)[-1] in _KEPT and _is_named(call, names):
            yield call.line, call.end_line, call.scope


def _is_named(call: Call, names: frozenset[str]) -> bool:
    return any(_mentions(argument.value, names) for argument in call.arguments) or call.callee.rpartition(".")[0] in names


def _mentions(value: Value, names: set[str] | frozenset[str]) -> bool:
    return any(name in names for name in value.names)
