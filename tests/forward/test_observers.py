"""Observers: a package of its own that only sees records which others store."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from ..daemon.process import Daemon
from .test_nodes import eventually

PLUGINS = pathlib.Path(__file__).parent / "plugins"
ENV = {"PYTHONPATH": str(PLUGINS)}


def body(*pins: int) -> bytes:
    """An upload of punches."""
    return b"".join(b"%d\t2026-03-01 08:00:%02d\t0\t1\n" % (pin, pin) for pin in pins)


def lines_of(file: pathlib.Path) -> list[str]:
    """What the observer has written."""
    return file.read_text().splitlines() if file.exists() else []


def observing(daemon: Daemon, **settings: str) -> None:
    """Let the observer see all records."""
    rules = {"since": "2020-01-01"}
    wanted = {"name": "doorman", "kind": "headcount", "settings": settings, "rules": rules}
    daemon.api("POST", "forwarders", wanted)


def has(file: pathlib.Path, count: int) -> Callable[[], bool]:
    """Whether the observer has seen so many records."""
    return lambda: len({*lines_of(file)}) == count


@pytest.mark.long
def test_an_observer_sees_what_others_store(tmp_path: pathlib.Path) -> None:
    """After the commit, from the outbox, in order; also what came before a crash, once a process
    runs again."""
    seen, data = tmp_path / "seen.txt", tmp_path / "data"
    data.mkdir()
    with Daemon(data, env=ENV) as daemon:
        observing(daemon, file=str(seen))
        daemon.exchange("T1")
        assert daemon.upload("T1", body(1, 2, 3)) == (200, b"OK: 3")
        eventually(has(seen, 3))
        assert lines_of(seen) == ["rec_1 1", "rec_2 2", "rec_3 3"]
        assert daemon.upload("T1", body(4)) == (200, b"OK: 1")
        daemon.kill()
    with Daemon(data, env=ENV):
        eventually(has(seen, 4))
    assert list(dict.fromkeys(lines_of(seen))) == ["rec_1 1", "rec_2 2", "rec_3 3", "rec_4 4"]


@pytest.mark.long
def test_an_observer_that_fails_delays_nobody(tmp_path: pathlib.Path) -> None:
    """Uploads are stored and acknowledged; it sees them when it is well again."""
    seen, ill, data = tmp_path / "seen.txt", tmp_path / "ill", tmp_path / "data"
    data.mkdir()
    ill.touch()
    with Daemon(data, env=ENV) as daemon:
        observing(daemon, file=str(seen), fails_while=str(ill))
        daemon.exchange("T1")
        assert daemon.upload("T1", body(1)) == (200, b"OK: 1")
        eventually(lambda: daemon.api("GET", "forwarders/1")["last_error"] is not None)
        assert daemon.upload("T1", body(2)) == (200, b"OK: 1")
        assert len(daemon.api("GET", "attendance")["items"]) == 2
        assert daemon.api("GET", "forwarders/1")["last_error"] == (
            "The forwarder failed: RuntimeError"
        )
        ill.unlink()
        daemon.api("POST", "forwarders/1/resume")
        eventually(has(seen, 2))
    assert lines_of(seen) == ["rec_1 1", "rec_2 2"]
