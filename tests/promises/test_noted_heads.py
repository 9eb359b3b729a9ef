"""What a noted head of the audit log shows of somebody who has the site key."""

from __future__ import annotations

import pathlib

import pytest_twisted

from zkpush.persist.chain import Head, Row, linked
from zkpush.persist.vault import AuditKeys

from ..keys import KEY
from ..persist.conftest import opened
from .tampering import Tampering, check, head, recorded


async def keys_of_the_log(url: str) -> AuditKeys:
    """The keys of the audit log, which the site key opens."""
    store = opened(url, KEY)
    keys: AuditKeys = await store.read(lambda tx: tx.vault.audit)
    await store.stop()
    return keys


@pytest_twisted.ensureDeferred
async def test_a_log_that_was_written_anew_is_found_by_a_noted_head(
    url: str, data: pathlib.Path
) -> None:
    """With the site key its rows verify; only the noted row differs."""
    await recorded(url)
    noted = head(data, url)
    keys, database = await keys_of_the_log(url), Tampering(url)
    select = "SELECT id, at, actor, action, subject, detail FROM audit ORDER BY id"
    rows = [Row(*row) for row in database.run(select)]
    rows[1] = Row(rows[1].id, rows[1].at, "token hr", "nothing", "at all", None)
    macs = list(linked(keys.chain, b"", rows))
    for row, mac in zip(rows, macs, strict=True):
        change = "UPDATE audit SET action = ?, subject = ?, mac = ? WHERE id = ?"
        database.run(change, row.action, row.subject, mac, row.id)
    last = Head(rows[-1].id, macs[-1])
    database.head(last.last_id, last.last_mac, last.seal(keys.chain))
    assert f"{len(rows)} rows verified" in check(data, url)
    assert "not the one that was noted" in check(data, url, "--head", noted, status=1)
