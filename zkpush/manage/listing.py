"""Lists of the API: parts of them, and the forms they come in."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from ..model import MOST_ID, Page
from ..protocol.text import visible_cell
from .routes import Raw

V = TypeVar("V")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula may begin: also in the wide forms of East Asian keyboards."""
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?", re.ASCII)

Limit = Annotated[int, Meta(ge=1, le=1000, description="Most items of the reply")]
After = Annotated[int, Meta(ge=0, le=MOST_ID, description="The cursor `next` of the part before")]
OfDevice = Annotated[str | None, Meta(description="Serial number of a terminal")]
OfUser = Annotated[str | None, Meta(description="User ID")]


class ListQuery(msgspec.Struct, frozen=True):
    """Which part of a list is wanted."""

    limit: Limit = 100
    after: After = 0

    @property
    def page(self) -> Page:
        """The part."""
        return Page(self.limit, self.after)


class DeviceQuery(ListQuery, frozen=True):
    """Which part of a list is wanted, of one terminal or of all."""

    device: OfDevice = None


class Listing(msgspec.Struct, Generic[V], frozen=True):
    """Part of a list."""

    items: list[V]
    next: str | None
    """The cursor for `after=`; null at the end."""


def listing(items: list[V], cursors: Sequence[object], query: ListQuery) -> Listing[V]:
    """Part of a list; there may be more if it is as long as was asked for."""
    full = len(items) == query.limit
    return Listing(items, str(cursors[-1]) if full else None)


def negotiated(
    accept: str, kind: type[msgspec.Struct], part: Listing[msgspec.Struct]
) -> Listing[msgspec.Struct] | Raw:
    """Part of a list in the form that the caller accepts: JSON, CSV, or lines of JSON.

    In the other forms than JSON, the cursor is in a header.
    """
    headers = {} if part.next is None else {"X-Next": part.next}
    if "text/csv" in accept:
        return Raw("text/csv; charset=utf-8", _csv(kind, part.items).encode(), headers=headers)
    if "application/x-ndjson" in accept:
        lines = msgspec.json.Encoder().encode_lines(part.items)
        return Raw("application/x-ndjson", lines, headers=headers)
    return part


def _csv(kind: type[msgspec.Struct], items: Sequence[msgspec.Struct]) -> str:
    """CSV (RFC 4180), with a line of names."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = kind.__struct_fields__
    writer.writerow(names)
    for item in items:
        values = msgspec.to_builtins(item)
        writer.writerow([_cell(values.get(name)) for name in names])
    return text.getvalue()


def _cell(value: object) -> object:
    """A value for a spreadsheet, as OWASP recommends against CSV injection.

    Text that a spreadsheet would take for a formula gets an apostrophe in front; a number does
    not. Control characters other than TAB and LF are written as `\\x1b`.
    """
    if isinstance(value, dict):
        value = msgspec.json.encode(value).decode()
    elif isinstance(value, list):
        value = " ".join(map(str, value))
    if not isinstance(value, str):
        return value
    quoted = value.startswith(_FORMULA) and not _NUMBER.fullmatch(value)
    return visible_cell(f"'{value}" if quoted else value)
