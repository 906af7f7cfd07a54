"""Manifests: every format, every group and source, and what a damaged file still says."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.languages.manifests_npm import npm_requirement, read_package_json, read_pnpm_workspace, with_workspace
from auditor.languages.manifests_python import read_environment_yml, read_pipfile, read_pyproject
from auditor.languages.manifests_setuptools import read_setup_cfg, read_setup_py
from auditor.languages.requirement_lines import pinned_lock, read_requirements
from auditor.model.artifacts import Manifest
from auditor.model.verdict import Place

PACKAGE = """{
  "name": "@shop/web",
  "private": true,
  "type": "module",
  "packageManager": "pnpm@9.1.0",
  "workspaces": ["packages/*"],
  "engines": {"node": ">=20"},
  "bin": {"shop": "cli.js"},
  "scripts": {
    "build": "vite build",
    "test": "vitest run"
  },
  "dependencies": {
    "react": "^18.3.1",
    "left-pad": "1.3.0",
    "lib": "workspace:*"
  },
  "devDependencies": {
    "vitest": "latest",
    "react": "18.3.1"
  },
  "peerDependencies": {"vue": ">=3", "pinia": "*"},
  "peerDependenciesMeta": {"pinia": {"optional": true}},
  "jest": {"passWithNoTests": true, "coverageThreshold": {"global": {"lines": 80}}}
}
"""


def rows(manifest: Manifest) -> list[tuple[str, str, str, int, str, bool]]:
    return [(r.name, r.specifier, r.group, r.place.line, r.source, r.pinned) for r in manifest.requirements]


def test_package_json() -> None:
    found = read_package_json("web/package.json", PACKAGE)
    assert rows(found) == [
        ("react", "^18.3.1", "runtime", 14, "registry", False),
        ("left-pad", "1.3.0", "runtime", 15, "registry", True),
        ("lib", "workspace:*", "runtime", 16, "workspace", False),
        ("vitest", "latest", "dev", 19, "registry", False),
        ("react", "18.3.1", "dev", 20, "registry", True),
        ("vue", ">=3", "peer", 22, "registry", False),
        ("pinia", "*", "optional", 22, "registry", False),
    ]
    assert (found.root, found.name, found.private, found.publishable) == ("web", "@shop/web", True, False)
    assert found.workspaces == ("packages/*",)
    assert found.engines == (("node", ">=20"),)
    assert [(script.name, script.place.line) for script in found.scripts] == [("build", 10), ("test", 11)]
    settings = dict(found.settings)
    assert settings["bin"] == "shop"
    assert settings["jest.passWithNoTests"] == "true"
    assert settings["jest.coverageThreshold.global.lines"] == "80"
    assert settings["packageManager"] == "pnpm@9.1.0"
    assert found.problem == ""


@pytest.mark.parametrize(
    ("specifier", "source", "pinned"),
    [
        ("1.2.3", "registry", True),
        ("=1.2.3-beta.1", "registry", True),
        ("~1.2.3", "registry", False),
        ("1.2", "registry", False),
        ("", "registry", False),
        ("npm:other@2.0.0", "alias", True),
        ("npm:other@^2", "alias", False),
        ("file:../lib", "path", False),
        ("link:../lib", "path", False),
        ("catalog:", "registry", False),
        ("owner/repo", "git", False),
        ("github:owner/repo#0123456789012345678901234567890123456789", "git", True),
        ("git+ssh://git@host/owner/repo.git", "git", False),
        ("https://host/owner/repo.git#main", "git", False),
        ("https://host/archive.tgz", "url", False),
    ],
)
def test_where_an_npm_version_points(specifier: str, source: str, pinned: bool) -> None:
    found = npm_requirement("x", specifier, "runtime", Place("package.json"))
    assert (found.source, found.pinned) == (source, pinned)


def test_a_login_in_an_address_is_not_kept() -> None:
    assert "geheim" not in npm_requirement("x", "git+https://me:geheim@host/x.git", "runtime", Place("")).specifier
    assert "geheim" not in repr(
        read_requirements("requirements.txt", "--index-url https://me:geheim@host/simple\ngit+https://u:geheim@h/x.git#egg=x")
    )


@pytest.mark.parametrize(
    ("data", "library"),
    [
        ({"main": "index.js"}, False),
        ({"main": "dist/index.js"}, True),
        ({"main": "dist/index.js", "scripts": {"start": "node ."}}, False),
        ({"exports": {".": "./x.js"}}, True),
        ({}, False),
    ],
)
def test_the_main_every_generator_writes_makes_no_library(data: dict[str, object], library: bool) -> None:
    assert read_package_json("package.json", json.dumps(data)).publishable is library


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("[1]", []),
        ('{"dependencies": ', []),
        ('{"dependencies": ["a"]}', []),
        ('{"dependencies": {"a": "1.0.0", "b": 3}}', ["a"]),
        ('{\n// note\n"dependencies": {"a": "1.0.0",},}', ["a"]),
        ("[" * 200_000, []),
    ],
)
def test_a_damaged_package_json(text: str, names: list[str]) -> None:
    found = read_package_json("package.json", text)
    assert [r.name for r in found.requirements] == names
    assert bool(found.problem) is ("//" not in text)


def test_pnpm_workspace_joins_its_package() -> None:
    workspace = read_pnpm_workspace(
        "pnpm-workspace.yaml", "packages:\n  - 'apps/*'\n  - '!apps/old'\ncatalog:\n  react: ^18\nminimumReleaseAge: 4320\n"
    )
    joined = with_workspace(read_package_json("package.json", "{}"), workspace)
    assert joined.workspaces == ("apps/*", "!apps/old")
    assert joined.settings == (("pnpm.catalog.react", "^18"), ("pnpm.minimumReleaseAge", "4320"))
    assert read_pnpm_workspace("pnpm-workspace.yaml", "packages: [").problem


PYPROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "Shop_API"
requires-python = ">=3.11"
dependencies = [
  "FastAPI>=0.110",
  "uvicorn[standard]==0.30.0",
  "tool @ git+https://example.org/tool.git@0123456789012345678901234567890123456789",
  "lib",
  "not a requirement!!",
]
scripts = { shop = "shop:main" }

[project.optional-dependencies]
pdf = ["weasyprint"]

[dependency-groups]
dev = ["pytest==8.0", { include-group = "lint" }]
lint = ["ruff"]

[tool.uv.sources]
lib = { workspace = true }

[tool.uv.workspace]
members = ["packages/*"]

[tool.poe.tasks]
check = "pytest -q"
all = [{ cmd = "ruff check" }, "check"]

[tool.ruff.lint]
select = ["E", "F"]
"""


