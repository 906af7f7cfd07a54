"""What the module graph says about the structure of the code: what is reached from where, what hangs together, and what stands where it should not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reachability:
    """Which production modules anything starts, and which nothing does; paths in order.

    `entries`: where the product begins (started by a command, served by a framework, named in configuration, or run by being loaded). `unreachable`: no
    entry reaches it through imports, nothing else in the repository names it, and tests do not use it either. `tested_only`: the same, but for tests and
    examples. `unknown`: nothing imports it, and something may load it by a computed name, so that nothing can be said.
    """

    entries: tuple[str, ...]
    unreachable: tuple[str, ...]
    tested_only: tuple[str, ...]
    unknown: tuple[str, ...]
