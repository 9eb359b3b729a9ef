"""What pages show of areas and their terminals."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import attrs

from ...manage.console.phrases import Phrase
from ...model import Device
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from .confirming import area_terminals
from .model import Area, PartState
from .places import PlaceStore
from .store import AreaStore

WAY = (PartState.WAITING, PartState.SENT)
"""States of parts that are on their way."""
NO_AREA = Phrase("There is no such area.")


@attrs.frozen
class AreaTerminal:
    """A terminal of an area, with the parts of people that belong on it."""

    device: Device
    there: int
    total: int
    counts: Mapping[PartState, int]

    @property
    def on_its_way(self) -> int:
        """Number of parts that are to be sent or answered."""
        return sum(self.counts.get(state, 0) for state in WAY)


def area_thd(tx: Transaction, name: str) -> Area:
    """Find an area; `LookupError` if there is none."""
    found = tx[AreaStore].find(name)
    if found is None:
        raise LookupError(NO_AREA)
    return found


def progress_thd(tx: Transaction, area: Area) -> tuple[int, int]:
    """Return the numbers of parts that are on the terminals of an area, and of all."""
    if not area.distributes:
        return 0, 0
    counts = tx[PlaceStore].counts(area_terminals(tx, area.name))
    return counts.get(PartState.THERE, 0), sum(counts.values())


def terminals_thd(tx: Transaction, keys: Collection[int], most: int) -> list[AreaTerminal]:
    """Return at most so many terminals with people to keep, those that lack the most first."""
    counts = tx[PlaceStore].counts_at(keys)

    def place(key: int) -> tuple[int, int]:
        return counts[key].get(PartState.THERE, 0) - sum(counts[key].values()), key

    chosen = sorted(counts, key=place)[:most]
    devices = {one.id: one for one in tx[DeviceStore].with_keys(chosen)}
    return [
        AreaTerminal(
            devices[key],
            counts[key].get(PartState.THERE, 0),
            sum(counts[key].values()),
            counts[key],
        )
        for key in chosen
    ]
