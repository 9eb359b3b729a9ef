"""Remaining time of a distribution."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from .model import PartState
from .schema import places

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

WINDOW = 10 * 60 * 1000
"""Milliseconds whose parts decide the pace."""
LEAST = 2
"""Least number of parts that have a pace."""


def seconds_left_thd(tx: Transaction, devices: Collection[int], left: int, now: int) -> int | None:
    """Estimate the seconds until `left` parts of people are on terminals.

    The pace is that of the last ten minutes (`WINDOW`), by single commands and by packages; `now`
    is in milliseconds. None if too few parts have come to the terminals in that time.
    """
    if not left:
        return 0
    query = select(func.count(), func.min(places.c.updated_at)).where(
        places.c.device_id.in_(devices),
        places.c.state == PartState.THERE.value,
        places.c.updated_at > now - WINDOW,
    )
    row = tx.connection.execute(query).one()
    count, first = int(row[0]), int(row[1] or now)
    if count < LEAST:
        return None
    return math.ceil(left * max(now - first, 1000) / count / 1000)
