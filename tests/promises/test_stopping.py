"""The daemon ends in a configured time, whatever hangs, and says what it gave up."""

from __future__ import annotations

import contextlib
import http.client
import os
import pathlib
import re
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator

import pytest

from zkpush.stopping import GIVEN_UP, DrainDeadline

from ..daemon.process import STOPPED_WITHIN, Daemon
from ..postgres import OwnServer

RECORD = b"7\t2026-03-01 08:00:00\t0\t1\n"
SECONDS = 2
"""The time that the daemon has here."""
PLUGIN = '''\
"""Hangs, in a thread or on the reactor."""

import time

from twisted.internet.threads import deferToThread
from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.interfaces import IVerifier


@implementer(IPlugin, IVerifier)
class Thread:
    """Never returns, on a thread."""

    name = "thread"

    def verify(self, device, request):
        """Decide."""
        return deferToThread(time.sleep, 100_000)


@implementer(IPlugin, IVerifier)
class Reactor:
    """Never returns, on the reactor."""

    name = "reactor"

    def verify(self, device, request):
        """Decide."""
        while True:
            time.sleep(0.01)


thread, reactor = Thread(), Reactor()
'''


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A data directory, with a configuration and with the plugin."""
    plugins = tmp_path / "theirs" / "twisted" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "hanging.py").write_text(PLUGIN)
    configure(tmp_path)
    return tmp_path


def configure(folder: pathlib.Path, verifier: str = "known") -> None:
    """Write a configuration with a short time to stop."""
    (folder / "zkpush.toml").write_text(
        f'[limits]\ndrain_seconds = {SECONDS}\n[verification]\nverifier = "{verifier}"\n'
    )


def start(folder: pathlib.Path, *flags: str) -> Daemon:
    """A daemon with that configuration."""
    plugins = str(folder / "theirs")
    config = str(folder / "zkpush.toml")
    return Daemon(folder, "--config", config, *flags, env={"PYTHONPATH": plugins})


class Upload:
    """A terminal's upload on a connection that the daemon has accepted before."""

    def __init__(self, daemon: Daemon) -> None:
        self._connection = daemon.connect()
        self._connection.request("GET", "/iclock/ping?SN=T1")
        self._connection.getresponse().read()

    def send(self) -> None:
        """Send all of it; a daemon that is told to stop reads first what its sockets hold."""
        self._connection.request("POST", "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=1", RECORD)

    def is_acknowledged(self) -> bool:
        """Whether there was an answer that lets the terminal forget the record."""
        try:
            return self._connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            self._connection.close()


def ended(daemon: Daemon) -> str:
    """What a daemon printed that ended by itself, and gave something up."""
    daemon.terminate()
    assert daemon.process.wait(STOPPED_WITHIN) == GIVEN_UP
    printed = daemon.printed()
    assert f"did not stop within {SECONDS}" in printed
    assert not (daemon.data / "run.json").exists()
    return printed


