"""Parts of people that wait for the decision of a conflict, in an older database."""

from __future__ import annotations

from sqlalchemy import column, select, table

from .old import DEVICE, old_database

CONFLICT = "The terminal has other values; the conflict waits for a decision."
REFUSED = "The terminal keeps other values."


def test_conflicts_are_told_from_refusals(empty_url: str) -> None:
    """Those that were stored as refused have a state of their own; others keep theirs."""
    with old_database(empty_url, "0060") as old:
        old.put("devices", {**DEVICE, "id": 1, "sn": "T1"})
        for pin, state, reason in (("1", "refused", CONFLICT), ("2", "refused", REFUSED)):
            row = {"device_id": 1, "pin": pin, "part": "user", "state": state, "updated_at": 1}
            row["reason"] = reason
            old.put("places", row)
        old.upgrade("0061")
        places = table("places", column("pin"), column("state"))
        found = old.connection.execute(select(places).order_by(places.c.pin)).all()
        assert [tuple(one) for one in found] == [("1", "conflict"), ("2", "refused")]
