"""From a row of the database to a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..model import Record

_OWN = frozenset({"device_id", "raw", "identity"})
"""What of a row is the store's own, or is kept for nobody to see but beside a doubt."""


def record(row: Mapping[Any, object]) -> Record:
    """A stored record, by the names of its fields."""
    values: dict[str, object] = {str(name): row[name] for name in row if str(name) not in _OWN}
    if isinstance(values.get("extra"), str):
        values["extra"] = msgspec.json.decode(str(values["extra"]))
    return values
