"""Commands of access data for terminals, and their outcome: units of work."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...device.intents import NotPossible
from ...device.queue import CommandQueue
from ...device.queueing import Delivery
from ...model import Device
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...problems import ProblemCode
from ...protocol.codes import ReturnCode
from ...values.commands import CommandState, QueuedCommand
from ..areas.model import DELETED, PartState
from ..areas.store import DistributionStore, PlaceStore, settled
from .comparing import EntryComparison, compare_entries, stopped
from .declared import BY_NAME
from .model import (
    ENTRY,
    PRIORITY,
    AssignMessage,
    DeleteAccessEntry,
    IssuedTerminal,
    PlacedEntry,
    PutAccessEntry,
    UnassignMessage,
)
from .placing import EndedEntry
from .refusals import update_problem
from .store import AccessStore, IssueStore

MOST_OPEN = 50
"""Maximum number of open commands of access data for one terminal."""
AT_ONCE = 8
"""Commands queued in one unit of work."""
_DELIVERY = Delivery(priority=PRIORITY)


def compare_terminal(tx: Transaction, terminal: IssuedTerminal, now: int) -> None:
    """Compare a terminal with the access data of its area, and store what follows."""
    store = tx[IssueStore]
    device_id = terminal.device_id
    before = store.terminals().get(device_id)
    is_emptied = before is not None and terminal.emptied_at != before.emptied_at
    if is_emptied:
        store.doubt(device_id)
    again = is_emptied or before is None or before.compared_at != terminal.compared_at
    wanted = tx[AccessStore].digests(terminal.area)
    _write(tx, compare_entries(device_id, wanted, store.of_device(device_id), now, again=again))
    store.note(terminal)
    update_problem(tx, device_id, now)


def leave_terminal(tx: Transaction, terminal: IssuedTerminal, now: int) -> None:
    """Stop with a terminal: what it was told stays known, and nothing more is sent."""
    _write(tx, stopped(tx[IssueStore].of_device(terminal.device_id), now))
    tx[IssueStore].note(msgspec.structs.replace(terminal, area="", revision=0))
    tx[DeviceStore].clear_problem(terminal.device_id, ProblemCode.ACCESS_REFUSED)


def _write(tx: Transaction, found: EntryComparison) -> None:
    tx[IssueStore].put(found.changed)
    tx[IssueStore].remove(found.removed)


def lost_assignments(tx: Transaction) -> list[PlacedEntry]:
    """Return assignments of messages to users whom terminals have lost since."""
    found: list[PlacedEntry] = []
    for device_id, places in tx[IssueStore].receivers().items():
        known = tx[PlaceStore].known_people(device_id, {place.part for place in places})
        found += [one for one in places if one.part not in known and one.wanted is not None]
    return found


def assign_again(tx: Transaction, now: int) -> None:
    """Assign messages again to users whom terminals had lost: the assignment went with them."""
    lost = {"told": None, "state": PartState.WAITING, "updated_at": now}
    tx[IssueStore].put([msgspec.structs.replace(one, **lost) for one in lost_assignments(tx)])


def sendable(tx: Transaction, device_id: int) -> list[PlacedEntry]:
    """Return what can be sent to a terminal now, each table after those to which it refers.

    A user whom a message is for waits until the terminal has the user.
    """
    places = tx[IssueStore].waiting(device_id)
    known = tx[PlaceStore].known_people(device_id, {one.part for one in places if one.part})
    found = [one for one in places if one.part == ENTRY or one.wanted is None or one.part in known]
    return sorted(found, key=_order)


class AccessIssuer:
    """Queues commands of access data, and takes their outcome into account."""

    def __init__(self, queue: CommandQueue) -> None:
        self._queue = queue

    def send(self, tx: Transaction, device_id: int, now: int) -> list[QueuedCommand]:
        """Queue the next commands for a terminal; the result is empty if nothing can be sent."""
        store = tx[IssueStore]
        terminal = tx[DistributionStore].terminals().get(device_id)
        room = min(AT_ONCE, MOST_OPEN - store.open_commands(device_id))
        places = sendable(tx, device_id)
        if terminal is None or room <= 0 or not places:
            return []
        device = tx[DeviceStore].get(device_id)
        queued: list[QueuedCommand] = []
        for place in places:
            if len(queued) >= room:
                break
            queued += self._ask(tx, device, terminal.area, place, now)
        if not queued:
            update_problem(tx, device_id, now)
        return queued

    def _ask(
        self, tx: Transaction, device: Device, area: str, place: PlacedEntry, now: int
    ) -> Sequence[QueuedCommand]:
        try:
            # A refusal comes before the first write, because each intent is one command.
            queued = self._queue.ask_thd(tx, device, _intent(tx, area, place), None, now, _DELIVERY)
        except (NotPossible, ValueError) as error:
            misfit = {"state": PartState.DOES_NOT_FIT, "reason": str(error), "updated_at": now}
            tx[IssueStore].put([msgspec.structs.replace(place, **misfit)])
            return []
        after = msgspec.structs.replace(
            place,
            state=PartState.SENT,
            sent=DELETED if place.wanted is None else place.wanted,
            command=queued[-1].id,
            reason=None,
            updated_at=now,
        )
        tx[IssueStore].put([after])
        return queued

    def settle(self, tx: Transaction, ended: Sequence[EndedEntry], now: int) -> None:
        """Record the outcome of commands that have ended."""
        store = tx[IssueStore]
        for place, state, code in ended:
            if place.sent == DELETED and state is CommandState.DONE:
                store.gone(place, now)
                continue
            after = settled(tx, place, state, code, now)
            store.put([after])
            if after.state is PartState.REFUSED and code == ReturnCode.NOT_SUPPORTED:
                store.note_unsupported(after, _unsupported(place.table_name), now)
        for device_id in sorted({place.device_id for place, _, _ in ended}):
            update_problem(tx, device_id, now)


def _unsupported(table: str) -> str:
    known = BY_NAME.get(table)
    return f"The terminal does not support {table if known is None else known.many}."


def _order(place: PlacedEntry) -> tuple[object, ...]:
    table = BY_NAME.get(place.table_name)
    number = int(place.entry) if place.entry.isdecimal() else 0
    order = -1 if table is None else table.order
    return order, place.part != ENTRY, number, place.entry, place.part


def _intent(tx: Transaction, area: str, place: PlacedEntry) -> object:
    """Return the intent that brings a terminal what it lacks."""
    if place.part != ENTRY:
        if place.wanted is None:
            return UnassignMessage(place.entry, place.part)
        return AssignMessage(place.entry, place.part)
    if place.wanted is None:
        return DeleteAccessEntry(place.table_name, place.entry)
    entry = tx[AccessStore].find(area, place.table_name, place.entry)
    return PutAccessEntry(place.table_name, place.entry, {} if entry is None else entry.fields)