@contextlib.contextmanager
def stopped(server: OwnServer) -> Iterator[None]:
    """No process of a PostgreSQL server does anything; connections stay open."""
    (first, *_) = (server.folder / "data" / "postmaster.pid").read_text().split()
    children = pathlib.Path(f"/proc/{first}/task/{first}/children").read_text().split()
    for pid in (first, *children):
        os.kill(int(pid), signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in (first, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGCONT)


@pytest.mark.long
def test_a_database_server_that_hangs_does_not_hold_up_the_end(
    folder: pathlib.Path, own_postgres: OwnServer
) -> None:
    """What is not committed is not acknowledged; sent again, it is there once."""
    with start(folder, "--database", own_postgres.url) as daemon:
        daemon.exchange("T1")
        assert daemon.upload("T1", b"6\t2026-03-01 08:00:00\t0\t1\n")[0] == 200
        upload = Upload(daemon)
        with stopped(own_postgres):
            upload.send()
            printed = ended(daemon)
            assert not upload.is_acknowledged()
            assert "of work" in printed
    with start(folder, "--database", own_postgres.url) as daemon:
        assert daemon.upload("T1", RECORD)[0] == 200
        assert sorted(daemon.pins()) == ["6", "7"]


@pytest.mark.long
def test_a_file_that_somebody_has_locked_does_not_hold_up_the_end(folder: pathlib.Path) -> None:
    """The log names what was given up: the request, and the units of work, with those of jobs."""
    with start(folder) as daemon:
        daemon.exchange("T1")
        upload = Upload(daemon)
        with contextlib.closing(sqlite3.connect(folder / "zkpush.sqlite")) as other:
            other.execute("BEGIN IMMEDIATE")
            upload.send()
            printed = ended(daemon)
            assert not upload.is_acknowledged()
    assert re.search(r"given up: 1 request of a terminal, [1-9]\d* units? of work", printed)
    with start(folder) as daemon:
        assert daemon.upload("T1", RECORD)[0] == 200
        assert daemon.pins() == ["7"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("verifier", "words"),
    [("thread", "the thread PoolThread"), ("reactor", "request of a terminal")],
)
def test_a_plugin_that_hangs_does_not_hold_up_the_end(
    folder: pathlib.Path, verifier: str, words: str
) -> None:
    """On a thread, or where it blocks everything."""
    configure(folder, verifier)
    with start(folder) as daemon:
        daemon.exchange("T1")
        connection = socket.create_connection((daemon.terminals.hostname, daemon.terminals.port))
        body = b"PIN=7\tVerifyType=1\n"
        head = (
            f"POST /iclock/cdata?SN=T1&type=PostVerifyData HTTP/1.1\r\nContent-Length: {len(body)}"
        )
        connection.sendall(f"{head}\r\n\r\n".encode() + body)
        if verifier == "thread":
            assert connection.recv(1)  # the fallback, once the verifier is late
        else:
            connection.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                connection.recv(1)
        printed = ended(daemon)
        connection.close()
    assert words in printed


@pytest.mark.long
def test_workers_that_hang_do_not_hold_up_the_end(folder: pathlib.Path) -> None:
    """They end by themselves; the parent waits for them a little longer than they take."""
    with start(folder, "--workers", "2") as daemon:
        daemon.exchange("T1")
        upload = Upload(daemon)
        with contextlib.closing(sqlite3.connect(folder / "zkpush.sqlite")) as other:
            other.execute("BEGIN IMMEDIATE")
            upload.send()
            daemon.terminate()
            daemon.process.wait(STOPPED_WITHIN)
            assert not upload.is_acknowledged()
        printed = daemon.printed()
    assert "did not stop within" in printed


def test_clients_that_never_read_do_not_hold_up_the_end(folder: pathlib.Path) -> None:
    """Of a large answer, of events, and of a file; nothing is given up for them."""
    with start(folder) as daemon:
        daemon.exchange("T1")
        lines = b"".join(b"%d\t2026-03-01 08:00:00\t0\t1\n" % pin for pin in range(20_000))
        assert daemon.upload("T1", lines)[0] == 200
        clients = []
        for path in ("attendance?limit=1000", "events"):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((daemon.manage.hostname, daemon.manage.port))
            request = (
                f"GET /api/v1/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {daemon.token}"
            )
            client.sendall(f"{request}\r\n\r\n".encode())
            assert client.recv(1)
            clients.append(client)
        daemon.terminate()
        assert daemon.process.wait(STOPPED_WITHIN) == -signal.SIGTERM
        assert "given up" not in daemon.printed()
        for client in clients:
            client.close()


def test_nothing_is_given_up_by_a_daemon_that_can_finish(folder: pathlib.Path) -> None:
    """It ends by the signal, as twistd does; the log says nothing of it."""
    with start(folder) as daemon:
        daemon.exchange("T1")
        daemon.terminate()
        assert daemon.process.wait(STOPPED_WITHIN) == -signal.SIGTERM
        assert "given up" not in daemon.printed()


@pytest.mark.long
def test_a_log_that_hangs_does_not_hold_up_the_end() -> None:
    """Nor does what is to be said; whatever they raise, the process ends."""
    over = threading.Event()
    statuses: list[int] = []

    def end(status: int) -> None:
        statuses.append(status)
        over.set()

    def hang() -> list[str]:
        threading.Event().wait()
        return []

    def fail() -> list[str]:
        raise RuntimeError

    for pending in (hang, fail):
        over.clear()
        deadline = DrainDeadline(0, pending, fail, end)
        deadline.start()
        deadline.start()
        assert over.wait(STOPPED_WITHIN)
    assert statuses == [GIVEN_UP] * 2
