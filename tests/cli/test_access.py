"""`zkpush access`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zkpush.handlers.accessdata.declared import ACCESS_TABLES

from ..server.test_access_data import JPEG
from .program import Daemon, cells, eventually, failed, said


def test_tables_and_their_fields(daemon: Daemon) -> None:
    """The tables are listed, each with its fields and what they mean."""
    listed = said(daemon.zkpush("access", "tables"))
    assert [line.split()[0] for line in listed.splitlines()] == [one.name for one in ACCESS_TABLES]
    shown = said(daemon.zkpush("access", "tables", "work-codes"))
    assert "name   text, needed: name of the work code" in shown


def test_an_entry_is_defined_changed_and_deleted(daemon: Daemon, tmp_path: Path) -> None:
    """A change names only the fields that change; a picture is read from a file."""
    said(daemon.zkpush("areas", "put", "Yard"))
    week = [f"{day}=08:00-17:30" for day in ("monday", "tuesday", "wednesday", "thursday")]
    week += ["friday=08:00-16:00", "saturday=closed", "sunday=closed"]
    put = said(daemon.zkpush("access", "put", "Yard", "time-periods", "5", *week))
    assert put == "Time period 5 of the area Yard is stored.\n"
    said(daemon.zkpush("access", "put", "Yard", "time-periods", "5", "saturday=09:00-12:00"))
    (item,) = json.loads(said(daemon.zkpush("access", "list", "Yard", "time-periods", "--json")))
    assert (item["fields"]["monday"], item["fields"]["saturday"]) == (
        "08:00-17:30",
        "09:00-12:00",
    )
    said(daemon.zkpush("access", "put", "Yard", "groups", "2", "verify=1", "time_periods=5"))
    row = next(row for row in cells(said(daemon.zkpush("access", "list", "Yard", "groups"))) if row)
    assert row[0] in ("Key", "2")
    assert "time_periods=5" in said(daemon.zkpush("access", "list", "Yard", "groups"))
    assert "used by group 2" in failed(
        daemon.zkpush("access", "delete", "Yard", "time-periods", "5", "--yes")
    )
    picture = tmp_path / "notice.jpg"
    picture.write_bytes(JPEG)
    said(daemon.zkpush("access", "put", "Yard", "pictures", "1", f"content=@{picture}"))
    assert f"bytes={len(JPEG)}" in said(daemon.zkpush("access", "list", "Yard", "pictures"))
    assert failed(daemon.zkpush("access", "put", "Yard", "groups", "2", "time_periods=6")) == (
        "Error: time_periods: there is no time period 6 in the area Yard; define it first."
    )
    said(daemon.zkpush("access", "delete", "Yard", "groups", "2", "--yes"))
    deleted = said(daemon.zkpush("access", "delete", "Yard", "time-periods", "5", "--yes"))
    assert deleted == "Time period 5 of the area Yard is deleted.\n"


@pytest.mark.long
def test_where_an_entry_is(daemon: Daemon) -> None:
    """The terminals of an entry, and the entries of a terminal, with their states."""
    terminal = daemon.terminal("ACC1")
    said(daemon.zkpush("devices", "set", "ACC1", "area=Gate"))
    said(daemon.zkpush("access", "put", "Gate", "work-codes", "10", "name=Assembly"))
    nowhere = daemon.zkpush("access", "where", "Gate", "work-codes", "10")
    assert "the area does not distribute" in nowhere.stdout + nowhere.stderr
    said(daemon.zkpush("areas", "put", "Gate", "--distribute", "--yes"))
    number, text = terminal.command()
    assert text == "DATA UPDATE WORKCODE PIN=1\tCODE=10\tNAME=Assembly"
    terminal.answer(f"ID={number}&Return=0&CMD=DATA")

    def there() -> bool | None:
        shown = said(daemon.zkpush("access", "where", "Gate", "work-codes", "10"))
        return True if "The terminal has it." in shown else None

    assert eventually("the state", there)
    listed = said(daemon.zkpush("access", "device", "ACC1"))
    assert "work-codes" in listed
    assert "The terminal has it." in listed