def test_pyproject() -> None:
    found = read_pyproject("api/pyproject.toml", PYPROJECT)
    assert rows(found) == [
        ("fastapi", ">=0.110", "runtime", 9, "registry", False),
        ("uvicorn", "==0.30.0", "runtime", 10, "registry", True),
        ("tool", "git+https://example.org/tool.git@0123456789012345678901234567890123456789", "runtime", 11, "git", True),
        ("lib", "", "runtime", 12, "workspace", False),
        ("weasyprint", "", "pdf", 18, "registry", False),
        ("pytest", "==8.0", "dev", 21, "registry", True),
        ("ruff", "", "lint", 22, "registry", False),
    ]
    assert (found.name, found.publishable, found.workspaces) == ("Shop_API", True, ("packages/*",))
    assert found.engines == (("python", ">=3.11"),)
    assert [(script.name, script.command) for script in found.scripts] == [
        ("shop", "shop:main"),
        ("check", "pytest -q"),
        ("all", "ruff check && check"),
    ]
    settings = dict(found.settings)
    assert settings["console-scripts"] == "shop"
    assert settings["tool.ruff.lint.select"] == "E, F"
    assert settings["build-system.requires"] == "hatchling"


POETRY = """[tool.poetry]
name = "app"
package-mode = false
[tool.poetry.dependencies]
python = "^3.11"
django = "^5.0"
requests = { version = "2.32.0", extras = ["socks"] }
own = { path = "../own", develop = true }
fork = { git = "https://me:pw@example.org/fork.git", rev = "0123456789012345678901234567890123456789" }
extra = { version = "*", optional = true }
multi = [{ version = "1.0", python = "<3.12" }, { version = "2.0", python = ">=3.12" }]
[tool.poetry.group.test.dependencies]
pytest = "^8"
[build-system]
requires = ["poetry-core"]
"""


