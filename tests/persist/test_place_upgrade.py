"""Parts of people that wait for the decision of a conflict, in an older database."""

from __future__ import annotations

import pathlib

from alembic import command
from alembic.config import Config
from sqlalchemy import column, insert, select, table

import zkpush.persist

from .conftest import open_database

CONFLICT = "The terminal has other values; the conflict waits for a decision."
REFUSED = "The terminal keeps other values."


def test_conflicts_are_told_from_refusals(empty_url: str) -> None:
    """Those that were stored as refused have a state of their own; others keep theirs."""
    config = Config()
    scripts = pathlib.Path(zkpush.persist.__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts))
    database = open_database(empty_url)
    config.attributes["database"] = database
    with database.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0060")
        device = {"id": 1, "sn": "T1", "state": "approved", "timezone": "UTC", "session": "ready"}
        row = {**device, "created_at": 1}
        connection.execute(insert(table("devices", *map(column, row))), row)
        for pin, state, reason in (("1", "refused", CONFLICT), ("2", "refused", REFUSED)):
            row = {"device_id": 1, "pin": pin, "part": "user", "state": state, "updated_at": 1}
            row["reason"] = reason
            connection.execute(insert(table("places", *map(column, row))), row)
        command.upgrade(config, "0061")
        places = table("places", column("pin"), column("state"))
        found = connection.execute(select(places).order_by(places.c.pin)).all()
        assert [tuple(one) for one in found] == [("1", "conflict"), ("2", "refused")]
    database.close()
