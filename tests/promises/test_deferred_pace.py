"""Deferred records cost a few per cent of a processor: only so many are stored each second."""

from __future__ import annotations

import itertools
import pathlib

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater

from ..rig import Rig

A_SECOND = 800
"""What docs/security.md names."""
AT_ONCE = 150
"""More records of an upload than are stored at once; the page says "about the first hundred"."""
LINES = 4000
KINDS = {
    "people": ("users", "OPERLOG", lambda number: b"USER PIN=%d\n" % number),
    "logs": ("operations", "OPERLOG", lambda number: b"OPLOG 1\t\t%d\n" % (289515406 + number)),
    "entries": ("entries", "OPERLOG", lambda number: b"SMS UID=%d\n" % number),
    "attendance": ("attendance", "ATTLOG", lambda number: b"%d\t2026-01-05 08:00\n" % number),
}
"""For each handler: where its records are, the table of an upload, and short lines."""


async def upload(rig: Rig, kind: str) -> None:
    """Upload so many short records, which are acknowledged."""
    _, table, line = KINDS[kind]
    body = b"".join(line(number) for number in range(LINES))
    reply = await rig.post(f"cdata?SN=T1&table={table}&Stamp=1", body)
    assert reply.body == b"OK: %d" % LINES


async def counted(rig: Rig, kind: str, more_than: int) -> int:
    """How many records are stored, once there are more and their worker rests; time passes."""
    query = f"SELECT count(*) FROM {KINDS[kind][0]}"  # noqa: S608 - a name of this file
    worker = rig.daemon.inbox.worker(kind)
    for _ in itertools.count():
        found = await rig.store.read(lambda tx: tx.connection.exec_driver_sql(query).scalar())
        if found > more_than and worker.running is None:
            return int(found)
        rig.clock.advance(0.01)
        await deferLater(reactor, 0.01)
    raise AssertionError


@pytest.mark.long
@pytest.mark.parametrize("kinds", [*((kind,) for kind in KINDS), tuple(KINDS)], ids=" ".join)
@pytest_twisted.ensureDeferred
async def test_deferred_records_of_each_kind_are_stored_at_a_pace(
    make_rig, tmp_path: pathlib.Path, kinds: tuple[str, ...]
) -> None:
    """At most 800 a second of people, of logs, of lists and of attendance; in the end all are."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    await rig.exchange()
    for kind in kinds:
        await upload(rig, kind)
    stored = dict.fromkeys(kinds, 0)
    begun = rig.clock.seconds()
    while min(stored.values()) < LINES:
        for kind, before in stored.items():
            if before < LINES:
                stored[kind] = await counted(rig, kind, before)
            seconds = rig.clock.seconds() - begun
            assert stored[kind] <= AT_ONCE + A_SECOND * (seconds + 1)
        for _ in range(4):
            rig.clock.advance(0.25)
            await deferLater(reactor, 0.02)
    assert stored == dict.fromkeys(kinds, LINES)
