"""Which files describe a deployment, and their reading as `PlatformFile`; the formats stand in the modules beside this one."""

from __future__ import annotations

import re

from auditor.languages import platforms_text as plain
from auditor.languages import platforms_yaml as structured
from auditor.model.artifacts import PlatformFile

_BY_NAME = {
    "procfile": plain.read_procfile,
    "vercel.json": plain.read_vercel,
    "netlify.toml": plain.read_netlify,
    "railway.json": plain.read_railway,
    "railway.toml": plain.read_railway,
    "nixpacks.toml": plain.read_nixpacks,
    "nixpacks.json": plain.read_nixpacks,
    "firebase.json": plain.read_firebase,
    "wrangler.toml": plain.read_wrangler,
    "wrangler.json": plain.read_wrangler,
    "wrangler.jsonc": plain.read_wrangler,
    "dockerrun.aws.json": plain.read_beanstalk_json,
    ".replit": plain.read_replit,
    "app.json": plain.read_heroku_app,
    "heroku.yml": structured.read_heroku,
    "render.yaml": structured.read_render,
    "render.yml": structured.read_render,
    "serverless.yml": structured.read_serverless,
    "serverless.yaml": structured.read_serverless,
    "kustomization.yaml": structured.read_kustomization,
    "kustomization.yml": structured.read_kustomization,
    "chart.yaml": structured.read_helm,
}
_BY_PATTERN = (
    (re.compile(r"(?:^|/)fly(?:\.[\w-]+)?\.toml$"), plain.read_fly),
    (re.compile(r"(?:^|/)supabase/config\.toml$"), plain.read_supabase),
    (re.compile(r"(?:^|/)\.do/(?:app|deploy\.template)\.ya?ml$"), structured.read_digitalocean),
    (re.compile(r"\.tf$"), plain.read_terraform),
    (re.compile(r"(?:^|/)(?:ecosystem|pm2|process)(?:\.[\w-]+)?\.(?:config\.)?(?:[cm]?js|json|ya?ml)$"), plain.read_pm2),
    (re.compile(r"(?:^|/)config/deploy(?:\.[\w-]+)?\.ya?ml$"), structured.read_kamal),
    (re.compile(r"\.(?:service|container|kube)(?:\.(?:j2|tmpl|template|example|in))?$"), plain.read_systemd),
    (re.compile(r"(?:^|/)values(?:[.-][\w-]+)?\.ya?ml$"), structured.read_helm),
)
_SERVER_BLOCK = re.compile(r"^\s{0,20}server\s*\{", re.MULTILINE)
_KUBERNETES = re.compile(r"^apiVersion:\s*\S", re.MULTILINE)
_KIND = re.compile(r"^kind:\s*[\"']?[A-Z]\w+", re.MULTILINE)
_PLAY = re.compile(r"^(?:-\s+|\s{2,6})hosts:\s*\S", re.MULTILINE)
_HEAD = 20_000


def read_platform(path: str, text: str, charts: frozenset[str] = frozenset()) -> PlatformFile | None:
    """The deployment description at `path`, None when it is none; `charts` are the directories of Helm charts."""
    name = path.rpartition("/")[2].lower()
    in_chart = any(path.startswith(f"{chart}/" if chart else "") for chart in charts)
    if in_chart and ("/templates/" in f"/{path}" and name.endswith((".yaml", ".yml", ".tpl"))):
        return structured.read_helm(path, text)
    if name in _BY_NAME:
        return _BY_NAME[name](path, text)
    for pattern, reader in _BY_PATTERN:
        if pattern.search(path):
            if reader is structured.read_helm and not in_chart:
                break
            if reader is plain.read_systemd and "[" not in text[:_HEAD]:
                break
            return _accepted(reader(path, text))
    return _by_content(path, name, text)


def _accepted(found: PlatformFile) -> PlatformFile | None:
    """What the name promised, when the content keeps it."""
    if found.platform == "pm2" and not found.commands:
        return None
    if found.platform == "kamal" and not found.images:
        return None
    return None if found.platform == "systemd" and not (found.commands or found.images) else found


def _by_content(path: str, name: str, text: str) -> PlatformFile | None:
    head = text[:_HEAD]
    if name.endswith((".yaml", ".yml")):
        if _KUBERNETES.search(head) and _KIND.search(head):
            return structured.read_kubernetes(path, text)
        if re.fullmatch(r"app(?:[.-][\w-]+)?\.ya?ml", name) and re.search(r"^runtime:\s*\S", head, re.MULTILINE):
            return structured.read_appengine(path, text)
        if "AWS::Serverless" in head or "AWSTemplateFormatVersion" in head:
            return structured.read_serverless(path, text)
        if _PLAY.search(head) and re.search(r"^\s{0,8}(?:-\s+)?(?:tasks|roles|pre_tasks):", head, re.MULTILINE):
            return structured.read_ansible(path, text)
        return None
    if _nginx_name(path, name) and (_SERVER_BLOCK.search(head) or "proxy_pass" in head):
        return plain.read_nginx(path, text)
    if re.search(r"(?:^|/)\.(?:ebextensions|platform)/", path):
        return PlatformFile(path, "elasticbeanstalk")
    if name.endswith(".json") and '"apiVersion"' in head and '"kind"' in head and plain.kubernetes_json(text):
        return structured.read_kubernetes(path, text)
    return None


def _nginx_name(path: str, name: str) -> bool:
    return "nginx" in path.lower() or name.endswith((".conf", ".conf.template", ".conf.j2")) or "sites-available" in path
