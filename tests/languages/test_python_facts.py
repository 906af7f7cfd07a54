"""Facts of Python files: every kind of fact, hostile input, and agreement with the interpreter's own parser, radon and pyflakes on our sources."""

from __future__ import annotations

import ast
import gc
import textwrap
from pathlib import Path

import pyflakes.checker
import pyflakes.messages
import pytest

from auditor.languages.python import read_python
from auditor.model.syntax import Call, Definition, FileFacts, HandlerEffect, ImportKind, Value, ValueKind
from auditor.tools import radon

ROOT = Path(__file__).parents[2]
OWN = sorted((ROOT / "auditor").rglob("*.py"))


def read(text: str) -> FileFacts:
    return read_python("app.py", textwrap.dedent(text))


def value(expression: str) -> Value:
    found = read(f"x = {expression}\n").assignments[0].value
    assert found is not None
    return found


def call(text: str, callee: str) -> Call:
    return next(found for found in read(text).calls if found.callee == callee)


def definition(text: str, name: str) -> Definition:
    return next(found for found in read(text).definitions if found.name == name)


# -- imports ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "module", "names"),
    [
        ("import a.b", "a.b", (("*", "a"),)),
        ("import a.b as c", "a.b", (("*", "c"),)),
        ("from a import b, c as d", "a", (("b", "b"), ("c", "d"))),
        ("from . import x", ".", (("x", "x"),)),
        ("from ..pkg.mod import (\n  x,  # why\n)", "..pkg.mod", (("x", "x"),)),
        ("from a import *", "a", (("*", "*"),)),
    ],
)
def test_import_forms(text: str, module: str, names: tuple[tuple[str, str], ...]) -> None:
    (found,) = read(text).imports
    assert (found.module, found.names, found.from_form) == (module, names, text.startswith("from"))


def test_one_import_statement_may_name_several_modules() -> None:
    assert [found.module for found in read("import a, b.c").imports] == ["a", "b.c"]


@pytest.mark.parametrize(
    ("text", "kind", "guarded"),
    [
        ("import a", ImportKind.IMPORT_TIME, False),
        ("def f():\n    import a", ImportKind.LAZY, False),
        ("class A:\n    import a", ImportKind.IMPORT_TIME, False),
        ("if TYPE_CHECKING:\n    import a", ImportKind.TYPE_ONLY, False),
        ("if typing.TYPE_CHECKING:\n    import a", ImportKind.TYPE_ONLY, False),
        ("if not TYPE_CHECKING:\n    pass\nelse:\n    import a", ImportKind.TYPE_ONLY, False),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import a", ImportKind.IMPORT_TIME, False),
        ("try:\n    import a\nexcept ImportError:\n    a = None", ImportKind.IMPORT_TIME, True),
        ("try:\n    import a\nexcept (ModuleNotFoundError, OSError) as e:\n    a = None", ImportKind.IMPORT_TIME, True),
        ("try:\n    import a\nexcept ValueError:\n    a = None", ImportKind.IMPORT_TIME, False),
        ("try:\n    pass\nexcept ImportError:\n    import a", ImportKind.IMPORT_TIME, False),
        ("with contextlib.suppress(ImportError):\n    import a", ImportKind.IMPORT_TIME, True),
        ("try:\n    def f():\n        import a\nexcept ImportError:\n    pass", ImportKind.LAZY, False),
    ],
)
def test_when_an_import_takes_effect(text: str, kind: ImportKind, guarded: bool) -> None:
    (found,) = read(text).imports
    assert (found.kind, found.guarded) == (kind, guarded)


