"""Linters and type checkers as configuration describes them."""

from __future__ import annotations

import time

from auditor.evidence.static_checks import static_checks
from auditor.evidence.typescript_strictness import loose_options
from auditor.model.snapshot import Language, Role, Snapshot, SourceFile
from auditor.model.static_checks import StaticChecks, Work


def read(texts: dict[str, str]) -> StaticChecks:
    files = tuple(SourceFile(path, Language.OTHER, Role.CONFIG, "", len(text), 1) for path, text in texts.items())
    known = static_checks(None, Snapshot(files, (), "tree", "", ""), texts)
    return known.value  # type: ignore[union-attr, no-any-return]


def test_every_way_to_set_one_up_is_seen() -> None:
    found = read(
        {
            "pyproject.toml": "[tool.ruff]\nline-length = 100\n\n[tool.mypy]\nstrict = true\n",
            "setup.cfg": "[flake8]\nmax-line-length = 100\n",
            "web/package.json": '{"eslintConfig": {"extends": "next"}}',
            "web/tsconfig.json": '{"compilerOptions": {"strict": true}}',
            "web/biome.json": '{"linter": {"enabled": false}}',
        }
    )
    assert [(checker.tool, checker.work) for checker in found.checkers] == [
        ("ruff", Work.LINT),
        ("mypy", Work.TYPES),
        ("flake8", Work.LINT),
        ("eslint", Work.LINT),
        ("tsc", Work.TYPES),
    ]


def test_rules_that_are_off_are_read_past_globs_and_comments() -> None:
    text = """export default [{
  files: ["**/*.{ts,tsx}"],
  rules: {
    "@typescript-eslint/no-explicit-any": "off",
    // "react-hooks/exhaustive-deps": "off",
    "no-empty": ["off"],
    semi: "off",
  },
}];
"""
    (checker,) = read({"eslint.config.js": text}).checkers
    assert checker.loosened == (("no-explicit-any", 4), ("no-empty", 6))


def test_strictness_is_followed_through_what_a_configuration_extends() -> None:
    texts = {
        "tsconfig.json": '{"extends": "./base", "include": ["src"]}',
        "base.json": '{"compilerOptions": {"strict": true}}',
        "a/tsconfig.json": '{"compilerOptions": {"strict": true, "strictNullChecks": false}}',
        "b/tsconfig.json": '{"compilerOptions": {"target": "es2022"}}',
        "c/tsconfig.json": '{"extends": "@tsconfig/strictest/tsconfig.json"}',
        "d/tsconfig.json": '{"files": [], "references": [{"path": "./x"}]}',
        "e/tsconfig.json": '{"compilerOptions": {"strict": false, "strictNullChecks": true, "noImplicitAny": true}}',
        "f/package.json": '{"devDependencies": {"typescript": "^6.0.0"}}',
        "f/tsconfig.json": '{"compilerOptions": {"target": "es2022"}}',
    }
    assert loose_options("tsconfig.json", texts) == ()
    assert loose_options("a/tsconfig.json", texts) == (("strictNullChecks off", 1),)
    assert loose_options("b/tsconfig.json", texts) == (("strict not set", 1),)
    assert loose_options("c/tsconfig.json", texts) == ()
    assert loose_options("d/tsconfig.json", texts) is None
    assert loose_options("e/tsconfig.json", texts) == ()
    assert loose_options("f/tsconfig.json", texts) == ()


def test_hostile_settings_end_in_time() -> None:
    start = time.process_time()
    read({"eslint.config.js": "/*" * 90_000, "next.config.js": "`" + "\\" * 190_000, "a/tsconfig.json": "[" * 100_000})
    assert time.process_time() - start < 5
