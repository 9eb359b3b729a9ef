"""What operators do with dead letters: send them again, or discard them.

A letter is sent with the data that its record has now, not with that of the day when it was given
up: corrections of the record may have been delivered since, and an old letter must not replace
them. A letter whose record the rules leave out now is not sent, and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...counting import counted
from ...device import acts
from ...manage.errors import bad_request
from ...manage.times import instant
from ...model import Caller, Page
from ...persist.transaction import Transaction
from .model import DeadLetter
from .operating import Operations, find_thd, record_thd
from .queue import DeliveryQueue
from .reading import make_batches, present_thd
from .service import ForwardEngine
from .store import ForwarderStore
from .views import DiscardRequest, DiscardView, EventPeriod, ReplayRequest, ReplayView

AT_ONCE = 500
"""Dead letters of one unit of work, so that no upload waits long."""
_WHICH = (
    "Say which dead letters to discard: `all`, `ids`, or `since` and `until` for those of a period."
)
_Chosen = Callable[[DeadLetter], bool]


class DeadLetters:
    """The dead letters of forwarders."""

    def __init__(self, engine: ForwardEngine, operations: Operations) -> None:
        self._around = engine.around
        self._operations = operations

    async def replay(self, key: int, request: ReplayRequest, caller: Caller) -> ReplayView:
        """Queue dead letters again, or count them."""
        now = self._around.now()
        chosen = _choice(request.ids, request.since, request.until, now)

        def unit(tx: Transaction, letters: Sequence[DeadLetter]) -> int:
            stored = find_thd(tx, key)
            events = [one.event for one in letters]
            present = present_thd(tx, stored, self._around.records, events)
            if present and not request.dry_run:
                limits, new_mark = self._operations.kind(stored.kind).limits, self._around.new_mark
                queue = tx[DeliveryQueue]
                queue.add(key, make_batches(present, stored.queued, limits, now, new_mark))
                sent = {one.id for one in present}
                queue.forget_dead([one for one in letters if one.event.id in sent])
                values = {"queued": stored.queued + len(present)}
                changed = tx[ForwarderStore].change(key, values)
                detail = counted(len(present), "dead letter")
                record_thd(tx, caller, acts.REPLAY_EVENTS, changed, detail, now)
            return len(present)

        count = await self._each(key, chosen, unit, is_read_only=request.dry_run)
        return ReplayView(queued=count, is_exact=True)

    async def discard(self, key: int, request: DiscardRequest, caller: Caller) -> DiscardView:
        """Discard dead letters, or count them."""
        is_period = request.since is not None or request.until is not None
        if [request.all, request.ids is not None, is_period].count(True) != 1:
            raise bad_request(_WHICH)
        now = self._around.now()
        chosen = _choice(request.ids, request.since, request.until, now)

        def unit(tx: Transaction, letters: Sequence[DeadLetter]) -> int:
            stored = find_thd(tx, key)
            if letters and not request.dry_run:
                tx[DeliveryQueue].forget_dead(letters)
                detail = counted(len(letters), "dead letter")
                record_thd(tx, caller, acts.DISCARD_EVENTS, stored, detail, now)
            return len(letters)

        count = await self._each(key, chosen, unit, is_read_only=request.dry_run)
        return DiscardView(discarded=count)

    async def _each(
        self,
        key: int,
        chosen: _Chosen,
        unit: Callable[[Transaction, Sequence[DeadLetter]], int],
        *,
        is_read_only: bool,
    ) -> int:
        """Run a unit of work for each part of the chosen dead letters; return the sum.

        Those that are given up meanwhile are left out.
        """
        store = self._around.store
        run = store.read if is_read_only else store.write
        last = await store.read(lambda tx: tx[DeliveryQueue].last_dead(key))
        count, after = 0, 0

        def part(tx: Transaction) -> tuple[int, int]:
            find_thd(tx, key)
            letters = tx[DeliveryQueue].dead(Page(AT_ONCE, after), key)
            known = [one for one in letters if one.id <= last and chosen(one)]
            return unit(tx, known), letters[-1].id if len(letters) == AT_ONCE else last

        while True:
            done, after = await run(part)
            count += done
            if after >= last:
                return count


def _choice(ids: Sequence[str] | None, since: str | None, until: str | None, now: int) -> _Chosen:
    if ids is not None:
        wanted = frozenset(ids)
        return lambda letter: letter.event.id in wanted
    if since is None and until is None:
        return lambda letter: True
    period = EventPeriod.of(since, until, now)
    first, end = instant(period.since), instant(period.until)
    return lambda letter: first <= letter.event.timestamp < end
