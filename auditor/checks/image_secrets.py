"""Secrets that travel with a container image: in its settings, its layers and the files copied into it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.images import Image, image_finding
from auditor.model.artifacts import Instruction
from auditor.model.verdict import Finding

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:SECRET|SECRETS|PASSWORD|PASSWD|PASSPHRASE|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|SECRET_?KEY|CREDENTIALS?|SERVICE_ROLE_KEY|AUTH_KEY|SIGNING_KEY|ENCRYPTION_KEY)(?:_\w{1,12})?$",
    re.IGNORECASE,
)
_NOT_SECRET_NAME = re.compile(
    r"PUBLIC|^VITE_|^REACT_APP_|PUBLISHABLE|ANON|_FILE$|_PATH$|_URL$|_NAME$|_ID$|EXPIR|TTL|LIFETIME|LENGTH|_TYPE$|ALGORITHM|_MODE$|MIN_|MAX_|TIMEOUT|SCOPE|ENABLE|DISABLE|_HEADER$|_DIR$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"^(?:|\W*|.{0,30}(?:dummy|placeholder|change.?me|change.?this|replace|example|your[-_ ]|insecure|fake|test|not.?(?:a|so)?.?(?:real|secret|used|needed)|build|temp|xxx|todo|unused|fixme|secret|password|none|null|undefined|false|true|default|sample|local|dev).{0,60}|\d{1,4}|x+)$",
    re.IGNORECASE,
)
_ENVIRONMENT_FILE = re.compile(r"(?:^|/)\.env(?:\.(?!example|sample|template|dist|defaults?|test)[\w.-]+)?$")
_EXAMPLE_FILE = re.compile(r"(?:^|/)\.?env[\w.-]*\.(?:example|sample|template|dist)$|(?:^|/)\.env-(?:example|sample)$")
_KEY_FILE = re.compile(
    r"(?:^|/)(?:id_(?:rsa|ed25519|ecdsa)|[\w.-]+\.(?:pem|p12|pfx|key)|credentials\.json|service[-_]account[\w-]*\.json|\.npmrc|\.pypirc|\.netrc)$"
)


def image_secrets(image: Image) -> Iterator[tuple[str, Finding]]:
    """("secret", finding) for every secret of an image."""
    arguments = {word.partition("=")[0] for i in image.of("ARG") for word in i.text.split() if _is_secret_name(word.partition("=")[0])}
    for instruction in image.of("ENV", "ARG"):
        for name, value in _assignments(instruction):
            if not _is_secret_name(name):
                continue
            by_argument = instruction.keyword == "ENV" and any(
                re.search(rf"\$\{{?{re.escape(argument)}\b", value) for argument in arguments
            )
            if by_argument:
                yield (
                    "secret",
                    image_finding(
                        "secret-from-argument",
                        image,
                        instruction,
                        f"{name} is handed to the build and stored in the image's settings: everybody who can pull the image can read it.",
                        cwe=538,
                    ),
                )
            elif value and "$" not in value and not _PLACEHOLDER.match(value) and len(value) >= 8:
                yield (
                    "secret",
                    image_finding(
                        "secret-in-layer",
                        image,
                        instruction,
                        f"{name} stands in the container file with its value: everybody who can read the repository or pull the image has it.",
                        cwe=798,
                    ),
                )
            elif value and "$" not in value and instruction.keyword == "ENV":
                yield (
                    "secret",
                    image_finding(
                        "default-secret",
                        image,
                        instruction,
                        f"The image sets {name} to a stand-in value: started without a real one, it runs with a secret everybody knows.",
                        cwe=1392,
                    ),
                )
    for instruction in image.of("RUN"):
        for argument in sorted(arguments):
            if re.search(rf"\$\{{?{re.escape(argument)}\b", instruction.text):
                yield (
                    "secret",
                    image_finding(
                        "argument-in-history",
                        image,
                        instruction,
                        f"The build argument {argument} is used in a layer of the shipped image: `docker history` shows it to everybody who can pull it.",
                        cwe=538,
                    ),
                )
    for instruction in image.of("COPY", "ADD"):
        yield from _secret_files(image, instruction)


def _secret_files(image: Image, instruction: Instruction) -> Iterator[tuple[str, Finding]]:
    if any(flag.startswith("--from") for flag in instruction.flags):
        return
    words = instruction.exec_form or tuple(instruction.text.split("\n", 1)[0].split())
    for word in words[:-1]:
        if _ENVIRONMENT_FILE.search(word):
            yield (
                "secret",
                image_finding(
                    "environment-file-copied",
                    image,
                    instruction,
                    f"{word} is copied into the image: every value in it can be read by everybody who can pull the image.",
                    cwe=538,
                ),
            )
        elif _KEY_FILE.search(word):
            yield (
                "secret",
                image_finding("key-file-copied", image, instruction, f"{word} is copied into the image and stays in its layers.", cwe=538),
            )
        elif _EXAMPLE_FILE.search(word) and re.search(r"(?:^|/)\.env[\w.-]*$", words[-1]) and not _EXAMPLE_FILE.search(words[-1]):
            yield (
                "secret",
                image_finding(
                    "default-secret",
                    image,
                    instruction,
                    f"The image ships {word} as its settings: whatever key stands in that public file is the key in production.",
                    cwe=1392,
                ),
            )


def _is_secret_name(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and not _NOT_SECRET_NAME.search(name)


def _assignments(instruction: Instruction) -> list[tuple[str, str]]:
    text = instruction.text
    if "=" not in text.split(" ", 1)[0]:
        name, _, value = text.partition(" ")
        return [(name, value.strip())] if instruction.keyword == "ENV" else [(word, "") for word in text.split()]
    pairs = re.findall(r"([A-Za-z_]\w{0,80})=(\"[^\"]{0,2000}\"|'[^']{0,2000}'|\S{0,2000})", text)
    return [(name, value.strip("\"'")) for name, value in pairs]