# -- values ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "kind", "literal"),
    [
        ("'a\\n\\x41\\u00e9\\101'", ValueKind.STRING, "a\nAéA"),
        ("r'a\\n'", ValueKind.STRING, "a\\n"),
        ("b'abc'", ValueKind.STRING, "abc"),
        (r"'\ud800'", ValueKind.STRING, r"\ud800"),
        ("('a' 'b' + 'c')", ValueKind.STRING, "abc"),
        ("f'plain'", ValueKind.STRING, "plain"),
        ("f'a{b}c{d!r:>{w}}{{e}}'", ValueKind.TEMPLATE, "a{}c{}{e}"),
        ("'a' + b + 'c'", ValueKind.TEMPLATE, "a{}c"),
        ("'a %s %(b)d 5%%' % x", ValueKind.TEMPLATE, "a {} {} 5%"),
        ("'a {} {b!r}'.format(x)", ValueKind.TEMPLATE, "a {} {}"),
        ("-1.5", ValueKind.NUMBER, "-1.5"),
        ("True", ValueKind.BOOLEAN, "True"),
        ("None", ValueKind.NONE, "None"),
        ("a.b[0].c", ValueKind.NAME, "a.b[].c"),
        ("await a.b().c(1)", ValueKind.CALL, "a.b().c"),
        ("[1, *b]", ValueKind.COLLECTION, ""),
        ("lambda: 1", ValueKind.FUNCTION, ""),
        ("[a for a in b]", ValueKind.OTHER, ""),
    ],
)
def test_values(expression: str, kind: ValueKind, literal: str) -> None:
    found = value(expression)
    assert (found.kind, found.literal) == (kind, literal)


@pytest.mark.parametrize(
    ("expression", "items"),
    [
        ("[1, *b]", [("", "1"), ("...", "b")]),
        ("{'a': 1, **b, c: 2}", [("a", "1"), ("...", "b"), ("c", "2")]),
        ("a or b or c", [("or", "a"), ("or", "b"), ("or", "c")]),
        ("a if b else c", [("?:", "b"), ("?:", "a"), ("?:", "c")]),
        ("a not in b", [("not in", "a"), ("not in", "b")]),
        ("not a", [("not", "a")]),
        ("f(1, *b, c=2, **d)", [("", "1"), ("*", "b"), ("c", "2"), ("**", "d")]),
    ],
)
def test_items(expression: str, items: list[tuple[str, str]]) -> None:
    assert [(key, item.text) for key, item in value(expression).items] == items


def test_names_are_paths_in_order_without_duplicates() -> None:
    assert value("f(a.b, c.d(e)[i].g, k=h, l=a.b)").names == ("f", "a.b", "c.d()[].g", "c.d", "e", "i", "h")


def test_items_end_three_levels_down() -> None:
    found = value("[[[[1]]]]")
    for _ in range(3):
        found = found.items[0][1]
    assert found.kind is ValueKind.COLLECTION
    assert found.items == ()


# -- calls -----------------------------------------------------------------------------------------------------------------------------


def test_call_surroundings() -> None:
    text = """
    async def f(ids):
        r = await client.get(url, timeout=5)
        with open(p) as handle:
            send(handle)
        try:
            risky()
        except OSError:
            cleanup()
        for i in source(ids):
            one(i)
        rows = [fetch(i) for i in ids]
        return done().then
    """
    get = call(text, "client.get")
    assert (get.awaited, get.target, get.used, get.guarded, get.in_loop) == (True, "r", True, False, False)
    assert get.argument("timeout") == Value(ValueKind.NUMBER, "5", "5")
    assert get.argument("url", 0) == Value(ValueKind.NAME, "url", "url", ("url",))
    assert call(text, "open").target == "handle"
    assert [call(text, name).managed for name in ("open", "send", "client.get")] == [True, False, False]
    assert not call(text, "send").used
    assert call(text, "done").used
    assert call(text, "risky").guarded
    assert not call(text, "cleanup").guarded
    assert [call(text, name).in_loop for name in ("source", "one", "fetch")] == [False, True, True]


def test_a_definition_inside_try_or_loop_is_not_guarded_or_repeated() -> None:
    text = "for x in y:\n    try:\n        def f():\n            g()\n    except E:\n        pass\n"
    assert (call(text, "g").guarded, call(text, "g").in_loop) == (False, False)


def test_scopes_are_the_innermost_definitions() -> None:
    facts = read("class A:\n    x = f()\n    def m(self):\n        return g(lambda: h())\nk()\n")
    assert {found.callee: found.scope for found in facts.calls} == {"f": 0, "g": 1, "h": 1, "k": -1}


# -- definitions -----------------------------------------------------------------------------------------------------------------------


