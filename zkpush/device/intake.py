"""The way of an upload: from bytes to records on disk, and only then to the reply (11)."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorThreads
from twisted.logger import Logger

from ..interfaces import IRecordHandler, IStore, ITransaction
from ..model import Device
from ..protocol.fields import Acknowledge, Table
from ..protocol.handshake import UNKNOWN_DEVICE, check_stamp
from ..protocol.records import Batch, Reject, decode
from ..protocol.requests import Upload
from .registry import Registry
from .session import Verdict
from .terminal import Terminal

BARE = b"OK"
LONG_BODY = 128 * 1024
"""Bodies above this many bytes are decoded on a thread, so that nobody's poll waits for them."""


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
        reactor: IReactorThreads,
    ) -> None:
        self._store = store
        self._registry = registry
        self._handlers = handlers
        self._tables = {
            table.name.lower(): table for handler in handlers.values() for table in handler.tables
        }
        self._reactor = reactor

    @property
    def tables(self) -> list[Table]:
        """The tables that handlers take: everything the server stores."""
        return list(self._tables.values())

    def upload(self, terminal: Terminal, upload: Upload) -> bytes | Deferred[bytes]:
        """Store one upload, and give its acknowledgement (11.2): it is on disk then.

        Lines that are not understood are kept as rejects, and are not counted; so is the whole
        body of a table that no handler takes.
        """
        if terminal.session.upload is Verdict.ASK_FOR_EXCHANGE:
            return UNKNOWN_DEVICE
        table = self._tables.get(upload.table.lower())
        if table is None:
            return self._keep(terminal, upload)
        if len(upload.body) <= LONG_BODY:
            batch = decode(table, upload.body, terminal.dialect)
            return self.store(terminal, batch, upload.stamp).addCallback(_acknowledge, batch)
        decoding: Deferred[Batch] = threads.deferToThreadPool(
            self._reactor,
            self._reactor.getThreadPool(),
            decode,
            table,
            upload.body,
            terminal.dialect,
        )
        return decoding.addCallback(
            lambda batch: self.store(terminal, batch, upload.stamp).addCallback(_acknowledge, batch)
        )

    def report(self, terminal: Terminal, table: Table, text: str) -> Deferred[None]:
        """Store the update information that came with a poll (9)."""

        def reported(_: None) -> None:
            terminal.reported = text

        batch = decode(table, text.encode(), terminal.dialect)
        return self.store(terminal, batch, None).addCallback(reported)

    def store(self, terminal: Terminal, batch: Batch, stamp: str | None) -> Deferred[None]:
        """Write decoded records, their rejects and the stamp in one unit of work."""
        device = terminal.device
        handler = self._handlers[batch.table.name]
        now = self._registry.now()
        good_stamp = check_stamp(stamp)

        def unit(tx: ITransaction) -> Device | None:
            if batch.rows:
                handler.persist(tx, device, batch, now)
            if batch.rejects:
                tx.rejects.add(device.id, batch.rejects, now)
            if good_stamp is not None:
                tx.stamps.remember(device.id, batch.table.name, good_stamp)
            return tx.devices.get(device.id) if handler.changes_device else None

        return self._store.write(unit).addCallback(self._stored, terminal, handler, batch)

    def _stored(
        self, changed: Device | None, terminal: Terminal, handler: IRecordHandler, batch: Batch
    ) -> None:
        """Everything is on disk: take over what changed, and tell the handler."""
        if changed is not None:
            terminal.update(changed)
        if batch.rejects:
            self._log.warn(
                "Terminal {sn}: {rejects} of {table} not understood, and kept: {reason}",
                sn=terminal.device.sn,
                rejects=len(batch.rejects),
                table=batch.table.name,
                reason=batch.rejects[0].reason,
            )
        try:
            handler.stored(terminal.device, batch)
        except Exception:
            self._log.failure("The handler {name} failed after the commit", name=handler.name)

    def _keep(self, terminal: Terminal, upload: Upload) -> Deferred[bytes]:
        device, now = terminal.device, self._registry.now()
        reject = Reject(upload.table, "no handler takes this table", upload.body)
        self._log.warn(
            "Terminal {sn}: an upload to a table that no handler takes is kept", sn=device.sn
        )
        kept = self._store.write(lambda tx: tx.rejects.add(device.id, [reject], now))
        return kept.addCallback(lambda _: BARE)


def _acknowledge(_: None, batch: Batch) -> bytes:
    if batch.table.acknowledge is Acknowledge.BARE:
        return BARE
    return b"OK: %d" % len(batch.rows)
