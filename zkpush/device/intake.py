"""Upload intake: decode the records, store them, then acknowledge (spec 11)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

import msgspec
from twisted.internet import threads
from twisted.internet.defer import Deferred, DeferredLock, DeferredSemaphore
from twisted.internet.interfaces import IReactorThreads
from twisted.logger import Logger

from ..containment import report
from ..http.messages import RequestHead
from ..interfaces import IStore
from ..model import Device
from ..persist.devices import DeviceStore
from ..persist.inbox import InboxStore
from ..persist.rejects import RejectStore
from ..persist.stamps import StampStore
from ..persist.transaction import Transaction
from ..protocol.dialect import Dialect
from ..protocol.errors import TooLarge
from ..protocol.fields import Table
from ..protocol.records import Batch
from ..protocol.requests import Upload, check_stamp
from ..protocol.text import word
from ..protocol.uploads import Contents
from .acknowledging import acknowledged
from .backlog import Backlog
from .budget import MemoryBudget
from .contents import NOTHING, ContentsReader, Failures, FamilyReader, Sealed
from .functions import FunctionTable
from .handlers import PluggedHandler, Way
from .queries import count_arrived
from .registry import Registry
from .request import Request, origin_of
from .skew import MEASURE_EVERY
from .terminal import Terminal
from .unserved import UnservedRequests

T = TypeVar("T")
Outcome = tuple[Device | None, Failures]
"""The terminal if it may have changed, and the errors that handlers raised."""
LONG_BODY = 8 * 1024
"""Bodies of more bytes are decoded on a thread, so that they do not delay other requests."""
PART_BODY = 256 * 1024
"""Longer bodies (bytes) and all packets are decoded and stored in parts of this size."""
STAMP_EVERY = 60_000
"""Milliseconds during which an unchanged stamp is not stored again."""
_NO_STAMP = (None, 0)
STATE = "rtstate"
"""Door state table, which access-control terminals upload every few seconds. No handler takes it;
only the latest upload is kept, as a reject."""
DECODERS = 2
"""Concurrent decoding threads. Each one competes with the reactor for the interpreter lock."""


class Portion(msgspec.Struct, frozen=True, eq=False):
    """Contents of one terminal that are stored in one unit of work."""

    device: Device
    contents: Contents
    arrived: Sequence[Batch]
    """All batches that have records."""
    batches: Sequence[tuple[PluggedHandler, Batch]]
    """The batches that handlers store inline."""
    sealed: Sealed
    received_at: int
    keeps_failed: bool = True
    """Whether lines that a handler fails to store become rejects."""
    is_risky: bool = False
    """Whether the unit of work runs untrusted code; see `IStore.write`."""


class ContentsWriter:
    """Writes decoded contents: handlers store the records; sealed parts are stored as they are."""

    _log = Logger()

    def __init__(self, reader: ContentsReader) -> None:
        self._reader = reader
        self._handlers = reader.handlers
        self._privacy = reader.privacy

    def portion(
        self,
        device: Device,
        contents: Contents,
        sealed: Sealed,
        now: int,
        *,
        keeps_failed: bool = True,
    ) -> Portion:
        """Select what to store of some contents in one unit of work."""
        arrived = [batch for batch in contents.batches if batch.rows]
        kept = arrived if self._privacy.templates else self._privacy.kept(arrived)
        if kept is not arrived and len(kept) < len(arrived):
            self._log.info(
                "Terminal {sn}: {count} templates and photos are dropped, as is configured",
                sn=device.sn,
                count=contents.count - sum(len(batch.rows) for batch in kept),
            )
        by_table = self._handlers.by_table
        batches, is_risky = [], False
        for batch in kept:
            plugged = by_table[batch.table.family, batch.table.name]
            if plugged.way is not Way.LATER and batch.table.name not in contents.behind:
                batches.append((plugged, batch))
                is_risky = is_risky or plugged.way is Way.INLINE
        if len(batches) > 1:  # a user comes before the templates, about which it decides
            batches.sort(key=lambda one: one[0].tables.index(one[1].table))
        return Portion(device, contents, arrived, batches, sealed, now, keeps_failed, is_risky)

    def persist(self, tx: Transaction, portion: Portion) -> tuple[Device | None, Failures]:
        """Write a portion; returns the terminal, if it may have changed, and handler errors."""
        device, now, sealed = portion.device, portion.received_at, portion.sealed
        changes_device = False
        failed: dict[str, BaseException] = {}
        for plugged, batch in portion.batches:
            persist = plugged.handler.persist
            error = tx.attempt(plugged.name, plugged.is_trusted, persist, tx, device, batch, now)
            if error is not None:
                failed[batch.table.name] = error
            changes_device = changes_device or plugged.changes_device
        if (shown := portion.contents.shown_encoding) and device.shown_encoding is None:
            changes_device = bool(tx[DeviceStore].change(device.id, {"shown_encoding": shown}))
        if sealed.rejects is not None:
            source = portion.contents.source
            if source is not None and source.table.lower() == STATE:
                tx[RejectStore].remove_table(device.id, source.table)
            tx[RejectStore].add_sealed(sealed.rejects)
        if failed and portion.keeps_failed:
            rejects = self._reader.failed_rejects(device.family, portion.contents, failed)
            tx[RejectStore].add(device.id, rejects, now)
        if sealed.items is not None:
            tx[InboxStore].add(sealed.items)
        return tx[DeviceStore].get(device.id) if changes_device else None, failed

    def tell(self, portion: Portion, failed: Failures) -> None:
        """Notify the handlers and the plugin workers after the commit."""
        sn = portion.device.sn
        for plugged, batch in portion.batches:
            table = batch.table.name
            if table in failed:
                portion.contents.failed += len(batch.rows)
                act = "storing lines, which are rejects"
                report(plugged.label, act, failed[table], sn, table)
                continue
            try:
                plugged.handler.stored(portion.device, batch)
            except BaseException as error:  # as `contained`, at less cost for each upload
                report(plugged.label, "after the commit", error, sn, table)
        if portion.sealed.items is not None:
            self._reader.wake(portion.sealed.items.plugins)


class Intake:
    """Decodes uploads and stores them in one unit of work, by their handlers.

    Every punch takes this path, so it chains callbacks, which cost less than coroutines.
    """

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        reader: ContentsReader,
        reactor: IReactorThreads,
        budget: MemoryBudget,
        functions: FunctionTable,
        unserved: UnservedRequests,
    ) -> None:
        """`functions` match uploaded records with the QUERY commands that asked for them."""
        self._database = store
        self._registry = registry
        self._wall = registry.wall
        self._reader = reader
        self.writer = ContentsWriter(reader)
        self._reactor = reactor
        self._budget = budget
        self._functions = functions
        self._backlog = Backlog(store, reader, functions)
        self._unserved = unserved
        self._known = frozenset(table.name for table in reader.tables)
        self._decoding = DeferredSemaphore(DECODERS)
        self._parts = DeferredLock()

    @property
    def tables(self) -> list[Table]:
        """The tables that handlers take, which are all tables that the server stores."""
        return self._reader.tables

    def take(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> Deferred[bytes]:
        """Store the upload in a request; see `upload`."""
        family, path = terminal.family, request.route.path
        upload = family.upload(path, request.arguments, body, moves_stamp=is_proved)
        return self.upload(terminal, upload, request.head)

    def upload(
        self, terminal: Terminal, upload: Upload, head: RequestHead | None = None
    ) -> Deferred[bytes]:
        """Store one upload and return its acknowledgement (spec 11.2) after the commit.

        `head` is the request head, which is stored with a body that is not understood at all. Lines
        that are not understood are stored as rejects and not counted.

        Raises `TooLarge` for a refused packet, which is stored as a reject and not acknowledged.
        """
        now = int(self._wall() * 1000)
        size = len(upload.body)
        if upload.packed or size > PART_BODY:
            return self._parts.run(self._store_parts, terminal, upload, head, now)
        dialect = terminal.dialect
        reader = self._reader.readers.get(dialect.family, self._reader.nothing)
        if size <= LONG_BODY:
            contents = reader.decoder.decode(upload, dialect)
            if reader.later or contents.deferred:
                contents = self._reader.set_apart(contents, dialect.family)
            return self._store_read(reader, terminal, upload, contents, now, head)
        decoding = self.on_thread(self._reader.decode, upload, dialect)
        return decoding.addCallback(
            lambda contents: self._store_read(reader, terminal, upload, contents, now, head)
        )

    def _store_read(
        self,
        reader: FamilyReader,
        terminal: Terminal,
        upload: Upload,
        contents: Contents,
        now: int,
        head: RequestHead | None,
    ) -> Deferred[bytes]:
        is_unordered = upload.table.lower() in reader.unordered or not reader.is_ordered(contents)
        if is_unordered and not contents.is_dense:
            return self._store(terminal, contents, now, head)
        return Deferred.fromCoroutine(self._in_order(terminal, upload, contents, now, head))

    async def _in_order(
        self,
        terminal: Terminal,
        upload: Upload,
        contents: Contents,
        now: int,
        head: RequestHead | None,
    ) -> bytes:
        """Store an upload, but defer what comes after pending lines of the same handler.

        What a query may have asked for is read at once, and counted.
        """
        if contents.is_dense and await self._backlog.is_asked(terminal):
            contents = await self.on_thread(self._reader.decode, upload, terminal.dialect, True)
        waiting = await self._backlog.handlers(terminal)
        if waiting:
            family = terminal.dialect.family
            contents = await self.on_thread(self._reader.set_apart, contents, family, waiting)
        return await self._store(terminal, contents, now, head)

    async def _store_parts(
        self, terminal: Terminal, upload: Upload, head: RequestHead | None, now: int
    ) -> bytes:
        """Store an upload in parts, each in its own unit of work, and acknowledge after the last.

        If a part fails, nothing is acknowledged and the terminal sends the whole upload again;
        parts that are already stored are not stored twice. Short uploads need not wait for a long
        one.
        """
        count, kept, bare = 0, 0, False
        asked = await self._backlog.is_asked(terminal)
        reader = self._reader.reader(terminal.dialect.family)
        waiting: Collection[str] = ()
        if upload.table.lower() not in reader.unordered:
            waiting = await self._backlog.handlers(terminal)
        dialect = terminal.dialect
        with self.parts(upload, dialect, PART_BODY, may_be_dense=asked, waiting=waiting) as parts:
            while (contents := await self.on_thread(parts)) is not None:
                await self._store(terminal, contents, now, head)
                count += contents.count
                kept += len(self._reader.kept(contents))
                bare = bare or contents.bare
        reply = terminal.family.acknowledge(upload, count, bare=bare)
        return acknowledged(reply, kept) if kept else reply

    def parts(
        self,
        upload: Upload,
        dialect: Dialect,
        size: int,
        *,
        may_be_dense: bool = False,
        waiting: Collection[str] = (),
    ) -> AbstractContextManager[Callable[[], Contents | None]]:
        """Read an upload in parts; see `ContentsReader.parts`."""
        return self._reader.parts(upload, dialect, size, self._budget, may_be_dense, waiting)

    def on_thread(self, function: Callable[..., T], *arguments: object) -> Deferred[T]:
        """Run a slow function on a decoding thread."""
        running: Deferred[T] = self._decoding.run(
            threads.deferToThreadPool,
            self._reactor,
            self._reactor.getThreadPool(),
            function,
            *arguments,
        )
        return running

    def report(self, terminal: Terminal, upload: Upload) -> Deferred[None]:
        """Store the update information that a terminal sends with a poll (spec 9)."""

        def reported(_: bytes) -> None:
            terminal.reported = upload.body

        contents = self._reader.decode(upload, terminal.dialect)
        return self._store(terminal, contents, self._registry.now()).addCallback(reported)

    def _store(
        self, terminal: Terminal, contents: Contents, now: int, head: RequestHead | None = None
    ) -> Deferred[bytes]:
        """Write records, rejects and the stamp in one unit of work, and acknowledge them."""
        if not contents.rejects and not contents.extracts:  # the usual case
            return self._write(terminal, contents, NOTHING, now)
        if contents.whole is not None and head is not None:
            contents.whole = msgspec.structs.replace(contents.whole, origin=origin_of(head))
        seal = self._reader.seal
        parts = terminal.device, contents, terminal.dialect, now, terminal.address
        if self._reader.has_little_to_seal(contents):
            return self._write(terminal, contents, seal(*parts), now)
        sealing = self.on_thread(seal, *parts)
        return sealing.addCallback(lambda sealed: self._write(terminal, contents, sealed, now))

    def _write(
        self, terminal: Terminal, contents: Contents, sealed: Sealed, now: int
    ) -> Deferred[bytes]:
        device = terminal.device
        portion = self.writer.portion(device, contents, sealed, now)
        kind, stamp = contents.stamp_of, contents.stamp
        known, stored_at = terminal.stamps.get(kind or "", _NO_STAMP)
        if contents.refusal or (stamp == known and 0 <= now - stored_at < STAMP_EVERY):
            stamp = None
        else:
            stamp = check_stamp(stamp)

        def unit(tx: Transaction) -> Outcome:
            outcome = self.writer.persist(tx, portion)
            if terminal.next_due is not None:  # open commands may be queries
                functions = self._functions.of(device.family)
                count_arrived(tx, device, portion.arrived, functions)
            if kind is not None and stamp is not None:
                tx[StampStore].remember(device.id, kind, stamp)
            return outcome

        writing = self._database.write(unit, risky=portion.is_risky)
        return writing.addCallback(self._stored, terminal, portion, stamp)

    def _stored(
        self, outcome: Outcome, terminal: Terminal, portion: Portion, stamp: str | None
    ) -> bytes:
        """Apply a committed portion to memory, notify the handlers, and return the reply."""
        changed, failed = outcome
        contents = portion.contents
        if changed is not None:
            terminal.update(changed)
        if stamp is not None and contents.stamp_of is not None:
            terminal.stamps[contents.stamp_of] = stamp, portion.received_at
        if contents.rejects:
            self._report_rejects(terminal, contents)
        for batch in portion.arrived:
            if batch.table.read_clock is not None and batch.table.name not in failed:
                now = portion.received_at
                is_due = not 0 <= now - terminal.measured_at < MEASURE_EVERY
                if is_due and self._registry.skew.note(terminal.device, batch, now):
                    terminal.measured_at = now
        self.writer.tell(portion, failed)
        if contents.refusal is not None:
            raise TooLarge(contents.refusal)
        reply = terminal.family.acknowledge(contents.source, contents.count, bare=contents.bare)
        kept = len(self._reader.kept(contents)) if contents.rejects else 0
        return acknowledged(reply, kept) if kept else reply

    def _report_rejects(self, terminal: Terminal, contents: Contents) -> None:
        """Log the rejects; a table without a handler is logged once."""
        table, source = contents.rejects[0].table, contents.source
        decoder = self._reader.reader(terminal.device.family).decoder
        if source is not None and contents.whole and not decoder.takes(source.table):
            self._unserved.uploads(terminal, source.table, word(table))
            return
        # The reasons quote the upload, so they are shown only to callers who may read rejects.
        self._log.warn(
            "Terminal {sn}: rejects of {table} kept: {count} (zkpush rejects list)",
            sn=terminal.device.sn,
            count=len(self._reader.kept(contents)),
            table=table if table in self._known else "an unknown table",
        )
