"""Every kind of fact of scripts, one small source per fact, and sources that were written to hurt the reader."""

import textwrap
import time

import pytest

from auditor.languages.script import read_script
from auditor.model.snapshot import Language
from auditor.model.syntax import FileFacts, HandlerEffect, ImportKind, ValueKind


def read(source: str, language: Language = Language.TSX) -> FileFacts:
    return read_script("src/file", textwrap.dedent(source), language)


@pytest.mark.parametrize(
    ("source", "module", "names", "kind"),
    [
        ("import x from 'm'; x()", "m", (("default", "x"),), ImportKind.IMPORT_TIME),
        ("import {a, b as c} from 'm'; a(c)", "m", (("a", "a"), ("b", "c")), ImportKind.IMPORT_TIME),
        ("import * as n from 'm'; n.f()", "m", (("*", "n"),), ImportKind.IMPORT_TIME),
        ("import 'm'", "m", (), ImportKind.IMPORT_TIME),
        ("import type {T} from 'm'", "m", (("T", "T"),), ImportKind.TYPE_ONLY),
        ("import {type T} from 'm'", "m", (("T", "T"),), ImportKind.TYPE_ONLY),
        ("import {T} from 'm'; let x: T", "m", (("T", "T"),), ImportKind.TYPE_ONLY),
        ("import {T} from 'm'; export {T}", "m", (("T", "T"),), ImportKind.IMPORT_TIME),
        ("import {S} from 'm'; @Injectable() class A { constructor(private s: S) {} }", "m", (("S", "S"),), ImportKind.IMPORT_TIME),
        ("import {S} from 'm'; class A { constructor(private s: S) {} }", "m", (("S", "S"),), ImportKind.TYPE_ONLY),
        ("import {C} from 'm'; const x = <C/>", "m", (("C", "C"),), ImportKind.IMPORT_TIME),
        ("import m = require('m'); m()", "m", (("*", "m"),), ImportKind.IMPORT_TIME),
        ("const m = require('m')", "m", (("*", "m"),), ImportKind.IMPORT_TIME),
        ("const {a, b: c = 1} = require('m')", "m", (("a", "a"), ("b", "c")), ImportKind.IMPORT_TIME),
        ("require('m')", "m", (), ImportKind.IMPORT_TIME),
        ("function f() { return require('m') }", "m", (("*", "*"),), ImportKind.LAZY),
        ("const f = () => import('m')", "m", (("*", "*"),), ImportKind.LAZY),
        ("async () => { const {a} = await import('m') }", "m", (("a", "a"),), ImportKind.LAZY),
        ("const where = 'm'; import(where)", "m", (("*", "*"),), ImportKind.LAZY),
        ("new Worker(new URL('./w.js', import.meta.url))", "./w.js", (), ImportKind.LAZY),
        ("let z: import('m').Z", "m", (("*", "*"),), ImportKind.TYPE_ONLY),
        ("export {a as b} from 'm'", "m", (("a", "b"),), ImportKind.IMPORT_TIME),
        ("export * from 'm'", "m", (("*", "*"),), ImportKind.IMPORT_TIME),
        ("export * as n from 'm'", "m", (("*", "n"),), ImportKind.IMPORT_TIME),
        ("export type {T} from 'm'", "m", (("T", "T"),), ImportKind.TYPE_ONLY),
    ],
)
def test_imports(source: str, module: str, names: tuple[tuple[str, str], ...], kind: ImportKind) -> None:
    (statement,) = read(source).imports
    assert (statement.module, statement.names, statement.kind) == (module, names, kind)


def test_an_ampersand_in_plain_javascript() -> None:
    assert read("const x = <p>Headline & more</p>", Language.JAVASCRIPT).error_line == 0


def test_types_among_imported_values_are_told_apart() -> None:
    value, kind = read("import a, {T, b} from 'm'; const x: T = a(b)").imports
    assert (value.names, value.kind) == ((("default", "a"), ("b", "b")), ImportKind.IMPORT_TIME)
    assert (kind.names, kind.kind) == ((("T", "T"),), ImportKind.TYPE_ONLY)


