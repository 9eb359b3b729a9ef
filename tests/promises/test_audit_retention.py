"""The audit log ends lawfully: old rows go, and evidence stays."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import pytest_twisted

from zkpush.interfaces import StoreError
from zkpush.persist.audit import AuditStore
from zkpush.persist.keys import ensure_vault
from zkpush.persist.migrate import migrate_thd

from ..keys import KEY
from ..persist.conftest import open_database, opened
from ..persist.contract import DAY, EVERYTHING, NOW
from ..rig import Rig
from .tampering import ROWS, Tampering, check, recorded


async def kept(store, before: int, now: int = NOW, limit: int = 1000) -> tuple[int, list[Any]]:
    """Remove what is older; how many rows that were, and what is left."""
    count = await store.write(
        lambda tx: tx[AuditStore].forget(before, limit, "audit.keep_days = 1", now)
    )
    return count, await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))


@pytest_twisted.ensureDeferred
async def test_retention_ends_at_a_checkpoint(url: str, data: pathlib.Path) -> None:
    """Old rows go, a signed row says which, and the check goes on from there."""
    store = opened(url, KEY)
    for day in range(10):
        await store.write(
            lambda tx, day=day: tx[AuditStore].add(
                "token hr", "act", f"{day}", None, NOW + day * DAY
            )
        )
    assert (await kept(store, NOW))[0] == 0
    count, rows = await kept(store, NOW + 4 * DAY, NOW + 10 * DAY)
    assert count == 4
    assert [row.id for row in rows] == [*range(5, 12)]
    assert (rows[-1].actor, rows[-1].action, rows[-1].subject) == (
        "server",
        "checkpoint",
        "rows up to 4",
    )
    assert "audit.keep_days = 1" in rows[-1].detail
    assert "7 rows verified after the checkpoint at row 4" in check(data, url)
    count, rows = await kept(store, NOW + 8 * DAY, NOW + 20 * DAY, limit=3)
    assert (count, rows[0].id) == (3, 8)
    assert "checkpoint at row 7" in check(data, url)
    everything = NOW + 100 * DAY
    count, rows = await kept(store, everything, everything)
    assert (count, [row.action for row in rows]) == (3, ["checkpoint", "checkpoint"])
    count, rows = await kept(store, everything + DAY, everything + DAY)
    assert (count, [row.action for row in rows]) == (0, ["checkpoint", "checkpoint"])
    check(data, url)
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_retention_removes_no_evidence(url: str, data: pathlib.Path) -> None:
    """Rows that are not as they were written stay, however old."""
    await recorded(url)
    Tampering(url).run("UPDATE audit SET actor = 'x' WHERE id = 2")
    store = opened(url, KEY)
    with pytest.raises(StoreError, match="row 2 of the audit log was changed"):
        await kept(store, NOW + DAY)
    await store.stop()
    Tampering(url).cut_off(2, head=True)
    store = opened(url, KEY)
    with pytest.raises(StoreError, match="tampered"):
        await kept(store, NOW + DAY)
    assert len(await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))) == 4
    await store.stop()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_head",
        "UPDATE audit_head SET last_id = last_id - 1",
        "UPDATE audit_head SET name = 'x'",
        "DELETE FROM audit WHERE id <= 3",
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_database_refuses_to_set_the_log_back(url: str, statement: str) -> None:
    """Only the rows below the start of the chain can be removed, and it only goes forward."""
    await recorded(url)
    store = opened(url, KEY)
    with pytest.raises(StoreError, match="append-only"):
        await store.write(lambda tx: tx.connection.exec_driver_sql(statement))
    assert len(await store.read(lambda tx: tx[AuditStore].page(EVERYTHING))) == ROWS + 2
    await store.stop()


def test_missing_keys_of_the_audit_log_are_damage(url: str, data: pathlib.Path) -> None:
    """They are not made anew: that would make every row of before a forgery."""
    database = open_database(url)
    migrate_thd(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM keys WHERE purpose = 'audit'")
        with pytest.raises(StoreError, match="keys in this database are damaged"):
            ensure_vault(connection, database.site)
    database.close()
    assert "damaged" in check(data, url, status=1)


@pytest.mark.parametrize(("setting", "left"), [({}, 3), ({"audit": {"keep_days": 30}}, 2)])
@pytest_twisted.ensureDeferred
async def test_the_log_is_kept_for_ever_unless_configured(make_rig, setting, left: int) -> None:
    """With `audit.keep_days`, the background job removes what is older."""
    rig: Rig = await make_rig(**setting)
    now = rig.registry.now()

    def unit(tx) -> None:
        for days in (100, 31, 29):
            tx[AuditStore].add("token hr", "act", f"{days} days ago", None, now - days * DAY)

    await rig.store.write(unit)
    await rig.retention.drop_audit()
    rows = await rig.store.read(lambda tx: tx[AuditStore].page(EVERYTHING))
    assert len(rows) == left
    if setting:
        assert [row.subject for row in rows] == ["29 days ago", "rows up to 2"]
        assert "2 rows" in rows[1].detail
        assert "audit.keep_days = 30" in rows[1].detail
