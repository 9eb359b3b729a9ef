"""A site at work: a daemon with an approved simulated terminal and a first account."""

from __future__ import annotations

import http.client
import json
import pathlib
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import StorageState

from ..browser import PASSWORD
from .conftest import LiveSite, until
from .plainclient import PlainClient

TERMINAL = "Front door"
OTHER = "ELSEWHERE1"
_APPROVAL = "Approve it"


class Payroll:
    """A receiver of punches that can be down."""

    def __init__(self) -> None:
        received: list[bytes] = []
        self.received = received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._handler = Handler
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._server.server_close()

    def start(self) -> None:
        """Begin to answer."""
        self._server = HTTPServer(("127.0.0.1", self.port), self._handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class WorkSite(LiveSite):
    """A site with an approved simulated terminal, and the session of its first account."""

    def __init__(self, data: pathlib.Path) -> None:
        config = data.with_suffix(".toml")
        config.write_text("[options]\nDelay = 2\n")  # so that terminals are not waited for
        super().__init__(data, "--config", str(config))
        assert self.daemon.manage.port is not None
        client = PlainClient(self.daemon.manage.port)
        client.visit(urlsplit(self.first_link()).path)
        client.fill("Your name for signing in", "ann")
        client.fill("Password", PASSWORD)
        client.fill("The same password again", PASSWORD)
        client.choose("Time zone of the site", "Europe/Madrid")
        client.press("Continue")
        self.simulate()

        def has_come() -> bool:
            client.visit("/console/first-terminal")
            return _APPROVAL in client.words

        until(has_come, "no terminal came")
        client.press(_APPROVAL, begins=True)
        client.fill("Name", TERMINAL)
        client.press("Approve")
        assert "is approved" in client.words, client.words
        self.cookies = client.cookies

    @property
    def session(self) -> StorageState:
        """The session for a browser."""
        return {
            "cookies": [
                {"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}
                for name, value in self.cookies.items()
            ],
            "origins": [],
        }

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Send a request of a program; returns the answer, or None if it is empty."""
        headers = {"Authorization": f"Bearer {self.daemon.token}"}
        headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body).encode()
        port = self.daemon.manage.port
        assert port is not None
        answer = _ask(port, method, f"/api/v1{path}", content, headers)
        return json.loads(answer) if answer else None

    def upload(self, sn: str, table: str, body: bytes) -> None:
        """Send an upload as a terminal does, after its first request."""
        port = self.daemon.terminals.port
        assert port is not None
        path = f"/iclock/cdata?SN={sn}"
        _ask(port, "GET", f"{path}&options=all&pushver=2.4.1", None, {})
        reply = _ask(port, "POST", f"{path}&table={table}&Stamp=1", body, {})
        assert reply.startswith(b"OK"), reply


def _ask(
    port: int, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, dict(headers))
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    assert reply.status < 300, (path, reply.status, content)
    return content