def test_an_ampersand_in_the_text_of_an_element() -> None:
    facts = read("type A = B & C\nconst x = <p>Tags & labels of R&D &amp; more</p>\nf(a && b, c & d)")
    assert (facts.error_line, facts.calls[0].line) == (0, 3)


def test_type_arguments_of_a_tagged_template() -> None:
    facts = read("async function f() {\n  return db.$queryRaw<{ count: bigint }[]>`select ${x}`\n}", Language.TYPESCRIPT)
    assert (facts.error_line, facts.calls[0].callee, facts.calls[0].arguments[0].value.literal) == (0, "db.$queryRaw", "select {}")


def test_type_arguments_that_read_like_comparisons_are_no_names() -> None:
    facts = read("import { sql } from 'k';\nlet a = sql<boolean>`1=1`;\nconst b = (x: Date) => sql<T>`d > ${x}`;", Language.TYPESCRIPT)
    assert (facts.error_line, facts.undefined) == (0, ())


def test_type_arguments_over_several_lines_keep_the_lines() -> None:
    facts = read("const A = styled(Box)<{\n  /** wide or not */\n  go: (a: string) => void;\n}>`\n  width: ${(p) => p.w}\n`;\nf()")
    assert (facts.error_line, facts.calls[-1].line) == (0, 7)


def test_other_gaps_of_the_grammar() -> None:
    facts = read("interface A {\n  kinds?: import('./m').Kind[];\n}\nconst x = <p>git fetch && git push</p>\nf()")
    assert (facts.error_line, facts.calls[-1].line, facts.imports[0].module) == (0, 5, "./m")


def test_an_import_in_a_guarded_block_is_guarded() -> None:
    (statement,) = read("let x; try { x = require('m') } catch { x = null }", Language.JAVASCRIPT).imports
    assert statement.guarded
    assert statement.names == (("*", "x"),)


def test_javascript_keeps_imports_that_are_not_used() -> None:
    (statement,) = read("import {x} from 'm'", Language.JAVASCRIPT).imports
    assert statement.kind is ImportKind.IMPORT_TIME


@pytest.mark.parametrize(
    ("source", "exports"),
    [
        ("export const a = 1, {b, c: [d]} = x", [("a", "a"), ("b", "b"), ("d", "d")]),
        ("export function f() {}", [("f", "f")]),
        ("export default function f() {}", [("default", "f")]),
        ("export default () => 1", [("default", "default")]),
        ("const a = 1; export default a", [("default", "a")]),
        ("const a = 1; export {a as b}", [("b", "a")]),
        ("export enum E {A}", [("E", "E")]),
        ("export * from 'm'", [("*", "*")]),
        ("export = f", [("=", "f")]),
        ("export declare const q: string", [("q", "q")]),
        ("export abstract class C {}", [("C", "C")]),
    ],
)
def test_exports(source: str, exports: list[tuple[str, str]]) -> None:
    assert [(export.name, export.local) for export in read(source).exports] == exports


def test_type_exports_are_marked() -> None:
    facts = read("export interface I {}\nexport type T = 1\nexport type {X}")
    assert all(export.type_only for export in facts.exports)


@pytest.mark.parametrize(
    ("source", "name", "kind", "exported"),
    [
        ("export function f() {}", "f", "function", True),
        ("const f = () => 1", "f", "function", False),
        ("const o = { f: function () {} }", "f", "function", False),
        ("const o = { f() {} }", "f", "method", False),
        ("exports.f = function () {}", "f", "function", True),
        ("function f() {}\nmodule.exports = { f }", "f", "function", True),
        ("export default () => 1", "default", "function", True),
        ("const F = React.memo(() => null)", "F", "function", False),
        ("export class F {}", "F", "class", True),
    ],
)
def test_definitions(source: str, name: str, kind: str, *, exported: bool) -> None:
    definition = read(source).definitions[0]
    assert (definition.name, definition.kind.value, definition.exported) == (name, kind, exported)


def test_decorators_before_an_export() -> None:
    assert [call.callee for call in read("@A() export class B {}").definitions[0].decorators] == ["A"]


