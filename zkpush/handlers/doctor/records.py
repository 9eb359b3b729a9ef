"""Check of the attendance records of a terminal."""

from __future__ import annotations

from ...device.modes import takes_commands
from ...manage.times import instant
from ...model import DeviceState
from ...phrases import Phrase
from ..attendance.tables import ATTLOG
from .advice import duration
from .facts import TerminalFacts
from .model import Check
from .refusing import STATES, last_served, obstacle, unserved


def check_records(facts: TerminalFacts) -> Check:
    """Check whether its attendance records arrive."""
    found = _stored_records(facts)
    state = facts.device.state
    if state is not DeviceState.APPROVED:
        shown = STATES.get(state, state.value)
        detail = Phrase("It uploads no records while it is %(state)s.", state=shown)
        return Check("records", "unknown", detail)
    if found.state != "ok" or not unserved(facts):
        return found
    at = last_served(facts)
    detail = (
        Phrase("None is stored of its last requests.")
        if at is None
        else Phrase("None is stored since %(at)s.", at=instant(at))
    )
    return Check("records", "warning", detail, obstacle(facts) or "")


def _stored_records(facts: TerminalFacts) -> Check:
    sn = facts.device.sn
    uploads = [
        one
        for one in facts.trace
        if one.is_served and (one.content.table or "").upper() == ATTLOG.name
    ]
    if uploads:
        last = uploads[-1]
        ago = duration(facts.now - last.at)
        if last.content.answered.startswith("OK: 0") and last.content.received:
            return Check(
                "records",
                "warning",
                Phrase(
                    "Its last upload of attendance records, %(ago)s ago, held none that was "
                    "understood.",
                    ago=ago,
                ),
                Phrase("See why: `zkpush rejects list --device %(sn)s`.", sn=sn),
            )
        return Check(
            "records", "ok", Phrase("It uploaded attendance records %(ago)s ago.", ago=ago)
        )
    if ATTLOG.name in facts.stamps:
        return Check("records", "ok", Phrase("It has uploaded attendance records before."))
    if facts.has_records:
        return Check("records", "ok", Phrase("Attendance records of it are stored."))
    if not takes_commands(facts.device):
        return Check(
            "records",
            "warning",
            Phrase("It has never uploaded attendance records: it is in access-control mode."),
        )
    return Check(
        "records",
        "warning",
        Phrase("It has never uploaded attendance records."),
        by_command(
            facts,
            Phrase(
                "Verify a person on it. If nothing arrives, check in its menu that it sends in "
                "real time, and let it send everything: `zkpush devices resend %(sn)s attendance`.",
                sn=sn,
            ),
        ),
    )


def by_command(facts: TerminalFacts, advice: Phrase) -> Phrase:
    """Return advice to send a command; what keeps the terminal from commands comes first."""
    first = obstacle(facts)
    if first is not None:
        return first
    if facts.stuck is not None or facts.unanswered is not None:
        return Phrase(
            "It has not answered the commands that it was sent before, and a further one would "
            "wait behind them. See to these first: `zkpush commands list %(sn)s`.",
            sn=facts.device.sn,
        )
    return advice
