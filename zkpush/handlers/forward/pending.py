"""The pending batches of one forwarder, and what becomes of each.

The life of a batch:

| It is | Then | It becomes |
|---|---|---|
| pending | `Delivered` | delivered; events that are parked are dead letters |
| pending | `RetryLater` | pending, after a pause of at most `LONGEST` |
| pending | `RefusedBatch`, not `SPLIT_AFTER` times yet | pending, after `LONGEST_REFUSED` at most |
| pending, of several events | `RefusedBatch`, for the last of these times | two pending halves |
| pending, of one event | `RefusedBatch`, for the last of these times | a suspect |
| a suspect | `RefusedBatch`, and the receiver takes the event before or after it | a dead letter |
| a suspect | `Delivered` | delivered |
| pending or a suspect | any failure, three days after the first one (`GIVEN_UP`) | dead letters |
| any | `Gone` | as it was; its forwarder is stopped |

A receiver that refuses everything loses nothing: a suspect needs another event that is taken. After
a suspect was refused, the batches behind it are tried in the same run, up to `MOST_PROBES` errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ...persist.transaction import Transaction
from ...values.forwarding import Delivered, Gone, Outcome, RefusedBatch, RetryLater
from .backoff import GIVEN_UP, LONGEST, LONGEST_REFUSED, pause
from .ledger import DeliveryLedger
from .model import Attempt, DeadEvent, ForwarderState, PendingBatch, StoredForwarder
from .queue import DeliveryQueue
from .store import ForwarderStore
from .surroundings import Surroundings

SPLIT_AFTER = 3
"""Number of error answers after which a batch is split, or an event is a suspect."""
MOST_PROBES = 10
"""Maximum number of error answers in one run."""
OUTCOME_NAMES: dict[type[Any], str] = {
    Delivered: "delivered",
    RetryLater: "later",
    RefusedBatch: "refused",
    Gone: "gone",
}
"""Names of the outcomes, as they are stored and shown."""


class PendingBatches:
    """The pending batches of a forwarder, as they are stored, and the outcomes of this run."""

    def __init__(
        self, stored: StoredForwarder, around: Surroundings, ledger: DeliveryLedger
    ) -> None:
        self.stored = stored
        self.batches: list[PendingBatch] | None = None
        """In order; None while they are not read from the store."""
        wait = 0 if stored.next_at is None else stored.next_at - around.now()
        self.not_before = around.clock.seconds() + max(wait / 1000, 0)
        """Time of the next attempt, by the monotonic clock."""
        self._around = around
        self._ledger = ledger
        self.begin_run()

    def begin_run(self) -> None:
        """Forget the outcomes of the last run."""
        self._refused: set[int] = set()
        """Places of the suspects that were refused in this run; later batches are tried."""
        self._probes = 0
        """Number of error answers in this run."""
        self._has_taken = False
        """Whether the last attempt of this run was a success."""

    def next(self) -> PendingBatch | None:
        """Return the first batch that was not refused as a suspect in this run."""
        waiting = (one for one in self.batches or () if one.place not in self._refused)
        return next(waiting, None)

    def load(self, stored: StoredForwarder, batches: list[PendingBatch]) -> None:
        """Take over what is stored."""
        self.stored, self.batches = stored, batches

    def add(self, batches: Iterable[PendingBatch], progress: Mapping[str, Any]) -> None:
        """Add batches that were stored, and what was stored of the forwarder with them."""
        self.stored = msgspec.structs.replace(self.stored, **progress)
        stored = (msgspec.structs.replace(one, encoded=None) for one in batches)
        self.batches = [*(self.batches or ()), *stored]

    async def settle(self, batch: PendingBatch, outcome: Outcome, milliseconds: int) -> bool:
        """Do what the outcome of an attempt means for a batch; return whether to go on."""
        words = outcome.words if isinstance(outcome, Delivered) else outcome.reason
        self._ledger.attempts.append(
            Attempt(
                batch=batch.mark,
                at=self._around.now(),
                events=len(batch.events),
                outcome=OUTCOME_NAMES[type(outcome)],
                words=words,
                milliseconds=milliseconds,
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

    async def write(self, change: Callable[[Transaction], Any]) -> Any:
        """Run a unit of work under the lease, which also settles what was delivered."""
        return await self._ledger.write(self.stored, change)

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
        suspects = [one for one in self.batches or () if one.place in self._refused]
        self._park_suspects(suspects, self.stored.last_error or "")
        self._refused.clear()
        self.not_before = 0.0
        had_failed = self.stored.tries > 0
        progress: dict[str, object] = {
            "tries": 0,
            "failing_since_at": None,
            "next_at": None,
            "last_delivered_at": self._around.now(),
        }
        self.stored = msgspec.structs.replace(self.stored, **progress)
        if had_failed or self._ledger.dead:
            await self.write(lambda tx: None)

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
            await self.write(lambda tx: None)
            return True
        is_probe = bool(self._refused)
        if _is_suspect(batch) or (is_probe and _is_suspect(failed)):
            self._refused.add(batch.place)
        suspects = [one.answers for one in self.batches or () if one.place in self._refused]
        instead = None
        if len(batch.events) > 1 and failed.answers >= SPLIT_AFTER:
            instead = failed.halves((self._around.new_mark(), self._around.new_mark()))
        await self._failed(failed, outcome, max([failed.answers, *suspects]), instead)
        if not self._refused and instead is not None:
            self.not_before = 0.0
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
        self.not_before = around.clock.seconds() + wait
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
        others = [one for one in self.batches or () if one.place != batch.place]
        if now - first_at >= GIVEN_UP:
            self._park(batch, f"Not delivered within three days: {outcome.reason}")
            self.batches = others
            await self.write(lambda tx: None)
        elif instead is not None:
            self.batches = sorted([*instead, *others], key=lambda one: one.place)
            await self.write(lambda tx: self._replace(tx, batch, instead))
        else:
            self.batches = sorted([batch, *others], key=lambda one: one.place)
            await self.write(lambda tx: tx[DeliveryQueue].failed(self.stored.id, batch))

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
        await self.write(lambda tx: tx[ForwarderStore].write(self.stored.id, written))

    def _settle(self, batch: PendingBatch) -> None:
        self._ledger.settled.append(batch)
        self.batches = [one for one in self.batches or () if one.mark != batch.mark]

    def _park(self, batch: PendingBatch, reason: str) -> None:
        self._settle(batch)
        self._ledger.dead += [DeadEvent(event=event, reason=reason) for event in batch.events]

    def _park_suspects(self, suspects: Iterable[PendingBatch], reason: str) -> None:
        for one in suspects:
            self._park(one, f"Refused {one.answers} times, unlike other events: {reason}")


def _is_suspect(batch: PendingBatch) -> bool:
    """Whether a batch is a single event that was refused often enough to be given up."""
    return len(batch.events) == 1 and batch.answers >= SPLIT_AFTER