def test_methods_have_qualified_names_decorators_and_parameters() -> None:
    facts = read(
        """
        @Controller('cats')
        class Cats extends Base {
          @Get(':id')
          async find(@Param('id') id: string, {a}: Q = {}, ...rest: number[]): Promise<void> { return this.x(id) }
        }
        """
    )
    cats, find = facts.definitions
    assert (cats.name, cats.bases, cats.decorators[0].callee) == ("Cats", ("Base",), "Controller")
    assert (find.qualname, find.parent, find.is_async) == ("Cats.find", 0, True)
    assert find.decorators[0].argument("", 0).literal == ":id"
    assert [(parameter.name, parameter.kind, parameter.annotation) for parameter in find.parameters] == [
        ("id", "positional", "string"),
        ("{a}", "destructured", "Q"),
        ("rest", "args", "number[]"),
    ]


def test_complexity_counts_decisions_of_the_function_itself() -> None:
    facts = read(
        """
        function f(a, b) {
          if (a && b || c) {}
          else if (b) {}
          for (const x of a) { while (x) {} }
          switch (a) { case 1: break; case 2: break; default: }
          try { g() } catch {}
          const h = () => a ? 1 : 2
          return a ?? b
        }
        """,
        Language.JAVASCRIPT,
    )
    outer, inner = facts.definitions
    assert outer.complexity == 1 + 2 + 2 + 2 + 2 + 1 + 1
    assert inner.complexity == 2
    assert outer.nesting == 2


def test_lines_of_code_markup_and_text() -> None:
    facts = read(
        """
        /* a
           comment */
        function Page() {
          const q = `select
            1`
          // note

          return (
            <div>
              <b>x</b>
              <A on={() => {
                save()
              }} />
            </div>
          )
        }
        """
    )
    page = facts.definitions[0]
    assert page.code_lines == 12
    assert page.string_lines == 1
    assert page.jsx_lines == 5
    assert facts.code_lines == 12


@pytest.mark.parametrize(
    ("source", "callee"),
    [
        ("a.b.c()", "a.b.c"),
        ("z.object({}).parse(x)", "z.object().parse"),
        ("new Pool(1)", "new Pool"),
        ("a['b'](1)", "a[]"),
        ("a?.b!()", "a.b"),
        ("(await f()).json()", "f().json"),
        ("sql`select ${x}`", "sql"),
        ("import.meta.glob('x')", "import.meta.glob"),
        ("[1].map(f)", ".map"),
        ("super.x()", "super.x"),
    ],
)
def test_callees(source: str, callee: str) -> None:
    assert read(source).calls[0].callee == callee


def test_how_a_call_stands() -> None:
    facts = read(
        """
        async function f() {
          const {data} = await load(1)
          for (const x of data) { send(x) }
          try { risky(() => inner()) } catch (e) { log(e) }
          setTimeout(() => later())
          data.map(x => each(x))
          fetch('/x').then(g).catch(h)
        }
        """
    )
    calls = {call.callee: call for call in facts.calls}
    assert (calls["load"].awaited, calls["load"].target, calls["load"].used) == (True, "{data}", True)
    assert (calls["send"].in_loop, calls["send"].used, calls["send"].guarded) == (True, False, False)
    assert calls["risky"].guarded
    assert calls["inner"].guarded
    assert not calls["log"].guarded
    assert not calls["later"].guarded
    assert calls["each"].in_loop
    assert calls["fetch"].guarded
    assert not calls["fetch().then().catch"].guarded


