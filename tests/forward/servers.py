"""HTTP servers that receive webhooks, on loopback ports, as an author of a receiver writes them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs
import msgspec


@attrs.frozen
class Received:
    """A request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Number of the connection that it came on."""

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its events."""
        found: list[dict[str, Any]] = msgspec.json.decode(self.body)["data"]["events"]
        return found


Reply = tuple[int, dict[str, str], bytes]
"""Status, headers and body; a status of 0 hangs up without an answer."""
Decide = Callable[[Received], Reply]


def ok(received: Received) -> Reply:
    """Take everything."""
    return 204, {}, b""


class Receiver:
    """A receiver of webhooks."""

    def __init__(self, decide: Decide = ok) -> None:
        self.decide = decide
        self.received: list[Received] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                one = Received(self.path, headers, body, self.client_address[1])
                receiver.received.append(one)
                status, more, text = receiver.decide(one)
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                if "Content-Length" not in more:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST

            def log_message(self, format: str, *args: object) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()

    @property
    def port(self) -> int:
        """Its port."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events that arrived, in order."""
        return [event for one in self.received for event in one.events]

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
