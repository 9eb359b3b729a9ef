"""The daemon is killed, with a plugin that behaves, and with one that misbehaves in every way."""

from __future__ import annotations

import pathlib

import pytest

from .misbehaving import (
    BEHAVES,
    CONTAINED,
    NEVER_RETURNS,
    WAYS,
    await_call,
    behave,
    end_pauses,
    environment,
    inline,
    kept_as_rejects,
    kept_by_plugin,
)
from .process import Daemon
from .test_process import ERRORS, wait_until

BODY = b"OPLOG 4\t14\t2026-01-05 08:00:00\t0\t0\t0\t0\nUNRULY Id=7"
UPLOAD = "cdata?SN=T1&table=OPERLOG&Stamp=1"
APART = [(way, False) for way in WAYS]
WITHIN = [(way, True) for way in CONTAINED]


def obedient(folder: pathlib.Path, is_inline: bool) -> tuple[str, ...]:
    """Flags for a database that follows orders."""
    flags = ("--database", f"obedient:///{folder / 'zkpush.sqlite'}")
    return (*flags, *inline(folder)) if is_inline else flags


def answer(way: str, is_inline: bool) -> tuple[int, bytes]:
    """The reply to `BODY`: a line that a handler does not store in time is a reject."""
    return 200, b"OK: 1" if is_inline and way != BEHAVES else b"OK: 2"


def check_stored(folder: pathlib.Path, flags: tuple[str, ...], *, is_reject: bool) -> None:
    """Everything of `BODY` is stored, and once, after a start with a plugin that behaves."""
    behave(folder)
    end_pauses(folder, None)
    with Daemon(folder, *flags, env=environment(folder)) as daemon:
        assert len(daemon.api("GET", "operations")["items"]) == 1
        daemon.settle("unruly")
        assert kept_as_rejects(daemon) == ({"7"} if is_reject else set())
    if not is_reject:
        assert kept_by_plugin(folder, None) == ["7"]


@pytest.mark.parametrize(("way", "is_inline"), [*APART, *WITHIN])
def test_a_record_that_was_committed_but_not_acknowledged_does_not_double(
    tmp_path: pathlib.Path, way: str, is_inline: bool
) -> None:
    """Killed between commit and reply: the terminal sends again, and there is one record."""
    flags, env = obedient(tmp_path, is_inline), environment(tmp_path)
    behave(tmp_path, way)
    with Daemon(tmp_path, *flags, env=env) as daemon:
        daemon.exchange("T1")
        daemon.request("GET", "getrequest?SN=T1")  # what is noted of a session, is noted then
        (tmp_path / "die").touch()
        with pytest.raises(ERRORS):
            daemon.request("POST", UPLOAD, BODY)
        daemon.process.wait(20)
    (tmp_path / "die").unlink()
    with Daemon(tmp_path, *flags, env=env) as daemon:
        assert len(daemon.api("GET", "operations")["items"]) == 1
        assert daemon.request("POST", UPLOAD, BODY) == answer(way, is_inline)
        if not is_inline:
            await_call(daemon, way)
        daemon.kill()
    check_stored(tmp_path, flags, is_reject=is_inline and way != BEHAVES)


@pytest.mark.parametrize(("way", "is_inline"), [(BEHAVES, False), *WITHIN])
def test_a_record_that_was_not_committed_was_not_acknowledged(
    tmp_path: pathlib.Path, way: str, is_inline: bool
) -> None:
    """Killed before the commit: no OK was sent, and the terminal's second try stores it."""
    flags, env = obedient(tmp_path, is_inline), environment(tmp_path)
    behave(tmp_path, way)
    with Daemon(tmp_path, *flags, env=env) as daemon:
        daemon.exchange("T1")
        (tmp_path / "hold").touch()
        connection = daemon.connect()
        connection.request("POST", f"/iclock/{UPLOAD}", BODY)
        daemon.kill()
        with pytest.raises(ERRORS):
            connection.getresponse()
    (tmp_path / "hold").unlink()
    with Daemon(tmp_path, *flags, env=env) as daemon:
        assert daemon.api("GET", "operations")["items"] == []
        assert daemon.request("POST", UPLOAD, BODY) == answer(way, is_inline)
        if not is_inline:
            await_call(daemon, way)
        daemon.kill()
    check_stored(tmp_path, flags, is_reject=is_inline and way != BEHAVES)


@pytest.mark.parametrize("way", NEVER_RETURNS)
def test_an_upload_in_which_a_plugin_never_returns_is_not_acknowledged(
    tmp_path: pathlib.Path, database_url: str | None, way: str
) -> None:
    """Killed in the transaction that the plugin has written in: nothing of it is left."""
    flags = (*inline(tmp_path), *(() if database_url is None else ("--database", database_url)))
    behave(tmp_path)
    with Daemon(tmp_path, *flags, env=environment(tmp_path)) as daemon:
        daemon.exchange("T1")
        assert daemon.upload("T1", b"3\t2026-01-05 08:00:00\t0\t1\n") == (200, b"OK: 1")
        behave(tmp_path, way)
        connection = daemon.connect()
        connection.request("POST", f"/iclock/{UPLOAD}", BODY)
        wait_until((tmp_path / "unruly.called").exists)
        daemon.kill()
        with pytest.raises(ERRORS):
            connection.getresponse()
    behave(tmp_path)
    with Daemon(tmp_path, *flags, env=environment(tmp_path)) as daemon:
        assert daemon.pins() == ["3"]
        assert daemon.api("GET", "operations")["items"] == []
        assert kept_by_plugin(tmp_path, database_url) == []
        assert daemon.request("POST", UPLOAD, BODY) == (200, b"OK: 2")
        assert len(daemon.api("GET", "operations")["items"]) == 1
    assert kept_by_plugin(tmp_path, database_url) == ["7"]
