"""What a repository is: small trees of every kind, and the cases that are easily taken for another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.gather import gather
from auditor.model.need import Known
from auditor.model.needs import PROJECT
from auditor.model.project import Project, Side
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts


def project(root: Path, texts: Mapping[str, str]) -> Project:
    from_texts(root, texts)
    evidence = gather(Context(root, Cache(None), "2026-03-01"), read_tree(root), [PROJECT])["project"]
    assert isinstance(evidence, Known), evidence
    return evidence.value


def package(**values: object) -> str:
    return json.dumps(values)


VITE = package(
    private=True,
    scripts={"dev": "vite", "build": "vite build"},
    dependencies={"react": "^18", "react-dom": "^18"},
    devDependencies={"vite": "^5"},
)
REACT = 'import { createRoot } from "react-dom/client";\ncreateRoot(document.getElementById("root")!).render(<p>hello</p>);\n'
FASTAPI = 'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/health")\ndef health():\n    return {"ok": True}\n'

KINDS: dict[str, tuple[set[str], dict[str, str]]] = {
    "fastapi": ({"service"}, {"requirements.txt": "fastapi\n", "app/main.py": FASTAPI}),
    "fastapi with pages in strings": (
        {"fullstack"},
        {
            "app.py": "from fastapi import FastAPI\nfrom fastapi.responses import HTMLResponse\napp = FastAPI()\n\n@app.get('/', response_class=HTMLResponse)\ndef home():\n    return '<html></html>'\n"
        },
    ),
    "flask with templates": (
        {"fullstack"},
        {
            "app.py": "from flask import Flask, render_template\napp = Flask(__name__)\n\n@app.get('/')\ndef home():\n    return render_template('home.html')\n",
            "templates/home.html": "<html></html>",
        },
    ),
    "flask subclassed": (
        {"service"},
        {"shop/__init__.py": "from flask import Flask\n\nclass Shop(Flask):\n    pass\n\n\ndef create():\n    return Shop(__name__)\n"},
    ),
    "flask under another name": ({"service"}, {"app.py": "import flask as f\napp = f.Flask(__name__)\n"}),
    "django without constructor": (
        {"service"},
        {
            "requirements.txt": "django\n",
            "manage.py": "import os\nfrom django.core.management import execute_from_command_line\n",
            "shop/settings.py": "import django\nDEBUG = False\n",
            "shop/views.py": "from django.http import JsonResponse\n\ndef home(request):\n    return JsonResponse({})\n",
        },
    ),
    "a service with mail templates has no pages": (
        {"service"},
        {"app.py": FASTAPI, "templates/email/welcome.html": "<html></html>"},
    ),
    "one answer of raw HTML makes no user interface": (
        {"service"},
        {
            "app.py": FASTAPI
            + "\nfrom fastapi.responses import HTMLResponse\n\n\n@app.get('/preview', response_class=HTMLResponse)\ndef preview():\n    return load()\n"
        },
    ),
    "management command of a web project": (
        {"service"},
        {
            "pyproject.toml": '[project]\nname = "x"\n[project.scripts]\nx = "x.__main__:main"\n',
            "x/app.py": FASTAPI,
            "x/__main__.py": "def main():\n    print('x')\n",
        },
    ),
    "celery worker": ({"service"}, {"worker.py": "from celery import Celery\napp = Celery('x')\n\n@app.task\ndef send():\n    return 1\n"}),
    "lambda": ({"service"}, {"main.py": "import json\n\ndef lambda_handler(event, context):\n    return json.dumps(event)\n"}),
    "streamlit": ({"app"}, {"app.py": "import streamlit as st\nst.title('x')\n"}),
    "bot": ({"app"}, {"bot.py": "import discord\nclient = discord.Client()\n"}),
    "airflow": ({"pipeline"}, {"dags/load.py": "from airflow import DAG\nwith DAG('x') as dag:\n    pass\n"}),
    "dbt": ({"pipeline"}, {"dbt_project.yml": "name: x\n", "models/a.py": "def model(dbt, session):\n    return dbt.ref('x')\n"}),
    "python command": (
        {"cli"},
        {"pyproject.toml": '[project]\nname = "x"\n[project.scripts]\nx = "x:main"\n', "x.py": "def main():\n    print('x')\n"},
    ),
    "python script": ({"cli"}, {"run.py": "import argparse\n\nif __name__ == '__main__':\n    argparse.ArgumentParser().parse_args()\n"}),
    "python library": (
        {"library"},
        {
            "pyproject.toml": '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "x"\n[tool.poe.tasks]\ntest = "pytest"\n',
            "src/x/__init__.py": "def f():\n    return 1\n",
        },
    ),
    "service with a command of its own": (
        {"service", "cli"},
        {
            "pyproject.toml": '[project]\nname = "x"\n[project.scripts]\nx = "cli.tool:main"\n',
            "app.py": FASTAPI,
            "cli/tool.py": "def main():\n    print('x')\n",
        },
    ),
    "service whose command starts it": (
        {"service"},
        {
            "pyproject.toml": '[project]\nname = "x"\n[project.scripts]\nx = "app:main"\n',
            "app.py": FASTAPI + "\n\ndef main():\n    import uvicorn\n    uvicorn.run(app)\n",
        },
    ),
    "express": (
        {"service"},
        {
            "package.json": package(dependencies={"express": "^4"}),
            "server.js": "const express = require('express');\nconst app = express();\napp.listen(3000);\n",
        },
    ),
    "express by another name": (
        {"service"},
        {
            "package.json": package(dependencies={"express": "^4"}),
            "server.mjs": "import createApp from 'express';\nconst app = createApp();\napp.listen(3000);\n",
        },
    ),
    "express with static pages": (
        {"fullstack"},
        {
            "package.json": package(dependencies={"express": "^4"}),
            "server.js": "const app = require('express')();\napp.listen(3000);\n",
            "public/index.html": "<html></html>",
        },
    ),
    "next": (
        {"fullstack"},
        {
            "package.json": package(private=True, dependencies={"next": "15", "react": "19"}),
            "app/page.tsx": "export default function Page() {\n  return <p>x</p>;\n}\n",
        },
    ),
    "sveltekit declared for development": (
        {"fullstack"},
        {
            "package.json": package(private=True, devDependencies={"@sveltejs/kit": "2", "svelte": "5"}),
            "src/routes/+page.ts": "export const load = () => ({});\n",
        },
    ),
    "vite": ({"frontend"}, {"package.json": VITE, "index.html": "<html></html>", "src/main.tsx": REACT}),
    "vite with supabase functions": (
        {"fullstack"},
        {
            "package.json": VITE,
            "index.html": "<html></html>",
            "src/main.tsx": REACT,
            "supabase/functions/pay/index.ts": "Deno.serve(async (req) => new Response('ok'));\n",
        },
    ),
    "vite with functions of its platform": (
        {"fullstack"},
        {
            "package.json": VITE,
            "index.html": "<html></html>",
            "src/main.tsx": REACT,
            "api/pay.ts": "export default function handler(req, res) {\n  res.json({});\n}\n",
        },
    ),
    "static site": ({"frontend"}, {"index.html": "<html></html>", "script.js": "document.title = 'x';\n"}),
    "astro": (
        {"frontend"},
        {
            "package.json": package(private=True, dependencies={"astro": "4"}, scripts={"dev": "astro dev"}),
            "src/util.ts": "export const x = 1;\n",
        },
    ),
    "component library": (
        {"library"},
        {
            "package.json": package(
                name="ui",
                exports="./dist/index.js",
                peerDependencies={"react": "*"},
                scripts={"build": "vite build"},
                devDependencies={"vite": "5"},
            ),
            "src/Button.tsx": 'import { useState } from "react";\nexport const Button = () => <button>{useState(1)[0]}</button>;\n',
        },
    ),
    "node command": ({"cli"}, {"package.json": package(name="x", bin={"x": "cli.js"}), "cli.js": "console.log('x');\n"}),
    "electron": (
        {"app"},
        {
            "package.json": package(devDependencies={"electron": "30"}),
            "main.js": "const { app } = require('electron');\napp.whenReady();\n",
        },
    ),
    "tauri plugin": (
        {"library"},
        {
            "package.json": package(name="p", exports="./i.js", dependencies={"@tauri-apps/api": "2"}),
            "src/index.ts": 'import { invoke } from "@tauri-apps/api/core";\nexport const f = () => invoke("x");\n',
        },
    ),
    "expo": (
        {"app", "frontend"},
        {
            "package.json": package(dependencies={"expo": "51", "react": "18", "react-native": "0.74"}),
            "App.tsx": 'import { View } from "react-native";\nexport default () => <View />;\n',
        },
    ),
    "a server of the model context protocol over pipes": (
        {"cli"},
        {"server.py": "from mcp.server.fastmcp import FastMCP\n\nmcp = FastMCP('notes')\n\nif __name__ == '__main__':\n    mcp.run()\n"},
    ),
    "a server of the model context protocol over the network": (
        {"service"},
        {
            "server.py": "from mcp.server.fastmcp import FastMCP\n\nmcp = FastMCP('notes')\n",
            "main.py": "import os\nfrom server import mcp\n\nmcp.run(transport=os.environ['TRANSPORT'])\n",
        },
    ),
    "nothing that runs": ({"library"}, {"README.md": "# x\n"}),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str, tmp_path: Path) -> None:
    expected, texts = KINDS[name]
    found = project(tmp_path, texts)
    assert {kind.value for kind in found.kinds} == expected, [part.reason for part in found.parts]


def test_parts_of_a_monorepo(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "package.json": package(private=True, workspaces=["apps/*", "packages/*"]),
            "launch.mjs": "console.log('all');\n",
            "apps/web/package.json": VITE,
            "apps/web/index.html": "<html></html>",
            "apps/web/src/main.tsx": REACT,
            "apps/api/pyproject.toml": '[project]\nname = "api"\ndependencies = ["fastapi"]\n',
            "apps/api/main.py": FASTAPI,
            "packages/money/package.json": package(name="money", exports="./index.ts"),
            "packages/money/index.ts": "export const cents = (x: number) => x * 100;\n",
            "packages/money/index.test.ts": "import { cents } from './index';\n",
        },
    )
    assert {part.root: {kind.value for kind in part.kinds} for part in found.parts} == {
        "apps/api": {"service"},
        "apps/web": {"frontend"},
        "packages/money": {"library"},
    }
    assert found.part_of("apps/api/main.py").uses("fastapi")
    assert found.production == {"apps/web/src/main.tsx", "apps/api/main.py", "packages/money/index.ts", "launch.mjs"}
    assert found.sides["apps/web/src/main.tsx"] is Side.BROWSER


def test_sides_of_an_application_with_both(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "package.json": package(private=True, dependencies={"next": "15", "react": "19"}),
            "app/page.tsx": 'import { Box } from "../lib/box";\nimport { rows } from "../lib/rows";\nexport default async function Page() {\n  return <Box>{await rows()}</Box>;\n}\n',
            "app/api/pay/route.ts": 'import { sum } from "../../../lib/sum";\nexport async function POST() {\n  return Response.json(sum(1, 2));\n}\n',
            "lib/box.tsx": '"use client";\nimport { sum } from "./sum";\nexport const Box = ({ children }) => <div>{children}{sum(1, 1)}</div>;\n',
            "lib/rows.ts": 'import { Pool } from "pg";\nexport const rows = async () => (await new Pool().query("select 1")).rows;\n',
            "lib/sum.ts": "export const sum = (a: number, b: number) => a + b;\n",
        },
    )
    assert found.sides["lib/box.tsx"] is Side.BROWSER
    assert found.sides["app/api/pay/route.ts"] is Side.SERVER
    assert found.sides["lib/rows.ts"] is Side.SERVER
    assert found.sides["lib/sum.ts"] is Side.BOTH


def test_hooks_of_a_server_are_no_hooks_of_components(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "package.json": package(private=True, dependencies={"express": "5", "react": "19"}),
            "src/main.ts": 'import express from "express";\nimport { onStart } from "./hooks/start";\nconst app = express();\nonStart(app);\napp.listen(80);\n',
            "src/hooks/start.ts": "export const onStart = (app) => app.use((req, res, next) => next());\n",
            "web/hooks/useTotal.ts": "export const useTotal = (rows) => rows.length;\n",
        },
    )
    assert found.sides["src/hooks/start.ts"] is Side.SERVER
    assert found.sides["web/hooks/useTotal.ts"] is Side.BROWSER


def test_components_and_what_serves_them_run_in_the_browser(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "package.json": package(private=True, dependencies={"nuxt": "3", "vue": "3"}),
            "nuxt.config.ts": "export default defineNuxtConfig({});\n",
            "pages/index.vue": "<script setup>\nconst total = ref(0);\n</script>\n<template><p>{{ total }}</p></template>\n",
            "plugins/theme.ts": "export default defineNuxtPlugin(async () => {\n  await fetch('/api/theme');\n});\n",
            "server/api/theme.get.ts": "export default defineEventHandler(() => ({ dark: true }));\n",
        },
    )
    assert found.sides["pages/index.vue"] is Side.BROWSER
    assert found.sides["plugins/theme.ts"] is Side.BROWSER
    assert found.sides["server/api/theme.get.ts"] is Side.SERVER


def test_type_imports_and_tests_make_no_framework(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "package.json": package(name="x", exports="./i.ts"),
            "i.ts": 'import type { Express } from "express";\nexport const mount = (app: Express) => app;\n',
            "i.test.ts": 'import express from "express";\nexpress();\n',
        },
    )
    assert found.uses("express") is None
    assert {kind.value for kind in found.kinds} == {"library"}
