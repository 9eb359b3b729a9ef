"""Databases from before tokens were judged by what terminals have shown."""

from __future__ import annotations

import json

import pytest
import pytest_twisted
from twisted.internet import reactor

from zkpush.persist.commkeys import CommKeyStore
from zkpush.persist.devices import DeviceStore
from zkpush.persist.store import Store
from zkpush.values.sessions import SessionToken

from .conftest import open_database
from .old import DEVICE, old_database


@pytest.fixture
def old_url(empty_url: str) -> str:
    """A database of revision 0011: a terminal with tokens and keys, and one without."""
    rows = [
        (
            "devices",
            {**DEVICE, "id": 1, "sn": "T1", "tokens": json.dumps(["a", "b"]), "comm_key": "k"},
        ),
        ("devices", {**DEVICE, "id": 2, "sn": "T2", "offered_comm_key": "o"}),
        ("sessions", {"device_id": 1, "generation": 3, "suite": "x", "number": 7}),
        ("sessions", {"device_id": 2, "secret": b"sealed"}),
    ]
    with old_database(empty_url, "0011") as old:
        for name, row in rows:
            old.put(name, row)
    return empty_url


@pytest_twisted.ensureDeferred
async def test_what_was_issued_and_pinned_stays(old_url: str) -> None:
    """Tokens are good and not proved, a pinned key stays pinned, an offered one is listed."""
    store = Store(lambda: open_database(old_url), reactor)
    store.start()

    def read(tx):
        one, other = tx[DeviceStore].find("T1"), tx[DeviceStore].find("T2")
        return one, other, [tx[CommKeyStore].of(each.id) for each in (one, other)]

    one, other, keys = await store.read(read)
    await store.stop()
    assert one.tokens == (SessionToken(digest="a"), SessionToken(digest="b"))
    assert (one.returns_token, one.bare_addresses, one.encrypts) == (False, (), True)
    assert (other.tokens, other.encrypts) == ((), False)
    assert (one.comm_key, other.comm_key) == ("k", None)
    assert [[key.fingerprint for key in each] for each in keys] == [["k"], ["o"]]
