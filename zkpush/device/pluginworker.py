"""Worker threads that store the inboxes of record handlers.

Theory of operation. Each record handler with an inbox has a thread. The thread takes the next items
of one terminal, decodes them, and calls the handler in a transaction that also removes the items.
If that fails, the items stay and are retried after a growing pause. An item that keeps failing is
isolated, so that later lines of its terminal can pass it. A transaction that lasts too long is
aborted from another thread, because on SQLite it blocks all other writers. The thread itself cannot
be stopped: a handler that does not return blocks its own inbox and nothing else.
"""

from __future__ import annotations

import contextlib
import functools
import math
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread
from twisted.logger import Logger

from ..clock import wall_clock
from ..containment import PluginError, PluginFailure, contained, report
from ..interfaces import IPluginConnection, IStore, OutOfReach, StoreError
from ..model import Device
from ..persist.devices import DeviceStore
from ..persist.inbox import InboxStore
from ..persist.rejects import RejectStore
from ..persist.transaction import Transaction
from ..protocol.packets import PacketLimits
from ..protocol.records import Batch
from ..protocol.rejects import MOST_REJECTS
from ..protocol.uploads import Contents, UploadDecoder
from ..values.setaside import InboxItem
from .handlers import PluggedHandler
from .plugincall import Running, Watched
from .privacy import Privacy

T = TypeVar("T")
LOCK_SECONDS = (0.25, 0.5, 1.0, 2.0)
"""Seconds a transaction may last, at the first attempt of an item, the second, and so on."""
PAUSES = tuple(2**number for number in range(10))
"""Seconds before an item is retried, after its first failure, the second, and so on."""
LONG_PAUSES = (600, 3600, 86_400)
"""Seconds before an item is retried whose handler did not return."""
LONGEST_REST = 3
"""Index in `PAUSES` of the longest rest of the handler after consecutive failures."""
MOST_EXCUSED = 3
"""After this many consecutive database failures, while others can use the database, the plugin is
blamed."""
EXCUSED_PAUSE = 1
"""Seconds that the handler rests after a database failure."""
FEW_REJECTS = 1
"""Rejects stored line by line for each inbox item of a built-in handler."""
MOST_TRIES = 8
"""Number of failures after which an item is isolated."""
CLAIM_SECONDS = 10
"""Seconds during which no other process takes claimed items; longer than any transaction. If this
process dies, the items become free after that time."""
PACE_SECONDS = 1.0
PACED_ITEMS = 8
"""Items of a built-in handler stored every `PACE_SECONDS`. Its inbox holds lines that were too
expensive to store at once. Terminals take turns."""
LATE_SECONDS = 60
"""Seconds beyond the time limit for which the items of an aborted transaction are not retried."""
_DID_NOT_RETURN = "did not return"


class _Gone(Exception):
    """Another process has stored the items in the meantime."""


