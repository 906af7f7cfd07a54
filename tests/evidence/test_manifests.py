"""Which files of a tree count as manifests and locks, and that what was read once is read the same again."""

from __future__ import annotations

import json
from pathlib import Path

from auditor.cache import Cache
from auditor.evidence.manifests import manifests
from auditor.evidence.registry import Context
from auditor.model.artifacts import Manifests
from auditor.model.need import Known
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts

LOCK = {
    "lockfileVersion": 3,
    "packages": {f"node_modules/p{number}": {"version": f"1.0.{number}", "integrity": "sha512-" + "a" * 80} for number in range(400)},
}


def read(root: Path, cache: Cache | None = None) -> Known[Manifests]:
    reading = read_tree(root)
    known = manifests(Context(root, cache or Cache(None), "2026-03-01"), reading.snapshot, reading.texts)
    assert isinstance(known, Known)
    return known


def test_what_counts(tmp_path: Path) -> None:
    from_texts(
        tmp_path,
        {
            "package.json": '{"name": "shop"}',
            "pnpm-workspace.yaml": "packages: [apps/*]\n",
            "apps/web/package.json": "{}",
            "apps/web/node_modules/x/package.json": "{}",
            "tests/fixtures/package.json": "{}",
            "examples/demo/package.json": "{}",
            "templates/app/package.json": "{}",
            "dist/package.json": "{}",
            "requirements/base.txt": "flask\n",
            "requirements.txt": "-r deps/odd-name.txt\n",
            "deps/odd-name.txt": "click\n-r ../requirements.txt\n",
            "notes.txt": "flask\n",
            "constraints.txt": "flask==3.0.0\n",
            "setup.cfg": "[flake8]\nmax-line-length = 100\n",
            "environment.yml": "dependencies: [numpy]\n",
            "config/env.yaml": "name: production\n",
            "bun.lockb": b"\x00\x01\x02",
        },
    )
    known = read(tmp_path)
    assert [(entry.path, entry.kind) for entry in known.value.manifests] == [
        ("apps/web/package.json", "package.json"),
        ("deps/odd-name.txt", "requirements.txt"),
        ("environment.yml", "environment.yml"),
        ("package.json", "package.json"),
        ("requirements.txt", "requirements.txt"),
        ("requirements/base.txt", "requirements.txt"),
    ]
    assert known.value.manifests[3].workspaces == ("apps/*",)
    assert [(lock.path, lock.kind, bool(lock.problem)) for lock in known.value.locks] == [
        ("bun.lockb", "bun.lock", True),
        ("constraints.txt", "requirements.txt", False),
    ]
    assert [path for path, _ in known.unexamined] == ["bun.lockb"]


def test_a_damaged_file_is_unexamined_and_spoils_no_other(tmp_path: Path) -> None:
    from_texts(
        tmp_path,
        {
            "package.json": "{",
            "package-lock.json": "<<<<<<< HEAD",
            "api/pyproject.toml": '[project]\ndependencies = ["flask"]\n',
            "api/uv.lock": b"\xff\xfe\x00broken",
        },
    )
    known = read(tmp_path)
    assert {path for path, _ in known.unexamined} >= {"package.json", "package-lock.json"}
    assert "api/pyproject.toml" in known.examined
    assert [entry.name for manifest in known.value.manifests for entry in manifest.requirements] == ["flask"]


def test_cold_and_warm_agree(tmp_path: Path) -> None:
    root = from_texts(tmp_path / "app", {"package.json": "{}", "package-lock.json": json.dumps(LOCK, indent=2)})
    cache = Cache(tmp_path / "cache")
    cold = read(root, cache)
    assert len(cold.value.locks[0].packages) == 400
    assert read(root, cache) == cold == read(root)


def test_a_setup_script_that_reads_a_list_that_is_not_there_is_not_complete(tmp_path: Path) -> None:
    script = "from setuptools import setup\nsetup(name='x', install_requires=open('requirements.txt').readlines())\n"
    for name, texts in (("with", {"requirements.txt": "flask\n"}), ("without", {})):
        root = from_texts(tmp_path / name, {"setup.py": script, **texts})
        reading = read_tree(root)
        found = manifests(Context(root, Cache(None), "2026-03-01"), reading.snapshot, reading.texts)
        assert isinstance(found, Known)
        problems = {manifest.path: manifest.problem for manifest in found.value.manifests}
        assert problems["setup.py"] == ("" if texts else "it reads its requirements from requirements.txt, which is not there")