@pytest.mark.parametrize(
    ("expression", "kind", "literal"),
    [
        ("'a\\n\\u0041'", ValueKind.STRING, "a\nA"),
        ("'a' + \"b\"", ValueKind.STRING, "ab"),
        ("`a${x}b`", ValueKind.TEMPLATE, "a{}b"),
        ("'a' + x", ValueKind.TEMPLATE, "a{}"),
        ("`plain`", ValueKind.STRING, "plain"),
        ("-1.5", ValueKind.NUMBER, "-1.5"),
        ("true", ValueKind.BOOLEAN, "true"),
        ("undefined", ValueKind.NONE, ""),
        ("void 0", ValueKind.NONE, ""),
        ("a.b!.c as T", ValueKind.NAME, "a.b.c"),
        ("await f(1)", ValueKind.CALL, "f"),
        ("[1, ...x]", ValueKind.COLLECTION, ""),
        ("() => 1", ValueKind.FUNCTION, ""),
        ("a && b", ValueKind.OPERATION, ""),
        ("/x/", ValueKind.OTHER, ""),
    ],
)
def test_values(expression: str, kind: ValueKind, literal: str) -> None:
    value = read(f"const v = {expression}", Language.TYPESCRIPT).assignments[0].value
    assert value is not None
    assert (value.kind, value.literal) == (kind, literal)


def test_items_of_values() -> None:
    value = read("const v = { a: 1, b, ...c, 'd-e': f(x), g() {}, [h]: 2 }").assignments[0].value
    assert value is not None
    assert [key for key, _ in value.items] == ["a", "b", "...", "d-e", "g", "[h]"]
    assert value.item("d-e").names == ("f", "x")
    assert [key for key, _ in read("const v = a || b || c").assignments[0].value.items] == ["||", "||", "||"]
    assert [key for key, _ in read("const v = a ? b : c").assignments[0].value.items] == ["?:", "?:", "?:"]


def test_a_change_of_the_old_value_is_an_assignment_with_its_operator() -> None:
    facts = read("let n = 0\nfunction f(o) { n++; o.total -= o.price }")
    changed = [(a.target, a.value.text, tuple(key for key, _ in a.value.items), a.scope) for a in facts.assignments[1:]]
    assert changed == [("n", "n++", ("++",), 0), ("o.total", "o.total -= o.price", ("-=", "-="), 0)]
    assert facts.assignments[2].value.names == ("o.total", "o.price")


def test_values_end_at_three_levels() -> None:
    value = read("const v = { a: { b: { c: { d: { e: f } } } } }").assignments[0].value
    depth = 0
    while value.items:
        value = value.items[0][1]
        depth += 1
    assert depth == 3
    assert value.names == ("f",)


@pytest.mark.parametrize(
    ("body", "effect"),
    [
        ("throw e", HandlerEffect.RAISE),
        ("next(e)", HandlerEffect.RAISE),
        ("process.exit(1)", HandlerEffect.RAISE),
        ("logger.error('x', e)", HandlerEffect.REPORT),
        ("Sentry.captureException(e); return null", HandlerEffect.REPORT),
        ("toast.error('failed')", HandlerEffect.REPORT),
        ("setError(e.message)", HandlerEffect.REPORT),
        ("res.status(500).json({ ok: 1 })", HandlerEffect.ANSWER),
        ("return { error: 'x' }", HandlerEffect.ANSWER),
        ("return NextResponse.json({ a: 1 }, { status: 500 })", HandlerEffect.ANSWER),
        ("state.error = e", HandlerEffect.ANSWER),
        ("console.error(e)", HandlerEffect.PRINT),
        ("console.error(e); return []", HandlerEffect.PRINT),
        ("return []", HandlerEffect.RETURN_CONSTANT),
        ("return", HandlerEffect.RETURN_CONSTANT),
        ("", HandlerEffect.EMPTY),
        ("/* fine */", HandlerEffect.EMPTY),
        ("value = fallback()", HandlerEffect.OTHER),
    ],
)
def test_effects_of_handlers(body: str, effect: HandlerEffect) -> None:
    (handler,) = read(f"async function f() {{ try {{ await g(x.y()) }} catch (e) {{ {body} }} }}").handlers
    assert handler.effect is effect
    assert (handler.kind, handler.binding, handler.tried) == ("catch", "e", ("g", "x.y"))
    assert handler.comment == ("/*" in body)


def test_continue_in_a_handler() -> None:
    (handler,) = read("for (const x of y) { try { f(x) } catch { continue } }").handlers
    assert (handler.effect, handler.binding) == (HandlerEffect.CONTINUE, "")


