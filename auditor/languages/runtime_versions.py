"""Which version of a run-time a text names: version files, tags of container images, settings of platforms."""

from __future__ import annotations

import re

from auditor.end_of_life import NODE_NAMES

VERSION_FILES = {".python-version": "python", ".nvmrc": "node", ".node-version": "node", "runtime.txt": "python"}
_TOOL_NAMES = {"python": "python", "nodejs": "node", "node": "node"}
_PYTHON_IMAGE = re.compile(r"(?:^|/)python(?::|$)")
_NODE_IMAGE = re.compile(r"(?:^|/)node(?::|$)")
_DISTROLESS_NODE = re.compile(r"(?:^|/)nodejs(\d{1,2})-debian\d+")
_LAMBDA = re.compile(r"(?:^|/)lambda/(python|nodejs):(\d+(?:\.\d+)?)")
_PYTHON_IN_TAG = re.compile(r"(?:^|[-_])python-?(\d\.\d{1,2})(?:\D|$)")
_CODENAME = re.compile(r"(?:^|[-_:])(jessie|stretch|buster|bullseye|bookworm)(?:[-_]|$)")
_NEWEST = re.compile(r"lts/\*|node|latest|current|stable|3|pypy3")
_NUMBER = re.compile(r"v?(\d{1,3}(?:\.\d{1,3}){0,2})(?!\.?\d)")


def of_image(reference: str) -> list[tuple[str, str]]:
    """(product, version) of a base image; "" as the version where the tag follows the newest. Nothing for images that do not tell."""
    image = reference.split("@", 1)[0].lower()
    name, _, tag = image.rpartition(":") if ":" in image.rsplit("/", 1)[-1] else (image, "", "")
    found: list[tuple[str, str]] = []
    serverless, distroless, inside = _LAMBDA.search(image), _DISTROLESS_NODE.search(name), _PYTHON_IN_TAG.search(tag)
    if serverless:
        found.append(("python" if serverless[1] == "python" else "node", serverless[2]))
    elif distroless:
        found.append(("node", distroless[1]))
    elif _PYTHON_IMAGE.search(image):
        found.append(("python", _python(tag)))
    elif _NODE_IMAGE.search(image):
        found.append(("node", of_text("node", tag.split("-", 1)[0])))
    elif inside:
        found.append(("python", inside[1]))
    code = _CODENAME.search(tag)
    if code:
        found.append(("debian", code[1]))
    elif re.search(r"(?:^|/)ubuntu$", name) and re.match(r"\d\d\.\d\d", tag):
        found.append(("ubuntu", tag[:5]))
    return [entry for entry in found if "$" not in reference or entry[1]]


def _python(tag: str) -> str:
    number = re.match(r"(\d\.\d{1,2})(?:\.\d{1,3})?(?!\d)", tag)
    return number[1] if number else ""


def of_text(product: str, text: str) -> str:
    """The version a short text names ("v18.17.0", "lts/hydrogen", "python-3.9.1"), "" for whatever is newest or not told."""
    plain = text.strip().lower().removeprefix("python-").removeprefix("lts/").removeprefix("node-")
    if product == "node" and plain in NODE_NAMES:
        return NODE_NAMES[plain]
    number = _NUMBER.match(plain)
    if number is None or (product == "python" and "." not in number[1]):
        return ""
    return number[1]


def of_file(name: str, text: str) -> list[tuple[str, str, int]]:
    """(product, version, line) of a version file; a file that follows the newest has "" as its version."""
    found = []
    for number, raw in enumerate(text.splitlines()[:50], 1):
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        if name == ".tool-versions":
            tool, _, rest = line.partition(" ")
            if tool in _TOOL_NAMES:
                found.append((_TOOL_NAMES[tool], of_text(_TOOL_NAMES[tool], rest.strip().split(" ")[0]), number))
        elif name != "runtime.txt" or line.startswith("python-"):
            product = VERSION_FILES[name]
            version = of_text(product, line)
            if version or _NEWEST.fullmatch(line.lower()):
                found.append((product, version, number))
    return found


def of_setting(key: str, value: str) -> tuple[str, str] | None:
    """(product, version) of a platform's setting: `NODE_VERSION`, `PYTHON_VERSION`, `runtime: python39`, `nodejs18.x`."""
    last = key.rsplit(".", 1)[-1].lower()
    named = re.fullmatch(r"(node|python)_version", last)
    if named:
        version = of_text(named[1], value)
        return (named[1], version) if version else None
    runtime = re.fullmatch(r"(nodejs|python)(\d)?\.?(\d{1,2})(?:\.x)?", value.strip().lower()) if last == "runtime" else None
    if runtime is None:
        return None
    if runtime[1] == "nodejs":
        return "node", f"{runtime[2] or ''}{runtime[3]}"
    return ("python", f"{runtime[2]}.{runtime[3]}") if runtime[2] else None