def test_definitions() -> None:
    facts = read('''
    @router.get("/x")
    @cached
    async def show(a: int, b=1, /, *rest, c: str = "x", **more) -> str:
        """Say it."""
        text = """

        # not a comment
        """

        # a comment
        return text
    class _A(Base, metaclass=M):
        def m(self, *, k): ...
    ''')
    show, hidden, method = facts.definitions
    assert (show.line, show.is_async, show.exported, show.docstring) == (4, True, True, "Say it.")
    assert [(d.callee, len(d.arguments)) for d in show.decorators] == [("router.get", 1), ("cached", 0)]
    assert [(p.name, p.kind, p.annotation) for p in show.parameters] == [
        ("a", "positional", "int"),
        ("b", "positional", ""),
        ("rest", "args", ""),
        ("c", "keyword", "str"),
        ("more", "kwargs", ""),
    ]
    assert (show.code_lines, show.string_lines) == (5, 3)
    assert (hidden.bases, hidden.exported, hidden.kind.value) == (("Base",), False, "class")
    assert (method.qualname, method.kind.value, method.parent) == ("_A.m", "method", 1)
    assert [(p.name, p.kind) for p in method.parameters] == [("self", "positional"), ("k", "keyword")]


@pytest.mark.parametrize(
    ("body", "complexity", "nesting"),
    [
        ("pass", 1, 0),
        ("if a and b or c: pass", 4, 1),
        ("if a:\n  pass\n elif b:\n  for x in y:\n   pass\n else: pass", 4, 2),
        ("return [x for x in y if x if z]", 4, 0),
        ("try: pass\n except A: pass\n except B: pass\n else: pass", 4, 1),
        ("while a:\n  pass\n else: pass", 3, 1),
        ("return a if b else c", 2, 0),
        ("def g():\n  if a: pass", 1, 0),
        ("assert a and b", 2, 0),
        ("match a:\n  case 1: pass\n  case _: pass", 2, 1),
    ],
)
def test_complexity_and_nesting(body: str, complexity: int, nesting: int) -> None:
    found = definition(f"def f():\n {body}\n", "f")
    assert (found.complexity, found.nesting) == (complexity, nesting)


# -- assignments, raises, returns, assertions ------------------------------------------------------------------------------------------


def test_assignments() -> None:
    facts = read("a = b = 1\nx: int\ny: str = 's'\nself.p, q[0] = f()\nn += 1\nif (w := g()): pass\nclass C:\n    z = 2\n")
    found = [(a.target, a.value.text if a.value else None, a.annotation, a.scope) for a in facts.assignments]
    assert found == [
        ("a", "1", "", -1),
        ("b", "1", "", -1),
        ("x", None, "int", -1),
        ("y", "'s'", "str", -1),
        ("self.p, q[0]", "f()", "", -1),
        ("n", "n += 1", "", -1),
        ("w", "g()", "", -1),
        ("z", "2", "", 0),
    ]


def test_raises_and_returns() -> None:
    facts = read("def f():\n    if a: raise HTTPException(404) from e\n    if b: raise\n    if c: return\n    return x, 1\n")
    assert [(r.value.text if r.value else None) for r in facts.raises] == ["HTTPException(404)", None]
    assert [(r.value.text if r.value else None) for r in facts.returns] == [None, "x, 1"]


@pytest.mark.parametrize(
    ("text", "trivial"),
    [
        ("assert True", True),
        ("assert x == x", True),
        ("assert (x, 'message')", True),
        ("assert 'text'", True),
        ("assert 1", True),
        ("assert not False", True),
        ("assert a or True", True),
        ("assert x", False),
        ("assert f() == f()", False),
        ("assert 0", False),
        ("assert x == y", False),
    ],
)
def test_assertions(text: str, trivial: bool) -> None:
    assert [found.trivial for found in read(text).assertions] == [trivial]


