"""Platform manifests and task files."""

from __future__ import annotations

import time

import pytest

from auditor.languages.platforms import read_platform
from auditor.languages.tasks import read_tasks, tox_of_toml
from auditor.model.artifacts import PlatformFile

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: web
          image: registry/web:1.2.3
          command: [gunicorn, app]
          readinessProbe: {httpGet: {path: /health}}
---
apiVersion: v1
kind: Service
"""
HELM = """\
{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "x.name" . }}
  labels:
    {{- include "x.labels" . | nindent 4 }}
spec:
  template:
    spec:
      containers:
        - image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          livenessProbe:
            httpGet: {path: /, port: http}
{{- end }}
"""


def read(path: str, text: str, charts: frozenset[str] = frozenset()) -> PlatformFile:
    found = read_platform(path, text, charts)
    assert found is not None, path
    return found


@pytest.mark.parametrize(
    ("path", "text", "platform", "commands", "health"),
    [
        ("Procfile", "web: gunicorn app\nrelease: ./migrate\n", "procfile", [("web", "gunicorn app", 1), ("release", "./migrate", 2)], False),
        ("vercel.json", '{\n "buildCommand": "npm run build"\n}', "vercel", [("build", "npm run build", 2)], False),
        ("netlify.toml", '[build]\ncommand = "npm run build"\n', "netlify", [("build", "npm run build", 2)], False),
        ("fly.toml", '[processes]\napp = "node x"\n[[http_service.checks]]\npath = "/h"\n', "fly", [("app", "node x", 2)], True),
        ("fly.staging.toml", '[deploy]\nrelease_command = "migrate"\n', "fly", [("release", "migrate", 2)], False),
        ("render.yaml", "services:\n  - type: web\n    startCommand: node x\n    healthCheckPath: /h\n", "render", [("start", "node x", 3)], True),
        ("railway.json", '{"deploy": {"startCommand": "node x", "healthcheckPath": "/h"}}', "railway", [("start", "node x", 1)], True),
        ("railway.toml", '[deploy]\nstartCommand = "node x"\n', "railway", [("start", "node x", 2)], False),
        ("nixpacks.toml", '[start]\ncmd = "node x"\n', "nixpacks", [("start", "node x", 2)], False),
        (".replit", 'run = "npm run dev"\n[deployment]\nrun = ["node", "x"]\n', "replit", [("dev", "npm run dev", 1), ("start", "node x", 1)], False),
        ("app.yaml", "runtime: python312\nentrypoint: gunicorn app\nliveness_check: {path: /}\n", "appengine", [("start", "gunicorn app", 2)], True),
        ("heroku.yml", "run:\n  web: gunicorn app\n", "heroku", [("web", "gunicorn app", 2)], False),
        (".do/app.yaml", "services:\n  - run_command: node x\n    health_check: {http_path: /}\n", "digitalocean", [("start", "node x", 2)], True),
        ("deploy/web.service", "[Service]\nExecStart=/usr/bin/node x\n", "systemd", [("start", "/usr/bin/node x", 2)], False),
        ("ecosystem.config.js", "module.exports = {apps: [{\n script: 'npm',\n args: 'start'}]}", "pm2", [("start", "npm start", 2)], False),
        ("config/deploy.yml", "service: x\nimage: me/x\nproxy:\n  healthcheck: {path: /up}\n", "kamal", [], True),
        ("wrangler.jsonc", '{\n // name\n "name": "x", "build": {"command": "npm run build"},\n}', "cloudflare", [("build", "npm run build", 3)], False),
        ("supabase/config.toml", "[functions.x]\nverify_jwt = false\n", "supabase", [], False),
        ("k8s/web.yaml", DEPLOYMENT, "kubernetes", [("command", "gunicorn app", 10)], True),
        ("site.yml", "- hosts: all\n  tasks:\n    - name: Pull\n      shell: git pull\n", "ansible", [("Pull", "git pull", 4)], False),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 24 and "\n" not in value else "",
)  # fmt: skip
def test_manifests(path: str, text: str, platform: str, commands: list[tuple[str, str, int]], health: bool) -> None:
    found = read(path, text)
    assert (found.platform, found.health, found.problem) == (platform, health, "")
    assert [(command.name, command.command, command.place.line) for command in found.commands] == commands


def test_images_and_settings() -> None:
    assert read("k8s/web.yaml", DEPLOYMENT).images == ("registry/web:1.2.3",)
    assert ("spec.replicas", "2") in read("k8s/web.yaml", DEPLOYMENT).settings
    assert read("kustomization.yaml", "images:\n  - {name: a, newTag: '2'}\n").images == ("a:2",)
    terraform = read("main.tf", 'resource "aws_ecs_service" "web" {\n}\nlocals { x = 1 }\nimage = "a:1"\n')
    assert (terraform.settings, terraform.images) == ((("resource.aws_ecs_service", "web"),), ("a:1",))
    assert ("add_header", "X-Frame-Options DENY") in read("nginx.conf", "server {\n  add_header X-Frame-Options DENY;\n}\n").settings


def test_helm_templates_are_read_through_their_holes() -> None:
    charts = frozenset({"chart"})
    found = read("chart/templates/web.yaml", HELM, charts)
    assert (found.platform, found.health, found.images, found.problem) == ("helm", True, ("templated:templated",), "")
    broken = read("chart/templates/odd.yaml", "a: {{ x }}\n  b: [\n image: nginx:1\n", charts)
    assert (broken.images, broken.problem) == (("nginx:1",), "")
    assert read("chart/values.yaml", "image: {repository: a, tag: '1'}\n", charts).images == ("a:1",)
    assert read_platform("i18n/values.yaml", "image: a\n") is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app.json", '{"expo": {"name": "x"}}'),
        ("openapi.yaml", "openapi: 3.0.0\n"),
        ("config/deploy.yml", "stages: [a]\n"),
        ("process.js", "export const process = 1"),
        ("src/user.service", "export class UserService {}"),
        ("logging.conf", "[loggers]\nkeys=root\n"),
        ("app.yaml", "name: settings\n"),
    ],
)
def test_lookalikes_are_no_platforms(path: str, text: str) -> None:
    assert read_platform(path, text) is None


@pytest.mark.parametrize(
    "path",
    [
        "vercel.json",
        "fly.toml",
        "render.yaml",
        "k8s/a.yaml",
        "app.yaml",
        "Procfile",
        "main.tf",
        "nginx.conf",
        "Chart.yaml",
        "ecosystem.config.js",
    ],
)
@pytest.mark.parametrize(
    "text", ["", "{", "[[", '{"a": ' * 50_000, "[" * 100_000, "apiVersion: v1\nkind: A\n" + "- " * 90_000, "x" * 2_000_000, "a: *b\n"]
)
def test_hostile_manifests_end_quickly(path: str, text: str) -> None:
    started = time.process_time()
    read_platform(path, text)
    assert time.process_time() - started < 30


def names(path: str, text: str) -> list[tuple[str, str, int]]:
    found = read_tasks(path, text)
    assert found is not None
    return [(task.name, task.command, task.place.line) for task in found.tasks]


def test_task_files() -> None:
    make = ".PHONY: test\nPY := python\ntest: lint ## run\n\t@pytest \\\n\t  -q\n\nlint:\n\truff check\n"
    assert names("Makefile", make) == [("test", "make lint\npytest -q", 3), ("lint", "ruff check", 7)]
    assert names("justfile", "set x := 'a'\ntest *args: lint\n    pytest {{args}}\nlint:\n    ruff\n") == [
        ("test", "just lint\npytest {{args}}", 2),
        ("lint", "ruff", 4),
    ]
    assert names("tox.ini", "[tox]\n[testenv]\ncommands =\n    pytest\n[testenv:lint]\ncommands = ruff\n") == [
        ("", "pytest", 2),
        ("lint", "ruff", 5),
    ]
    assert names("noxfile.py", "import nox\n@nox.session(python=['3.11'])\ndef tests(session):\n    session.run('pytest', '-q')\n") == [
        ("tests", "pytest -q", 2)
    ]
    assert names("Taskfile.yml", "tasks:\n  test:\n    deps: [build]\n    cmds:\n      - pytest\n      - task: lint\n") == [
        ("test", "task build\npytest\ntask lint", 2)
    ]
    assert names("bin/go", "#!/usr/bin/env bash\npytest\n") == [("go", "#!/usr/bin/env bash\npytest\n", 1)]
    toml = tox_of_toml("pyproject.toml", '[tool.tox.env_run_base]\ncommands = [["pytest", "-q"]]\n')
    assert toml is not None
    assert toml.tasks[0].command == "pytest -q"
    assert read_tasks("README.md", "# test") is None


@pytest.mark.parametrize("path", ["Makefile", "justfile", "tox.ini", "noxfile.py", "Taskfile.yml", "x.sh"])
@pytest.mark.parametrize(
    "text", ["a:" * 100_000, "a: b\n" * 50_000, "a " * 140_000, "\\\n" * 100_000, "@session\n" * 30_000, "[testenv]\n" * 20_000]
)
def test_hostile_task_files_end_quickly(path: str, text: str) -> None:
    started = time.process_time()
    read_tasks(path, text)
    assert time.process_time() - started < 30
