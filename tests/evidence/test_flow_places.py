"""Whether a place is harmless is asked of everything that leads to it: a function counts by what its callers hand over, where they are in sight."""

from __future__ import annotations

from pathlib import Path

from auditor.cache import Cache
from tests.evidence.test_flows import examine

QUERIES = (
    "import {{ pool }} from './pool';\nexport async function list(column, limit) {{\n  return send(`select ${{column}} from t limit ${{limit}}`);\n}}\n"
    "{export}async function send(text) {{\n  return pool.query(text);\n}}\n"
)
TABLE = "import { list } from '../lib/list';\nconst COLUMNS = { a: 't.a', b: 't.b' };\n"
ROUTE = "export async function GET(request: Request) {\n  const url = new URL(request.url);\n  const name = url.searchParams.get('name');\n"


def at(found: frozenset[tuple[str, int, int]], path: str) -> list[int]:
    return sorted(line for where, line, cwe in found if where == path and cwe == 89)


def test_a_function_counts_by_what_its_callers_hand_over(tmp_path: Path) -> None:
    texts = {
        "lib/list.ts": QUERIES.format(export=""),
        "app/route.ts": f"{TABLE}{ROUTE}  return list(COLUMNS[name], Number(url.searchParams.get('limit')));\n}}\n",
    }
    found = examine(tmp_path, texts)
    assert not found.hits
    assert at(found.settled, "lib/list.ts") == [3, 6]
    assert at(found.settled, "app/route.ts") == [6]


def test_one_caller_with_something_unknown_is_enough(tmp_path: Path) -> None:
    texts = {
        "lib/list.ts": QUERIES.format(export=""),
        "app/route.ts": f"{TABLE}{ROUTE}  return list(COLUMNS[name], 5);\n}}\n",
        "app/other.ts": "import { list } from '../lib/list';\nimport { chosen } from 'elsewhere';\nexport const listed = (request: Request) => list(chosen(), 5);\n",
    }
    assert not at(examine(tmp_path, texts).settled, "lib/list.ts")


def test_a_function_nobody_calls_is_anybodys(tmp_path: Path) -> None:
    found = examine(tmp_path, {"lib/list.ts": QUERIES.format(export="export ")})
    assert not found.hits
    assert not at(found.settled, "lib/list.ts")


def test_a_caller_that_was_not_followed_counts_against_it(tmp_path: Path) -> None:
    texts = {
        "lib/list.ts": QUERIES.format(export=""),
        "app/route.ts": f"{TABLE}{ROUTE}  return list(COLUMNS[name], 5);\n}}\n",
        "lib/job.ts": "import { list } from './list';\nexport const job = (record) => list(record.column, 5);\n",
    }
    assert not at(examine(tmp_path, texts).settled, "lib/list.ts")


def test_what_functions_write_is_their_own_matter(tmp_path: Path) -> None:
    text = (
        "import { pool } from './pool';\nimport { load } from 'elsewhere';\nfunction clause(record) {\n  return `and ${record.name} is not null`;\n}\n"
        "export async function GET(request: Request) {\n  const record = await load();\n  await pool.query(`select * from t where true ${clause(record)}`);\n"
        "  await pool.query(`select * from t where name = '${clause(record)}'`);\n  return pool.query(`select * from t where true ${record.name}`);\n}\n"
    )
    found = examine(tmp_path, {"app/route.ts": text})
    assert at(found.composed, "app/route.ts") == [8]
    assert not at(found.settled, "app/route.ts")


def test_functions_handed_to_lists_are_entered(tmp_path: Path) -> None:
    text = (
        "import { pool } from './pool';\nconst ALLOWED = ['a', 'b'];\n"
        "export async function GET(request: Request) {\n  const names = (await request.json()).names;\n  const kept = names.filter(name => ALLOWED.includes(name));\n"
        "  const parts = [];\n  kept.forEach(name => parts.push(`${name} is not null`));\n"
        "  await pool.query(`select * from t where ${parts.join(' and ')}`);\n"
        "  const marks = names.map((name, index) => `$${index + 1}`).join(', ');\n  await pool.query(`select * from t where name in (${marks})`, names);\n"
        "  const tests = names.reduce((text, name) => text + ` or name = '${name}'`, 'false');\n  return pool.query(`select * from t where ${tests}`);\n}\n"
    )
    found = examine(tmp_path, {"app/route.ts": text})
    assert [hit.line for hit in found.hits] == [12]
    assert at(found.settled, "app/route.ts") == [8, 10]


def test_stored_results_say_the_same(tmp_path: Path) -> None:
    texts = {
        "lib/list.ts": QUERIES.format(export=""),
        "app/route.ts": f"{TABLE}{ROUTE}  return list(COLUMNS[name], 5);\n}}\n",
    }
    cache = Cache(tmp_path / "cache")
    first = examine(tmp_path / "one", texts, cache)
    assert examine(tmp_path / "two", texts, cache).settled == first.settled != frozenset()


def test_a_clause_that_is_added_only_sometimes(tmp_path: Path) -> None:
    text = (
        "import sqlite3\n\n\ndef where(filters):\n    if not filters:\n        return '', []\n    parts = [f'{key.column} = ?' for key in filters]\n    return ' and '.join(parts), []\n\n\n"
        "def rows(connection: sqlite3.Connection, filters):\n    clause, values = where(filters)\n    sql = 'SELECT a, b FROM t'\n"
        "    if clause:\n        sql += ' WHERE ' + clause\n    return connection.execute(sql, values).fetchall()\n"
    )
    found = examine(tmp_path, {"app/rows.py": text})
    assert not found.hits
    assert at(found.composed, "app/rows.py") == [16]


def test_a_style_sheet_of_a_component_is_its_parents_matter(tmp_path: Path) -> None:
    text = (
        "const THEMES = { light: '', dark: '.dark' };\nexport const Colours = ({ id, config }) => {\n  const rows = Object.entries(config);\n"
        "  return <style dangerouslySetInnerHTML={{ __html: Object.entries(THEMES).map(([theme, prefix]) => "
        "`${prefix} [data-id=${id}] { ${rows.map(([key, row]) => `--${key}: ${row.color};`).join(' ')} }`).join(' ') }} />;\n};\n"
        "export const Body = ({ text }) => <div dangerouslySetInnerHTML={{ __html: text }} />;\n"
    )
    assert [hit.line for hit in examine(tmp_path, {"src/colours.tsx": text}).hits] == [6]
