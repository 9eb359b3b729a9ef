"""The reconciler: keeps terminals of areas that distribute as they should be.

Theory of operation. It follows the events to learn which people may have changed, and compares each
of them with the terminals of their areas; and it compares each terminal as a whole when its area,
its state or its abilities change, when it has been emptied, and from time to time. A comparison
only decides what is to be sent; commands for that are queued at a pace, and their outcome is read
from the queue. All progress is in the store: another process goes on after a stop, and what was
lost is found by the next comparison. Changes of the last seconds wait for the next look, so that a
burst costs one comparison. Nothing here runs in the unit of work of an upload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import attrs
import msgspec
from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from ...device.queue import CommandQueue
from ...interfaces import IStore
from ...model import GAP, Device, DeviceState, Page
from ...periodic import PeriodicService
from ...persist.devices import DeviceStore
from ...persist.events import EventStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ..people.model import EMPTYING
from ..people.store import DEFAULT_AREA, PersonStore, PersonSurvey
from .desired import DistributionTarget
from .distribution import DistributionStore, emptied_by_counts, forget_terminal
from .distributor import Comparison, Distributor, compare_thd, write
from .driftwatch import DriftWatch
from .fits import Abilities
from .model import DistributionTerminal
from .packing import Packer
from .places import PlaceStore
from .settings import AreaSettings
from .store import AreaStore
from .turns import DistributionTurns, OvertakenTurn

EVERY = 2.0
"""Seconds between looks."""
QUIET = 2000
"""Milliseconds for which a change waits for others."""
FULL_EVERY = 24 * 3600 * 1000
"""Milliseconds between comparisons of a whole terminal."""
RETRY_EVERY = 3600 * 1000
"""Milliseconds between looks for refused deletions."""
PEOPLE_AT_ONCE = 50
"""People compared in one unit of work."""
EVENTS_AT_ONCE = 500
PARTS_AT_ONCE = 20
"""Parts of comparisons of whole terminals in one look."""
ENDED_AT_ONCE = 100
SENDINGS_AT_ONCE = 100
"""Units of work in one look that queue commands."""
_MEMBERS, _HELD, _KNOWN, FINISHED = range(4)
"""Phases of the comparison of a terminal: the people of its area, those that it states, those with
parts, and its end."""


@attrs.frozen
class AreaChanges:
    """Changes after the cursor."""

    pins: Sequence[str]
    emptied: Mapping[str, int]
    """When terminals last executed a command that deletes all users (ms), by serial number."""
    is_gap: bool
    end: int
    is_more: bool


class Reconciler(PeriodicService):
    """Compares, and sends what is missing."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        queue: CommandQueue,
        now: Callable[[], int],
        clock: Any,
        settings: AreaSettings,
    ) -> None:
        """`now` returns milliseconds since the epoch."""
        super().__init__(clock)
        self._store = turns = DistributionTurns(store)
        self._queue = queue
        self._now = now
        self._distributor = Distributor(queue)
        self._settings = settings
        self._packer = Packer(turns, queue, now)
        self._drift = DriftWatch(turns, queue, now, settings)
        self._turns = DeferredLock()
        self._devices: dict[int, Device] = {}
        self._abilities: dict[int, Abilities] = {}
        self._revision = 0
        self._retried_at = 0
        self.every(EVERY, self.work, Phrase("People are not distributed"))

    async def work(self) -> None:
        """Follow what has changed, and send what is missing."""
        await self._turns.acquire()
        try:
            await self._follow()
            distributing, is_idle = await self._store.read(_state_thd)
            if not distributing and is_idle:
                return
            await self._store.begin()
            targets = self._targets(distributing)
            await self._packer.settle(targets)
            await self._settle()
            await self._retry()
            await self._note_terminals(targets)
            await self._follow_events(targets)
            await self._compare_terminals(targets)
            await self._send(targets)
            await self._drift.work(targets, self._devices)
        except OvertakenTurn:
            self._log.info("Another process distributes people now")
        finally:
            self._turns.release()

    async def _follow(self) -> None:
        """Read the terminals that have changed."""

        def read_thd(tx: Transaction) -> tuple[list[Device], list[str], int]:
            devices = tx[DeviceStore]
            changed, revision = devices.changed_since(self._revision)
            return changed, devices.removed_since(self._revision), revision

        changed, removed, self._revision = await self._store.read(read_thd)
        for device in changed:
            self._devices[device.id] = device
            self._abilities.pop(device.id, None)
        gone = {key for key, device in self._devices.items() if device.sn in removed}
        for key in gone - {device.id for device in changed}:
            del self._devices[key]
            self._abilities.pop(key, None)

    def _targets(self, distributing: frozenset[str]) -> dict[int, DistributionTarget]:
        found = {}
        for key, device in self._devices.items():
            area = device.area or DEFAULT_AREA
            distributes = device.state is DeviceState.APPROVED and area in distributing
            found[key] = DistributionTarget(key, area, distributes, self._abilities_of(device))
        return found

    def _abilities_of(self, device: Device) -> Abilities:
        """The abilities of a terminal, read from its reports once after each change."""
        found = self._abilities.get(device.id)
        if found is None:
            found = self._abilities[device.id] = Abilities.of(device)
        return found

    async def _note_terminals(self, targets: Mapping[int, DistributionTarget]) -> None:
        """Begin with the comparison of terminals that have joined, changed or been emptied."""
        known, guarded = await self._store.read(
            lambda tx: (tx[DistributionStore].terminals(), tx[PlaceStore].all_guarded())
        )
        now = self._now()
        for key, target in targets.items():
            before = known.get(key)
            if not target.distributes:
                if before is not None:
                    await self._store.write(partial(_leave, device_id=key, target=target))
                continue
            users = self._devices[key].counts.get("users")
            after = _noted(target, before, users, now)
            if after.may_delete and after.due_at > now and key not in guarded:
                after = msgspec.structs.replace(after, may_delete=0)  # the deletions are done
            # What it had before it left an area may be gone, too.
            is_emptied = users == 0 and (before is None or before.users > 0)
            if after != before:
                has_room = before is not None and after.users < before.users
                await self._store.write(
                    partial(
                        _note,
                        after=after,
                        emptied=self._devices[key] if is_emptied else None,
                        has_room=has_room,
                    )
                )

    async def _follow_events(self, targets: Mapping[int, DistributionTarget]) -> None:
        while True:
            now = self._now()
            found = await self._store.read(partial(changes_thd, until=now - QUIET))
            if found is None:
                return
            for start in range(0, len(found.pins), PEOPLE_AT_ONCE):
                pins = found.pins[start : start + PEOPLE_AT_ONCE]
                some = await self._store.read(
                    partial(compare_thd, pins=pins, targets=targets.values(), now=now)
                )
                await self._store.write(partial(write, found=some))
            serials = {device.sn: key for key, device in self._devices.items()}
            emptied = {serials[sn]: at for sn, at in found.emptied.items() if sn in serials}
            await self._store.write(partial(_advance, found=found, emptied=emptied, now=now))
            if not found.is_more:
                return

    async def _compare_terminals(self, targets: Mapping[int, DistributionTarget]) -> None:
        """Go on with the comparison of whole terminals."""
        for _ in range(PARTS_AT_ONCE):
            now = self._now()
            known = await self._store.read(lambda tx: tx[DistributionStore].terminals())
            due = [one for one in known.values() if one.due_at <= now and one.device_id in targets]
            if not due:
                return
            terminal = min(due, key=lambda one: (one.due_at, one.device_id))
            target = targets[terminal.device_id]
            pins, phase, after = await self._store.read(partial(next_people_thd, terminal=terminal))
            found = await self._store.read(
                partial(compare_thd, pins=pins, targets=[target], now=now, again=True)
            )
            progress = msgspec.structs.replace(terminal, phase=phase, after=after)
            if phase == FINISHED:
                progress = msgspec.structs.replace(
                    terminal, phase=_MEMBERS, after="", due_at=now + FULL_EVERY, compared_at=now
                )
            await self._store.write(partial(_go_on, found=found, progress=progress))

    async def _settle(self) -> None:
        while True:
            ended = await self._store.read(lambda tx: tx[PlaceStore].ended(ENDED_AT_ONCE))
            if not ended:
                return
            await self._store.write(partial(self._distributor.settle, ended=ended, now=self._now()))

    async def _retry(self) -> None:
        """Try deletions again that were refused, also where nothing is compared."""
        now = self._now()
        if now - self._retried_at >= RETRY_EVERY:
            await self._store.write(lambda tx: tx[PlaceStore].delete_again(now - FULL_EVERY))
            self._retried_at = now

    async def _send(self, targets: Mapping[int, DistributionTarget]) -> None:
        """Queue commands, a few for each terminal in turn."""
        waiting = await self._store.read(lambda tx: tx[PlaceStore].waiting())
        places = {key: "" for key in waiting if key in targets}
        packed = set()
        if self._settings.packages:
            # Deletions are sent at once; what else waits, when the package is executed.
            packed = {key for key in places if await self._packer.pack(targets[key])}
        if packed:
            leaving = await self._store.read(lambda tx: tx[PlaceStore].waiting(deletions=True))
            for key in packed.difference(leaving):
                del places[key]
        left = SENDINGS_AT_ONCE
        while places and left > 0:
            for key, after in [*places.items()]:
                left -= 1
                sent = await self._store.write(
                    partial(
                        self._distributor.send,
                        target=targets[key],
                        after=after,
                        now=self._now(),
                        deletions=key in packed,
                    )
                )
                for command in sent.queued:
                    self._queue.hurry(command.device, command.not_before_at)
                if sent.after is None:
                    del places[key]
                else:
                    places[key] = sent.after


