"""The daemon as a process: stopped, restarted, and started wrongly."""

from __future__ import annotations

import http.client
import os
import pathlib
import socket
import stat
import subprocess
import time
from collections.abc import Mapping

import pytest

from .. import warm
from .process import LOOPBACK, Daemon

LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
ERRORS = (ConnectionError, http.client.HTTPException, TimeoutError)


def wait_until(condition) -> None:
    """Wait for something another process does; fails if it does not come."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_sigterm_finishes_the_requests_in_hand(tmp_path: pathlib.Path) -> None:
    """Told to stop, the daemon takes nothing new, answers what it has, and commits it."""
    env = {"ZKPUSH_TEST_ORDERS": str(tmp_path)}
    database = f"obedient:///{tmp_path / 'db.sqlite'}"
    with Daemon(tmp_path, "--database", database, env=env) as daemon:
        daemon.exchange("T1")
        (tmp_path / "hold").touch()
        connection = daemon.connect()
        connection.request("POST", "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1", LINE)
        idle = daemon.connect()
        idle.connect()
        daemon.terminate()
        wait_until(lambda: not accepts(daemon.terminals.port))
        assert daemon.process.poll() is None
        (tmp_path / "hold").unlink()
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"OK: 1")
        daemon.process.wait(20)
        assert "Traceback" not in daemon.output()
    with Daemon(tmp_path, "--database", database, env=env) as daemon:
        assert daemon.pins() == ["7"]


def accepts(port: int | None) -> bool:
    """Whether something listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port or 0), timeout=5).close()
    except OSError:
        return False
    return True


def test_the_first_start_makes_the_data_directory_and_later_ones_keep_it(
    tmp_path: pathlib.Path,
) -> None:
    """Directory 0700, token and key 0600; a restart changes neither, and serves the same people."""
    data = tmp_path / "new" / "data"
    with Daemon(data) as daemon:
        daemon.exchange("T1")
        token = daemon.token
        daemon.terminate()
        daemon.process.wait(20)
    key = (data / "key").read_bytes()
    modes = [stat.S_IMODE((data / name).stat().st_mode) for name in (".", "admin.token", "key")]
    assert modes == [0o700, 0o600, 0o600]
    with Daemon(data) as daemon:
        assert (daemon.token, (data / "key").read_bytes()) == (token, key)
        assert daemon.request("GET", "getrequest?SN=T1") == (200, b"OK")


def run(*arguments: object, env: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    """Run a daemon that does not start."""
    words = ["--nodaemon", "--pidfile=", "zkpush", *arguments]
    return warm.run("twistd", words, env={**os.environ, **env}, seconds=60)


@pytest.mark.long
def test_all_mistakes_of_a_configuration_are_said_at_once(tmp_path: pathlib.Path) -> None:
    """Unknown keys and bad values: a line each, exit status 1, no traceback."""
    file = tmp_path / "zkpush.toml"
    file.write_text('colour = "red"\ntimezone = "Mars/Olympus"\n[options]\nDelay = "often"\n')
    ended = run("--data", tmp_path, "--config", file, "--admission", "maybe", "--listen", "tcp:x")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr + ended.stdout
    lines = ended.stderr.splitlines()
    for mistake in ("colour:", "timezone:", "options: Delay:", "admission:", "listen:"):
        assert sum(line.startswith(f"zkpush: {mistake}") for line in lines) == 1, ended.stderr
    assert len(lines) == 5


@pytest.mark.long
@pytest.mark.parametrize("what", ["port", "database", "scheme", "data"])
def test_a_start_that_cannot_be_is_one_line(tmp_path: pathlib.Path, what: str) -> None:
    """A port in use, a file that is no database: one clear line, exit status 1, no traceback."""
    (tmp_path / "letter").write_bytes(b"not a database " * 100)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        flags = {
            "port": ("--listen", f"tcp:{port}:interface=127.0.0.1", "--manage", LOOPBACK),
            "database": ("--database", f"sqlite:///{tmp_path / 'letter'}", "--listen", LOOPBACK),
            "scheme": ("--database", "oracle://x", "--listen", LOOPBACK),
            "data": ("--data", tmp_path / "letter" / "below"),
        }
        ended = run("--data", tmp_path, *flags[what])
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr + ended.stdout
    (line,) = ended.stderr.splitlines()
    assert line.startswith("zkpush: ")
    expected = {
        "port": str(port),
        "database": "not a database",
        "scheme": "oracle",
        "data": "letter",
    }
    assert expected[what] in line
