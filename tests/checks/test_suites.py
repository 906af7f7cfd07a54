"""Test cases read from syntax facts: what counts as one, and why one cannot fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cache import Cache
from auditor.checks.suites import Case, suite
from auditor.evidence.registry import Context
from auditor.gather import gather
from auditor.model.need import Known
from auditor.model.needs import SYNTAX
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts


def cases(root: Path, texts: dict[str, str]) -> tuple[Case, ...]:
    from_texts(root, texts)
    reading = read_tree(root)
    syntax = gather(Context(root, Cache(None), "2026-03-01"), reading, [SYNTAX])["syntax"]
    assert isinstance(syntax, Known)
    return suite(reading.snapshot, syntax.value).cases


def python_case(root: Path, body: str) -> Case:
    found = cases(root, {"tests/test_x.py": body})
    assert len(found) == 1
    return found[0]


def script_case(root: Path, body: str, head: str = 'import { expect, it, vi, test } from "vitest";') -> Case:
    found = cases(root, {"src/x.test.ts": f"{head}\n{body}\n"})
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("body", "hollow"),
    [
        ("def test_a():\n    assert f() == 1\n", ""),
        ("def test_a():\n    f()\n", "asserts nothing"),
        ("def test_a():\n    pass\n", "is empty"),
        ("def test_a():\n    assert (f() == 1, 'message')\n", "asserts only what is always true"),
        ("def test_a(mocker):\n    m = mocker.Mock()\n    f(m)\n    m.assert_called_once()\n", ""),
        ("def test_a():\n    with pytest.raises(ValueError):\n        f()\n", ""),
        ("def test_a():\n    try:\n        assert f()\n    except Exception as e:\n        print(e)\n", "catches its own failure"),
        ("def test_a():\n    try:\n        assert f()\n    except KeyError:\n        pass\n", ""),
        ("def test_a():\n    np.testing.assert_allclose(f(), 1)\n", ""),
        ("def test_a(page):\n    expect(page).to_have_title('x')\n", ""),
        ("def test_a():\n    if f() != 1:\n        raise AssertionError('no')\n", ""),
        ("def check_it(x):\n    assert x\n\n\ndef test_a():\n    check_it(f())\n", ""),
        ("class TestA:\n    def verify_it(self, x):\n        assert x\n\n    def test_a(self):\n        self.verify_it(f())\n", ""),
        ("import unittest\n\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        self.assertContains(f(), 'x')\n", ""),
        (
            "import unittest\n\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(1, 1)\n",
            "asserts only what is always true",
        ),
        ("import unittest\n\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        self.assertEmailContains('x')\n", ""),
    ],
)
def test_python(tmp_path: Path, body: str, hollow: str) -> None:
    assert python_case(tmp_path, body).hollow == hollow


@pytest.mark.parametrize(
    ("body", "hollow"),
    [
        ("it('a', () => { expect(f()).toBe(1); });", ""),
        ("it('a', () => { f(); });", "asserts nothing"),
        ("it('a', () => {});", "is empty"),
        ("it('a', () => { expect(1).toBe(1); });", "asserts only what is always true"),
        ("it('a', () => { const x = f(); expect(x).toEqual(x); });", "asserts only what is always true"),
        ("it('a', async () => { expect(f()).resolves.toBe(1); });", "forgets to wait for its assertion"),
        ("it('a', async () => { await expect(f()).resolves.toBe(1); });", ""),
        ("it('a', () => expect(f()).rejects.toThrow());", ""),
        ("it('a', () => { return expect(f()).rejects.toThrow(); });", ""),
        ("it('a', () => { expect(f()).to.be.true; });", ""),
        ("it.each([1, 2])('a %d', (n) => { expect(f(n)).toBe(n); });", ""),
        ("it('a', async () => { render(x); screen.getByText('hello'); });", ""),
        (
            "it('a', async () => {\n  try {\n    expect(f()).toBe(1);\n  } catch (e) {\n    console.log(e);\n  }\n});",
            "catches its own failure",
        ),
        ("function same(a, b) { expect(a).toBe(b); }\nit('a', () => { same(f(), 1); });", ""),
    ],
)
def test_scripts(tmp_path: Path, body: str, hollow: str) -> None:
    assert script_case(tmp_path, body).hollow == hollow


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ('import assert from "node:assert";\nimport test from "node:test";', "test('a', () => { assert.equal(f(), 1); });"),
        ('import { strict } from "assert";', "it('a', () => { strict.deepEqual(f(), []); });"),
        ('const request = require("supertest");', "it('a', async () => { await request(app).get('/').expect(200); });"),
        ('import test from "ava";', "test('a', t => { t.is(f(), 1); });"),
        ("", "Deno.test('a', () => { assertEquals(f(), 1); });"),
        ("", "it('a', () => { cy.visit('/'); cy.get('h1').should('be.visible'); });"),
    ],
)
def test_other_runners(tmp_path: Path, head: str, body: str) -> None:
    assert script_case(tmp_path, body, head).is_real


def test_marks(tmp_path: Path) -> None:
    found = cases(
        tmp_path,
        {
            "src/a.test.js": "describe.skip('x', () => {\n  it('inside', () => {\n    expect(f()).toBe(1);\n  });\n});\n",
            "src/b.test.js": "it.only('focused', () => {\n  expect(f()).toBe(1);\n});\nit.todo('later');\n",
            "src/c.spec.ts": "test.skip(process.platform === 'win32', 'no');\ntest.skip('off', async () => {\n  expect(f()).toBe(1);\n});\n",
            "tests/test_d.py": "import pytest\n\n\n@pytest.mark.skip\ndef test_off():\n    assert f()\n\n\n@pytest.mark.skipif(True, reason='x')\ndef test_sometimes():\n    assert f()\n",
            "tests/test_e.py": "import pytest\n\npytestmark = pytest.mark.skip(reason='all')\n\n\ndef test_all():\n    assert f()\n",
        },
    )
    assert {case.name for case in found if case.skipped} == {"inside", "off", "test_off", "test_all"}
    assert {case.name for case in found if case.focused} == {"focused"}
    assert {case.name for case in found} == {"inside", "focused", "off", "test_off", "test_sometimes", "test_all"}


def test_what_is_no_case(tmp_path: Path) -> None:
    texts = {
        "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef test_client():\n    return 1\n\n\nclass Helper:\n    def test_connection(self):\n        return 1\n\n\ndef outer():\n    def test_inner():\n        return 1\n",
        "src/run.js": "it('is production', () => {});\n",
    }
    assert cases(tmp_path, texts) == ()
