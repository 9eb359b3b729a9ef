"""Checks of the time zone and the clock of a terminal."""

from __future__ import annotations

import datetime
import zoneinfo

from ...causes import TIME_OF_ANOTHER_ZONE, causes_in
from ...consequences import values_of
from ...device.skew import FEWEST, MEASURE_EVERY, skew_in_words
from ...model import DeviceState
from ...phrases import Phrase, counted_phrase, two_sentences
from ...problems import ProblemCode, advice_phrase
from .advice import EXAMPLE_ZONE, approval, seconds_of, with_zone
from .facts import TerminalFacts
from .model import Check


def check_zone(facts: TerminalFacts) -> Check:
    """Check whether the time zone is known."""
    zone = facts.device.timezone
    if zone is None and facts.device.state is DeviceState.PENDING:
        return Check(
            "zone",
            "warning",
            Phrase("Its time zone is not known: it is set with the approval."),
            with_zone(
                Phrase("Approve it with its zone: `%(command)s`.", command=approval(facts.device)),
                knows_zone=False,
            ),
        )
    if zone is None:
        return Check(
            "zone",
            "error",
            Phrase(
                "Its time zone is not known: its records have no UTC time, and forwarding waits."
            ),
            Phrase(
                "Set it: `zkpush devices set %(sn)s timezone=ZONE`, with a name such as %(zone)s.",
                sn=facts.device.sn,
                zone=EXAMPLE_ZONE,
            ),
        )
    return Check(
        "zone",
        "ok",
        Phrase(
            "Its time zone is %(zone)s: its display should show %(time)s.",
            zone=zone,
            time=str(_now_in(facts, zone))[:16],
        ),
    )


def check_clock(facts: TerminalFacts) -> Check:
    """Check the clock, by its measured difference from the server's."""
    skew, zone = facts.device.clock_skew_seconds, facts.device.timezone
    problem = facts.problem(ProblemCode.CLOCK_WRONG)
    if problem is None and skew is None:
        return _unknown_clock(zone)
    if problem is None:
        return Check("clock", "ok", _shown(skew or 0))
    known = problem if skew is None or zone is None else skew_in_words(skew, zone, facts.now)
    values = values_of(facts.device, ProblemCode.CLOCK_WRONG)
    advice = advice_phrase(ProblemCode.CLOCK_WRONG, facts.device.sn, known, values=values)
    if skew is not None and zone is not None and TIME_OF_ANOTHER_ZONE in causes_in(known):
        here = _now_in(facts, zone)
        there = here + datetime.timedelta(seconds=skew)
        shown = Phrase(
            "By its zone here, its display should show %(here)s; by its punches, it shows "
            "%(there)s.",
            here=str(here)[11:16],
            there=str(there)[11:16],
        )
        advice = two_sentences(shown, advice)
    return Check("clock", "error", known, advice)


def _unknown_clock(zone: str | None) -> Check:
    if zone is None:
        return Check("clock", "unknown", Phrase("Its clock is not known before its time zone is."))
    return Check(
        "clock",
        "unknown",
        counted_phrase(
            "Its clock is not known yet. Let it take %(num)s punch while it is connected, and look "
            "again a minute later.",
            "Its clock is not known yet. Let it take %(num)s punches while it is connected, at "
            "least %(seconds)s seconds apart, and look again a minute later.",
            FEWEST,
            seconds=MEASURE_EVERY // 1000,
        ),
    )


def _now_in(facts: TerminalFacts, zone: str) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(facts.now / 1000, zoneinfo.ZoneInfo(zone))


def _shown(skew: int) -> Phrase:
    time = seconds_of(abs(skew))
    if skew > 0:
        return Phrase("Its clock is %(time)s ahead of the server's.", time=time)
    return Phrase("Its clock is %(time)s behind the server's.", time=time)