# -- handlers --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "effect"),
    [
        ("raise", HandlerEffect.RAISE),
        ("sys.exit(1)", HandlerEffect.RAISE),
        ("log.warning('x')\n raise X from e", HandlerEffect.RAISE),
        ("logger.exception('x')", HandlerEffect.REPORT),
        ("self.logger.debug('x')\n return None", HandlerEffect.REPORT),
        ("logging.getLogger(__name__).error(e)", HandlerEffect.REPORT),
        ("current_app.logger.error('x')", HandlerEffect.REPORT),
        ("sentry_sdk.capture_exception(e)", HandlerEffect.REPORT),
        ("messages.error(request, 'no')", HandlerEffect.REPORT),
        ("st.error('no')", HandlerEffect.REPORT),
        ("errors.append('row')", HandlerEffect.REPORT),
        ("self.fail_job(e)", HandlerEffect.REPORT),
        ("return jsonify(error='no'), 500", HandlerEffect.ANSWER),
        ("return {'ok': False}", HandlerEffect.ANSWER),
        ("return False, 'could not connect'", HandlerEffect.ANSWER),
        ("return str(e)", HandlerEffect.ANSWER),
        ("return HttpResponseBadRequest()", HandlerEffect.ANSWER),
        ("last_error = e", HandlerEffect.ANSWER),
        ("print(e)", HandlerEffect.PRINT),
        ("traceback.print_exc()\n return []", HandlerEffect.PRINT),
        ("return None", HandlerEffect.RETURN_CONSTANT),
        ("return", HandlerEffect.RETURN_CONSTANT),
        ("return []", HandlerEffect.RETURN_CONSTANT),
        ("db.rollback()\n return False", HandlerEffect.RETURN_CONSTANT),
        ("continue", HandlerEffect.CONTINUE),
        ("pass", HandlerEffect.EMPTY),
        ("...", HandlerEffect.EMPTY),
        ("pass  # nothing to do", HandlerEffect.EMPTY),
        ("x = 0", HandlerEffect.OTHER),
        ("return fallback(y)", HandlerEffect.OTHER),
        ("catalog.insert(1)", HandlerEffect.OTHER),
    ],
)
def test_what_a_handler_does(body: str, effect: HandlerEffect) -> None:
    text = f"def f():\n for i in y:\n  try: g()\n  except Exception as e:\n   {body.replace(chr(10), chr(10) + '  ')}\n"
    (found,) = read(text).handlers
    assert found.effect is effect


def test_handler_details() -> None:
    text = """
    def f():
        try:
            a = client.send(x)
            save(a)
        except (ValueError, http.Error) as error:
            # the far side is allowed to be away
            note(error)
            return None
        except* OSError:  # noqa: X
            pass
        except:
            pass
    """
    first, second, bare = read(text).handlers
    assert (first.types, first.binding, first.uses_binding, first.comment) == (("ValueError", "http.Error"), "error", True, True)
    assert (first.tried, first.calls, first.statements, first.tried_lines) == (("client.send", "save"), ("note",), 2, 2)
    assert first.returned == Value(ValueKind.NONE, "None", "None")
    assert (second.types, second.comment, bare.types, bare.binding) == (("OSError",), False, (), "")


def test_suppress_is_a_handler() -> None:
    (found,) = read("with contextlib.suppress(KeyError, OSError):\n    remove(x)\n").handlers
    assert (found.kind, found.types, found.effect, found.tried) == ("suppress", ("KeyError", "OSError"), HandlerEffect.EMPTY, ("remove",))


# -- settings --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "default", "required", "target"),
    [
        ("import os\nA = os.environ['K']", "K", None, True, "A"),
        ("import os\nA = os.environ.get('K')", "K", None, False, "A"),
        ("import os\nA = int(os.getenv('K', '5'))", "K", "'5'", False, "A"),
        ("import os\nA = os.getenv('K') or 'x'", "K", "'x'", False, "A"),
        ("from os import environ as env\nf(env['K'])", "K", None, True, ""),
        ("from os import getenv\nA = getenv('K', default=None)", "K", "None", False, "A"),
        ("from decouple import config\nA = config('K', default=1, cast=int)", "K", "1", False, "A"),
        ("from decouple import config\nA = config('K')", "K", None, True, "A"),
        ("import environ\nenv = environ.Env(D=(bool, False))\nA = env('K')", "K", None, True, "A"),
        ("from environs import Env\nenv = Env()\nA = env.int('K', 3)", "K", "3", False, "A"),
    ],
)
def test_settings_from_the_environment(text: str, name: str, default: str | None, required: bool, target: str) -> None:
    (found,) = read(text).environment
    assert (found.name, found.default.text if found.default else None, found.required, found.target) == (name, default, required, target)


@pytest.mark.parametrize(
    "text",
    ["import os\nos.environ['K'] = 'v'", "import os\ndel os.environ['K']", "config('K')", "import os\nos.environ.setdefault('K', 'v')"],
)
def test_what_is_no_setting(text: str) -> None:
    assert read(text).environment == ()


