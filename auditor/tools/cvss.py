"""CVSS 3 base score from its vector, as the specification of FIRST defines it (section 7.1), and the severity words for it."""

from __future__ import annotations

import math

_WEIGHTS: dict[str, dict[str, float]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}


def base_score(vector: str) -> float | None:
    """Base score 0 to 10 of a CVSS 3.0 or 3.1 vector, None for anything else."""
    if not vector.startswith("CVSS:3"):
        return None
    metrics = dict(part.split(":", 1) for part in vector.split("/") if ":" in part)
    try:
        scope = metrics["S"]
        weight = {name: values[metrics[name]] for name, values in _WEIGHTS.items()}
        privileges = _PRIVILEGES[scope][metrics["PR"]]
    except KeyError:
        return None
    base = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    changed = scope == "C"
    impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 if changed else 6.42 * base
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * weight["AV"] * weight["AC"] * privileges * weight["UI"]
    return _round_up(min((1.08 if changed else 1.0) * (impact + exploitability), 10.0))


def severity_of_vector(vector: str) -> str:
    """The word for a vector's severity: critical, high, medium, low, or nothing when it cannot be read.

    Version 4 has no formula, only a table of 270 scored classes; its vectors are graded by their impact on the vulnerable system: high on all three
    of confidentiality, integrity and availability over the network without privileges or interaction is critical, any high impact is high.
    """
    if vector.startswith("CVSS:4"):
        return _severity_4(dict(part.split(":", 1) for part in vector.split("/") if ":" in part))
    score = base_score(vector)
    if score is None:
        return ""
    return "critical" if score >= 9 else "high" if score >= 7 else "medium" if score >= 4 else "low"


def _severity_4(metrics: dict[str, str]) -> str:
    impacts = [metrics.get(name, "N") for name in ("VC", "VI", "VA", "SC", "SI", "SA")]
    easy = metrics.get("AV") == "N" and metrics.get("PR") == "N" and metrics.get("UI") == "N" and metrics.get("AT", "N") == "N"
    if impacts[:3] == ["H", "H", "H"] and easy:
        return "critical"
    if "H" in impacts[:3]:
        return "high" if easy else "medium"
    return "medium" if "L" in impacts[:3] and easy else "low"


def _round_up(value: float) -> float:
    """Smallest number with one decimal that is not less, in integers as the specification demands."""
    scaled = round(value * 100_000)
    return scaled / 100_000 if scaled % 10_000 == 0 else (math.floor(scaled / 10_000) + 1) / 10
