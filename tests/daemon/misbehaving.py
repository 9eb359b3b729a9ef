"""A daemon with a plugin that misbehaves as it is told, and terminals that push to it."""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import pathlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from psycopg import Connection

from .process import PLUGINS, Daemon
from .test_process import ERRORS, wait_until

UNRULY = pathlib.Path(__file__).parent / "unruly"
BEHAVES = "behaves"
NEVER_RETURNS = ("loops", "blocks")
BREAKS_TRANSACTIONS = (
    "rolls back",
    "rolls back the driver",
    "commits",
    "closes the connection",
)
CONTAINED = (BEHAVES, "raises", "exits", "runs out of memory", *BREAKS_TRANSACTIONS)
"""What a plugin does in tests of crashes when it is called in the transaction of an upload."""
WAYS = (*CONTAINED, *NEVER_RETURNS)
"""The same when it is called apart."""
APART = pytest.param(WAYS, False, id="apart")
WITHIN = pytest.param(CONTAINED, True, id="inline")
ENDING = pytest.param(BREAKS_TRANSACTIONS, True, id="inline")
APART_ON_A_NODE = pytest.param(
    (BEHAVES, "raises", "commits", "closes the connection", "loops"), False, id="apart"
)
WITHIN_ON_A_NODE = pytest.param(
    (BEHAVES, "raises", "exits", "runs out of memory", "commits"), True, id="inline"
)
"""The ways that one test goes through, in successive lives of daemons on one database, and whether
the plugin is called inline. Those on a node are some: one process cannot tell whether there is
another, and all ways meet a kill on PostgreSQL, either there or with `APART` and `ENDING`."""
PAUSE = 0.02
"""Seconds until a terminal sends again what was not acknowledged; real ones take longer."""


@contextlib.contextmanager
def naming(way: str | None) -> Iterator[None]:
    """Name the way of the plugin in failures; None for the check of the last one."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"The plugin {way}." if way else "This is the check of the last way.")
        raise


def rejects_lines(way: str, is_inline: bool) -> bool:
    """Whether lines for the plugin are acknowledged as rejects."""
    return is_inline and way != BEHAVES


def environment(folder: pathlib.Path) -> dict[str, str]:
    """What a daemon needs to find the package, and the package its orders."""
    path = os.pathsep.join([str(UNRULY), str(PLUGINS)])
    return {
        "PYTHONPATH": path,
        "ZKPUSH_TEST_UNRULY": str(folder / "unruly.txt"),
        "ZKPUSH_TEST_ORDERS": str(folder),
    }


def behave(folder: pathlib.Path, way: str = BEHAVES) -> None:
    """Tell the package how to misbehave from now on."""
    (folder / "unruly.txt").write_text(way)


def configured(folder: pathlib.Path, text: str) -> tuple[str, ...]:
    """Flags for a configuration file with this text."""
    path = folder / "zkpush.toml"
    path.write_text(text)
    return ("--config", str(path))


def inline(folder: pathlib.Path) -> tuple[str, ...]:
    """Flags for a daemon that calls the plugin in the transaction of the upload."""
    return configured(folder, '[plugins]\ninline = ["unruly"]\n')


@contextlib.contextmanager
def opened(folder: pathlib.Path, url: str | None) -> Iterator[sqlite3.Connection | Connection]:
    """The database of a daemon; `url` is that of a PostgreSQL database."""
    if url is not None:
        with psycopg.connect(url) as server:
            yield server
        return
    with contextlib.closing(sqlite3.connect(folder / "zkpush.sqlite")) as file:
        yield file
        file.commit()


def kept_by_plugin(folder: pathlib.Path, url: str | None) -> list[str]:
    """The numbers in the plugin's own table."""
    with opened(folder, url) as database:
        return [row[0] for row in database.execute("SELECT id FROM unruly ORDER BY id")]


def end_pauses(folder: pathlib.Path, url: str | None) -> None:
    """Let the plugin have all its lines at the next start, as if hours had passed."""
    with opened(folder, url) as database:
        database.execute("UPDATE inbox SET next_at = 0")


