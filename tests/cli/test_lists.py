"""Lists for people: they fit the screen, and have the newest last, names, and local times."""

from __future__ import annotations

import csv
import datetime
import fcntl
import io
import json
import os
import pty
import re
import struct
import termios
import threading
from collections.abc import Callable, Iterator

import pytest
from rich.cells import cell_len

from .program import SECONDS, Daemon, cells, failed, misused, said, start

SN = "3434174801234"
ALIAS = "The front door of the main building, behind the second gate"
LISTS = (
    ("attendance", "list"),
    ("operations", "list"),
    ("errors", "list"),
    ("idcards", "list"),
    ("users", "list"),
    ("devices", "list"),
    ("devices", "trace", SN),
    ("devices", "show", SN),
    ("problems", "list"),
    ("rejects", "list"),
    ("commands", "list", SN),
    ("commands", "catalogue"),
    ("audit", "list"),
    ("files", "list"),
    ("tokens", "list"),
    ("plugins", "list"),
    ("doctor", SN),
)
IDS = {
    "attendance": [SN, "123456789"],
    "operations": [SN],
    "errors": [SN, "D01E0001"],
    "idcards": [SN, "999999200001011239"],
    "users": ["123456789", "1234567890"],
    "rejects": [SN],
    "problems": [SN],
}
"""What must stand in one piece in a list."""


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon of its own with long values in every list."""
    daemon = Daemon(tmp_path_factory.mktemp("wide") / "data")
    terminal = daemon.terminal(SN)
    now = datetime.datetime.now(datetime.UTC)
    terminal.upload(
        "OPERLOG",
        "USER PIN=123456789\tName=Ann of the very long names\tPri=14\tCard=1234567890\n"
        f"OPLOG 68\t1\t{now:%Y-%m-%d %H:%M:%S}\t123456789\t0\t0\t0\n"
        "IDCARD PIN=123456789\tSNNum=5\tIDNum=999999200001011239\tName=Ann of the long names\n",
    )
    terminal.punch([f"123456789\t{now:%Y-%m-%d %H:%M:%S}\t0\t1\t12345678", "1\tnot-a-time\t0"])
    text = "there is no space left for anything that the terminal could store"
    terminal.upload("ERRORLOG", f"ErrCode=D01E0001\tErrMsg={text}\tDataOrigin=cmd\tCmdId=7\n")
    daemon.api("PATCH", f"devices/{SN}", {"alias": ALIAS})
    params = {"PIN": "123456789", "Name": "Ann of the very long names"}
    command = {"command": "DATA UPDATE USERINFO", "params": params}
    daemon.api("POST", f"devices/{SN}/commands", command)
    scopes = ["read", "write", "biometrics", "dangerous"]
    daemon.api("POST", "tokens", {"name": "the-payroll-of-the-main-building", "scopes": scopes})
    yield daemon
    daemon.stop()


def on_screen(daemon: Daemon, columns: int, *words: str) -> list[str]:
    """The lines that a command prints on a screen of this width."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = start("--data", str(daemon.data), *words, stdout=its, stderr=its)
    os.close(its)
    parts: list[bytes] = []

    def read() -> None:
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # all ends of the other side are closed
                return
            parts.append(part)

    reading = threading.Thread(target=read)
    reading.start()
    process.wait(SECONDS)
    reading.join(SECONDS)
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(parts).decode())
    return text.replace("\r", "").splitlines()


@pytest.mark.parametrize(
    ("words", "columns"),
    [*((words, 80) for words in LISTS), (LISTS[0], 120), (("audit", "list"), 120)],
)
def test_a_list_fits_the_screen(wide: Daemon, words: tuple[str, ...], columns: int) -> None:
    """No line is folded by the screen, and no id is cut or broken."""
    lines = on_screen(wide, columns, *words)
    assert lines
    assert [line for line in lines if cell_len(line) > columns] == []
    for one in IDS.get(words[0], ()):
        assert any(one in line for line in lines), lines


def test_nothing_is_lost_on_a_narrow_screen(wide: Daemon) -> None:
    """What does not fit into its column goes on in the next line of the column, or below."""
    narrow = on_screen(wide, 80, "devices", "list")
    words = [word for line in narrow for word in line.split()]
    assert {*ALIAS.split()} <= {*words}
    title = on_screen(wide, 80, "commands", "list")[0]
    assert "Created" in title
    assert "Code" not in title
    audited = on_screen(wide, 80, "audit", "list", "--last", "30")
    assert any(line.startswith("    ") and "PIN=person:" in line for line in audited)


def test_a_pipe_gets_a_line_for_each_item(wide: Daemon) -> None:
    """However long: it can be searched."""
    (line,) = [one for one in said(wide.zkpush("devices", "list")).splitlines() if SN in one]
    assert ALIAS in line
    assert "{" not in said(wide.zkpush("devices", "show", SN))


def test_the_newest_are_last(daemon: Daemon) -> None:
    """`--last` prints so many of the newest, in each form."""
    terminal = daemon.terminal("LAST1")
    terminal.punch([f"{pin}\t2026-01-05 08:00:{pin:02d}\t0\t1" for pin in range(1, 6)])
    words = ("attendance", "list", "--device", "LAST1", "--last", "2")
    assert [line[2] for line in cells(said(daemon.zkpush(*words)))] == ["PIN", "4", "5"]
    items = json.loads(said(daemon.zkpush(*words, "--json")))
    assert [item["pin"] for item in items] == ["4", "5"]
    rows = csv.DictReader(io.StringIO(said(daemon.zkpush(*words, "--csv"))))
    assert [row["pin"] for row in rows] == ["4", "5"]
    message = failed(misused(*words, "--limit", "3"), 2)
    assert message == "Error: --limit counts from the oldest: use it alone."


