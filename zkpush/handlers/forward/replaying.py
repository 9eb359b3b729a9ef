"""What operators send again: dead letters, and the events of a period."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus

import attrs

from ...device import acts
from ...manage.errors import ApiError, bad_request
from ...manage.times import instant, instant_of
from ...model import Caller
from ...persist.transaction import Transaction
from .model import DeadLetter, ReplayRange, StoredForwarder
from .operating import Operations, find_thd, record_thd
from .queue import DeliveryQueue
from .reading import make_batches
from .replays import range_thd, read_replay_thd
from .service import ForwardEngine
from .store import ForwarderStore
from .views import ReplayRequest, ReplayView

MOST_COUNTED = 20_000
"""Maximum number of rows of a replay that are looked at to count its events."""
_WHICH = (
    "Say what to send again: `since` or `until` for the events of a period, `ids` or `dead` for "
    "dead letters, or `cancel`."
)
_BEGINNING, _END = "", "9999-12-31T23:59:59.999Z"


@attrs.frozen
class _Period:
    """A period, in milliseconds since the epoch."""

    since: int
    until: int

    @classmethod
    def of(cls, request: ReplayRequest, now: int) -> _Period:
        since, until = instant_of("since", request.since), instant_of("until", request.until)
        period = cls(1000 * (since or 0), now + 1 if until is None else 1000 * until)
        if period.since >= period.until:
            raise bad_request("since, until: the period ends before it begins.")
        return period


class Replays:
    """Replays of forwarders."""

    def __init__(self, engine: ForwardEngine, operations: Operations) -> None:
        self._around = engine.around
        self._operations = operations

    async def replay(self, key: int, request: ReplayRequest, caller: Caller) -> ReplayView:
        """Send events again, or count them; 409 while another replay is going on."""
        is_dead = request.dead or request.ids is not None
        is_period = request.since is not None or request.until is not None
        if not (is_dead or is_period or request.cancel):
            raise bad_request(_WHICH)
        if request.cancel:
            if is_dead or is_period:
                raise bad_request("cancel: it stands alone.")
            return await self._cancel(key, caller)
        if is_dead:
            return await self._letters(key, request, caller)
        return await self._period(key, request, caller)

    async def _letters(self, key: int, request: ReplayRequest, caller: Caller) -> ReplayView:
        """Queue dead letters again."""
        now = self._around.now()

        def unit(tx: Transaction) -> int:
            present = find_thd(tx, key)
            letters = _letters_thd(tx, key, request, now)
            if not request.dry_run:
                self._queue_thd(tx, present, letters, caller, now)
            return len(letters)

        store = self._around.store
        count = await (store.read(unit) if request.dry_run else store.write(unit))
        return ReplayView(queued=count, is_exact=True)

    def _queue_thd(
        self,
        tx: Transaction,
        present: StoredForwarder,
        letters: Sequence[DeadLetter],
        caller: Caller,
        now: int,
    ) -> None:
        limits = self._operations.kind(present.kind).limits
        events = [one.event for one in letters]
        batches = make_batches(events, present.queued, limits, now, self._around.new_mark)
        queue = tx[DeliveryQueue]
        queue.add(present.id, batches)
        queue.forget_dead(letters)
        stored = tx[ForwarderStore].change(present.id, {"queued": present.queued + len(events)})
        detail = f"{len(events)} dead letters"
        record_thd(tx, caller, acts.REPLAY_EVENTS, stored, detail, now)

    async def _period(self, key: int, request: ReplayRequest, caller: Caller) -> ReplayView:
        """Send the events of a period again, of those that the forwarder has read."""
        around, now = self._around, self._around.now()
        period = _Period.of(request, now)
        present, replay = await around.store.read(
            lambda tx: self._range_thd(tx, find_thd(tx, key), period)
        )
        count = await self._count(present, replay)
        if request.dry_run:
            return count

        def unit(tx: Transaction) -> None:
            found, replay = self._range_thd(tx, find_thd(tx, key), period)
            if found.replay is not None:
                raise ApiError(
                    HTTPStatus.CONFLICT,
                    "A replay is going on; wait for its end, or cancel it first.",
                )
            if replay.rows:
                found = tx[ForwarderStore].change(key, {"replay": replay})
            words = f"from {instant(period.since)} until {instant(period.until)}"
            record_thd(tx, caller, acts.REPLAY_EVENTS, found, f"events {words}", now)

        await around.store.write(unit)
        return count

    def _range_thd(
        self, tx: Transaction, present: StoredForwarder, period: _Period
    ) -> tuple[StoredForwarder, ReplayRange]:
        records = self._around.records
        return present, range_thd(tx, present, records, period.since, period.until)

    async def _count(self, stored: StoredForwarder, replay: ReplayRange) -> ReplayView:
        """Count the events of a replay, or the rows to look at if these are many."""
        if replay.rows > MOST_COUNTED:
            return ReplayView(queued=replay.rows, is_exact=False)
        records, count = self._around.records, 0
        left = replay if replay.rows else None
        while left is not None:
            read = partial(read_replay_thd, stored=stored, records=records, replay=left)
            portion, left = await self._around.store.read(read)
            count += len(portion.events)
        return ReplayView(queued=count, is_exact=True)

    async def _cancel(self, key: int, caller: Caller) -> ReplayView:
        now = self._around.now()

        def unit(tx: Transaction) -> None:
            find_thd(tx, key)
            stored = tx[ForwarderStore].change(key, {"replay": None})
            record_thd(tx, caller, acts.REPLAY_EVENTS, stored, "cancelled", now)

        await self._around.store.write(unit)
        return ReplayView(queued=0, is_exact=True)


def _letters_thd(
    tx: Transaction, key: int, request: ReplayRequest, now: int
) -> Sequence[DeadLetter]:
    queue = tx[DeliveryQueue]
    if request.ids is not None:
        return queue.dead_of(key, request.ids)
    if request.since is None and request.until is None:
        return queue.dead_between(key, _BEGINNING, _END)
    period = _Period.of(request, now)
    return queue.dead_between(key, instant(period.since), instant(period.until))
