"""Rights over its host that a compose service gives to a container."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.images import Image
from auditor.checks.shell import joined
from auditor.model.artifacts import ComposeService
from auditor.model.verdict import Finding

_SPECIAL_RIGHTS = {"privileged": "true", "network_mode": "host", "pid": "host", "ipc": "host", "userns_mode": "host"}
_HOST_SOCKET = re.compile(r"/(?:docker|containerd/containerd|podman/podman)\.sock\b")
_CAPABILITIES = frozenset({"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "DAC_READ_SEARCH", "NET_ADMIN"})
_ASIDE = re.compile(r"(?:^|[._/-])(?:dev|development|test|tests|testing|e2e|ci|local|override|debug)(?:[._-]|$)", re.IGNORECASE)


def special_rights(image: Image, services: tuple[ComposeService, ...]) -> Iterator[tuple[str, Finding]]:
    """A compose service that runs the image with the rights of its host."""
    for service in services_of(image, services):
        settings = service.settings
        special = [key for key, value in settings if _SPECIAL_RIGHTS.get(key) == value.lower()]
        special += [
            "the socket of the container engine" for key, value in settings if key.startswith("volumes") and _HOST_SOCKET.search(value)
        ]
        special += [value for key, value in settings if key.startswith("cap_add") and value.upper().removeprefix("CAP_") in _CAPABILITIES]
        if special and not _ASIDE.search(service.path):
            message = f"{service.name} is started with {special[0]}: a hole in the program is a hole in the whole host."
            yield "user", Finding("special-rights", service.path, message, service.line, service.line, detector="compose", cwe=250)


def services_of(image: Image, services: tuple[ComposeService, ...]) -> list[ComposeService]:
    """The compose services that build the image."""
    folder, _, name = image.dockerfile.path.rpartition("/")
    return [
        service
        for service in services
        if service.build
        and joined(service.path.rpartition("/")[0], service.build) in {folder, image.dockerfile.context}
        and dict(service.settings).get("build.dockerfile", "Dockerfile").rpartition("/")[2] == name
    ]
