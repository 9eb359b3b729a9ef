"""The subjects of commands are keyed indexes, also in older databases."""

from __future__ import annotations

import hashlib

import pytest
import pytest_twisted
from sqlalchemy import select
from twisted.internet import reactor

from zkpush.device.replacing import subject_of
from zkpush.handlers.people.tables import COMMANDS as OF_PEOPLE
from zkpush.persist.commands import CommandStore
from zkpush.persist.commandschema import commands
from zkpush.persist.keys import ensure_vault
from zkpush.persist.sealed import place
from zkpush.persist.store import Store
from zkpush.values.commands import NewCommand

from .conftest import open_database
from .old import DEVICE, old_database

(PUT,) = (one for one in OF_PEOPLE if one.name == "DATA UPDATE USERINFO")
DIGEST = hashlib.sha256(b'["pin","7"]').digest()
"""What older versions stored for the person 7."""


@pytest.fixture
def old_url(empty_url: str) -> str:
    """A database of revision 0048, with commands on the person 7 and on the whole terminal."""
    with old_database(empty_url, "0048") as old:
        old.put("devices", {**DEVICE, "id": 1, "sn": "T1"})
        vault = ensure_vault(old.connection, old.database.site)
        row = {"device_id": 1, "command": PUT.name, "attempts": 0, "created_at": 1}
        for name, state, subject in (
            ("ended", "done", DIGEST),
            ("open", "queued", DIGEST),
            ("whole", "queued", None),
        ):
            body = vault.seal(
                b'{"params":{},"asked":{},"text":"x"}', place("commands", "body", [name])
            )
            own = {"id": name, "state": state, "subject": subject, "body": body}
            old.put("commands", {**row, **own})
    return empty_url


@pytest_twisted.ensureDeferred
async def test_subjects_of_stored_commands_are_keyed(old_url: str) -> None:
    """Old and new commands on one person have one subject, which is no digest of the user ID."""
    assert subject_of(PUT, {"PIN": "7"}) == DIGEST
    store = Store(lambda: open_database(old_url), reactor)
    store.start()

    def unit(tx):
        tx[CommandStore].add(
            1,
            NewCommand(id="new", command=PUT.name, params={}, asked={}, text="", subject=DIGEST),
            2,
        )
        rows = tx.connection.execute(select(commands.c.id, commands.c.subject)).all()
        found = tx[CommandStore].of_subjects([(1, DIGEST)])
        return dict(map(tuple, rows)), [one.id for one in found[1, DIGEST]]

    subjects, of_person = await store.write(unit)
    await store.stop()
    assert of_person == ["new", "open"]
    assert subjects["whole"] is None
    keyed = {bytes(subjects[name]) for name in ("ended", "open", "new")}
    assert len(keyed) == 1
    assert DIGEST not in keyed
