"""Which things of this repository a text names: its files, folders, and the commands its manifests and task files define."""

from __future__ import annotations

import re
from collections.abc import Iterable

from auditor.model.artifacts import Document, Manifests, TaskFile
from auditor.model.snapshot import Snapshot

_WORD = re.compile(r"[\w@.-]*[\w/-][\w./@*-]{1,120}")
_CODE_SPAN = re.compile(r"`([^`\n]{2,160})`")
_GENERIC = frozenset(
    [
        "src",
        "app",
        "lib",
        "test",
        "tests",
        "docs",
        "doc",
        "public",
        "static",
        "dist",
        "build",
        "main",
        "index",
        "config",
        "readme.md",
        "package.json",
        "requirements.txt",
        ".env",
        ".env.example",
        "dockerfile",
        "makefile",
        "pyproject.toml",
        "tsconfig.json",
        "license",
        "changelog.md",
        "start",
        "dev",
        "lint",
        "build",
        "contributing.md",
        "node_modules",
        "readme",
        "agents.md",
        "claude.md",
    ]
)


class RepositoryNames:
    """What the repository's own names are, and which of them a document uses."""

    def __init__(self, snapshot: Snapshot, manifests: Manifests, tasks: tuple[TaskFile, ...]) -> None:
        self.paths = {file.path for file in snapshot.files}
        self.folders = {"/".join(path.split("/")[:depth]) for path in self.paths for depth in range(1, path.count("/") + 1)}
        self.names = {path.rsplit("/", maxsplit=1)[-1] for path in self.paths} | {
            folder.rsplit("/", maxsplit=1)[-1] for folder in self.folders
        }
        self.scripts = {script.name for manifest in manifests.manifests for script in manifest.scripts} | {
            script.name for file in tasks for script in file.tasks
        }

    def named_in(self, document: Document) -> list[str]:
        """Files, folders and commands of this repository that the document names, the ones that every repository has left out."""
        found = set()
        for text in _code_of(document):
            for word in _WORD.findall(text):
                bare = word.strip("./*").rstrip(":,;")
                if (
                    bare.lower() not in _GENERIC
                    and len(bare) > 2
                    and (
                        bare in self.paths
                        or bare in self.folders
                        or bare in self.scripts
                        or (bare in self.names and ("." in bare or "/" in word or "_" in bare))
                    )
                ):
                    found.add(bare)
        return sorted(found)


def _code_of(document: Document) -> Iterable[str]:
    for section in document.sections:
        yield from _CODE_SPAN.findall(section.text[:100_000])
        for _, code, _ in section.code:
            yield code[:20_000]
        yield from re.findall(r"(?:^|[\s(\[])([\w.-]+/[\w./-]+)", section.text[:100_000])
