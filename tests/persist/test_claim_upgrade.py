"""Conflicts of an older database, whose punches become doubtful until somebody decides."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import column, select, table

from .old import DEVICE, OldDatabase, old_database


def conflict(old: OldDatabase, pin: str, device: int, **more: object) -> None:
    """A conflict about a name, at the time 5."""
    row: Mapping[str, object] = {"pin": pin, "device_id": device, "said": b"", "at": 5}
    old.put("conflicts", {**row, "fields": "name card", **more})


def test_conflicts_have_claims_to_punches(empty_url: str) -> None:
    """Open ones, and those of terminals that still have somebody else; since when, if known."""
    with old_database(empty_url, "0070") as old:
        for number in (1, 2):
            old.put("devices", {**DEVICE, "id": number, "sn": f"T{number}"})
        for pin, device in (("1", 1), ("2", None), ("3", 1), ("4", 1), ("5", 1), ("6", 1)):
            old.put("users", {"pin": pin, "device_id": device})
        conflict(old, "1", 1)  # the terminal reported the user first
        conflict(old, "2", 1, settled_at=3, settled_by="token x")
        conflict(old, "2", 1)
        conflict(old, "3", 2, settled_at=6, settled_by="token x")
        old.put("strangers", {"pin": "3", "device_id": 2, "at": 6})
        conflict(old, "4", 2, settled_at=6, settled_by="token x")
        conflict(old, "5", 2, fields="card")
        conflict(old, "6", 2, settled_at=6, settled_by="token x", doubtful_until=8)
        old.upgrade("0071")
        names = ("pin", "device_id", "since_at", "until_at", "owner")
        claims = table("punch_claims", *map(column, names))
        found = old.connection.execute(select(claims).order_by(claims.c.pin)).all()
        assert [tuple(one) for one in found] == [
            ("1", 1, 5 - 3_600_000, None, None),
            ("2", 1, None, None, None),
            ("3", 2, None, None, None),
            ("6", 2, None, 8, None),
        ]


def test_claims_know_when_the_other_person_was_named(empty_url: str) -> None:
    """Those of conflicts, an hour after their beginning; nothing else is known of older ones."""
    with old_database(empty_url, "0071") as old:
        old.put("devices", {**DEVICE, "id": 1, "sn": "T1"})
        for pin, conflict_id, since in (("1", 4, 5), ("2", 5, None), ("3", None, 7)):
            row = {"pin": pin, "device_id": 1, "conflict_id": conflict_id, "since_at": since}
            old.put("punch_claims", {**row, "until_at": 9})
        old.upgrade("0072")
        claims = table("punch_claims", *map(column, ("pin", "named_at", "stated_at")))
        found = old.connection.execute(select(claims).order_by(claims.c.pin)).all()
        assert [one[1:] for one in map(tuple, found)] == [
            (3_600_005, None),
            (None, None),
            (None, None),
        ]
