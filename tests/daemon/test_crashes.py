"""The daemon is killed, with a plugin that behaves, and with one that misbehaves in every way."""

from __future__ import annotations

import pathlib

import pytest

from .misbehaving import (
    APART,
    BEHAVES,
    NEVER_RETURNS,
    WITHIN,
    await_call,
    behave,
    end_pauses,
    environment,
    inline,
    kept_as_rejects,
    kept_by_plugin,
    naming,
    rejects_lines,
)
from .process import Daemon
from .test_process import ERRORS, wait_until

pytestmark = pytest.mark.usefixtures("no_cover")

UPLOAD = "cdata?SN=T1&table=OPERLOG&Stamp=1"


def body(number: int) -> bytes:
    """A record, and a line for the plugin."""
    return b"OPLOG 4\t%d\t2026-01-05 08:00:00\t0\t0\t0\t0\nUNRULY Id=%d" % (number, number)


def obedient(folder: pathlib.Path, is_inline: bool) -> tuple[str, ...]:
    """Flags for a database that follows orders."""
    flags = ("--database", f"obedient:///{folder / 'zkpush.sqlite'}")
    return (*flags, *inline(folder)) if is_inline else flags


def answer(way: str, is_inline: bool) -> tuple[int, bytes]:
    """The reply to a body: a line that a handler does not store in time is a reject."""
    return 200, b"OK: 1" if rejects_lines(way, is_inline) else b"OK: 2"


class Lives:
    """Daemons on one data directory, one after the other, and what they are to have stored."""

    def __init__(self, folder: pathlib.Path, flags: tuple[str, ...], url: str | None = None):
        self._folder, self._flags, self._url = folder, flags, url
        self.records = 0
        self.lines: list[str] = []
        self.rejected: set[str] = set()

    def start(self) -> Daemon:
        """The next daemon."""
        return Daemon(self._folder, *self._flags, env=environment(self._folder))

    def stored(self, daemon: Daemon) -> int:
        """How many records there are."""
        return len(daemon.api("GET", "operations?limit=1000")["items"])

    def took(self, number: int, *, is_reject: bool) -> None:
        """Expect a body to be stored, and its line to be a reject or the plugin's."""
        self.records += 1
        if is_reject:
            self.rejected.add(str(number))
        else:
            self.lines = sorted([*self.lines, str(number)])

    def check(self, daemon: Daemon) -> None:
        """Everything is stored, and once; the plugin behaves."""
        assert self.stored(daemon) == self.records
        daemon.settle("unruly")
        left = kept_as_rejects(daemon)
        kept = kept_by_plugin(self._folder, self._url)
        assert left <= self.rejected
        # One that commits by itself may have written what became a reject; and rejects are read
        # again by themselves, once the plugin behaves.
        assert self.rejected <= left | set(kept)
        assert [line for line in kept if line not in self.rejected] == self.lines

    def behave(self) -> None:
        """Let the plugin behave from the next start on."""
        behave(self._folder)
        end_pauses(self._folder, self._url)


@pytest.mark.long
@pytest.mark.parametrize(("ways", "is_inline"), [APART, WITHIN])
def test_a_record_that_was_committed_but_not_acknowledged_does_not_double(
    tmp_path: pathlib.Path, ways: tuple[str, ...], is_inline: bool
) -> None:
    """Killed between commit and reply: the terminal sends again, and there is one record."""
    lives = Lives(tmp_path, obedient(tmp_path, is_inline))
    behave(tmp_path)
    for number, way in enumerate((*ways, None), 1):
        with naming(way), lives.start() as daemon:
            daemon.exchange("T1")
            daemon.request("GET", "getrequest?SN=T1")  # what is noted of a session, is noted then
            lives.check(daemon)
            if way is None:
                return
            behave(tmp_path, way)
            (tmp_path / "die").touch()
            with pytest.raises(ERRORS):
                daemon.request("POST", UPLOAD, body(number))
            daemon.process.wait(20)
        (tmp_path / "die").unlink()
        lives.took(number, is_reject=rejects_lines(way, is_inline))
        with naming(way), lives.start() as daemon:
            assert lives.stored(daemon) == lives.records
            assert daemon.request("POST", UPLOAD, body(number)) == answer(way, is_inline)
            if not is_inline:
                await_call(daemon, way)
            daemon.kill()
        lives.behave()


@pytest.mark.long
@pytest.mark.parametrize(
    ("ways", "is_inline"), [pytest.param((BEHAVES,), False, id="apart"), WITHIN]
)
def test_a_record_that_was_not_committed_was_not_acknowledged(
    tmp_path: pathlib.Path, ways: tuple[str, ...], is_inline: bool
) -> None:
    """Killed before the commit: no OK was sent, and the terminal's second try stores it."""
    lives = Lives(tmp_path, obedient(tmp_path, is_inline))
    behave(tmp_path)
    for number, way in enumerate((*ways, None), 1):
        with naming(way), lives.start() as daemon:
            daemon.exchange("T1")
            lives.check(daemon)
            if way is None:
                return
            behave(tmp_path, way)
            (tmp_path / "hold").touch()
            connection = daemon.connect()
            connection.request("POST", f"/iclock/{UPLOAD}", body(number))
            daemon.kill()
            with pytest.raises(ERRORS):
                connection.getresponse()
        (tmp_path / "hold").unlink()
        with naming(way), lives.start() as daemon:
            assert lives.stored(daemon) == lives.records
            assert daemon.request("POST", UPLOAD, body(number)) == answer(way, is_inline)
            if not is_inline:
                await_call(daemon, way)
            daemon.kill()
        lives.took(number, is_reject=rejects_lines(way, is_inline))
        lives.behave()


@pytest.mark.long
def test_an_upload_in_which_a_plugin_never_returns_is_not_acknowledged(
    tmp_path: pathlib.Path, database_url: str | None
) -> None:
    """Killed in the transaction that the plugin has written in: nothing of it is left."""
    flags = (*inline(tmp_path), *(() if database_url is None else ("--database", database_url)))
    lives = Lives(tmp_path, flags, database_url)
    behave(tmp_path)
    called = tmp_path / "unruly.called"
    sent: list[int] = []
    for number, way in enumerate((*NEVER_RETURNS, None), 1):
        with naming(way), lives.start() as daemon:
            daemon.exchange("T1")
            lives.check(daemon)
            assert daemon.pins() == [str(one) for one in sent]
            if number > 1:
                assert daemon.request("POST", UPLOAD, body(number - 1)) == (200, b"OK: 2")
                lives.took(number - 1, is_reject=False)
                lives.check(daemon)
            if way is None:
                return
            punch = b"%d\t2026-01-05 08:00:00\t0\t1\n" % number
            assert daemon.upload("T1", punch) == (200, b"OK: 1")
            sent.append(number)
            called.unlink(missing_ok=True)
            behave(tmp_path, way)
            connection = daemon.connect()
            connection.request("POST", f"/iclock/{UPLOAD}", body(number))
            wait_until(called.exists)
            daemon.kill()
            with pytest.raises(ERRORS):
                connection.getresponse()
        lives.behave()
