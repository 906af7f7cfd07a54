"""The bill of materials: valid by the standard's own schema, complete as far as the locks tell, and the same each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from auditor.sbom import sbom
from tests.support.repositories import from_texts
from tests.test_cli import auditor

SUM = "a" * 64
INTEGRITY = "sha512-" + "A" * 86 + "=="
PACKAGE_LOCK: dict[str, Any] = {
    "lockfileVersion": 3,
    "packages": {
        "": {"dependencies": {"@s/a": "^1.0.0"}, "devDependencies": {"t": "^2.0.0"}},
        "node_modules/@s/a": {"version": "1.0.1", "integrity": INTEGRITY, "license": "MIT", "dependencies": {"b": "^1.0.0", "gone": "1"}},
        "node_modules/@s/a/node_modules/b": {"version": "1.5.0", "license": "(MIT OR Apache-2.0)", "dependencies": {"t": "2"}},
        "node_modules/b": {"version": "2.0.0", "license": "See LICENSE"},
        "node_modules/t": {"version": "2.0.0", "dev": True, "license": {"type": "ISC"}, "deprecated": "gone"},
    },
}
UV_LOCK = f"""version = 1

[[package]]
name = "shop"
version = "0.1.0"
source = {{ virtual = "." }}
dependencies = [{{ name = "flask" }}]

[[package]]
name = "flask"
version = "3.0.0"
dependencies = [{{ name = "click" }}]
wheels = [{{ url = "https://user:word@files.example/flask-3.0.0-py3-none-any.whl?token=1", hash = "sha256:{SUM}" }}]

[[package]]
name = "click"
version = "8.1.0"
sdist = {{ url = "https://files.example/click.tar.gz", hash = "sha256:short" }}
"""
TREE = {
    "app.py": "import flask\n",
    "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["flask"]\n',
    "uv.lock": UV_LOCK,
    "web/package.json": json.dumps({"dependencies": {"@s/a": "^1.0.0"}, "devDependencies": {"t": "^2.0.0"}}),
    "web/package-lock.json": json.dumps(PACKAGE_LOCK),
    "jobs/requirements.txt": "requests>=2\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return from_texts(tmp_path / "shop", TREE)


@pytest.mark.parametrize(("version", "schema"), [("1.5", SchemaVersion.V1_5), ("1.6", SchemaVersion.V1_6)])
def test_the_document_is_valid_by_the_official_schema(tree: Path, version: str, schema: SchemaVersion) -> None:
    text = sbom(tree, date="2026-02-01", version=version).document.decode()
    assert JsonStrictValidator(schema).validate_str(text) is None
    assert JsonStrictValidator(schema).validate_str(text.replace('"library"', '"thing"')) is not None


def test_components_carry_what_the_locks_tell(tree: Path) -> None:
    made = sbom(tree, date="2026-02-01")
    bom = json.loads(made.document)
    parts = {entry["purl"]: entry for entry in bom["components"]}
    assert set(parts) == {
        "pkg:npm/%40s/a@1.0.1",
        "pkg:npm/b@1.5.0",
        "pkg:npm/b@2.0.0",
        "pkg:npm/t@2.0.0",
        "pkg:pypi/click@8.1.0",
        "pkg:pypi/flask@3.0.0",
        "pkg:pypi/requests",
    }
    scoped = parts["pkg:npm/%40s/a@1.0.1"]
    assert (scoped["group"], scoped["name"], scoped["scope"]) == ("@s", "a", "required")
    assert scoped["hashes"] == [{"alg": "SHA-512", "content": "0" * 128}]
    assert scoped["licenses"] == [{"license": {"id": "MIT"}}]
    assert parts["pkg:npm/b@1.5.0"]["licenses"][0]["expression"] in {"(MIT OR Apache-2.0)", "MIT OR Apache-2.0"}
    assert parts["pkg:npm/b@2.0.0"]["licenses"] == [{"license": {"name": "See LICENSE"}}]
    assert parts["pkg:npm/t@2.0.0"]["scope"] == "excluded"
    assert "licenses" not in parts["pkg:pypi/flask@3.0.0"]
    files = parts["pkg:pypi/flask@3.0.0"]["externalReferences"]
    assert files == [
        {
            "type": "distribution",
            "url": "https://files.example/flask-3.0.0-py3-none-any.whl",
            "hashes": [{"alg": "SHA-256", "content": SUM}],
        }
    ]
    assert "externalReferences" not in parts["pkg:pypi/click@8.1.0"]
    assert {"name": "auditor:range", "value": ">=2"} in parts["pkg:pypi/requests"]["properties"]
    assert made.gaps == (("jobs/requirements.txt", "no exact version of requests"),)


def test_relations_are_those_of_the_locks(tree: Path) -> None:
    bom = json.loads(sbom(tree, date="2026-02-01").document)
    wants = {entry["ref"]: entry.get("dependsOn", []) for entry in bom["dependencies"]}
    assert wants["root"] == ["pkg:npm/%40s/a@1.0.1", "pkg:npm/t@2.0.0", "pkg:pypi/flask@3.0.0", "pkg:pypi/requests"]
    assert wants["pkg:npm/%40s/a@1.0.1"] == ["pkg:npm/b@1.5.0"]
    assert wants["pkg:npm/b@1.5.0"] == ["pkg:npm/t@2.0.0"]
    assert wants["pkg:npm/b@2.0.0"] == []
    assert wants["pkg:pypi/flask@3.0.0"] == ["pkg:pypi/click@8.1.0"]


def test_equal_trees_give_equal_documents(tree: Path, tmp_path: Path) -> None:
    again = from_texts(tmp_path / "again" / "shop", dict(reversed(TREE.items())))
    assert sbom(tree, date="2026-02-01").document == sbom(again, date="2026-02-01").document
    assert sbom(tree, date="2026-02-01").document != sbom(tree, date="2026-02-02").document


def test_the_command_writes_a_file_or_stdout(tree: Path, tmp_path: Path) -> None:
    target = tmp_path / "bom.json"
    done = auditor("sbom", tree, "--output", target, "--date", "2026-02-01")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "auditor: jobs/requirements.txt: no exact version of requests\n"
    assert auditor("sbom", tree, "--date", "2026-02-01").stdout.encode() == target.read_bytes()
    for wrong in (["--cyclonedx", "1.1"], ["--date", "soon"], ["--output", "no/such/folder/x"]):
        done = auditor("sbom", tree, *wrong)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert auditor("sbom", tmp_path / "missing").returncode == 2