def test_poetry() -> None:
    found = read_pyproject("pyproject.toml", POETRY)
    assert rows(found) == [
        ("django", "^5.0", "runtime", 6, "registry", False),
        ("requests", "2.32.0", "runtime", 7, "registry", True),
        ("own", "../own", "runtime", 8, "path", False),
        ("fork", "https://example.org/fork.git", "runtime", 9, "git", True),
        ("extra", "*", "optional", 10, "registry", False),
        ("multi", "1.0", "runtime", 11, "registry", False),
        ("pytest", "^8", "test", 13, "registry", False),
    ]
    assert found.engines == (("python", "^3.11"),)
    assert not found.publishable


def test_one_broken_table_does_not_spoil_a_pyproject() -> None:
    found = read_pyproject("pyproject.toml", '[project]\ndependencies = ["flask"]\n\n[tool.x]\nbroken = = 1\n\n[tool.y]\nz = 1\n')
    assert [r.name for r in found.requirements] == ["flask"]
    assert ("tool.y.z", "1") in found.settings
    assert "TOML" in found.problem


REQUIREMENTS = """# a comment
-r base.txt
-c constraints.txt
--index-url https://example.org/simple

Flask == 3.0.0 ; python_version >= "3.9"  # web
requests[socks]>=2.31,<3 \\
    --hash=sha256:aaaa
-e ./lib
-e git+https://example.org/fork.git@main#egg=Fork_ed
https://example.org/wheels/nice_thing-1.0-py3-none-any.whl
wild==1.*
this is ??? not one
urllib3===2.0
"""


def test_requirements() -> None:
    found = read_requirements("svc/requirements.txt", REQUIREMENTS)
    assert rows(found) == [
        ("flask", "==3.0.0", "runtime", 6, "registry", True),
        ("requests", "<3,>=2.31", "runtime", 7, "registry", False),
        ("lib", "./lib", "runtime", 9, "path", False),
        ("fork-ed", "git+https://example.org/fork.git@main#egg=Fork_ed", "runtime", 10, "git", False),
        ("nice-thing", "https://example.org/wheels/nice_thing-1.0-py3-none-any.whl", "runtime", 11, "url", False),
        ("wild", "==1.*", "runtime", 12, "registry", False),
        ("urllib3", "===2.0", "runtime", 14, "registry", True),
    ]
    assert dict(found.settings)["include"] == "base.txt"
    assert dict(found.settings)["constraint"] == "constraints.txt"
    assert found.problem == "line 13 is not a requirement"


def test_a_requirements_file_that_names_every_version_is_a_lock() -> None:
    text = "# This file is autogenerated by pip-compile\nflask==3.0.0 \\\n    --hash=sha256:aa\nwerkzeug==3.0.1 --hash=sha256:bb\n    # via flask\n"
    manifest = read_requirements("requirements.txt", text)
    lock = pinned_lock(manifest, text)
    assert lock is not None
    assert [(p.name, p.version, p.hashed, p.line) for p in lock.packages] == [("flask", "3.0.0", True, 2), ("werkzeug", "3.0.1", True, 4)]
    assert dict(manifest.settings) == {"generated-by": "pip-compile", "hashes": "all"}
    loose = "flask==3.0.0\nwerkzeug\n"
    assert pinned_lock(read_requirements("requirements.txt", loose), loose) is None


def test_development_requirements_name_themselves() -> None:
    assert read_requirements("requirements-dev.txt", "pytest").requirements[0].group == "dev"
    assert read_requirements("requirements/prod.txt", "flask").requirements[0].group == "runtime"


