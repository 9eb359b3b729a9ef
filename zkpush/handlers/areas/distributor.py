"""Comparison of people with terminals, and the commands that follow: units of work.

Comparisons are read in transactions of their own and written in short ones, so that no upload waits
for them. Commands are queued a few at a time, with a low priority, and never more than a bounded
number for one terminal, so that other commands overtake them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
import msgspec

from ...device.intents import NotPossible
from ...device.queue import CommandQueue
from ...device.queueing import Delivery
from ...model import Device
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...protocol.codes import ReturnCode
from ...values.commands import CommandState, QueuedCommand
from ..people.model import (
    DeletePerson,
    PersonOverview,
)
from ..people.store import PersonSurvey
from .desired import (
    DistributionTarget,
    compare,
    is_copying,
    wanted_parts,
)
from .intents import PersonIntents
from .model import DELETED, PRIORITY, USER, PartState, PlacedPart
from .outcomes import BUSY, settled
from .places import EndedPart, PlaceStore
from .room import TerminalRoom

MOST_OPEN = 100
"""Maximum number of open commands for one terminal."""
AT_ONCE = 8
"""Commands queued in one unit of work."""
_DELIVERY = Delivery(priority=PRIORITY)
_LATER = BUSY | {ReturnCode.USER_UNKNOWN}
"""Return codes after which a template or photo is sent again: the user is sent first."""


@attrs.frozen
class Comparison:
    """Parts to store and to remove."""

    changed: Sequence[PlacedPart]
    removed: Sequence[PlacedPart]


def compare_thd(
    tx: Transaction,
    pins: Sequence[str],
    targets: Iterable[DistributionTarget],
    now: int,
    *,
    again: bool = False,
) -> Comparison:
    """Compare people on terminals."""
    if not pins:
        return Comparison((), ())
    people = tx[PersonSurvey].of(pins)
    stored = tx[PlaceStore].of_people(pins)
    changed: list[PlacedPart] = []
    removed: list[PlacedPart] = []
    index = tx.vault.index
    for target in targets:
        for pin in pins:
            before = stored.get((target.device_id, pin), {})
            is_concerned = target.distributes and (
                target.area in people[pin].areas or target.device_id in people[pin].holders
            )
            if not before and not is_concerned:
                continue
            after, gone = compare(pin, people[pin], target, before, index, now, again=again)
            changed += after
            removed += gone
    return Comparison(changed, removed)


def write(tx: Transaction, found: Comparison) -> None:
    """Write a comparison."""
    tx[PlaceStore].put(found.changed)
    tx[PlaceStore].remove(found.removed)


@attrs.frozen
class QueuedParts:
    """Commands that were queued for a terminal."""

    queued: Sequence[QueuedCommand]
    after: str | None
    """User ID to go on after; None if nothing is left to send."""


class Distributor:
    """Queues commands, and takes their outcome into account."""

    def __init__(self, queue: CommandQueue) -> None:
        self._queue = queue

    def send(
        self,
        tx: Transaction,
        target: DistributionTarget,
        after: str,
        now: int,
        *,
        deletions: bool = False,
    ) -> QueuedParts:
        """Queue the next commands for a terminal, without deletions that need a confirmation.

        With `deletions`, nothing but deletions.
        """
        store = tx[PlaceStore]
        may_delete = not store.is_held_back(target.device_id)
        pins = store.next_waiting(target.device_id, after, AT_ONCE, deletions=deletions)
        room = min(AT_ONCE, MOST_OPEN - store.open_commands(target.device_id))
        if not pins or room <= 0:
            return QueuedParts((), None)
        device = tx[DeviceStore].get(target.device_id)
        people = tx[PersonSurvey].of(pins)
        stored = store.of_people(pins)
        space = TerminalRoom(
            target.abilities.capacities, device.counts, store.new_on_way(target.device_id)
        )
        intents = PersonIntents(tx, people)
        queued: list[QueuedCommand] = []
        last = after
        for pin in pins:
            if len(queued) >= room:
                break
            last = pin
            parts = stored.get((target.device_id, pin), {})
            queued += self._send_person(
                tx, device, target, people[pin], parts, intents, space, now, may_delete=may_delete
            )
        return QueuedParts(queued, last)

    def _send_person(
        self,
        tx: Transaction,
        device: Device,
        target: DistributionTarget,
        person: PersonOverview,
        parts: Mapping[str, PlacedPart],
        intents: PersonIntents,
        space: TerminalRoom,
        now: int,
        *,
        may_delete: bool,
    ) -> list[QueuedCommand]:
        """Queue the commands for a person, the fields first."""
        pin = next(iter(parts.values())).pin
        is_copied = is_copying(target, parts.values())
        wanted = wanted_parts(pin, person, target, tx.vault.index, is_copied=is_copied)
        waiting = [
            parts[name]
            for name in sorted(parts, key=lambda one: (one != USER, one))
            if parts[name].state is PartState.WAITING
        ]
        queued: list[QueuedCommand] = []
        for part in waiting:
            if wanted is None:
                if part.is_copied and part.wanted is not None:  # removed before it was sent
                    tx[PlaceStore].remove([part])
                    continue
                if part.part != USER or (part.is_guarded and not may_delete):
                    continue
                queued += self._ask(tx, device, part, DELETED, DeletePerson(pin), now)
                continue
            one = wanted.get(part.part)
            if one is None:
                continue
            intent = intents.of(pin, one)
            if intent is None:
                continue
            is_new = part.told is None and not one.is_stated
            if part.part == USER and device.id in person.holders:
                is_new = False
            if is_new and (reason := space.take(part.part)) is not None:
                full = {"state": PartState.DOES_NOT_FIT, "reason": reason, "updated_at": now}
                tx[PlaceStore].put([msgspec.structs.replace(part, **full)])
                continue
            queued += self._ask(tx, device, part, one.digest, intent, now)
        return queued

    def _ask(
        self,
        tx: Transaction,
        device: Device,
        part: PlacedPart,
        sent: bytes,
        intent: object,
        now: int,
    ) -> list[QueuedCommand]:
        try:
            # A refusal comes before the first write, because each intent is one command.
            queued = self._queue.ask_thd(tx, device, intent, None, now, _DELIVERY)
        except (NotPossible, ValueError) as error:
            after = msgspec.structs.replace(
                part, state=PartState.DOES_NOT_FIT, reason=str(error), updated_at=now
            )
            tx[PlaceStore].put([after])
            return []
        after = msgspec.structs.replace(
            part,
            state=PartState.SENT,
            sent=sent,
            command=queued[-1].id,
            reason=None,
            updated_at=now,
        )
        tx[PlaceStore].put([after])
        return queued

    def settle(self, tx: Transaction, ended: Sequence[EndedPart], now: int) -> None:
        """Record the outcome of commands that have ended."""
        store = tx[PlaceStore]
        for part, state, code in ended:
            is_deleted = state is CommandState.DONE or code == ReturnCode.USER_UNKNOWN
            if part.sent == DELETED and is_deleted:
                closed = msgspec.structs.replace(part, sent=None, command=None, updated_at=now)
                store.put([closed])
                store.gone(part.device_id, part.pin)
                continue
            later = BUSY if part.part == USER else _LATER
            store.put([settled(tx, part, state, code, now, later)])
