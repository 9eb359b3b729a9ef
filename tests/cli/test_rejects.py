"""`zkpush rejects`."""

from __future__ import annotations

import base64
import json
import pathlib

from .program import Daemon, cells, failed, misused, said, zkpush

BAD = "1452\tnot-a-time\t0\t1"


def test_rejects_are_listed(daemon: Daemon) -> None:
    """A person sees that something is set aside, and why; with filters, and as JSON."""
    terminal = daemon.terminal("REJ1")
    assert terminal.upload("ATTLOG", BAD) == b"OK: 0"
    titles, line = cells(said(daemon.zkpush("rejects", "list", "--device", "REJ1")))
    assert titles == [
        "ID",
        "Device",
        "Table",
        "Received",
        "(UTC)",
        "Last",
        "Uploads",
        "Times",
        "Bytes",
        "Attempts",
        "Reason",
    ]
    assert (line[1:3], line[7:12]) == (
        ["REJ1", "ATTLOG"],
        ["1", "1", str(len(BAD)), "0", "Time:"],
    )
    args = ("--device", "REJ1", "--table", "ATTLOG", "--json")
    (item,) = json.loads(said(daemon.zkpush("rejects", "list", *args)))
    assert base64.b64decode(item["raw"]).decode() == BAD
    none = daemon.zkpush("rejects", "list", "--device", "REJ1", "--table", "USER")
    assert (said(none), none.stderr) == ("", "No upload that was not understood is kept.\n")


def test_equal_rejects_are_one_line(daemon: Daemon) -> None:
    """With their number and the ID of the newest; those with another reason are another one."""
    terminal = daemon.terminal("REJG")
    for number in range(3):
        terminal.upload("ATTLOG", f"{number}\tnot-a-time\t0\t1")
    terminal.upload("FOOLOG", "a")
    of_terminal = ("rejects", "list", "--device", "REJG")
    ids = [one["id"] for one in json.loads(said(daemon.zkpush(*of_terminal, "--json")))]
    assert len(ids) == 4
    _, *lines = cells(said(daemon.zkpush(*of_terminal)))
    assert [(line[0], line[2], line[7]) for line in lines] == [
        (str(ids[2]), "ATTLOG", "3"),
        (str(ids[3]), "FOOLOG", "1"),
    ]
    _, *lines = cells(said(daemon.zkpush(*of_terminal, "--all")))
    assert [(line[0], line[7]) for line in lines] == [(str(id), "1") for id in ids]
    assert len(said(daemon.zkpush(*of_terminal, "--csv")).splitlines()) == 5


def test_the_only_reject_needs_no_number(tmp_path: pathlib.Path) -> None:
    """It is said which; several are listed by the error, and none are a failure."""
    daemon = Daemon(tmp_path / "data")
    try:
        assert "There is no upload." in failed(daemon.zkpush("rejects", "show"))
        terminal = daemon.terminal("ONLY1")
        terminal.upload("FOOLOG", "a")
        shown = daemon.zkpush("rejects", "show")
        assert "a" in said(shown)
        assert "The only upload is 1: FOOLOG of terminal ONLY1, " in shown.stderr
        assert "--yes needs the ID" in failed(daemon.zkpush("rejects", "delete", "--yes"), 2)
        terminal.upload("ATTLOG", BAD)
        several = daemon.zkpush("rejects", "show")
        assert (several.returncode, several.stdout) == (2, "")
        assert "Give the ID of one upload:" in several.stderr
        first, second = several.stderr.splitlines()[-2:]
        assert first.strip().startswith("2: ATTLOG of terminal ONLY1, ")
        assert second.strip().startswith("1: FOOLOG of terminal ONLY1, ")
    finally:
        daemon.stop()


def test_the_bytes_of_a_reject_are_shown(daemon: Daemon) -> None:
    """As text for a person, and as they came for a file."""
    terminal = daemon.terminal("REJ2")
    terminal.upload("ATTLOG", BAD)
    (item,) = json.loads(said(daemon.zkpush("rejects", "list", "--device", "REJ2", "--json")))
    shown = said(daemon.zkpush("rejects", "show", str(item["id"])))
    assert "1452\\x09not-a-time" in shown
    assert said(daemon.zkpush("rejects", "show", str(item["id"]), "--raw")) == BAD
    message = failed(daemon.zkpush("rejects", "show", "999999"))
    assert message.startswith(
        "Error: There is no upload 999999 that was not understood. One that was read again is gone."
    )
    assert message.endswith("See: zkpush rejects list")


def test_the_line_feed_at_the_end_of_a_body_is_no_line(daemon: Daemon) -> None:
    """An empty line within the body is one."""
    terminal = daemon.terminal("REJ8")
    terminal.upload("FOOLOG", "a\n\nb\n")
    (item,) = json.loads(said(daemon.zkpush("rejects", "list", "--device", "REJ8", "--json")))
    shown = said(daemon.zkpush("rejects", "show", str(item["id"]))).splitlines()
    first = next(number for number, line in enumerate(shown) if line.startswith("raw "))
    assert [line.split()[-1] for line in shown[first : first + 3]] == ["a", "-", "b"]
    assert not shown[first + 3].startswith(" ")


def test_rejects_are_read_again(daemon: Daemon) -> None:
    """The counts are printed, with what to do about those that are still not understood."""
    terminal = daemon.terminal("REJ3")
    terminal.upload("ATTLOG", BAD)
    printed = said(daemon.zkpush("rejects", "retry", "--device", "REJ3", "--table", "ATTLOG"))
    assert printed == (
        "0 understood (0 records), 1 still not.\nSee the reasons: zkpush rejects list\n"
    )
    counts = json.loads(said(daemon.zkpush("rejects", "retry", "--device", "REJ3", "--json")))
    assert counts == {"read": 0, "kept": 1, "records": 0}
    said(daemon.zkpush("devices", "approve", "REJ4", "--add"))
    assert (
        said(daemon.zkpush("rejects", "retry", "--device", "REJ4"))
        == "No upload that was not understood is kept.\n"
    )
    message = failed(daemon.zkpush("rejects", "retry", "--device", "NOPE"))
    assert (
        message == "Error: There is no terminal NOPE. See: zkpush devices list, zkpush doctor NOPE"
    )


def test_a_reject_is_deleted(daemon: Daemon) -> None:
    """It is gone; a second time is a mistake."""
    daemon.terminal("REJ5").upload("ATTLOG", BAD)
    (item,) = json.loads(said(daemon.zkpush("rejects", "list", "--device", "REJ5", "--json")))
    id = str(item["id"])
    assert said(daemon.zkpush("rejects", "delete", id)) == f"The upload {id} is deleted.\n"
    none = daemon.zkpush("rejects", "list", "--device", "REJ5")
    assert none.stderr == "No upload that was not understood is kept.\n"
    assert failed(daemon.zkpush("rejects", "delete", id)).startswith(
        f"Error: There is no upload {id} that was not understood. One that was read again is gone."
    )


def test_mistakes() -> None:
    """An id is a number."""
    for words, listed in (
        (("rejects", "show", "x"), "rejects list"),
        (("files", "remove", "0"), "files list"),
        (("conflicts", "settle", "-"), "conflicts list"),
    ):
        assert f"{words[-1]!r} is not a number. See: zkpush {listed}" in misused(*words).stderr
    assert "retry" in said(zkpush("rejects", "--help"))
