"""Container files and compose files: pure functions from texts to `Dockerfile` and `ComposeService`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from pathspec import GitIgnoreSpec

from auditor.languages.yaml_nodes import NOTHING, Node, flattened, read_yaml
from auditor.model.artifacts import ComposeService, Dockerfile, Instruction

_SIZE_LIMIT = 500_000
_INSTRUCTIONS = 2_000
_HEREDOC_LINES = 500
_HEREDOC = re.compile(r"<<-?\s*[\"']?([A-Za-z_]\w{0,60})[\"']?")
_FLAG = re.compile(r"--[a-z][\w-]{0,40}(?:=(?:\"[^\"\n]{0,500}\"|\S{0,500}))?")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?:(:?[-+])([^${}]{0,200}))?\}|(\w+))")
_KEYWORD = re.compile(r"\s*([A-Za-z]{2,20})(?:\s+|$)")
_DEVELOPMENT = re.compile(
    r"(?:^|[._/-])(?:dev|devel|development|local|debug|devcontainer|playground|gitpod|sandbox)(?:[._/-]|$)", re.IGNORECASE
)
_FOR_CI = re.compile(
    r"(?:^|[._/-])(?:ci|test|tests|testing|e2e|lint|bench|benchmark|cypress|playwright|\.github|\.gitlab|\.circleci|ratelimit)(?:[._/-]|$)",
    re.IGNORECASE,
)
PROBED = (".git", ".env", "node_modules")
"""Paths that must not enter an image, asked of every ignore file whether or not they are tracked."""


def purpose_of(path: str) -> str:
    """What an image or compose file is for, as far as its place says: "development", "ci" or "production"."""
    if _DEVELOPMENT.search(path):
        return "development"
    return "ci" if _FOR_CI.search(path) else "production"


def read_dockerfile(path: str, text: str) -> Dockerfile:
    """A container file without what stands around it: `ignore_file`, `ignored` and `context` are filled in by `in_context`."""
    if len(text) > _SIZE_LIMIT:
        return Dockerfile(path, (), (), purpose_of(path), "", (), "larger than 500 kB: not read")
    instructions, problem = _instructions(text)
    if not any(instruction.keyword == "FROM" for instruction in instructions):
        problem = problem or "has no FROM"
    return Dockerfile(path, tuple(instructions), _base_images(instructions), purpose_of(path), "", (), problem)


def _instructions(text: str) -> tuple[list[Instruction], str]:
    lines = text.split("\n")
    escape = "`" if re.match(r"(?:#[^\n]{0,200}\n){0,5}#\s*escape\s*=\s*`", text) else "\\"
    found: list[Instruction] = []
    stage, number = -1, 0
    problem = ""
    while number < len(lines) and len(found) < _INSTRUCTIONS:
        stripped = lines[number].strip()
        if not stripped or stripped.startswith("#"):
            number += 1
            continue
        first = number
        body, number = _folded(lines, number, escape)
        keyword = _KEYWORD.match(body)
        if not keyword:
            problem = problem or f"line {first + 1} is no instruction"
            continue
        name, rest = keyword[1].upper(), body[keyword.end() :]
        heredoc = ""
        if name in {"RUN", "COPY", "ADD"}:
            heredoc, number = _heredocs(rest, lines, number)
        stage += name == "FROM"
        found.append(_instruction(name, rest, heredoc, (first + 1, number), stage))
    return found, problem


def _folded(lines: list[str], number: int, escape: str) -> tuple[str, int]:
    """The instruction that begins at `number` with its continuation lines folded, and the index of the next line."""
    parts: list[str] = []
    while number < len(lines):
        line = lines[number]
        number += 1
        if parts and (not line.strip() or line.lstrip().startswith("#")):
            continue  # comments and empty lines inside a continued instruction are skipped
        if line.rstrip().endswith(escape):
            parts.append(line.rstrip()[:-1].strip())
            continue
        parts.append(line.strip())
        break
    return " ".join(part for part in parts if part), number


def _heredocs(rest: str, lines: list[str], number: int) -> tuple[str, int]:
    """Bodies of the here-documents an instruction opens, and the index of the line after them."""
    bodies: list[str] = []
    for marker in _HEREDOC.findall(rest[:2_000])[:8]:
        start = number
        end = min(len(lines), start + _HEREDOC_LINES)
        while number < end and lines[number].strip() != marker:
            number += 1
        if number == end:
            return "", start  # never closed: not a here-document (a shell shift, say)
        bodies.append("\n".join(lines[start:number]))
        number += 1
    return "\n".join(bodies), number


def _instruction(name: str, rest: str, heredoc: str, span: tuple[int, int], stage: int) -> Instruction:
    flags: list[str] = []
    while match := _FLAG.match(rest):
        flags.append(match[0])
        rest = rest[match.end() :].lstrip()
    exec_form: tuple[str, ...] = ()
    if rest.startswith("["):
        try:
            words = json.loads(rest[:20_000])
        except (ValueError, RecursionError):
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            exec_form = tuple(words)
    text = f"{rest}\n{heredoc}" if heredoc else rest
    return Instruction(name, text, span[0], span[1], stage, tuple(flags), exec_form)


def _base_images(instructions: list[Instruction]) -> tuple[str, ...]:
    arguments: dict[str, str] = {}
    images: list[str] = []
    for instruction in instructions:
        if instruction.keyword == "ARG" and not images:
            for word in instruction.text.split():
                name, equals, value = word.partition("=")
                if equals:
                    arguments[name] = substituted(value.strip("\"'"), arguments)
        elif instruction.keyword == "FROM":
            images.append(substituted(instruction.text.split(" ")[0].strip("\"'"), arguments))
    return tuple(images)


def substituted(text: str, values: Mapping[str, str]) -> str:
    """`text` with `$X`, `${X}`, `${X:-default}` and `${X:+other}` replaced where a value or default is known."""

    def replaced(match: re.Match[str]) -> str:
        name, operator, word = match[1] or match[4], match[2] or "", match[3] or ""
        value = values.get(name, "")
        if operator.endswith("+"):
            return word if value else ""
        return value or (word if operator else match[0])

    return _VARIABLE.sub(replaced, text[:2_000])[:2_000]  # a value that names itself would double with every line


def stage_names(dockerfile: Dockerfile) -> dict[str, int]:
    """Stage names (lower case) and their numbers."""
    found = {}
    for instruction in dockerfile.instructions:
        words = instruction.text.split()
        if instruction.keyword == "FROM" and len(words) >= 3 and words[1].lower() == "as":
            found[words[2].lower()] = instruction.stage
    return found


def in_context(dockerfile: Dockerfile, context: str, texts: Mapping[str, str]) -> Dockerfile:
    """The container file as built in the directory `context`, with the ignore file that holds there and what it keeps out."""
    beside = f"{dockerfile.path}.dockerignore"
    own = f"{context}/.dockerignore" if context else ".dockerignore"
    ignore_file = next((path for path in (beside, own) if path in texts), "")
    ignored = ignored_by(texts[ignore_file], PROBED) if ignore_file else ()
    return replace(dockerfile, context=context, ignore_file=ignore_file, ignored=ignored)


def ignored_by(text: str, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Which of `paths` (relative to the context) an ignore file keeps out; unlike git's, its patterns begin at the context's root."""
    lines = []
    for line in text[:100_000].splitlines()[:2_000]:
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        negated = pattern.startswith("!")
        pattern = pattern.lstrip("!").strip().removeprefix("./").strip("/")
        if pattern:
            lines.append(("!" if negated else "") + ("" if pattern.startswith("**/") else "/") + pattern)
    try:
        spec = GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):
        return ()
    return tuple(path for path in paths if spec.match_file(path) or spec.match_file(path + "/x"))


