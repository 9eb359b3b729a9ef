"""The trace in the store: on every database."""

from __future__ import annotations

import pytest_twisted
from sqlalchemy import select

from zkpush.handlers.trace.model import KEPT, TracedContent, TracedRequest
from zkpush.handlers.trace.schema import trace
from zkpush.handlers.trace.store import TraceStore

from .contract import in_file, on_postgresql, with_store

CONTENT = TracedContent(method="GET", path="/iclock/getrequest", status=200, sent=2, answered="OK")


def traced(device_id: int, number: int, *, at: int, count: int = 1, refused: bool = False):
    """One request of a terminal."""
    return TracedRequest(
        writer="here",
        number=number,
        device_id=device_id,
        since_at=at,
        at=at,
        count=count,
        refused=refused,
        content=CONTENT,
    )


def make_trace_tests(factory):
    """The tests of the trace; `factory` makes an empty store, from pytest's request."""

    class TraceTests(with_store(factory)):
        @pytest_twisted.ensureDeferred
        async def test_the_newest_requests_of_each_kind_stay(self, store, device) -> None:
            """Older ones are removed; of equal times, the higher numbers stay."""
            entries = [
                traced(device.id, number, at=1000 + number // 50, refused=number % 2 == 1)
                for number in range(200)
            ]
            await store.write(lambda tx: tx[TraceStore].write(entries, [device.id]))
            rows = await store.read(
                lambda tx: tx.connection.execute(select(trace.c.number)).scalars().all()
            )
            assert sorted(rows) == [*range(200 - 2 * KEPT, 200)]

        @pytest_twisted.ensureDeferred
        async def test_a_count_is_written_again(self, store, device) -> None:
            """A repeated request has one row; a terminal that is not there has none."""
            for count in (1, 7):
                entries = [
                    traced(device.id, 1, at=1000 + count, count=count),
                    traced(device.id + 1, 2, at=1000),
                ]
                await store.write(lambda tx, entries=entries: tx[TraceStore].write(entries, []))
            (found,) = await store.read(lambda tx: tx[TraceStore].of(device.id))
            assert (found.count, found.since_at, found.at) == (7, 1001, 1007)
            assert await store.read(lambda tx: tx[TraceStore].of(device.id + 1)) == []

    return TraceTests


TestSQLite = make_trace_tests(in_file)
TestPostgreSQL = make_trace_tests(on_postgresql)
