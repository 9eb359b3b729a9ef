"""CSV export of attendance records from stored rows, for lists of millions of records.

The lines equal those that `zkpush.manage.cells` makes from the views of records. Each line is
formatted in one pass over its row, and text that many records share is formatted once.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from ...manage.cells import safe_text
from ...manage.lists import Slice
from ...manage.recordviews import MEANING
from ...manage.times import offset
from ...model import Page
from ...persist.transaction import Transaction
from ...protocol.secrecy import EXTRA
from ...protocol.times import NO_ZONE, wall_seconds
from .claimed import claims_thd
from .model import PunchFilter
from .store import AttendanceStore
from .tables import ATTLOG

K = TypeVar("K")
_OWN = ("id", "device_id", "utc", "received_at", "doubt", EXTRA, "pin", "time")
"""Columns that differ from record to record, or that decide how others are shown."""
_OWN_COUNT = len(_OWN)
_SHARED = tuple(field.name for field in ATTLOG.fields if field.stored and field.name not in _OWN)
"""Columns whose values many records share."""
_ID, _PIN, _TIME = map(_OWN.index, ("id", "pin", "time"))
_BEFORE = ("id", "device", "utc", "received_at", "pin", "time")
"""Cells before those of the shared columns."""
_AFTER = ("local_time", "doubt", "other_person", "not_counted", "extra", "damaged")
"""Cells after them."""
_TWO_DIGITS = [f"{number:02}" for number in range(60)]
_MILLISECONDS = [f".{number:03}Z" for number in range(1000)]
_CODED = {f"{field.name}{MEANING}": field for field in ATTLOG.fields if field.codes is not None}
_QUOTE = '"'
_SPECIAL = re.compile('[",\r\n]')


def csv_slice_thd(
    tx: Transaction, part: Page, wanted: PunchFilter, names: Sequence[str]
) -> Slice | None:
    """Return CSV lines with these cells; None if a record has undeclared columns, or a claim.

    `names` are those of the view of attendance records.
    """
    rows, serials = tx[AttendanceStore].tuples(part, wanted, (*_OWN, *_SHARED))
    if claims_thd(tx, {row[_PIN] for row in rows}):
        return None
    lines: list[str] = []
    devices = {key: _text(sn) for key, sn in serials.items()}
    minutes, offsets = _Made(_minute), _Made(offset)
    doubts: _Made[str | None] = _Made(_text)
    shared: _Made[tuple[object, ...]] = _Made(_Shared(names[len(_BEFORE) : -len(_AFTER)]))
    for row, wall in zip(rows, wall_seconds([row[_TIME] for row in rows]), strict=True):
        key, device_id, utc, received_at, doubt, extra, pin, time = row[:_OWN_COUNT]
        if extra is not None:
            return None
        if not (pin.isalnum() and pin.isascii()):  # no cache: a slice has few pins twice
            pin = _text(pin)
        time = time.replace(" ", "T")
        if doubt == NO_ZONE:
            instant = local_time = ""
        else:
            instant = f"{minutes[utc // 60]}{_TWO_DIGITS[utc % 60]}Z"
            local_time = f"{time}{offsets[wall - utc]}"
        second, millisecond = divmod(received_at, 1000)
        lines.append(
            f"{key},{devices[device_id]},{instant},"
            f"{minutes[second // 60]}{_TWO_DIGITS[second % 60]}{_MILLISECONDS[millisecond]},"
            f"{pin},{time},{shared[row[_OWN_COUNT:]]},{local_time},{doubts[doubt]},,False,,\r\n"
        )
    return Slice("".join(lines).encode(), [row[_ID] for row in rows])


class _Made(dict[K, str]):
    """Texts by what they are made from; each is made once."""

    def __init__(self, make: Callable[[K], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> str:
        text = self[key] = self._make(key)
        return text


class _Shared:
    """Makes the cells of the shared columns and of their meanings."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __call__(self, values: tuple[object, ...]) -> str:
        named = dict(zip(_SHARED, values, strict=True))
        for name, field in _CODED.items():
            named[name] = field.words(named[field.name], named)
        return ",".join([_text(named[name]) for name in self._names])


def _text(value: object) -> str:
    """Format a value for CSV (RFC 4180), safe for spreadsheets."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    if value.isalnum() and value.isascii():
        return value
    safe = safe_text(value)
    return f'"{safe.replace(_QUOTE, _QUOTE * 2)}"' if _SPECIAL.search(safe) else safe


def _minute(minute: int) -> str:
    """Format a minute since the epoch as the start of an ISO 8601 instant."""
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(minutes=minute)
    return at.isoformat()[:17]
