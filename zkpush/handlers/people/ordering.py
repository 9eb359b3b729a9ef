"""The order in which people look for a user ID: numbers by their value, then other texts.

Theory of operation. User IDs are text, so that databases put 10 before 2. A key makes them sort: it
begins with a letter for the length without leading zeros, before which those that are no numbers
have a tilde, which follows all letters. So A2 comes before A10. The index `users_natural` has the
same expression.
"""

from __future__ import annotations

import string

from sqlalchemy import ColumnElement, and_, literal_column, or_

from ...persist.schema import KeyText

_LENGTHS = string.digits + string.ascii_lowercase
"""Letters for lengths: of no number are there more digits than terminals take."""
_OTHER = "~"
EXPRESSION = (
    f"((substr('{_OTHER}', 1, length(ltrim({{pin}}, '{string.digits}'))) "
    f"|| substr('{_LENGTHS}', length(ltrim({{pin}}, '0')) + 1, 1)) || ltrim({{pin}}, '0'))"
)
"""The key as SQL of both databases, with a place for the column. It has no parameters, since SQLite
uses an index for the same text only, and has the parentheses with which PostgreSQL shows it."""


def key_of_pin(pin: str) -> str:
    """Return the key of a user ID; two have the same if they are one number with other zeros."""
    rest, mark = pin.lstrip("0"), _OTHER if pin.lstrip(string.digits) else ""
    return mark + _LENGTHS[len(rest) : len(rest) + 1] + rest


def pin_order(pin: str) -> tuple[str, str]:
    """Return what to sort user IDs by."""
    return key_of_pin(pin), pin


def natural_key(column: ColumnElement[str]) -> ColumnElement[str]:
    """Return the key of a column of user IDs."""
    return literal_column(EXPRESSION.format(pin=str(column)), KeyText)


def natural_order(column: ColumnElement[str]) -> tuple[ColumnElement[str], ColumnElement[str]]:
    """Return what to order a query by."""
    return natural_key(column), column


def behind(column: ColumnElement[str], pin: str) -> ColumnElement[bool]:
    """Return the condition for user IDs that follow one in this order."""
    key, after = natural_key(column), key_of_pin(pin)
    return and_(key >= after, or_(key > after, column > pin))
