"""The way of an upload: from bytes to records on disk, and only then to the reply (11)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from twisted.internet import threads
from twisted.internet.defer import Deferred, DeferredLock, DeferredSemaphore
from twisted.internet.interfaces import IReactorThreads
from twisted.logger import Logger

from ..containment import report
from ..interfaces import IStore
from ..model import Device, InboxItem, SealedItems, SealedRejects
from ..persist.devices import DeviceStore
from ..persist.inbox import InboxStore
from ..persist.rejects import RejectStore
from ..persist.stamps import StampStore
from ..persist.transaction import Transaction
from ..protocol.dialect import Dialect
from ..protocol.errors import TooLarge
from ..protocol.extracts import Extractor
from ..protocol.fields import Table
from ..protocol.packets import Limits
from ..protocol.parts import decode_parts
from ..protocol.records import Batch, decode
from ..protocol.rejects import Reject
from ..protocol.requests import Upload, check_stamp
from ..protocol.uploads import Contents, UploadDecoder
from .budget import MemoryBudget
from .functions import Matcher
from .handlers import HandlerSet, PluggedHandler, Way
from .privacy import Privacy
from .queries import count_arrived
from .registry import Registry
from .terminal import Terminal

T = TypeVar("T")
Outcome = tuple[Device | None, Mapping[str, BaseException]]
"""The terminal, if it may have changed; and what handlers raised, by the table."""
SealedParts = tuple[SealedRejects | None, SealedItems | None]
_NOTHING_SEALED: SealedParts = (None, None)
BARE = b"OK"
LONG_BODY = 8 * 1024
"""Bodies above this many bytes are decoded on a thread, so that nobody's poll waits for them."""
PART_BODY = 256 * 1024
"""Bodies above this many bytes, and packets, are decoded and stored in parts of that size."""
DECODERS = 2
"""Threads that decode at a time: each makes the reactor wait for the interpreter now and then."""

FEW_PARTS = 4
SHORT_PARTS = 16 * 1024
"""How many rejects and items of the inbox, and of how many bytes, are sealed on the reactor; more
are on a thread."""