def test_a_list_of_today(daemon: Daemon) -> None:
    """`--today` is the day on the clock of this machine; what came today of other days is not."""
    terminal = daemon.terminal("TODAY1")
    now = datetime.datetime.now(datetime.UTC)
    days = [now - datetime.timedelta(days=2), now, now - datetime.timedelta(days=3), now]
    rows = [f"{n}\t{day:%Y-%m-%d %H:%M:%S}\t0\t1" for n, day in enumerate(days)]
    terminal.punch(rows)
    words = ("attendance", "list", "--device", "TODAY1", "--today")
    for form in ((), ("--csv",), ("--json",)):
        text = said(daemon.zkpush(*words, *form, TZ="UTC"))
        if form == ("--json",):
            pins = [item["pin"] for item in json.loads(text)]
        elif form:
            pins = [row["pin"] for row in csv.DictReader(io.StringIO(text))]
        else:
            pins = [line[2] for line in cells(text)[1:]]
        # Around midnight, today may have begun since.
        if datetime.datetime.now(datetime.UTC).date() == now.date():
            assert pins == ["1", "3"]


def test_punches_have_the_names_of_people(daemon: Daemon) -> None:
    """A person who is not known has none; nobody reads passwords for that."""
    terminal = daemon.terminal("NAMED1")
    terminal.upload("OPERLOG", "USER PIN=8001\tName=Ann Example\tPasswd=1234\n")
    terminal.punch(["8001\t2026-01-05 08:00:00\t0\t1", "8002\t2026-01-05 08:00:01\t0\t1"])
    before = daemon.api("GET", "audit?order=desc&limit=1")["items"]
    text = said(daemon.zkpush("attendance", "list", "--device", "NAMED1"))
    lines = [re.split(" {2,}", line) for line in text.splitlines()]
    assert [line[2:4] for line in lines] == [
        ["PIN", "Name"],
        ["8001", "Ann Example"],
        ["8002", "2026-01-05 08:00:01"],
    ]
    assert daemon.api("GET", "audit?order=desc&limit=1")["items"] == before


def test_times_are_those_of_this_machine(daemon: Daemon) -> None:
    """Without fractions of a second; and so are times that a person types."""
    terminal = daemon.terminal("LOCAL1")
    terminal.punch(["1\t2026-01-05 08:00:00\t0\t1"])
    (item,) = [one for one in daemon.api("GET", "devices")["items"] if one["sn"] == "LOCAL1"]
    seen = datetime.datetime.fromisoformat(item["last_seen_at"]) + datetime.timedelta(hours=9)
    listed = said(daemon.zkpush("devices", "list", TZ="Asia/Tokyo"))
    (line,) = [one for one in listed.splitlines() if one.startswith("LOCAL1")]
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?!\.)", line)[0][:13] == f"{seen:%Y-%m-%d %H}"
    words = ("attendance", "list", "--device", "LOCAL1", "--json", "--since")
    for since, count in (("2026-01-05T17:00:00", 1), ("2026-01-05T17:00:01", 0), ("today", 0)):
        found = json.loads(said(daemon.zkpush(*words, since, TZ="Asia/Tokyo")))
        assert len(found) == count, since


def completed(daemon: Daemon, *words: str) -> list[str]:
    """What the shell may put in the place of the last word, for the terminals of a daemon."""
    return completions("--data", str(daemon.data), *words)


def completions(*words: str) -> list[str]:
    """What the shell may put in the place of the last word."""
    line = " ".join(["zkpush", *words])
    variables = {"COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    process = start(env={**os.environ, **variables, "_ZKPUSH_COMPLETE": "bash_complete"})
    out, _ = process.communicate(timeout=SECONDS)
    return [line.partition(",")[2] for line in out.splitlines()]


def test_the_shell_completes_serial_numbers_commands_and_parameters(daemon: Daemon) -> None:
    """Of the terminals that there are, and of what a command takes."""
    daemon.terminal("COMPLETE1")
    assert completed(daemon, "devices", "show", "COMPL") == ["COMPLETE1"]
    assert completed(daemon, "commands", "send", "COMPLETE1", "REB") == ["REBOOT"]
    assert completed(daemon, "commands", "send", "COMPLETE1", "VERIFY") == ["'VERIFY SUM ATTLOG'"]
    found = completed(daemon, "commands", "send", "COMPLETE1", "'DATA UPDATE USERINFO'", "Na")
    assert found == ["Name="]
    assert completed(daemon, "devices", "li") == ["list"]


def test_the_shell_completes_commands_of_the_site(
    serve: Callable[..., str],
) -> None:
    """The daemon knows them; its catalogue is the one that is completed."""
    volume = {
        "command": "SET VOLUME",
        "meaning": "Set the volume",
        "params": [{"name": "Level", "meaning": "0 to 9"}],
    }

    def reply(method: str, path: str) -> tuple[int, bytes]:
        items = [volume] if path.startswith("/api/v1/commands/catalogue") else []
        return 200, json.dumps({"items": items, "next": None}).encode()

    to = ("--url", serve(reply), "--token", "any")
    assert completions(*to, "commands", "send", "T1", "SET") == ["'SET VOLUME'"]
    assert completions(*to, "commands", "send", "T1", "'SET VOLUME'", "L") == ["Level="]
