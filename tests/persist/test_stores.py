"""The stores of a unit of work: found by their class, ours and a plugin's alike."""

from __future__ import annotations

import pytest
import pytest_twisted
import sqlalchemy
from twisted.internet.defer import gatherResults

from zkpush.persist.devices import DeviceStore
from zkpush.plugin.store import BufferedRows

from .contract import in_file, on_postgresql, with_store
from .test_group import outcomes_of

guests = sqlalchemy.Table(
    "guests",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
    sqlalchemy.Column("name", sqlalchemy.Text),
)


class GuestStore(BufferedRows):
    """A store that zkpush does not know."""

    table = guests
    names = ("name",)

    def __init__(self, tx):
        super().__init__(tx)
        self._connection = tx.connection

    def add(self, name):
        """Keep a guest, with the others of the group."""
        self.waiting.append((name,))

    def all(self):
        """The names of all guests, in the order they came."""
        found = self._connection.execute(sqlalchemy.select(guests.c.name).order_by(guests.c.id))
        return list(found.scalars())


class LateGuestStore(GuestStore):
    """One whose rows are written at the end of the group."""

    order = 1


def add(*names, kind=GuestStore, fails=False):
    """A unit that keeps guests, and may fail then."""

    def unit(tx):
        for name in names:
            tx[kind].add(name)
        if fails:
            raise ZeroDivisionError

    return unit


@pytest.fixture
def inserts(monkeypatch):
    """The numbers of rows in each insert into the table of guests."""
    counts = []
    original = GuestStore.take

    def spy(kept):
        inserts = original(kept)
        counts.extend(len(one.columns[0]) for one in inserts)
        return inserts

    monkeypatch.setattr(GuestStore, "take", spy)
    return counts


def make_store_tests(factory):
    """The tests of stores; `factory` makes an empty database, from pytest's request."""

    class StoreTests(with_store(factory)):
        @pytest_twisted.async_yield_fixture(autouse=True)
        async def table(self, store):
            await store.write(lambda tx: guests.create(tx.connection))
            yield

        @pytest_twisted.ensureDeferred
        async def test_a_connection_has_one_store_of_a_class(self, store) -> None:
            """It is made at first use, and stays; another class has a store of its own."""

            def stores(tx):
                return tx[GuestStore], tx[GuestStore], tx[LateGuestStore]

            first, same, late = await store.write(stores)
            later, *_ = await store.write(stores)
            assert first is same is later
            assert type(first) is GuestStore
            assert type(late) is LateGuestStore

        @pytest.mark.parametrize("kind", [GuestStore, LateGuestStore])
        @pytest_twisted.ensureDeferred
        async def test_the_rows_of_a_group_share_one_statement(self, store, inserts, kind) -> None:
            """Buffered rows of any store are written together, in the order they came."""
            await gatherResults([store.write(add(name, kind=kind)) for name in "abc"])
            assert inserts == [3]
            assert await store.read(lambda tx: tx[kind].all()) == ["a", "b", "c"]

        @pytest_twisted.ensureDeferred
        async def test_a_unit_reads_what_it_has_buffered(self, store, inserts) -> None:
            """Rows are written before the next statement, but for those of the end of the group."""

            def unit(tx):
                tx[GuestStore].add("early")
                tx[LateGuestStore].add("late")
                tx[DeviceStore].find("T1")
                return tx[GuestStore].all()

            assert await store.write(unit) == ["early"]
            assert inserts == [1, 1]
            assert await store.read(lambda tx: tx[GuestStore].all()) == ["early", "late"]

        @pytest.mark.parametrize("kind", [GuestStore, LateGuestStore])
        @pytest_twisted.ensureDeferred
        async def test_the_rows_of_a_unit_that_fails_are_dropped(self, store, kind) -> None:
            """The rows of the other units in the group are stored."""
            units = (
                add("a", kind=kind),
                add("b", "c", kind=kind, fails=True),
                add("d", kind=kind),
            )
            first, second, third = await outcomes_of(store, *units)
            assert (first, type(second), third) == (None, ZeroDivisionError, None)
            assert await store.read(lambda tx: tx[kind].all()) == ["a", "d"]

    return StoreTests


TestSQLiteFile = make_store_tests(in_file)
TestPostgreSQL = make_store_tests(on_postgresql)
