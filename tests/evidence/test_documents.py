"""Documents: sections with their text and code, in Markdown and the other forms, and what each document is for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from auditor.cache import Cache
from auditor.evidence.documents import documents
from auditor.evidence.registry import Context
from auditor.languages.documents import READ_BYTES, read_document
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts

MARKDOWN = """---
description: rules
---
Before all.

# Title of `it`

Some text with [a link](x).

```bash
npm run build
```

## Second

1. one

       indented in a list

    code by indent

<h2 align="center">In HTML</h2>

Last.
"""


def test_markdown_sections() -> None:
    document = read_document("README.md", MARKDOWN)
    assert [(section.title, section.level, section.line) for section in document.sections] == [
        ("", 0, 1),
        ("Title of it", 1, 6),
        ("Second", 2, 14),
        ("In HTML", 2, 22),
    ]
    assert document.sections[0].text == "description: rules\nBefore all."
    assert document.sections[1].text == "Some text with [a link](x)."
    assert document.sections[1].code == (("bash", "npm run build\n", 11),)
    assert document.sections[3].text == "Last."


def test_restructured_text() -> None:
    text = "=====\nGuide\n=====\n\nIntro.\n\nInstall\n-------\n\nRun::\n\n    pip install x\n    x serve\n\n.. code-block:: python\n\n    import x\n\nDone.\n"
    document = read_document("docs/index.rst", text)
    assert [(section.title, section.level) for section in document.sections] == [("Guide", 1), ("Install", 2)]
    assert [(language, code.strip().split("\n")[0].strip()) for language, code, _ in document.sections[1].code] == [
        ("", "pip install x"),
        ("python", "import x"),
    ]
    assert document.sections[1].text.endswith("Done.")


def test_plain_text_and_asciidoc() -> None:
    plain = read_document("SETUP.txt", "QUICK SETUP\n===========\n\nSTEP 1: Install\n\n  npm install\n\nTROUBLESHOOTING\n\nSee the log.\n")
    assert [section.title for section in plain.sections] == ["QUICK SETUP", "STEP 1: Install", "TROUBLESHOOTING"]
    adoc = read_document("doc/docker.adoc", "= Docker\n\n== Start\n\n----\ndocker compose up\n----\n\nText.\n")
    assert [(section.title, section.level) for section in adoc.sections] == [("Docker", 1), ("Start", 2)]
    assert adoc.sections[1].code[0][1] == "docker compose up"


@pytest.mark.parametrize(
    ("path", "text", "purpose"),
    [
        ("README.md", "# X", "readme"),
        ("backend/readme.rst", "X", "readme"),
        ("AGENTS.md", "", "agent-rules"),
        ("backend/CLAUDE.md", "x", "agent-rules"),
        ("GEMINI.md", "x", "agent-rules"),
        ("replit.md", "x", "agent-rules"),
        ("docs/features/agents.md", "x", "other"),
        ("docs/AGENTS.md", "x", "agent-rules"),
        ("docs/docs/contributors/developers-guide/code.md", "x", "contributing"),
        (".cursorrules", "x", "agent-rules"),
        (".cursor/rules/style.mdc", "x", "agent-rules"),
        (".windsurfrules", "x", "agent-rules"),
        (".clinerules", "x", "agent-rules"),
        (".github/copilot-instructions.md", "x", "agent-rules"),
        ("docs/ai.md", "# Guide\n\nThis file provides guidance to Claude Code when working with code in this repository.", "agent-rules"),
        ("CONTRIBUTING.md", "x", "contributing"),
        ("docs/development.md", "x", "contributing"),
        ("CHANGELOG.md", "x", "changelog"),
        ("SECURITY.md", "x", "security"),
        ("LICENSE", "x", "licence"),
        ("docs/DEPLOYMENT.md", "x", "runbook"),
        ("docs/server.md", "# A\n\n## Deploying\n\nx\n\n## Backups\n\nx\n\n## Troubleshooting\n\nx", "runbook"),
        ("docs/server.md", "# A\n\n## Deploying\n\n## Backups\n\n## Troubleshooting\n", "other"),
        ("specs/deployment/plan.md", "x", "other"),
        ("docs/api.md", "x", "other"),
    ],
)
def test_what_a_document_is_for(path: str, text: str, purpose: str) -> None:
    assert read_document(path, text).purpose == purpose


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("The order is refused when the stock is empty, and the customer sees why. " * 6, True),
        ("- [ ] Backup tested\n- [ ] Keys rotated\n- [ ] Alerts routed to whoever is on call\n" * 8, True),
        (
            "Eine Bestellung wird abgelehnt, wenn der Vorrat erschöpft ist; die Kundin sieht, weshalb, und bekäme später Bescheid. " * 6,
            False,
        ),
        ("库存不足 时 拒绝 订单 并且 说明 原因 " * 20, False),
        ("Pesanan ditolak bila stok habis dan pembeli melihat sebabnya lalu menunggu kabar berikutnya. " * 8, False),
        ("Zu kurz, um es zu sagen: für alle.", True),
    ],
)
def test_language_of_a_document(text: str, english: bool) -> None:
    assert read_document("docs/orders.md", text).english is english


def test_which_files_are_documents(tmp_path: Path) -> None:
    texts = {
        "docs/guide.md": "# Guide\n\nText.", "README.md": "# R", "requirements.txt": "flask", "robots.txt": "User-agent: *", "vendor/x/README.md": "# V",
        "tests/fixtures/a.md": "# A", "tests/README.md": "# Tests", ".cursorrules": "Use types.", "data.csv": "a,b", "a/README.md": "# A",
    }  # fmt: skip
    root = from_texts(tmp_path / "app", texts)
    reading = read_tree(root)
    known = documents(Context(root, Cache(None), "2026-03-01"), reading.snapshot, reading.texts)
    assert [document.path for document in known.value.documents] == [
        "README.md",
        "a/README.md",
        "tests/README.md",
        ".cursorrules",
        "docs/guide.md",
    ]


@pytest.mark.parametrize(
    "text",
    [
        ">" * 200_000,
        "- " * 100_000,
        "\n".join("  " * depth + "- x" for depth in range(2_000)),
        "[" * 200_000,
        "x" * 20_000_000,
        "# x\n" * 60_000,
        "a::\n" * 60_000,
    ],
    ids=range(7),
)
@pytest.mark.parametrize("suffix", ["md", "rst", "txt"])
def test_hostile_documents_take_no_time(text: str, suffix: str) -> None:
    started = time.process_time()
    document = read_document(f"a.{suffix}", text)
    assert time.process_time() - started < 8
    assert len(document.sections) <= 4_001


def test_the_end_of_a_giant_is_unexamined(tmp_path: Path) -> None:
    root = from_texts(tmp_path / "app", {"README.md": "# R\n\n" + "word " * READ_BYTES})
    reading = read_tree(root)
    known = documents(Context(root, Cache(None), "2026-03-01"), reading.snapshot, reading.texts)
    assert known.unexamined[0][0] == "README.md"