# -- literals, comments, lines ---------------------------------------------------------------------------------------------------------


def test_literals_comments_and_directives() -> None:
    facts = read('''
    """The module."""
    # mypy: ignore-errors
    a = "abc"  # short
    b = f"text {a}" "more"
    "a bare string"
    ''')
    assert [(found.text, found.template) for found in facts.literals] == [("text {}more", True)]
    assert [(found.text, found.line) for found in facts.comments] == [("mypy: ignore-errors", 3), ("short", 4)]
    assert facts.directives == ("mypy: ignore-errors",)
    assert facts.code_lines == 2


def test_main_block() -> None:
    assert read("x = 1\nif __name__ == '__main__':\n    run()\n    stop()\n").main_lines == (2, 4)
    assert read("def f():\n    if __name__ == '__main__':\n        run()\n").main_lines == (0, 0)


# -- names -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "def f(): return later\nlater = 1",
        "class A:\n    x = 1\n    y = [z for z in range(x)][0]",
        "[(y := x) for x in z for z in ()]\nprint(y)\nz = 1",
        "def f():\n    global g\n    g = 1\ndef h(): return g",
        "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x += 1\n    return g",
        "for i, (j, *k) in []: print(i, j, k)",
        "with open('x') as (a, b): print(a, b)",
        "try: pass\nexcept OSError as e: print(e)",
        "match x:\n    case {'a': b, **rest} if b: print(rest)\n    case [c, *d] | A(c, y=d): print(c, d)\n    case str() as e: print(e)\nx = 1\nclass A: ...",
        "def f[T](x: T) -> T: return x",
        "class C[T: int, *Ts, **P](list[T]):\n    def m(self, x: T) -> 'T': ...",
        "type Pair[A, B] = tuple[A, B]\nPair",
        "lambda a, *b, c=1, **d: (a, b, c, d)",
        "print(__file__, __name__, _('text'), WindowsError)",
        "class A:\n    def f(self): return __class__",
        "try:\n    unicode\nexcept NameError:\n    pass",
        "import a.b\na.b.c",
        "x: int\nx",
        "f(name=1)\ndef f(name): ...",
        "def f():\n    del x\nx = 1",
    ],
)
def test_bound_names(text: str) -> None:
    facts = read(text)
    assert facts.scoped
    assert [found.name for found in facts.undefined] == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("print(x)", ["x"]),
        ("class A:\n    x = 1\n    def f(self): return x", ["x"]),
        ("class A:\n    x = [1]\n    y = [x for _ in x]", ["x"]),
        ("[i for i in r]\nprint(i)\nr = 1", ["i"]),
        ("def f(a): return a + b", ["b"]),
        ("f'{x}'", ["x"]),
        ("@missing\ndef f(): ...", ["missing"]),
        ("def f(a=a): ...", ["a"]),
        ("x.y = 1", ["x"]),
    ],
)
def test_undefined_names(text: str, names: list[str]) -> None:
    assert [found.name for found in read(text).undefined] == names


@pytest.mark.parametrize("text", ["from a import *\nx", "exec(code)\nx", "globals()['x'] = 1\nx"])
def test_scoping_that_cannot_be_decided_accuses_nobody(text: str) -> None:
    facts = read(text)
    assert not facts.scoped
    assert facts.undefined == ()


def test_a_file_leaves_no_garbage_behind() -> None:
    gc.collect()
    gc.disable()
    try:
        read("def f(a):\n    return [a for a in g(a)]\n")
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_an_attribute_of_a_type_is_no_alias() -> None:
    facts = read("type(x).y = z\nx = z = 1\n")
    assert facts.bound == ("x", "z")
    assert facts.undefined == ()


def test_bound_names_of_a_module() -> None:
    text = "import a.b\nfrom c import d as e\nf = 1\ndef g(): h = 1\nclass I: j = 1\nfor k in []: pass\nif True: (l := 1)\ndef m():\n    global n\n    n = 1"
    assert read(text).bound == ("I", "a", "e", "f", "g", "k", "l", "m", "n")


