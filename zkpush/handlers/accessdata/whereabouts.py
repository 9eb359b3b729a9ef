"""Entries on terminals, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from ...persist.devices import DeviceStore
from ..areas.model import PartState
from .declared import BY_NAME
from .model import ENTRY, EntryPlace, PlacedEntry
from .store import IssueStore

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

ON_ITS_WAY = "on_its_way"
_WORDS = {
    PartState.THERE: "The terminal has it.",
    PartState.WAITING: "Waits to be sent.",
    PartState.SENT: "A command is queued for the terminal.",
    PartState.UNKNOWN: "The terminal did not answer.",
}
_DELETION = {
    PartState.WAITING: "The deletion waits to be sent.",
    PartState.SENT: "A command that deletes it is queued for the terminal.",
    PartState.UNKNOWN: "The terminal did not answer the deletion.",
}
_ORDER = (
    PartState.REFUSED,
    PartState.UNKNOWN,
    PartState.WAITING,
    PartState.SENT,
    PartState.DOES_NOT_FIT,
    PartState.THERE,
)
"""Parts in the first of these states decide the state of an entry."""


def places_of(serials: dict[int, str], places: Iterable[PlacedEntry]) -> list[EntryPlace]:
    """Return entries on terminals in words, by terminal, table and key."""
    together: dict[tuple[str, int, str], list[PlacedEntry]] = {}
    for place in places:
        if place.device_id in serials and place.table_name in BY_NAME:
            order = BY_NAME[place.table_name].order
            key = (serials[place.device_id], order, place.entry)
            together.setdefault(key, []).append(place)
    return [
        _in_words(number, serial, together[serial, order, entry])
        for number, (serial, order, entry) in enumerate(sorted(together), 1)
    ]


def state_name(state: PartState) -> str:
    """Return the state of an entry as the API names it."""
    return ON_ITS_WAY if state in (PartState.WAITING, PartState.SENT) else state.value


def worst(places: Collection[PlacedEntry]) -> PartState:
    """Return the state of an entry with its users."""
    return min((place.state for place in places), key=_ORDER.index)


def _in_words(number: int, serial: str, places: Collection[PlacedEntry]) -> EntryPlace:
    state = worst(places)
    some = sorted((one for one in places if one.state is state), key=lambda one: one.part)
    first = some[0]
    return EntryPlace(
        id=number,
        device=serial,
        table=first.table_name,
        key=first.entry,
        state=state_name(state),
        meaning=" ".join(dict.fromkeys(map(_meaning, some))),
        updated_at=max(place.updated_at for place in places),
    )


def _meaning(place: PlacedEntry) -> str:
    if place.wanted is None:
        words = _DELETION.get(place.state) or f"Deleted here. {place.reason or ''}"
    elif place.part != ENTRY and place.state is PartState.WAITING:
        words = "Waits until the terminal has the user."
    else:
        words = place.reason or _WORDS.get(place.state, "")
    return words if place.part == ENTRY else f"For user {place.part}: {words}"


class AccessPlaces:
    """Entries on terminals."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def of_entry(self, area: str, table: str, key: str) -> list[EntryPlace]:
        """List the terminals of an entry; empty if the area does not distribute."""
        serials = self._tx[IssueStore].serials(area)
        places = self._tx[IssueStore].of_table(table, serials)
        return places_of(serials, [place for place in places if place.entry == key])

    def of_table(self, area: str, table: str) -> dict[str, dict[str, int]]:
        """Return the number of terminals by entry and state."""
        serials = self._tx[IssueStore].serials(area)
        found: dict[str, dict[str, int]] = {}
        for place in places_of(serials, self._tx[IssueStore].of_table(table, serials)):
            counts = found.setdefault(place.key, {})
            counts[place.state] = counts.get(place.state, 0) + 1
        return found

    def at(self, sn: str) -> list[EntryPlace] | None:
        """List the entries on a terminal; None for an unknown terminal."""
        device = self._tx[DeviceStore].find(sn)
        if device is None:
            return None
        places = self._tx[IssueStore].of_device(device.id).values()
        return places_of({device.id: sn}, places)
