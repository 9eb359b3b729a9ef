"""The inbox of plugins in the store: on every database."""

from __future__ import annotations

import pytest_twisted

from zkpush.persist.inbox import InboxStore
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.requests import Upload
from zkpush.values.setaside import InboxItem

from .contract import NOW, in_file, in_memory, on_postgresql, with_store


def item(device, number: int) -> InboxItem:
    """An item for the plugin `rare`."""
    return InboxItem(
        plugin="rare",
        device_id=device.id,
        table="RARE",
        upload=Upload("RARE", b"RARE Id=%d" % number),
        dialect=Dialect(),
        received_at=NOW,
    )


def make_inbox_tests(factory):
    """The tests of the inbox; `factory` makes an empty store, from pytest's request."""

    class InboxTests(with_store(factory)):
        async def add(self, store, *items):
            sealed = store.seal_items(items)
            await store.write(lambda tx: tx[InboxStore].add(sealed))

        async def claim(self, store, now=NOW):
            """The bodies of the items that are taken."""
            items = await store.write(lambda tx: tx[InboxStore].claim("rare", now, now + 10_000))
            return [one.upload.body for one in items]

        @pytest_twisted.ensureDeferred
        async def test_a_damaged_item_holds_up_no_others(self, store, device, other) -> None:
            """It is set apart and named; the items behind it, of its terminal too, are taken."""
            await self.add(store, item(device, 1), item(device, 2), item(other, 3))
            damage = "UPDATE inbox SET content = substr(content, 1, 60) WHERE id = 1"
            await store.write(lambda tx: tx.connection.exec_driver_sql(damage))
            assert await self.claim(store) == [b"RARE Id=2"]
            assert await self.claim(store) == [b"RARE Id=3"]
            assert await self.claim(store) == []
            (state,) = await store.read(lambda tx: tx[InboxStore].states())
            assert (state.waiting, state.isolated, state.error) == (3, 1, "NotUnsealed")
            assert [problem.subject for problem in store.problems()] == ["inbox 1"]

        @pytest_twisted.ensureDeferred
        async def test_damaged_items_alone_are_passed_over(self, store, device, other) -> None:
            """Of a terminal that has no others, none is taken, and the next terminal's is."""
            await self.add(store, item(device, 1), item(other, 2))
            damage = "UPDATE inbox SET content = substr(content, 1, 60) WHERE id = 1"
            await store.write(lambda tx: tx.connection.exec_driver_sql(damage))
            assert await self.claim(store) == [b"RARE Id=2"]

    return InboxTests


class TestInMemory(make_inbox_tests(in_memory)):
    """In memory."""


class TestInFile(make_inbox_tests(in_file)):
    """In a file."""


class TestOnPostgreSQL(make_inbox_tests(on_postgresql)):
    """On PostgreSQL."""
