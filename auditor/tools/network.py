"""The only place that speaks to the network, and only when the user asked: downloads, JSON services over HTTP and clones, bounded in size and time.

requests does the work: it is here already with pip-audit, kept up, and honours the proxies and certificates of the environment (HTTPS_PROXY, NO_PROXY,
REQUESTS_CA_BUNDLE). Nothing of the audited repository is ever sent but names and versions of packages. Clones are made by libgit2, which runs no hook, no
filter and no helper, and leaves submodules alone.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pygit2
import requests

from auditor.version import __version__

_CONNECT_SECONDS, _READ_SECONDS = 15.0, 60.0
_CHUNK = 1 << 18
_TELL_BYTES = 20_000_000
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


class _Bounds(pygit2.RemoteCallbacks):
    """Ends a clone that becomes too large or takes too long, and never asks anybody for a password."""

    def __init__(self, deadline: float, most_bytes: int, progress: Callable[[int], None]) -> None:
        super().__init__()
        self._deadline, self._most_bytes, self._progress = deadline, most_bytes, progress
        self._told = 0
        self.reason = ""

    def transfer_progress(self, stats: Any) -> None:
        """Called by libgit2 while objects arrive."""
        size = stats.received_bytes
        if size > self._most_bytes:
            self.reason = f"it is larger than {self._most_bytes // 1_000_000:,} MB"
        elif time.monotonic() > self._deadline:
            self.reason = "it did not arrive in time"
        if self.reason:
            raise pygit2.GitError(self.reason)
        if size - self._told > _TELL_BYTES:
            self._told = size
            self._progress(size)

    def credentials(self, url: str, username_from_url: str | None, allowed_types: Any) -> Any:  # noqa: ARG002 - libgit2's signature
        """The agent's key where ssh is spoken; nothing else is tried."""
        if allowed_types & pygit2.enums.CredentialType.SSH_KEY and not self.reason:
            self.reason = "the key of the ssh agent was not accepted"
            return pygit2.KeypairFromAgent(username_from_url or "git")
        self.reason = self.reason or "it asks for a login: clone it yourself and give the directory"
        raise pygit2.GitError(self.reason)


def clone(
    url: str, target: Path, *, seconds: float = 900.0, most_bytes: int = 2_000_000_000, progress: Callable[[int], None] = lambda _size: None
) -> None:
    """Clone a git repository with its history into the new directory `target`.

    Raises:
        NetworkError: it was not reached, needs a login, is too large or took too long.
    """
    for level in (pygit2.enums.ConfigLevel.SYSTEM, pygit2.enums.ConfigLevel.GLOBAL, pygit2.enums.ConfigLevel.XDG):
        pygit2.settings.search_path[level] = ""  # no template, rewriting of addresses or helper of the user's own settings
    pygit2.settings.server_connect_timeout = int(_CONNECT_SECONDS * 1000)
    pygit2.settings.server_timeout = int(_READ_SECONDS * 1000)
    bounds = _Bounds(time.monotonic() + seconds, most_bytes, progress)
    proxy = None if url.startswith("file:") else True
    try:
        if url.startswith("https:"):
            pygit2.settings.set_ssl_cert_locations(os.environ.get("REQUESTS_CA_BUNDLE") or requests.utils.DEFAULT_CA_BUNDLE_PATH, None)
        pygit2.clone_repository(url, str(target), callbacks=bounds, proxy=proxy)
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        reason = bounds.reason or str(error).strip().rstrip(".") or type(error).__name__
        raise NetworkError(f"{shown(url)} was not cloned: {shown(reason)}") from None


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