@pytest.mark.parametrize(
    ("callback", "effect"),
    [
        ("() => {}", HandlerEffect.EMPTY),
        ("() => null", HandlerEffect.RETURN_CONSTANT),
        ("e => { throw e }", HandlerEffect.RAISE),
        ("reject", HandlerEffect.RAISE),
        ("console.error", HandlerEffect.PRINT),
        ("noop", HandlerEffect.EMPTY),
        ("logger.warn", HandlerEffect.REPORT),
        ("e => console.log(e)", HandlerEffect.PRINT),
        ("e => ({ error: e })", HandlerEffect.ANSWER),
    ],
)
def test_effects_of_promise_handlers(callback: str, effect: HandlerEffect) -> None:
    (handler,) = read(f"load().catch({callback})").handlers
    assert (handler.kind, handler.effect, handler.tried) == (".catch", effect, ("load",))
    assert read(f"load().then(x, {callback})").handlers[0].effect is effect


@pytest.mark.parametrize(
    ("source", "name", "default", "target"),
    [
        ("const a = process.env.A", "A", None, "a"),
        ("const a = process.env['A'] ?? 'd'", "A", "d", "a"),
        ("const a = process.env.A || 'd'", "A", "d", "a"),
        ("const a = Number(process.env.A || 1)", "A", "1", "a"),
        ("const a = parseInt(process.env.A, 10) || 1", "A", "1", "a"),
        ("const { A = 'd' } = process.env", "A", "d", "A"),
        ("const { A: a } = import.meta.env", "A", None, "a"),
        ("const a = import.meta.env.A", "A", None, "a"),
        ("const a = Deno.env.get('A')!", "A", None, "a"),
        ("const env = process.env; f(env.A)", "A", None, ""),
    ],
)
def test_environment(source: str, name: str, default: str | None, target: str) -> None:
    (setting,) = read(source).environment
    assert (setting.name, setting.default and setting.default.literal, setting.target) == (name, default, target)
    assert not setting.required


def test_settings_of_a_build_are_required() -> None:
    (setting,) = read("import { A } from '$env/static/private'").environment
    assert setting.required


def test_writing_the_environment_is_not_reading_it() -> None:
    assert read("process.env.A = '1'").environment == ()


def test_texts_comments_directives() -> None:
    facts = read(
        """\
        "use client"
        /** Saves.
         *  All. */
        export function save() { return `a ${b} text` + 'long enough' + 'no' }
        // @ts-nocheck
        """
    )
    assert facts.directives == ("use client", "@ts-nocheck")
    assert [(literal.text, literal.template) for literal in facts.literals] == [("a {} text", True), ("long enough", False)]
    assert [comment.text for comment in facts.comments] == ["Saves. All.", "@ts-nocheck"]
    assert facts.definitions[0].docstring == "Saves. All."


def test_a_directive_inside_a_function_is_a_literal_of_it() -> None:
    facts = read("async function act() { 'use server'; go() }")
    assert [(literal.text, literal.scope) for literal in facts.literals] == [("use server", 0)]


def test_returns_and_raises() -> None:
    facts = read("const f = x => x.y\nfunction g() { if (a) return; throw new E('x') }")
    assert [(entry.line, entry.value and entry.value.literal) for entry in facts.returns] == [(1, "x.y"), (2, None)]
    assert [(entry.target, entry.value.literal) for entry in facts.raises] == [("raise", "new E")]


# -- names -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "undefined"),
    [
        ("import {a} from 'm'; a(); b()", ["b"]),
        ("{ const x = 1 } x", ["x"]),
        ("{ var x = 1 } x", []),
        ("f(); function f() {}", []),
        ("(function g() { g() })()", []),
        ("g()", ["g"]),
        ("try {} catch ({ message }) { message }", []),
        ("for (const [k, v] of y) { k + v }", ["y"]),
        ("if (typeof maybe !== 'undefined') maybe()", []),
        ("/* global app, other:writable */ app(other)", []),
        ("window.x; process.env; describe(); jQuery", []),
        ("class A { static b = A.c } new A()", []),
        ("let x: Missing; const y = z as Other", ["z"]),
        ("enum E { A = 1, B = A }", []),
        ("declare const q: string; q", []),
        ("declare global { var w: 1 } w", []),
        ("const { a = b, [c]: d } = {}", ["b", "c"]),
        ("function f({ a }, b = a) { return a + b }", []),
        ("const x = <Foo.Bar y={z} />", ["Foo", "z"]),
        ("export { x } from 'm'", []),
        ("label: for (;;) { break label }", []),
        ("namespace N { other() }", []),
        ("implicit = 1; implicit", []),
    ],
)
def test_undefined_names(source: str, undefined: list[str]) -> None:
    assert [reference.name for reference in read(source).undefined] == undefined


