"""The worker of one forwarder: queues its events, and delivers them in order.

Theory of operation. A worker works while its node holds the lease of the forwarder; every unit of
work takes or renews the lease, so a node that lost it writes nothing. A portion of events is read,
cut into batches and stored, together with the new position, before the first batch is sent: a batch
is the same at each attempt, whichever node makes it. Delivered batches are removed with the next
unit. After a crash they may be sent again, with the same ids. New events go before those of a
replay.

A run ends when nothing is left, or at a failure; the engine starts the next one. Each forwarder has
runs of its own, so a slow receiver delays no other. `pending` says what outcomes do to batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.logger import Logger

from ...interfaces import ICollectingForwarder, IDelivery, IForwarder, StoreError
from ...manage.leasing import HeldLease, LeaseLost
from ...manage.news import Cursor
from ...manage.times import parse_instant
from ...persist.transaction import Transaction
from ...values.forwarding import ForwardBatch, Outcome, RetryLater
from .ledger import DeliveryLedger
from .model import ForwarderState, PendingBatch, StoredForwarder
from .pending import PendingBatches
from .queue import DeliveryQueue
from .reading import EventPortion, lag, make_batches, read_portion_thd, tables_of
from .replays import read_replay_thd
from .store import ForwarderStore
from .surroundings import Surroundings, target_of

RENEW_SECONDS = 12.0
"""A lease that is in use is renewed when it is valid for less than this."""
DELIVER_SECONDS = 30.0
"""Longest time of one attempt."""


@attrs.frozen
class _NextEvents:
    """Events to queue."""

    portion: EventPortion
    progress: dict[str, Any]
    """What to store of the forwarder with them; empty if there is nothing new."""
    batches: Sequence[PendingBatch]


class ForwarderWorker:
    """Delivers the events of one forwarder, as it is stored in one revision."""

    _log = Logger()

    def __init__(self, stored: StoredForwarder, kind: IForwarder, around: Surroundings) -> None:
        """`kind` is the plugin that delivers."""
        self._kind = kind
        self._around = around
        self._delivery: IDelivery | None = None
        self._ledger = DeliveryLedger(
            around.store, around.clock, around.now, around.owner, stored.id
        )
        self._pending = PendingBatches(stored, around, self._ledger)
        self._running: Deferred[None] | None = None
        self._current: Deferred[Outcome] | None = None
        self._is_retired = self._is_cancelled = self._is_loaded = False

    @property
    def stored(self) -> StoredForwarder:
        """The forwarder, with its progress."""
        return self._pending.stored

    @property
    def is_running(self) -> bool:
        """Whether a run is going on."""
        return self._running is not None

    @property
    def lease(self) -> HeldLease:
        """The lease of the forwarder."""
        return self._ledger.lease

    def wake(self, ends: Cursor) -> None:
        """Start a run if there may be something to do; `ends` are those of events and records."""
        if self._is_retired or self.is_running or self.stored.state is not ForwarderState.ACTIVE:
            return
        if self._around.clock.seconds() < self._pending.not_before:
            return
        batches = self._pending.batches
        if self.lease.seconds_left <= 0 and batches is not None:
            # Another node may have gone on meanwhile. If it has queued events, there is a lag.
            self._pending.batches, self._is_loaded = None, not batches
        has_work = (
            self._pending.batches
            or self._ledger.settled
            or not self._is_loaded
            or self.stored.replay is not None
        )
        tables = tables_of(self.stored, self._around.records)
        if has_work or lag(self.stored, tables, ends):
            self._running = Deferred.fromCoroutine(self._run())
            self._running.addErrback(self._report).addBoth(self._ended)

    async def renew(self) -> None:
        """Renew the lease during a long delivery, which is cancelled if the lease is lost."""
        if self._current is None or self.lease.seconds_left >= RENEW_SECONDS:
            return
        try:
            await self._pending.write(lambda tx: None)
        except LeaseLost:
            self._is_cancelled = True
            if self._current is not None:
                self._current.cancel()

    def retire(self, *, now: bool = False) -> Deferred[None]:
        """Start no further attempt; the Deferred fires when the current run has ended.

        With `now`, the current attempt is cancelled. Its batch stays.
        """
        self._is_retired = True
        if now and self._current is not None:
            self._is_cancelled = True
            self._current.cancel()
        ended: Deferred[None] = Deferred()
        if self._running is None:
            return succeed(None)
        self._running.addBoth(lambda _: ended.callback(None))
        return ended

    def close(self) -> None:
        """Close connections; only after the run has ended."""
        delivery, self._delivery = self._delivery, None
        if delivery is not None:
            try:
                delivery.close()
            except Exception:
                self._log.failure("{kind} failed to close", kind=self._kind.name)

    def _report(self, failure: Any) -> None:
        if failure.check(StoreError):
            self._log.warn(
                "Forwarder {name}: {error}", name=self.stored.name, error=failure.getErrorMessage()
            )
        else:
            self._log.failure("Forwarder {name} failed", failure, name=self.stored.name)
        self._pending.not_before = self._around.clock.seconds() + 1

    def _ended(self, _: object) -> None:
        self._running = None

    async def _run(self) -> None:
        self._pending.begin_run()
        self._is_cancelled = False
        try:
            if self._pending.batches is None:
                await self._load()
            while self._may_go_on():
                batch = self._pending.next()
                if batch is None:
                    if not await self._fill():
                        break
                elif not await self._attempt(batch):
                    break
            if self._ledger.settled:
                await self._pending.write(lambda tx: None)
        except LeaseLost:
            self._pending.batches, self._is_loaded = None, False
            self._ledger.forget()

    def _may_go_on(self) -> bool:
        return not self._is_retired and self.stored.state is ForwarderState.ACTIVE

    async def _load(self) -> None:
        """Take the lease, and read the queue."""
        stored_id = self.stored.id

        def unit(tx: Transaction) -> tuple[StoredForwarder | None, list[PendingBatch]]:
            return tx[ForwarderStore].get(stored_id), tx[DeliveryQueue].pending(stored_id)

        stored, pending = await self._ledger.write(self.stored, unit, begins=True)
        if stored is None or stored.revision != self.stored.revision:
            self._is_retired = True  # the engine makes another worker
            return
        self._pending.load(stored, pending)
        self._is_loaded = True

    async def _fill(self) -> bool:
        """Queue the next events; return whether there may be something to deliver or to read."""
        stored, around = self.stored, self._around
        found = await around.store.read(self._read_thd)
        portion, progress, batches = found.portion, found.progress, found.batches
        if not progress:
            return False
        wait = self._collecting(portion)
        if wait > 0:
            self._pending.not_before = around.clock.seconds() + wait
            return False

        def unit(tx: Transaction) -> bool:
            if tx[ForwarderStore].revision(stored.id) != stored.revision:
                return False
            tx[ForwarderStore].write(stored.id, progress)
            tx[DeliveryQueue].add(stored.id, batches)
            return True

        if not await self._pending.write(unit):
            self._is_retired = True
            return False
        self._pending.add(batches, progress)
        return bool(batches) or portion.is_cut or self.stored.replay is not None

    def _read_thd(self, tx: Transaction) -> _NextEvents:
        """Read new events, else those of a replay, and cut them into batches."""
        stored, records = self.stored, self._around.records
        after = Cursor(stored.event_cursor, stored.record_cursor)
        portion = read_portion_thd(tx, stored, records, after)
        end = portion.end
        progress: dict[str, Any]
        if end != after:
            progress = {"event_cursor": end.event, "record_cursor": end.record}
        elif stored.replay is not None:
            portion, left = read_replay_thd(tx, stored, records, stored.replay)
            progress = {"replay": left}
        else:
            return _NextEvents(portion, {}, [])
        progress["queued"] = stored.queued + len(portion.events)
        now, new_mark = self._around.now(), self._around.new_mark
        batches = make_batches(portion.events, stored.queued, self._kind.limits, now, new_mark)
        return _NextEvents(portion, progress, batches)

    def _collecting(self, portion: EventPortion) -> float:
        """Return the seconds for which more events are collected before a batch is made.

        An event from the future, after the clock was set back, is not waited for.
        """
        kind, stored = self._kind, self.stored
        if portion.is_cut or not portion.events or not ICollectingForwarder.providedBy(kind):
            return 0.0
        settings = target_of(stored, kind, self._around).settings
        age = self._around.wall() - parse_instant(portion.events[0].timestamp)
        wait: float = kind.collect_seconds(settings) - age
        return wait if age >= 0 else 0.0

    async def _attempt(self, batch: PendingBatch) -> bool:
        """Try to deliver a batch; return whether to go on."""
        if self.lease.seconds_left < RENEW_SECONDS:
            await self._pending.write(lambda tx: None)
        started = self._around.clock.seconds()
        outcome = await self._deliver(batch)
        if outcome is None:
            return False
        taken = int(1000 * (self._around.clock.seconds() - started))
        return await self._pending.settle(batch, outcome, taken)

    async def _deliver(self, batch: PendingBatch) -> Outcome | None:
        """Call the plugin; return None if the attempt was cancelled by a stop."""
        around = self._around
        try:
            if self._delivery is None:
                self._delivery = self._kind.open(target_of(self.stored, self._kind, around))
            self._current = self._delivery.deliver(
                ForwardBatch(id=batch.mark, made_at=batch.made_at, events=batch.events)
            )
            self._current.addTimeout(DELIVER_SECONDS, around.clock)
            return await self._current
        except TimedOut:
            return RetryLater(f"It took longer than {DELIVER_SECONDS:.0f} seconds")
        except Exception as error:
            if self._is_cancelled:
                return None
            if not self.stored.tries:
                self._log.failure("A forwarder of the kind {kind} failed", kind=self._kind.name)
            return RetryLater(f"The forwarder failed: {type(error).__name__}")
        finally:
            self._current = None