def _state_thd(tx: Transaction) -> tuple[frozenset[str], bool]:
    distributing = tx[AreaStore].distributing()
    is_idle = tx[PlaceStore].is_empty() and not tx[DistributionStore].terminals()
    return distributing, is_idle


def _noted(
    target: DistributionTarget, before: DistributionTerminal | None, users: int | None, now: int
) -> DistributionTerminal:
    """Return a terminal as it is to be stored; due if it has to be compared as a whole."""
    basis = target.abilities.basis
    if before is None or before.area != target.area or before.basis != basis:
        return DistributionTerminal(
            device_id=target.device_id,
            area=target.area,
            basis=basis,
            users=users or 0,
            phase=_MEMBERS,
            after="",
            due_at=now,
            may_delete=0 if before is None else before.may_delete,
            compared_at=0 if before is None else before.compared_at,
            package=None if before is None else before.package,
            packaged_at=None if before is None else before.packaged_at,
        )
    if users is None or users == before.users:
        return before
    if users == 0:
        return msgspec.structs.replace(before, users=0, phase=_MEMBERS, after="", due_at=now)
    return msgspec.structs.replace(before, users=users)


def _note(
    tx: Transaction, after: DistributionTerminal, emptied: Device | None, has_room: bool
) -> None:
    if emptied is not None:
        emptied_by_counts(tx, emptied)
    if has_room:
        tx[PlaceStore].try_full_again(after.device_id)
    tx[DistributionStore].put(after)


