"""Remaining time of a distribution."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import case, func, select

from ...persist.commandschema import commands
from ...persist.online import OnlineWindow
from ...persist.schema import devices
from ...values.commands import CommandState
from .model import PRIORITY, PartState
from .schema import places

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

WINDOW = 10 * 60 * 1000
"""Milliseconds whose commands decide the pace."""
_PACKAGE = "PutFile"
LEAST = 2
"""Least number of commands that have a pace."""


def on_its_way(counts: Mapping[PartState, int]) -> int:
    """Return the number of parts that wait or are sent."""
    return counts.get(PartState.WAITING, 0) + counts.get(PartState.SENT, 0)


def connected_thd(tx: Transaction, keys: Collection[int], window: OnlineWindow) -> list[int]:
    """Return those of some terminals that are online."""
    online = window.condition(tx.connection.dialect.name)
    query = select(devices.c.id).where(devices.c.id.in_(keys), online)
    return list(tx.connection.execute(query).scalars())


def seconds_left_thd(tx: Transaction, keys: Collection[int], left: int, now: int) -> int | None:
    """Estimate the seconds until `left` parts of people are on terminals.

    The pace is that of the last ten minutes (`WINDOW`), `now` is in milliseconds. A command has one
    part, and a package those that have come to the terminals in that time. None if terminals have
    executed too few commands in that time.
    """
    if not left:
        return 0
    is_package = commands.c.command == _PACKAGE
    begin = case((is_package, commands.c.sent_at), else_=commands.c.finished_at)
    packages = func.sum(case((is_package, 1), else_=0))
    query = select(func.count(), func.min(begin), packages).where(
        commands.c.finished_at > now - WINDOW,
        commands.c.device_id.in_(keys),
        commands.c.rank == -PRIORITY,
        commands.c.state == CommandState.DONE.value,
    )
    row = tx.connection.execute(query).one()
    count, first = int(row[0]), int(row[1] or now)
    if row[2]:
        there = select(func.count()).where(
            places.c.device_id.in_(keys),
            places.c.state == PartState.THERE.value,
            places.c.updated_at > now - WINDOW,
        )
        count = max(count, int(tx.connection.execute(there).scalar_one()))
    if count < LEAST:
        return None
    return math.ceil(left * max(now - first, 1000) / count / 1000)
