"""What the audited tree consists of: one `SourceFile` per file, with its language and its role."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a file is for; only `FIRST_PARTY` counts as production code."""

    FIRST_PARTY = "first_party"
    TEST = "test"
    EXAMPLE = "example"
    MIGRATION = "migration"
    SCRIPT = "script"  # one-off and development scripts, build tooling: run by people, not by the product
    GENERATED = "generated"
    VENDORED = "vendored"
    MINIFIED = "minified"
    CONFIG = "config"
    DOC = "doc"
    ASSET = "asset"  # binary, media, data: read for secrets at most


NOT_OURS = frozenset({Role.TEST, Role.EXAMPLE, Role.VENDORED, Role.MINIFIED, Role.DOC})
"""Roles of files that neither run in the product nor set up what it runs on."""


class Language(StrEnum):
    """Languages told apart by name; `READ_LANGUAGES` are those whose syntax this version reads."""

    PYTHON = "python"
    JAVASCRIPT = "javascript"  # .js .mjs .cjs .jsx
    TYPESCRIPT = "typescript"
    TSX = "tsx"
    VUE = "vue"
    SVELTE = "svelte"
    SQL = "sql"
    HTML = "html"
    CSS = "css"
    SHELL = "shell"
    YAML = "yaml"
    TOML = "toml"
    JSON = "json"
    INI = "ini"
    XML = "xml"
    MARKDOWN = "markdown"
    NOTEBOOK = "notebook"
    DOCKERFILE = "dockerfile"
    MAKEFILE = "makefile"
    PRISMA = "prisma"
    GRAPHQL = "graphql"
    TEXT = "text"
    BINARY = "binary"
    GO = "go"
    PHP = "php"
    JAVA = "java"
    KOTLIN = "kotlin"
    SCALA = "scala"
    RUBY = "ruby"
    RUST = "rust"
    C = "c"
    CPP = "cpp"
    CSHARP = "csharp"
    SWIFT = "swift"
    DART = "dart"
    ELIXIR = "elixir"
    LUA = "lua"
    R = "r"
    OTHER = "other"


SCRIPT_LANGUAGES = frozenset({Language.JAVASCRIPT, Language.TYPESCRIPT, Language.TSX, Language.VUE, Language.SVELTE})
READ_LANGUAGES = SCRIPT_LANGUAGES | {Language.PYTHON}
UNREAD_LANGUAGES = frozenset(
    {
        Language.GO,
        Language.PHP,
        Language.JAVA,
        Language.KOTLIN,
        Language.SCALA,
        Language.RUBY,
        Language.RUST,
        Language.C,
        Language.CPP,
        Language.CSHARP,
        Language.SWIFT,
        Language.DART,
        Language.ELIXIR,
        Language.LUA,
        Language.R,
    }
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the audited tree.

    `path` is repository-relative POSIX, `digest` the hexadecimal SHA-256 of the content, `size` in bytes,
    `lines` the number of lines of a text file (0 for binary ones), `tracked` whether git's index holds it.
    """

    path: str
    language: Language
    role: Role
    digest: str
    size: int
    lines: int
    tracked: bool = True


@dataclass(frozen=True, slots=True)
class Skipped:
    """A path that was seen and not read, and why; it is unexamined for everything."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The audited files in path order; the root directory is deliberately not part of it.

    `origin` is "git" (index plus untracked files it does not ignore) or "tree" (no git: every file).
    `commit` is the full hash of HEAD, or "" without git.
    """

    files: tuple[SourceFile, ...]
    skipped: tuple[Skipped, ...]
    origin: str
    commit: str
    digest: str

    def with_role(self, *roles: Role) -> tuple[SourceFile, ...]:
        """The files of the given roles, in path order."""
        return tuple(file for file in self.files if file.role in roles)
