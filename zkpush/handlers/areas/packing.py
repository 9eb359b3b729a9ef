"""Packages: many people for one terminal in one command (spec 12.5.2).

Theory of operation. A terminal that lacks many people gets them as packages of bounded size, one
after the other, so that other commands are sent between two of them. The parts in a package are
those whose command it is; its lines are made from these when the terminal fetches it, so that
nobody who has left meanwhile is in it. When the terminal has executed it, the lines have the same
effects as single commands. A terminal that does not execute a package, or lacks people of executed
ones, gets single commands from then on, until it is repaired or its abilities change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from twisted.logger import Logger

from ...device.intents import NotPossible
from ...device.modes import takes_commands
from ...device.queue import CommandQueue
from ...device.queueing import Delivery
from ...model import Device, Page
from ...persist.commandrows import reason_words
from ...persist.commands import CommandStore
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...protocol.replies import CommandReply
from ...values.commands import OPEN_STATES, CommandState, QueuedCommand
from ..people.model import PutPackage
from ..people.store import DEFAULT_AREA, PersonSurvey
from .desired import DistributionTarget, wanted_parts
from .distribution import DistributionStore
from .fits import Abilities
from .intents import PersonIntents
from .model import PACKAGES, PRIORITY, USER, PartState, PlacedPart
from .places import PlaceStore
from .room import TerminalRoom
from .turns import DistributionTurns

LEAST_PEOPLE = 200
"""Number of people from which a package is worthwhile."""
MOST_PARTS = 2000
"""Maximum number of parts in a package."""
_MADE_AT_ONCE = 50
"""People read in one transaction while a package is made."""
_SETTLED_AT_ONCE = 24
"""Parts whose effects are written in one unit of work."""
_DAY = 24 * 3600
_DELIVERY = Delivery(expires_in=_DAY, priority=PRIORITY)


class Packer:
    """Queues packages, and takes their outcome into account."""

    _log = Logger()

    def __init__(
        self, store: DistributionTurns, queue: CommandQueue, now: Callable[[], int]
    ) -> None:
        """`now` returns milliseconds since the epoch."""
        self._store = store
        self._queue = queue
        self._now = now

    async def settle(self, targets: Mapping[int, DistributionTarget]) -> None:
        """Take ended packages into account."""
        known = await self._store.read(lambda tx: tx[DistributionStore].terminals())
        for key, terminal in known.items():
            command_id = terminal.package
            if command_id is None or key not in targets:
                continue
            command = await self._store.read(partial(_command_thd, command_id=command_id))
            if command is not None and command.state in OPEN_STATES:
                continue
            is_current = await self._store.read(
                partial(_is_current_thd, device_id=key, command_id=command_id)
            )
            unit = partial(
                self._settle_thd,
                target=targets[key],
                command=command,
                id_=command_id,
                is_current=is_current,
            )
            while await self._store.write(unit):
                pass

    def _settle_thd(
        self,
        tx: Transaction,
        target: DistributionTarget,
        command: QueuedCommand | None,
        id_: str,
        *,
        is_current: bool,
    ) -> bool:
        """Record the outcome of some parts of a package; False if none are left.

        A package of which everything has changed has no lines, and no terminal executes it: that is
        no reason to send no more.
        """
        store, key, now = tx[PlaceStore], target.device_id, self._now()
        parts = store.of_command(key, id_, _SETTLED_AT_ONCE)
        is_done = command is not None and command.state is CommandState.DONE
        if is_done and command is not None:
            missing = self._execute(tx, target, parts, command, now)
            store.put([_executed(part, now, is_missing=part.key in missing) for part in parts])
        else:
            is_tried = command is not None and command.attempts > 0
            store.put([_not_executed(part, now, is_tried=is_tried) for part in parts])
        if parts:
            return True
        values: dict[str, object] = {"package": None}
        if is_done:
            values["packaged_at"] = now
        elif is_current and (command is None or command.attempts):
            words = (None if command is None else reason_words(command)) or "no answer"
            code = None if command is None else command.return_code
            reason = words if code is None else f"{words} (return code {code})"
            values["no_packages"] = reason
            device = tx[DeviceStore].get(key)
            self._log.warn("Terminal {sn} gets people one by one: {why}", sn=device.sn, why=reason)
        tx[DistributionStore].change(key, **values)
        return False

    def _execute(
        self,
        tx: Transaction,
        target: DistributionTarget,
        parts: Sequence[PlacedPart],
        command: QueuedCommand,
        now: int,
    ) -> set[tuple[int, str, str]]:
        """Apply the effects of the lines of parts; returns the keys of parts without lines.

        A part that has changed since has had a line: what the terminal got is sent again or
        deleted, and there is no more about it to record.
        """
        device = tx[DeviceStore].get(target.device_id)
        effects = self._queue.writer.functions.of(command.family).effects
        missing = set()
        for part, intent in _intents(tx, target, parts):
            if intent is None:
                missing.add(part.key)
                continue
            try:
                found = self._queue.translate(tx, device, intent)
            except (NotPossible, ValueError):
                missing.add(part.key)
                continue
            for one in found:
                line = msgspec.structs.replace(
                    command, command=one.command, params=one.params, asked=one.params, file=None
                )
                effects[one.command](tx, device, line, CommandReply(command.id, 0, ""), now)
        return missing

    async def pack(self, target: DistributionTarget) -> bool:
        """Queue a package for a terminal that lacks many people; returns whether one is open."""
        if not target.distributes:
            return False
        is_open, pins = await self._store.read(partial(_plan_thd, target=target))
        if is_open or not pins:
            return is_open
        now = self._now()

        def unit(tx: Transaction) -> list[QueuedCommand]:
            device = tx[DeviceStore].get(target.device_id)
            try:
                queued = self._queue.ask_thd(tx, device, PutPackage(PACKAGES), None, now, _DELIVERY)
            except (NotPossible, ValueError) as error:
                tx[DistributionStore].change(device.id, no_packages=str(error))
                return []
            tx[PlaceStore].pack(device.id, pins, queued[-1].id, now)
            tx[DistributionStore].change(device.id, package=queued[-1].id)
            return queued

        queued = await self._store.write(unit)
        for command in queued:
            self._queue.hurry(command.device, command.not_before_at)
        return bool(queued)


def _command_thd(tx: Transaction, command_id: str) -> QueuedCommand | None:
    return tx[CommandStore].get(command_id)


def _is_current_thd(tx: Transaction, device_id: int, command_id: str) -> bool:
    return tx[PlaceStore].is_sent_by(device_id, command_id)


def _executed(part: PlacedPart, now: int, *, is_missing: bool) -> PlacedPart:
    """Return a part after the terminal has executed its package."""
    values: dict[str, object] = {"sent": None, "command": None, "updated_at": now}
    if not is_missing:
        values["told"] = part.sent
    if part.state is PartState.SENT or part.sent == part.wanted:
        is_there = not is_missing and part.sent == part.wanted
        values["state"] = PartState.THERE if is_there else PartState.WAITING
    return msgspec.structs.replace(part, **values)


def _not_executed(part: PlacedPart, now: int, *, is_tried: bool) -> PlacedPart:
    """Return a part after its package has ended in another way; single commands follow."""
    values: dict[str, object] = {"sent": None, "command": None, "updated_at": now}
    if part.state is PartState.SENT:
        values["state"] = PartState.WAITING
    # The terminal may have executed some of it.
    return msgspec.structs.replace(part, tries=part.tries + is_tried, **values)


def _plan_thd(tx: Transaction, target: DistributionTarget) -> tuple[bool, list[str]]:
    """Return whether a package is open, and else the people for one; none if few are to be sent."""
    key = target.device_id
    terminal = tx[DistributionStore].terminal(key)
    if terminal is None or terminal.package is not None or terminal.no_packages is not None:
        return terminal is not None and terminal.package is not None, []
    device = tx[DeviceStore].get(key)
    waiting = tx[PlaceStore].packable(key, MOST_PARTS)
    if len({pin for pin, _ in waiting}) < LEAST_PEOPLE or not takes_commands(device):
        return False, []
    space = TerminalRoom(target.abilities.capacities, device.counts, tx[PlaceStore].new_on_way(key))
    people: dict[str, list[str]] = {}
    for pin, part in waiting:
        people.setdefault(pin, []).append(part)
    if len(waiting) == MOST_PARTS:
        people.popitem()  # the parts of the last person may be cut
    pins = []
    for pin, parts in people.items():
        # What does not fit is left for single commands, which say why.
        if any(space.take(part) is not None for part in parts):
            break
        pins.append(pin)
    return False, pins if len(pins) >= LEAST_PEOPLE // 2 else []


def _intents(
    tx: Transaction, target: DistributionTarget, parts: Sequence[PlacedPart]
) -> list[tuple[PlacedPart, object | None]]:
    """Return the parts of a package that are as they were when it was queued, with intents.

    The intent is None for a part whose content is not there any more.
    """
    pins = list(dict.fromkeys(part.pin for part in parts))
    people = tx[PersonSurvey].of(pins)
    intents = PersonIntents(tx, people)
    found: list[tuple[PlacedPart, object | None]] = []
    for part in sorted(parts, key=lambda one: (one.pin, one.part != USER, one.part)):
        wanted = wanted_parts(part.pin, people[part.pin], target, tx.vault.index) or {}
        one = wanted.get(part.part)
        if one is not None and one.digest == part.sent:
            found.append((part, intents.of(part.pin, one)))
    return found


def package_of(tx: Transaction, device: Device, after: int) -> tuple[Sequence[object], int | None]:
    """Return intents for the next people of the open package of a terminal, and where to go on."""
    terminal = tx[DistributionStore].terminal(device.id)
    if terminal is None or terminal.package is None:
        return [], None
    store = tx[PlaceStore]
    some = tx[PersonSurvey].among(
        store.pins_of(device.id, terminal.package), Page(_MADE_AT_ONCE, after)
    )
    area = device.area or DEFAULT_AREA
    target = DistributionTarget(device.id, area, True, Abilities.of(device))
    stored = store.of_people([pin for _, pin in some])
    parts = [
        part
        for _, pin in some
        for part in stored.get((device.id, pin), {}).values()
        if part.command == terminal.package and part.wanted is not None
    ]
    intents = [one for _, one in _intents(tx, target, parts) if one is not None]
    return intents, some[-1][0] if some else None
