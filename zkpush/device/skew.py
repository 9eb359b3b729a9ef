"""Clock skew of terminals, measured from punches that arrive in real time.

A punch that is sent at once shows the difference between the two clocks; a delayed punch shows its
delay instead. So only uploads of one or two records count, at most one in ten seconds, and three in
a row have to agree within a minute: records of a backlog differ by the time between them.

A record that a terminal sends again shows nothing. One that was measured before is skipped; before
a difference is stored, it is looked up whether its records were new to the store.
"""

from __future__ import annotations

import datetime
import statistics
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..causes import (
    CLOCK_AHEAD,
    CLOCK_BEHIND,
    CLOCK_FAR_AHEAD,
    CLOCK_FAR_BEHIND,
    TIME_OF_ANOTHER_ZONE,
    Cause,
)
from ..interfaces import IStore
from ..model import Device, Problem
from ..persist.devices import DeviceStore
from ..persist.receipts import is_new_thd
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..problems import ProblemCode
from ..protocol.fields import Table
from ..protocol.records import Batch
from ..protocol.times import wall_clock

MOST_RECORDS = 2
"""Maximum number of records in an upload that counts as real time."""
MEASURE_EVERY = 10_000
"""Minimum number of milliseconds between two measurements of a terminal."""
FEWEST, MOST = 3, 15
"""Minimum number of measurements for a result, and maximum number in the median."""
AGREES = 60
"""Maximum deviation in seconds of consistent measurements."""
WRONG = 120
"""Skew in seconds beyond which the clock is a problem."""
_DAY, _TEN_YEARS = 86_400, 315_576_000
"""Skews in seconds, ahead and behind, beyond which the times of records are marked as doubtful."""
NEWS = 5
"""Minimum change in seconds before a stored skew is updated."""
_EPOCH = datetime.datetime(1970, 1, 1)
_QUARTER = datetime.timedelta(minutes=15)
OFFSETS = frozenset(
    {
        *(60 * hours for hours in range(-12, 15)),
        *(-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825),
    }
)
"""Offsets from UTC that places have today, in minutes, summer time included (IANA)."""


class _Measurement(NamedTuple):
    """What a record showed."""

    ahead: int
    """Seconds that the clock is ahead."""
    seconds: int
    """Wall clock time of the record, in seconds since the epoch."""
    received_at: int
    """Milliseconds since the epoch."""
    table: Table

    @property
    def time(self) -> str:
        """The wall clock time as records are stored with it."""
        return str(_EPOCH + datetime.timedelta(seconds=self.seconds))