def kept_as_rejects(daemon: Daemon) -> set[str]:
    """The numbers in the rejects, all of which are of lines for the plugin."""
    numbers: set[str] = set()
    after = "0"
    while after is not None:
        listing = daemon.api("GET", f"rejects?limit=1000&after={after}")
        for reject in listing["items"]:
            assert reject["table"] == "UNRULY", reject
            assert reject["reason"].startswith("the handler unruly failed"), reject
            raw = base64.b64decode(reject["raw"]).decode()
            numbers |= {line.partition("Id=")[2] for line in raw.splitlines()}
        after = listing["next"]
    return numbers


def send(daemon: Daemon, sn: str, number: object) -> tuple[int, bytes]:
    """A line for the plugin among others."""
    body = f"UNRULY Id={number}\nUSER PIN=1\tName=Ann".encode()
    return daemon.request("POST", f"cdata?SN={sn}&table=OPERLOG&Stamp=1", body)


_numbers = itertools.count(1000)


def await_call(daemon: Daemon, way: str) -> None:
    """Wait until the plugin, called apart, has stored what is in its inbox, or has failed to."""
    if way == BEHAVES:
        daemon.settle("unruly")
    else:
        wait_until(lambda: daemon.plugin("unruly")["last_error"])


class Load:
    """Terminals that push punches and lines for the plugin, and remember what is acknowledged.

    They take the daemons in turn, and send each record again until it is acknowledged.
    """

    def __init__(self, *daemons: Daemon) -> None:
        self._stop = threading.Event()
        self.punches: set[str] = set()
        self.lines: set[str] = set()
        """Numbers of lines for the plugin that were acknowledged as stored."""
        self.rejected: set[str] = set()
        """The same for those that were acknowledged without being counted."""
        self.refusals: set[tuple[int, bytes]] = set()
        """Replies that acknowledge nothing."""
        pushes = [*[self._punch] * 4, self._line, self._line]
        self._threads = [
            threading.Thread(
                target=push, args=(f"L{number}", daemons if number % 2 else daemons[::-1])
            )
            for number, push in enumerate(pushes)
        ]
        for number in range(len(pushes)):
            daemons[0].exchange(f"L{number}")
        for thread in self._threads:
            thread.start()

    @property
    def acknowledged(self) -> int:
        """How many punches are acknowledged, while some lines are acknowledged, too."""
        return len(self.punches) if len(self.lines) + len(self.rejected) > 1 else 0

    def end(self) -> None:
        """Wait for all terminals to stop."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _punch(self, sn: str, daemons: Sequence[Daemon]) -> None:
        def upload(daemon: Daemon, pin: str) -> tuple[int, bytes]:
            return daemon.upload(sn, f"{pin}\t2026-01-05 08:00:00\t0\t1\n".encode())

        self._push(daemons, upload, {b"OK: 1": self.punches})

    def _line(self, sn: str, daemons: Sequence[Daemon]) -> None:
        acknowledged = {b"OK: 2": self.lines, b"OK: 1": self.rejected}
        self._push(daemons, lambda daemon, number: send(daemon, sn, number), acknowledged)

    def _push(self, daemons, upload, acknowledged) -> None:
        turns = itertools.cycle(daemons)
        number = str(next(_numbers))
        while not self._stop.is_set():
            try:
                status, reply = upload(next(turns), number)
            except (*ERRORS, OSError):
                self._stop.wait(PAUSE)
                continue
            if status == 200 and reply in acknowledged:
                acknowledged[reply].add(number)
                number = str(next(_numbers))
            else:
                self.refusals.add((status, reply))
                self._stop.wait(PAUSE)


def check_load(daemon: Daemon, load: Load, folder: pathlib.Path, url: str | None) -> None:
    """Everything that was acknowledged is stored, once; the daemon's plugin behaves by now."""
    stored = daemon.pins()
    assert load.punches <= set(stored)
    assert len(stored) == len(set(stored))
    daemon.settle("unruly")
    kept = kept_by_plugin(folder, url)
    assert load.lines <= set(kept)
    assert len(kept) == len(set(kept))
    # Those that are read again after the start are in its table by then, and no rejects any more.
    assert load.rejected <= kept_as_rejects(daemon) | set(kept_by_plugin(folder, url))
