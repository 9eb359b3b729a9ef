"""Conversion of database rows to stored records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from ..protocol.secrecy import EXTRA
from ..stored import StoredRecord
from .damage import DAMAGED, damaged_in

R = TypeVar("R", bound=StoredRecord)


def stored(kind: type[R], row: Mapping[Any, Any], **more: object) -> R:
    """Make a stored record from a row of decrypted values; other columns are ignored.

    `more` are fields that are not in the row.
    """
    values: dict[str, Any] = {name: row[name] for name in kind.__struct_fields__ if name in row}
    values[DAMAGED] = damaged_in(row)
    extra = values.get(EXTRA)
    if extra is not None:
        values[EXTRA] = msgspec.json.decode(extra)
    return kind(**{**values, **more})
