"""What kind of thing the repository is: its deployable parts, their kinds and the frameworks found, each with evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from auditor.model.verdict import Place


class Kind(StrEnum):
    """What a deployable part is; decides which items apply."""

    SERVICE = "service"  # listens for HTTP or messages
    FULLSTACK = "fullstack"  # service and browser UI in one
    FRONTEND = "frontend"  # browser only
    APP = "app"  # Streamlit, Gradio, bot, desktop
    CLI = "cli"
    LIBRARY = "library"
    PIPELINE = "pipeline"


RUNNING = frozenset({Kind.SERVICE, Kind.FULLSTACK, Kind.APP})
"""Kinds that run as long-lived processes of the owner."""

SERVING = frozenset({Kind.SERVICE, Kind.FULLSTACK})
"""Kinds that answer HTTP or messages."""


class Side(StrEnum):
    """Where a source file runs."""

    SERVER = "server"
    BROWSER = "browser"
    BOTH = "both"  # universal code, imported from either
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework or platform in use: `name` in lower case ("fastapi", "nextjs", "supabase", ...) and the place that shows it."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Part:
    """One deployable part: the directory `root` ("" for the repository itself) and what it is."""

    root: str
    kinds: frozenset[Kind]
    frameworks: tuple[Framework, ...]
    reason: str

    def uses(self, *names: str) -> bool:
        """Whether any of the named frameworks was found in this part."""
        return any(framework.name in names for framework in self.frameworks)


@dataclass(frozen=True, slots=True)
class Project:
    """All parts, in order of root; files belong to the part with the longest matching root.

    `sides` maps each JS/TS/Vue/Svelte source path to where it runs (Python files are always server side and not listed).
    `production` are the first-party source paths in read languages.
    """

    parts: tuple[Part, ...]
    sides: dict[str, Side]
    production: frozenset[str]
    server: frozenset[str] = field(init=False, repr=False, compare=False)
    """Production paths that run on the server (Python, or JS/TS not known to be browser-only)."""
    browser: frozenset[str] = field(init=False, repr=False, compare=False)
    """Production paths that run in the browser (universal code included)."""

    def __post_init__(self) -> None:
        """Both sides once: checks ask for every file."""
        server = frozenset(path for path in self.production if self.sides.get(path, Side.SERVER) is not Side.BROWSER)
        object.__setattr__(self, "server", server)
        browser = frozenset(path for path in self.production if self.sides.get(path) in {Side.BROWSER, Side.BOTH})
        object.__setattr__(self, "browser", browser)

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of all parts together."""
        return frozenset(kind for part in self.parts for kind in part.kinds)

    def has(self, *kinds: Kind) -> bool:
        """Whether any part is of one of the given kinds."""
        return any(kind in self.kinds for kind in kinds)

    def uses(self, *names: str) -> Framework | None:
        """The first framework found under one of the given names, with its place."""
        return next((f for part in self.parts for f in part.frameworks if f.name in names), None)

    def part_of(self, path: str) -> Part:
        """The part that `path` belongs to."""
        inside = (part for part in self.parts if not part.root or path.startswith(part.root + "/"))
        return max(inside, key=lambda part: len(part.root), default=self.parts[0])

    def on_server(self, path: str) -> bool:
        """Whether the production file `path` runs on the server (Python, or JS/TS not known to be browser-only)."""
        return path in self.server
