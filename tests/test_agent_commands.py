"""`fixes`, `verify`, `agent-rules` and `mcp` as an assistant uses them: through the command line and the protocol's own client."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from auditor.render.plan import TRIES, plan, to_markdown
from tests.render.sample import rich as sample
from tests.support.repositories import from_texts
from tests.test_cli import auditor

ITEM = "security.debug-off"
BAD = "from flask import Flask\n\napp = Flask(__name__)\n\nif __name__ == '__main__':\n    app.run(debug=True)\n"
GOOD = BAD.replace("debug=True", "")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return from_texts(tmp_path / "app", {"app.py": BAD, "requirements.txt": "flask==3.1.0\n"})


def test_every_open_item_is_in_exactly_one_way_of_the_plan() -> None:
    report = sample()
    made = plan(report)
    wanted = {line.id for line in report.score.account if line.gain > 0} - {name for name, _ in made.undecided}
    settled = {name for task in made.tasks for name in task.settles}
    assert wanted <= settled
    assert [task.number for task in made.tasks] == list(range(1, len(made.tasks) + 1))
    assert not [task for task in made.tasks if any(need >= task.number for need in task.after)], "prerequisites come first"
    assert not settled & {name for name, _ in made.undecided}, "what nobody knows to be wrong is no task"


def test_a_task_names_its_check_its_files_and_when_to_stop() -> None:
    made = plan(sample())
    for task in made.tasks:
        assert task.check == tuple(f"auditor verify {item} ." for item in task.settles)
        assert {spot.path for spot in task.places} <= set(task.files)
        assert any("Silence" in line for line in task.never)
    text = to_markdown(made, 1)
    assert f"After {TRIES} tries" in text
    assert text.count("\n## ") == 1


def test_quoted_text_makes_no_markup(root: Path) -> None:
    (root / "app.py").rename(root / "a<b>`[x](y).py")
    report = json.loads(auditor("audit", root, "--only", ITEM, "--no-cache", "--json", "-").stdout)
    stored = root.parent / "report.json"
    stored.write_text(json.dumps(report))
    lines = auditor("fixes", stored).stdout.splitlines()
    assert not [line for line in lines if "`[x](y)" in line and "'[x](y)" not in line]


def test_verify_goes_from_open_to_settled(root: Path, fixture_cache: Path) -> None:
    before = auditor("verify", ITEM, root)
    assert (before.returncode, before.stdout.split(":")[0]) == (1, "open")
    assert "app.py:6" in before.stdout
    (root / "app.py").write_text(GOOD)
    after = auditor("verify", ITEM, root)
    assert (after.returncode, after.stdout.split(":")[0]) == (0, "settled")
    (root / "app.py").write_text(BAD.replace("app.run(debug=True)", "app.run(debug=True"))
    assert auditor("verify", ITEM, root).returncode in {1, 3}
    assert auditor("verify", "security.debug-of", root).returncode == 2


@pytest.mark.parametrize(("who", "head"), [("agents", "## Production"), ("cursor", "---\ndescription"), ("skill", "---\nname: auditor")])
def test_rules_come_in_the_form_the_assistant_looks_for(tmp_path: Path, who: str, head: str) -> None:
    assert auditor("agent-rules", "--for", who).stdout.startswith(head)
    target = tmp_path / "rules.md"
    assert auditor("agent-rules", "--for", who, "--output", target).returncode == 0
    assert "auditor verify" in target.read_text()


def test_an_assistant_works_through_the_server(root: Path) -> None:
    answers = asyncio.run(_session(root))
    assert answers["tools"] == {"audit", "list_findings", "explain", "next_fix", "verify", "compare"}
    assert answers["audit"]["open_total"] > 0
    assert answers["findings"]["findings"][0]["path"] == "app.py"
    assert len(answers["findings"]["findings"]) <= 1
    assert answers["task"]["task"]["check"]
    assert answers["open"]["answer"] == "open"
    assert answers["settled"]["answer"] == "settled"
    assert answers["compared"]["counts"]["fixed"] >= 1
    assert "outside of the directory" in answers["outside"]
    assert "there is no item" in answers["stranger"]


async def _session(root: Path) -> dict[str, Any]:
    """One assistant's work: audit, look, mend, verify, compare."""
    server = StdioServerParameters(command=sys.executable, args=["-m", "auditor.cli", "mcp", "--root", str(root)])
    async with stdio_client(server) as (reading, writing), ClientSession(reading, writing) as session:
        await session.initialize()

        async def ask(tool: str, **arguments: object) -> Any:
            result = await session.call_tool(tool, arguments)
            text = result.content[0].text  # type: ignore[union-attr]
            return text if result.isError else json.loads(text)

        answers: dict[str, Any] = {"tools": {tool.name for tool in (await session.list_tools()).tools}}
        answers["audit"] = await ask("audit")
        answers["findings"] = await ask("list_findings", item=ITEM, limit=1)
        answers["task"] = await ask("next_fix")
        answers["open"] = await ask("verify", item=ITEM)
        (root / "app.py").write_text(GOOD)
        answers["settled"] = await ask("verify", item=ITEM)
        answers["compared"] = await ask("compare")
        answers["outside"] = await ask("audit", path="..")
        answers["stranger"] = await ask("verify", item="no.such-item")
        return answers


def test_a_report_without_phases_has_a_plan_all_the_same() -> None:
    report = sample()
    old = dataclasses.replace(
        report,
        score=dataclasses.replace(report.score, milestones=tuple(dataclasses.replace(one, phase=None) for one in report.score.milestones)),
    )
    settled = {name for task in plan(report).tasks for name in task.settles}
    assert {name for task in plan(old).tasks for name in task.settles} == settled != set()
