"""What operators send again: the events of a period; `deadletters` does the same for those."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus

from ...device import acts
from ...manage.errors import ApiError, bad_request
from ...manage.times import instant
from ...model import Caller
from ...persist.transaction import Transaction
from ...phrases import Phrase
from .deadletters import DeadLetters
from .model import ReplayRange, StoredForwarder
from .operating import Operations, find_thd, record_thd
from .replays import range_thd, read_replay_thd
from .service import ForwardEngine
from .store import ForwarderStore
from .views import EventPeriod, ReplayRequest, ReplayView

MOST_COUNTED = 20_000
"""Maximum number of rows of a replay that are looked at to count its events."""
_WHICH = (
    "Say what to send again: `since` or `until` for the events of a period, `ids` or `dead` for "
    "dead letters, or `cancel`."
)


class Replays:
    """Replays of forwarders."""

    def __init__(self, engine: ForwardEngine, operations: Operations) -> None:
        self._around = engine.around
        self._letters = DeadLetters(engine, operations)

    async def replay(self, key: int, request: ReplayRequest, caller: Caller) -> ReplayView:
        """Send events again, or count them; 409 while another replay is going on."""
        is_dead = request.dead or request.ids is not None
        is_period = request.since is not None or request.until is not None
        if not (is_dead or is_period or request.cancel):
            raise bad_request(_WHICH)
        if request.cancel:
            if is_dead or is_period:
                raise bad_request(Phrase("cancel: it stands alone."))
            return await self._cancel(key, caller)
        if is_dead:
            return await self._letters.replay(key, request, caller)
        return await self._period(key, request, caller)

    async def _period(self, key: int, request: ReplayRequest, caller: Caller) -> ReplayView:
        """Send the events of a period again, of those that the forwarder has read."""
        around, now = self._around, self._around.now()
        period = EventPeriod.of(request.since, request.until, now)
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
                    Phrase("A replay is going on; wait for its end, or cancel it first."),
                )
            if replay.rows:
                found = tx[ForwarderStore].change(key, {"replay": replay})
            words = f"from {instant(period.since)} until {instant(period.until)}"
            record_thd(tx, caller, acts.REPLAY_EVENTS, found, f"events {words}", now)

        await around.store.write(unit)
        return count

    def _range_thd(
        self, tx: Transaction, present: StoredForwarder, period: EventPeriod
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
