"""Two clocks: one for durations, which nobody sets, and one for the time of day, which people do.

Timers, limits and allowances use `reactor.seconds()`. Twisted takes the time of day for it, so that
a clock that is set back by an hour would stop every timer for an hour: the daemon gives its reactor
a monotonic clock instead (`use_monotonic_time`). What is stored or shown is the time of day, from
`wall_clock`. `zkpush.clockwatch` compares the two.
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
"""Names of UTC, without their folder."""


class IWallClock(Interface):
    """A reactor that brings a time of day of its own, for tests."""

    def wall_seconds() -> float:
        """Seconds since the epoch."""


def wall_clock(reactor: object) -> Callable[[], float]:
    """The time of day, in seconds since the epoch: the reactor's own if it brings one."""
    if IWallClock.providedBy(reactor):
        own: Callable[[], float] = reactor.wall_seconds
        return own
    return time.time


def machine_zone(environ: Mapping[str, str], etc: Path = Path("/etc")) -> str | None:
    """The IANA zone of this machine; None if it is UTC, which most containers have unasked.

    A UTC in the environment variable `TZ` was chosen by somebody, and counts.
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
    """Let the timers of a reactor run by a clock that nobody sets.

    Before anything is scheduled. All processes of a machine share that clock.
    """
    reactor.seconds = time.monotonic