def test_an_undeclared_name_written_in_a_module_is_undefined() -> None:
    assert [reference.name for reference in read("export const a = 1; counter = a").undefined] == ["counter"]


@pytest.mark.parametrize("source", ["eval(x); y", "with (a) { b }"])
def test_scoping_that_cannot_be_decided(source: str) -> None:
    facts = read(source, Language.JAVASCRIPT)
    assert not facts.scoped
    assert facts.undefined == ()


def test_bound_names() -> None:
    assert set(read("import a, {b as c} from 'm'; const {d} = c; function e() { let f }").bound) == {"a", "c", "d", "e"}


# -- components --------------------------------------------------------------------------------------------------------------------------


def test_vue() -> None:
    facts = read(
        """\
        <template>
          <!-- <Old /> -->
          <UserCard :a="x > 1"/><base-icon/><p/>
        </template>
        <script setup lang="ts">
        import UserCard from './UserCard.vue'
        const props = defineProps<{ a: string }>()
        </script>
        <style>a > b {}</style>
        """,
        Language.VUE,
    )
    assert [(element.name, element.line) for element in facts.elements] == [("UserCard", 3), ("base-icon", 3)]
    assert [(entry.module, entry.line, entry.kind) for entry in facts.imports] == [("./UserCard.vue", 6, ImportKind.IMPORT_TIME)]
    assert facts.undefined == ()
    assert facts.error_line == 0
    assert facts.code_lines == 2


def test_a_component_keeps_what_its_template_uses() -> None:
    facts = read(
        """\
        <template><user-card :kind="KINDS.a"/></template>
        <script setup lang="ts">
        import UserCard from './UserCard.vue'
        import { KINDS } from './kinds'
        import { Shape } from './shapes'
        const shape: Shape = {}
        </script>
        """,
        Language.VUE,
    )
    assert [entry.kind for entry in facts.imports] == [ImportKind.IMPORT_TIME, ImportKind.IMPORT_TIME, ImportKind.TYPE_ONLY]


def test_a_script_part_in_its_own_file() -> None:
    (statement,) = read('<template/>\n<script src="./a.js"></script>', Language.VUE).imports
    assert (statement.module, statement.line) == ("./a.js", 2)


def test_svelte() -> None:
    facts = read(
        """\
        <script>
          import { user } from './store'
          let n = $state(0)
          $: double = n * 2
          $user.name; double; missing
        </script>
        <Button on:click={f}/>
        """,
        Language.SVELTE,
    )
    assert [reference.name for reference in facts.undefined] == ["missing"]
    assert [element.name for element in facts.elements] == ["Button"]


# -- what does not parse, and what wants to hurt -----------------------------------------------------------------------------------------


def test_a_broken_file_says_where() -> None:
    facts = read("const a = 1\nconst = ;\nb()", Language.JAVASCRIPT)
    assert facts.error_line == 2
    assert facts.undefined == ()
    assert facts.calls[0].callee == "b"


def test_javascript_with_types_is_read_as_such() -> None:
    facts = read("import type {T} from 'm'\nconst f = (x: T): number => 1", Language.JAVASCRIPT)
    assert facts.error_line == 0
    assert facts.imports[0].kind is ImportKind.TYPE_ONLY


def test_members_of_types_named_like_operators() -> None:
    facts = read("type A = { kind: 'x' } | {\n  kind: 'y'\n  in: 'header'\n}\nf()", Language.TYPESCRIPT)
    assert (facts.error_line, facts.calls[0].line) == (0, 5)


