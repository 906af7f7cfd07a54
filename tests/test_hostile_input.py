"""Files made to break readers: whatever they hold, an audit ends in time, no reader fails, and nothing of them is taken for proof."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from auditor import audit
from auditor.model.report import Report
from tests.support.repositories import from_texts

pytestmark = pytest.mark.tools
DEEP = 20_000
APP = 'from flask import Flask, request\n\napp = Flask(__name__)\n\n\n@app.route("/")\ndef index():\n    return "ok"\n'
LAUGHS = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 8)}]\n" for n in range(9)
)
NESTED = {
    "app/deep.py": "x = " + "(" * DEEP + "1" + ")" * DEEP + "\n",
    "app/lists.py": "x = " + "[" * DEEP + "]" * DEEP + "\n",
    "app/chain.py": "x = a" + ".b()" * DEEP + "\n",
    "app/sum.py": "x = 1" + " + 1" * DEEP + "\n",
    "app/text.py": "x = 'a'" + " + 'a'" * DEEP + "\n",
    "app/blocks.py": "".join(" " * n + "if x:\n" for n in range(300)) + " " * 300 + "pass\n",
    "web/deep.js": "x = " + "(" * DEEP + "1" + ")" * DEEP + ";\n",
    "web/arrows.ts": "const f = " + "() => " * DEEP + "1;\n",
    "web/objects.js": "x = " + "{a:" * DEEP + "1" + "}" * DEEP + ";\n",
    "web/tags.tsx": "export const A = () => " + "<a>" * 2_000 + "</a>" * 2_000 + ";\n",
    "web/ternary.js": "x = " + "a ? b : " * DEEP + "c;\n",
}
DATA = {
    "package.json": '{"dependencies": ' * 5_000 + "{}" + "}" * 5_000,
    "web/package.json": "[" * DEEP,
    "pyproject.toml": "[project]\nname = " + "[" * DEEP,
    "requirements.txt": "a" * 200_000 + "\n" + "flask==\n" * 1_000 + "-r requirements.txt\n-r ../../../etc/passwd\n",
    "poetry.lock": "[[package]]\n" * 20_000,
    "package-lock.json": '{"packages": {"": ' + "[" * DEEP,
    "pnpm-lock.yaml": LAUGHS,
    ".github/workflows/ci.yml": LAUGHS,
    ".github/workflows/deep.yml": "on: push\njobs: " + "{a: " * 5_000 + "1" + "}" * 5_000,
    "docker-compose.yml": "services: " + "[" * 5_000,
    "Dockerfile": "FROM a\nRUN " + "a \\\n" * 50_000 + "\nCMD [" + '"' * 10_000,
    "README.md": "#" * 50_000 + "\n" + "[" * DEEP + "\n" + "> " * 5_000 + "x\n" + "`" * DEEP,
    ".env": "A=" + "=" * 500_000 + "\n" + "B" * 100_000,
    "migrations/0001_a.sql": "CREATE TABLE a (" + "(" * DEEP + ");\n" + "--" * DEEP,
    "alembic/versions/0001_a.py": "revision = 'a'\ndown_revision = 'a'\n",
    "schema.prisma": "model A {" * 5_000,
    "supabase/migrations/1_a.sql": "DO $$ BEGIN " + "IF true THEN " * 2_000,
    "Makefile": "a: a\n\t$(MAKE) a\nb: c\nc: b\n" + "x:\\\n" * 20_000,
    "templates/a.html": "{{ a|safe }}" * 20_000 + "<script>" * 5_000,
}
BYTES = {
    "app/latin.py": b"# \xe4\xf6\xfc\nx = '\xff'\n",
    "app/nul.py": b"x = 1\n" * 500 + b"\x00\n",
    "app/line.py": b"x = '" + b"a" * 3_000_000 + b"'\n",
    "web/line.js": b"var x = [" + b"1," * 1_000_000 + b"1];\n",
    "web/utf16.js": "const a = 1;\n".encode("utf-16"),
    "app/bidi.py": "access = '\u202e\u2066user\u2069 \u2066'\n".encode(),
    "app/\u202eexe.py": b"x = 1\n",
    "-rf": b"x",
    "app/--help.py": b"x = 1\n",
    "app/$(touch TOUCHED).py": b"x = 1\n",
    "app/new\nline.py": b"x = 1\n",
    "app/half.py": b"def f(:\n  '''\n",
    "web/half.tsx": b"export const A = () => <a",
}


def run(root: Path) -> tuple[Report, float]:
    started = time.process_time()
    report = audit(root, date="2026-01-01", use_cache=False, workers=2)
    return report, time.process_time() - started


@pytest.mark.parametrize(("name", "texts"), [("nested", NESTED), ("data", DATA), ("bytes", BYTES)])
def test_no_reader_breaks(tmp_path: Path, name: str, texts: dict[str, str | bytes]) -> None:
    root = from_texts(tmp_path / "app", {"app/__init__.py": "", "app/main.py": APP, **texts})
    report, seconds = run(root)
    assert seconds < 120, name
    broken = [(note.need, note.reason) for note in report.evidence if "defect" in note.reason]
    broken += [(outcome.id, outcome.reason) for outcome in report.outcomes if "defect" in outcome.reason]
    assert broken == []
    assert not list(tmp_path.rglob("TOUCHED"))


def test_many_small_places_stay_affordable(tmp_path: Path) -> None:
    lines = "".join(
        f"def f{n}(a):\n    try:\n        return open('x{n}').read() + str(a)\n    except Exception:\n        pass\n\n\n"
        for n in range(600)
    )
    calls = "".join(f"f{n}(f{n + 1}(f{n + 2}(1)))\n" for n in range(500))
    root = from_texts(
        tmp_path / "app", {"app/main.py": APP, "app/many.py": lines + calls, "web/many.js": "fetch('/a').then((r) => r.json());\n" * 1_000}
    )
    _, seconds = run(root)
    assert seconds < 120