def test_pipfile() -> None:
    text = '[packages]\nflask = "*"\nown = {path = "."}\n[dev-packages]\npytest = "==8.0"\n[requires]\npython_version = "3.11"\n[scripts]\nserve = "flask run"\n'
    found = read_pipfile("Pipfile", text)
    assert rows(found) == [
        ("flask", "", "runtime", 2, "registry", False),
        ("own", ".", "runtime", 3, "path", False),
        ("pytest", "==8.0", "dev", 5, "registry", True),
    ]
    assert found.engines == (("python", "3.11"),)
    assert found.scripts[0].command == "flask run"


def test_setup_cfg() -> None:
    text = "[metadata]\nname = tool\n[options]\ninstall_requires =\n    click>=8\n    requests; python_version<'4'\n[options.extras_require]\ndev = pytest\n[options.entry_points]\nconsole_scripts =\n    tool = tool:main\n"
    found = read_setup_cfg("setup.cfg", text)
    assert [(r.name, r.group, r.place.line) for r in found.requirements] == [
        ("click", "runtime", 5),
        ("requests", "runtime", 6),
        ("pytest", "dev", 8),
    ]
    assert [(script.name, script.command) for script in found.scripts] == [("tool", "tool:main")]
    assert read_setup_cfg("setup.cfg", "[flake8]\nmax-line-length = 100\n").name == ""
    assert read_setup_cfg("setup.cfg", "no section").problem


def test_setup_py_is_read_and_never_run(tmp_path: object) -> None:
    text = """
import sys
from setuptools import setup
sys.exit("this must not run")
REQUIRED = ["flask==3.0.0", "click"]
setup(name="tool", install_requires=REQUIRED, extras_require={"dev": ["pytest"]},
      entry_points={"console_scripts": ["tool = tool:main"]}, python_requires=">=3.9")
"""
    found = read_setup_py("setup.py", text)
    assert [(r.name, r.group, r.place.line, r.pinned) for r in found.requirements] == [
        ("flask", "runtime", 5, True),
        ("click", "runtime", 5, False),
        ("pytest", "dev", 6, False),
    ]
    assert found.engines == (("python", ">=3.9"),)
    assert found.scripts[0].name == "tool"
    assert (
        "computed (line 2)"
        in read_setup_py("setup.py", "from setuptools import setup\nsetup(install_requires=open('r.txt').read().split())").problem
    )
    assert read_setup_py("setup.py", "setup(").problem == "it does not parse"
    assert read_setup_py("setup.py", "(" * 100_000).problem == "it does not parse"


def test_environment_yml() -> None:
    text = (
        "name: lab\ndependencies:\n  - python=3.11\n  - numpy=1.26.4\n  - conda-forge::pandas>=2\n  - pip\n  - pip:\n      - flask==3.0.0\n"
    )
    found = read_environment_yml("environment.yml", text)
    assert rows(found) == [
        ("numpy", "=1.26.4", "runtime", 4, "registry", True),
        ("pandas", ">=2", "runtime", 5, "registry", False),
        ("flask", "==3.0.0", "runtime", 8, "registry", True),
    ]
    assert found.engines == (("python", "3.11"),)


READERS = (
    read_package_json,
    read_pnpm_workspace,
    read_pyproject,
    read_pipfile,
    read_requirements,
    read_setup_cfg,
    read_setup_py,
    read_environment_yml,
)


@given(st.text(max_size=300), st.sampled_from(READERS))
def test_no_text_makes_a_reader_raise(text: str, reader: object) -> None:
    assert isinstance(reader("x", text), Manifest)  # type: ignore[operator]


