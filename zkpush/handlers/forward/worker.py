"""The worker of one forwarder: queues its events, delivers them in order, and settles outcomes.

Theory of operation. A worker works while its node holds the lease of the forwarder; every unit of
work takes or renews the lease, so a node that lost it writes nothing. A portion of events is read,
cut into batches and stored, together with the new position, before the first batch is sent: a batch
is the same at each attempt, whichever node makes it. Delivered batches are removed with the next
unit. After a crash they may be sent again, with the same ids.

A run ends when nothing is left, or at a failure; the engine starts the next one. Each forwarder has
runs of its own, so a slow receiver delays no other.

A refused batch of several events is split after `SPLIT_AFTER` error answers. A single event that
was refused as often is a suspect: it becomes a dead letter if it is refused again and the receiver
takes another event right before or right after that. A receiver that refuses everything loses
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.logger import Logger

from ...interfaces import ICollectingForwarder, IDelivery, IForwarder, IStore, StoreError
from ...manage.news import Cursor, RecordSource
from ...manage.times import parse_instant
from ...persist.transaction import Transaction
from ...values.forwarding import (
    Delivered,
    ForwardBatch,
    ForwarderTarget,
    Gone,
    Outcome,
    RefusedBatch,
    RetryLater,
)
from .backoff import GIVEN_UP, LONGEST, LONGEST_REFUSED, pause
from .ledger import DeliveryLedger, LeaseLost
from .model import Attempt, DeadEvent, ForwarderState, PendingBatch, StoredForwarder
from .queue import DeliveryQueue
from .reading import EventPortion, lag, make_batches, read_portion_thd, tables_of
from .replays import read_replay_thd
from .store import ForwarderStore

RENEW_SECONDS = 12.0
"""A lease that is in use is renewed when it is valid for less than this."""
DELIVER_SECONDS = 30.0
"""Longest time of one attempt."""
SPLIT_AFTER = 3
"""Number of error answers after which a batch is split."""


MOST_PROBES = 10
"""Maximum number of error answers in one run."""


@attrs.frozen(kw_only=True)
class Surroundings:
    """What all workers of a process share."""

    store: IStore
    clock: Any
    """The reactor, or a `Clock` in tests; its time is monotonic."""
    wall: Callable[[], float]
    """Returns the time of day, in seconds since the epoch."""
    owner: str
    """Name of this process in leases."""
    records: RecordSource
    chance: Callable[[], float]
    """Returns a random number from 0 to 1."""
    new_mark: Callable[[], str]
    """Returns the identity of a new batch."""
    own_folder: str
    """Path of the data directory."""

    def now(self) -> int:
        """Return the time, in milliseconds since the epoch."""
        return int(self.wall() * 1000)


class ForwarderWorker:
    """Delivers the events of one forwarder, as it is stored in one revision."""

    _log = Logger()

    def __init__(self, stored: StoredForwarder, kind: IForwarder, around: Surroundings) -> None:
        """`kind` is the plugin that delivers."""
        self.stored = stored
        self._kind = kind
        self._around = around
        self._delivery: IDelivery | None = None
        self._pending: list[PendingBatch] | None = None
        self._ledger = DeliveryLedger(around.store, around.clock, around.now, around.owner)
        self._refused: set[int] = set()
        """Places of the suspects that were refused in this run; later batches are tried."""
        self._probes = 0
        """Number of error answers in this run."""
        self._has_taken = False
        """Whether the last attempt of this run was a success."""
        wait = 0 if stored.next_at is None else stored.next_at - around.now()
        self._not_before = around.clock.seconds() + max(wait / 1000, 0)
        self._running: Deferred[None] | None = None
        self._current: Deferred[Outcome] | None = None
        self._is_retired = self._is_cancelled = self._is_loaded = False

    @property
    def is_running(self) -> bool:
        """Whether a run is going on."""
        return self._running is not None

    @property
    def lease_seconds(self) -> float:
        """Seconds for which this node certainly holds the lease."""
        return self._ledger.lease_seconds

    def wake(self, ends: Cursor) -> None:
        """Start a run if there may be something to do; `ends` are those of events and records."""
        if self._is_retired or self.is_running or self.stored.state is not ForwarderState.ACTIVE:
            return
        if self._around.clock.seconds() < self._not_before:
            return
        if self.lease_seconds <= 0 and self._pending is not None:
            # Another node may have gone on meanwhile. If it has queued events, there is a lag.
            self._pending, self._is_loaded = None, not self._pending
        has_work = (
            self._pending
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
        if self._current is None or self.lease_seconds >= RENEW_SECONDS:
            return
        try:
            await self._write(lambda tx: None)
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
        self._not_before = self._around.clock.seconds() + 1

    def _ended(self, _: object) -> None:
        self._running = None

    async def _run(self) -> None:
        self._refused.clear()
        self._probes, self._has_taken = 0, False
        self._is_cancelled = False
        try:
            if self._pending is None:
                await self._load()
            while self._may_go_on():
                batch = self._next()
                if batch is None:
                    if not await self._fill():
                        break
                elif not await self._attempt(batch):
                    break
            if self._ledger.settled:
                await self._write(lambda tx: None)
        except LeaseLost:
            self._pending, self._is_loaded = None, False
            self._ledger.forget()

    def _may_go_on(self) -> bool:
        return not self._is_retired and self.stored.state is ForwarderState.ACTIVE

    def _next(self) -> PendingBatch | None:
        """Return the first batch that was not refused as a suspect in this run."""
        waiting = (one for one in self._pending or () if one.place not in self._refused)
        return next(waiting, None)

    async def _load(self) -> None:
        """Take the lease, and read the queue."""
        stored_id = self.stored.id

        def unit(tx: Transaction) -> tuple[StoredForwarder | None, list[PendingBatch]]:
            return tx[ForwarderStore].get(stored_id), tx[DeliveryQueue].pending(stored_id)

        stored, pending = await self._ledger.write(self.stored, unit, begins=True)
        if stored is None or stored.revision != self.stored.revision:
            self._is_retired = True  # the engine makes another worker
            return
        self.stored, self._pending, self._is_loaded = stored, pending, True

    async def _fill(self) -> bool:
        """Queue the next events; return whether there may be something to deliver or to read."""
        stored, around = self.stored, self._around
        portion, progress = await around.store.read(self._read_thd)
        if not progress:
            return False
        wait = self._collecting(portion)
        if wait > 0:
            self._not_before = around.clock.seconds() + wait
            return False
        batches = make_batches(
            portion.events, stored.queued, self._kind.limits, around.now(), around.new_mark
        )
        progress["queued"] = stored.queued + len(portion.events)

        def unit(tx: Transaction) -> bool:
            if tx[ForwarderStore].revision(stored.id) != stored.revision:
                return False
            tx[ForwarderStore].write(stored.id, progress)
            tx[DeliveryQueue].add(stored.id, batches)
            return True

        if not await self._write(unit):
            self._is_retired = True
            return False
        self.stored = msgspec.structs.replace(self.stored, **progress)
        self._pending = [*(self._pending or ()), *batches]
        return bool(batches) or portion.is_cut or self.stored.replay is not None

    def _read_thd(self, tx: Transaction) -> tuple[EventPortion, dict[str, object]]:
        """Read new events, else those of a replay; return the progress, empty without any."""
        stored, records = self.stored, self._around.records
        after = Cursor(stored.event_cursor, stored.record_cursor)
        portion = read_portion_thd(tx, stored, records, after)
        end = portion.end
        if end != after:
            return portion, {"event_cursor": end.event, "record_cursor": end.record}
        if stored.replay is None:
            return portion, {}
        portion, left = read_replay_thd(tx, stored, records, stored.replay)
        return portion, {"replay": left}

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
        if self.lease_seconds < RENEW_SECONDS:
            await self._write(lambda tx: None)
        started = self._around.clock.seconds()
        outcome = await self._deliver(batch)
        if outcome is None:
            return False
        taken = int(1000 * (self._around.clock.seconds() - started))
        words = outcome.words if isinstance(outcome, Delivered) else outcome.reason
        self._ledger.attempts.append(
            Attempt(
                batch=batch.mark,
                at=self._around.now(),
                events=len(batch.events),
                outcome=OUTCOME_NAMES[type(outcome)],
                words=words,
                milliseconds=taken,
            )
        )
        match outcome:
            case Delivered():
                await self._succeeded(batch, outcome)
                return True
            case Gone():
                await self._stop(outcome)
                return False
            case RefusedBatch():
                return await self._was_refused(batch, outcome)
            case RetryLater():
                await self._failed(batch, outcome, self.stored.tries + 1)
                return False

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

    async def _succeeded(self, batch: PendingBatch, outcome: Delivered) -> None:
        self._settle(batch)
        by_id = {one.id: one for one in batch.events}
        parked = [
            DeadEvent(event=by_id[key], reason=reason)
            for key, reason in outcome.parked.items()
            if key in by_id
        ]
        self._ledger.dead += parked
        self._ledger.delivered += len(batch.events) - len(parked)
        self._has_taken = True
        suspects = [one for one in self._pending or () if one.place in self._refused]
        self._park_suspects(suspects, self.stored.last_error or "")
        self._refused.clear()
        self._not_before = 0.0
        had_failed = self.stored.tries > 0
        progress: dict[str, object] = {
            "tries": 0,
            "failing_since_at": None,
            "next_at": None,
            "last_delivered_at": self._around.now(),
        }
        self.stored = msgspec.structs.replace(self.stored, **progress)
        if had_failed or self._ledger.dead:
            await self._write(lambda tx: None)

    async def _was_refused(self, batch: PendingBatch, outcome: RefusedBatch) -> bool:
        """Count an error answer; return whether to go on."""
        failed = msgspec.structs.replace(
            batch,
            answers=batch.answers + 1,
            first_tried_at=batch.first_tried_at or self._around.now(),
        )
        has_taken, self._has_taken = self._has_taken, False
        self._probes += 1
        if _is_suspect(batch) and has_taken:
            self._park_suspects([failed], outcome.reason)
            await self._write(lambda tx: None)
            return True
        is_probe = bool(self._refused)
        if _is_suspect(batch) or (is_probe and _is_suspect(failed)):
            self._refused.add(batch.place)
        suspects = [one.answers for one in self._pending or () if one.place in self._refused]
        instead = None
        if len(batch.events) > 1 and failed.answers >= SPLIT_AFTER:
            instead = failed.halves((self._around.new_mark(), self._around.new_mark()))
        await self._failed(failed, outcome, max([failed.answers, *suspects]), instead)
        if not self._refused and instead is not None:
            self._not_before = 0.0
            return True
        return bool(self._refused) and self._probes < MOST_PROBES

    async def _failed(
        self,
        batch: PendingBatch,
        outcome: RetryLater | RefusedBatch,
        tries: int,
        instead: Sequence[PendingBatch] | None = None,
    ) -> None:
        """Store a failure and the time of the next attempt; park a batch that is too old."""
        around = self._around
        now = around.now()
        longest = LONGEST if isinstance(outcome, RetryLater) else LONGEST_REFUSED
        wait = pause(tries, outcome.seconds, around.chance, longest)
        self._not_before = around.clock.seconds() + wait
        progress: dict[str, object] = {
            "tries": self.stored.tries + 1,
            "failing_since_at": self.stored.failing_since_at or now,
            "next_at": now + int(1000 * wait),
            "last_error": outcome.reason,
            "last_error_at": now,
        }
        self.stored = msgspec.structs.replace(self.stored, **progress)
        first_at = batch.first_tried_at or now
        batch = msgspec.structs.replace(batch, first_tried_at=first_at)
        others = [one for one in self._pending or () if one.place != batch.place]
        if now - first_at >= GIVEN_UP:
            self._park(batch, f"Not delivered within three days: {outcome.reason}")
            self._pending = others
            await self._write(lambda tx: None)
        elif instead is not None:
            self._pending = sorted([*instead, *others], key=lambda one: one.place)
            await self._write(lambda tx: self._replace(tx, batch, instead))
        else:
            self._pending = sorted([batch, *others], key=lambda one: one.place)
            await self._write(lambda tx: tx[DeliveryQueue].failed(self.stored.id, batch))

    def _replace(
        self, tx: Transaction, batch: PendingBatch, instead: Iterable[PendingBatch]
    ) -> None:
        tx[DeliveryQueue].remove(self.stored.id, [batch])
        tx[DeliveryQueue].add(self.stored.id, instead)

    async def _stop(self, outcome: Gone) -> None:
        progress: dict[str, object] = {
            "state": ForwarderState.STOPPED,
            "reason": outcome.reason,
            "last_error": outcome.reason,
            "last_error_at": self._around.now(),
        }
        self.stored = msgspec.structs.replace(self.stored, **progress)
        written = {**progress, "state": ForwarderState.STOPPED.value}
        await self._write(lambda tx: tx[ForwarderStore].write(self.stored.id, written))

    def _settle(self, batch: PendingBatch) -> None:
        self._ledger.settled.append(batch)
        self._pending = [one for one in self._pending or () if one.mark != batch.mark]

    def _park(self, batch: PendingBatch, reason: str) -> None:
        self._settle(batch)
        self._ledger.dead += [DeadEvent(event=event, reason=reason) for event in batch.events]

    def _park_suspects(self, suspects: Iterable[PendingBatch], reason: str) -> None:
        for one in suspects:
            self._park(one, f"Refused {one.answers} times, unlike other events: {reason}")

    async def _write(self, change: Callable[[Transaction], Any]) -> Any:
        return await self._ledger.write(self.stored, change)


OUTCOME_NAMES: dict[type[Any], str] = {
    Delivered: "delivered",
    RetryLater: "later",
    RefusedBatch: "refused",
    Gone: "gone",
}
"""Names of the outcomes, as they are stored and shown."""


def _is_suspect(batch: PendingBatch) -> bool:
    """Whether a batch is a single event that was refused often enough to be given up."""
    return len(batch.events) == 1 and batch.answers >= SPLIT_AFTER


def target_of(stored: StoredForwarder, kind: IForwarder, around: Surroundings) -> ForwarderTarget:
    """Return what a plugin gets to deliver to a receiver; `ValueError` for invalid settings."""
    settings = msgspec.convert(stored.settings, kind.settings)
    return ForwarderTarget(
        name=stored.name,
        settings=settings,
        secrets=lambda: stored.valid_secrets(around.now()),
        clock=around.clock,
        wall=around.wall,
        own_folder=around.own_folder,
    )
