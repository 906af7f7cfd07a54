"""Deployment descriptions that are no YAML: Procfile, JSON and TOML manifests, Terraform, systemd, nginx, pm2."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from auditor.languages.data_texts import flat, line_of, read_json
from auditor.languages.structured import load_toml
from auditor.model.artifacts import PlatformFile, Script
from auditor.model.verdict import Place

_TEXT_LIMIT = 500_000
_PROCESS = re.compile(r"^([A-Za-z][\w-]{0,40}):[ \t]*(\S.{0,1000})$", re.MULTILINE)


def read_procfile(path: str, text: str) -> PlatformFile:
    """A `Procfile`: one command a process."""
    found = [
        Script(match[1], match[2].strip(), Place(path, text.count("\n", 0, match.start()) + 1))
        for match in _PROCESS.finditer(text[:_TEXT_LIMIT])
    ]
    return PlatformFile(path, "procfile", tuple(found[:60]), problem="" if found else "names no process")


def _below(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _commands(path: str, text: str, table: Any, wanted: tuple[tuple[str, str], ...]) -> tuple[Script, ...]:
    """Commands below dotted keys, as (key, name of the command)."""
    found = []
    for key, name in wanted:
        value = _below(table, *key.split("."))
        command = " ".join(str(word) for word in value) if isinstance(value, list) else value
        if isinstance(command, str) and command:
            found.append(Script(name, command[:1_000], Place(path, line_of(text, key.rpartition(".")[2]))))
    return tuple(found)


_VERCEL = (("buildCommand", "build"), ("installCommand", "install"), ("devCommand", "dev"), ("ignoreCommand", "ignore"))
_NETLIFY = (("build.command", "build"), ("dev.command", "dev"))
_RAILWAY = (("build.buildCommand", "build"), ("deploy.preDeployCommand", "release"), ("deploy.startCommand", "start"))
_NIXPACKS = (("phases.install.cmds", "install"), ("phases.build.cmds", "build"), ("start.cmd", "start"))
_WRANGLER = (("build.command", "build"),)
_REPLIT = (("run", "dev"), ("deployment.build", "build"), ("deployment.run", "start"))
_HEROKU_APP = (("scripts.postdeploy", "release"),)


def _manifest(platform: str, wanted: tuple[tuple[str, str], ...], health: tuple[str, ...] = ()) -> Callable[[str, str], PlatformFile]:
    def read(path: str, text: str) -> PlatformFile:
        table, problem = load_toml(text) if path.endswith((".toml", ".replit")) else read_json(text)
        settings = flat(table)
        probed = any(key.endswith(health) for key, _ in settings) if health else False
        return PlatformFile(path, platform, _commands(path, text, table, wanted), probed, settings=settings, problem=problem)

    return read


read_vercel = _manifest("vercel", _VERCEL)
read_netlify = _manifest("netlify", _NETLIFY)
read_railway = _manifest("railway", _RAILWAY, ("healthcheckPath",))
read_nixpacks = _manifest("nixpacks", _NIXPACKS)
read_wrangler = _manifest("cloudflare", _WRANGLER)
read_replit = _manifest("replit", _REPLIT)
read_supabase = _manifest("supabase", ())
read_firebase = _manifest("firebase", ())
read_beanstalk_json = _manifest("elasticbeanstalk", ())


def read_heroku_app(path: str, text: str) -> PlatformFile | None:
    """`app.json` of Heroku; None when it is another program's (Expo, a theme)."""
    table, problem = read_json(text)
    if problem or not table.keys() & {"buildpacks", "formation", "addons", "stack", "repository", "environments"} or "expo" in table:
        return None
    return PlatformFile(path, "heroku", _commands(path, text, table, _HEROKU_APP), settings=flat(table))


