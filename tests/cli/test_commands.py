"""`zkpush commands`."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess

import pytest

from ..declared import COMMANDS
from .program import SECONDS, Daemon, cells, environment, failed, misused, said


def queued(daemon: Daemon, sn: str, command: str = "INFO") -> str:
    """The id of a command that waits for a terminal."""
    return said(daemon.zkpush("commands", "send", sn, command)).strip()


def test_send(daemon: Daemon) -> None:
    """A command is queued, and its id printed, as it stands on the wire."""
    terminal = daemon.terminal("SEND1")
    command_id = queued(daemon, "SEND1")
    assert terminal.command() == (command_id, "INFO")


def test_send_json(daemon: Daemon) -> None:
    """As JSON, the queued command is what the API says of it."""
    daemon.terminal("SEND2")
    command = json.loads(said(daemon.zkpush("commands", "send", "SEND2", "REBOOT", "--json")))
    assert (command["command"], command["params"], command["state"]) == ("REBOOT", {}, "queued")


@pytest.mark.long
def test_wait(daemon: Daemon) -> None:
    """The command line waits until a terminal has done a command, and prints what it says."""
    terminal = daemon.terminal("WAIT1")
    process = daemon.start("commands", "send", "WAIT1", "INFO", "--wait")
    command_id, _ = terminal.command()
    terminal.answer(f"ID={command_id}&Return=0&CMD=INFO\nFWVersion=Ver 2.0\nNote=\x1b[31m\n")
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert out.splitlines() == [
        command_id,
        "FWVersion  Ver 2.0",
        "Note       \\x1b[31m",
    ]
    assert err.splitlines()[0] == "INFO is queued"
    assert err.splitlines()[-1] == "INFO is done."


@pytest.mark.long
def test_wait_failed(daemon: Daemon) -> None:
    """A command that a terminal cannot do fails, with the meaning of its code."""
    terminal = daemon.terminal("WAIT2")
    process = daemon.start("commands", "send", "WAIT2", "LOG", "--wait", "--json")
    command_id, _ = terminal.command()
    terminal.answer(f"ID={command_id}&Return=-1002&CMD=LOG")
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert json.loads(out)["return_code"] == -1002
    assert err.splitlines()[-1] == (
        "Error: The command failed: -1002 (Not supported by the equipment)"
    )


@pytest.mark.long
def test_wait_cancelled(daemon: Daemon) -> None:
    """A command that is cancelled meanwhile is not done."""
    daemon.terminal("WAIT3")
    process = daemon.start("commands", "send", "WAIT3", "LOG", "--wait")
    assert process.stdout is not None
    command_id = process.stdout.readline().strip()
    said(daemon.zkpush("commands", "cancel", command_id))
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert err.splitlines()[-1] == (
        "Error: The command is cancelled. It was cancelled before it was sent."
    )


def test_wait_no_longer(daemon: Daemon) -> None:
    """After the time to wait, the command stays queued."""
    daemon.terminal("WAIT4")
    run = daemon.zkpush("commands", "send", "WAIT4", "LOG", "--wait", "--timeout", "0.5")
    command_id = said(run, 1).strip()
    assert run.stderr.splitlines()[-1] == (
        "Error: The command is still queued after 0.5 seconds. It stays in the queue; "
        f"see: zkpush commands show {command_id}"
    )
    shown = said(daemon.zkpush("commands", "show", command_id))
    assert ["state", "queued"] in [line.split() for line in shown.splitlines()]


@pytest.mark.long
def test_when_a_command_is_sent(daemon: Daemon) -> None:
    """Deadline, priority and earliest time are options; the end says why in words."""
    terminal = daemon.terminal("WHEN1")
    later = ("--not-before", "2126-01-01", "--expires", "2h")
    waits = json.loads(said(daemon.zkpush("commands", "send", "WHEN1", "LOG", *later, "--json")))
    assert (waits["not_before"], waits["expires_at"]) == (
        "2126-01-01T00:00:00.000Z",
        "2126-01-01T02:00:00.000Z",
    )
    queued(daemon, "WHEN1", "LOG")
    urgent = said(daemon.zkpush("commands", "send", "WHEN1", "INFO", "--priority", "9")).strip()
    assert terminal.command()[0] == urgent
    run = daemon.zkpush("commands", "send", "WHEN1", "AC_UNLOCK", "--expires", "1s", "--wait")
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == (
        "Error: The command is expired. The terminal did not fetch it in time; it was never sent."
    )
    for bad in (("--expires", "soon"), ("--priority", "10"), ("--expires", "0s")):
        run = daemon.zkpush("commands", "send", "WHEN1", "LOG", *bad)
        assert run.returncode == 2
    last = said(daemon.zkpush("commands", "list", "WHEN1")).splitlines()[-1]
    assert "AC_UNLOCK" in last
    assert "The terminal did not fetch it in time" in last


def test_progress(daemon: Daemon) -> None:
    """On a screen, a line says what is waited for, and is gone in the end."""
    daemon.terminal("SCREEN1")
    screen, side = pty.openpty()
    process = daemon.start(
        *("commands", "send", "SCREEN1", "LOG", "--wait", "--timeout", "0"),
        env=environment(ZKPUSH_DATA=str(daemon.data), TERM="xterm"),
        stderr=side,
    )
    os.close(side)
    written = b""
    try:
        while part := os.read(screen, 1000):
            written += part
    except OSError:  # the other side has ended
        pass
    os.close(screen)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert b"LOG is queued (0 s)" in written
    assert b"\x1b[2K" in written


def test_interrupt(daemon: Daemon) -> None:
    """An interrupt ends the waiting; the command stays queued."""
    daemon.terminal("WAIT5")
    process = daemon.start("commands", "send", "WAIT5", "LOG", "--wait")
    assert process.stdout is not None
    command_id = process.stdout.readline().strip()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err.splitlines()[-1]) == (1, "Aborted!")
    assert daemon.api("GET", f"commands/{command_id}")["state"] == "queued"


def test_list(daemon: Daemon) -> None:
    """The commands of a terminal are listed, the newest last."""
    terminal = daemon.terminal("QUEUE1")
    first, second = queued(daemon, "QUEUE1"), queued(daemon, "QUEUE1", "LOG")
    terminal.command()
    terminal.answer(f"ID={first}&Return=0&CMD=INFO")
    lines = cells(said(daemon.zkpush("commands", "list", "QUEUE1")))
    assert lines[0] == [
        "ID",
        "Device",
        "Command",
        "State",
        "Created",
        "(UTC)",
        "Finished",
        "Code",
        "Meaning",
    ]
    assert lines[2][:4] == [second, "QUEUE1", "LOG", "sent"]
    assert [*lines[1][:4], *lines[1][-2:]] == [first, "QUEUE1", "INFO", "done", "0", "Successful"]
    items = json.loads(said(daemon.zkpush("commands", "list", "QUEUE1", "--json")))
    assert [item["id"] for item in items] == [first, second]


def test_empty_list(daemon: Daemon) -> None:
    """A terminal without commands is told from one that is not known."""
    daemon.terminal("QUEUE2")
    run = daemon.zkpush("commands", "list", "QUEUE2")
    assert (said(run), run.stderr) == (
        "",
        "No commands found. Queue one: zkpush commands send SN INFO\n",
    )
    assert failed(daemon.zkpush("commands", "list", "NOBODY")) == (
        "Error: There is no terminal 'NOBODY'. See: zkpush devices list, zkpush doctor NOBODY"
    )


def test_cancel(daemon: Daemon) -> None:
    """A command that has not ended can be cancelled, once."""
    daemon.terminal("CANCEL1")
    command_id = queued(daemon, "CANCEL1")
    assert said(daemon.zkpush("commands", "cancel", command_id)) == (
        f"The command {command_id} is cancelled.\n"
    )
    command = json.loads(said(daemon.zkpush("commands", "show", command_id, "--json")))
    assert command["state"] == "cancelled"
    assert failed(daemon.zkpush("commands", "cancel", command_id)) == (
        f"Error: The command {command_id} is cancelled already."
    )


def test_mistakes(daemon: Daemon) -> None:
    """What the protocol does not have is refused by the API, and usage by the command line."""
    daemon.terminal("MISTAKE1")

    def send(*args: str) -> subprocess.CompletedProcess[str]:
        return daemon.zkpush("commands", "send", "MISTAKE1", *args)

    assert failed(send("REBOOT", "A=1")) == (
        "Error: REBOOT has no parameter 'A'; it takes no parameters"
    )
    assert failed(misused("commands", "send", "MISTAKE1", "DATA", "UPDATE"), 2) == (
        "Error: Invalid value for '[SN]... COMMAND [KEY=VALUE]...': quote a command of several "
        "words: 'DATA UPDATE'."
    )
    assert failed(send("reboot")) == "Error: 'reboot' is not a command; did you mean REBOOT?"
    assert "did you mean DATA UPDATE USERINFO" in failed(send("DATA UPDATE USER", "PIN=7"))
    assert "'pin' (did you mean PIN?)" in failed(send("DATA UPDATE USERINFO", "pin=7"))
    assert "no parameter 'foo', 'bar', 'baz'; it takes" in failed(
        send("DATA UPDATE USERINFO", "PIN=7", "foo=1", "bar=2", "baz=3")
    )
    assert failed(send("LOG", "--timeout", "1"), 2) == "Error: --timeout needs --wait."
    message = failed(daemon.zkpush("commands", "show", "nope"))
    assert message == "Error: There is no command nope. See: zkpush commands list"
    past = failed(send("LOG", "--not-before", "yesterday"), 2)
    assert past == "Error: Invalid value for '--not-before': 'yesterday' is over already."


def test_an_id_of_a_job_leads_to_jobs(daemon: Daemon) -> None:
    """Sending to several says that the ID is one of a job, and so do the commands of IDs."""
    for sn in ("JOBID1", "JOBID2"):
        daemon.terminal(sn)
    sent = daemon.zkpush("commands", "send", "JOBID1", "JOBID2", "LOG")
    job = said(sent).strip()
    assert sent.stderr == f"Next: zkpush jobs show {job}\n"
    for act in ("show", "cancel"):
        assert failed(daemon.zkpush("commands", act, job)) == (
            f"Error: {job} is a job, not a command. See: zkpush jobs show {job}"
        )


def test_a_wait_in_vain_says_that_the_terminal_is_offline(daemon: Daemon) -> None:
    """The command waits for it, so that is the reason."""
    said(daemon.zkpush("devices", "approve", "AWAY1", "--add"))
    run = daemon.zkpush("commands", "send", "AWAY1", "LOG", "--wait", "--timeout", "0")
    told = run.stderr.splitlines()[-1]
    assert told.startswith("Error: The command is still queued after 0 seconds; AWAY1 has never ")


def test_catalogue(daemon: Daemon) -> None:
    """A person and a program see every command with its parameters."""
    lines = said(daemon.zkpush("commands", "catalogue")).splitlines()
    line = next(line for line in lines if line.startswith("DATA QUERY FINGERTMP"))
    assert line.split()[3:6] == ["write", "PIN*", "FingerID"]
    items = json.loads(said(daemon.zkpush("commands", "catalogue", "--json")))
    assert len(items) == len(lines) - 1 == len(COMMANDS)
    for item, line in zip(items, lines[1:], strict=True):
        names = [param["name"] + "*" * param["required"] for param in item["params"]]
        assert line.split() == [
            *(*item["command"].split(), item["scope"]),
            *(*names, *item["meaning"].split()),
        ]


def test_list_of_all_terminals(daemon: Daemon) -> None:
    """Without a serial number, the list is of all terminals; filters and CSV as elsewhere."""
    daemon.terminal("LISTS1")
    daemon.terminal("LISTS2")
    first, second = queued(daemon, "LISTS1", "INFO"), queued(daemon, "LISTS2", "CHECK")
    table = said(daemon.zkpush("commands", "list", "--state", "queued"))
    assert [row[:2] for row in cells(table) if row[0] in (first, second)] == [
        [first, "LISTS1"],
        [second, "LISTS2"],
    ]
    found = daemon.zkpush("commands", "list", "LISTS2", "--command", "CHECK", "--json")
    assert [one["id"] for one in json.loads(said(found))] == [second]
    csv = said(daemon.zkpush("commands", "list", "--csv", "--limit", "1", "--since", "2026-01-01"))
    assert len(csv.splitlines()) == 2
    run = daemon.zkpush("commands", "list", "--csv", "--json")
    assert failed(run, 2) == "Error: --csv and --json exclude each other."


def test_the_catalogue_explains_a_command(daemon: Daemon) -> None:
    """Its parameters with their values, and the meanings of coded ones; in any case."""
    text = said(daemon.zkpush("commands", "catalogue", "data update userinfo"))
    assert re.search(r"^PIN +yes +a user ID: 1 to 64 characters", text, re.MULTILINE)
    assert "Verify is one of:" in text
    assert re.search(r"^  15 +Face$", text, re.MULTILINE)
    (found,) = json.loads(said(daemon.zkpush("commands", "catalogue", "REBOOT", "--json")))
    assert found["command"] == "REBOOT"
    assert "It has no parameters." in said(daemon.zkpush("commands", "catalogue", "REBOOT"))
    message = failed(daemon.zkpush("commands", "catalogue", "REBOT"))
    assert message == "Error: There is no command 'REBOT'. Did you mean REBOOT?"


def test_commands_of_a_terminal_are_listed_by_argument_and_by_option(daemon: Daemon) -> None:
    """Both are the same; two different terminals are a mistake."""
    for sn in ("BYOPTION1", "BYOPTION2"):
        daemon.terminal(sn)
        said(daemon.zkpush("commands", "send", sn, "INFO"))
    lists = [
        json.loads(said(daemon.zkpush("commands", "list", *words, "--json")))
        for words in (["BYOPTION1"], ["--device", "BYOPTION1"])
    ]
    assert [[one["device"] for one in found] for found in lists] == [["BYOPTION1"], ["BYOPTION1"]]
    message = failed(daemon.zkpush("commands", "list", "BYOPTION1", "--device", "BYOPTION2"), 2)
    assert "name different terminals" in message
