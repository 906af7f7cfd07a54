"""Places where the check of the other side's certificate is switched off, and how sure it is that the other side is a remote host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.checks.reach import within
from auditor.model.artifacts import Deployment, Manifests
from auditor.model.project import Project
from auditor.model.syntax import Call, FileFacts, Syntax, ValueKind


@dataclass(frozen=True, slots=True)
class Unchecked:
    """One place; `remote`: what is reached through it is certainly another machine."""

    path: str
    line: int
    end_line: int
    remote: bool
    everything: bool = False
    """Every connection of the process is meant, not one."""


_SCRIPT = re.compile(r"\brejectUnauthorized['\"]?\s*[:=]\s*false\b|\bstrictSSL['\"]?\s*:\s*false\b")
_SCRIPT_ALL = re.compile(r"process\.env(?:\.|\[['\"])NODE_TLS_REJECT_UNAUTHORIZED(?:['\"]\])?\s*=\s*['\"]?0\b")
_SCRIPT_ON = re.compile(r"\brejectUnauthorized['\"]?\s*[:=]\s*(?!false\b)\w")
_PYTHON = re.compile(
    r"\bverify_mode\s*=\s*(?:ssl\.)?CERT_NONE\b|\bsetopt\([^)\n]{0,60}SSL_VERIFYPEER\s*,\s*(?:0|False)\b|\bssl_cert_reqs['\"]?\s*[=:]\s*(?:['\"]?none['\"]?|ssl\.CERT_NONE|None)\b",
    re.IGNORECASE,
)
_SESSION = re.compile(r"(?:^|\.)(?:requests\.)?(?:Session|session|Client|AsyncClient)$")
_PYTHON_ALL = re.compile(r"_create_default_https_context\s*=\s*ssl\._create_unverified_context")
_SETTING = re.compile(r"\bNODE_TLS_REJECT_UNAUTHORIZED\s*=\s*['\"]?0\b|\bPYTHONHTTPSVERIFY\s*=\s*['\"]?0\b")
_CLIENT = re.compile(
    r"(?:^|\.)(?:get|post|put|patch|delete|head|options|request|stream|send|Client|AsyncClient|Session|ClientSession|TCPConnector|urlopen|client|resource|Elasticsearch|OpenSearch|Minio)$"
)
LOCAL_HOST = re.compile(
    r"//(?:[^/@\s]{1,60}@)?(?:localhost|127\.|0\.0\.0\.0|\[?::1|host\.docker\.internal|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|[\w-]{1,40}(?:[:/]|$)|[\w.-]{1,60}\.(?:local|internal|lan|test|svc)\b)",
    re.IGNORECASE,
)
_BARE_LOCAL = re.compile(r"^(?:localhost|127\.0\.0\.1|::1|0\.0\.0\.0)$")
REMOTE_HOST = re.compile(
    r"^(?:https|wss|rediss|amqps|mongodb\+srv)://(?:[^/@\s]{1,60}@)?(?:[\w-]{1,63}\.){1,6}[a-z]{2,20}\b", re.IGNORECASE
)
_CHOSEN = re.compile(r"\bif\b.{0,120}(?:unsafe|insecure|ignore|skip|self_?signed|verify|tls|ssl|trust|cert)", re.IGNORECASE)
_DEVELOPMENT = re.compile(
    r"!==?\s*['\"]production|===?\s*['\"](?:dev|development|test|local)|\bis_?(?:dev|local|test)\w*|settings\.DEBUG|\bif\s+DEBUG\b|__DEV__",
    re.IGNORECASE,
)
_PRODUCTION = re.compile(r"===?\s*['\"]production['\"]|\bis_?prod\w*", re.IGNORECASE)


def unchecked(syntax: Syntax, project: Project, texts: dict[str, str]) -> list[Unchecked]:
    """Every place in production code on the server, in path order; choices of the operator and development switches left out."""
    found: list[Unchecked] = []
    for facts in syntax.of(project.server):
        text = texts.get(facts.path, "")
        if not re.search(
            r"rejectUnauthorized|strictSSL|TLS_REJECT|verify|CERT_NONE|cert_reqs|_create_unverified|ssl\s*=\s*False|VERIFYPEER",
            text,
            re.IGNORECASE,
        ):
            continue
        found += _in_python(facts, text) if facts.path.endswith(".py") else _in_script(facts, text)
    return found


def settings_off(deployment: Deployment, manifests: Manifests) -> Iterator[Unchecked]:
    """Container files, compose services, platform files and start scripts that switch the check off for a whole process."""
    for file in deployment.dockerfiles:
        for instruction in file.instructions if file.purpose == "production" else ():
            if instruction.keyword in {"ENV", "CMD", "ENTRYPOINT"} and _SETTING.search(
                instruction.text.replace(" ", "=", 1) if "=" not in instruction.text else instruction.text
            ):
                yield Unchecked(file.path, instruction.line, instruction.end_line, remote=True, everything=True)
    for service in deployment.compose:
        if any(_SETTING.search(f"{name}={value}") for name, value in service.environment) and not re.search(
            r"dev|test|local|override", service.path
        ):
            yield Unchecked(service.path, service.line, service.line, remote=True, everything=True)
    for manifest in manifests.manifests:
        for script in manifest.scripts:
            if re.match(r"^(?:start|serve|prod)", script.name) and "dev" not in script.name and _SETTING.search(script.command):
                yield Unchecked(script.place.path, script.place.line, script.place.end_line, remote=True, everything=True)


def _in_script(facts: FileFacts, text: str) -> Iterator[Unchecked]:
    lines = text.split("\n")
    offers_both = bool(_SCRIPT_ON.search(text))
    for number, line in enumerate(lines, 1):
        if len(line) > 400 or line.lstrip().startswith(("//", "*", "/*")):
            continue
        everything = bool(_SCRIPT_ALL.search(line))
        if not everything and not _SCRIPT.search(line):
            continue
        around = "\n".join(lines[max(0, number - 5) : number])
        if _DEVELOPMENT.search(around) or _CHOSEN.search(around) or (offers_both and not everything):
            continue
        hosts = _hosts(facts, number)
        if _only_local(hosts):
            continue
        remote = everything or bool(_PRODUCTION.search(around)) or any(REMOTE_HOST.match(host) for host in hosts)
        yield Unchecked(facts.path, number, number, remote, everything)


def _in_python(facts: FileFacts, text: str) -> Iterator[Unchecked]:
    lines = text.split("\n")
    for call in facts.calls:
        if not _is_off(call):
            continue
        around = "\n".join(lines[max(0, call.line - 4) : call.line - 1])
        if _DEVELOPMENT.search(around) or _CHOSEN.search(around):
            continue
        own = [
            a.value.literal for a in call.arguments if a.value.kind in {ValueKind.STRING, ValueKind.TEMPLATE} and "://" in a.value.literal
        ]
        hosts = own or _hosts(facts, call.line)
        if not _only_local(hosts):
            yield Unchecked(facts.path, call.line, call.end_line, any(REMOTE_HOST.match(host) for host in hosts))
    unverified = _sessions_off(facts)
    for number, line in enumerate(lines, 1):
        if len(line) > 400 or line.lstrip().startswith("#"):
            continue
        everything = bool(_PYTHON_ALL.search(line))
        if everything or _PYTHON.search(line) or number in unverified:
            around = "\n".join(lines[max(0, number - 5) : number - 1])
            hosts = _hosts(facts, number)
            if not (_DEVELOPMENT.search(around) or _CHOSEN.search(around) or (_only_local(hosts) and not everything)):
                yield Unchecked(facts.path, number, number, everything or any(REMOTE_HOST.match(host) for host in hosts), everything)


def _sessions_off(facts: FileFacts) -> frozenset[int]:
    """Lines where a session of an HTTP client that is made in this file is told not to check: `session.verify = False`."""
    made = {call.target for call in facts.calls if call.target and _SESSION.search(call.callee)}
    return frozenset(
        a.line
        for a in facts.assignments
        if a.target.removesuffix(".verify") in made and a.target.endswith(".verify") and a.value is not None and a.value.text == "False"
    )


def _is_off(call: Call) -> bool:
    name = call.callee.rsplit(".", 1)[-1]
    if name == "_create_unverified_context":
        return call.used or bool(call.target)
    if not _CLIENT.search(call.callee):
        return False
    flags = [call.argument("verify"), call.argument("verify_ssl"), call.argument("verify_certs")]
    if name in {"get", "post", "put", "patch", "delete", "request", "TCPConnector", "ws_connect"}:
        flags.append(call.argument("ssl"))
    return any(flag is not None and flag.kind is ValueKind.BOOLEAN and flag.text == "False" for flag in flags)


def _hosts(facts: FileFacts, line: int) -> list[str]:
    """The addresses that are written in the function around a line, or else in the file."""
    inside = [i for i, d in enumerate(facts.definitions) if d.line <= line <= d.end_line]
    scopes = within(facts, inside[0]) if inside else frozenset()
    near = [literal.text for literal in facts.literals if literal.scope in scopes and _is_host(literal.text)]
    return near or [literal.text for literal in facts.literals if _is_host(literal.text)]


def _is_host(text: str) -> bool:
    return bool(re.match(r"^[a-z][a-z+]{1,11}://", text, re.IGNORECASE)) or bool(_BARE_LOCAL.match(text))


def _only_local(hosts: list[str]) -> bool:
    return bool(hosts) and all(_BARE_LOCAL.match(host) or LOCAL_HOST.search(host) for host in hosts)
