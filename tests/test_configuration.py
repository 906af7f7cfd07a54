"""The configuration: what can be set, and that every mistake is one line that names the nearest right word."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.configuration import REFERENCE, find, load, parse
from auditor.errors import UsageError
from auditor.model.project import Kind
from auditor.model.settings import Fall, Profile, Unknown
from auditor.model.verdict import Severity

WHOLE = b"""
profile = "critical"
baseline = "ci/baseline.txt"

[paths]
include = ["apps/"]
exclude = ["apps/legacy/"]

[kinds]
"." = "cli"
"apps/web" = ["frontend", "service"]

[gate]
fail-on = ["blocker"]
copies = false
grade = "off"
lowest-letter = "C"
assurance = 0.5
unknown-blockers = "off"
answered-for = false

[off]
"observability.metrics-and-traces" = "the platform measures"

[weights]
"debt.no-duplication" = "high"

[[layers]]
name = "web"
paths = ["app/web/"]

[[layers]]
name = "data"
paths = ["app/data/"]

[[suppress]]
item = "secrets.none-committed/api-key"
path = "tests/**"
reason = "made up for tests"
owner = "ann"
until = 2026-12-31
"""


def test_everything_that_can_be_set_is_read() -> None:
    settings = parse(WHOLE, "auditor.toml")
    policy = settings.policy
    assert (policy.profile, policy.fail_on, policy.copies, policy.fall) == (Profile.CRITICAL, {Severity.BLOCKER}, False, Fall.OFF)
    assert (policy.lowest, policy.assurance, policy.unknown, policy.answered_for) == ("C", 0.5, Unknown.OFF, False)
    assert (settings.include, settings.exclude, settings.baseline) == (("apps/",), ("apps/legacy/",), "ci/baseline.txt")
    assert dict(settings.kinds) == {"": {Kind.CLI}, "apps/web": {Kind.FRONTEND, Kind.SERVICE}}
    assert settings.off == (("observability.metrics-and-traces", "the platform measures"),)
    assert settings.weights == (("debt.no-duplication", Severity.HIGH),)
    assert [name for name, _ in settings.layers] == ["web", "data"]
    (suppression,) = settings.suppressions
    assert (suppression.item, suppression.rule, suppression.path) == ("secrets.none-committed", "api-key", "tests/**")
    assert (suppression.owner, suppression.until, suppression.place) == ("ann", "2026-12-31", "auditor.toml, suppress[1]")


def test_a_pyproject_is_read_below_its_tool_table() -> None:
    data = b'[project]\nname = "x"\n[tool.auditor]\nprofile = "experimental"\n[tool.auditor.paths]\nexclude = ["old/"]\n'
    settings = parse(data, "pyproject.toml")
    assert (settings.policy.profile, settings.exclude) == (Profile.EXPERIMENTAL, ("old/",))
    assert parse(b"[project]\nname = 'x'\n", "pyproject.toml").policy.profile is Profile.STANDARD


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profil = 'standard'", ["profil", "did you mean 'profile'"]),
        ("profile = 'standart'", ["standart", "did you mean 'standard'"]),
        ("[paths]\nexcludes = []", ["excludes", "paths", "did you mean 'exclude'"]),
        ("[paths]\nexclude = 'x'", ["paths.exclude", "list"]),
        ("[gate]\nfail-on = ['blockers']", ["gate.fail-on", "did you mean 'blocker'"]),
        ("[gate]\nassurance = 80", ["gate.assurance", "0 to 1"]),
        ("[gate]\nlowest-letter = 'F'", ["A to E"]),
        ("[gate]\ncopies = 'yes'", ["gate.copies", "true or false"]),
        ("[off]\n'security.debug-of' = 'r'", ["did you mean security.debug-off"]),
        ("[off]\n'security.debug-off' = ' '", ["needs a reason"]),
        ("[weights]\n'security.debug-off' = 'hihg'", ["did you mean 'high'"]),
        ("[kinds]\nweb = 'fronted'", ["did you mean 'frontend'"]),
        ("[[suppress]]\nitem = 'security.debug-off'\npath = 'x'", ["suppress[1]", "gives no reason"]),
        ("[[suppress]]\nitem = 'security.debug-off'\nreason = 'r'", ["suppress[1]", "path or a fingerprint"]),
        ("[[suppress]]\nitem = 'security.debug-off'\npath = 'x'\nreason = 'r'\nuntil = 'soon'", ["not a date"]),
        ("[[suppress]]\nitem = 'security.debug-off/no-rule'\npath = 'x'\nreason = 'r'", ["has no rule 'no-rule'"]),
        ("[[suppress]]\nitem = 'security.debug-off'\npaths = 'x'\nreason = 'r'", ["did you mean 'path'"]),
        ("layers = {}", ["layers", "list"]),
        ("[[layers]]\nname = 'a'\npaths = ['x/']\n[[layers]]\nname = 'a'\npaths = ['y/']", ["stands twice"]),
        ("profile = ", ["not valid TOML"]),
    ],
)
def test_a_mistake_is_named_with_the_nearest_right_word(text: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text.encode(), "auditor.toml")
    for word in ("auditor.toml", *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_own_file_comes_before_the_pyproject(tmp_path: Path) -> None:
    assert find(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    assert find(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text("[tool.auditor]\n")
    assert find(tmp_path) == tmp_path / "pyproject.toml"
    (tmp_path / "auditor.toml").write_text("")
    assert find(tmp_path) == tmp_path / "auditor.toml"


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.toml"):
        load(tmp_path / "missing.toml")


def test_the_example_of_the_reference_can_be_read() -> None:
    from auditor.docs import pages

    page = pages()["configuration.md"].decode()
    example = page.split("```toml\n")[1].split("```")[0]
    assert parse(example.encode(), "auditor.toml").suppressions
    for key in REFERENCE:
        assert f"| `{key.name}` |" in page
