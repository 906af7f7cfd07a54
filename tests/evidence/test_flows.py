"""Values from outside are followed to where they do harm, and no further than the code lets them go: each case says which lines are harmed."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from auditor.cache import Cache
from auditor.evidence.flows import flows
from auditor.evidence.registry import Context
from auditor.model.evidence import ToolHits
from auditor.model.need import Known
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts

FLASK = "from flask import Flask, request, redirect, session\nimport os, re, sqlite3, subprocess\napp = Flask(__name__)\n\n\n@app.route('/x')\ndef view():\n"
EXPRESS = "const express = require('express');\nconst { exec } = require('child_process');\nconst fs = require('fs');\nconst path = require('path');\nconst app = express();\napp.post('/x', async (req, res) => {\n"


def examine(tmp_path: Path, texts: dict[str, str], cache: Cache | None = None) -> ToolHits:
    reading = read_tree(from_texts(tmp_path / "tree", texts))
    found = flows(Context(tmp_path / "tree", cache or Cache(None), "2026-01-01"), reading.snapshot, reading.texts)
    assert isinstance(found, Known)
    assert not found.unexamined
    return found.value


def rules(hits: ToolHits) -> list[tuple[str, int]]:
    return [(hit.rule, hit.line) for hit in hits.hits]


def python(tmp_path: Path, body: str, head: str = FLASK) -> list[str]:
    text = head + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"
    return [hit.rule for hit in examine(tmp_path, {"app/main.py": text}).hits]


def script(tmp_path: Path, body: str, head: str = EXPRESS, tail: str = "});\n", name: str = "server/main.js") -> list[str]:
    return [hit.rule for hit in examine(tmp_path, {name: head + textwrap.dedent(body).strip("\n") + "\n" + tail}).hits]


PYTHON_HARMED = {
    "a test kept, and the text taken anew": (
        "x = request.args['x']\nknown = x in {'a', 'b'}\nx = request.args['y']\nif known:\n    os.system(x)",
        "command-injection",
    ),
    "a test kept in one of two branches": (
        "x = request.args['x']\nknown = x in {'a', 'b'}\nif request.args.get('f'):\n    known = True\nif known:\n    os.system(x)",
        "command-injection",
    ),
    "the name of a file that was sent": ("return open('/srv/' + request.files['f'].filename).read()", "path-traversal"),
    "Markdown with its mark-up kept": (
        "import mistune\nfrom markupsafe import Markup\nreturn Markup(mistune.create_markdown(escape=False)(request.args['x']))",
        "markup-from-request",
    ),
    "query text by f-string": (
        "name = request.args['q']\nsqlite3.connect('x').execute(f\"SELECT * FROM t WHERE n = '{name}'\")",
        "sql-injection",
    ),
    "query text by %": ("db.execute(\"SELECT * FROM t WHERE n = '%s'\" % request.form['n'])", "sql-injection"),
    "query text by format": ("q = \"DELETE FROM t WHERE n = '{}'\".format(request.form.get('n'))\ncursor.execute(q)", "sql-injection"),
    "through a list": ("parts = ['a', request.args['x'], 'b']\nparts.pop(0)\nos.system('ls ' + parts[0])", "command-injection"),
    "through a dict": ("d = {'safe': 'a'}\nd['x'] = request.args['x']\nos.system(d['x'])", "command-injection"),
    "shell script in a list": ("subprocess.run(['sh', '-c', 'echo ' + request.args['x']])", "command-injection"),
    "in one branch only": ("x = 'a'\nif request.args.get('m'):\n    x = request.args['m']\nos.system(x)", "command-injection"),
    "in a loop": ("text = ''\nfor part in request.args.getlist('p'):\n    text += part\neval(text)", "code-injection"),
    "in an error handler": (
        "x = ''\ntry:\n    x = request.args['x']\n    int('a')\nexcept ValueError:\n    os.system(x)",
        "command-injection",
    ),
    "decoded again": ("import base64\nx = base64.b64decode(base64.b64encode(request.data))\neval(x)", "code-injection"),
    "a guard for another field": ("if request.args['a'].isdigit():\n    os.system(request.args['b'])", "command-injection"),
    "a check that is ignored": ("request.args['a'].isdigit()\nos.system(request.args['a'])", "command-injection"),
    "redirect": ("return redirect(request.args.get('next') or '/')", "open-redirect"),
    "path": ("return open('/data/' + request.args['name']).read()", "path-traversal"),
    "page": ("return '<p>' + request.args['name'] + '</p>'", "markup-from-request"),
    "session": ("session['role'] = request.form['role']", "session-from-request"),
    "a pattern of the caller": ("re.search(request.args['p'], 'some text')", "outside-pattern"),
    "next address in the head": (
        "import flask\nanswer = flask.Response('')\nanswer.headers['Location'] = request.args['next']\nreturn answer",
        "open-redirect",
    ),
    "type of the answer": (
        "import flask\nanswer = flask.Response('')\nanswer.headers['content-type'] = request.args['type']\nreturn answer",
        "type-from-request",
    ),
    "upload under its own name": ("upload = request.files['f']\nupload.save('uploads/' + upload.filename)", "path-traversal"),
    "parser that follows entities unless told": ("import lxml.etree\nlxml.etree.fromstring(request.data)", "entities-by-default"),
    "tar archive": (
        "import tarfile\ntarfile.open(fileobj=request.files['f'].stream).extractall('x')",
        "archive-unpacked",
    ),
    "written to a buffer": (
        "import io\ntext = io.StringIO()\ntext.write('ls ')\ntext.write(request.args['x'])\nos.system(text.getvalue())",
        "command-injection",
    ),
    "the whole answer": ("import flask\nreturn flask.make_response(request.args['x'])", "markup-from-request"),
    "asking for a file": ("if os.path.exists('data/' + request.args['x']):\n    return 'yes'", "path-probe"),
    "quotes at both ends, and perhaps between": (
        "x = request.args['x']\nif not x.startswith(\"'\") or not x.endswith(\"'\"):\n    return ''\neval(x)",
        "code-injection",
    ),
    "entries of a dict": ("d = {'a': request.args['x']}\nfor name, value in d.items():\n    os.system(value)", "command-injection"),
}
PYTHON_UNHARMED = {
    "a test kept in a variable": "x = request.args['x']\nknown = x in {'a', 'b'}\nif not known:\n    return ''\nos.system(x)",
    "a folder kept in a variable": "p = os.path.realpath('/srv/' + request.args['f'])\ninside = p.startswith('/srv' + os.sep)\nif not inside:\n    return ''\nreturn open(p).read()",
    "an archive that was sent": "import zipfile\nreturn str(len(zipfile.ZipFile(request.files['f'].stream).namelist()))",
    "Markdown with its mark-up escaped": "import mistune\nfrom markupsafe import Markup\nreturn Markup(mistune.create_markdown(escape=True)(request.args['x']))",
    "bound value": "sqlite3.connect('x').execute('SELECT * FROM t WHERE n = ?', (request.args['q'],))",
    "number": "n = int(request.args['n'])\nsqlite3.connect('x').execute(f'SELECT * FROM t WHERE n = {n}')",
    "checked by conversion": "n = request.args['n']\nint(n)\nos.system('ls ' + n)",
    "allow-list": "n = request.args['n']\nif n not in ('a', 'b'):\n    return ''\nos.system('ls ' + n)",
    "abort leaves": "from flask import abort\nn = request.args['n']\nif n not in ('a', 'b'):\n    abort(404)\nos.system('ls ' + n)",
    "allow-list on another read": "if request.args['n'] in ('a', 'b'):\n    os.system('ls ' + request.args['n'])",
    "pattern": "n = request.args['n']\nif not re.fullmatch(r'[a-z]{1,8}', n):\n    return ''\nos.system('ls ' + n)",
    "other entry of a dict": "d = {'safe': 'a'}\nd['x'] = request.args['x']\nos.system(d['safe'])",
    "other element of a list": "parts = ['a', request.args['x']]\nos.system(parts[0])",
    "branch never taken": "x = 'ls'\nif 7 * 6 < 40:\n    x = request.args['x']\nos.system(x)",
    "case never taken": "guess = 'ABC'[1]\nmatch guess:\n    case 'A':\n        x = request.args['x']\n    case 'B':\n        x = 'ls'\n    case _:\n        x = request.args['x']\nos.system(x)",
    "overwritten": "x = request.args['x']\nx = 'ls'\nos.system(x)",
    "argument list without shell": "subprocess.run(['convert', request.args['name']])",
    "what the server sets": "os.system('echo ' + request.method)",
    "resolved inside a folder": "import pathlib\np = (pathlib.Path('/data') / request.args['n']).resolve()\nif not str(p).startswith('/data/'):\n    return ''\nreturn p.read_text()",
    "redirect on this site": "return redirect('/items/' + request.args['id'])",
    "escaped": "import html\nreturn '<p>' + html.escape(request.args['name']) + '</p>'",
    "own route": "from flask import url_for\nreturn redirect(url_for('view', next=request.full_path))",
    "one quoted literal": "x = request.args['x']\nif not x.startswith(\"'\") or not x.endswith(\"'\") or \"'\" in x[1:-1]:\n    return ''\neval(x)",
    "escaped pattern": "re.search(re.escape(request.args['p']), 'some text')",
    "next address on this site": "import flask\nanswer = flask.Response('')\nanswer.headers['Location'] = '/list?page=' + request.args['n']\nreturn answer",
    "upload under a safe name": "from werkzeug.utils import secure_filename\nupload = request.files['f']\nupload.save('uploads/' + secure_filename(upload.filename))",
    "parser without entities": "from lxml import etree\netree.fromstring(request.data, etree.XMLParser(resolve_entities=False))",
    "tar archive with a filter": "import tarfile\ntarfile.open(fileobj=request.files['f'].stream).extractall('x', filter='data')",
    "type set afterwards": "import flask\nanswer = flask.make_response('name: ' + request.args['x'])\nanswer.mimetype = 'text/plain'\nreturn answer",
    "made of the whole request": "import flask\nfrom tokens import token_for\nreturn flask.make_response(token_for(request))",
    "answer as data": "import flask, json\nreturn flask.make_response(json.dumps(dict(request.args)))",
    "a field of the head": "import flask\nreturn flask.make_response(('ok', {'X-Name': request.args['n']}))",
    "one of several types": "x = request.get_json()['x']\nif isinstance(x, (int, float)):\n    os.system(f'sleep {x}')",
    "constant key of a dict": "d = {'a': request.args['x'], 'b': 'ls'}\nos.system(d['b'])",
}


@pytest.mark.parametrize("name", sorted(PYTHON_HARMED))
def test_python_harm_is_found(name: str, tmp_path: Path) -> None:
    body, rule = PYTHON_HARMED[name]
    assert rule in python(tmp_path, body)


@pytest.mark.parametrize("name", sorted(PYTHON_UNHARMED))
def test_python_code_that_is_right_is_left_alone(name: str, tmp_path: Path) -> None:
    assert python(tmp_path, PYTHON_UNHARMED[name]) == []


SCRIPT_HARMED = {
    "a test kept and given away": (
        "const x = req.query.x;\nlet known = ['a', 'b'].includes(x);\nif (req.query.f) known = true;\nif (!known) return res.end();\nexec(x);",
        "command-injection",
    ),
    "query text": ("const { id } = req.params;\nawait db.query(`SELECT * FROM t WHERE id = '${id}'`);", "sql-injection"),
    "raw query": ("await prisma.$queryRawUnsafe('SELECT ' + req.body.column);", "sql-injection"),
    "shell": ("exec('identify ' + req.body.file);", "command-injection"),
    "code": ("const x = eval(req.body.sum);", "code-injection"),
    "file": ("fs.readFileSync(path.join('/data', req.query.name));", "path-traversal"),
    "redirect": ("res.redirect(req.query.next);", "open-redirect"),
    "page": ("res.send(`<p>${req.query.name}</p>`);", "markup-from-request"),
    "address": ("const answer = await fetch(req.body.url);", "server-side-request"),
    "whole body as filter": ("const User = require('mongoose').model('User');\nawait User.find(req.body);", "nosql-injection"),
    "through a callback": ("req.body.items.forEach((item) => exec('rm ' + item));", "command-injection"),
    "pattern": ("const found = names.filter((n) => new RegExp(req.query.q, 'i').test(n));", "outside-pattern"),
    "next address in the head": ("res.setHeader('Location', req.query.next);", "open-redirect"),
    "operator in place of a text": (
        "const user = await User.findOne({ name: req.body.name, password: req.body.password });",
        "nosql-operator",
    ),
    "script in a filter": ("await users.find({ $where: `this.name == '${req.body.name}'` });", "nosql-code"),
    "entities put in": ("const libxmljs = require('libxmljs');\nlibxmljs.parseXml(req.body, { noent: true });", "external-entities"),
    "view of the caller": ("res.render(req.query.page);", "path-traversal"),
    "through a wrapper": (
        "const run = traced('run')(function run(name) { exec('ls ' + name); });\nrun(req.body.name);",
        "command-injection",
    ),
    "field of a record just made": (
        "const user = await User.create({ name: req.body.name });\nres.send(`<b>${user.name}</b>`);",
        "markup-from-request",
    ),
}
SCRIPT_UNHARMED = {
    "a test kept in a constant": "const x = req.query.x;\nconst known = ['a', 'b'].includes(x);\nif (!known) return res.end();\nexec(x);",
    "a test of what it is kept in": "let x = req.query.x;\nlet ready = x && path;\nif (ready) {\n  ready = !ready;\n}\nfunction turn(on) {\n  on = !on;\n  if (on) return on;\n}\nif (!ready) return turn(x);",
    "measured from its folder": "const full = path.resolve('/srv', req.query.f);\nconst from = path.relative('/srv', full);\nif (from.startsWith('..') || path.isAbsolute(from)) return res.end();\nfs.readFileSync(full);",
    "tagged template": "await sql`SELECT * FROM t WHERE id = ${req.params.id}`;",
    "bound value": "await db.query('SELECT * FROM t WHERE id = $1', [req.params.id]);",
    "number": "const n = parseInt(req.params.id, 10);\nawait db.query(`SELECT * FROM t WHERE id = ${n}`);",
    "position in a list": "if (['a', 'b'].indexOf(req.query.c) === -1) return;\nawait db.query(`SELECT ${req.query.c} FROM t`);",
    "allow-list": "if (!['a', 'b'].includes(req.query.c)) return;\nawait db.query(`SELECT ${req.query.c} FROM t`);",
    "pattern": "if (!/^[a-z]+$/.test(req.query.c)) return;\nawait db.query(`SELECT ${req.query.c} FROM t`);",
    "fixed host": "await fetch(`https://api.example.com/items/${req.params.id}`);",
    "base name": "fs.readFileSync('/data/' + path.basename(req.query.name));",
    "json answer": "res.json({ name: req.query.name });",
    "method of another object": "/a/.exec(req.body.text);",
    "what the middleware sets": "await db.query(`SELECT * FROM t WHERE owner = '${req.user.id}'`);",
    "escaped pattern": "new RegExp(escapeRegExp(req.query.q), 'i');",
    "pattern escaped by hand": "const q = req.query.q.replace(/[.*+?^${}()|[\\]\\\\]/g, '\\\\$&');\nnew RegExp(q, 'i');",
    "text in a filter": "const user = await User.findOne({ name: String(req.body.name) });",
    "tested for text": "const { name } = req.body;\nif (typeof name !== 'string') {\n  return res.status(400).end();\n}\nawait User.findOne({ name });",
    "other field of a record just made": "const user = await User.create({ name: req.body.name });\nres.redirect(user.url);",
    "entities left alone": "const libxmljs = require('libxmljs');\nlibxmljs.parseXml(req.body, { noent: false });",
}


@pytest.mark.parametrize("name", sorted(SCRIPT_HARMED))
def test_script_harm_is_found(name: str, tmp_path: Path) -> None:
    body, rule = SCRIPT_HARMED[name]
    assert rule in script(tmp_path, body)


@pytest.mark.parametrize("name", sorted(SCRIPT_UNHARMED))
def test_script_code_that_is_right_is_left_alone(name: str, tmp_path: Path) -> None:
    assert script(tmp_path, SCRIPT_UNHARMED[name]) == []


SETTLED = {
    "a branch that is never taken": ("x = 'a' if 7 * 18 + 106 > 200 else request.args['x']\neval(x)", True),
    "one of two constants": ("x = 'a'\nif request.args['m']:\n    x = 'b'\neval(x)", True),
    "a number": ("eval(f'1 + {int(request.args[\"n\"])}')", True),
    "a setting": ("eval(os.environ['RULE'])", False),
    "a result nobody looks into": ("eval(load_rule(3))", False),
    "a request": ("eval(request.args['x'])", False),
}


@pytest.mark.parametrize("name", SETTLED)
def test_places_are_settled_where_every_piece_is_known(name: str, tmp_path: Path) -> None:
    body, settled = SETTLED[name]
    text = FLASK + textwrap.indent(body, "    ") + "\n"
    line = text.count("\n", 0, text.index("eval(")) + 1
    assert examine(tmp_path, {"app/main.py": text}).settled_at("app/main.py", line, line, 95) is settled


def test_what_only_one_caller_hands_over_does_not_settle_a_function(tmp_path: Path) -> None:
    rules = "def run(text):\n    return eval(text)\n"
    found = examine(
        tmp_path, {"app/__init__.py": "", "app/rules.py": rules, "app/main.py": FLASK + "    from .rules import run\n    return run('1')\n"}
    )
    assert not found.settled_at("app/rules.py", 2, 2, 95)


def test_the_object_of_a_typescript_method_is_no_argument(tmp_path: Path) -> None:
    store = "export class Store {\n  static make(this: typeof Store, ctx: Context, name: string) {\n    return db.query(`SELECT ${name}`);\n  }\n}\n"
    main = "import { Store } from './store';\nexport async function POST(request: Request) {\n  return Store.make(%s);\n}\n"
    harmed = examine(tmp_path / "a", {"server/store.ts": store, "server/main.ts": main % "null, request.body.name"})
    unharmed = examine(tmp_path / "b", {"server/store.ts": store, "server/main.ts": main % "request.body, 'name'"})
    assert (rules(harmed), rules(unharmed)) == ([("sql-injection", 3)], [])


def test_a_function_of_another_python_file_is_entered(tmp_path: Path) -> None:
    store = "class Store:\n    @staticmethod\n    def find(cursor, name):\n        return cursor.execute(f\"SELECT * FROM t WHERE n = '{name}'\")\n"
    view = FLASK + "    from .store import Store\n    return Store.find(None, request.args['q'])\n"
    hits = examine(tmp_path, {"app/__init__.py": "", "app/store.py": store, "app/views.py": view})
    assert [(hit.path, hit.rule, hit.line) for hit in hits.hits] == [("app/store.py", "sql-injection", 4)]


def test_a_class_of_another_script_file_is_entered(tmp_path: Path) -> None:
    store = "class Store {\n  constructor(db) {\n    this.db = db;\n  }\n  find(name) {\n    return this.db.query(`SELECT * FROM t WHERE n = '${name}'`);\n  }\n}\nmodule.exports = { Store };\n"
    body = "const store = new Store(connection);\nres.json(await store.find(req.query.name));"
    main = "const { Store } = require('./store');\n" + EXPRESS + body + "\n});\n"
    hits = examine(tmp_path, {"server/store.js": store, "server/main.js": main})
    assert [(hit.path, hit.rule, hit.line) for hit in hits.hits] == [("server/store.js", "sql-injection", 6)]


def test_typed_parameters_of_fastapi_routes_are_not_text(tmp_path: Path) -> None:
    head = "from fastapi import FastAPI\nimport os\napp = FastAPI()\n\n\n@app.get('/x/{n}')\ndef view(n: int, name: str):\n"
    assert python(tmp_path, "os.system(f'ls {n}')", head) == []
    assert python(tmp_path / "again", "os.system(f'ls {name}')", head) == ["command-injection"]


def test_an_own_check_counts_only_where_it_can_refuse(tmp_path: Path) -> None:
    strict = "def is_allowed(name):\n    return name in ('a', 'b')\n"
    body = "name = request.args['n']\nif not is_allowed(name):\n    return ''\nos.system(name)"
    assert python(tmp_path, body, strict + FLASK) == []


def test_mark_up_made_from_answers_of_a_server(tmp_path: Path) -> None:
    code = "fetch('/api/items').then((r) => r.json()).then((items) => {\n  items.forEach((item) => {\n    row.innerHTML = `<td>${%s}</td>`;\n  });\n});\n"
    raw = examine(tmp_path / "a", {"public/list.js": code % "item.name"})
    escaped = examine(tmp_path / "b", {"public/list.js": code % "escapeHtml(item.name)"})
    assert rules(raw) == [("markup-in-page", 3)]
    assert rules(escaped) == []


FETCHED = "fetch('/api/x').then((r) => r.json()).then((data) => {{\n  box.innerHTML = '<b>' + data.name + '</b>';\n}});\n"


def test_scripts_inside_pages_are_followed(tmp_path: Path) -> None:
    page = "<!doctype html>\n<p>{{ title }}</p>\n<script>\nconst limit = {{ limit }};\n" + FETCHED.format() + "</script>\n"
    assert rules(examine(tmp_path, {"templates/x.html": page})) == [("markup-in-page", 6)]


def test_scripts_inside_texts_of_python_code_are_followed(tmp_path: Path) -> None:
    doubled = FETCHED.replace("{{", "{{{{").replace("}}", "}}}}").format()
    code = 'PAGE = f"""<body>\n<script>\nconst limit = {LIMIT};\n' + doubled + '</script>"""\n'
    found = examine(tmp_path, {"app/page.py": "LIMIT = 3\n" + code})
    assert [(hit.path, hit.rule, hit.line) for hit in found.hits] == [("app/page.py", "markup-in-page", 6)]


def test_stored_results_are_used_until_a_file_they_depend_on_changes(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    main = "const { save } = require('./store');\n" + EXPRESS + "save(req.body.name);\n});\n"
    harmless = {"server/main.js": main, "server/store.js": "exports.save = (name) => name.length;\n"}
    harmful = {**harmless, "server/store.js": "const fs = require('fs');\nexports.save = (name) => fs.writeFileSync(name, '');\n"}
    assert rules(examine(tmp_path / "1", harmless, cache)) == []
    assert rules(examine(tmp_path / "2", harmless, cache)) == []
    assert rules(examine(tmp_path / "3", harmful, cache)) == [("path-traversal", 2)]
    assert rules(examine(tmp_path / "4", harmful, cache)) == [("path-traversal", 2)]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 5_000 + "request" + ")" * 5_000 + "\n",
        "request = 1\n" + "if request:\n" + "".join(" " * depth + "if request:\n" for depth in range(1, 95)) + " " * 95 + "pass\n",
        "def f(request):\n    return " + " + ".join(["request.GET['a']"] * 3_000) + "\n",
        "def f(request):\n" + "".join(f"    x{n} = request.GET['a'] + x{n - 1}\n" for n in range(1, 2_000)),
        "def f(request): return f(request) or g(request)\ndef g(request): return f(request)\n",
        "class A(A): pass\nclass B(C): pass\nclass C(B): pass\nC().x(request)\n",
        "\x00request \ufffd def (\n",
    ],
    ids=["brackets", "nesting", "long sum", "long chain", "recursion", "class circle", "broken"],
)
def test_hostile_python_neither_crashes_nor_hangs(text: str, tmp_path: Path) -> None:
    reading = read_tree(from_texts(tmp_path, {"app/x.py": text}))
    assert isinstance(flows(Context(tmp_path, Cache(None), "2026-01-01"), reading.snapshot, reading.texts), Known)


@pytest.mark.parametrize(
    "text",
    [
        "x(req, " + "[" * 5_000 + "1" + "]" * 5_000 + ")",
        "f((req, res) => " * 300 + "1" + ")" * 300,
        "import a from './x'; export * from './x'; export default (req, res) => a(req);",
        "const f = (req, res) => " + "`${".join("a" for _ in range(200)) + "}`" * 199,
    ],
    ids=["brackets", "callbacks", "import of itself", "templates"],
)
def test_hostile_script_neither_crashes_nor_hangs(text: str, tmp_path: Path) -> None:
    reading = read_tree(from_texts(tmp_path, {"server/x.js": text}))
    assert isinstance(flows(Context(tmp_path, Cache(None), "2026-01-01"), reading.snapshot, reading.texts), Known)


MODEL_HEAD = "import subprocess\nimport requests\nfrom fastapi import FastAPI, Request\nfrom langchain_core.tools import tool\nfrom openai import OpenAI\n\napp = FastAPI()\nclient = OpenAI()\n"
SYSTEM = '{"role": "system", "content": '


def test_request_text_in_the_instructions_of_a_model(tmp_path: Path) -> None:
    handler = '@app.post("/ask")\nasync def ask(request: Request):\n    data = await request.json()\n'
    calls = {
        f'client.chat.completions.create(model="m", messages=[{SYSTEM}f"You answer for {{data[\'shop\']}}, politely."}}])': True,
        f'client.chat.completions.create(model="m", messages=[{SYSTEM}"You answer politely at all times."}}, {{"role": "user", "content": data["q"]}}])': False,
        'client.messages.create(model="m", system="You answer politely for " + data["shop"], messages=[])': True,
        f'requests.post("https://api.openai.com/v1/chat/completions", json={{"messages": [{SYSTEM}"You answer politely for " + data["q"]}}]}})': True,
        f'client.chat.completions.create(model="m", messages=[{SYSTEM}data["instructions"]}}])': False,
        'client.chat.completions.create(model="m", messages=data["messages"])': False,
    }
    for number, (call, harmed) in enumerate(calls.items()):
        found = examine(tmp_path / str(number), {"main.py": f"{MODEL_HEAD}\n\n{handler}    return {call}\n"}).hits
        assert [hit.rule for hit in found if hit.item == "security.llm-boundaries"] == ["text-in-instructions"] * harmed, call


def test_request_text_in_the_instructions_of_a_model_in_script(tmp_path: Path) -> None:
    text = (
        'import { generateText } from "ai";\nconst GATEWAY = "https://ai.gateway.lovable.dev/v1/chat/completions";\n'
        "export async function POST(req) {\n  const { shop, question } = await req.json();\n"
        "  await generateText({ model, system: `You answer politely for ${shop}.`, prompt: question });\n"
        '  await generateText({ model, system: "You answer politely.", prompt: question });\n'
        '  await fetch(GATEWAY, { method: "POST", body: JSON.stringify({ messages: [{ role: "system", content: `You answer politely for ${shop}` }, { role: "user", content: question }] }) });\n'
        '  await fetch(GATEWAY, { method: "POST", body: JSON.stringify({ messages: [{ role: "user", content: question }] }) });\n}\n'
    )
    assert rules(examine(tmp_path, {"app/api/route.ts": text})) == [("text-in-instructions", 5), ("text-in-instructions", 7)]


def test_answers_of_models_and_arguments_of_their_tools_come_from_the_model(tmp_path: Path) -> None:
    body = (
        '\n\ndef run():\n    answer = requests.post("https://api.openai.com/v1/chat/completions", json={}).json()\n'
        '    exec(answer["choices"][0]["message"]["content"])\n\n\n@tool\ndef shell(command: str) -> str:\n    """Run a command."""\n'
        "    return subprocess.run(command, shell=True).stdout\n\n\n@tool\ndef count(number: int) -> str:\n    return subprocess.run(f'seq {number}', shell=True).stdout\n"
    )
    found = examine(tmp_path, {"main.py": MODEL_HEAD + body}).hits
    assert [(hit.rule, hit.source) for hit in found] == [("code-injection", "model"), ("command-injection", "model")]
