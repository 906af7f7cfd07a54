"""How a report looks and who hands it over. It changes no figure and no sentence of the audit; tool, versions and limits stay whatever stands here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme that was read and is valid.

    `logo` is a data URI, "" for none. `accent` holds the colours for light and dark ground, as #rrggbb, () for the tool's own. `cover`, `footer` and
    the `comments` (by category id) are Markdown. `paper` is A4 or letter.
    """

    company: str = ""
    client: str = ""
    contact: str = ""
    classification: str = ""
    number: str = ""
    logo: str = ""
    accent: tuple[str, ...] = ()
    cover: str = ""
    footer: str = ""
    comments: tuple[tuple[str, str], ...] = ()
    paper: str = "A4"
    language: str = "en"

    def comment(self, category: str) -> str:
        """The comment on a category, "" without one."""
        return dict(self.comments).get(category, "")
