"""Nothing that a terminal or a stranger sends can steer the screen of a person."""

from __future__ import annotations

import csv
import http.client
import io
import json
import pathlib
import re
import select
from collections.abc import Iterator

import pytest
from twisted.logger import Logger, LogPublisher, eventAsText

from zkpush.redaction import redact

from ..cli.program import Daemon, Terminal, eventually, said
from ..daemon.test_process import run

STEERING = "\x1b]0;owned\x07\x1b[2J\x9b31m\x85\u2028\u2029\u202e\u2066\u200f\u061c\x7f\x08\r\ufeff"
"""ESC, OSC and CSI, C1, separators, overrides of direction, DEL, BS, CR."""
NAME = f"Ann{STEERING}End"
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
SN = "STEER1"


@pytest.fixture(scope="module")
def steered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon whose terminal has put these characters wherever it may."""
    daemon = Daemon(tmp_path_factory.mktemp("steered") / "data")
    terminal = daemon.terminal(SN)
    line = NAME.replace("\r", "")
    terminal.upload("OPERLOG", f"USER PIN=7\tName={line}\tOther={line}\n")
    terminal.upload("OPERLOG", f"ERRORLOG ErrCode=D01E0001\tErrMsg={line}\n")
    terminal.upload("options", f"~DeviceName={line},Odd={line}")
    terminal.punch([f"7\t2026-01-05 08:00:00\t0\t1\t{line}"])
    terminal.upload("ATTLOG", f"{line}\trubbish\n")
    terminal.upload(f"X{'%1b%5b2J'}", line)
    daemon.api("POST", f"devices/{SN}/commands", {"command": "SHELL", "params": {"command": "ls"}})
    command_id, _ = terminal.command()
    terminal.answer(f"ID={command_id}\nReturn=0\nCMD=Shell\nContent={NAME}")
    daemon.api("PATCH", f"devices/{SN}", {"alias": NAME})
    yield daemon
    daemon.stop()


def check(text: str) -> None:
    """Nothing in a text steers a screen, but a CSV line may end with CR and LF."""
    found = FORBIDDEN.search(text.replace("\r\n", "\n"))
    assert found is None, (found, text)


COMMANDS = [
    ("devices", "list"),
    ("devices", "show", SN),
    ("users", "list"),
    ("users", "show", "7"),
    ("users", "export", "-"),
    ("attendance", "list"),
    ("attendance", "list", "--csv"),
    ("commands", "list", SN),
    ("audit", "list"),
    ("audit", "list", "--csv"),
    ("problems", "list"),
    ("files", "list"),
    ("tokens", "list"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("as_json", [False, True])
def test_no_command_prints_what_steers_a_screen(
    steered: Daemon, words: tuple[str, ...], as_json: bool
) -> None:
    """Tables, details, CSV and JSON have the characters in writing; JSON says the same."""
    if as_json and ("--csv" in words or "-" in words):
        pytest.skip("these have no --json")
    text = said(steered.zkpush(*words, *(["--json"] if as_json else [])))
    check(text)
    if as_json:
        api = {("users", "show", "7"): "users/7", ("devices", "show", SN): f"devices/{SN}"}
        if words in api:
            assert json.loads(text) == steered.api("GET", api[words])


@pytest.mark.long
def test_followed_records_do_not_steer_a_screen(steered: Daemon) -> None:
    """Neither as lines of a table nor as JSON, while they come."""
    terminal = Terminal(steered.terminals, SN)
    line = NAME.replace("\r", "")
    for number, flags in enumerate(((), ("--json",)), 10):
        following = steered.start("attendance", "follow", *flags)
        minutes = iter(range(60))

        def punched(number=number, minutes=minutes, following=following) -> str | None:
            terminal.punch([f"7\t2026-01-05 {number}:{next(minutes):02}:00\t0\t1\t{line}"])
            ready, _, _ = select.select([following.stdout], [], [], 1)
            return following.stdout.readline() if ready else None

        text = eventually("a record", punched)
        following.terminate()
        rest, err = following.communicate(timeout=30)
        check(text + rest + err)
        assert "Ann" in text + rest or "PIN" in text


def test_an_error_of_the_api_does_not_steer_a_screen(steered: Daemon) -> None:
    """The message of an error quotes what was asked for."""
    for words in (("users", "show", NAME), ("commands", "send", SN, f"IN{STEERING}FO")):
        failed = steered.zkpush(*words)
        assert failed.returncode == 1
        assert failed.stderr
        check(failed.stderr)


def test_the_log_of_the_daemon_does_not_steer_a_screen(steered: Daemon) -> None:
    """Whatever it was sent."""
    log = (steered.data.parent / "daemon.log").read_text()
    assert SN in log
    check(log)


def test_a_value_in_a_log_line_begins_no_other_line() -> None:
    """Text in any form is written visibly: as a value, as an object, in an old event."""

    class Odd:
        def __str__(self) -> str:
            return f"odd{STEERING}"

    lines: list[str] = []
    publisher = LogPublisher(redact, lambda event: lines.append(eventAsText(event)))
    log = Logger(observer=publisher)
    log.info("Terminal {sn} said", sn=f"T1\n2026-01-01 [-] forged {STEERING}")
    log.info("Terminal {sn} said", sn=Odd())
    log.info(f"Terminal {STEERING.replace('{', '')} said")
    assert len(lines) == 3
    for line in lines:
        assert "\n" not in line
        check(line)
    assert r"T1\x0a2026" in lines[0]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30 1", "'+49 30 1"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\uff1d1", "'\uff1d1"),
        ("-12", "-12"),
        ("+4930", "+4930"),
        ("-1.5", "-1.5"),
        ("Ann", "Ann"),
        ("\u202bאב", "\u202bאב"),
        ("a\x1b[2J", r"a\x1b[2J"),
    ],
)
def test_csv_holds_no_formula_and_no_control_character(
    steered: Daemon, text: str, cell: str
) -> None:
    """A formula gets an apostrophe in front, numbers do not; other text stays as it is."""
    Terminal(steered.terminals, SN).upload("OPERLOG", f"USER PIN=99\tName={text}\n")
    connection = http.client.HTTPConnection(steered.url.removeprefix("http://"), timeout=30)
    headers = {"Authorization": f"Bearer {steered.token}", "Accept": "text/csv"}
    connection.request("GET", "/api/v1/users?limit=1000", headers=headers)
    content = connection.getresponse().read().decode()
    connection.close()
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["name"] for row in rows if row["pin"] == "99"] == [cell]


@pytest.mark.long
def test_a_mistake_of_the_configuration_does_not_steer_a_screen(tmp_path: pathlib.Path) -> None:
    """What is quoted of a configuration is visible, too."""
    ended = run("--data", tmp_path, "--listen", "tcp:x\x1b[2J")
    assert ended.returncode == 1
    check(ended.stderr)
