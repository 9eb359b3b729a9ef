"""Lines of punches that could not be read, with what can be read of each."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import attrs

from ...manage.console.days import midnight
from ...manage.console.phrases import Phrase
from ...persist.transaction import Transaction
from ...protocol.codes import AttendanceState, VerificationMode
from ...protocol.text import visible
from ...values.setaside import StoredReject
from ..people.store import Holder, PeopleStore

PUNCHES = "ATTLOG"
MOST_LINES = 50
"""Lines of a reject that are shown one by one."""
LONGEST = 40
"""Characters of a column that are shown."""
_PIN = re.compile("[0-9A-Za-z]{1,24}")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?: (\d{1,2}:\d{1,2}(?::\d{1,2})?))?")
_FOREVER = 2**62
_DAY = datetime.timedelta(days=1)
_OF_TIME = "Time: "
"""How the reason begins of a line whose time cannot be read."""
NO_TIME = Phrase("It has no time.")
DATE_ONLY = Phrase("It has a date, but no time of day.")


@attrs.frozen
class ReadLine:
    """A line by its columns, as far as they are there."""

    pin: str | None
    """The user ID, if the first column may be one."""
    time: str
    state: Phrase | str
    """The attendance state, in words if it is a known code."""
    method: Phrase | str
    """The way of verification, in words if it is a known code."""
    whose: Holder | None = None
    reason: str | None = None
    """Why the line cannot be read; None if it can be now."""

    @property
    def day(self) -> datetime.date | None:
        """The day of the time; None if there is no such day."""
        found = _DATE.match(self.time)
        try:
            return None if found is None else datetime.date.fromisoformat(found[1])
        except ValueError:
            return None


def lines_of(reject: StoredReject) -> Sequence[bytes]:
    """Return the lines of punches of a reject; none of other data, and of too many."""
    if reject.table.upper() != PUNCHES or reject.packed or not reject.raw:
        return []
    lines = [line for line in reject.raw.splitlines() if line.strip()]
    return lines if len(lines) <= MOST_LINES else []


def read_line(line: bytes) -> ReadLine:
    """Return the columns of a line: user ID, time, attendance state and way of verification."""
    text = visible(line.decode("utf-8", "backslashreplace"), "\t")
    columns = [one.strip()[:LONGEST] for one in text.split("\t")]
    pin, time, state, method = (*columns, "", "", "", "")[:4]
    return ReadLine(
        pin if _PIN.fullmatch(pin) else None,
        time,
        _in_words(AttendanceState, state),
        _in_words(VerificationMode, method),
    )


def named_thd(
    tx: Transaction, lines: Sequence[ReadLine], areas: frozenset[str] | None, zone: ZoneInfo
) -> Sequence[ReadLine]:
    """Return lines with the people who had their user IDs at the end of the day of each.

    `areas` are a limited reader's, and days those of `zone`.
    """
    holders = tx[PeopleStore].holders({one.pin for one in lines if one.pin is not None}, areas)
    return [
        one
        if one.pin is None
        else attrs.evolve(one, whose=holders.at(one.pin, _instant(one, zone)))
        for one in lines
    ]


def _instant(line: ReadLine, zone: ZoneInfo) -> int:
    """Return the last second of the day of a line, as days to check do; without one, the future."""
    try:
        return _FOREVER if line.day is None else midnight(line.day + _DAY, zone) - 1
    except OverflowError:
        return _FOREVER


def fault_of(line: ReadLine, reason: str) -> str:
    """Return why a line cannot be read; a time that is not there is no impossible one."""
    if not reason.startswith(_OF_TIME):
        return reason
    if not line.time:
        return NO_TIME
    found = _DATE.fullmatch(line.time)
    if found is None:
        return reason
    if line.day is None:
        return Phrase("There is no such day: %(day)s.", day=found[1])
    return Phrase("There is no such time: %(time)s.", time=found[2]) if found[2] else DATE_ONLY


def _in_words(kind: type[AttendanceState | VerificationMode], text: str) -> Phrase | str:
    try:
        return Phrase.made(kind(int(text)).meaning, {})
    except ValueError:
        return text
