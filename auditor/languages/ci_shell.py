"""What CI readers share: shell texts that swallow their own failure, and permissions as pairs."""

from __future__ import annotations

import re

from auditor.languages.yaml_nodes import Node

_SWALLOWED = re.compile(r"\|\|\s*(?:true|:|exit 0|echo\b.{0,200}|printf\b.{0,200}|/bin/true)\s*(?:[;#].{0,80})?$")


def swallows_failure(run: str) -> bool:
    """Whether no command of a shell text can make its step fail (`|| true`, `|| echo ...`, a closing `exit 0` under `set +e`)."""
    lines = [line.strip() for line in run[:20_000].splitlines() if line.strip() and not line.strip().startswith("#")]
    if not lines:
        return False
    if "set +e" in lines and lines[-1] in {"exit 0", "true", ":"}:
        return True
    return all(_SWALLOWED.search(line[-300:]) for line in lines)


def permission_pairs(node: Node) -> tuple[tuple[str, str], ...]:
    """Permissions as written; one word stands under "*", an empty mapping is "none"."""
    if node.is_scalar:
        return (("*", node.text),) if node.text else ()
    if node.is_mapping:
        return node.pairs() or (("*", "none"),)
    return ()
