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

from .program import SECONDS, Daemon, cells, eventually, failed, misused, said, start

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
    ("commands", "catalogue", "DATA UPDATE USERINFO"),
    ("files", "list"),
    ("forwarders", "list"),
    ("forwarders", "deliveries", "the-payroll-of-the-main-building"),
    ("jobs", "list"),
    ("users", "history", "123456789"),
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
COMMAND = re.compile(r" *`zkpush [^`]+`[.,:;]?|Next: zkpush [^.]+")
"""A line of its own for a command, which is not broken."""


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
    hook = {"name": "the-payroll-of-the-main-building", "url": "http://127.0.0.1:1/a/long/path"}
    rules = {"since": "2020-01-01"}
    daemon.api("POST", "forwarders", {**hook, "allow_private": True, "rules": rules})
    terminal.punch([f"123456789\t{now:%Y-%m-%d %H:%M:%S}\t1\t1"])
    eventually(
        "an attempt",
        lambda: daemon.api("GET", "forwarders/1/deliveries")["items"] or None,
    )
    daemon.api("POST", "commands", {**command, "devices": [SN]})
    daemon.api("PUT", "users/123456789", {"name": "Ann of the even longer names"})
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
    """No line is folded by the screen, except one command; no id is cut or broken."""
    lines = on_screen(wide, columns, *words)
    assert lines
    long = [line for line in lines if cell_len(line) > columns]
    assert [line for line in long if not COMMAND.fullmatch(line)] == []
    assert [line for line in lines if line.count("`") % 2] == []  # a broken command
    for one in IDS.get(words[0], ()) if words[1:2] != ("history",) else ():
        assert any(one in line for line in lines), lines


@pytest.mark.long
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
    assert json.loads(said(daemon.zkpush(*words[:-2], "--limit", "2", "--json"))) == items


PERIODS = {
    "attendance list": ("PERIOD1", "--device"),
    "operations list": ("PERIOD1", "--device"),
    "rejects list": ("PERIOD1", "--device"),
    "commands list": ("PERIOD1", ""),
    "jobs list": ("", ""),
    "users history": ("8601", ""),
}


@pytest.mark.long
def test_every_list_of_what_happened_takes_the_same_options(daemon: Daemon) -> None:
    """The newest N, those of today and those of a period, newest last."""
    terminal = daemon.terminal("PERIOD1")
    now = f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S}"
    terminal.punch([f"{pin}\t{now}\t{pin}\t1" for pin in range(3)])
    terminal.upload("OPERLOG", "".join(f"OPLOG {n}\t0\t{now}\t0\t0\t0\t0\n" for n in range(3)))
    for number in range(3):
        terminal.upload("ATTLOG", f"1\tnever-{number}\t0\t1\n")
        said(daemon.zkpush("commands", "send", "PERIOD1", "INFO"))
        said(daemon.zkpush("commands", "send", "PERIOD1", "PERIOD1", "LOG"))
        said(daemon.zkpush("users", "put", "8601", f"name=Ann {number}"))
    for words, (value, option) in PERIODS.items():
        line = (*words.split(), *(part for part in (option, value) if part), "--json")

        def listed(*options: str, line: tuple[str, ...] = line) -> list[dict[str, object]]:
            found: list[dict[str, object]] = json.loads(said(daemon.zkpush(*line, *options)))
            return found

        everything = listed()
        assert len(everything) >= 3, words
        assert listed("--last", "2") == listed("--limit", "2") == everything[-2:], words
        assert listed("--since", "yesterday", "--until", "tomorrow") == everything, words
        assert listed("--since", "tomorrow") == listed("--until", "yesterday") == [], words
        if f"{datetime.datetime.now():%Y-%m-%d}" == now[:10]:
            assert listed("--today", "--last", "1") == everything[-1:], words


def test_a_time_that_is_none_is_refused_with_words() -> None:
    """The forms are named, and the word that was meant."""
    message = failed(misused("jobs", "list", "--since", "tomorow"), 2)
    assert "'tomorow' is not a time such as 2026-03-01, 2026-03-01T08:00, now, " in message
    assert "Did you mean tomorrow?" in message
    assert "--today excludes" in failed(misused("jobs", "list", "--today", "--since", "now"), 2)


@pytest.mark.parametrize(
    "words",
    [
        ("attendance", "list", "--pin", "nobody"),
        ("idcards", "list", "--pin", "nobody"),
        ("conflicts", "list", "--pin", "nobody"),
        ("audit", "list", "--pin", "nobody-else"),  # whose lists no test exports
        ("users", "history", "nobody"),
    ],
)
def test_an_empty_list_says_that_there_is_no_such_person(
    daemon: Daemon, words: tuple[str, ...]
) -> None:
    """Rather than that the person has no records."""
    run = daemon.zkpush(*words)
    assert said(run) == ""
    assert run.stderr == f"There is no user {words[-1]}. See: zkpush users list\n"


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
    assert listed.splitlines()[0].count("(Asia/Tokyo)") == 1
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


@pytest.mark.long
def test_the_shell_completes_what_exists(daemon: Daemon) -> None:
    """Names of forwarders and tokens, and ids of jobs: what a command is about."""
    hook = {"name": "complete-me", "url": "http://127.0.0.1:1", "allow_private": True}
    daemon.api("POST", "forwarders", hook)
    daemon.api("POST", "tokens", {"name": "complete-token", "scopes": ["read"]})
    daemon.terminal("FINISH2")
    job = daemon.api("POST", "commands", {"command": "INFO", "devices": ["FINISH2"]})["id"]
    for word in ("test", "show", "pause", "deliveries", "delete"):
        assert completed(daemon, "forwarders", word, "complete") == ["complete-me"]
    assert completed(daemon, "tokens", "revoke", "complete") == ["complete-token"]
    assert completed(daemon, "jobs", "retry", job[:-2]) == [job]
    daemon.api("DELETE", f"forwarders/{daemon.api('GET', 'forwarders')['items'][-1]['id']}")


@pytest.mark.long
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
