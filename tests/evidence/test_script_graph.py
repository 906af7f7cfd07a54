"""The module graph of small JavaScript, TypeScript, Vue and Svelte trees, from real facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.gather import gather
from auditor.model.evidence import ModuleGraph
from auditor.model.need import Known
from auditor.model.needs import MODULE_GRAPH
from auditor.model.syntax import ImportKind
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts

LOAD, LAZY, TYPE = ImportKind.IMPORT_TIME, ImportKind.LAZY, ImportKind.TYPE_ONLY
USE = "x()\n"


def graph(tmp_path: Path, texts: Mapping[str, str]) -> ModuleGraph:
    root = from_texts(tmp_path / "app", texts)
    found: Known[Any] | Any = gather(Context(root, Cache(None), "2026-03-01"), read_tree(root), [MODULE_GRAPH])["module-graph"]
    assert isinstance(found, Known), found
    value: ModuleGraph = found.value
    return value


def edges(found: ModuleGraph) -> dict[tuple[str, str], ImportKind]:
    return {(edge.source, edge.target): edge.kind for edge in found.edges}


def missing(found: ModuleGraph) -> list[tuple[str, str, str]]:
    return [(gap.path, gap.module, gap.name) for gap in found.unresolved]


def package(**entries: object) -> str:
    return json.dumps({"name": "app", **entries})


@pytest.mark.parametrize(
    ("statement", "target", "kind"),
    [
        ("import x from './b'\nx()", "src/b.ts", LOAD),
        ("import x from './b.js'\nx()", "src/b.ts", LOAD),
        ("import { x } from './folder'\nx()", "src/folder/index.ts", LOAD),
        ("import type { X } from './b'", "src/b.ts", TYPE),
        ("import { X } from './b'\nlet a: X", "src/b.ts", TYPE),
        ("const load = () => import('./b')", "src/b.ts", LAZY),
        ("const where = './b'\nconst load = () => import(where)", "src/b.ts", LAZY),
        ("const x = require('./b')", "src/b.ts", LOAD),
        ("export { x } from './b'", "src/b.ts", LOAD),
        ("export * from './b'", "src/b.ts", LOAD),
        ("let a: import('./b').X", "src/b.ts", TYPE),
        ("new Worker(new URL('./b.ts', import.meta.url))", "src/b.ts", LAZY),
        ("import data from './data.json'\nimport './style.css'", "", LOAD),
    ],
)
def test_ways_to_import(tmp_path: Path, statement: str, target: str, kind: ImportKind) -> None:
    found = graph(
        tmp_path,
        {
            "package.json": package(),
            "src/a.ts": statement,
            "src/b.ts": "export default function x() {}\nexport { x }\nexport type X = 1\n",
            "src/folder/index.ts": "export const x = () => 1\n",
            "src/data.json": "{}",
            "src/style.css": "",
        },
    )
    assert edges(found) == ({("src/a.ts", target): kind} if target else {})
    assert missing(found) == []


def test_an_import_that_takes_effect_earlier_wins(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            "src/a.ts": "import type { X } from './b'\nimport { x } from './b'\nx()\n",
            "src/b.ts": "export const x = () => 1\nexport type X = 1\n",
        },
    )
    assert edges(found) == {("src/a.ts", "src/b.ts"): LOAD}


@pytest.mark.parametrize(
    ("configuration", "specifier"),
    [
        ({"tsconfig.json": '{"compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"]}}} // comment'}, "@/b"),
        ({"tsconfig.json": '{"compilerOptions": {"baseUrl": "src",}}'}, "b"),
        ({"tsconfig.json": '{"extends": "./base.json"}', "base.json": '{"compilerOptions": {"paths": {"~/*": ["./src/*"]}}}'}, "~/b"),
        ({"jsconfig.json": '{"compilerOptions": {"paths": {"b": ["./src/b"]}}}'}, "b"),
        ({"vite.config.ts": "export default { resolve: { alias: { '@': path.resolve(__dirname, './src') } } }"}, "@/b"),
        ({"webpack.config.js": "module.exports = { resolve: { alias: { app: path.join(__dirname, 'src') } } }"}, "app/b"),
        ({"package.json": package(imports={"#b": "./src/b.ts"})}, "#b"),
        ({"package.json": package(name="app", exports={"./b": "./src/b.ts"})}, "app/b"),
        ({"package.json": package()}, "@/b"),
    ],
)
def test_aliases(tmp_path: Path, configuration: dict[str, str], specifier: str) -> None:
    texts = {"package.json": package(), "src/a.ts": f"import {{ x }} from '{specifier}'\nx()\n", "src/b.ts": "export const x = () => 1\n"}
    found = graph(tmp_path, {**texts, **configuration})
    assert edges(found)["src/a.ts", "src/b.ts"] is LOAD
    assert missing(found) == []


def test_an_alias_that_leads_nowhere_is_a_gap(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            "tsconfig.json": '{"compilerOptions": {"paths": {"@/*": ["./src/*"]}}}',
            "src/a.ts": "import { x } from '@/gone'\nimport { y } from './also-gone'\nimport z from 'left-pad'\nx(y, z)\n",
        },
    )
    assert missing(found) == [("src/a.ts", "@/gone", ""), ("src/a.ts", "./also-gone", "")]
    assert [use.package for use in found.externals] == ["left-pad"]


def test_workspaces(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            "package.json": json.dumps({"private": True, "workspaces": ["packages/*"]}),
            "packages/data/package.json": json.dumps({"name": "@shop/data", "main": "dist/index.js"}),
            "packages/data/src/index.ts": "export * from './order'\n",
            "packages/data/src/order.ts": "export const order = () => 1\n",
            "packages/web/package.json": json.dumps({"name": "@shop/web", "dependencies": {"@shop/data": "workspace:*"}}),
            "packages/web/src/main.ts": "import { order, invoice } from '@shop/data'\norder(invoice)\n",
        },
    )
    assert edges(found)["packages/web/src/main.ts", "packages/data/src/index.ts"] is LOAD
    assert missing(found) == [("packages/web/src/main.ts", "@shop/data", "invoice")]


def test_names_go_through_re_exports(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            "src/a.ts": "import { one, two as second, three } from './index'\nimport rules from './index'\none(second, three, rules)\n",
            "src/index.ts": "export * from './one'\nexport { two } from './one'\nexport { default } from './rules'\n",
            "src/one.ts": "export const one = () => 1\nconst two = 2\nexport { two }\n",
            "src/rules.ts": "export default {}\n",
        },
    )
    assert missing(found) == [("src/a.ts", "./index", "three")]


@pytest.mark.parametrize(
    "module",
    [
        "module.exports = { other: 1 }",
        "exports.other = 1",
        "export * from 'somewhere'",
        "export * from './made-by-a-build/types.generated'",
    ],
)
def test_names_of_modules_that_cannot_be_known(tmp_path: Path, module: str) -> None:
    found = graph(tmp_path, {"src/a.js": "import { x } from './b'\nx()\n", "src/b.js": module + "\n", ".gitignore": "made-by-a-build/\n"})
    assert [gap for gap in missing(found) if gap[2]] == []


def test_what_is_ignored_or_generated_is_no_gap(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            ".gitignore": "secrets.ts\n",
            "src/a.ts": "import { x } from './secrets'\nimport { y } from './generated/client'\nimport v from 'virtual:pages'\nimport z from './icon.svg?raw'\nx(y, v, z)\n",
            "src/icon.svg": "<svg/>",
        },
    )
    assert missing(found) == []


def test_a_guarded_import_is_marked(tmp_path: Path) -> None:
    found = graph(tmp_path, {"src/a.js": "let x\ntry { x = require('./optional') } catch { x = null }\n"})
    assert [(gap.module, gap.guarded) for gap in found.unresolved] == [("./optional", True)]


def test_a_builds_alias_that_leads_nowhere_leaves_the_written_name(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            "package.json": package(workspaces=["packages/*"]),
            "packages/web/package.json": json.dumps({"name": "web", "dependencies": {"@shop/common": "*"}}),
            "packages/web/vite.config.ts": "export default { resolve: { alias: { '@shop/common': '@shop/common/src' } } }\n",
            "packages/web/main.ts": "import { a } from '@shop/common/mail'\nimport type { B } from '@shop/common/src/mail'\na()\nlet b: B\n",
            "packages/web/types.ts": "import type { B } from '@shop/common/src/mail'\nlet b: B\n",
            "packages/common/package.json": json.dumps({"name": "@shop/common"}),
            "packages/common/src/mail.ts": "export const a = () => 1\nexport type B = number\n",
        },
    )
    assert edges(found) == {
        ("packages/web/main.ts", "packages/common/src/mail.ts"): LOAD,
        ("packages/web/types.ts", "packages/common/src/mail.ts"): TYPE,
    }


@pytest.mark.parametrize(
    ("signature", "kept"),
    [
        ("one(a: Thing): void {}", True),
        ("one(a: Thing | null): void {}", True),
        ("one(): Thing { return null }", True),
        ("one(): Promise<Thing> { return null }", False),
        ("one(a: Thing[]): void {}", False),
        ("one(a: Thing | Other): void {}", False),
    ],
)
def test_types_that_a_decorated_signature_keeps(tmp_path: Path, signature: str, kept: bool) -> None:
    text = f"import {{ Query }} from '@nestjs/graphql'\nimport {{ Thing, Other }} from './b'\nexport class A {{\n  @Query()\n  {signature}\n}}\n"
    found = graph(tmp_path, {"package.json": package(), "src/a.ts": text, "src/b.ts": "export class Thing {}\nexport class Other {}\n"})
    assert edges(found) == {("src/a.ts", "src/b.ts"): LOAD if kept else TYPE}


@pytest.mark.parametrize(
    ("template", "kind"), [("<Log />", LOAD), ("<!-- Log -->", TYPE), ("<p :of='log as Log' />", TYPE), ("<p>{{ Log }}</p>", LOAD)]
)
def test_what_a_template_uses_is_there_at_run_time(tmp_path: Path, template: str, kind: ImportKind) -> None:
    text = f"<template>\n{template}\n</template>\n<script setup lang='ts'>\nimport {{ Log }} from './b'\nconst log: Log = 1\n</script>\n"
    found = graph(tmp_path, {"package.json": package(), "src/a.vue": text, "src/b.ts": "export const Log = 1\nexport type Log = number\n"})
    assert edges(found) == {("src/a.vue", "src/b.ts"): kind}


def test_components(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            "package.json": package(dependencies={"vue": "3", "svelte": "4"}),
            "src/App.vue": "<template><Card/></template>\n<script setup lang='ts'>\nimport Card from './Card.vue'\nimport { Shape } from './shapes'\nconst s: Shape = 1\n</script>\n",
            "src/Card.vue": "<template><p/></template>\n<script src='./card.js'></script>\n",
            "src/card.js": "export default {}\n",
            "src/shapes.ts": "export type Shape = number\n",
            "src/Row.svelte": "<script>\n  import { x } from './card.js'\n  x()\n</script>\n<p/>\n",
        },
    )
    assert edges(found) == {
        ("src/App.vue", "src/Card.vue"): LOAD,
        ("src/App.vue", "src/shapes.ts"): TYPE,
        ("src/Card.vue", "src/card.js"): LOAD,
        ("src/Row.svelte", "src/card.js"): LOAD,
    }
    assert missing(found) == [("src/Row.svelte", "./card.js", "x")]


def test_a_pattern_behind_an_alias(tmp_path: Path) -> None:
    paths = json.dumps({"compilerOptions": {"paths": {"@modules/*": ["./src/modules/*"]}}})
    texts = {
        "package.json": package(),
        "tsconfig.json": paths,
        "src/main.ts": "const all = import.meta.glob('@modules/*.ts', { eager: true })\n",
    }
    found = graph(tmp_path, {**texts, "src/modules/mail.ts": "export const mail = 1\n", "src/other/mail.ts": "export const mail = 1\n"})
    assert edges(found) == {("src/main.ts", "src/modules/mail.ts"): LOAD}


def test_patterns_of_files(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            "package.json": package(),
            "src/main.ts": "const pages = import.meta.glob('./pages/**/*.{ts,js}')\nconst all = import.meta.glob(['/src/modules/*.ts'], { eager: true })\n",
            "src/pages/home.ts": "export const home = 1\n",
            "src/pages/admin/users.js": "export const users = 1\n",
            "src/modules/mail.ts": "export const mail = 1\n",
            "src/modules/deep/more.ts": "export const more = 1\n",
        },
    )
    assert edges(found) == {
        ("src/main.ts", "src/modules/mail.ts"): LOAD,
        ("src/main.ts", "src/pages/admin/users.js"): LAZY,
        ("src/main.ts", "src/pages/home.ts"): LAZY,
    }


@pytest.mark.parametrize("pattern", ["./**/**/**/**/**/**/**/**/*", "./{{{,*", "./" + "*" * 500, "./pages/*{", "}*{"])
def test_odd_patterns(tmp_path: Path, pattern: str) -> None:
    assert edges(graph(tmp_path, {"src/a.ts": f"import.meta.glob('{pattern}')\n", "src/b.ts": "export {}\n"})) in (
        {},
        {("src/a.ts", "src/b.ts"): LAZY},
    )


def test_malformed_configuration_says_nothing(tmp_path: Path) -> None:
    found = graph(
        tmp_path,
        {
            "package.json": '{"name": 1, "exports": [[[', "tsconfig.json": '{"compilerOptions": []}', "packages/x/package.json": "[" * 5000,
            "vite.config.ts": "alias: {" * 500, "src/a.ts": "import { x } from './b'\nx()\n", "src/b.ts": "export const x = () => 1\n",
        },
    )  # fmt: skip
    assert edges(found) == {("src/a.ts", "src/b.ts"): LOAD}