class SkewMeter:
    """Measures the clocks of the terminals that this process serves."""

    def __init__(self, store: IStore, updated: Callable[[Device], None]) -> None:
        """`updated` is called with a changed terminal."""
        self._store = store
        self._updated = updated
        self._measured: dict[int, tuple[str, list[_Measurement], int]] = {}
        """Time zone of the measurements, these, and when the first was made (ms), by terminal
        key."""
        self._times: dict[int, list[int]] = {}
        """Wall clock seconds of the records that were measured last, by terminal key."""
        self._fresh: set[int] = set()
        """Keys of terminals measured since the last write."""

    def note(self, device: Device, batch: Batch, now: int) -> bool:
        """Measure with the records of an upload received at `now` (ms), if its table allows it.

        Returns whether something was measured.
        """
        read_clock = batch.table.read_clock
        if read_clock is None:
            return False
        zone = device.timezone
        if zone is None or not 0 < len(batch.rows) <= MOST_RECORDS:
            return False
        seconds, offset = read_clock(batch.rows)
        times = self._times.setdefault(device.id, [])
        if seconds in times:
            return False
        self._times[device.id] = [*times, seconds][-MOST:]
        instant = wall_clock(zone).instant(seconds) if offset is None else seconds - offset
        ahead = instant - now // 1000
        known = self._measured.get(device.id)
        run, began_at = ([], now) if known is None or known[0] != zone else known[1:]
        if run and abs(ahead - _median(run)) > AGREES:
            run, began_at = [], now
        measurement = _Measurement(ahead, seconds, now, batch.table)
        self._measured[device.id] = (zone, [*run, measurement][-MOST:], began_at)
        self._fresh.add(device.id)
        return True

    async def write(self, devices: Mapping[int, Device], now: int) -> None:
        """Store changed skews, and raise or clear the problems about them.

        Terminals without a new measurement are left unchanged: another process may serve them by
        now and know better.
        """
        for device_id in self._measured.keys() - devices.keys():
            del self._measured[device_id]
            self._times.pop(device_id, None)
        for device_id in sorted(self._fresh):
            self._fresh.discard(device_id)
            device = devices.get(device_id)
            if device is None:
                continue
            zone, run, began_at = self._measured[device_id]
            if len(run) < FEWEST or device.timezone != zone:
                continue
            known = device.clock_skew_seconds
            if known is not None and abs(known - round(_median(run))) < NEWS:
                continue
            run = await self._new(device_id, run)
            if len(run) < FEWEST:
                continue
            ahead = round(_median(run))
            detail = skew_in_words(ahead, zone, now)

            def unit(
                tx: Transaction,
                device_id: int = device_id,
                ahead: int = ahead,
                detail: Phrase = detail,
                began_at: int = began_at,
            ) -> Device:
                devices = tx[DeviceStore]
                devices.change(device_id, {"clock_skew_seconds": ahead})
                if abs(ahead) > WRONG:
                    devices.raise_problem(
                        device_id, Problem(ProblemCode.CLOCK_WRONG, detail, began_at)
                    )
                else:
                    devices.clear_problem(device_id, ProblemCode.CLOCK_WRONG)
                return devices.get(device_id)

            try:
                self._updated(await self._store.write(unit))
            except BaseException:
                self._fresh.add(device_id)  # retry at the next write
                raise

    async def _new(self, device_id: int, run: Sequence[_Measurement]) -> list[_Measurement]:
        """Return the measurements whose records were new to the store, and forget the others."""

        def find_thd(tx: Transaction) -> list[_Measurement]:
            return [
                one
                for one in run
                if is_new_thd(tx, one.table, device_id, one.time, one.received_at)
            ]

        new = await self._store.read(find_thd)
        repeated = [one for one in run if one not in new]
        if repeated and device_id in self._measured:
            zone, latest, began_at = self._measured[device_id]
            left = [one for one in latest if one not in repeated]
            self._measured[device_id] = (zone, left, began_at)
        return new


def _median(run: Sequence[_Measurement]) -> float:
    return statistics.median(one.ahead for one in run)


def zone_of_clock(ahead: int, zone: str, now: int) -> datetime.timezone | None:
    """Return the time zone whose time a clock has that is `ahead` seconds ahead in another zone.

    None if no place has such a time: then the clock is wrong. `now` is in milliseconds.
    """
    moved = _QUARTER * round(ahead / _QUARTER.total_seconds())
    if not moved or abs(ahead - moved.total_seconds()) > WRONG:
        return None
    here = datetime.datetime.fromtimestamp(now / 1000, zoneinfo.ZoneInfo(zone)).utcoffset()
    offset = (here or datetime.timedelta()) + moved
    return datetime.timezone(offset) if offset.total_seconds() / 60 in OFFSETS else None


def skew_in_words(ahead: int, zone: str, now: int) -> Phrase:
    """Describe a skew in a time zone, and the zone that explains it, if one does.

    `now` is in milliseconds.
    """
    other = zone_of_clock(ahead, zone, now)
    if other is None:
        return _difference(ahead)
    return TIME_OF_ANOTHER_ZONE.said(problem=_difference(ahead), offset=str(other), zone=zone)


def _difference(ahead: int) -> Phrase:
    """Describe a skew for people, such as `Its clock is 2 h 30 min ahead of the server's.`"""
    minutes = round(abs(ahead) / 60)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    by = " ".join(f"{n} {unit}" for n, unit in parts if n)
    return _cause_of(ahead).said(by=by)


def _cause_of(ahead: int) -> Cause:
    if ahead > 0:
        return CLOCK_FAR_AHEAD if ahead > _DAY else CLOCK_AHEAD
    return CLOCK_FAR_BEHIND if ahead < -_TEN_YEARS else CLOCK_BEHIND