def read_fly(path: str, text: str) -> PlatformFile:
    """`fly.toml`: processes, release command, checks and image."""
    table, problem = load_toml(text)
    processes = table.get("processes")
    found = [
        Script(name, command, Place(path, line_of(text, "[processes]", name)))
        for name, command in (processes.items() if isinstance(processes, dict) else ())
        if isinstance(command, str)
    ]
    settings = flat(table)
    image = _below(table, "build", "image")
    return PlatformFile(
        path,
        "fly",
        (*found, *_commands(path, text, table, (("deploy.release_command", "release"), ("experimental.cmd", "start")))),
        any(re.search(r"(?:^|\.)(?:\w*checks)\.", key) for key, _ in settings),
        (image,) if isinstance(image, str) else (),
        settings,
        problem,
    )


_RESOURCE = re.compile(r"^(resource|module|data|provider|backend)\s+\"([\w-]{1,80})\"(?:\s+\"([\w-]{1,80})\")?", re.MULTILINE)
_HCL_IMAGE = re.compile(r"\bimage\s*=\s*\"([^\"\n]{1,300})\"")


def read_terraform(path: str, text: str) -> PlatformFile:
    """A Terraform file: which resources there are and which images they run; expressions are not evaluated."""
    head = text[:_TEXT_LIMIT]
    settings = [(f"{match[1]}.{match[2]}", match[3] or "") for match in _RESOURCE.finditer(head)][:200]
    health = bool(re.search(r"\b(?:health_check|healthcheck|health_check_path)\b", head))
    return PlatformFile(path, "terraform", (), health, tuple(dict.fromkeys(_HCL_IMAGE.findall(head))), tuple(settings))


_UNIT_KEY = re.compile(r"^(\w{1,40})[ \t]*=[ \t]*(.{0,1000})$", re.MULTILINE)


def read_systemd(path: str, text: str) -> PlatformFile:
    """A systemd unit or Podman quadlet."""
    keys = [(match[1], match[2].strip(), text.count("\n", 0, match.start()) + 1) for match in _UNIT_KEY.finditer(text[:20_000])]
    names = {"ExecStart": "start", "ExecStartPre": "release", "Exec": "start"}
    commands = tuple(Script(names[key], value, Place(path, line)) for key, value, line in keys if key in names and value)
    images = tuple(value for key, value, _ in keys if key == "Image")
    return PlatformFile(
        path, "systemd", commands, any(key.startswith("Health") for key, _, _ in keys), images, tuple((k, v[:300]) for k, v, _ in keys)
    )


_NGINX = re.compile(
    r"^\s{0,80}(listen|server_name|proxy_pass|root|add_header|limit_req|client_max_body_size|ssl_protocols|return|upstream)\s+([^;{\n]{1,300})",
    re.MULTILINE,
)


def read_nginx(path: str, text: str) -> PlatformFile:
    """An nginx configuration: the directives that say what it serves."""
    settings = [(match[1], match[2].strip()) for match in _NGINX.finditer(text[:_TEXT_LIMIT])]
    return PlatformFile(path, "nginx", (), "health" in text[:_TEXT_LIMIT], settings=tuple(settings[:300]))


_PM2_KEY = re.compile(
    r"\b(script|args|exec_mode|instances|interpreter|name|post-deploy|ref|repo)\b[\"']?\s*:\s*(?:[\"'`]([^\"'`\n]{0,500})[\"'`]|(\d+))"
)


def read_pm2(path: str, text: str) -> PlatformFile:
    """`ecosystem.config.js` or `.json`: scripts and their arguments, read as text since it is a program."""
    pairs = [(m[1], m[2] or m[3] or "", text.count("\n", 0, m.start()) + 1) for m in _PM2_KEY.finditer(text[:100_000])]
    commands = []
    for key, value, line in pairs:
        if key == "script":
            commands.append(Script("start", value, Place(path, line)))
        elif key == "args" and commands:
            last = commands.pop()
            commands.append(Script(last.name, f"{last.command} {value}", last.place))
        elif key == "post-deploy":
            commands.append(Script("release", value, Place(path, line)))
    return PlatformFile(path, "pm2", tuple(commands), settings=tuple((key, value) for key, value, _ in pairs[:100]))


def kubernetes_json(text: str) -> bool:
    """Whether a JSON text is a Kubernetes object."""
    try:
        value = json.loads(text[:_TEXT_LIMIT])
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and {"apiVersion", "kind"} <= value.keys()
