"""What a framework lets through before a handler runs: the same field twice, once narrowed by its schema and once any text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.test_flows import examine

CASES = {
    "Hono, zod": (
        (
            "import { Hono } from 'hono';\nimport { zValidator } from '@hono/zod-validator';\nimport { z } from 'zod';\nimport { db } from './db';\nconst app = new Hono();\n"
            "app.get('/x', zValidator('query', z.object({ safe: z.enum(['a', 'b']), raw: z.string() })), async (c) => {\n  const x = c.req.valid('query');\n"
        ),
        "});\n",
    ),
    "Fastify, JSON schema": (
        (
            "import Fastify from 'fastify';\nimport { db } from './db';\nconst app = Fastify();\n"
            "app.post('/x', { schema: { body: { type: 'object', properties: { safe: { type: 'integer' }, raw: { type: 'string' } } } } }, async (request, reply) => {\n  const x = request.body;\n"
        ),
        "});\n",
    ),
    "Fastify, TypeBox": (
        (
            "import Fastify from 'fastify';\nimport { Type } from '@sinclair/typebox';\nimport { db } from './db';\nconst app = Fastify();\n"
            "app.post('/x', { schema: { body: Type.Object({ safe: Type.Union([Type.Literal('a'), Type.Literal('b')]), raw: Type.String() }) } }, async (request, reply) => {\n  const x = request.body;\n"
        ),
        "});\n",
    ),
    "Nest, decorators of a class": (
        (
            "import { Body, Controller, Post } from '@nestjs/common';\nimport { IsIn, IsString } from 'class-validator';\nimport { db } from './db';\n"
            "class Item {\n  @IsIn(['a', 'b'])\n  safe: string;\n  @IsString()\n  raw: string;\n}\n@Controller('x')\nexport class Items {\n  @Post()\n  make(@Body() x: Item) {\n"
        ),
        "  }\n}\n",
    ),
    "zod, made later": (
        (
            "import express from 'express';\nimport { z } from 'zod';\nimport { db } from './db';\nconst app = express();\nconst S = z.lazy(() => z.object({ safe: z.number(), raw: z.string(), inner: z.array(S) }));\n"
            "app.post('/x', (req, res) => {\n  const x = S.parse(req.body);\n"
        ),
        "});\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_field_is_as_narrow_as_what_its_framework_lets_through(case: str, tmp_path: Path) -> None:
    head, tail = CASES[case]
    text = f"{head}  db.query(`SELECT * FROM t WHERE a = ${{x.safe}}`);\n  db.query(`SELECT * FROM t WHERE a = '${{x.raw}}'`);\n{tail}"
    line = text[: text.index("x.raw")].count("\n") + 1
    assert [(hit.rule, hit.line) for hit in examine(tmp_path, {"server/main.ts": text}).hits] == [("sql-injection", line)]
