"""Advice that several checks share."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...causes import OTHER_PLACE, UNKNOWN_PATH
from ...model import Device
from ...phrases import Phrase, counted_phrase, sentences

_BELOW_ICLOCK = re.compile(r"[A-Z]+ /iclock/", re.IGNORECASE)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
EXAMPLE_ZONE = "Europe/Berlin"


def advice_on_paths(asked: Iterable[str]) -> Phrase:
    """Return the advice on unserved requests, each a method and a path."""
    below = {_BELOW_ICLOCK.match(one) is not None for one in asked}
    causes = {False: OTHER_PLACE, True: UNKNOWN_PATH}
    found = [causes[key].advice for key in causes if key in below]
    return sentences([one for one in found if one is not None])


def approval(device: Device) -> str:
    """Return the command that approves a terminal, with its zone if that is not known."""
    return approval_of(device.sn, knows_zone=device.timezone is not None)


def approval_of(sn: str, *, knows_zone: bool, adds: bool = False) -> str:
    """Return the command that approves a terminal; `adds` if it has not connected."""
    added = " --add" if adds else ""
    zone = "" if knows_zone else " --timezone ZONE"
    return f"zkpush devices approve {sn}{added}{zone}"


def zone_hint(device: Device) -> str:
    """Return an example for the zone in the command that approves a terminal."""
    return "" if device.timezone is not None else f" (ZONE such as {EXAMPLE_ZONE})"


def with_zone(advice: Phrase, *, knows_zone: bool) -> Phrase:
    """Add an example for ZONE to advice with the command that approves a terminal."""
    if knows_zone:
        return advice
    return Phrase("%(advice)s ZONE is a name such as %(zone)s.", advice=advice, zone=EXAMPLE_ZONE)


def duration(milliseconds: int) -> Phrase:
    """Format a duration, in its largest unit of which there are two or more."""
    seconds = max(0, milliseconds) // 1000
    if seconds >= 2 * _DAY:
        return counted_phrase("%(num)s day", "%(num)s days", seconds // _DAY)
    if seconds >= 2 * _HOUR:
        return counted_phrase("%(num)s hour", "%(num)s hours", seconds // _HOUR)
    if seconds >= 2 * _MINUTE:
        return counted_phrase("%(num)s minute", "%(num)s minutes", seconds // _MINUTE)
    return seconds_of(seconds)


def seconds_of(number: int) -> Phrase:
    """Format a number of seconds."""
    return counted_phrase("%(num)s second", "%(num)s seconds", number)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 terminal` or `2 terminals`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
