"""Remaining time of a distribution."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from ...persist.commandschema import commands
from ...values.commands import CommandState
from .model import PRIORITY

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

WINDOW = 10 * 60 * 1000
"""Milliseconds whose commands decide the pace."""
LEAST = 2
"""Least number of commands that have a pace."""


def seconds_left_thd(tx: Transaction, devices: Collection[int], left: int, now: int) -> int | None:
    """Estimate the seconds until `left` commands of a distribution are executed.

    The pace is that of the last ten minutes (`WINDOW`), `now` is in milliseconds. None if
    terminals have executed too few commands in that time.
    """
    if not left:
        return 0
    query = select(func.count(), func.min(commands.c.finished_at)).where(
        commands.c.finished_at > now - WINDOW,
        commands.c.device_id.in_(devices),
        commands.c.rank == -PRIORITY,
        commands.c.state == CommandState.DONE.value,
    )
    row = tx.connection.execute(query).one()
    count, first = int(row[0]), int(row[1] or now)
    if count < LEAST:
        return None
    return math.ceil(left * max(now - first, 1000) / count / 1000)
