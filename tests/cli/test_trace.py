"""`zkpush devices trace`."""

from __future__ import annotations

import json
import signal
import threading

import pytest

from .program import SECONDS, Daemon, eventually, failed, said

NEXT = "Next: zkpush doctor TRACE1"


def test_the_last_requests_of_a_terminal_are_shown(daemon: Daemon) -> None:
    """A line each, the newest last; and what to do next."""
    terminal = daemon.terminal("TRACE1")
    terminal.punch(["1\t2026-01-05 08:00:00\t0\t1"])
    terminal.ask("GET", "rtdata", "&type=time")
    titles, *lines, last = said(daemon.zkpush("devices", "trace", "TRACE1")).splitlines()
    assert titles.split()[:6] == ["Time", "(UTC)", "Times", "Method", "Path", "Table"]
    assert last == NEXT
    assert [line.split()[3:5] for line in lines] == [
        ["GET", "/iclock/cdata"],
        ["POST", "/iclock/cdata"],
        ["GET", "/iclock/rtdata"],
    ]
    assert lines[1].split()[-3:] == ["upload", "OK:", "1"]
    assert "refused: There is nothing under this path " in lines[2]
    assert lines[2].endswith("There is nothing under this path.")
    items = json.loads(said(daemon.zkpush("devices", "trace", "TRACE1", "--json")))
    assert [item["status"] for item in items] == [200, 200, 404]


def test_a_terminal_without_requests(daemon: Daemon) -> None:
    """One that has not connected says where to look; one that is not known is an error."""
    said(daemon.zkpush("devices", "approve", "TRACE2", "--add"))
    run = daemon.zkpush("devices", "trace", "TRACE2")
    assert "Check the server address and port in its menu." in run.stderr
    assert failed(daemon.zkpush("devices", "trace", "TRACE9")) == (
        "Error: There is no terminal TRACE9. `zkpush doctor TRACE9` shows whether requests with "
        "this serial number were refused."
    )


@pytest.mark.long
def test_requests_are_followed(daemon: Daemon) -> None:
    """Each is printed as it comes, until the person interrupts."""
    terminal = daemon.terminal("TRACE3")
    process = daemon.start("devices", "trace", "TRACE3", "--follow", "--json")
    lines: list[str] = []
    reading = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")))
    reading.start()
    try:
        eventually("the first line", lambda: bool(lines) or None)
        terminal.ask("GET", "getrequest", "")
        terminal.ask("GET", "getrequest", "")

        def polls() -> bool | None:
            counts = [json.loads(one)["count"] for one in lines if "getrequest" in one]
            return sum(counts) == 2 or None

        eventually("the polls", polls)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        reading.join(SECONDS)
    assert process.stderr.read() == ""