def _go_on(tx: Transaction, found: Comparison, progress: DistributionTerminal) -> None:
    write(tx, found)
    tx[DistributionStore].change(
        progress.device_id,
        phase=progress.phase,
        after=progress.after,
        due_at=progress.due_at,
        compared_at=progress.compared_at,
    )


def _advance(tx: Transaction, found: AreaChanges, emptied: Mapping[int, int], now: int) -> None:
    for key, at in emptied.items():
        _empty(tx, key, at, now)
    if found.is_gap:
        for key in tx[DistributionStore].terminals():
            tx[DistributionStore].change(key, due_at=now, phase=_MEMBERS, after="")
    tx[DistributionStore].advance(found.end)


def _leave(tx: Transaction, device_id: int, target: DistributionTarget) -> None:
    """Stop with a terminal: what it was told stays known, and nothing more is sent."""
    store = tx[PlaceStore]
    after = ""
    while pins := store.pins_at(device_id, after, PEOPLE_AT_ONCE):
        write(tx, compare_thd(tx, pins, [target], tx.now()))
        after = pins[-1]
    tx[DistributionStore].remove(device_id)


def _empty(tx: Transaction, device_id: int, emptied_at: int, now: int) -> None:
    """Begin anew with a terminal that has been emptied."""
    forget_terminal(tx, device_id, emptied_at)
    tx[DistributionStore].change(device_id, users=0, due_at=now, phase=_MEMBERS, after="")


def changes_thd(tx: Transaction, until: int) -> AreaChanges | None:
    """Read the changes after the cursor that are older than an instant (ms); None if none are."""
    cursor = tx[DistributionStore].cursor()
    if cursor is None:
        # What is earlier is found by the comparisons of whole terminals.
        return AreaChanges((), {}, False, tx[EventStore].last(), False)
    found = tx[EventStore].page(Page(EVENTS_AT_ONCE, cursor))
    old = [event for event in found if event.at <= until]
    if not old:
        return None
    pins = dict.fromkeys(str(event.data["pin"]) for event in old if event.kind == "user")
    emptied = {
        str(event.data["device"]): event.at
        for event in old
        if event.kind == "command"
        and event.data.get("state") == "done"
        and event.data.get("command") in EMPTYING
    }
    is_gap = any(event.kind == GAP for event in old)
    is_more = len(found) == EVENTS_AT_ONCE and len(old) == len(found)
    return AreaChanges([*pins], emptied, is_gap, old[-1].id, is_more)


def next_people_thd(tx: Transaction, terminal: DistributionTerminal) -> tuple[list[str], int, str]:
    """Return the next people to compare with a terminal, and where to go on."""
    phase, after = terminal.phase, terminal.after
    if phase == _MEMBERS:
        pins = tx[PersonStore].pins_in(terminal.area, after, PEOPLE_AT_ONCE)
        keys = pins
    elif phase == _HELD:
        held = tx[PersonSurvey].held_by(terminal.device_id, after, PEOPLE_AT_ONCE)
        pins, keys = [pin for pin, _ in held], [key for _, key in held]
    else:
        pins = keys = tx[PlaceStore].pins_at(terminal.device_id, after, PEOPLE_AT_ONCE)
    if len(pins) < PEOPLE_AT_ONCE:
        return pins, phase + 1, ""
    return pins, phase, keys[-1]
