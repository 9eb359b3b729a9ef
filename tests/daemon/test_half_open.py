"""A thousand connections that begin a request and hold hold nobody up."""

from __future__ import annotations

import contextlib
import itertools
import json
import pathlib
import resource
import select
import socket
import statistics
import time
import urllib.request
from collections.abc import Iterator

import pytest

from .process import Daemon
from .test_process import wait_until

COUNT = 1000
SOURCES = 20
"""Addresses of this machine that they come from."""
POLLS, UPLOADS = 150, 60
HALVES = (
    b"",
    b"GET /iclock/getre",
    b"GET /iclock/getrequest?SN=T1 HTTP/1.1\r\nHost: s\r\nX: ",
    b"POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=1 HTTP/1.1\r\nContent-Length: 64\r\n\r\n7\t2026",
)
LINE = b"%d\t2026-01-05 08:00:00\t0\t1\n"
CONFIG = """\
[limits]
idle_seconds = %d
request_seconds = %d
"""


@pytest.fixture
def many_files() -> Iterator[None]:
    """A test needs as many files as it opens connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 3 * COUNT)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Attack:
    """Connections that send half a request each, from many addresses."""

    def __init__(self, daemon: Daemon) -> None:
        self.socks: list[socket.socket] = []
        halves = itertools.cycle(HALVES)
        for number in range(COUNT):
            sock = socket.socket()
            sock.bind((f"127.0.0.{2 + number % SOURCES}", 0))
            sock.connect((daemon.terminals.hostname, daemon.terminals.port))
            sock.sendall(next(halves))
            self.socks.append(sock)

    def trickle(self, most: int) -> None:
        """Send one byte more on some of them."""
        for sock in self.socks[2:most:4]:
            with contextlib.suppress(OSError):
                sock.send(b"x")

    def held(self) -> int:
        """How many of them the server has not ended."""
        poll = select.poll()
        for sock in self.socks:
            poll.register(sock, select.POLLIN)
        # All that the server says to them is that they are over.
        return COUNT - len(poll.poll(0))

    def end(self) -> None:
        for sock in self.socks:
            sock.close()


def times(daemon: Daemon, pins: Iterator[int]) -> tuple[float, float]:
    """How long (s) polls and uploads take, in the middle, and that all of them are answered."""
    polls, uploads = [], []
    for number in range(POLLS):
        begun = time.monotonic()
        assert daemon.request("GET", "getrequest?SN=T1") == (200, b"OK")
        polls.append(time.monotonic() - begun)
        if number < UPLOADS:
            begun = time.monotonic()
            assert daemon.upload("T1", LINE % next(pins)) == (200, b"OK: 1")
            uploads.append(time.monotonic() - begun)
    return statistics.median(polls), statistics.median(uploads)


def refused(daemon: Daemon) -> dict[str, float]:
    """What the metrics say was refused, by limit."""
    address = f"http://{daemon.manage.hostname}:{daemon.manage.port}/metrics"
    with urllib.request.urlopen(address, timeout=20) as reply:
        lines = reply.read().decode().splitlines()
    found = [line.split('"') for line in lines if line.startswith("zkpush_refused_total")]
    return {limit: float(value[1:]) for _, limit, value in found if float(value[1:])}


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
def test_terminals_are_served_while_a_thousand_hold(
    tmp_path: pathlib.Path, many_files: None
) -> None:
    """At about the same speed, and the thousand are ended in time, however they trickle."""
    (tmp_path / "zkpush.toml").write_text(CONFIG % (12, 16))
    pins = itertools.count(1)
    with Daemon(tmp_path, "--config", str(tmp_path / "zkpush.toml")) as daemon:
        daemon.exchange("T1")
        times(daemon, pins)
        alone = times(daemon, pins)
        begun = time.monotonic()
        attack = Attack(daemon)
        try:
            wait_until(lambda: daemon.request("GET", "getrequest?SN=T1") == (200, b"OK"))
            beside = times(daemon, pins)
            assert time.monotonic() - begun < 12, "this machine is too slow for this test"
            assert attack.held() == COUNT
            for quick, slow in zip(alone, beside, strict=True):
                assert slow < 3 * quick + 0.01
            while time.monotonic() - begun < 10:
                attack.trickle(COUNT)
                time.sleep(0.5)
            while attack.held():
                assert time.monotonic() - begun < 40
                attack.trickle(COUNT // 2)
                time.sleep(0.2)
            assert time.monotonic() - begun > 12
        finally:
            attack.end()
        counted = refused(daemon)
        assert sum(counted.values()) >= COUNT
        assert set(counted) <= {"idle_seconds", "request_seconds"}
        assert daemon.request("GET", "getrequest?SN=T1") == (200, b"OK")
        assert len(set(daemon.pins())) == next(pins) - 1


def test_more_than_there_may_be_hold_nobody_up(tmp_path: pathlib.Path, many_files: None) -> None:
    """The oldest make way for whoever comes, so that terminals are served all the time."""
    (tmp_path / "zkpush.toml").write_text("[limits]\nconnections = 300\n")
    with Daemon(tmp_path, "--config", str(tmp_path / "zkpush.toml")) as daemon:
        daemon.exchange("T1")
        attack = Attack(daemon)
        try:
            for pin in range(50):
                assert daemon.request("GET", "getrequest?SN=T1") == (200, b"OK")
                assert daemon.upload("T1", LINE % pin) == (200, b"OK: 1")
            assert attack.held() < 300
        finally:
            attack.end()
        assert refused(daemon)["connections"] >= COUNT - 300
        assert len(daemon.pins()) == 50


def test_a_few_files_are_asked_for_more(tmp_path: pathlib.Path, many_files: None) -> None:
    """Systems give 1024 by themselves; the daemon takes what it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    try:
        daemon = Daemon(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with daemon:
        daemon.exchange("T1")
        attack = Attack(daemon)
        try:
            assert daemon.upload("T1", LINE % 1) == (200, b"OK: 1")
            assert attack.held() == COUNT
        finally:
            attack.end()


@pytest.mark.long
def test_workers_serve_a_port_for_proxies(tmp_path: pathlib.Path) -> None:
    """The address of a terminal is that of the PROXY header, whichever process hears it."""
    flags = ("--workers", "2", "--listen", "haproxy:tcp:0:interface=127.0.0.1")
    with Daemon(tmp_path, *flags) as daemon:
        where = json.loads((tmp_path / "run.json").read_text())["listen"][1]
        port = int(where.rpartition(":")[2])

        def heard(address: str) -> bool:
            raw = b"GET /iclock/cdata?SN=T1&options=all HTTP/1.1\r\nConnection: close\r\n\r\n"
            with (
                contextlib.suppress(ConnectionError),
                socket.create_connection(("127.0.0.1", port), timeout=20) as sock,
            ):
                sock.sendall(f"PROXY TCP4 {address} 192.0.2.1 1 2\r\n".encode() + raw)
                sock.recv(65536)
            items = daemon.api("GET", "devices")["items"]
            return [item["address"] for item in items] == [address]

        for number in range(3):
            wait_until(lambda number=number: heard(f"203.0.113.{number}"))
        daemon.terminate()
        assert "name your proxies in proxies.trusted" in daemon.output()


@pytest.mark.long
def test_what_workers_refuse_is_counted_by_their_parent(tmp_path: pathlib.Path) -> None:
    """The one page of metrics is of all processes, also of one that has died since."""
    (tmp_path / "zkpush.toml").write_text("[limits]\nbody_bytes = 1024\n")
    flags = ("--workers", "2", "--config", str(tmp_path / "zkpush.toml"))
    with Daemon(tmp_path, *flags) as daemon:

        def is_refused() -> bool:
            try:
                status, _ = daemon.upload("T1", b"x" * 2000)
            except OSError:
                return False
            return status == 413

        wait_until(is_refused)
        wait_until(lambda: refused(daemon).get("body_bytes", 0) >= 1)
        before = refused(daemon)["body_bytes"]
        for _ in range(20):
            is_refused()
        wait_until(lambda: refused(daemon)["body_bytes"] >= before + 15)
