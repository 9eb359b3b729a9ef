"""`zkpush commands send` for many terminals, and `zkpush jobs`."""

from __future__ import annotations

import json

import pytest

from .program import SECONDS, Daemon, eventually, failed, misused, said


def test_a_job_for_two_terminals(daemon: Daemon) -> None:
    """The id of a job is printed; the list and the job say how far it is."""
    first, second = daemon.terminal("JOB1"), daemon.terminal("JOB2")
    job = said(daemon.zkpush("commands", "send", "JOB1", "JOB2", "INFO")).strip()
    first.answer(f"ID={first.command()[0]}&Return=0&CMD=INFO")
    second.answer(f"ID={second.command()[0]}&Return=-1002&CMD=INFO")
    run = daemon.zkpush("jobs", "show", job, "--wait")
    assert failed(run) == "Error: The job is finished: 1 of 2 done, 1 failed."
    assert "JOB2: failed: Not supported by the equipment" in run.stderr
    shown = json.loads(said(daemon.zkpush("jobs", "show", job, "--json")))
    assert (shown["counts"]["done"], shown["counts"]["failed"]) == (1, 1)
    assert said(daemon.zkpush("jobs", "retry", job)).startswith(f"The job {job} goes on")
    second.answer(f"ID={second.command()[0]}&Return=0&CMD=INFO")
    assert daemon.zkpush("jobs", "show", job, "--wait").returncode == 0
    (line,) = [line for line in said(daemon.zkpush("jobs", "list")).splitlines() if job in line]
    assert "2 of 2 done" in line


@pytest.mark.long
def test_wait_for_a_job(daemon: Daemon) -> None:
    """The progress is on stderr, and the exit status says whether all was done."""
    terminal = daemon.terminal("JOB3")
    said(daemon.zkpush("devices", "set", "JOB3", "area=cellar"))
    process = daemon.start("commands", "send", "--area", "cellar", "LOG", "--wait")
    terminal.answer(f"ID={terminal.command()[0]}&Return=0&CMD=LOG")
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert err.splitlines()[-1] == "The job is finished: 1 of 1 done."


def test_cancel_a_job(daemon: Daemon) -> None:
    """What is cancelled is not sent."""
    daemon.terminal("JOB4")
    send = ("commands", "send", "JOB4", "REBOOT", "--wave", "1", "--stop-after", "2")
    job = said(daemon.zkpush(*send, "--window", "00:00-23:59")).strip()
    assert said(daemon.zkpush("jobs", "cancel", job)) == f"The job {job} is cancelled.\n"
    run = daemon.zkpush("jobs", "show", job, "--wait")
    assert failed(run) == "Error: The job is cancelled: 0 of 1 done, 1 cancelled."
    assert "Queue its commands again as a new job" in failed(daemon.zkpush("jobs", "retry", job))


def test_a_terminal_that_gets_no_command_is_named(daemon: Daemon) -> None:
    """Pending and blocked ones, alone and in a job; the command stays queued."""
    daemon.terminal("JOB6")
    daemon.terminal("JOB7", approved=False)
    said(daemon.zkpush("devices", "approve", "JOB8", "--add"))
    said(daemon.zkpush("devices", "block", "JOB8"))
    run = daemon.zkpush("commands", "send", "JOB7", "INFO")
    assert len(said(run).strip()) == len("mwx7taaez4k2qp")
    assert run.stderr.startswith("JOB7 is pending: it gets no command until it is approved.")
    run = daemon.zkpush("commands", "send", "JOB6", "JOB7", "JOB8", "INFO")
    assert [line.split(":")[0] for line in run.stderr.splitlines()] == [
        "JOB7 is pending",
        "JOB8 is blocked",
        "Next",
    ]
    assert "zkpush devices approve JOB8" in run.stderr


def test_a_job_has_ended_when_its_last_command_has(daemon: Daemon) -> None:
    """While it is running, and after a retry, it has no end."""
    terminal = daemon.terminal("JOB9")
    job = said(daemon.zkpush("commands", "send", "JOB9", "INFO", "--wave", "1")).strip()

    def seen(state: str) -> str | None:
        shown = eventually(
            state,
            lambda: one if (one := daemon.api("GET", f"jobs/{job}"))["state"] == state else None,
        )
        ended: str | None = shown["ended_at"]
        return ended

    assert seen("running") is None
    terminal.answer(f"ID={terminal.command()[0]}&Return=-1&CMD=INFO")
    ended = seen("finished")
    assert ended == daemon.api("GET", f"commands?job={job}")["items"][0]["finished_at"]
    said(daemon.zkpush("jobs", "retry", job))
    assert seen("running") is None


def test_mistakes_of_send(daemon: Daemon) -> None:
    """Terminals are named in one of three ways; what is not a window is a usage error."""
    for words in (("INFO",), ("JOB1",), ("JOB1", "INFO", "--all")):
        message = failed(daemon.zkpush("commands", "send", *words), 2)
        assert message.startswith("Error: A command and its terminals are needed: ")
        assert "`zkpush commands catalogue` lists the commands" in message
    run = misused("commands", "send", "--all", "INFO", "--window", "night")
    assert "'night' is not a window such as 02:00-04:00." in run.stderr
    run = misused("commands", "send", "--all", "PIN=7")
    assert "a terminal and a command are needed" in run.stderr
