"""When a user is valid: StartDatetime, EndDatetime and Expires of newer models.

The specification does not define them. Seen are 0, times as text, and integers. What they say is
taken as narrowly as it can be meant, because somebody is let in by it:

- Empty, 0 and a time of zeros are no bound. Both bounds are within the validity.
- A time `YYYY-MM-DD HH:MM:SS` is one of the terminal's own wall clock.
- An integer is a packed time (11.4) of 2010 or later. From 1420070400 on, which is packed in 2044,
  it may also be seconds since 1970, of 2015 or later: the reading that leaves less time counts.
- Expires is a number of 0 to 3, the rule by which a user expires, which bounds nothing by itself;
  or else a second end. Where it is 0, the bounds beside it count all the same.
- With anything else, the user is not valid.
"""

from __future__ import annotations

import datetime
import re

from .fields import decode_time
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
    """Why a user is not valid at a wall clock time of the terminal; None for one who is."""
    try:
        starts = _readings(start)
        ends = [*_readings(end), *([] if expires in _RULES else _readings(expires))]
    except ValueError:
        return UNREADABLE
    if starts and time < max(starts):
        return NOT_YET
    return NO_LONGER if ends and time > min(ends) else None


def _readings(text: str | None) -> list[str]:
    """The wall clock times that a bound may mean, none for no bound; `ValueError` if it is none."""
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
