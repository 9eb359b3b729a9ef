"""A thread for each record handler with an inbox, on which it stores what is in there.

Theory of operation. The thread takes the next items of one terminal, decodes them, and calls the
handler in a transaction of its own, which also drops the items. If that fails, the items stay and
are taken again after a pause, which grows; one that goes on failing is isolated, so that later
lines of its terminal can pass it. A transaction that lasts too long is ended from outside, as on
SQLite nobody else can write meanwhile. The thread itself cannot be ended: a handler that does not
return keeps its own items waiting, and nothing else.
"""

from __future__ import annotations

import contextlib
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
from ..model import Device, InboxItem
from ..persist.devices import DeviceStore
from ..persist.inbox import InboxStore
from ..persist.rejects import RejectStore
from ..persist.transaction import Transaction
from ..protocol.records import Batch
from ..protocol.rejects import MOST_REJECTS
from ..protocol.uploads import Contents, UploadDecoder
from .handlers import PluggedHandler
from .plugincall import Running, Watched
from .privacy import Privacy

T = TypeVar("T")
LOCK_SECONDS = (0.25, 0.5, 1.0, 2.0)
"""How long a transaction may last, at the first try of an item, the second one, and so on."""
PAUSES = tuple(2**number for number in range(10))
"""Seconds until an item is taken again after the first failure, the second one, and so on."""
LONG_PAUSES = (600, 3600, 86_400)
"""The same for an item at which the handler did not return."""
LONGEST_REST = 3
"""Which of the pauses is the longest that the handler rests for, after items of several terminals
have failed one after the other."""
MOST_EXCUSED = 3
"""After so many failures in a row for which the database seemed to be at fault, while others can
use it, the plugin is to blame."""
EXCUSED_PAUSE = 1
"""Seconds that the handler rests for after a failure of the database."""
FEW_REJECTS = 1
"""Rejects that are kept line by line, of each item in the inbox of one of our own handlers."""
MOST_TRIES = 8
"""After so many failures, an item is isolated."""
CLAIM_SECONDS = 10
"""For how long no other process takes the items: longer than any transaction may last. If this
process ends meanwhile, they are taken again then."""
PACE_SECONDS = 1.0
PACED_ITEMS = 8
"""In the inbox of one of our own handlers are lines that would have cost too much at once: that
often so many items are stored. The terminals take turns."""
LATE_SECONDS = 60
"""Beyond the time limit: for how long nobody takes items whose transaction was ended."""
_DID_NOT_RETURN = "did not return"


class _Gone(Exception):
    """Another process has stored the items meanwhile."""


class PluginWorker:
    """Calls the record handler of one plugin, on a thread."""

    _log = Logger()

    def __init__(
        self,
        plugged: PluggedHandler,
        store: IStore,
        decoder: UploadDecoder,
        reactor: Any,
        time_limit: float,
        updated: Callable[[Device], None],
        privacy: Privacy,
    ) -> None:
        """`updated` is called on the reactor with a terminal that the handler may have changed."""
        self.plugged = plugged
        self.label = f"record handler {plugged.name}"
        self.running: Running | None = None
        """The call that goes on now."""
        self.unprepared: PluginFailure | None = None
        """Why the tables of the handler are not made; None if they are."""
        self.done: Deferred[None] = Deferred()
        """Fires when the thread has ended."""
        self._store = store
        self._decoder = decoder
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

    def start(self, *, is_prepared: bool) -> None:
        """Start the thread; if its tables are not made, that is tried again."""
        if not is_prepared:
            self._unprepare(StoreError("the tables were not made at the start"))
        self._thread.start()
        if not self.plugged.is_trusted:
            self.wake()

    def wake(self) -> None:
        """Look into the inbox; from any thread."""
        if not self._is_awake:
            self._is_awake = True
            self._wakes.put(True)

    def stop(self) -> Deferred[None]:
        """Take nothing more; the Deferred fires when the handler has returned."""
        self._wakes.put(False)
        return self.done

    def abort(self) -> None:
        """End the transaction of a call that goes on, and do not wait for it."""
        call = self.running
        if call is not None and call.connection is not None:
            # A statement that runs may have to be waited for: not on the reactor.
            threading.Thread(
                target=call.connection.abort_thd, name="zkpush abort", daemon=True
            ).start()

    def watch(self) -> float | None:
        """Look at a call that goes on: for how many seconds it has not returned in time."""
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
        """Note that the handler does not return; of several items, nobody knows at which."""
        table = call.items[0].table if call.items else None
        report(self.label, "storing lines", TimeoutError(_DID_NOT_RETURN), table=table)
        if call.items:
            pause = LONG_PAUSES[min(call.items[0].tries, len(LONG_PAUSES) - 1)]
            self._put_off(call, 1000 * pause, isolated=len(call.items) == 1)

    def _put_off(self, call: Running, pause: int, *, isolated: bool) -> None:
        """Let nobody take the items of a call for so many milliseconds."""
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
        """Store the next items; whether there may be more."""
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
        """The next items, and when (ms) the claim of them ends."""
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
        # What is in the inbox was acknowledged: it is stored, however dense it is.
        return self._decoder.decode(upload, item.dialect, self._most_rejects, may_be_dense=True)

    def _waits_thd(self, error: StoreError) -> None:
        self._log.warn(
            "The inbox of the {plugin} waits: {error}", plugin=self.label, error=str(error)
        )

    def _release_thd(self) -> None:
        """Undo the claim of the call that the database failed, once it can be used again."""
        call = self._unreleased
        if call is not None:
            ids = [item.id for item in call.items]
            self._write_thd(lambda tx: tx[InboxStore].release(ids, call.until))
            self._unreleased = None

    def _store_thd(
        self, tx: Transaction, call: Running, contents: Sequence[Contents]
    ) -> tuple[Device, list[Batch]]:
        # Only now: the wait for the lock of the database is not the handler's time.
        self.running = attrs.evolve(call, since=self._reactor.seconds())
        items = call.items
        device = tx[DeviceStore].get(items[0].device_id)
        stored = []
        for item, content in zip(items, contents, strict=True):
            for batch in self._privacy.kept(content.batches):
                if batch.rows:
                    self._persist_thd(tx, device, batch, item.received_at)
                    stored.append(batch)
            if content.rejects:  # of what may be kept
                tx[RejectStore].add(device.id, content.rejects, item.received_at)
        if not tx[InboxStore].stored([item.id for item in items]):
            raise _Gone
        return (tx[DeviceStore].get(device.id) if self.plugged.changes_device else device), stored

    def _persist_thd(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Call the handler, and check that the transaction is still the same one.

        On SQLite, a statement after a rollback of the driver would be committed at once: the items
        would be dropped, and what the handler has written would be gone.
        """
        persist = self.plugged.handler.persist
        error = tx.attempt(self.plugged.name, False, persist, tx, device, batch, now)
        if error is not None:
            raise error

    def _failed_thd(self, items: Sequence[InboxItem], error: BaseException) -> None:
        """Note a failure: items that were stored together are taken again one by one."""
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
            # One after the other has failed: it is not the items.
            rest = PAUSES[min(self._failures - 3, LONGEST_REST)]
            self._not_before = self._reactor.seconds() + rest

    def _tell_thd(self, device: Device, batch: Batch) -> None:
        """Tell the handler that its rows are on disk; nothing depends on what it does then."""
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
        """Let the handler make its tables, if that failed at the start; whether they are made."""
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
