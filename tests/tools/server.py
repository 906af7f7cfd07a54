"""A server on this machine that plays OSV and its mirrors: fixed answers by path, and what was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Played:
    """Answers by path (bytes, a JSON value, a status, or a function of the request's body), and the requests that came."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve(answers: dict[str, Any]) -> Iterator[Played]:
    played = Played(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Any) -> None:
            path = self.path.split("?", 1)[0]
            if path.startswith("http://"):  # asked as a proxy
                path = "/proxied"
            played.asked.append((path, body))
            found = played.answers.get(path, 404)
            if isinstance(found, Callable):
                found = found(body)
            status, content = (found, b"") if isinstance(found, int) else (200, found)
            if not isinstance(content, bytes):
                content = json.dumps(content).encode()
            cut = status == 200 and path.endswith("cut.zip")
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) + (100 if cut else 0)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        played.url = f"http://127.0.0.1:{server.server_port}"
        yield played
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
