"""What the contract suites share: an empty store of each kind, and what terminals say to it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest_twisted
from twisted.internet import reactor

from zkpush.handlers.attendance.model import Punch
from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.handlers.entries.handler import EntryHandler
from zkpush.handlers.logs.handler import HANDLERS as LOG_HANDLERS
from zkpush.handlers.people.handler import PeopleHandler
from zkpush.model import DeviceState, Page
from zkpush.persist.devices import DeviceStore
from zkpush.persist.postgresql import PostgreSQLStores
from zkpush.persist.sqlite import SQLiteStores
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.packets import PacketLimits
from zkpush.protocol.records import Batch
from zkpush.protocol.requests import Upload
from zkpush.protocol.times import wall_clock
from zkpush.protocol.uploads import UploadDecoder
from zkpush.values.commands import NewCommand

from ..declared import RECORD_TABLES
from ..keys import KEY

EVERYTHING = Page(10_000)
UTC = wall_clock("UTC")
MADRID = wall_clock("Europe/Madrid")
SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000
NOW = 1_767_603_600_000  # 2026-01-05T09:00:00Z
_DECODER = UploadDecoder(RECORD_TABLES, PacketLimits())
_HANDLERS = {
    table.name: handler
    for handler in (EntryHandler(), *LOG_HANDLERS, PeopleHandler())
    for table in handler.tables
}


def in_memory(request):
    """An empty store on SQLite in memory."""
    return SQLiteStores().open("memory:", KEY, reactor)


def in_file(request):
    """An empty store on SQLite in a file, which is `store.sqlite` in the test's folder."""
    path = request.getfixturevalue("tmp_path") / "store.sqlite"
    return SQLiteStores().open(f"sqlite:///{path}", KEY, reactor)


def on_postgresql(request):
    """An empty store on a real PostgreSQL."""
    return PostgreSQLStores().open(request.getfixturevalue("postgres_url"), KEY, reactor)


def with_store(factory):
    """The fixtures of every suite; `factory` makes an empty store, from pytest's request."""

    class WithStore:
        @pytest_twisted.async_yield_fixture
        async def store(self, request):
            store = factory(request)
            store.start()
            yield store
            await store.stop()

        @pytest_twisted.async_yield_fixture
        async def device(self, store):
            yield await add_terminal(store, "T1")

        @pytest_twisted.async_yield_fixture
        async def other(self, store, device):
            yield await add_terminal(store, "T2")

    return WithStore


def add_terminal(store, sn: str):
    """Record a terminal; its clock is in UTC."""
    return store.write(lambda tx: tx[DeviceStore].add(sn, DeviceState.APPROVED, "UTC", 1000))


def batches(body: str | bytes, stamp: str | None = None, table: str = "OPERLOG") -> list[Batch]:
    """What a body says, as handlers get it."""
    raw = body.encode() if isinstance(body, str) else body
    contents = _DECODER.decode(Upload(table, raw), Dialect(), may_be_dense=True)
    assert contents.rejects == []
    return [Batch(found.table, found.rows, [], stamp) for found in contents.batches]


def rows(body: str | bytes) -> list[tuple[object, ...]]:
    """The rows of attendance records, as a handler gets them."""
    (found,) = batches(body, table="ATTLOG")
    return found.rows


def say(device, body, *, stamp=None, now=NOW, table="OPERLOG"):
    """A unit that stores what a body says, as the handlers do."""

    def unit(tx) -> None:
        for batch in batches(body, stamp, table):
            _HANDLERS[batch.table.name].persist(tx, device, batch, now)

    return unit


def shown(record) -> dict[str, object]:
    """The fields of a stored record by name; `damaged` only if something is."""
    fields = msgspec.structs.asdict(record)
    return (
        fields
        if fields["damaged"]
        else {name: fields[name] for name in fields if name != "damaged"}
    )


def punches(tx) -> list[Punch]:
    """A query for all attendance records."""
    return tx[AttendanceStore].page(EVERYTHING)


def command(command_id: str, name: str, params: Mapping[str, str] = {}) -> NewCommand:
    """A command to queue."""
    return NewCommand(id=command_id, command=name, params=params, asked=params, text=name)
