"""A daemon with data for generated clients, and its description."""

from __future__ import annotations

import http.client
import json
import pathlib
from collections.abc import Coroutine, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from zkpush.protocol.fields import Scope

from ..cli.program import SECONDS, Daemon
from ..filled import fill


class Remote:
    """What `fill` uses of a rig, on a daemon that is a process; nothing in it waits."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def _ask(self, method: str, url: str, body: bytes) -> bytes:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=SECONDS)
        headers = {"Authorization": f"Bearer {self._daemon.token}"}
        connection.request(method, f"{parts.path}?{parts.query}", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status < 300, content
        return content

    async def exchange(self, sn: str) -> None:
        """Approve a terminal, which makes its exchange."""
        self._daemon.terminal(sn)

    async def post(self, path: str, body: bytes) -> None:
        """Upload as a terminal."""
        where = self._daemon.terminals.removeprefix("tcp:")
        port = where.rsplit(":", 1)[-1]
        self._ask("POST", f"http://127.0.0.1:{port}/iclock/{path}", body)

    async def api(self, method: str, path: str, body: object = None) -> None:
        """A request to the API."""
        content = b"" if body is None else json.dumps(body).encode()
        self._ask(method, f"{self._daemon.url}/api/v1{path}", content)

    async def token(self, name: str, *scopes: Scope) -> None:
        """Make a token."""
        values = [scope.value for scope in scopes]
        await self.api("POST", "/tokens", {"name": name, "scopes": values})


def run(work: Coroutine[Any, Any, Any]) -> None:
    """Run what never waits."""
    with pytest.raises(StopIteration):
        work.send(None)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that holds some of everything."""
    daemon = Daemon(tmp_path_factory.mktemp("openapi") / "data")
    run(fill(Remote(daemon)))  # type: ignore[arg-type]  # has what `fill` uses
    yield daemon
    daemon.stop()


@pytest.fixture(scope="session")
def described(filled: Daemon, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The description of its API, as a file."""
    file = tmp_path_factory.mktemp("openapi") / "openapi.json"
    file.write_text(json.dumps(filled.api("GET", "openapi.json")))
    return file
