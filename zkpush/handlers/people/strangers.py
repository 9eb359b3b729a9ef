"""Terminals that have somebody else under the user ID of a person, after a decision about them.

Theory of operation. A conflict about a user ID that belongs to two people ends with a decision for
one of them. The terminals of the other one still have the templates of that one, whatever else they
are told about the user. Such a terminal has a *stranger* until it has deleted the user: what it
sends about the user until then is not stored with the person. In an area that distributes, the user
is deleted there, and sent again as stored; see `zkpush.handlers.areas.desired`. Elsewhere it is a
problem until somebody has the user deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import ColumnElement, and_, delete, select

from ...persist.commandrows import person_subject
from ...persist.commands import CommandStore
from ...persist.databases import Insert, texts
from ...persist.schema import devices
from .model import Removal
from .schema import REMOVED, holdings, strangers, users
from .tables import BIODATA, BIOPHOTO, FACE, FVEIN, USERPIC

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_NAMES = ("pin", "device_id", "at")
BRINGING = tuple(
    f"DATA UPDATE {name}"
    for name in ("FINGERTMP", *(one.name for one in (FACE, FVEIN, BIODATA, USERPIC, BIOPHOTO)))
)
"""Commands that put templates and photos on terminals."""


class StrangerStore:
    """Terminals that have somebody else under a user ID."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def add(self, pins: Collection[str], terminals: Collection[int], now: int) -> None:
        """Record that terminals have somebody else under user IDs."""
        rows = [(pin, device_id, now) for pin in pins for device_id in terminals]
        if rows:
            columns = [*zip(*rows, strict=True)]
            self._tx.insert(Insert(strangers, _NAMES, columns, "(pin, device_id) DO NOTHING"))

    def gone(self, device_id: int, pin: str) -> bool:
        """Record that a terminal has nobody under a user ID; returns whether it had a stranger."""
        is_own = (strangers.c.device_id == device_id) & (strangers.c.pin == pin)
        return self._connection.execute(delete(strangers).where(is_own)).rowcount > 0

    def awaiting(self, pin: str) -> set[int]:
        """Return the terminals for which templates or photos of a user wait, or are unanswered."""
        return self._tx[CommandStore].terminals_awaiting(person_subject(pin), BRINGING)

    def forget(self, device_id: int) -> None:
        """Forget who was on a terminal that was emptied, except for those who may come yet.

        Commands that wait for the terminal may bring the other person.
        """
        own = strangers.c.device_id == device_id
        for pin in self._connection.execute(select(strangers.c.pin).where(own)).scalars().all():
            if device_id not in self.awaiting(pin):
                self.gone(device_id, pin)

    def at(self, device_id: int, pins: Sequence[str]) -> set[str]:
        """Return those of some user IDs under which a terminal has somebody else."""
        keys = texts(self._connection.dialect.name, "keys")
        query = select(strangers.c.pin).where(
            strangers.c.device_id == device_id, strangers.c.pin.in_(keys)
        )
        listed = {"keys": msgspec.json.encode([*pins]).decode()}
        return {*self._connection.execute(query, listed).scalars()}

    def places(self, pins: Collection[str]) -> dict[str, set[int]]:
        """Return the terminals that have somebody else, by user ID."""
        query = select(strangers.c.pin, strangers.c.device_id).where(
            strangers.c.pin.in_(pins), _is_held()
        )
        found: dict[str, set[int]] = {}
        for pin, device_id in self._connection.execute(query):
            found.setdefault(pin, set()).add(device_id)
        return found

    def still_there(self) -> list[Removal]:
        """List the user IDs and the terminals that have somebody else under them."""
        query = (
            select(strangers.c.pin, strangers.c.at, devices.c.sn)
            .join(devices, devices.c.id == strangers.c.device_id)
            .where(_is_held())
            .order_by(strangers.c.at, devices.c.sn, strangers.c.pin)
        )
        return [Removal(row.pin, row.at, row.sn) for row in self._connection.execute(query)]


def _is_held() -> ColumnElement[bool]:
    """Return the condition for terminals that last stated that they have the user."""
    return (
        select(holdings.c.key)
        .where(
            and_(
                holdings.c.table_name == str(users.name),
                holdings.c.key == '["' + strangers.c.pin + '"]',
                holdings.c.device_id == strangers.c.device_id,
                holdings.c.digest != REMOVED,
            )
        )
        .exists()
    )
