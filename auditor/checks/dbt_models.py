"""Models of dbt that add to a table: whether a second run finds rows by a key, and whether anything checks their columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import basename, splitext

from auditor.model.verdict import Place

_CONFIG = re.compile(r"\{\{\s*config\s*\((?P<settings>[^{}]{0,4000})\)\s*\}\}")
_INCREMENTAL = re.compile(r"materialized\s*=\s*[\"']incremental[\"']")
_KEYED = re.compile(
    r"\bunique_key\s*=|incremental_strategy\s*=\s*[\"'](?:insert_overwrite|merge|delete\+insert|microbatch|replace_where)[\"']"
)
_FILTERED = re.compile(r"\bis_incremental\s*\(\)")
_CHECKED = re.compile(r"^\s*-?\s*(?:data_tests|tests|contract|constraints)\s*:", re.MULTILINE)
_READ = 400_000


@dataclass(frozen=True, slots=True)
class DbtModel:
    """One incremental model; `keyed`: rows are found by a key or their partition is written anew; `filtered`: it reads only what is new."""

    place: Place
    name: str
    keyed: bool
    filtered: bool


@dataclass(frozen=True, slots=True)
class DbtProject:
    """A dbt project: all of its models, those that are incremental, and where their columns are checked."""

    root: str
    models: int
    incremental: tuple[DbtModel, ...]
    checked: tuple[Place, ...]


def dbt_projects(texts: dict[str, str]) -> Iterator[DbtProject]:
    """Every dbt project of the tree, packages it installed left out."""
    for path in sorted(texts):
        if basename(path) == "dbt_project.yml" and "dbt_packages/" not in path:
            root = path.removesuffix("dbt_project.yml")
            inside = [p for p in sorted(texts) if p.startswith(root) and "dbt_packages/" not in p and "/models/" in f"/{p}"]
            models = [p for p in inside if p.endswith(".sql")]
            found = tuple(model for p in models if (model := _model(p, texts[p][:_READ])) is not None)
            checked = tuple(Place(p) for p in inside if p.endswith((".yml", ".yaml")) and _CHECKED.search(texts[p][:_READ]))
            yield DbtProject(root, len(models), found, checked)


def _model(path: str, text: str) -> DbtModel | None:
    config = _CONFIG.search(text)
    if config is None or not _INCREMENTAL.search(config["settings"]):
        return None
    line = text.count("\n", 0, config.start()) + 1
    return DbtModel(
        Place(path, line, line),
        splitext(basename(path))[0],
        _KEYED.search(config["settings"]) is not None,
        _FILTERED.search(text) is not None,
    )
