"""The watch on drift: notices it by counts, asks terminals, and forgets what they have lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from twisted.logger import Logger

from ...counting import counted, counted_people
from ...device.intents import NotPossible
from ...device.modes import takes_commands
from ...device.queue import CommandQueue
from ...device.queueing import Delivery
from ...model import Device
from ...persist.commandrows import reason_words
from ...persist.commands import CommandStore
from ...persist.commandschedule import CommandSchedule
from ...persist.devices import DeviceStore
from ...persist.events import EventStore
from ...persist.transaction import Transaction
from ...values.commands import OPEN_STATES, CommandState, QueuedCommand
from ..people.model import QueryPeople, QueryTemplates, is_many
from ..people.store import TerminalHoldings
from .desired import DistributionTarget
from .distribution import DistributionStore
from .drift import DRIFT, LASTING, PEOPLE, Drift, differences, part_of, types_of, written
from .driftstore import DriftStore
from .model import PRIORITY
from .places import PlaceStore
from .settings import AreaSettings
from .turns import DistributionTurns

LOOK_EVERY = 5 * 60 * 1000
"""Milliseconds between looks at the counts of one terminal."""
LOOKS_AT_ONCE = 5
ANSWER_WITHIN = 10 * 60
"""Seconds for which a question waits for the terminal."""
ASK_AGAIN = 3600 * 1000
"""Milliseconds after which a terminal that did not answer is asked again, and between two checks of
a terminal because of its counts."""
LOST_AT_ONCE = 50
"""People or templates forgotten in one unit of work."""
_DAY = 24 * 3600 * 1000
_DELIVERY = Delivery(expires_in=ANSWER_WITHIN, priority=PRIORITY)


class DriftWatch:
    """Compares terminals with what is recorded about them: one terminal of an area at a time."""

    _log = Logger()

    def __init__(
        self,
        store: DistributionTurns,
        queue: CommandQueue,
        now: Callable[[], int],
        settings: AreaSettings,
    ) -> None:
        """`now` returns milliseconds since the epoch."""
        self._store = store
        self._queue = queue
        self._now = now
        self._settings = settings
        self._looked: dict[int, int] = {}

    async def work(
        self, targets: Mapping[int, DistributionTarget], devices: Mapping[int, Device]
    ) -> None:
        """Notice differences, ask terminals, and take their answers into account."""
        here = {key: target for key, target in targets.items() if target.distributes}
        drifts = await self._store.read(lambda tx: tx[DriftStore].all())
        if left := drifts.keys() - here.keys():
            await self._store.write(lambda tx: tx[DriftStore].remove(left))
        for key in [*drifts]:
            if key in here and drifts[key].command is not None:
                drifts[key] = await self._settle(drifts[key], devices[key])
        await self._look(here, devices, drifts)
        busy = {here[key].area for key, one in drifts.items() if key in here and one.command}
        now = self._now()
        due: dict[str, list[Drift]] = {}
        for key, one in drifts.items():
            if key in here and here[key].area not in busy and _is_due(one, now):
                due.setdefault(here[key].area, []).append(one)
        if due:
            for drift in await self._store.read(partial(_next, due=due)):
                await self._ask(msgspec.structs.replace(drift, due_at=None), PEOPLE)

    async def _look(
        self,
        here: Mapping[int, DistributionTarget],
        devices: Mapping[int, Device],
        drifts: dict[int, Drift],
    ) -> None:
        """Compare the counts of some terminals with what is recorded."""
        now = self._now()
        self._looked = {key: at for key, at in self._looked.items() if key in here}
        due = [key for key in here if now - self._looked.get(key, now) >= LOOK_EVERY]
        for key in here:
            self._looked.setdefault(key, now)
        for key in sorted(due, key=self._looked.__getitem__)[:LOOKS_AT_ONCE]:
            self._looked[key] = now
            before = drifts.get(key) or Drift(device_id=key)
            if before.command is not None:
                continue
            after = await self._store.read(
                partial(self._noticed, before=before, counts=devices[key].counts, now=now)
            )
            if after != before:
                drifts[key] = after
                await self._store.write(partial(_put, drift=after))

    def _noticed(
        self, tx: Transaction, before: Drift, counts: Mapping[str, int], now: int
    ) -> Drift:
        """Return a drift after a look at the counts."""
        if _is_behind(tx, before.device_id):
            return before
        found = written(differences(counts, tx[TerminalHoldings].counts(before.device_id)))
        after = before
        if found != before.differs:
            since = None if found is None else now
            after = msgspec.structs.replace(before, differs=found, since_at=since)
        if found is None:
            after = msgspec.structs.replace(after, settled=None)
        is_lasting = after.since_at is not None and after.since_at <= now - LASTING
        is_new = self._settings.repair and is_lasting and found != after.settled
        # Counts that go back and forth are no reason to ask all the time.
        is_new = is_new and (after.checked_at or 0) <= now - ASK_AGAIN
        days = self._settings.query_days
        is_scheduled = days is not None and (after.checked_at or 0) <= now - days * _DAY
        if after.due_at is None and (is_new or is_scheduled):
            after = msgspec.structs.replace(after, due_at=now)
        return after

    async def _ask(self, drift: Drift, subject: int) -> Drift:
        """Ask a terminal for its users, or for its templates of a type."""
        now = self._now()

        def unit(tx: Transaction) -> tuple[Drift, list[QueuedCommand]]:
            device = tx[DeviceStore].get(drift.device_id)
            known = drift.known
            if subject == PEOPLE:
                known = tx[TerminalHoldings].counts(device.id).users
            queued: list[QueuedCommand] = []
            reason = "The terminal takes no commands."
            intent = QueryPeople() if subject == PEOPLE else QueryTemplates(subject)
            try:
                if takes_commands(device):
                    queued = self._queue.ask_thd(tx, device, intent, None, now, _DELIVERY)
            except (NotPossible, ValueError) as error:
                reason = str(error)
                if subject != PEOPLE:
                    reason += " They are sent again."
            asked = msgspec.structs.replace(
                drift,
                subject=subject if queued else None,
                command=queued[-1].id if queued else None,
                asked_at=now,
                known=known,
                reason=drift.reason if queued else reason,
            )
            tx[DriftStore].put(asked)
            return asked, queued

        asked, queued = await self._store.write(unit)
        for command in queued:
            self._queue.hurry(command.device, command.not_before_at)
        if queued:
            return asked
        if subject != PEOPLE:
            # What cannot be asked for is sent again, which mends the same.
            await self._forget_templates(subject, asked.device_id, now + 1)
        return await self._go_on(asked, asked.types)

    async def _settle(self, drift: Drift, device: Device) -> Drift:
        """Take the answer of a terminal into account, and go on with the next question."""
        command_id = drift.command or ""
        command = await self._store.read(lambda tx: tx[CommandStore].get(command_id))
        if command is not None and command.state in OPEN_STATES:
            return drift
        drift = msgspec.structs.replace(drift, command=None)
        if command is None or command.state is not CommandState.DONE:
            return await self._fail(drift, command)
        if drift.subject == PEOPLE:
            if reason := await self._store.read(partial(_shortfall, drift=drift, device=device)):
                drift = msgspec.structs.replace(drift, reason=reason)
                return await self._end(drift, self._now() + ASK_AGAIN)
            drift = await self._forget_people(drift)
            held = await self._store.read(lambda tx: tx[TerminalHoldings].counts(device.id))
            types = types_of(differences(device.counts, held), held)
        else:
            lost = await self._forget_templates(
                drift.subject or PEOPLE, device.id, drift.asked_at or 0
            )
            drift = msgspec.structs.replace(drift, lost_templates=drift.lost_templates + lost)
            types = drift.types
        return await self._go_on(drift, types)

    async def _go_on(self, drift: Drift, types: Sequence[int]) -> Drift:
        """Ask for the templates of the first of some types, or end the check."""
        if not types:
            return await self._end(drift)
        following = msgspec.json.encode(types[1:]).decode()
        return await self._ask(msgspec.structs.replace(drift, following=following), types[0])

    async def _fail(self, drift: Drift, command: QueuedCommand | None) -> Drift:
        """End a check to which the terminal did not answer."""
        words = None if command is None else reason_words(command)
        code = None if command is None else command.return_code
        more = "" if code is None else f" (return code {code})"
        drift = msgspec.structs.replace(drift, reason=f"{words or 'no answer'}{more}")
        is_refused = command is not None and command.state is CommandState.FAILED
        return await self._end(drift, None if is_refused else self._now() + ASK_AGAIN)

    async def _forget_people(self, drift: Drift) -> Drift:
        """Forget the people whom a terminal did not upload; they are sent again."""
        key, since, now = drift.device_id, drift.asked_at or 0, self._now()
        stated = await self._store.read(lambda tx: tx[TerminalHoldings].stated_since(key, since))
        lost = 0

        def unit(tx: Transaction) -> int:
            holdings = tx[TerminalHoldings]
            pins = holdings.unstated_people(key, since, LOST_AT_ONCE)
            holdings.lose_people(key, pins, now)
            for pin in pins:
                tx[PlaceStore].gone(key, pin)
            return len(pins)

        while count := await self._store.write(unit):
            lost += count
        await self._store.write(lambda tx: tx[TerminalHoldings].drop_unstated(key, since))
        found = max(0, stated + lost - drift.known)
        return msgspec.structs.replace(drift, lost=lost, found=found, lost_templates=0, reason=None)

    async def _forget_templates(self, type_: int, key: int, since: int) -> int:
        """Forget the templates that a terminal has not uploaded since an instant (ms).

        They are sent again. Returns their number.
        """
        lost = 0

        def unit(tx: Transaction) -> int:
            keys = tx[TerminalHoldings].unstated_templates(key, type_, since, LOST_AT_ONCE)
            tx[TerminalHoldings].lose_templates(key, keys)
            for one in keys:
                tx[PlaceStore].lack(key, str(one[0]), part_of(one))
            return len(keys)

        while count := await self._store.write(unit):
            lost += count
        return lost

    async def _end(self, drift: Drift, due_at: int | None = None) -> Drift:
        """End a check, and report what it found."""
        now = self._now()
        after = msgspec.structs.replace(
            drift, subject=None, following=None, checked_at=now, due_at=due_at
        )

        def unit(tx: Transaction) -> Drift:
            device = tx[DeviceStore].get(drift.device_id)
            held = tx[TerminalHoldings].counts(device.id)
            ended = msgspec.structs.replace(
                after, settled=written(differences(device.counts, held))
            )
            tx[DriftStore].put(ended)
            _judge_packages(tx, ended)
            if ended.lost or ended.lost_templates or ended.found:
                data = {
                    "device": device.sn,
                    "lost": ended.lost,
                    "lost_templates": ended.lost_templates,
                    "found": ended.found,
                }
                tx[EventStore].add(DRIFT, data, now)
            return ended

        return await self._store.write(unit)


def _is_due(drift: Drift, now: int) -> bool:
    return drift.command is None and drift.due_at is not None and drift.due_at <= now


def _next(tx: Transaction, due: Mapping[str, Sequence[Drift]]) -> list[Drift]:
    """Return, for each area, the first terminal to ask to which nothing is on its way."""
    found = []
    for drifts in due.values():
        for drift in sorted(drifts, key=lambda one: (one.due_at or 0, one.device_id)):
            if not _is_behind(tx, drift.device_id):
                found.append(drift)
                break
    return found


def _shortfall(tx: Transaction, drift: Drift, device: Device) -> str | None:
    """Return why an answer is not believed: the terminal counts many more people than it uploaded.

    None if it uploaded all recorded people, or about as many as it counts. Such an answer may be
    cut off or empty because of an error. Nobody is forgotten by it: the deletions of people would
    be forgotten, too. The count may be wrong instead, so the same answer is believed the second
    time, unless it is empty.
    """
    number, since = device.counts.get("users"), drift.asked_at or 0
    holdings = tx[TerminalHoldings]
    stated = holdings.stated_since(drift.device_id, since)
    if number is None or not is_many(number - stated, number):
        return None
    if not holdings.unstated_people(drift.device_id, since, 1):
        return None
    reason = f"The terminal uploaded {stated} of {counted(number, 'user')} that it counts."
    return None if stated and drift.reason == reason else reason


def _is_behind(tx: Transaction, key: int) -> bool:
    """Whether anything is on its way to a terminal, or it is being compared."""
    terminal = tx[DistributionStore].terminal(key)
    is_compared = terminal is None or terminal.due_at <= tx.now()
    return (
        is_compared
        or tx[CommandSchedule].next_due(key) is not None
        or tx[PlaceStore].is_awaited(key)
    )


def _judge_packages(tx: Transaction, drift: Drift) -> None:
    """Send no more packages to a terminal that lacks people after it has executed some."""
    terminal = tx[DistributionStore].terminal(drift.device_id)
    if terminal is None or terminal.packaged_at is None or drift.reason is not None:
        return
    values: dict[str, object] = {"packaged_at": None}
    if drift.lost:
        values["no_packages"] = (
            f"The terminal executed packages, and lacked {counted_people(drift.lost)} afterwards."
        )
    tx[DistributionStore].change(drift.device_id, **values)


def _put(tx: Transaction, drift: Drift) -> None:
    tx[DriftStore].put(drift)
