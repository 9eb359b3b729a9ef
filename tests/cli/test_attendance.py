"""`zkpush attendance`."""

from __future__ import annotations

import json
import re

import pytest

from .program import Daemon, cells, failed, misused, said

MANY = 2500


@pytest.fixture(scope="module")
def many(daemon: Daemon) -> str:
    """A terminal that has sent more records than the API gives at once."""
    terminal = daemon.terminal("MANY1")
    rows = [
        f"{number}\t2026-01-{5 + number // 1440:02d} "
        f"{number // 60 % 24:02d}:{number % 60:02d}:00\t0\t1\t0\t0\t0"
        for number in range(MANY)
    ]
    assert terminal.punch(rows) == b"OK: 2500"
    return "MANY1"


def listed(daemon: Daemon, *args: str) -> str:
    """What `attendance list` prints."""
    return said(daemon.zkpush("attendance", "list", *args))


def test_table(daemon: Daemon) -> None:
    """A person sees who was verified when, by the terminal's own clock."""
    terminal = daemon.terminal("TABLE1")
    terminal.punch(["7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0", "12345\t2026-01-05 08:00:01\t1\t15"])
    lines = [re.split(" {2,}", line) for line in listed(daemon, "--device", "TABLE1").splitlines()]
    assert lines[0] == [
        "ID",
        "Device",
        "PIN",
        "Name",
        "Time (terminal)",
        "Status",
        "Verify",
        "Work code",
    ]
    assert [line[1:] for line in lines[1:]] == [
        ["TABLE1", "7", "2026-01-05 08:00:00", "Check in", "Only fingerprint", "0"],
        ["TABLE1", "12345", "2026-01-05 08:00:01", "Check out", "Face"],
    ]


def test_unknown_terminal(daemon: Daemon) -> None:
    """The serial number of no terminal is a mistake, and no empty list."""
    for more in ((), ("--csv",), ("--json",)):
        said_ = failed(daemon.zkpush("attendance", "list", "--device", "NOPE", *more))
        assert (
            said_
            == "Error: There is no terminal 'NOPE'. See: zkpush devices list, zkpush doctor NOPE"
        )


def test_filters(daemon: Daemon) -> None:
    """The list is of one terminal, one user, and a time from an instant on and before another."""
    terminal = daemon.terminal("FILTER1")
    terminal.punch([f"{pin}\t2026-02-0{day} 08:00:00\t0\t1" for pin in (1, 2) for day in (1, 2, 3)])
    text = listed(
        daemon,
        *("--device", "FILTER1", "--pin", "2", "--json"),
        *("--since", "2026-02-02T10:00:00+02:00", "--until", "2026-02-03T08:00:00Z"),
    )
    assert [(item["pin"], item["utc"]) for item in json.loads(text)] == [
        ("2", "2026-02-02T08:00:00Z")
    ]


def test_filters_by_doubt_and_reception(daemon: Daemon) -> None:
    """The list is of records whose time is doubtful, or that came from an instant on."""
    terminal = daemon.terminal("DOUBT1")
    terminal.punch(["1\t2026-01-05 08:00:00\t0\t1", "2\t2150-01-05 08:00:00\t0\t1"])

    def pins(*args: str) -> list[str]:
        found = json.loads(listed(daemon, "--device", "DOUBT1", "--json", *args))
        return [item["pin"] for item in found]

    assert pins("--doubt", "future") == ["2"]
    assert pins("--doubt", "ambiguous") == []
    (received, _) = (
        item["received_at"] for item in json.loads(listed(daemon, "--device", "DOUBT1", "--json"))
    )
    assert pins("--received-since", f"{received[:19]}Z") == ["1", "2"]
    assert pins("--received-since", "2150-01-01T00:00:00Z") == []
    wrong = misused("attendance", "list", "--doubt", "some")
    assert "'some' is not one of" in wrong.stderr


def test_pages(daemon: Daemon, many: str) -> None:
    """However long the list is, all of it is printed, once."""
    items = json.loads(listed(daemon, "--device", many, "--json"))
    assert [item["pin"] for item in items] == [str(number) for number in range(MANY)]
    lines = cells(listed(daemon, "--device", many))
    assert [line[2] for line in lines] == ["PIN", *(str(number) for number in range(MANY))]