class Intake:
    """Takes uploads: decodes them, and lets the handlers write them in one unit of work.

    This is the way of every punch, so it is made of callbacks on the one Deferred that the store
    gives, and not of a coroutine within a coroutine for each step.
    """

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        handlers: HandlerSet,
        limits: Limits,
        reactor: IReactorThreads,
        privacy: Privacy,
        budget: MemoryBudget,
        wake: Callable[[Iterable[str]], None],
        matchers: Mapping[str, Mapping[str, Matcher]],
    ) -> None:
        """`wake` is called with the names of plugins for which something is in the inbox.

        `matchers` find the records that QUERY asked for, by command and table.
        """
        self._database = store
        self._registry = registry
        self._handlers = handlers
        self._decoder = UploadDecoder(self.tables, limits)
        self._reactor = reactor
        self._privacy = privacy
        self._budget = budget
        self._extractor = Extractor(self.tables, limits)
        self._wake = wake
        self._matchers = matchers
        self._later = {
            table.name: plugged.name for plugged in handlers.later for table in plugged.tables
        }
        self._declared = {table.name: table for table in self.tables}
        self._decoding = DeferredSemaphore(DECODERS)
        self._parts = DeferredLock()

    @property
    def tables(self) -> list[Table]:
        """The tables that handlers take: everything the server stores."""
        return self._handlers.tables

    def upload(self, terminal: Terminal, upload: Upload) -> Deferred[bytes]:
        """Store one upload, and give its acknowledgement (11.2): it is on disk then.

        What is not understood is kept as rejects, and is not counted. `TooLarge` for a packet that
        is refused: it is kept, and not acknowledged.
        """
        now = self._registry.now()
        size = len(upload.body)
        if upload.packed or size > PART_BODY:
            return self._parts.run(self._upload_parts, terminal, upload, now)
        if size <= LONG_BODY:
            return self._store(terminal, self._decode(upload, terminal.dialect), now)
        decoding = self._on_thread(self._decode, upload, terminal.dialect)
        return decoding.addCallback(lambda contents: self._store(terminal, contents, now))

    def _upload_parts(self, terminal: Terminal, upload: Upload, now: int) -> Deferred[bytes]:
        """Store an upload part by part, each in a unit of its own; all are on disk at the end.

        Where one fails, nothing is acknowledged, and the terminal sends everything again: what is
        there already is not stored twice. So a long upload holds up nobody's short one.
        """
        return Deferred.fromCoroutine(self._store_parts(terminal, upload, now))

    async def _store_parts(self, terminal: Terminal, upload: Upload, now: int) -> bytes:
        parts = decode_parts(self._decoder, upload, terminal.dialect, PART_BODY)
        count, bare = 0, False
        charge = self._budget.decode(self._decoder.memory(upload, PART_BODY))
        try:
            while (contents := await self._on_thread(self._next, parts)) is not None:
                reply = await self._store(terminal, contents, now)
                count += contents.count
                bare = bare or reply == BARE
        finally:
            charge.release()
        return _acknowledgement(count, bare=bare)

    def _decode(self, upload: Upload, dialect: Dialect) -> Contents:
        return self._set_apart(self._decoder.decode(upload, dialect))

    def _next(self, parts: Iterator[Contents]) -> Contents | None:
        contents = next(parts, None)
        return None if contents is None else self._set_apart(contents)

    def _set_apart(self, contents: Contents) -> Contents:
        """Extract what plugins store later, in the bytes in which it came."""
        if self._later and contents.source is not None:
            tables = [batch.table.name for batch in contents.batches if batch.rows]
            later = {table for table in tables if table in self._later}
            if later:
                rejected = {reject.raw for reject in contents.rejects}
                contents.extracts = [*self._extracts(contents.source, later, rejected)]
        return contents

    def _extracts(
        self, source: Upload, tables: Collection[str], without: Collection[bytes] = ()
    ) -> Iterator[tuple[str, Upload]]:
        """The lines of some tables as they may be stored, by the names of the tables."""
        for name, part in self._extractor.extracts(source, tables, without):
            kept = self._privacy.kept_extract(self._declared[name], part)
            if kept is not None:
                yield name, kept

    def _on_thread(self, function: Callable[..., T], *arguments: object) -> Deferred[T]:
        """Run what takes long where it keeps nobody's poll waiting."""
        running: Deferred[T] = self._decoding.run(
            threads.deferToThreadPool,
            self._reactor,
            self._reactor.getThreadPool(),
            function,
            *arguments,
        )
        return running

    def report(self, terminal: Terminal, table: Table, text: str) -> Deferred[None]:
        """Store the update information that came with a poll (9)."""

        def reported(_: bytes) -> None:
            terminal.reported = text

        upload = Upload(table.name, text.encode())
        batch = decode(table, upload.body, terminal.dialect)
        contents = Contents([batch], batch.rejects, unread=len(batch.rejects), source=upload)
        return self._store(terminal, contents, self._registry.now()).addCallback(reported)

    def _store(self, terminal: Terminal, contents: Contents, now: int) -> Deferred[bytes]:
        """Write records, rejects and the stamp in one unit of work, and acknowledge them."""
        if not contents.rejects and not contents.extracts:  # as almost always
            return self._write(terminal, contents, _NOTHING_SEALED, now)
        device_id = terminal.device.id
        rejects = self._privacy.kept_rejects(contents.rejects)
        items = [
            InboxItem(
                plugin=self._later[table],
                device_id=device_id,
                table=table,
                upload=part,
                dialect=terminal.dialect,
                received_at=now,
            )
            for table, part in contents.extracts
        ]

        def seal() -> SealedParts:
            return (
                self._database.seal_rejects(device_id, rejects, now),
                self._database.seal_items(items),
            )

        size = sum([len(one.raw) for one in rejects]) + sum([len(one.upload.body) for one in items])
        if len(rejects) + len(items) <= FEW_PARTS and size <= SHORT_PARTS:
            return self._write(terminal, contents, seal(), now)
        sealing = self._on_thread(seal)
        return sealing.addCallback(lambda sealed: self._write(terminal, contents, sealed, now))

    def _write(
        self, terminal: Terminal, contents: Contents, sealed: SealedParts, now: int
    ) -> Deferred[bytes]:
        rejects, items = sealed
        device = terminal.device
        arrived = [batch for batch in contents.batches if batch.rows]
        kept = arrived if self._privacy.templates else self._privacy.kept(arrived)
        if len(kept) < len(arrived):
            self._log.info(
                "Terminal {sn}: {count} templates and photos are dropped, as is configured",
                sn=device.sn,
                count=contents.count - sum(len(batch.rows) for batch in kept),
            )
        batches = [
            (plugged, batch)
            for batch in kept
            if (plugged := self._handlers.by_table[batch.table.name]).way is not Way.LATER
        ]
        stamp = None if contents.refusal else check_stamp(contents.stamp)

        def unit(tx: Transaction) -> Outcome:
            changes_device = False
            failed: dict[str, BaseException] = {}
            for plugged, batch in batches:
                persist = plugged.handler.persist
                error = tx.attempt(
                    plugged.name, plugged.is_trusted, persist, tx, device, batch, now
                )
                if error is not None:
                    failed[batch.table.name] = error
                changes_device = changes_device or plugged.changes_device
            if terminal.next_due is not None:  # it has open commands, which may be queries
                count_arrived(tx, device.id, arrived, self._matchers)
            if rejects is not None:
                tx[RejectStore].add_sealed(rejects)
            if failed:
                tx[RejectStore].add(device.id, self._failed_rejects(contents, failed), now)
            if items is not None:
                tx[InboxStore].add(items)
            if stamp is not None and contents.stamp_of is not None:
                tx[StampStore].remember(device.id, contents.stamp_of, stamp)
            return tx[DeviceStore].get(device.id) if changes_device else None, failed

        risky = any(plugged.way is Way.INLINE for plugged, _ in batches)
        writing = self._database.write(unit, risky=True) if risky else self._database.write(unit)
        return writing.addCallback(self._stored, terminal, batches, items, contents)

    def _failed_rejects(
        self, contents: Contents, failed: Mapping[str, BaseException]
    ) -> Sequence[Reject]:
        """The lines of tables whose handlers failed, as rejects."""
        if contents.source is None:
            return ()
        return [
            Reject(
                table,
                f"the handler {self._handlers.by_table[table].name} failed "
                f"({type(failed[table]).__name__})",
                part.body,
            )
            for table, part in self._extracts(contents.source, failed)
        ]

    def _stored(
        self,
        outcome: Outcome,
        terminal: Terminal,
        batches: Sequence[tuple[PluggedHandler, Batch]],
        items: SealedItems | None,
        contents: Contents,
    ) -> bytes:
        """Everything is on disk: take over what changed, tell the handlers, and acknowledge it."""
        changed, failed = outcome
        rejects = contents.rejects
        if changed is not None:
            terminal.update(changed)
        if rejects:
            # A reason quotes what was sent; it is for those who may see the rejects.
            table = rejects[0].table
            self._log.warn(
                "Terminal {sn}: {count} of {table} not understood, and kept (GET rejects)",
                sn=terminal.device.sn,
                count=contents.unread,
                table=table if table in self._handlers.by_table else "an unknown table",
            )
        for plugged, batch in batches:
            table = batch.table.name
            if table in failed:
                contents.failed += len(batch.rows)
                act = "storing lines, which are rejects now"
                report(plugged.label, act, failed[table], terminal.device.sn, table)
                continue
            try:
                plugged.handler.stored(terminal.device, batch)
            except BaseException as error:  # as `contained`, at less cost for each upload
                report(plugged.label, "after the commit", error, terminal.device.sn, table)
        if items is not None:
            self._wake(items.plugins)
        if contents.refusal is not None:
            raise TooLarge(contents.refusal)
        return _acknowledgement(contents.count, bare=contents.bare)


def _acknowledgement(count: int, *, bare: bool) -> bytes:
    return BARE if bare else b"OK: %d" % count
