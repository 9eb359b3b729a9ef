"""The way of an upload: from bytes to records on disk, and only then to the reply (11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec
from twisted.internet import threads
from twisted.internet.defer import Deferred, DeferredLock, DeferredSemaphore
from twisted.internet.interfaces import IReactorThreads
from twisted.logger import Logger

from ..http.messages import RequestHead
from ..interfaces import IStore
from ..model import Device
from ..persist.stamps import StampStore
from ..persist.transaction import Transaction
from ..protocol.dialect import Dialect
from ..protocol.errors import TooLarge
from ..protocol.fields import Table
from ..protocol.parts import decode_parts
from ..protocol.requests import Upload, check_stamp
from ..protocol.uploads import Contents
from .budget import MemoryBudget
from .functions import FunctionTable
from .queries import count_arrived, open_queries
from .registry import Registry
from .request import Request, origin_of
from .skew import MEASURE_EVERY
from .storing import ContentsWriter, Failures, Portion, Sealed
from .terminal import Terminal
from .unserved import UnservedRequests

T = TypeVar("T")
Outcome = tuple[Device | None, Failures]
"""The terminal, if it may have changed; and what handlers raised."""
LONG_BODY = 8 * 1024
"""Bodies above this many bytes are decoded on a thread, so that nobody's poll waits for them."""
PART_BODY = 256 * 1024
"""Bodies above this many bytes, and packets, are decoded and stored in parts of that size."""
DECODERS = 2
"""Threads that decode at a time: each makes the reactor wait for the interpreter now and then."""


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
        writer: ContentsWriter,
        reactor: IReactorThreads,
        budget: MemoryBudget,
        functions: FunctionTable,
        unserved: UnservedRequests,
    ) -> None:
        """`functions` find the records that QUERY asked for."""
        self._database = store
        self._registry = registry
        self._writer = writer
        self._reactor = reactor
        self._budget = budget
        self._functions = functions
        self._unserved = unserved
        self._known = frozenset(table.name for table in writer.tables)
        self._decoding = DeferredSemaphore(DECODERS)
        self._parts = DeferredLock()

    @property
    def tables(self) -> list[Table]:
        """The tables that handlers take: everything the server stores."""
        return self._writer.tables

    def take(
        self, request: Request, terminal: Terminal, body: bytes, is_proved: bool
    ) -> Deferred[bytes]:
        """Store the upload that a request is; see `upload`."""
        family, path = terminal.family, request.route.path
        upload = family.upload(path, request.arguments, body, moves_stamp=is_proved)
        return self.upload(terminal, upload, request.head)

    def upload(
        self, terminal: Terminal, upload: Upload, head: RequestHead | None = None
    ) -> Deferred[bytes]:
        """Store one upload, and give its acknowledgement (11.2): it is on disk then.

        `head` is that of its request, which is kept with a body of which nothing is understood.

        What is not understood is kept as rejects, and is not counted. `TooLarge` for a packet that
        is refused: it is kept, and not acknowledged.
        """
        now = self._registry.now()
        size = len(upload.body)
        if upload.packed or size > PART_BODY:
            return self._parts.run(self._upload_parts, terminal, upload, head, now)
        if size <= LONG_BODY:
            contents = self._writer.decode(upload, terminal.dialect)
            return self._store_read(terminal, upload, contents, now, head)
        decoding = self.on_thread(self._writer.decode, upload, terminal.dialect)
        return decoding.addCallback(
            lambda contents: self._store_read(terminal, upload, contents, now, head)
        )

    def _store_read(
        self,
        terminal: Terminal,
        upload: Upload,
        contents: Contents,
        now: int,
        head: RequestHead | None,
    ) -> Deferred[bytes]:
        if contents.deferred and terminal.next_due is not None:
            return Deferred.fromCoroutine(self._store_dense(terminal, upload, contents, now, head))
        return self._store(terminal, contents, now, head)

    async def _store_dense(
        self,
        terminal: Terminal,
        upload: Upload,
        contents: Contents,
        now: int,
        head: RequestHead | None,
    ) -> bytes:
        """Store a dense upload; what a query may have asked for is read at once, and counted."""
        if await self._is_asked(terminal):
            contents = await self.on_thread(self._writer.decode, upload, terminal.dialect, True)
        return await self._store(terminal, contents, now, head)

    async def _is_asked(self, terminal: Terminal) -> bool:
        """Whether a query was sent to a terminal that has open commands."""
        if terminal.next_due is None:
            return False
        device = terminal.device
        matchers = self._functions.of(device.family).matchers
        found = await self._database.read(lambda tx: open_queries(tx, device.id, matchers))
        return bool(found)

    def _upload_parts(
        self, terminal: Terminal, upload: Upload, head: RequestHead | None, now: int
    ) -> Deferred[bytes]:
        """Store an upload part by part, each in a unit of its own; all are on disk at the end.

        Where one fails, nothing is acknowledged, and the terminal sends everything again: what is
        there already is not stored twice. So a long upload holds up nobody's short one.
        """
        return Deferred.fromCoroutine(self._store_parts(terminal, upload, head, now))

    async def _store_parts(
        self, terminal: Terminal, upload: Upload, head: RequestHead | None, now: int
    ) -> bytes:
        count, bare = 0, False
        asked = await self._is_asked(terminal)
        with self.parts(upload, terminal.dialect, PART_BODY, may_be_dense=asked) as parts:
            while (contents := await self.on_thread(parts)) is not None:
                await self._store(terminal, contents, now, head)
                count += contents.count
                bare = bare or contents.bare
        return terminal.family.acknowledge(upload, count, bare=bare)

    @contextmanager
    def parts(
        self, upload: Upload, dialect: Dialect, size: int, *, may_be_dense: bool = False
    ) -> Iterator[Callable[[], Contents | None]]:
        """Read an upload in parts of about `size` bytes, charged to the budget.

        The function that is yielded reads the next part, on a thread; None at the end.
        """
        decoder = self._writer.reader(dialect.family).decoder
        parts = decode_parts(decoder, upload, dialect, size, may_be_dense=may_be_dense)
        charge = self._budget.decode(decoder.memory(upload, size))

        def following() -> Contents | None:
            contents = next(parts, None)
            return None if contents is None else self._writer.set_apart(contents, dialect.family)

        try:
            yield following
        finally:
            charge.release()

    def on_thread(self, function: Callable[..., T], *arguments: object) -> Deferred[T]:
        """Run what takes long where it keeps nobody's poll waiting."""
        running: Deferred[T] = self._decoding.run(
            threads.deferToThreadPool,
            self._reactor,
            self._reactor.getThreadPool(),
            function,
            *arguments,
        )
        return running

    def report(self, terminal: Terminal, upload: Upload) -> Deferred[None]:
        """Store what a terminal reports with a poll (9)."""

        def reported(_: bytes) -> None:
            terminal.reported = upload.body

        contents = self._writer.decode(upload, terminal.dialect)
        return self._store(terminal, contents, self._registry.now()).addCallback(reported)

    def _store(
        self, terminal: Terminal, contents: Contents, now: int, head: RequestHead | None = None
    ) -> Deferred[bytes]:
        """Write records, rejects and the stamp in one unit of work, and acknowledge them."""
        if contents.whole is not None and head is not None:
            contents.whole = msgspec.structs.replace(contents.whole, origin=origin_of(head))
        seal = self._writer.seal
        device, dialect = terminal.device, terminal.dialect
        if self._writer.has_little_to_seal(contents):
            return self._write(terminal, contents, seal(device, contents, dialect, now), now)
        sealing = self.on_thread(seal, device, contents, dialect, now)
        return sealing.addCallback(lambda sealed: self._write(terminal, contents, sealed, now))

    def _write(
        self, terminal: Terminal, contents: Contents, sealed: Sealed, now: int
    ) -> Deferred[bytes]:
        device = terminal.device
        portion = self._writer.portion(device, contents, sealed, now)
        stamp = None if contents.refusal else check_stamp(contents.stamp)

        def unit(tx: Transaction) -> Outcome:
            outcome = self._writer.persist(tx, portion)
            if terminal.next_due is not None:  # it has open commands, which may be queries
                matchers = self._functions.of(device.family).matchers
                count_arrived(tx, device.id, portion.arrived, matchers)
            if stamp is not None and contents.stamp_of is not None:
                tx[StampStore].remember(device.id, contents.stamp_of, stamp)
            return outcome

        writing = (
            self._database.write(unit, risky=True)
            if portion.is_risky
            else self._database.write(unit)
        )
        return writing.addCallback(self._stored, terminal, portion)

    def _stored(self, outcome: Outcome, terminal: Terminal, portion: Portion) -> bytes:
        """Everything is on disk: take over what changed, tell the handlers, and acknowledge it."""
        changed, failed = outcome
        contents = portion.contents
        if changed is not None:
            terminal.update(changed)
        if contents.rejects:
            self._report_rejects(terminal, contents)
        for batch in portion.arrived:
            if batch.table.read_clock is not None and batch.table.name not in failed:
                now = portion.received_at
                if not 0 <= now - terminal.measured_at < MEASURE_EVERY:
                    terminal.measured_at = now
                    self._registry.skew.note(terminal.device, batch, now)
        self._writer.tell(portion, failed)
        if contents.refusal is not None:
            raise TooLarge(contents.refusal)
        family = terminal.family
        return family.acknowledge(contents.source, contents.count, bare=contents.bare)

    def _report_rejects(self, terminal: Terminal, contents: Contents) -> None:
        """Log what was not understood; a table that nobody takes is logged once."""
        table, source = contents.rejects[0].table, contents.source
        decoder = self._writer.reader(terminal.device.family).decoder
        if source is not None and contents.whole and not decoder.takes(source.table):
            self._unserved.note(terminal, f"uploads the table {table}, which no handler takes")
            return
        # A reason quotes what was sent; it is for those who may see the rejects.
        self._log.warn(
            "Terminal {sn}: {count} of {table} not understood, and kept (GET rejects)",
            sn=terminal.device.sn,
            count=contents.unread,
            table=table if table in self._known else "an unknown table",
        )