@pytest.mark.parametrize(
    "source",
    [
        "const a = 1;\0\nfoo();\n",
        'const x = "\ud800";',
        'var a="' + "x" * 1_900_000 + '";',
        "f(" * 5000 + "1" + ")" * 5000,
        "[" * 50_000,
        "()=>" * 5000 + "1",
        "a" + ".b()" * 5000,
        "x = " + "a || " * 20_000 + "b",
        "x = " + "a ? b : " * 5000 + "c",
        "if (a) b();" + " else if (a) b();" * 5000,
        "x = " + "<a>" * 3000 + "</a>" * 3000,
        "x = " + "{a:" * 5000 + "1" + "}" * 5000,
        "x = " + "`${" * 5000 + "1" + "}`" * 5000,
        "new (" * 5000 + "A" + ")" * 5000,
        "try {" * 2000 + "x()" + "} catch(e) {f(e)}" * 2000,
        "p" + ".catch(e => g(e))" * 500,
        "class A { m() {" * 2000 + "x" + "}}" * 2000,
        "const " + "{a:" * 5000 + "b" + "}" * 5000 + " = x",
        "typeof (" * 5000 + "a" + ")" * 5000,
        "a = " * 5000 + "1",
    ],
    ids=lambda source: source[:12].encode("unicode_escape").decode(),
)
def test_hostile_sources_are_survived(source: str) -> None:
    started = time.process_time()
    read_script("file.js", source, Language.JAVASCRIPT)
    assert time.process_time() - started < 6


@pytest.mark.parametrize("source", ["<script>" * 5000, "<script " * 5000, '<script a="' * 5000, "<!--" * 50_000, "<A-b " * 20_000])
def test_hostile_components_are_survived(source: str) -> None:
    started = time.process_time()
    read_script("file.vue", source, Language.VUE)
    assert time.process_time() - started < 6


@pytest.mark.parametrize(
    ("source", "header", "endless", "exits"),
    [
        ("for (let i = 0; i < 3; i++) { f() }", "for (let i = 0; i < 3; i++)", False, ()),
        ("for (const a of b) { f() }", "for (const a of b)", False, ()),
        ("for (;;) { f() }", "for (;;)", True, ()),
        ("while (true) { f() }", "while (true)", True, ()),
        ("while (tries > 0) { f() }", "while (tries > 0)", False, ()),
        ("do { f() } while (true)", "(true)", True, ()),
        ("while (true) { if (f()) break }", "while (true)", True, (1,)),
        ("async () => { while (true) { try { return await f() } catch {} } }", "while (true)", True, (1,)),
        ("while (true) { switch (f()) { case 1: break } }", "while (true)", True, ()),
        ("while (true) { list.map((x) => { return x }) }", "while (true)", True, ()),
        ("outer: while (true) { for (;;) { break outer } }", "while (true)", True, (1,)),
    ],
)
def test_loops(source: str, header: str, endless: bool, exits: tuple[int, ...]) -> None:
    loop = read(source).loops[0]
    assert (loop.header, loop.endless, loop.exits) == (header, endless, exits)


def test_a_text_that_grows_is_bound_to_both_of_its_sides() -> None:
    facts = read("let text = ''\nfor (const c of all) text += pick(c)\nthis.total -= 1")
    bound = [
        (a.target, a.line, a.value.kind, [(sign, item.literal) for sign, item in a.value.items]) for a in facts.assignments[-2:] if a.value
    ]
    assert bound == [
        ("text", 2, ValueKind.OPERATION, [("+=", "text"), ("+=", "pick")]),
        ("this.total", 3, ValueKind.OPERATION, [("-=", "this.total"), ("-=", "1")]),
    ]
    assert any(call.callee == "pick" for call in facts.calls)


@pytest.mark.parametrize("source", ["await load(x)", "await load<T>(x)", "await api.load<Page<T>>(x)", "const y = await load<T>(x)"])
def test_an_awaited_call_with_type_arguments_is_awaited(source: str) -> None:
    found = read(f"async function f() {{ {source} }}", Language.TYPESCRIPT).calls
    assert [call.awaited for call in found] == [True]
