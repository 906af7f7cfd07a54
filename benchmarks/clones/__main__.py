"""Scores the search for copies on mutants: `python -m benchmarks.clones TREE... [--size N] [--seed N]`.

Functions of the given repositories are put into one tree each time, between other functions, together with their mutants: the layout changed; names and
literals changed consistently; an eighth or a third of the statements changed, with and without new names. A mutant counts as found when one family covers half of the lines
on both sides. The negatives are pairs that nobody copied: functions of different repositories drawn at random, those that look most alike in shape, and
functions whose every name was replaced at random.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.gather import gather
from auditor.model.evidence import Clones
from auditor.model.need import Known
from auditor.model.needs import CLONES
from auditor.snapshot import read_tree
from benchmarks.clones.functions import Function, functions_of
from benchmarks.clones.mutate import COPIES, scrambled, shape

_ALIKE = 0.2
"""Least share of equal runs of five tokens (Jaccard) for two functions to look alike."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts of one language that are, or are not, copies."""

    first: str
    second: str


def main() -> None:
    """Print one row per language and class."""
    options = _options()
    everything = [function for tree in options.trees for function in functions_of(tree)]
    print("| language | class | pairs | reported |\n|---|---|---|---|")
    for language in ("py", "ts"):
        chance = random.Random(options.seed)
        functions = [function for function in everything if function.language == language]
        chosen = chance.sample(functions, min(options.size, len(functions)))
        for name, mutation in COPIES.items():
            _row(language, name, [Pair(each.text, mutation(each, functions, chance)) for each in chosen], functions, chance)
        unrelated = [Pair(one.text, chance.choice([o for o in functions if o.origin != one.origin]).text) for one in chosen]
        _row(language, "unrelated", unrelated, functions, chance)
        _row(language, "look-alike", _look_alikes(functions, options.size, chance), functions, chance)
        _row(language, "shape alone", [Pair(each.text, scrambled(each, functions, chance)) for each in chosen], functions, chance)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Score the search for copies on mutants of real functions.")
    parser.add_argument("trees", nargs="+", type=Path)
    parser.add_argument("--size", type=int, default=150, help="functions per language")
    parser.add_argument("--seed", type=int, default=1)
    parsed: argparse.Namespace = parser.parse_args()
    return parsed


def _look_alikes(functions: list[Function], wanted: int, chance: random.Random) -> list[Pair]:
    """The pairs of different repositories that are nearest in shape; what shares most of its words was copied and is left out."""
    shapes = [(function, shape(function)) for function in functions]
    near = []
    for one, own in chance.sample(shapes, min(len(shapes), 6 * wanted)):
        others = ((len(own & theirs) / len(own | theirs), other) for other, theirs in shapes if other.origin != one.origin)
        likeness, best = max(others, key=lambda each: each[0])
        if likeness >= _ALIKE and not _same_words(one, best):
            near.append((likeness, one.text, best.text))
    unique = {frozenset((one, best)): (likeness, one, best) for likeness, one, best in near}
    return [Pair(one, best) for _, one, best in sorted(unique.values(), reverse=True)[:wanted]]


def _same_words(one: Function, other: Function) -> bool:
    first, second = (set(re.findall(r"\b[^\W\d]\w{2,}", function.text)) for function in (one, other))
    return len(first & second) > 0.6 * min(len(first), len(second))


def _row(language: str, name: str, pairs: list[Pair], fillers: list[Function], chance: random.Random) -> None:
    found = sum(_found(language, pairs, fillers, chance))
    share = f"{found} ({found / len(pairs):.0%})" if pairs else "-"
    print(f"| {language} | {name} | {len(pairs)} | {share} |", flush=True)


def _found(language: str, pairs: list[Pair], fillers: list[Function], chance: random.Random) -> Iterable[bool]:
    """Whether each pair is reported, all being in one tree."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        spans: list[tuple[int, int]] = []
        for number, pair in enumerate(pairs):
            for side, text in (("a", pair.first), ("b", pair.second)):
                before, after = (_filed(chance.choice(fillers).text, language) for _ in range(2))
                own = _filed(text, language)
                start = before.count("\n") + 1
                spans.append((start, start + own.count("\n") - 1))
                (root / f"m{number:04}{side}.{language}").write_text(before + own + after, encoding="utf-8")
        clones = _clones(root)
        for number in range(len(pairs)):
            yield _covered(clones, number, language, spans[2 * number], spans[2 * number + 1])


def _filed(text: str, language: str) -> str:
    """A function as it stands in a file: methods of TypeScript need a class round them."""
    if language == "ts" and not text.lstrip().startswith(("function", "async function", "export")):
        return f"class Holder {{\n{text}}}\n\n"
    return f"{text}\n"


def _clones(root: Path) -> Clones:
    found = gather(Context(root, Cache(None), "2026-01-01"), read_tree(root), [CLONES])["clones"]
    if not isinstance(found, Known):
        raise SystemExit(f"the search did not run: {found}")
    value: Clones = found.value
    return value


def _covered(clones: Clones, number: int, language: str, first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether families that have a fragment in both functions cover half the lines of each."""
    sides = (f"m{number:04}a.{language}", f"m{number:04}b.{language}")
    lines: tuple[set[int], set[int]] = (set(), set())
    for family in clones.families:
        inside = [
            {
                line
                for fragment in family.fragments
                if fragment.path == path
                for line in range(max(start, fragment.line), min(end, fragment.end_line) + 1)
            }
            for path, (start, end) in zip(sides, (first, second), strict=True)
        ]
        if all(inside):
            lines[0].update(inside[0])
            lines[1].update(inside[1])
    return all(len(covered) * 2 >= end - start + 1 for covered, (start, end) in zip(lines, (first, second), strict=True))


if __name__ == "__main__":
    main()
