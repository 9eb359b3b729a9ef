"""Readers of events that are far behind share what is read for them."""

from __future__ import annotations

from collections import Counter

import pytest
import pytest_twisted

from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.manage import feed, news

from ..rig import Rig
from ..server.sse import Listening

COUNT = 4500
"""Attendance records: a few parts of the feed."""
READERS = 40
PUNCH = b"event: attendance\ndata: "


async def fill(rig: Rig, count: int = COUNT, first: int = 0) -> None:
    """So many attendance records, each of another user."""
    await rig.exchange()
    lines = (b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin for pin in range(first, first + count))
    reply = await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"".join(lines))
    assert reply.body == b"OK: %d" % count


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts reads of the store, and encodings."""
    counts: Counter[str] = Counter()
    read, message = AttendanceStore.page, feed.encode_message

    def page(self, part, *more):
        counts["reads"] += 1
        return read(self, part, *more)

    def encode(*parts):
        counts["encodings"] += 1
        return message(*parts)

    monkeypatch.setattr(AttendanceStore, "page", page)
    monkeypatch.setattr(feed, "encode_message", encode)
    return counts


async def followed(rig: Rig, *cursors: str, query: str = "") -> list[Listening]:
    """Readers that begin after these cursors, once they have heard everything."""
    readers = [Listening(rig, query, cursor) for cursor in cursors]
    for cursor, reader in zip(cursors, readers, strict=True):
        missing = COUNT - int(cursor.partition(".")[2])
        await reader.until(lambda reader=reader, n=missing: reader.wire.value().count(PUNCH) >= n)
    for _ in range(50):  # whatever else they may do
        await rig.store.read(lambda tx: None)
    return readers


@pytest_twisted.ensureDeferred
async def test_readers_at_the_same_place_cost_what_one_costs(rig: Rig, counted) -> None:
    """What 40 readers need is read and encoded once, and not once for each."""
    await fill(rig)
    for reader in await followed(rig, "0.0"):
        reader.hang_up()
    alone = dict(counted)
    assert alone["reads"] >= COUNT // news.PART
    assert alone["encodings"] >= COUNT
    counted.clear()
    readers = await followed(rig, *["0.0"] * READERS)
    assert dict(counted) == alone
    texts = {reader.wire.value().partition(b"retry")[2] for reader in readers}
    assert len(texts) == 1


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_readers_of_one_region_come_together(rig: Rig, counted) -> None:
    """Readers that begin at different cursors read for themselves once, and together then."""
    await fill(rig)
    for reader in await followed(rig, "0.1"):
        reader.hang_up()
    alone = counted["reads"]
    counted.clear()
    await followed(rig, *(f"0.{start}" for start in range(1, READERS + 1)))
    # Each reads the first part for itself, and perhaps the last, which is not kept: it may grow.
    assert counted["reads"] <= alone + 2 * READERS < READERS * (alone - 1)


@pytest.mark.long
@pytest.mark.parametrize("query", ["", "?kinds=attendance", "?kinds=attendance,command"])
@pytest_twisted.ensureDeferred
async def test_every_reader_hears_everything_once(rig: Rig, query: str) -> None:
    """Wherever a reader begins, it hears all after its cursor, in order, and what comes then."""
    await fill(rig, COUNT - 10)
    starts = [0, 1, 999, 1000, 1001, 1500, 3999, 4000, 4489, 4490]
    readers = [await Listening(rig, query, f"0.{start}").begun() for start in starts]
    await fill(rig, 10, COUNT - 10)
    for start, reader in zip(starts, readers, strict=True):
        for _ in range(20):
            if reader.wire.value().count(PUNCH) < COUNT - start:
                rig.clock.advance(1)
                await rig.store.read(lambda tx: None)
        assert reader.pins == [str(pin) for pin in range(start, COUNT)]


@pytest_twisted.ensureDeferred
async def test_a_read_that_fails_fails_for_those_who_wait_for_it_only(rig: Rig) -> None:
    """Readers try again, and lose nothing."""
    await fill(rig)
    read, failures = rig.store.read, [2]

    async def failing(query):
        if failures[0] and "_read" in query.__qualname__:
            failures[0] -= 1
            raise feed.StoreError("away")
        return await read(query)

    rig.store.read = failing
    readers = [await Listening(rig, "", "0.0").begun() for _ in range(3)]
    for reader in readers:
        for _ in range(20):
            if reader.wire.value().count(PUNCH) < COUNT:
                rig.clock.advance(1)
                await read(lambda tx: None)
        assert reader.wire.value().count(PUNCH) == COUNT
    assert failures == [0]


@pytest_twisted.ensureDeferred
async def test_nothing_is_kept_without_readers(rig: Rig) -> None:
    """A few parts are kept for readers that are behind, and only as long as there are some."""
    await fill(rig)
    made: list[feed.SharedReads] = []
    original = feed.SharedReads.read

    async def remembering(self, *arguments):
        made.append(self)
        return await original(self, *arguments)

    feed.SharedReads.read = remembering
    try:
        (reader,) = await followed(rig, "0.0")
    finally:
        feed.SharedReads.read = original
    assert 0 < made[0].kept <= feed.KEPT
    reader.hang_up()
    assert made[0].kept == 0
