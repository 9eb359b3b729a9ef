"""`zkpush attendance verify`, with a daemon and a terminal that counts."""

from __future__ import annotations

import datetime
import json
import pathlib

import pytest

from .program import SECONDS, Daemon, Terminal, eventually, failed, misused, said

DAY = str(datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1))
PERIOD = f"StartTime={DAY} 00:00:00\tEndTime={DAY} 23:59:59"


def row(second: int) -> str:
    """A punch of yesterday."""
    return f"7\t{DAY} 08:00:{second:02}\t0\t1\t0\t0\t0"


def counts(terminal: Terminal, number: int) -> None:
    """Answer the command to count."""
    command_id, text = terminal.command()
    assert text == f"VERIFY SUM ATTLOG {PERIOD}"
    terminal.answer(f"ID={command_id}&Return=0&CMD=VERIFY SUM&AttlogSum={number}")


def sends(terminal: Terminal, *rows: str) -> None:
    """Answer the query with rows."""
    command_id, text = terminal.command()
    assert text == f"DATA QUERY ATTLOG {PERIOD}"
    terminal.punch(rows)
    terminal.answer(f"ID={command_id}&Return=0&CMD=DATA")


@pytest.mark.long
def test_missing_punches_are_fetched_and_proved(daemon: Daemon) -> None:
    """The command waits for the terminal, and says how many records it has brought."""
    terminal = daemon.terminal("SUM1")
    terminal.punch([row(1)])
    process = daemon.start("attendance", "verify", "--device", "SUM1")
    counts(terminal, 3)
    sends(terminal, row(1), row(2), row(3))
    counts(terminal, 3)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    assert f"SUM1    {DAY}  complete  3 of 3; 2 of them were fetched now" in out
    assert err.splitlines()[-1] == "No record is missing on 1 of 1 day of terminals."
    last = daemon.zkpush("attendance", "verify", "--device", "SUM1", "--last", "1", "--json")
    (found,) = json.loads(said(last))
    assert (found["state"], found["counted"], found["stored"]) == ("complete", 3, 3)


@pytest.mark.long
def test_a_shortfall_fails(daemon: Daemon) -> None:
    """Exit status 1, the words in the table, and a problem of the terminal."""
    terminal = daemon.terminal("SUM2")
    process = daemon.start("attendance", "verify", "--device", "SUM2", "--day", DAY, "--json")
    counts(terminal, 2)
    sends(terminal, row(1))
    counts(terminal, 2)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    (found,) = json.loads(out)
    assert (found["state"], found["missing"]) == ("short", 1)
    assert "No record is missing on 0 of 1 day of terminals: records are missing on 1 day." in err
    listed = json.loads(said(daemon.zkpush("problems", "list", "--json")))
    (problem,) = [one for one in listed if one["device"] == "SUM2"]
    assert problem["code"] == "attendance missing"
    assert f"{DAY}: 1 of 2" in problem["detail"]


@pytest.mark.long
def test_a_silent_terminal_and_one_that_refuses_fail_in_words(daemon: Daemon) -> None:
    """Neither proves anything, and each says why."""
    refuses = daemon.terminal("SUM3")
    process = daemon.start("attendance", "verify", "--device", "SUM3")
    refuses.answer(f"ID={refuses.command()[0]}&Return=-1002&CMD=VERIFY SUM")
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "unsupported" in out
    assert "-1002" in out
    daemon.api("PUT", "devices/SUM4", {"state": "approved"})
    run = daemon.zkpush("attendance", "verify", "--device", "SUM4", "--wait", "1s")
    assert run.returncode == 1
    assert "not_answered" in run.stdout


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
def test_a_killed_daemon_goes_on(tmp_path: pathlib.Path) -> None:
    """SIGKILL between the steps loses no step and repeats none."""
    data = tmp_path / "data"
    daemon = Daemon(data)
    terminal = daemon.terminal("SUM5")
    terminal.punch([row(1)])
    run = daemon.api("POST", "attendance/verify", {"devices": ["SUM5"], "since": DAY})
    counts(terminal, 2)
    eventually("the query", lambda: _state(daemon) == "fetching" or None)
    daemon.kill()
    daemon = Daemon(data)
    terminal = daemon.terminal("SUM5")
    sends(terminal, row(1), row(2))
    daemon.kill()
    daemon = Daemon(data)
    try:
        terminal = daemon.terminal("SUM5")
        counts(terminal, 2)
        eventually("the end", lambda: _state(daemon) == "complete" or None)
        found = daemon.api("GET", f"attendance/verify/{run['id']}")
        assert found["counts"]["complete"] == 1
        listed = daemon.api("GET", "devices/SUM5/commands")["items"]
        assert [one["command"] for one in listed] == [
            "VERIFY SUM ATTLOG",
            "DATA QUERY ATTLOG",
            "VERIFY SUM ATTLOG",
        ]
    finally:
        daemon.stop()


def _state(daemon: Daemon) -> str:
    return daemon.api("GET", "attendance/verify")["items"][0]["state"]


def test_mistakes_of_verify(daemon: Daemon) -> None:
    """Options that contradict each other are a usage error."""
    for words, mistake in (
        (("--day", DAY, "--days", "3"), "Error: --day and --days exclude each other."),
        (("--device", "A", "--area", "B"), "Error: --device and --area exclude each other."),
        (("--last", "3", "--wait", "10m"), "Error: --last goes with --device and --day only."),
    ):
        assert failed(daemon.zkpush("attendance", "verify", *words), 2) == mistake
    mistake = "'foo' is not a day such as 2026-03-01."
    assert mistake in misused("attendance", "verify", "--day", "foo").stderr


def test_a_day_that_has_not_begun_is_refused(daemon: Daemon) -> None:
    """Nothing is proved by a day of which nobody can have a record."""
    daemon.terminal("SUM9")
    later = str(datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=3))
    run = daemon.zkpush("attendance", "verify", "--device", "SUM9", "--day", later)
    message = failed(run)
    assert message == f"Error: --day: {later} has not begun; choose a day before today."


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    """It is a mistake, and no empty list."""
    period = ("--since", "2026-12-01", "--until", "2026-11-01")
    assert "the period ends before it begins" in misused("attendance", "list", *period).stderr


@pytest.mark.long
def test_a_day_that_is_not_over_is_said_to_be_so(daemon: Daemon) -> None:
    """The terminal goes on counting, and the server compares the whole day later."""
    terminal = daemon.terminal("SUM9")
    today = str(datetime.date.today())
    process = daemon.start("attendance", "verify", "--device", "SUM9", "--day", today)
    command_id, text = terminal.command()
    assert text.startswith("VERIFY SUM ATTLOG")
    terminal.answer(f"ID={command_id}&Return=0&CMD=VERIFY SUM&AttlogSum=0")
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    assert "The day is not over: what the terminals hold by now was compared." in err
