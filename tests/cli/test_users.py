"""`zkpush users`."""

from __future__ import annotations

import csv
import json
import pathlib
import random
import stat

import pytest

from zkpush.simulator.picture import draw

from .program import SECONDS, Daemon, cells, failed, said

TEMPLATE = "bm9ib2R5J3MgdGVtcGxhdGU="


@pytest.fixture(scope="module")
def people(daemon: Daemon) -> None:
    """Two users of a terminal, one with a fingerprint."""
    terminal = daemon.terminal("PEOPLE1")
    terminal.upload(
        "OPERLOG",
        "USER PIN=71\tName=Ann\tPri=14\tPasswd=1234\tCard=[15CD5B07]\n"
        f"FP PIN=71\tFID=1\tTMP={TEMPLATE}\n"
        "USER PIN=72\tName==SUM(1)\tPri=0",
    )


def test_table(daemon: Daemon, people: None) -> None:
    """A person sees who is known, with how many templates, and from which terminal."""
    lines = cells(said(daemon.zkpush("users", "list")))
    names = ["PIN", "Name", "Privilege", "Card", "Templates", "Photo", "Areas", "Terminal"]
    assert lines[0] == names
    ann = ["71", "Ann", "Super", "administrator", "123456789", "1", "no", "default", "PEOPLE1"]
    assert ann in lines


def test_json(daemon: Daemon, people: None) -> None:
    """A program gets everything there is, but passwords only of the user that it asks for."""
    items = {
        item["pin"]: item for item in json.loads(said(daemon.zkpush("users", "list", "--json")))
    }
    assert (items["71"]["password"], items["71"]["templates"]) == (None, {"1": 1})
    assert json.loads(said(daemon.zkpush("users", "show", "71", "--json")))["password"] == "1234"
    one = json.loads(said(daemon.zkpush("users", "show", "72", "--json")))
    assert set(one.pop("authors").values()) == {"device PEOPLE1"}
    assert one == items["72"]


def test_unknown(daemon: Daemon, people: None) -> None:
    """A user who is not known is said to be so."""
    message = failed(daemon.zkpush("users", "show", "404"))
    assert message == "Error: There is no user 404. See: zkpush users list"


def test_export(daemon: Daemon, people: None, tmp_path: pathlib.Path) -> None:
    """All users go into a file for its owner only; a file that is there is left alone."""
    file = tmp_path / "users.csv"
    assert said(daemon.zkpush("users", "export", str(file))) == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(newline="") as lines:
        rows = {row["pin"]: row for row in csv.DictReader(lines)}
    assert (rows["71"]["name"], rows["71"]["card"]) == ("Ann", "123456789")
    assert rows["72"]["name"] == "'=SUM(1)"
    assert failed(daemon.zkpush("users", "export", str(file))) == (
        f"Error: {file} exists already; give another file name."
    )
    printed = said(daemon.zkpush("users", "export", "-"))
    assert len(printed.splitlines()) == len(file.read_text().splitlines())


@pytest.mark.long
def test_enrol_and_watch(daemon: Daemon) -> None:
    """A finger is enrolled in one call, and the command line says when the template is here."""
    terminal = daemon.terminal("ENROL1")
    terminal.upload("OPERLOG", "USER PIN=75\tName=Ann")
    words = ("users", "enrol", "75", "ENROL1", "right", "index", "finger")
    process = daemon.start(*words, "--wait")
    command_id, text = terminal.command()
    assert text == "ENROLL_FP PIN=75\tFID=6"
    terminal.upload("OPERLOG", f"FP PIN=75\tFID=6\tTMP={TEMPLATE}")
    terminal.answer(f"ID={command_id}&Return=0&CMD=ENROLL_FP")
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (
        0,
        "Terminal ENROL1 has enrolled it, and it is stored here.\n",
    )
    assert "Waits for the next request of terminal ENROL1" in err
    process = daemon.start(*words, "--wait")
    command_id, _ = terminal.command()
    terminal.answer(f"ID={command_id}&Return=6&CMD=ENROLL_FP")
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert err.splitlines()[-1] == (
        "Error: Terminal ENROL1 has not enrolled it: Registration is cancelled."
    )


def test_enrol_later(daemon: Daemon, people: None) -> None:
    """Without --wait, the command line says how to watch; without the terminal, it gives up."""
    daemon.terminal("ENROL2")
    words = ("users", "enrol", "71", "ENROL2", "face")
    lines = said(daemon.zkpush(*words)).splitlines()
    assert lines[0].startswith("visible light face: Waits for the next request of terminal ENROL2")
    assert lines[1].startswith("Watch it: zkpush commands show ")
    late = daemon.zkpush(*words, "--wait", "--timeout", "0.1")
    assert "Waits for the next request of terminal ENROL2" in failed(late)
    assert "Say which finger" in failed(daemon.zkpush(*words[:-1], "finger"))


def test_search(daemon: Daemon, people: None) -> None:
    """A person is found by a part of the name, a card or what is stored; a mistake is said."""

    def pins(*words: str) -> list[str]:
        listed = said(daemon.zkpush("users", "list", *words, "--json"))
        return [item["pin"] for item in json.loads(listed)]

    assert pins("--device", "PEOPLE1") == ["71", "72"]
    assert pins("ann", "--device", "PEOPLE1") == ["71"]
    assert pins("--card", "123456789") == ["71"]
    assert pins("--device", "PEOPLE1", "--no-templates", "--no-photo") == ["72"]
    assert pins("--device", "PEOPLE1", "--privilege", "14") == ["71"]
    nobody = daemon.zkpush("users", "list", "nobody")
    assert (said(nobody), nobody.stderr.strip()) == ("", "No users found.")
    assert "There is no terminal 'NONE'" in failed(
        daemon.zkpush("users", "list", "--device", "NONE")
    )


def test_photo(daemon: Daemon, people: None, tmp_path: pathlib.Path) -> None:
    """A JPEG file becomes the photo of a person, and is removed again."""
    file = tmp_path / "ann.jpg"
    file.write_bytes(draw(random.Random(1)))
    stored = said(daemon.zkpush("users", "photo", "71", str(file)))
    assert stored == (
        f"The photo of user 71 is stored: 32 x 32 pixels, {file.stat().st_size} bytes.\n"
    )
    removed = said(daemon.zkpush("users", "photo", "71", "--remove"))
    assert removed == "The photo of user 71 is removed.\n"
    assert failed(daemon.zkpush("users", "photo", "71", "--remove")) == (
        "Error: User 71 has no such photo."
    )
    assert "Cannot read" in failed(daemon.zkpush("users", "photo", "71", str(tmp_path / "no.jpg")))
    file.write_bytes(b"no picture")
    assert failed(daemon.zkpush("users", "photo", "71", str(file), "--face")) == (
        "Error: The picture is no JPEG file."
    )
    assert "Give either FILE.jpg or --remove." in failed(daemon.zkpush("users", "photo", "71"), 2)


def test_an_export_says_how_many(daemon: Daemon, tmp_path: pathlib.Path) -> None:
    """On stderr, so that CSV on stdout stays CSV."""
    daemon.terminal("EXPORT9").upload("OPERLOG", "USER PIN=8091\tName=Ann\n")
    count = len(daemon.api("GET", "users?limit=1000")["items"])
    run = daemon.zkpush("users", "export", str(tmp_path / "all.csv"))
    assert (said(run), run.stderr) == ("", f"{count} users written to {tmp_path / 'all.csv'}.\n")
    run = daemon.zkpush("users", "export", "-")
    assert len(said(run).splitlines()) == count + 1
    assert run.stderr == f"{count} users written.\n"
