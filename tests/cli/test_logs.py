"""`zkpush operations`, `zkpush errors` and `zkpush idcards`."""

from __future__ import annotations

import csv
import io
import json

import pytest

from .program import Daemon, failed, said

UPLOADS = [
    ("OPERLOG", "OPLOG 4\t14\t2026-01-05 08:00:00\t0\t0\t0\t0"),
    ("ERRORLOG", "ERRORLOG ErrCode=D01E0001\tErrMsg=full\tDataOrigin=dev"),
    ("IDCARD", "IDCARD PIN=7\tIDNum=10000000000000006X\tName=Ann"),
]
WORDS = [
    ("operations", {"operator": "14", "time": "2026-01-05T08:00:00", "code": 4}),
    ("errors", {"code": "D01E0001", "message": "full"}),
    ("idcards", {"pin": "7", "name": "Ann", "id_number": "10000000000000006X"}),
]


@pytest.fixture(scope="module")
def logged(daemon: Daemon) -> Daemon:
    """A server to which two terminals have sent one record of each type."""
    for sn in ("LOGS1", "LOGS2"):
        terminal = daemon.terminal(sn)
        for table, line in UPLOADS:
            assert terminal.upload(table, line + "\n").startswith(b"OK")
    return daemon


@pytest.mark.parametrize(("word", "values"), WORDS)
def test_a_log_is_listed(logged: Daemon, word: str, values: dict[str, object]) -> None:
    """JSON and CSV have all fields, of one terminal or of all; a person sees the usual ones."""
    items = json.loads(said(logged.zkpush(word, "list", "--json")))
    assert {item["device"] for item in items} >= {"LOGS1", "LOGS2"}
    (item,) = json.loads(said(logged.zkpush(word, "list", "--device", "LOGS1", "--json")))
    assert {name: item[name] for name in values} == values
    (row,) = csv.DictReader(
        io.StringIO(said(logged.zkpush(word, "list", "--device", "LOGS1", "--csv")))
    )
    assert {name: row[name] for name in values} == {k: str(v) for k, v in values.items()}
    table = said(logged.zkpush(word, "list", "--limit", "1"))
    assert sum(sn in table for sn in ("LOGS2", "LOGS3")) == 1  # the newest of them
    assert "LOGS1" not in table


def test_operations_say_what_they_were_about(daemon: Daemon) -> None:
    """The reason of an alarm, in words, and whom a change concerned, are in the table."""
    alarm = "OPLOG 3\t0\t2026-01-05 08:00:00\t55\t0\t0\t0\n"
    deleted = "OPLOG 9\t1\t2026-01-05 08:01:00\t7\t0\t0\t0\n"
    assert daemon.terminal("LOGS3").upload("OPERLOG", alarm + deleted).startswith(b"OK")
    table = said(daemon.zkpush("operations", "list", "--device", "LOGS3"))
    assert "Alarm reason: Machine Been Broken" in table
    assert ": 7" in table


def test_a_log_is_filtered(logged: Daemon) -> None:
    """Filters of the record type are options; they are combined with that of the terminal."""
    mine = ("operations", "list", "--device", "LOGS1", "--json")
    (item,) = json.loads(said(logged.zkpush(*mine, "--code", "4")))
    assert item["code"] == 4
    assert json.loads(said(logged.zkpush(*mine, "--code", "5"))) == []
    cards = json.loads(said(logged.zkpush("idcards", "list", "--pin", "7", "--json")))
    assert {card["device"] for card in cards} == {"LOGS1", "LOGS2"}
    assert json.loads(said(logged.zkpush("idcards", "list", "--pin", "8", "--json"))) == []
    named = json.loads(said(logged.zkpush(*mine, "--code", "access menu")))
    assert [one["id"] for one in named] == [item["id"]]
    mistyped = failed(logged.zkpush("operations", "list", "--code", "delet user"), 2)
    assert "Did you mean delete user " in mistyped


def test_a_log_is_printed_in_one_form(logged: Daemon) -> None:
    """CSV and JSON exclude each other."""
    message = failed(logged.zkpush("errors", "list", "--csv", "--json"), 2)
    assert "exclude each other" in message
