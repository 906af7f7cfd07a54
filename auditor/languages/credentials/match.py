"""One place in a text that holds a credential-like value, before its surroundings are weighed. Never leaves this package."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Strength(IntEnum):
    """How the value was recognised, the weakest first."""

    WEAK = 1
    """A password everybody tries first, set for a service."""
    HUMAN = 2
    """A password a person may have chosen, under a password's name."""
    NAMED = 3
    """A value that looks drawn by a machine, under a secret's name."""
    PLACED = 4
    """A password, whatever it looks like, where the layout of the file holds nothing else."""
    FORMAT = 5
    """The form of a vendor's credential, or a drawn value where the layout of the file holds nothing else."""
    PROVEN = 6
    """A form with a checksum, a decodable payload or a complete structure that fits."""


@dataclass(frozen=True, slots=True)
class Match:
    """A value at `start` to `end` of a text. `public`: meant to be published; `local`: only good on the developer's machine or inside a private network."""

    kind: str
    start: int
    end: int
    value: str
    strength: Strength
    reason: str
    public: bool = False
    local: bool = False
    signing: bool = False
    """A key the system makes up for itself (signing, encryption), so that an example of one is no vendor's credential."""
