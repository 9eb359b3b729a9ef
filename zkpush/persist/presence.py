"""When, and from where, terminals were last seen: one statement for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from .schema import devices

if TYPE_CHECKING:
    from .transaction import Transaction


class PresenceStore:
    """Last-seen times and addresses of terminals. They are no changes of a terminal."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection
        self._database = tx.database

    def record(self, times: Mapping[int, tuple[int, str | None]]) -> None:
        """Record when (ms) and from which address terminals were last seen."""
        if times:
            seen = [(key, at, address) for key, (at, address) in times.items()]
            self._connection.exec_driver_sql(
                self._database.seen, (msgspec.json.encode(seen).decode(),)
            )

    def serials(self) -> list[str]:
        """List the serial numbers of all terminals."""
        return [*self._connection.execute(select(devices.c.sn)).scalars()]

    def elsewhere(
        self, times: Mapping[int, tuple[int, str | None]]
    ) -> list[tuple[int, int, str | None]]:
        """List the terminals last seen from another address: id, time (ms) and that address.

        Call it before `record`, with the same argument.
        """
        seen = [(key, at, address) for key, (at, address) in times.items()]
        found = self._connection.exec_driver_sql(
            self._database.elsewhere, (msgspec.json.encode(seen).decode(),)
        )
        return [(key, at, address) for key, at, address in found]
