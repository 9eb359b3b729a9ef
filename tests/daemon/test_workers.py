"""`--workers`: several processes on one port."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import signal
import sqlite3
from collections.abc import Iterable, Iterator

import psutil
import pytest

from .process import Daemon
from .test_process import ERRORS, wait_until

LINE = "%d\t2026-01-05 08:00:00\t0\t1\n"


def children(daemon: Daemon) -> list[int]:
    """The workers' process ids."""
    return [child.pid for child in psutil.Process(daemon.process.pid).children()]


def served(daemon: Daemon, path: str) -> bytes | None:
    """The reply to a request, or None if there was none."""
    try:
        status, body = daemon.request("GET", path)
    except (*ERRORS, OSError):
        return None
    return body if status == 200 else None


@pytest.mark.long
def test_workers_share_a_port_and_are_started_again_when_they_die(tmp_path: pathlib.Path) -> None:
    """Requests are served by several processes; one that is killed is replaced; none is left."""
    with Daemon(tmp_path, "--workers", "2") as daemon:
        wait_until(lambda: len(children(daemon)) == 2)
        wait_until(lambda: served(daemon, "cdata?SN=T1&options=all&pushver=2.4.1"))
        for pin in range(40):
            assert daemon.upload("T1", (LINE % pin).encode()) == (200, b"OK: 1")
        assert len(daemon.pins()) == 40

        before = set(children(daemon))
        victim = before.pop()
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(set(children(daemon)) - {victim} - before) == 1)
        wait_until(lambda: served(daemon, "getrequest?SN=T1") == b"OK")
        for pin in range(40, 80):
            assert daemon.upload("T1", (LINE % pin).encode()) == (200, b"OK: 1")
        assert len(daemon.pins()) == 80

        running = children(daemon)
        daemon.terminate()
        daemon.process.wait(30)
        wait_until(lambda: not any(psutil.pid_exists(pid) for pid in running))


@pytest.mark.long
def test_workers_stop_when_their_parent_is_killed(tmp_path: pathlib.Path) -> None:
    """No process goes on serving after the one that started it is gone."""
    with Daemon(tmp_path, "--workers", "2") as daemon:
        wait_until(lambda: len(children(daemon)) == 2)
        wait_until(lambda: served(daemon, "cdata?SN=T1&options=all&pushver=2.4.1"))
        running = children(daemon)
        daemon.kill()
        wait_until(lambda: not any(psutil.pid_exists(pid) for pid in running))


@pytest.mark.long
def test_a_command_reaches_a_terminal_through_any_worker(tmp_path: pathlib.Path) -> None:
    """What is queued on the management endpoint is known to the workers without a query a poll."""
    with Daemon(tmp_path, "--workers", "2") as daemon:
        wait_until(lambda: served(daemon, "cdata?SN=T1&options=all&pushver=2.4.1"))
        wait_until(lambda: served(daemon, "getrequest?SN=T1") == b"OK")
        queued = daemon.api("POST", "devices/T1/commands", {"command": "LOG"})
        line = f"C:{queued['id']}:LOG\n".encode()
        wait_until(lambda: served(daemon, "getrequest?SN=T1") == line)


@contextlib.contextmanager
def stopped(daemon: Daemon, pids: Iterable[int]) -> Iterator[None]:
    """Processes that do nothing meanwhile, stopped while none of them is committing.

    A process that is stopped within a commit keeps SQLite's lock, and nobody else can write.
    """
    try:
        wait_until(lambda: _stop(daemon, pids))
        yield
    finally:
        _continue(pids)


def _stop(daemon: Daemon, pids: Iterable[int]) -> bool:
    """Stop the processes, unless one of them is committing."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    # One that runs just now may take a connection before the signal reaches it.
    wait_until(lambda: all(psutil.Process(pid).status() == psutil.STATUS_STOPPED for pid in pids))
    with contextlib.closing(sqlite3.connect(daemon.data / "zkpush.sqlite", timeout=2)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            _continue(pids)
            return False
    return True


def _continue(pids: Iterable[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def wait_for_workers(daemon: Daemon, count: int, ports: int = 1) -> None:
    """Wait until all workers serve: one that is stopped while it starts may hold a lock that
    others need to start."""
    started = re.compile(r"worker \d+: .* starting on ")
    wait_until(lambda: len(started.findall(daemon.printed())) == count * ports)


@contextlib.contextmanager
def with_workers(data: pathlib.Path, count: int) -> Iterator[tuple[Daemon, set[int]]]:
    """A daemon and the process ids of its workers, each of which has served a request alone."""
    with Daemon(data, "--workers", str(count)) as daemon:
        wait_for_workers(daemon, count)
        pids = set(children(daemon))
        assert len(pids) == count
        wait_until(lambda: served(daemon, "cdata?SN=T1&options=all&pushver=2.4.1"))
        for pid in pids:
            with stopped(daemon, pids - {pid}):
                wait_until(lambda: served(daemon, "getrequest?SN=T1") == b"OK")
        yield daemon, pids


@pytest.mark.long
def test_a_worker_that_hangs_holds_nobody_up(tmp_path: pathlib.Path) -> None:
    """Whichever of them it is, another one takes who would have been its."""
    with with_workers(tmp_path, 3) as (daemon, pids):
        for pid in pids:
            with stopped(daemon, {pid}):
                assert [daemon.request("GET", "getrequest?SN=T1") for _ in range(10)] == (
                    [(200, b"OK")] * 10
                )


@pytest.mark.long
def test_tls_on_a_plain_port_is_a_problem_whichever_worker_sees_it(tmp_path: pathlib.Path) -> None:
    """Problems of the server are listed by the parent, which accepts no connection itself."""
    with Daemon(tmp_path, "--workers", "2") as daemon:
        wait_until(lambda: served(daemon, "cdata?SN=T1&options=all&pushver=2.4.1"))
        with contextlib.closing(daemon.connect()) as connection:
            connection.connect()
            connection.sock.sendall(b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + bytes(200))
            connection.sock.recv(100)

        def found() -> list[tuple[str, str]]:
            items = daemon.api("GET", "problems")["items"]
            return [(one["code"], one["detail"]) for one in items if "TLS" in one["detail"]]

        wait_until(found)
        ((code, detail),) = found()
        assert code == "TLS on a plain port"
        assert detail.startswith("TLS connections come from 127.0.0.1 to a port that speaks HTTP.")
        assert "never connected" not in detail
