"""`zkpush attendance follow`."""

from __future__ import annotations

import itertools
import json
import pathlib
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from zkpush.cli.client import SILENCE, BodyReader
from zkpush.cli.following import EventStream

from .program import SECONDS, Daemon, Terminal, cells, eventually, failed, misused

FIRST = 900_000
"""Users whose records show that somebody follows."""
_firsts = itertools.count(FIRST)


class Following:
    """A run of `attendance follow`, and what it has printed."""

    def __init__(self, daemon: Daemon, *args: str) -> None:
        self.process = daemon.start("attendance", "follow", *args)
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)

    def begun(self, terminal: Terminal) -> Following:
        """Wait until it follows."""

        def find() -> bool | None:
            punch(terminal, next(_firsts))
            return bool(self.lines) or None

        eventually("the first line", find)
        return self

    @property
    def pins(self) -> list[int]:
        """The users of the records it has printed, as JSON, once it followed."""
        pins = [int(json.loads(line)["pin"]) for line in self.lines]
        return [pin for pin in pins if pin < FIRST]

    def interrupt(self) -> tuple[int, str]:
        """End it as a person does; its status and its message."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(SECONDS)
        self._reading.join(SECONDS)
        return self.process.returncode, self.process.stderr.read()


@contextmanager
def following(daemon: Daemon, *args: str) -> Iterator[Following]:
    """A run that is ended, whatever becomes of the test."""
    run = Following(daemon, *args)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
        run.process.wait(SECONDS)


def punch(terminal: Terminal, *pins: int) -> None:
    """Store records."""
    rows = [f"{pin}\t2026-01-05 08:00:00\t0\t1" for pin in pins]
    assert terminal.punch(rows) == b"OK: %d" % len(pins)


@pytest.mark.long
def test_new_records_are_printed_as_they_come(daemon: Daemon) -> None:
    """A person sees a table that grows, and nothing of what was there before."""
    terminal = daemon.terminal("FOLLOW1")
    punch(terminal, 1)
    terminal.upload("OPERLOG", "USER PIN=7\tName=Ann Lee\tPri=0\n")
    with following(daemon) as run:
        run.begun(terminal)
        punch(terminal, 7, 8)
        eventually("the last line", lambda: (" 8 " in "".join(run.lines)) or None)
        assert run.interrupt() == (0, "")
    titles, *lines = cells("".join(run.lines))
    assert titles == [
        "ID",
        "Device",
        "PIN",
        "Name",
        "Time",
        "(terminal)",
        "Status",
        "Verify",
        "Work",
        "code",
    ]
    assert [line[1:] for line in lines if int(line[2]) < FIRST] == [
        [
            "FOLLOW1",
            "7",
            "Ann",
            "Lee",
            "2026-01-05",
            "08:00:00",
            "Check",
            "in",
            "Only",
            "fingerprint",
        ],
        ["FOLLOW1", "8", "2026-01-05", "08:00:00", "Check", "in", "Only", "fingerprint"],
    ]


@pytest.mark.long
def test_a_program_gets_an_object_a_line(daemon: Daemon) -> None:
    """With all that the API shows of a record, but for decisions, which may come after it."""
    terminal = daemon.terminal("FOLLOW2")
    with following(daemon, "--json") as run:
        run.begun(terminal)
        punch(terminal, 5)
        eventually("the record", lambda: run.pins or None)
        listed = daemon.api("GET", "attendance?device=FOLLOW2&pin=5")
        decided = {"other_person": None, "not_counted": False}
        assert {**json.loads(run.lines[-1]), **decided} == listed["items"][0]
        assert run.interrupt() == (0, "")


@pytest.mark.long
def test_a_restart_of_the_daemon_loses_and_doubles_nothing(tmp_path: pathlib.Path) -> None:
    """It waits for the daemon, and goes on after the last record that it has printed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data = tmp_path / "data"
    daemon = Daemon(data, port)
    pins = itertools.count(1)
    sent: list[int] = []

    def store(terminal: Terminal, count: int) -> None:
        new = list(itertools.islice(pins, count))
        punch(terminal, *new)
        sent.extend(new)

    with following(daemon, "--json") as run:
        run.begun(daemon.terminal("AGAIN1"))
        for is_killed in (False, True):
            terminal = Terminal(daemon.terminals, "AGAIN1")
            for _ in range(5):
                store(terminal, 10)
            daemon.kill() if is_killed else daemon.stop()
            daemon = Daemon(data, port)
            store(Terminal(daemon.terminals, "AGAIN1"), 10)
            eventually("all records", lambda: (len(run.pins) >= len(sent)) or None)
        store(Terminal(daemon.terminals, "AGAIN1"), 1)
        eventually("the last record", lambda: (len(run.pins) >= len(sent)) or None)
        status, message = run.interrupt()
    daemon.stop()
    assert run.pins == sent
    lost, back = "The connection is lost; waiting for the daemon.\n", "The daemon is back.\n"
    assert (status, message) == (0, (lost + back) * 2)


