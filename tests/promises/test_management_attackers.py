"""Strangers at the management listener of a real process take nothing from terminals."""

from __future__ import annotations

import http.client
import pathlib
import socket
import time
from collections.abc import Iterator

import pytest

from ..daemon.process import Daemon

MEGABYTE = 1024 * 1024
LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
ATTEMPTS = 300
"""Sockets of an attacker."""


class Attacker:
    """Many sockets to the management endpoint, which never finish what they begin."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self.sockets: list[socket.socket] = []

    def open(self, count: int, begin: bytes) -> None:
        """Connect, and send the beginning of something."""
        where = (self._daemon.manage.hostname, self._daemon.manage.port)
        for _ in range(count):
            try:
                connection = socket.create_connection(where, timeout=5)
                self.sockets.append(connection)
                connection.sendall(begin)
            except OSError:
                continue  # turned away

    def close(self) -> None:
        """Hang up."""
        for connection in self.sockets:
            connection.close()


@pytest.fixture
def attackers() -> Iterator[list[Attacker]]:
    """Attackers, who go away after the test."""
    made: list[Attacker] = []
    yield made
    for attacker in made:
        attacker.close()


def resident(daemon: Daemon) -> int:
    """Bytes of memory that the daemon has."""
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def healthy(daemon: Daemon) -> int:
    """The status of `/health`, on a connection of its own; 0 if there is no answer."""
    connection = http.client.HTTPConnection(daemon.manage.hostname, daemon.manage.port, timeout=10)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def within(seconds: float, what: str, is_so) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


BODY_OF_STRANGER = (
    b"POST /api/v1/files?name=a HTTP/1.1\r\nHost: s\r\nContent-Length: 1048576\r\n\r\n"
    + bytes(MEGABYTE - 1)
)


@pytest.mark.usefixtures("no_cover")
def test_bodies_of_strangers_take_no_memory(tmp_path: pathlib.Path, attackers) -> None:
    """300 unfinished bodies of a megabyte cost a fraction of what they hold."""
    with Daemon(tmp_path) as daemon:
        daemon.exchange("T1")
        assert healthy(daemon) == 200
        before = resident(daemon)
        attackers.append(Attacker(daemon))
        attackers[0].open(ATTEMPTS, BODY_OF_STRANGER)
        assert resident(daemon) - before < 60 * MEGABYTE
        assert daemon.upload("T1", LINE) == (200, b"OK: 1")


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@pytest.mark.parametrize(
    "begin",
    [b"", b"GET /health HTTP/1.1\r\nX: ", BODY_OF_STRANGER[:200]],
    ids=["nothing", "head", "body"],
)
def test_slow_strangers_take_nothing_from_terminals(
    tmp_path: pathlib.Path, attackers, begin: bytes
) -> None:
    """With 256 descriptors, terminals, `/health` and the API are served all the time."""
    config = tmp_path / "zkpush.toml"
    config.write_text("[limits]\nidle_seconds = 3\nmanage_connections = 1000\n")
    data = tmp_path / "data"
    data.mkdir()
    with Daemon(data, "--config", str(config), descriptors=256) as daemon:
        daemon.exchange("T1")
        attackers.append(Attacker(daemon))
        attackers[0].open(ATTEMPTS, begin)
        assert daemon.upload("T1", LINE) == (200, b"OK: 1")
        assert healthy(daemon) == 200
        assert daemon.pins() == ["7"]
        sockets = attackers[0].sockets

        def ended() -> bool:
            for connection in sockets:
                connection.settimeout(0.01)
                try:
                    if connection.recv(4096):
                        return False
                except TimeoutError:
                    return False
                except OSError:
                    continue
            return True

        within(60, "the deadline does not strike", ended)
        assert healthy(daemon) == 200
        assert daemon.upload("T1", LINE) == (200, b"OK: 1")
