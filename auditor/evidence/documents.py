"""Evidence DOCUMENTS: every prose document that is the project's own, read into sections."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from auditor.evidence.registry import Context, own_stamp, provides
from auditor.languages.documents import READ_BYTES, read_document
from auditor.model.artifacts import Document, Documents
from auditor.model.need import Known
from auditor.model.needs import DOCUMENTS, SNAPSHOT, TEXTS
from auditor.model.snapshot import Language, Role, Snapshot, SourceFile

_FOREIGN = (Role.VENDORED, Role.GENERATED, Role.MINIFIED)
_SUFFIXES = frozenset({".md", ".mdx", ".mdc", ".markdown", ".rst", ".txt", ".adoc", ".asciidoc", ""})
_NO_PROSE = re.compile(
    r"(?:^|/)(?:[\w.-]*requirements[\w.-]*|constraints[\w.-]*|robots|humans|ads|security-txt|cmakelists|runtime|version|nodemon|packages|[\w.-]*\.lock|top-?\d+[\w-]*|words?(?:list)?|[\w-]*passwords?)\.txt$",
    re.IGNORECASE,
)


@provides(DOCUMENTS, needs=(SNAPSHOT, TEXTS))
def documents(context: Context, snapshot: Snapshot, texts: dict[str, str]) -> Known[Documents]:
    """Read all documents, READMEs first, those of the root before those of folders."""
    found: list[Document] = []
    examined: set[str] = set()
    unexamined: list[tuple[str, str]] = []
    for file in snapshot.files:
        if not _is_document(file) or file.path not in texts:
            continue
        if context.cancelled.is_set() or context.remaining() == 0:
            unexamined.append((file.path, "not read: the time limit was reached"))
            continue
        text = texts[file.path]
        found.append(read_document(file.path, text))
        if len(text) > READ_BYTES and found[-1].purpose != "changelog":  # nothing is looked for in the far past of a history
            unexamined.append((file.path, f"only the first {READ_BYTES:,} characters were read"))
        else:
            examined.add(file.path)
    found.sort(key=lambda document: (document.purpose != "readme", document.path.count("/"), document.path))
    return Known(Documents(tuple(found)), own_stamp(), frozenset(examined), tuple(unexamined))


def _is_document(file: SourceFile) -> bool:
    if file.role in _FOREIGN or file.language not in {Language.MARKDOWN, Language.TEXT}:
        return False
    path = PurePosixPath(file.path)
    suffix = "" if path.name.startswith(".") and path.name.count(".") == 1 else path.suffix.lower()
    if suffix not in _SUFFIXES or _NO_PROSE.search(file.path):
        return False
    return file.role not in {Role.TEST, Role.EXAMPLE} or path.name.lower().startswith("readme")