def test_csv(daemon: Daemon, many: str) -> None:
    """CSV has one line of names, and everything there is of each record."""
    header, *lines = listed(daemon, "--device", many, "--csv").splitlines()
    assert header.startswith("id,device,utc,received_at,pin,time,status,verify,work_code,")
    assert [line.split(",")[4] for line in lines] == [str(number) for number in range(MANY)]


@pytest.mark.parametrize("limit", [3, 1001])
def test_limit(daemon: Daemon, many: str, limit: int) -> None:
    """As many records are printed as were asked for, on how many pages they may be."""
    text = listed(daemon, "--device", many, "--csv", "--limit", str(limit))
    assert len(text.splitlines()) == 1 + limit


def test_none(daemon: Daemon) -> None:
    """An empty list is said to a person, and is empty for a program."""
    run = daemon.zkpush("attendance", "list", "--pin", "nobody")
    assert said(run) == ""
    assert run.stderr == "There is no user nobody. See: zkpush users list\n"
    daemon.terminal("SILENT1")
    run = daemon.zkpush("attendance", "list", "--device", "SILENT1")
    assert run.stderr.startswith("No records found. `zkpush devices list` shows the terminals")
    assert listed(daemon, "--pin", "nobody", "--json") == "[]\n"
    assert len(listed(daemon, "--pin", "nobody", "--csv").splitlines()) == 1


@pytest.mark.parametrize("form", [[], ["--csv"]])
def test_closed_pipe(daemon: Daemon, many: str, form: list[str]) -> None:
    """A reader that has seen enough ends the listing without a word."""
    process = daemon.start("attendance", "list", "--device", many, *form)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    _, message = process.communicate(timeout=30)
    assert (process.returncode, message) == (1, "")


def test_mistakes(daemon: Daemon) -> None:
    """A time that is none is refused, and two forms."""
    message = failed(daemon.zkpush("attendance", "list", "--since", "soon"), 2)
    assert "'soon' is not a time such as 2026-03-01" in message
    assert failed(daemon.zkpush("attendance", "list", "--csv", "--json"), 2) == (
        "Error: --csv and --json exclude each other."
    )


def test_days_are_the_payroll_sheet(daemon: Daemon) -> None:
    """A row for each person and day, with what there is to check; also as CSV and JSON."""
    terminal = daemon.terminal("DAYS1")
    daemon.api("PUT", "users/91", {"name": "Ann Ash"})
    daemon.api("PATCH", "devices/DAYS1", {"timezone": "UTC"})
    terminal.punch(
        [
            "91\t2026-01-05 08:00:00\t0\t1\t0\t0\t0",
            "91\t2026-01-05 16:30:00\t1\t1\t0\t0\t0",
            "91\t2026-01-06 08:00:00\t0\t1\t0\t0\t0",
            "91\t2026-01-06 25:00:00\t0\t1\t0\t0\t0",
        ]
    )
    words = "attendance", "days", "--first", "2026-01-01", "--last", "2026-01-31"
    words += ("--device", "DAYS1", "--timezone", "UTC")
    shown = daemon.zkpush(*words)
    lines = [re.split(" {2,}", line) for line in shown.stdout.splitlines()]
    assert lines == [
        ["PIN", "Name", "Day", "First", "Last", "Punches", "Between", "To check"],
        ["91", "Ann Ash", "2026-01-05", "08:00:00", "16:30:00", "2", "8:30"],
        ["91", "Ann Ash", "2026-01-06", "08:00:00", "1", "one punch, unreadable"],
    ]
    assert "1 line that could not be read is missing: zkpush rejects list" in shown.stderr
    found = json.loads(said(daemon.zkpush(*words, "--json")))
    assert [one["to_check"] for one in found] == [[], ["one punch", "unreadable"]]
    assert said(daemon.zkpush(*words, "--to-check", "--csv")).count("\n") == 2
    assert "No punches found" in daemon.zkpush(*words, "--last", "2026-01-04").stderr
    early = ("attendance", "days", "--first", "2026-01-07", "--last", "2026-01-08", "--pin", "91")
    assert "91 Ann Ash has no punch in these days." in daemon.zkpush(*early).stderr
    assert misused(*words, "--csv", "--json").returncode == 2
    assert "is not a day" in failed(daemon.zkpush("attendance", "days", "--first", "May"))