HOSTILE = {
    "one endless line": "x" * 20_000_000,
    "brackets": "[" * 300_000,
    "braces": '{"a":' * 100_000,
    "white space": "," * 500_000 + " " * 500_000,
    "many lines": "a==1\n" * 50_000,
    "many sections": "[a]\n" * 20_000,
    "quotes": '"' * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_long(name: str) -> None:
    started = time.process_time()
    for reader in READERS:
        assert not reader("x", HOSTILE[name]).scripts
    assert time.process_time() - started < 10


def declared(manifest: Manifest) -> list[tuple[str, str, str, bool]]:
    return [(entry.name, entry.specifier, entry.group, entry.pinned) for entry in manifest.requirements]


def test_flits_older_metadata() -> None:
    text = '[tool.flit.metadata]\nmodule = "shop"\nrequires = ["requests >=2.6"]\nrequires-python = ">=3.9"\n[tool.flit.metadata.requires-extra]\ntest = ["pytest"]\n'
    manifest = read_pyproject("pyproject.toml", text)
    assert declared(manifest) == [("requests", ">=2.6", "runtime", False), ("pytest", "", "test", False)]
    assert (manifest.name, manifest.engines) == ("shop", (("python", ">=3.9"),))


@pytest.mark.parametrize(
    ("tables", "included", "problem"),
    [
        ("[tool.hatch.metadata.hooks.requirements_txt]\nfiles = ['requirements.txt']\n", ["requirements.txt"], ""),
        (
            "[tool.setuptools.dynamic]\ndependencies = {file = ['r.in']}\noptional-dependencies.dev = {file = 'd.txt'}\n",
            ["r.in", "d.txt"],
            "",
        ),
        ("", [], "its dependencies are worked out when it is built"),
    ],
)
def test_dependencies_that_a_build_back_end_reads_elsewhere(tables: str, included: list[str], problem: str) -> None:
    manifest = read_pyproject("pyproject.toml", '[project]\nname = "shop"\ndynamic = ["dependencies"]\n' + tables)
    assert [value for key, value in manifest.settings if key == "include"] == included
    assert manifest.problem == problem


def test_several_versions_for_several_platforms_are_no_pin() -> None:
    text = '[tool.poetry.dependencies]\na = [{version = "1.0", python = "<3.9"}, {version = "2.0", python = ">=3.9"}]\n'
    assert declared(read_pyproject("pyproject.toml", text)) == [("a", "1.0", "runtime", False)]


def test_conda_versions_after_a_space_and_included_files() -> None:
    text = "dependencies:\n  - python 3.11.*\n  - pandas 2.1.*\n  - pip:\n    - -r more.txt\n    - flask==3.0.0\n"
    manifest = read_environment_yml("environment.yml", text)
    assert declared(manifest) == [("pandas", "=2.1.*", "runtime", False), ("flask", "==3.0.0", "runtime", True)]
    assert (manifest.engines, manifest.settings) == ((("python", "3.11"),), (("include", "more.txt"),))


@pytest.mark.parametrize(
    ("body", "names", "included", "problem"),
    [
        ("BASE = ['a']\nsetup(install_requires=BASE + ['b'] + ['c'])", ["a", "b", "c"], [], ""),
        ("options = dict(install_requires=['a'])\nsetup(**options)", ["a"], [], ""),
        ("setup(**{'install_requires': ['a']})", ["a"], [], ""),
        ("setup(**options())", [], [], "its arguments are computed (line 2)"),
        ("lines = open('requirements.txt').readlines()\nsetup(install_requires=lines)", [], ["requirements.txt"], ""),
        ("setup(install_requires=BASE + computed())", [], [], "its runtime requirements are computed (line 2)"),
    ],
)
def test_setup_scripts_put_together(body: str, names: list[str], included: list[str], problem: str) -> None:
    manifest = read_setup_py("setup.py", f"from setuptools import setup\n{body}\n")
    assert [entry.name for entry in manifest.requirements] == names
    assert [value for key, value in manifest.settings if key == "include"] == included
    assert manifest.problem == problem


def test_a_requirement_without_a_version_after_its_signs_is_not_pinned() -> None:
    assert [entry.pinned for entry in read_requirements("requirements.txt", "a ===\nb===1.0\n").requirements] in ([False, True], [True])
