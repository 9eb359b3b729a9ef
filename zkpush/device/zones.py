"""Time zones of terminals: defaults from the server, and recomputation of records.

Records are recomputed in small units of work, so that no upload has to wait.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import attrs
from sqlalchemy import Table
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..counting import counted
from ..interfaces import IStore
from ..model import CORRECTED, OF_ZONE, Caller, Device
from ..periodic import PeriodicService
from ..persist.devices import DeviceStore
from ..persist.events import EventStore
from ..persist.recompute import (
    Reckoned,
    read_part,
    reckon_anew,
    terminals_waiting,
    timed_tables,
    write_part,
)
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..protocol.times import wall_clock
from . import acts
from .registry import Registry

FOLLOW_EVERY = 60.0
"""Seconds between checks for terminals and records without a time zone."""
READ_PART = 1000
"""Records read at once."""
WRITE_PART = 100
"""Records written in one unit of work, which takes a few milliseconds."""


class ZoneUnknown(Exception):
    """The time zone of a terminal is not known, so its records have no instants."""


@attrs.define
class RecomputedCounts:
    """The result of a recomputation."""

    timezone: str
    """The time zone used."""
    checked: int = 0
    changed: int = 0


class _ZoneChanged(Exception):
    """The time zone of a terminal was changed in the meantime."""


class ZoneKeeper(PeriodicService):
    """Assigns the server's time zone to terminals without one, and computes instants."""

    _log = Logger()

    def __init__(
        self, store: IStore, registry: Registry, zone: str | None, clock: IReactorTime
    ) -> None:
        """`zone` is the server's time zone, if it is known."""
        super().__init__(clock)
        self._store = store
        self._registry = registry
        self._zone = zone
        self._chosen: Callable[[Transaction], str | None] | None = None
        self._turns = DeferredLock()
        self.every(
            FOLLOW_EVERY, self.follow, Phrase("Records wait for the zone of a terminal"), now=True
        )

    def default_to(self, chosen: Callable[[Transaction], str | None]) -> None:
        """Where the server has no time zone, take the one that this function reads, if any."""
        self._chosen = chosen

    async def of_site(self) -> str | None:
        """Return the time zone that was chosen for the site, or else that of the server, if any."""
        chosen = None if self._chosen is None else await self._store.read(self._chosen)
        return chosen or self._zone

    async def follow(self) -> None:
        """Assign time zones that are known now, and compute the instants of waiting records."""
        zone = self._zone
        if zone is None and self._chosen is not None:
            zone = await self._store.read(self._chosen)
        if zone is not None:
            await self._assign(zone)
        for sn in await self._store.read(terminals_waiting):
            await self._run(sn, None, None, waiting=True)

    async def recompute(
        self, sn: str, since: int | None, until: int | None, by: Caller | None
    ) -> RecomputedCounts:
        """Recompute the instants of a terminal's records in its present time zone.

        `since` and `until` (exclusive) bound the new instants, in seconds. Raises `LookupError` for
        an unknown terminal, and `ZoneUnknown` if its zone is not known.
        """
        counts = await self._run(sn, since, until, waiting=False)
        words = (
            f"{counts.timezone}: {counts.changed} of {counted(counts.checked, 'record')} changed"
        )
        now = self._registry.now()

        def unit(tx: Transaction) -> None:
            acts.record(tx, by, acts.RECOMPUTE, f"terminal {sn}", words, now)
            if counts.changed:
                values: Mapping[str, object] = attrs.asdict(counts)
                tx[EventStore].add(
                    "device", {"device": sn, "what": "recomputed", "values": values}, now
                )

        await self._store.write(unit)
        return counts

    async def _assign(self, zone: str) -> None:
        for sn in await self._store.read(lambda tx: tx[DeviceStore].without_zone()):
            device = await self._store.write(functools.partial(_give, sn=sn, zone=zone))
            if device is not None:
                self._registry.updated(device)
                self._log.info("Terminal {sn} has the zone {zone} now", sn=sn, zone=zone)

    async def _run(
        self, sn: str, since: int | None, until: int | None, *, waiting: bool
    ) -> RecomputedCounts:
        await self._turns.acquire()
        try:
            while True:
                try:
                    return await self._reckon(sn, since, until, waiting=waiting)
                except _ZoneChanged:
                    continue
        finally:
            self._turns.release()

    async def _reckon(
        self, sn: str, since: int | None, until: int | None, *, waiting: bool
    ) -> RecomputedCounts:
        device = await self._store.read(lambda tx: tx[DeviceStore].find(sn))
        if device is None:
            raise LookupError(Phrase("There is no terminal %(sn)s.", sn=sn))
        zone, device_id = device.timezone, device.id
        if zone is None:
            raise ZoneUnknown(
                Phrase(
                    "The zone of %(sn)s is not known; set it first: `zkpush devices set %(sn)s "
                    "timezone=ZONE`, such as Europe/Berlin.",
                    sn=sn,
                )
            )
        counts, clock = RecomputedCounts(zone), wall_clock(zone)
        for table in timed_tables():
            after = 0
            while True:
                find = functools.partial(
                    read_part,
                    table=table,
                    device_id=device_id,
                    after=after,
                    limit=READ_PART,
                    waiting=waiting,
                )
                part = await self._store.read(find)
                if not part:
                    break
                after = part[-1].id
                changed = reckon_anew(part, clock, since, until)
                counts.checked += len(part)
                for start in range(0, len(changed), WRITE_PART):
                    few = changed[start : start + WRITE_PART]
                    await self._store.write(
                        functools.partial(
                            _write, device_id=device_id, zone=zone, table=table, few=few
                        )
                    )
                    counts.changed += len(few)
        return counts


def _give(tx: Transaction, sn: str, zone: str) -> Device | None:
    """Set the time zone of a terminal without one; returns None if it has one.

    If the terminal was sent another offset, the periodic check of offsets renews its session.
    """
    device = tx[DeviceStore].find(sn)
    if device is None or device.timezone is not None:
        return None
    left = tuple(one for one in device.problems if one.code not in OF_ZONE)
    return tx[DeviceStore].change(device.id, {"timezone": zone, "problems": left})


def _write(
    tx: Transaction, device_id: int, zone: str, table: Table, few: Sequence[Reckoned]
) -> None:
    """Write new instants, and an event; raises `_ZoneChanged` if the time zone has changed."""
    device = tx[DeviceStore].get(device_id)
    if device.timezone != zone:
        raise _ZoneChanged
    write_part(tx, table, few)
    data = {
        "device": device.sn,
        "table": str(table.name),
        "ids": [one.key for one in few],
        "doubts": [one.was for one in few],
    }
    tx[EventStore].add(CORRECTED, data)
