"""The programs of docs/forwarding.md, run as they are printed there."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import pytest_twisted

from zkpush.handlers.forward.signing import sign, write_secret

from ..daemon.process import Daemon
from .receivers import add, punch, turns

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "forwarding.md"
BLOCKS = re.findall(r"```(python|javascript)\n(.*?)```", PAGE.read_text(), re.DOTALL)
RECEIVER, SCRIPT, POLL, STREAM, PLUGIN = (text for _, text in BLOCKS)
SECONDS = 60
LINES = ["7 2026-03-01T08:00:00", "8 2026-03-01T08:00:01"]
BODY = b"7\t2026-03-01 08:00:00\t0\t1\n8\t2026-03-01 08:00:01\t1\t1\n"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with two punches."""
    data = tmp_path_factory.mktemp("manual")
    with Daemon(data) as daemon:
        daemon.exchange("T1")
        assert daemon.upload("T1", BODY) == (200, b"OK: 2")
        yield daemon


class Program:
    """A program of the manual, and what it has printed."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def prints(self, lines: list[str]) -> None:
        """Wait until it has printed some lines."""
        deadline = time.monotonic() + SECONDS
        while len(self.lines) < len(lines):
            assert time.monotonic() < deadline, self.lines
            assert self.process.poll() is None
            time.sleep(0.02)
        assert self.lines == lines


@contextlib.contextmanager
def running(
    folder: pathlib.Path, text: str, env: dict[str, str], *args: str, by: str = sys.executable
) -> Iterator[Program]:
    """Run a program until the end of the block."""
    file = folder / "program.txt"
    file.write_text(text)
    program = Program([by, str(file), *args], env)
    try:
        yield program
    finally:
        program.process.kill()
        program.process.wait()


def free_port() -> int:
    """A port where nobody listens yet."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def code(text: str) -> int:
    """The number of lines of a program that are not empty."""
    return sum(bool(line.strip()) for line in text.splitlines())


@pytest.mark.parametrize("text", [RECEIVER, SCRIPT, POLL, STREAM])
def test_each_program_has_about_twenty_lines(text: str) -> None:
    """That is what the page promises."""
    assert code(text) <= 22


@pytest.mark.parametrize("text", [POLL, STREAM], ids=["poll", "stream"])
def test_a_program_that_asks_gets_all_punches(
    daemon: Daemon, tmp_path: pathlib.Path, text: str
) -> None:
    """By poll and by stream, with a token that may read."""
    made = daemon.api("POST", "tokens", {"name": f"payroll{len(text)}", "scopes": ["read"]})
    env = {"ZKPUSH_URL": daemon.manage.geturl(), "ZKPUSH_TOKEN": made["token"]}
    with running(tmp_path, text, env) as program:
        program.prints(LINES)


def status_of(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The answer of a receiver to a request."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=SECONDS)
    connection.request("POST", "/", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def signed(secret: str, stamp: int, body: bytes) -> dict[str, str]:
    """The headers of a request."""
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": sign([secret], "msg_1", stamp, body),
    }


@pytest.mark.parametrize("by", ["python", "node"])
def test_a_receiver_verifies_and_ignores_what_it_knows(
    daemon: Daemon, tmp_path: pathlib.Path, by: str
) -> None:
    """It takes what the server sends, once, and refuses what is forged or old."""
    interpreter = sys.executable if by == "python" else shutil.which("node")
    if interpreter is None:
        pytest.skip("Node.js is not installed")
    url = f"http://127.0.0.1:{(port := free_port())}/"
    wanted = {"name": by, "url": url, "allow_private": True, "rules": {"since": "2026-01-01"}}
    made = daemon.api("POST", "forwarders", wanted)
    secret, now = made["secret"], int(time.time())
    text = RECEIVER if by == "python" else SCRIPT
    events = [
        {"id": "rec_1", "data": {"pin": "7", "time": "again"}},
        {"id": "rec_9", "data": {"pin": "9", "time": "new"}},
    ]
    body = json.dumps({"data": {"events": events}}).encode()
    with running(tmp_path, text, {"SECRET": secret}, str(port), by=interpreter) as program:
        program.prints(LINES)
        assert status_of(url, body, signed(write_secret(bytes(32)), now, body)) == 401
        assert status_of(url, body + b" ", signed(secret, now, body)) == 401
        assert status_of(url, body, signed(secret, now - 600, body)) == 401
        assert status_of(url, body, signed(secret, now, body)) == 204
        program.prints([*LINES, "9 new"])
    daemon.api("POST", f"forwarders/{made['id']}/pause")


@pytest_twisted.ensureDeferred
async def test_a_plugin_sees_punches(make_rig, capsys: pytest.CaptureFixture[str]) -> None:
    """It runs in the server, from the outbox."""
    names: dict[str, object] = {"__name__": "printer_plugin"}
    exec(compile(PLUGIN, str(PAGE), "exec"), names)  # noqa: S102 - the example
    rig = await make_rig(plugins=[names["printer"]])
    await rig.exchange()
    await add(rig, kind="printer", settings={"prefix": "punch"})
    await punch(rig, [7])
    await turns(rig, 2)
    assert "punch rec_1 {'id': 1, 'device': 'T1'" in capsys.readouterr().out