class PluginWorker:
    """Calls the record handler of one plugin, on a thread."""

    _log = Logger()

    def __init__(
        self,
        plugged: PluggedHandler,
        store: IStore,
        limits: PacketLimits,
        reactor: Any,
        time_limit: float,
        updated: Callable[[Device], None],
        privacy: Privacy,
    ) -> None:
        """`updated` is called on the reactor with a terminal that the handler may have changed."""
        self.plugged = plugged
        self.label = f"record handler {plugged.name}"
        self.running: Running | None = None
        """The call in progress."""
        self.unprepared: PluginFailure | None = None
        """The failure to create the handler's tables; None if they exist."""
        self.done: Deferred[None] = Deferred()
        """Fires when the thread ends."""
        self._store = store
        self._limits = limits
        self._reactor = reactor
        self._wall = wall_clock(reactor)
        self._time_limit = time_limit
        self._updated = updated
        self._privacy = privacy
        self._watched = Watched()
        self._wakes: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._is_awake = False
        self._prepare_tries = 0
        self._prepare_at = 0.0
        self._failures = 0
        self._excused = 0
        self._unreleased: Running | None = None
        self._declared = {table.name: table for table in plugged.tables}
        self._not_before = 0.0
        self._last_device = 0
        self._most_rejects = FEW_REJECTS if plugged.is_trusted else MOST_REJECTS
        self._thread = threading.Thread(
            target=self._run_thd, name=f"zkpush plugin {plugged.name}", daemon=True
        )

    @functools.cached_property
    def _decoder(self) -> UploadDecoder:
        """Decoder of the handler's tables, built for the first item: few handlers get one."""
        return UploadDecoder(self.plugged.tables, self._limits)

    def start(self, *, is_prepared: bool) -> None:
        """Start the thread; retry creating the tables if that failed at startup."""
        if not is_prepared:
            self._unprepare(StoreError("the tables were not made at the start"))
        self._thread.start()
        if not self.plugged.is_trusted:
            self.wake()

    def wake(self) -> None:
        """Wake the thread to read the inbox; callable from any thread."""
        if not self._is_awake:
            self._is_awake = True
            self._wakes.put(True)

    def stop(self) -> Deferred[None]:
        """Stop taking items; the Deferred fires when the handler has returned."""
        self._wakes.put(False)
        return self.done

    def abort(self) -> None:
        """Abort the transaction of the call in progress, without waiting for it."""
        call = self.running
        if call is not None and call.connection is not None:
            # Aborting may wait for a running statement, so it is not done on the reactor.
            threading.Thread(
                target=call.connection.abort_thd, name="zkpush abort", daemon=True
            ).start()

    def watch(self) -> float | None:
        """Check the call in progress; returns its age (s) if it is over the time limit."""
        call, watched = self.running, self._watched
        if call is None:
            return None
        if watched.call is not call:
            watched = self._watched = Watched(call)
        seconds = self._reactor.seconds() - call.since
        if seconds > call.lock_seconds and not watched.is_aborted:
            watched.is_aborted = True
            self.abort()
            isolated = all(item.is_isolated for item in call.items)
            self._put_off(call, int(1000 * (self._time_limit + LATE_SECONDS)), isolated=isolated)
        if seconds <= self._time_limit:
            return None
        if not watched.is_reported:
            watched.is_reported = True
            self._report_late(call)
        return float(seconds)

    def _report_late(self, call: Running) -> None:
        """Report a handler that does not return. Of several items, the culprit is unknown."""
        table = call.items[0].table if call.items else None
        report(self.label, "storing lines", TimeoutError(_DID_NOT_RETURN), table=table)
        if call.items:
            pause = LONG_PAUSES[min(call.items[0].tries, len(LONG_PAUSES) - 1)]
            self._put_off(call, 1000 * pause, isolated=len(call.items) == 1)

    def _put_off(self, call: Running, pause: int, *, isolated: bool) -> None:
        """Postpone the items of a call by `pause` milliseconds, for all processes."""
        ids, now = [item.id for item in call.items], self._now()
        if ids:
            self._store.write(
                lambda tx: tx[InboxStore].failed(
                    ids, _DID_NOT_RETURN, now, now + pause, isolated=isolated
                )
            ).addErrback(lambda failure: None)

    def _run_thd(self) -> None:
        connection: IPluginConnection | None = None
        while self._wakes.get():
            self._is_awake = False
            try:
                connection = connection or self._store.connection()
                while self._wakes.empty() and self._turn_thd(connection):
                    pass
                connection.close_thd()
            except StoreError as error:  # pending items are on disk
                self._waits_thd(error)
            except BaseException as error:
                report(self.label, "reading its inbox", error)
        self._reactor.callFromThread(self.done.callback, None)

    def _turn_thd(self, connection: IPluginConnection) -> bool:
        """Store the next items; returns whether there may be more."""
        if self._reactor.seconds() < self._not_before or not self._prepare_thd(connection):
            return False
        self._release_thd()
        items, until = self._claim_thd()
        if not items:
            return False
        contents = [self._read(item) for item in items]
        lock_seconds = LOCK_SECONDS[min(items[0].tries, len(LOCK_SECONDS) - 1)]
        self.running = call = Running(items, math.inf, lock_seconds, connection, until)
        try:
            device, batches = connection.run_thd(lambda tx: self._store_thd(tx, call, contents))
        except _Gone:
            self.running = None
            return True
        except OutOfReach as error:
            self.running = None
            self._unreleased = call
            if self._excused >= MOST_EXCUSED:
                self._failed_thd(items, error)
                self._unreleased = None
                return True
            self._waits_thd(error)
            self._release_thd()
            self._excused += 1
            self._not_before = self._reactor.seconds() + EXCUSED_PAUSE
            return False
        except BaseException as error:
            self.running = None
            self._failed_thd(items, error)
            return True
        self.running = None
        self._failures = self._excused = 0
        for batch in batches:
            self._tell_thd(device, batch)
        if self.plugged.changes_device:
            self._reactor.callFromThread(self._updated, device)
        return True

    def _claim_thd(self) -> tuple[Sequence[InboxItem], int]:
        """Claim the next items; returns them and the end (ms) of the claim."""
        name, now = self.plugged.name, self._now()
        until = now + 1000 * CLAIM_SECONDS
        if not self.plugged.is_trusted:
            return self._write_thd(lambda tx: tx[InboxStore].claim(name, now, until)), until
        last = self._last_device
        items = self._write_thd(
            lambda tx: tx[InboxStore].claim(name, now, until, PACED_ITEMS, last)
        )
        if items:
            self._last_device = items[0].device_id
            self._not_before = self._reactor.seconds() + PACE_SECONDS
        return items, until

    def _read(self, item: InboxItem) -> Contents:
        upload = self._privacy.kept_extract(self._declared.get(item.table), item.upload)
        if upload is None:
            return Contents([], [])
        # Items in the inbox were acknowledged, so they are stored however dense they are.
        contents = self._decoder.decode(upload, item.dialect, self._most_rejects, may_be_dense=True)
        if upload.is_kept:
            contents.rejects = []
        return contents

    def _waits_thd(self, error: StoreError) -> None:
        self._log.warn(
            "The inbox of the {plugin} waits: {error}", plugin=self.label, error=str(error)
        )

    def _release_thd(self) -> None:
        """Release the claim of a call that the database failed, once the database is back."""
        call = self._unreleased
        if call is not None:
            ids = [item.id for item in call.items]
            self._write_thd(lambda tx: tx[InboxStore].release(ids, call.until))
            self._unreleased = None

    def _store_thd(
        self, tx: Transaction, call: Running, contents: Sequence[Contents]
    ) -> tuple[Device, list[Batch]]:
        # The handler's time starts now: waiting for the database lock does not count.
        self.running = attrs.evolve(call, since=self._reactor.seconds())
        items = call.items
        device = tx[DeviceStore].get(items[0].device_id)
        stored = []
        for item, content in zip(items, contents, strict=True):
            for batch in self._privacy.kept(content.batches):
                if batch.rows:
                    self._persist_thd(tx, device, batch, item.received_at)
                    stored.append(batch)
            if content.rejects:  # only from data that privacy rules allow to store
                tx[RejectStore].add(device.id, content.rejects, item.received_at)
        if not tx[InboxStore].stored([item.id for item in items]):
            raise _Gone
        return (tx[DeviceStore].get(device.id) if self.plugged.changes_device else device), stored

    def _persist_thd(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Call the handler, and check that it did not end the transaction.

        On SQLite, a statement after a rollback by the driver would be committed at once: the items
        would be removed and the handler's writes lost.
        """
        persist = self.plugged.handler.persist
        error = tx.attempt(self.plugged.name, False, persist, tx, device, batch, now)
        if error is not None:
            raise error

    def _failed_thd(self, items: Sequence[InboxItem], error: BaseException) -> None:
        """Record a failure; items that were stored together are retried one by one."""
        ids = [item.id for item in items]
        if len(ids) > 1:
            self._write_thd(lambda tx: tx[InboxStore].give_back(ids))
            return
        item, now = items[0], self._now()
        device = self._write_thd(lambda tx: tx[DeviceStore].get(item.device_id))
        kind = type(error)
        if self._watched.is_aborted and self._watched.call and self._watched.call.items is items:
            kind = TimeoutError
        report(self.label, "storing lines", error, sn=device.sn, table=item.table)
        self._failures += 1
        pause = PAUSES[min(item.tries, len(PAUSES) - 1)]
        is_isolated = item.is_isolated or item.tries + 1 >= MOST_TRIES
        if is_isolated:
            pause = max(pause, LONG_PAUSES[0])
        self._write_thd(
            lambda tx: tx[InboxStore].failed(
                ids, kind.__name__, now, now + 1000 * pause, isolated=is_isolated
            )
        )
        if self._failures > 2:
            # Consecutive failures point to the handler, not to the items.
            rest = PAUSES[min(self._failures - 3, LONGEST_REST)]
            self._not_before = self._reactor.seconds() + rest

    def _tell_thd(self, device: Device, batch: Batch) -> None:
        """Notify the handler after the commit; its errors have no effect on the items."""
        self.running = Running((), self._reactor.seconds(), self._time_limit, None)
        try:
            with (
                contextlib.suppress(PluginError),
                contained(self.label, "after the commit", sn=device.sn, table=batch.table.name),
            ):
                self.plugged.handler.stored(device, batch)
        finally:
            self.running = None

    def _prepare_thd(self, connection: IPluginConnection) -> bool:
        """Create the handler's tables if that failed at startup; returns whether they exist."""
        if self.unprepared is None:
            return True
        if self._reactor.seconds() < self._prepare_at:
            return False
        handler: Any = self.plugged.handler
        self.running = Running((), self._reactor.seconds(), LOCK_SECONDS[-1], connection)
        try:
            connection.run_thd(handler.prepare)
        except OutOfReach as error:
            self._waits_thd(error)
            self._prepare_at = self._reactor.seconds() + EXCUSED_PAUSE
            return False
        except BaseException as error:
            report(self.label, "making its tables", error)
            self._unprepare(error)
            return False
        finally:
            self.running = None
        self.unprepared = None
        return True

    def _unprepare(self, error: BaseException) -> None:
        now = self._reactor.seconds()
        since = self._wall() if self.unprepared is None else self.unprepared.since
        self.unprepared = PluginFailure(type(error).__name__, since)
        self._prepare_at = now + PAUSES[min(self._prepare_tries, len(PAUSES) - 1)]
        self._prepare_tries += 1

    def _write_thd(self, unit: Callable[[Transaction], T]) -> T:
        write: Any = self._store.write
        result: T = blockingCallFromThread(self._reactor, write, unit)
        return result

    def _now(self) -> int:
        """The time, in milliseconds since the epoch."""
        return int(self._wall() * 1000)
