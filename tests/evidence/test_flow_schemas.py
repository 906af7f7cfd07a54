"""Values that went through a schema are as narrow as it: numbers, dates, ids and one of a few words cannot change a query, any text can."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.test_flows import examine

EXPRESS = "import express from 'express';\nimport { db } from './db';\nconst app = express();\n"
SCRIPTS = {
    "zod": (
        "import { z } from 'zod';\nconst S = z.object({ safe: z.coerce.number().int(), raw: z.string().max(5) });",
        "const x = S.parse(req.body);",
    ),
    "zod, one of a few": ("import { z } from 'zod';\nconst S = z.object({ safe: z.enum(['a', 'b']).optional(), raw: z.string() });", "const x = S.parse(req.body);"),
    "zod, an id": ("import * as z from 'zod';\nconst S = z.strictObject({ safe: z.uuid(), raw: z.email() });", "const x = S.parse(req.body);"),
    "zod, a pattern": (
        "import { z } from 'zod';\nconst S = z.object({ safe: z.string().regex(/^[a-z]+$/), raw: z.string().regex(/^.+$/) });",
        "const x = S.parse(req.body);",
    ),
    "zod, a check of its own": (
        "import { z } from 'zod';\nconst UNITS = ['day', 'hour'];\nconst S = z.object({ safe: z.string().refine(v => UNITS.includes(v)), raw: z.string().refine(v => v.length < 9) });",
        "const x = S.parse(req.body);",
    ),
    "zod, converted": (
        "import { z } from 'zod';\nconst S = z.object({ safe: z.string().transform(Number), raw: z.string().transform(v => v.trim()) });",
        "const x = S.parse(req.body);",
    ),
    "zod, answered": (
        "import { z } from 'zod';\nconst S = z.object({ safe: z.number(), raw: z.string() });",
        "const answer = S.safeParse(req.body);\n  if (!answer.success) return res.sendStatus(400);\n  const x = answer.data;",
    ),
    "zod, the request read again": (
        "import { z } from 'zod';\nconst S = z.object({ safe: z.number(), raw: z.string() });",
        "if (!S.safeParse(req.body).success) return res.sendStatus(400);\n  const x = req.body;",
    ),
    "zod, extended": (
        "import { z } from 'zod';\nconst base = z.object({ safe: z.number() });\nconst S = base.extend({ raw: z.string() }).partial();",
        "const x = S.parse(req.body);",
    ),
    "zod, in a list": (
        "import { z } from 'zod';\nconst S = z.array(z.object({ safe: z.number(), raw: z.string() }));",
        "const x = S.parse(req.body)[0];",
    ),
    "zod, further fields": (
        "import { z } from 'zod';\nconst S = z.object({ safe: z.number() }).passthrough();",
        "const x = S.parse(req.body);",
    ),
    "valibot": (
        "import * as v from 'valibot';\nconst S = v.object({ safe: v.picklist(['a']), raw: v.pipe(v.string(), v.trim()) });",
        "const x = v.parse(S, req.body);",
    ),
    "valibot, a pipe": (
        "import * as v from 'valibot';\nconst S = v.object({ safe: v.pipe(v.string(), v.transform(Number)), raw: v.string() });",
        "const { output: x } = v.safeParse(S, req.body);",
    ),
    "yup": (
        "import * as yup from 'yup';\nconst S = yup.object().shape({ safe: yup.string().oneOf(['a']), raw: yup.string() });",
        "const x = await S.validate(req.body);",
    ),
    "yup, undeclared fields": (
        "import { object, number } from 'yup';\nconst S = object({ safe: number().required() });",
        "const x = await S.validate(req.body);",
    ),
    "joi": (
        "import Joi from 'joi';\nconst S = Joi.object({ safe: Joi.string().valid('a', 'b'), raw: Joi.string().max(3) });",
        "const { error, value: x } = S.validate(req.body);\n  if (error) return res.sendStatus(400);",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SCRIPTS)
def test_a_field_is_as_narrow_as_its_schema(case: str, tmp_path: Path) -> None:
    schema, parse = SCRIPTS[case]
    body = "  db.query(`SELECT * FROM t WHERE a = '${x.safe}'`);\n  db.query(`SELECT * FROM t WHERE a = '${x.raw}'`);\n"
    text = f"{EXPRESS}{schema}\napp.post('/', async (req, res) => {{\n  {parse}\n{body}}});\n"
    found = examine(tmp_path, {"server/main.ts": text})
    last = text.count("\n") - 1
    assert [(hit.rule, hit.line) for hit in found.hits] == [("sql-injection", last)]
    assert ("server/main.ts", last - 1, 89) in found.settled


def test_a_schema_works_through_a_function_that_reads_requests(tmp_path: Path) -> None:
    texts = {
        "lib/request.ts": (
            "export async function parseRequest(request, schema) {\n  const url = new URL(request.url);\n  let query = Object.fromEntries(url.searchParams);\n"
            "  let body = await request.json();\n  let error;\n  if (schema) {\n    const isGet = request.method === 'GET';\n"
            "    const result = schema.safeParse(isGet ? query : body);\n    if (!result.success) {\n      error = () => Response.json({}, { status: 400 });\n"
            "    } else if (isGet) {\n      query = result.data;\n    } else {\n      body = result.data;\n    }\n  }\n  return { query, body, error };\n}\n"
        ),
        "app/items/route.ts": (
            "import { z } from 'zod';\nimport { db } from '../../lib/db';\nimport { parseRequest } from '../../lib/request';\n"
            "const schema = z.object({ limit: z.coerce.number().optional(), name: z.string() });\n"
            "export async function GET(request: Request) {\n  const { query, error } = await parseRequest(request, schema);\n  if (error) return error();\n"
            "  const { limit, name } = query;\n  await db.query(`SELECT * FROM t LIMIT ${limit}`);\n  return db.query(`SELECT * FROM t WHERE a = '${name}'`);\n}\n"
        ),
        "app/raw/route.ts": (
            "import { db } from '../../lib/db';\nimport { parseRequest } from '../../lib/request';\n"
            "export async function GET(request: Request) {\n  const { query } = await parseRequest(request);\n  return db.query(`SELECT * FROM t LIMIT ${query.limit}`);\n}\n"
        ),
    }
    assert [(hit.path, hit.line) for hit in examine(tmp_path, texts).hits] == [("app/items/route.ts", 10), ("app/raw/route.ts", 5)]


FASTAPI = (
    "import re\nfrom datetime import date\nfrom enum import Enum\nfrom typing import Annotated, Literal, Optional\nfrom uuid import UUID\n"
    "from fastapi import FastAPI, Query\nfrom pydantic import BaseModel, Field, constr\napp = FastAPI()\n\n\nclass Order(str, Enum):\n    up = 'asc'\n    down = 'desc'\n\n\n"
)
FASTAPI_FIELDS = {
    "a number": ("safe: int", "raw: str"),
    "perhaps a date": ("safe: date | None = None", "raw: str | None = None"),
    "one of a few": ("safe: Literal['a', 'b']", "raw: Optional[str] = None"),
    "an enumeration": ("safe: Order = Order.up", "raw: str = 'asc'"),
    "a pattern": ("safe: Annotated[str, Field(pattern='^[a-z]+$')]", "raw: Annotated[str, Field(max_length=5)]"),
    "a pattern beside the type": ("safe: str = Field(..., pattern='^[a-z]+$')", "raw: str = Field(..., pattern='^[a-z]')"),
    "a constrained text": ("safe: constr(pattern='^[a-z]+$')", "raw: constr(max_length=3)"),
    "an id": ("safe: UUID", "raw: str"),
}  # fmt: skip
QUERIES = "    db.execute(f\"SELECT * FROM t WHERE a = '{x.safe}'\")\n    db.execute(f\"SELECT * FROM t WHERE a = '{x.raw}'\")\n"


def judged(tmp_path: Path, text: str) -> None:
    """The last line of the text is harmed, the one before it is known to be harmless."""
    found = examine(tmp_path, {"app/main.py": text})
    last = text.count("\n")
    assert [(hit.rule, hit.line) for hit in found.hits] == [("sql-injection", last)]
    assert ("app/main.py", last - 1, 89) in found.settled


@pytest.mark.parametrize("case", FASTAPI_FIELDS)
def test_a_field_of_a_body_is_as_narrow_as_its_type(case: str, tmp_path: Path) -> None:
    safe, raw = FASTAPI_FIELDS[case]
    judged(tmp_path, f"{FASTAPI}class Item(BaseModel):\n    {safe}\n    {raw}\n\n\n@app.post('/')\ndef view(x: Item):\n{QUERIES}")


@pytest.mark.parametrize("case", FASTAPI_FIELDS)
def test_a_parameter_is_as_narrow_as_its_type(case: str, tmp_path: Path) -> None:
    safe, raw = (text.replace("Field(", "Query(") for text in FASTAPI_FIELDS[case])
    judged(tmp_path, f"{FASTAPI}@app.get('/')\ndef view({raw}, *, {safe}):\n{QUERIES.replace('x.', '')}")


@pytest.mark.parametrize(
    "parse",
    ["Item(**request.get_json())", "Item.model_validate(request.get_json())", "Item(safe=request.json['safe'], raw=request.json['raw'])"],
)
def test_a_model_made_by_hand_is_as_narrow_as_its_types(parse: str, tmp_path: Path) -> None:
    head = "from flask import Flask, request\nfrom pydantic import BaseModel\napp = Flask(__name__)\n\n\nclass Base(BaseModel):\n    safe: int\n\n\nclass Item(Base):\n    raw: str\n\n\n"
    judged(tmp_path, f"{head}@app.post('/')\ndef view():\n    x = {parse}\n{QUERIES}")


def test_inner_models_and_lists_keep_their_fields(tmp_path: Path) -> None:
    head = f"{FASTAPI}class Part(BaseModel):\n    safe: int\n    raw: str\n\n\nclass Whole(BaseModel):\n    parts: list[Part]\n\n\n"
    judged(tmp_path, f"{head}@app.post('/')\ndef view(whole: Whole):\n    x = whole.parts[0]\n{QUERIES}")


def test_a_schema_of_marshmallow(tmp_path: Path) -> None:
    head = (
        "from flask import Flask, request\nfrom marshmallow import Schema, fields, validate\napp = Flask(__name__)\n\n\nclass ItemSchema(Schema):\n"
        "    safe = fields.Str(validate=validate.OneOf(['a', 'b']))\n    raw = fields.Str(validate=validate.Length(max=5))\n\n\n"
    )
    queries = (
        QUERIES.replace("{x.safe}", '{x["safe"]}')
        .replace("{x.raw}", '{x["raw"]}')
        .replace('(f"SELECT', "(f'''SELECT")
        .replace("'\")", "' ''')")
    )
    judged(tmp_path, f"{head}@app.post('/')\ndef view():\n    x = ItemSchema().load(request.get_json())\n{queries}")


def test_a_form_of_django(tmp_path: Path) -> None:
    head = "from django import forms\nfrom django.db import connection\n\n\nclass ItemForm(forms.Form):\n    safe = forms.IntegerField()\n    raw = forms.CharField()\n\n\n"
    body = "    form = ItemForm(request.POST)\n    if not form.is_valid():\n        return None\n    x = form.cleaned_data\n    cursor = connection.cursor()\n"
    queries = (
        "    cursor.execute('SELECT * FROM t WHERE a = %s' % x['safe'])\n    cursor.execute('SELECT * FROM t WHERE a = %s' % x['raw'])\n"
    )
    judged(tmp_path, f"{head}def view(request):\n{body}{queries}")


def test_a_module_is_no_text(tmp_path: Path) -> None:
    text = (
        "import importlib\nfrom flask import Flask, request\napp = Flask(__name__)\n\n\n@app.route('/')\ndef view():\n"
        "    module = importlib.import_module(request.args['name'])\n    return open(module.PATH).read()\n"
    )
    assert [hit.rule for hit in examine(tmp_path, {"app/main.py": text}).hits] == ["code-injection"]
