"""The version of this program; a module of its own so that every layer may import it."""

from __future__ import annotations

__version__ = "0.1.0"
