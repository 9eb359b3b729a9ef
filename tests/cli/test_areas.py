"""`zkpush areas`."""

from __future__ import annotations

import json

from .program import Daemon, cells, failed, said


def test_areas(daemon: Daemon) -> None:
    """An area is added, listed, shown and deleted."""
    stored = said(daemon.zkpush("areas", "put", "Shed", "--description", "Behind the hall"))
    assert stored == "Area Shed is stored: 0 terminals, 0 people.\n"
    assert ["Shed", "Behind", "the", "hall", "no", "0", "0"] in cells(
        said(daemon.zkpush("areas", "list"))
    )
    shown = json.loads(said(daemon.zkpush("areas", "show", "Shed", "--json")))
    assert (shown["description"], shown["distributes"]) == ("Behind the hall", False)
    assert said(daemon.zkpush("areas", "delete", "Shed", "--yes")) == "Area Shed is deleted.\n"
    assert failed(daemon.zkpush("areas", "show", "Shed")) == (
        "Error: There is no area Shed. See: zkpush areas list"
    )


def test_people_are_copied_and_adopted(daemon: Daemon) -> None:
    """A dry run says what a copy and an adoption mean."""
    daemon.terminal("FROM1").upload("OPERLOG", "USER PIN=31\tName=Ann\nUSER PIN=32\tName=Bob\n")
    daemon.terminal("TO1")
    for options, verb in (("--dry-run",), "would be"), ((), "are"):
        told = said(daemon.zkpush("devices", "copy", "TO1", "--from", "FROM1", *options))
        assert told.startswith(
            f"FROM1 holds 2 people; 0 of them are on TO1 already. 2 commands {verb} sent.\n"
        )
    said(daemon.zkpush("devices", "set", "FROM1", "area=Hall"))
    for options, verb in (("--dry-run",), "would be"), ((), "are"):
        told = said(daemon.zkpush("devices", "adopt", "FROM1", *options))
        assert told == f"2 of 2 people on FROM1 {verb} added to the area Hall.\n"
    assert failed(daemon.zkpush("devices", "copy", "TO1", "--from", "TO1")) == (
        "Error: --from: terminal TO1 has its own people already."
    )
    found = json.loads(said(daemon.zkpush("devices", "adopt", "FROM1", "--json")))
    assert (found["people"], found["adopted"]) == (2, 0)
