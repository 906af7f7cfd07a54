"""The only place that speaks to the network, and only when the user asked: downloads and JSON services over HTTP, bounded in size and time.

requests does the work: it is here already with pip-audit, kept up, and honours the proxies and certificates of the environment (HTTPS_PROXY, NO_PROXY,
REQUESTS_CA_BUNDLE). Nothing of the audited repository is ever sent but names and versions of packages.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import requests

from auditor.version import __version__

_CONNECT_SECONDS, _READ_SECONDS = 15.0, 60.0
_CHUNK = 1 << 18
_ANSWER_BYTES = 50_000_000


class NetworkError(Exception):
    """A server was not reached or gave no usable answer; the message is the reason as a clause."""


class Client:
    """One session with a limit of time for all it does; `deadline` is a `time.monotonic()` value, None without limit."""

    def __init__(self, deadline: float | None = None) -> None:
        self._deadline = deadline
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"auditor/{__version__}"

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def download(self, url: str, target: IO[bytes], *, most_bytes: int, progress: Callable[[int], None] = lambda _size: None) -> int:
        """Write what is at `url` to `target`; returns its size in bytes. `progress` is called with the bytes so far.

        Raises:
            NetworkError: it was not reached, is too large, came incomplete or took too long.
        """
        size = 0
        with _reasons(url), self._session.get(url, stream=True, timeout=self._timeout()) as answer:
            _check(answer)
            for chunk in answer.iter_content(_CHUNK):
                size += len(chunk)
                if size > most_bytes:
                    raise NetworkError(f"{shown(url)} is larger than {most_bytes:,} bytes")
                self._timeout()
                target.write(chunk)
                progress(size)
            expected = answer.headers.get("Content-Length", "")
        if expected.isdigit() and "Content-Encoding" not in answer.headers and int(expected) != size:
            raise NetworkError(f"{shown(url)} came incomplete: {size:,} of {int(expected):,} bytes")
        return size

    def json(self, url: str, body: Any = None) -> Any:
        """The JSON a service answers, to a GET or, with a body, a POST.

        Raises:
            NetworkError: no answer, an error, or no JSON.
        """
        with _reasons(url):
            method = "GET" if body is None else "POST"
            with self._session.request(method, url, json=body, stream=True, timeout=self._timeout()) as answer:
                _check(answer)
                parts, size = [], 0
                for chunk in answer.iter_content(_CHUNK):
                    parts.append(chunk)
                    size += len(chunk)
                    self._timeout()
                    if size > _ANSWER_BYTES:
                        raise NetworkError(f"{shown(url)} answered too much")
        try:
            return json.loads(b"".join(parts))
        except (ValueError, RecursionError):
            raise NetworkError(f"{shown(url)} answered no JSON") from None

    def _timeout(self) -> tuple[float, float]:
        left = _READ_SECONDS if self._deadline is None else self._deadline - time.monotonic()
        if left <= 0:
            raise NetworkError("the time was up")
        return min(_CONNECT_SECONDS, left), min(_READ_SECONDS, left)


def shown(url: str) -> str:
    """The address as it may be printed: without a login or a query."""
    return re.sub(r"://[^/@\s]{1,300}@", "://", url.split("?", 1)[0])[:200]


def _check(answer: requests.Response) -> None:
    if answer.status_code != 200:
        raise NetworkError(f"{shown(answer.url)} answered {answer.status_code} {answer.reason or ''}".rstrip())


@contextmanager
def _reasons(url: str) -> Iterator[None]:
    """The library's errors as one clause each: their own texts hold object addresses and whole chains."""
    try:
        yield
    except requests.exceptions.ProxyError:
        raise NetworkError(f"the proxy for {shown(url)} was not reached or refused") from None
    except requests.exceptions.SSLError:
        raise NetworkError(f"the certificate of {shown(url)} is not trusted (REQUESTS_CA_BUNDLE names a file of own ones)") from None
    except requests.exceptions.Timeout:
        raise NetworkError(f"{shown(url)} did not answer in time") from None
    except requests.exceptions.ConnectionError:
        raise NetworkError(f"{shown(url)} was not reached") from None
    except (requests.exceptions.RequestException, ValueError) as error:
        raise NetworkError(f"{shown(url)} gave no usable answer ({type(error).__name__})") from None
