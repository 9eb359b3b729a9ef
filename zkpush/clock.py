"""A monotonic clock for durations, and the wall clock for times of day.

Timers, limits and allowances use `reactor.seconds()`. In Twisted that is the time of day, so
setting the clock back by an hour would stop every timer for an hour. The daemon therefore gives its
reactor a monotonic clock (`use_monotonic_time`). Stored and shown times come from `wall_clock`.
`zkpush.clockwatch` compares the two clocks.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zope.interface import Interface

from .protocol.times import is_zone

_UTC = frozenset({"UTC", "UCT", "ZULU", "UNIVERSAL", "GMT", "GMT0", "GMT+0", "GMT-0"})
"""Names of UTC, without their directory in the zone database."""


class IWallClock(Interface):
    """A reactor with a wall clock of its own, for tests."""

    def wall_seconds() -> float:
        """Return seconds since the epoch."""


def wall_clock(reactor: object) -> Callable[[], float]:
    """Return the wall clock, in seconds since the epoch: that of the reactor if it has one."""
    if IWallClock.providedBy(reactor):
        own: Callable[[], float] = reactor.wall_seconds
        return own
    return time.time


def machine_zone(environ: Mapping[str, str], etc: Path = Path("/etc")) -> str | None:
    """IANA zone of this machine; None for UTC, the default of most containers.

    UTC in the environment variable `TZ` is an explicit choice, and is returned.
    """
    chosen = environ.get("TZ", "").removeprefix(":")
    if is_zone(chosen):
        return chosen
    candidates = []
    with contextlib.suppress(OSError, UnicodeDecodeError):
        candidates.append((etc / "timezone").read_text().strip())
    with contextlib.suppress(OSError):
        candidates.append(str((etc / "localtime").readlink()).rpartition("zoneinfo/")[2])
    found = next(filter(is_zone, candidates), None)
    return None if found is None or found.rpartition("/")[2].upper() in _UTC else found


def use_monotonic_time(reactor: Any) -> None:
    """Make the timers of a reactor use the monotonic clock.

    Call this before anything is scheduled. All processes of a machine share that clock.
    """
    reactor.seconds = time.monotonic
