"""The live service of OSV (https://google.github.io/osv.dev/api/), asked only with `--online`: which advisories concern these exact versions.

A batch tells the numbers of advisories, each of which is then fetched for its severity and its fixed version. Whatever was not answered completely is
no answer: the package stays unexamined.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from auditor.tools import osv
from auditor.tools.network import Client, NetworkError

SERVICE = "https://api.osv.dev"
_BATCH = 500
_PAGES = 20
_ADVISORIES = 5_000
_AT_ONCE = 8
_ID = re.compile(r"[A-Za-z0-9][\w.:-]{0,80}")


@dataclass(slots=True)
class Answer:
    """What the service said: advisories of each asked (ecosystem, name, version), empty where none is known; `reason` is why the others have no answer."""

    found: dict[tuple[str, str, str], list[osv.Advisory]] = field(default_factory=dict)
    reason: str = ""


def look_up(
    packages: Sequence[tuple[str, str, str]],
    *,
    service: str = SERVICE,
    deadline: float | None = None,
    cancelled: threading.Event | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> Answer:
    """Ask about (ecosystem, name, version) triples; never raises, since what fails is simply not answered."""
    answer = Answer()
    client = Client(deadline)
    try:
        named = _numbers(client, packages, service.rstrip("/"), answer, cancelled)
        wanted = sorted({number for numbers in named.values() for number in numbers})[:_ADVISORIES]
        progress(f"OSV: {len(wanted)} advisories of {len(packages)} packages")
        records = _records(client, wanted, service.rstrip("/"), answer, cancelled)
    finally:
        client.close()
    for asked, numbers in named.items():
        if all(number in records for number in numbers):
            answer.found[asked] = [one for number in numbers for one in _of(records[number], asked)]
    return answer


def _numbers(
    client: Client, packages: Sequence[tuple[str, str, str]], service: str, answer: Answer, cancelled: threading.Event | None
) -> dict[tuple[str, str, str], list[str]]:
    """The numbers of the advisories for each package that was answered to the end."""
    named: dict[tuple[str, str, str], list[str]] = {}
    for start in range(0, len(packages), _BATCH):
        waiting = [(asked, "") for asked in packages[start : start + _BATCH]]
        gathered: dict[tuple[str, str, str], list[str]] = {asked: [] for asked, _ in waiting}
        for _ in range(_PAGES):
            if cancelled is not None and cancelled.is_set():
                answer.reason = "the time was up"
                return named
            try:
                results = _results(
                    client.json(f"{service}/v1/querybatch", {"queries": [_query(*entry) for entry in waiting]}), len(waiting)
                )
            except NetworkError as error:
                answer.reason = str(error)
                return named
            following = []
            for (asked, _), (numbers, page) in zip(waiting, results, strict=True):
                gathered[asked] += numbers
                if page:
                    following.append((asked, page))
                else:
                    named[asked] = gathered[asked]
            waiting = following
            if not waiting:
                break
        else:
            answer.reason = "the service gave no end of pages"
    return named


def _query(asked: tuple[str, str, str], page: str) -> dict[str, Any]:
    ecosystem, name, version = asked
    query = {"package": {"ecosystem": osv.ECOSYSTEMS[ecosystem], "name": name}, "version": version}
    return {**query, "page_token": page} if page else query


def _results(content: Any, count: int) -> list[tuple[list[str], str]]:
    """Numbers and the token of the next page for each query, in their order."""
    try:
        results = content["results"]
        if len(results) != count:
            raise NetworkError("the service answered fewer queries than it was asked")
        return [_result(result) for result in results]
    except (KeyError, TypeError, AttributeError):
        raise NetworkError("the service answered in a form that is not known") from None


def _result(result: dict[str, Any]) -> tuple[list[str], str]:
    numbers = [str(entry["id"]) for entry in result.get("vulns") or ()]
    if not all(map(_ID.fullmatch, numbers)):
        raise TypeError
    return numbers, str(result.get("next_page_token") or "")


def _records(
    client: Client, wanted: Sequence[str], service: str, answer: Answer, cancelled: threading.Event | None
) -> dict[str, osv.AdvisoryData]:
    """The advisories by number, as far as they could be fetched and read."""

    def fetch(number: str) -> osv.AdvisoryData | None:
        if cancelled is not None and cancelled.is_set():
            return None
        try:
            content = client.json(f"{service}/v1/vulns/{quote(number, safe='')}")
        except NetworkError as error:
            answer.reason = answer.reason or str(error)
            return None
        data = osv.read_records([content])
        if data.broken:
            answer.reason = answer.reason or f"{number} is in a form that is not known"
            return None
        return data

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {number: data for number, data in zip(wanted, pool.map(fetch, wanted), strict=True) if data is not None}


def _of(data: osv.AdvisoryData, asked: tuple[str, str, str]) -> list[osv.Advisory]:
    """What an advisory says about the package; a withdrawn one says nothing."""
    ecosystem, name, _ = asked
    return data.packages.get((ecosystem, osv.normal_name(ecosystem, name)), [])
