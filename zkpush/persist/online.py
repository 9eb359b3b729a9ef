"""When a terminal counts as online: one definition, for rows in memory and for queries."""

from __future__ import annotations

import json
from collections.abc import Collection

import attrs
from sqlalchemy import BigInteger, ColumnElement, case, cast, func, or_
from sqlalchemy.dialects import postgresql

from ..model import Device
from .databases import numbers
from .schema import devices

INTERVALS = 3
"""Intervals without a request after which a terminal is not online. Its interval is the one that it
is told, or its own if it makes requests less often (`zkpush.device.pace`)."""
_DELAY = "Delay"


@attrs.frozen
class OnlineWindow:
    """Which terminals are online at one instant.

    A page takes one window, and asks it for its rows, its filter and its numbers: they agree.
    """

    now: int
    """The instant, in milliseconds since the epoch."""
    delay: int
    """Polling interval, in seconds, of terminals that have none of their own."""
    slack: int
    """Milliseconds by which the stored times of requests may be late."""
    heard: Collection[int] = ()
    """Keys of terminals whose latest request is not stored yet, and makes them online."""

    def bound(self, device: Device) -> int:
        """Return when (ms) a terminal must have made a request, or later, to be online."""
        told = int(str(device.settings.get(_DELAY, self.delay)))
        delay = max(told, device.poll_interval or 0)
        return self.now - 1000 * INTERVALS * delay - self.slack

    def holds(self, device: Device) -> bool:
        """Whether a terminal, as it is stored, is online."""
        return device.id in self.heard or (device.last_seen_at or 0) >= self.bound(device)

    def condition(self, dialect: str) -> ColumnElement[bool]:
        """Return the same as a condition of a query; `dialect` is the name of a dialect."""
        settings: ColumnElement[str] = devices.c.settings
        own: ColumnElement[str]
        if dialect == "postgresql":
            own = cast(settings, postgresql.JSONB).op("->>")(_DELAY)
        else:
            own = func.json_extract(settings, f"$.{_DELAY}")
        told = func.coalesce(cast(own, BigInteger), self.delay)
        delay = case((devices.c.poll_interval > told, devices.c.poll_interval), else_=told)
        bound = self.now - self.slack - 1000 * INTERVALS * delay
        seen = func.coalesce(devices.c.last_seen_at, 0) >= bound
        if not self.heard:
            return seen
        heard = numbers(dialect, "heard").params(heard=json.dumps([*map(str, self.heard)]))
        return or_(seen, devices.c.id.in_(heard))
