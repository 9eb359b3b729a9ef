"""CSV (RFC 4180) that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

import msgspec

from ..phrases import in_english
from ..protocol.text import visible_cell

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters of a formula, including the full-width forms of East Asian keyboards."""
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?", re.ASCII)


def csv_lines(rows: Iterable[Iterable[object]], separator: str = ",") -> bytes:
    """Format rows as CSV; their cells must be safe already."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode()


def csv_items(names: Sequence[str], items: Sequence[msgspec.Struct]) -> bytes:
    """Format items as CSV, with safe cells."""
    rows = (msgspec.to_builtins(item, enc_hook=in_english) for item in items)
    return csv_lines([safe_cell(row.get(name)) for name in names] for row in rows)


def safe_cell(value: object) -> object:
    """Make a value safe for a spreadsheet, as OWASP recommends against CSV injection.

    Text that a spreadsheet would take for a formula gets an apostrophe in front; a number does not.
    Control characters other than TAB and LF are written as `\\x1b`. Texts of a list are joined by a
    comma and a space; other lists, and texts with commas, are written as JSON.
    """
    if isinstance(value, list) and all(isinstance(one, str) and "," not in one for one in value):
        value = ", ".join(value)
    elif isinstance(value, dict | list):
        value = msgspec.json.encode(value, enc_hook=in_english).decode()
    return safe_text(value) if isinstance(value, str) else value


def unsafe_text(cell: str) -> str:
    """Return the text of a cell from `safe_text`; other texts are returned unchanged."""
    return cell[1:] if cell.startswith("'") and safe_text(cell[1:]) == cell else cell


def safe_text(text: str) -> str:
    """Make a text safe for a spreadsheet; see `safe_cell`."""
    quoted = text.startswith(_FORMULA) and not _NUMBER.fullmatch(text)
    return visible_cell(f"'{text}" if quoted else text)