def read_compose(path: str, text: str) -> tuple[ComposeService, ...]:
    """The services of a compose file in order; anchors and merge keys are followed, `extends` within the file too."""
    root = read_yaml(text).root
    services = root.get("services")
    if not services and root.is_mapping and root.entries and all(node.get("image") or node.get("build") for _, node in root.items()):
        services = root  # the first version of the format had services at the top
    return tuple(_service(path, name, node, services) for name, node in services.items()[:300] if node.is_mapping)


def _service(path: str, name: str, node: Node, services: Node) -> ComposeService:
    extends = node.get("extends")
    base = services.get(extends.text or extends.get("service").text) if not extends.get("file") else NOTHING

    def setting(key: str) -> Node:
        return node.get(key) or base.get(key)

    build = setting("build")
    context = build.text or build.get("context").text
    settings = [(key, value) for key, value in flattened(node) if not key.startswith(("environment.", "labels."))]
    settings += [(f"build.{key}", value) for key, value in (("context", context), ("dockerfile", build.get("dockerfile").text)) if value]
    return ComposeService(
        path=path,
        name=name,
        line=node.key_line,
        image=setting("image").text,
        build=context or ("." if build else ""),
        command=_command(setting("command")) or _command(setting("entrypoint")),
        environment=_environment(setting("environment")),
        healthcheck=bool(setting("healthcheck")) and setting("healthcheck").get("disable").text != "true",
        ports=tuple(port.text or port.get("published").text or port.get("target").text for port in setting("ports").elements()[:50]),
        settings=tuple(dict.fromkeys(settings)),
    )


def _command(node: Node) -> str:
    return node.text if node.is_scalar else " ".join(scalar.text for scalar in node.scalars())


def _environment(node: Node) -> tuple[tuple[str, str], ...]:
    if node.is_mapping:
        return tuple((name, value.text) for name, value in node.items()[:300])
    pairs = (text.partition("=") for text in node.texts()[:300])
    return tuple((name, value) for name, _, value in pairs)
