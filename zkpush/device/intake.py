"""The way of an upload: from bytes to records on disk, and only then to the reply (11)."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet import threads
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
    """Takes uploads: decodes them, and lets the handlers write them in one unit of work."""

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

    async def upload(self, terminal: Terminal, upload: Upload) -> bytes:
        """Store one upload, and give its acknowledgement (11.2): it is on disk then.

        Lines that are not understood are kept as rejects, and are not counted; so is the whole
        body of a table that no handler takes.
        """
        if terminal.session.upload is Verdict.ASK_FOR_EXCHANGE:
            return UNKNOWN_DEVICE
        table = self._tables.get(upload.table.lower())
        if table is None:
            await self._keep(terminal, upload)
            return BARE
        if len(upload.body) > LONG_BODY:
            batch = await threads.deferToThreadPool(
                self._reactor,
                self._reactor.getThreadPool(),
                decode,
                table,
                upload.body,
                terminal.dialect,
            )
        else:
            batch = decode(table, upload.body, terminal.dialect)
        await self.store(terminal, batch, upload.stamp)
        if table.acknowledge is Acknowledge.BARE:
            return BARE
        return b"OK: %d" % len(batch.rows)

    async def report(self, terminal: Terminal, table: Table, text: str) -> None:
        """Store the update information that came with a poll (9), if it is news."""
        if text != terminal.reported:
            await self.store(terminal, decode(table, text.encode(), terminal.dialect), None)
            terminal.reported = text

    async def store(self, terminal: Terminal, batch: Batch, stamp: str | None) -> None:
        """Write decoded records, their rejects and the stamp in one unit of work."""
        device = terminal.device
        handler = self._handlers[batch.table.name]
        now = self._registry.now()
        good_stamp = check_stamp(stamp)

        def unit(tx: ITransaction) -> Device | None:
            if batch.rows:
                handler.persist(tx, device, batch, now)
            tx.rejects.add(device.id, batch.rejects, now)
            if good_stamp is not None:
                tx.stamps.remember(device.id, batch.table.name, good_stamp)
            return tx.devices.get(device.id) if handler.changes_device else None

        changed = await self._store.write(unit)
        if changed is not None:
            terminal.update(changed)
        if batch.rejects:
            self._log.warn(
                "Terminal {sn}: {rejects} of {table} not understood, and kept: {reason}",
                sn=device.sn,
                rejects=len(batch.rejects),
                table=batch.table.name,
                reason=batch.rejects[0].reason,
            )
        try:
            handler.stored(device, batch)
        except Exception:
            self._log.failure("The handler {name} failed after the commit", name=handler.name)

    async def _keep(self, terminal: Terminal, upload: Upload) -> None:
        device, now = terminal.device, self._registry.now()
        reject = Reject(upload.table, "no handler takes this table", upload.body)
        await self._store.write(lambda tx: tx.rejects.add(device.id, [reject], now))
        self._log.warn(
            "Terminal {sn}: an upload to a table that no handler takes is kept", sn=device.sn
        )