@pytest.mark.long
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_closed_pipe(daemon: Daemon, form: list[str]) -> None:
    """A reader that has seen enough ends it at the next record, without a word."""
    terminal = daemon.terminal("FOLLOW3")
    process = daemon.start("attendance", "follow", *form)
    lines: list[str] = []
    reading = threading.Thread(target=lambda: lines.append(process.stdout.readline()), daemon=True)
    reading.start()
    eventually("a line", lambda: punch(terminal, next(_firsts)) or lines or None)
    process.stdout.close()
    process.stdout = None

    def ended() -> int | None:
        punch(terminal, next(_firsts))
        return process.poll()

    eventually("the end", ended)
    assert (process.returncode, process.stderr.read()) == (1, "")


def test_who_cannot_follow_is_told(daemon: Daemon) -> None:
    """A daemon that is not there, and a token that is not taken, are errors at once."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    run = daemon.zkpush("attendance", "follow", ZKPUSH_TOKEN="wrong")
    assert "refused the token" in failed(run)
    process = daemon.start("--url", nowhere, "--token", "t", "attendance", "follow")
    out, message = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (1, "")
    assert "Nothing answers" in message
    assert "No such option" in failed(misused("attendance", "follow", "--csv"), 2)


EVENTS = st.lists(
    st.tuples(st.integers(1, 99), st.text(max_size=5), st.booleans(), st.booleans()), max_size=6
)


@given(EVENTS, st.data())
def test_events_come_through_however_the_stream_is_cut(events, data) -> None:
    """Pieces of any size; comments and ids without data are no events, but an id counts."""
    text, expected, last = "retry: 1000\n: position 0.0\n", [], "0.0"
    for number, value, has_data, alive in events:
        text += f": position {number}.1\n" if alive else ""
        last = f"{number}.2"
        text += f"id: {last}\n"
        if has_data:
            expected.append(("device", {"v": value}))
            text += f"event: device\ndata: {json.dumps({'v': value}, ensure_ascii=False)}\n"
        text += "\n"
    raw = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()
    taken: list[tuple[str, object]] = []
    stream = EventStream(lambda kind, item: taken.append((kind, item)))
    while raw:
        size = data.draw(st.integers(1, len(raw)))
        stream.feed(raw[:size])
        raw = raw[size:]
    assert (taken, stream.last_event_id) == (expected, last)


def test_half_an_event_is_told_again() -> None:
    """What was cut off in its middle is dropped, with its id."""
    taken: list[object] = []
    stream = EventStream(lambda kind, item: taken.append(item))
    stream.feed(b'id: 1.0\nevent: device\ndata: {}\n\nid: 2.0\nevent: device\ndata: {"a"')
    stream.begin()
    assert stream.last_event_id == "1.0"
    stream.feed(b'id: 2.0\nevent: device\ndata: {"a": 1}\n\n')
    assert (taken, stream.last_event_id) == ([{}, {"a": 1}], "2.0")


def test_a_stream_that_falls_silent_is_given_up() -> None:
    """A peer that is gone says nothing, not even that."""
    clock, pieces, ended = Clock(), [], []
    body = BodyReader(pieces.append, clock)
    body.ended.addBoth(ended.append)
    transport = StringTransport()
    body.makeConnection(transport)
    clock.advance(SILENCE - 1)
    body.dataReceived(b": position 0.0\n")
    clock.advance(SILENCE - 1)
    assert (pieces, ended, transport.disconnecting) == ([b": position 0.0\n"], [], False)
    clock.advance(1)
    assert (ended, transport.disconnecting) == ([None], True)
    body.dataReceived(b"late")
    body.connectionLost()
    assert (pieces, clock.getDelayedCalls()) == ([b": position 0.0\n"], [])
