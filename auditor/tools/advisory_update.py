"""Fetches the OSV exports of whole ecosystems into the user's store; each ecosystem is taken over completely or not at all."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from auditor.tools import osv
from auditor.tools.advisory_store import replace_ecosystems
from auditor.tools.network import Client, NetworkError, shown

SOURCE = "https://osv-vulnerabilities.storage.googleapis.com"
"""Where OSV publishes one zip for each ecosystem (https://google.github.io/osv.dev/data/#data-dumps)."""
MOST_BYTES = 2_000_000_000
DEFAULT_SECONDS = 900.0


def address(source: str, ecosystem: str) -> str:
    """The export of an ecosystem: `source` is a mirror's root, or a pattern that holds {ecosystem}."""
    name = osv.ECOSYSTEMS[ecosystem]
    return source.replace("{ecosystem}", name) if "{ecosystem}" in source else f"{source.rstrip('/')}/{name}/all.zip"


def update(
    store: Path,
    ecosystems: Iterable[str],
    *,
    source: str = SOURCE,
    seconds: float = DEFAULT_SECONDS,
    most_bytes: int = MOST_BYTES,
    progress: Callable[[str], None] = lambda _text: None,
) -> dict[str, str]:
    """Fetch each ecosystem's export and put it into the store; what went wrong with which, empty when nothing did.

    Raises:
        AdvisoryError: the store cannot be written.
    """
    failed: dict[str, str] = {}
    client = Client(time.monotonic() + seconds)
    try:
        for ecosystem in ecosystems:
            url = address(source, ecosystem)
            progress(f"{ecosystem}: fetching {shown(url)}")
            try:
                data = _fetch(client, url, ecosystem, most_bytes, progress)
            except (NetworkError, osv.AdvisoryError) as error:
                failed[ecosystem] = str(error)
                continue
            replace_ecosystems(store, data, {ecosystem: shown(url)})
            progress(f"{ecosystem}: {data.counts[ecosystem]:,} advisories")
    finally:
        client.close()
    return failed


def _fetch(client: Client, url: str, ecosystem: str, most_bytes: int, progress: Callable[[str], None]) -> osv.AdvisoryData:
    """The export, read from a temporary file; only what it says of the ecosystem asked for counts."""
    with tempfile.NamedTemporaryFile(prefix="auditor-", suffix=".zip") as file:
        steps = {"next": 0}

        def report(size: int) -> None:
            if size >= steps["next"]:
                progress(f"{ecosystem}: {size / 1_000_000:.0f} MB")
                steps["next"] = size + 20_000_000

        client.download(url, file, most_bytes=most_bytes, progress=report)
        file.flush()
        progress(f"{ecosystem}: reading")
        try:
            data = osv.load(Path(file.name))
        except osv.AdvisoryError:
            raise osv.AdvisoryError(f"{shown(url)} is no export of advisories") from None
    return only(data, ecosystem, shown(url))


def only(data: osv.AdvisoryData, ecosystem: str, name: str) -> osv.AdvisoryData:
    """What the data says of one ecosystem.

    Raises:
        AdvisoryError: it says nothing of it.
    """
    if ecosystem not in data.modified:
        raise osv.AdvisoryError(f"{name} holds nothing about {ecosystem}")
    packages = {key: found for key, found in data.packages.items() if key[0] == ecosystem}
    return osv.AdvisoryData(
        packages,
        {ecosystem: data.modified[ecosystem]},
        {ecosystem: data.counts[ecosystem]},
        data.partial & {ecosystem},
        data.complete & {ecosystem},
        data.broken,
    )
