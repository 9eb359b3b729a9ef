"""Checks of the time zone and the clock of a terminal."""

from __future__ import annotations

import datetime
import zoneinfo

from ...device.skew import FEWEST, MEASURE_EVERY
from ...model import DeviceState
from ...problems import ProblemCode
from .advice import EXAMPLE_ZONE, approval, counted
from .facts import TerminalFacts
from .model import Check

WRONG = 120
"""Difference of clocks in seconds beyond which an offset of whole half hours counts as such."""
_HALF_HOUR = 1800


def check_zone(facts: TerminalFacts) -> Check:
    """Check whether the time zone is known."""
    zone = facts.device.timezone
    if zone is None and facts.device.state is DeviceState.PENDING:
        detail = "Its time zone is not known: it is set with the approval."
        return Check(
            "zone", "warning", detail, f"Approve it with its zone: {approval(facts.device)}."
        )
    if zone is None:
        return Check(
            "zone",
            "error",
            "Its time zone is not known: its records have no UTC time, and forwarding waits.",
            f"Set it: `zkpush devices set {facts.device.sn} timezone={EXAMPLE_ZONE}`.",
        )
    shown = f"{_now_in(facts, zone):%Y-%m-%d %H:%M}"
    return Check("zone", "ok", f"Its time zone is {zone}: its display should show {shown}.")


def check_clock(facts: TerminalFacts) -> Check:
    """Check the clock, by its measured difference from the server's."""
    skew, zone, sn = facts.device.clock_skew_seconds, facts.device.timezone, facts.device.sn
    problem = facts.problem(ProblemCode.CLOCK_WRONG)
    if problem is None and skew is None:
        return _unknown_clock(zone)
    if problem is None:
        return Check("clock", "ok", f"Its clock is {_shown(skew or 0)} the server's.")
    if skew is None or zone is None or not _is_offset(skew):
        return Check(
            "clock",
            "error",
            problem,
            "Set its clock in its menu, or restart it: it takes the server's time when it "
            "connects.",
        )
    ahead = datetime.timedelta(seconds=_HALF_HOUR * round(skew / _HALF_HOUR))
    offset = datetime.timezone((_now_in(facts, zone).utcoffset() or datetime.timedelta()) + ahead)
    return Check(
        "clock",
        "error",
        f"{problem} That is the difference of two time zones: its clock has the time of {offset}, "
        f"and its zone here is {zone}.",
        f"Correct its zone: `zkpush devices set {sn} timezone=ZONE`, with a name such as "
        f"{EXAMPLE_ZONE} or UTC, then the times of its records: `zkpush devices recompute {sn}`. "
        f"If {zone} is right, set its clock.",
    )


def _unknown_clock(zone: str | None) -> Check:
    if zone is None:
        return Check("clock", "unknown", "Its clock is not known before its time zone is.")
    return Check(
        "clock",
        "unknown",
        f"Its clock is not known yet: {FEWEST} punches in real time, at least "
        f"{MEASURE_EVERY // 1000} seconds apart, show it a minute later.",
    )


def _now_in(facts: TerminalFacts, zone: str) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(facts.now / 1000, zoneinfo.ZoneInfo(zone))


def _is_offset(skew: int) -> bool:
    """Whether a difference of clocks in seconds is about a multiple of half an hour."""
    return abs(skew) > _HALF_HOUR - WRONG and abs((skew + WRONG) % _HALF_HOUR) <= 2 * WRONG


def _shown(skew: int) -> str:
    return f"{counted(abs(skew), 'second')} {'ahead of' if skew > 0 else 'behind'}"
