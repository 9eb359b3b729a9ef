"""Validity of users: StartDatetime, EndDatetime and Expires of newer models.

The specification does not define these fields. Observed values are 0, times as text, and integers.
Values are read in the narrowest sense, because they decide who is admitted:

- Empty, 0 and a time of zeros mean no bound. Both bounds are inclusive.
- A time `YYYY-MM-DD HH:MM:SS` is the terminal's wall clock time.
- An integer is a packed time (spec 11.4) from 2010 on. From 1420070400 on, a packed time in 2044,
  it may also be seconds since 1970, from 2015 on: the more restrictive reading counts.
- Expires is a number from 0 to 3, the rule by which a user expires, which is no bound by itself;
  any other value is a second end. If it is 0, the other bounds still count.
- With any other value, the user is not valid.
"""

from __future__ import annotations

import datetime
import re

from .scalars import decode_time
from .times import pack_time, unpack_time

_NO_BOUND = "0-:/T "
_RULES = ("1", "2", "3")
_INTEGER = re.compile(r"[0-9]{1,10}\Z", re.ASCII)
_FIRST_PACKED = pack_time("2010-01-01 00:00:00")
_FIRST_SECONDS = int(datetime.datetime(2015, 1, 1, tzinfo=datetime.UTC).timestamp())

NOT_YET = "This user is not valid yet."
NO_LONGER = "This user is no longer valid."
UNREADABLE = "The validity of this user cannot be read."


def not_valid(start: str | None, end: str | None, expires: str | None, time: str) -> str | None:
    """The reason a user is not valid at a wall clock time of the terminal; None if valid."""
    try:
        starts = _readings(start)
        ends = [*_readings(end), *([] if expires in _RULES else _readings(expires))]
    except ValueError:
        return UNREADABLE
    if starts and time < max(starts):
        return NOT_YET
    return NO_LONGER if ends and time > min(ends) else None


def _readings(text: str | None) -> list[str]:
    """The wall clock times that a bound may mean, empty for no bound; raises `ValueError`."""
    text = (text or "").strip()
    if not text.strip(_NO_BOUND):
        return []
    if not _INTEGER.match(text):
        return [decode_time(text)]
    number, readings = int(text), []
    if number >= _FIRST_PACKED:
        try:
            readings.append(unpack_time(number))
        except ValueError:
            if number < _FIRST_SECONDS:
                raise
    if number >= _FIRST_SECONDS:
        readings.append(str(datetime.datetime.fromtimestamp(number, datetime.UTC))[:19])
    if not readings:
        raise ValueError(f"{number} is no time of these years")
    return readings
