"""Fast decoders of the common values of a field."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from enum import Enum

from .fields import SMALL, Field, Kind
from .scalars import LONGEST_CARD, TIME_LENGTH, compiled, decode_text

SHORT_INTEGER = 10
"""An integer of fewer digits never exceeds `SMALL`."""


class Unread(Enum):
    """Marker that a `reader` returns for a value that it leaves to `Field.decode`."""

    UNREAD = "unread"


UNREAD = Unread.UNREAD


def reader(field: Field) -> Callable[[str], object]:
    """Return a fast decoder for common values of a field, which returns `UNREAD` for others.

    It never raises: `Field.decode` reads uncommon values and reports mistakes.
    """
    low = 0 if field.minimum is None else field.minimum
    high = SMALL if field.maximum is None else field.maximum
    matches = None if field.pattern is None else compiled(field.pattern).fullmatch

    def integer(text: str) -> object:
        if text.isdecimal() and text.isascii() and len(text) < SHORT_INTEGER:
            number = int(text)
            if low <= number <= high:
                return number
        return UNREAD

    def card(text: str) -> object:
        if text.isalnum() and text.isascii() and len(text) <= LONGEST_CARD:
            return text if text.strip("0") else ""
        return UNREAD

    def matching(text: str) -> object:
        return text if matches is not None and matches(text) else UNREAD

    def time(text: str) -> object:
        try:
            is_time = (
                len(text) == TIME_LENGTH and str(datetime.datetime.fromisoformat(text)) == text
            )
        except ValueError:
            is_time = False
        return text if is_time else UNREAD

    def any_other(text: str) -> object:
        try:
            return field.decode(text)
        except ValueError:
            return UNREAD

    if field.kind is Kind.TEXT:
        return decode_text if matches is None else matching
    if field.kind is Kind.INTEGER and not field.choices:
        return integer
    if field.kind is Kind.TIME and matches is None:
        return time
    return card if field.kind is Kind.CARD and matches is None else any_other
