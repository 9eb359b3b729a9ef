"""The way of an upload: from bytes to records on disk, and only then to the reply (11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from twisted.internet import threads
from twisted.internet.defer import Deferred, DeferredLock, DeferredSemaphore
from twisted.internet.interfaces import IReactorThreads
from twisted.logger import Logger

from ..interfaces import IRecordHandler, IStore, ITransaction
from ..model import Device, SealedRejects
from ..protocol.errors import TooLarge
from ..protocol.fields import Table
from ..protocol.handshake import check_stamp
from ..protocol.packets import Limits
from ..protocol.parts import decode_parts
from ..protocol.records import Batch, decode
from ..protocol.requests import Upload
from ..protocol.uploads import Contents, UploadDecoder
from .budget import MemoryBudget
from .privacy import Privacy
from .queries import count_arrived
from .registry import Registry
from .terminal import Terminal

T = TypeVar("T")
BARE = b"OK"
LONG_BODY = 8 * 1024
"""Bodies above this many bytes are decoded on a thread, so that nobody's poll waits for them."""
PART_BODY = 256 * 1024
"""Bodies above this many bytes, and packets, are decoded and stored in parts of that size."""
DECODERS = 2
"""Threads that decode at a time: each makes the reactor wait for the interpreter now and then."""

FEW_REJECTS = 4
SHORT_REJECTS = 16 * 1024
"""How many rejects, and of how many bytes, are sealed on the reactor; more are on a thread."""


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
        handlers: Mapping[str, IRecordHandler],
        limits: Limits,
        reactor: IReactorThreads,
        privacy: Privacy,
        budget: MemoryBudget,
    ) -> None:
        self._database = store
        self._registry = registry
        self._handlers = handlers
        self._decoder = UploadDecoder(self.tables, limits)
        self._reactor = reactor
        self._privacy = privacy
        self._budget = budget
        self._decoding = DeferredSemaphore(DECODERS)
        self._parts = DeferredLock()

    @property
    def tables(self) -> list[Table]:
        """The tables that handlers take: everything the server stores."""
        return [
            table
            for name, handler in self._handlers.items()
            for table in handler.tables
            if table.name == name
        ]

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
            contents = self._decoder.decode(upload, terminal.dialect)
            return self._store(terminal, contents, now)
        decoding = self._on_thread(self._decoder.decode, upload, terminal.dialect)
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
            while (contents := await self._on_thread(next, parts, None)) is not None:
                reply = await self._store(terminal, contents, now)
                count += contents.count
                bare = bare or reply == BARE
        finally:
            charge.release()
        return _acknowledgement(count, bare=bare)

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

        batch = decode(table, text.encode(), terminal.dialect)
        contents = Contents([batch], batch.rejects, unread=len(batch.rejects))
        return self._store(terminal, contents, self._registry.now()).addCallback(reported)

    def _store(self, terminal: Terminal, contents: Contents, now: int) -> Deferred[bytes]:
        """Write records, rejects and the stamp in one unit of work, and acknowledge them."""
        rejects = self._privacy.kept_rejects(contents.rejects)
        device_id = terminal.device.id
        if len(rejects) <= FEW_REJECTS and sum([len(one.raw) for one in rejects]) <= SHORT_REJECTS:
            sealed = self._database.seal_rejects(device_id, rejects, now)
            return self._write(terminal, contents, sealed, now)
        sealing = self._on_thread(self._database.seal_rejects, device_id, rejects, now)
        return sealing.addCallback(lambda sealed: self._write(terminal, contents, sealed, now))

    def _write(
        self, terminal: Terminal, contents: Contents, rejects: SealedRejects | None, now: int
    ) -> Deferred[bytes]:
        device = terminal.device
        arrived = [batch for batch in contents.batches if batch.rows]
        kept = self._privacy.kept(arrived)
        if len(kept) < len(arrived):
            self._log.info(
                "Terminal {sn}: {count} templates and photos are dropped, as is configured",
                sn=device.sn,
                count=contents.count - sum(len(batch.rows) for batch in kept),
            )
        batches = [(self._handlers[batch.table.name], batch) for batch in kept]
        stamp = None if contents.refusal else check_stamp(contents.stamp)

        def unit(tx: ITransaction) -> Device | None:
            changes_device = False
            for handler, batch in batches:
                handler.persist(tx, device, batch, now)
                changes_device = changes_device or handler.changes_device
            if terminal.next_due is not None:  # it has open commands, which may be queries
                count_arrived(tx, device.id, arrived)
            if rejects is not None:
                tx.rejects.add_sealed(rejects)
            if stamp is not None and contents.stamp_of is not None:
                tx.stamps.remember(device.id, contents.stamp_of, stamp)
            return tx.devices.get(device.id) if changes_device else None

        return self._database.write(unit).addCallback(self._stored, terminal, batches, contents)

    def _stored(
        self,
        changed: Device | None,
        terminal: Terminal,
        batches: Sequence[tuple[IRecordHandler, Batch]],
        contents: Contents,
    ) -> bytes:
        """Everything is on disk: take over what changed, tell the handlers, and acknowledge it."""
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
                table=table if table in self._handlers else "an unknown table",
            )
        for handler, batch in batches:
            try:
                handler.stored(terminal.device, batch)
            except Exception:
                self._log.failure("The handler {name} failed after the commit", name=handler.name)
        if contents.refusal is not None:
            raise TooLarge(contents.refusal)
        return _acknowledgement(contents.count, bare=contents.bare)


def _acknowledgement(count: int, *, bare: bool) -> bytes:
    return BARE if bare else b"OK: %d" % count