# -- newer syntax, broken and hostile input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "type X = int\n",
        "def f[T: (int, str)](x: T) -> T: ...\n",
        "x = f'{a['b']}' f'{\n1}'\n",
        "try: pass\nexcept* A: pass\n",
        "with (open(a) as b, open(c) as d): pass\n",
        "match = 1\nmatch[0]\ntype = 2\nprint(match, type)\n",
        "x = t'hello {name}'\n",
        "try: pass\nexcept A, B: pass\n",
    ],
)
def test_newer_syntax_parses(text: str) -> None:
    assert read_python("x.py", text).error_line == 0


def test_what_stands_behind_an_error_is_read() -> None:
    facts = read_python("x.py", "def f():\n    return 1\n\ndef g(:\n    pass\n\ndef h():\n    return call()\n")
    assert facts.error_line == 4
    assert {"f", "h"} <= {found.name for found in facts.definitions}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ufeffx = 1\n",
        "a = 1\x00\nb = 2\n",
        "x = '\ud800'\n",
        "x=" + "(" * 10_000 + ")" * 10_000,
        "(" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        "f(" * 3_000 + "1" + ")" * 3_000,
        "x = a" + ".b()" * 5_000,
        "x = " + "not " * 10_000 + "y",
        "x = " + "lambda: " * 5_000 + "1",
        "x = " + "'a' + " * 20_000 + "b",
        "x = [" + "1," * 100_000 + "]",
        "x = '" + "a" * 2_000_000 + "'",
        "\n".join(" " * depth + "if a:" for depth in range(500)) + " pass",
        "".join(" " * depth + "try:\n" for depth in range(300)),
        "}" * 5_000 + "\r\n\t)(" * 5_000,
        "def f(a: b) -> not[def[c], d]:\n    for.e.not('x')\n    with g(h, 'rb') as i:\n                continue\n        not.j.get('y')\ndef k(l):\n",
    ],
    ids=range(18),
)
def test_hostile_input_is_survived(text: str) -> None:
    facts = read_python("x.py", text)
    assert all(len(found.callee) <= 240 for found in facts.calls)


# -- agreement with other readers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_agreement_on_our_own_sources(path: Path) -> None:
    text = path.read_text()
    facts, tree = read_python(path.name, text), ast.parse(text)
    assert facts.error_line == 0
    assert sorted((found.line, found.end_line, found.name) for found in facts.definitions) == sorted(_definitions(tree))
    assert sorted((found.line, found.module, found.names) for found in facts.imports) == sorted(_imports(tree))
    assert len(facts.calls) == sum(isinstance(node, ast.Call) for node in ast.walk(tree))
    measured = radon.complexities(text)
    assert isinstance(measured, dict)
    ours = {(found.line, found.name): found.complexity for found in facts.definitions}
    assert {key: ours[key] for key in measured} == measured
    messages = pyflakes.checker.Checker(tree, filename=path.name).messages
    missing = sorted((m.lineno, m.message_args[0]) for m in messages if isinstance(m, pyflakes.messages.UndefinedName))
    assert [(found.line, found.name) for found in facts.undefined] == missing


def _definitions(tree: ast.AST) -> list[tuple[int, int | None, str]]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [(node.lineno, node.end_lineno, node.name) for node in ast.walk(tree) if isinstance(node, kinds)]


def _imports(tree: ast.AST) -> list[tuple[int, str, tuple[tuple[str, str], ...]]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = tuple((alias.name, alias.asname or alias.name) for alias in node.names)
            found.append((node.lineno, "." * node.level + (node.module or ""), names))
        elif isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, (("*", alias.asname or alias.name.split(".")[0]),)) for alias in node.names]
    return found


# -- loops -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "header", "endless", "exits"),
    [
        ("for attempt in range(3):\n    f()\n", "for attempt in range(3):", False, ()),
        ("while tries < 3:\n    f()\n", "while tries < 3:", False, ()),
        ("while True:\n    f()\n", "while True:", True, ()),
        ("while (1):\n    f()\n    break\n", "while (1):", True, (3,)),
        ("def g():\n    while True:\n        return f()\n", "while True:", True, (3,)),
        ("while True:\n    for x in y:\n        break\n", "while True:", True, ()),
        ("while True:\n    def g():\n        return 1\n    f(g)\n", "while True:", True, ()),
    ],
)
def test_loops(text: str, header: str, endless: bool, exits: tuple[int, ...]) -> None:
    loop = read(text).loops[0]
    assert (loop.header, loop.endless, loop.exits) == (header, endless, exits)
