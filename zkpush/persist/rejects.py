"""What terminals sent and nobody understood: kept with its bytes.

A reject may be a line or a body of megabytes. Lists show the bytes of short ones only, and do not
read the others from the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import RowMapping, case, func, select

from ..model import Page, SealedRejects, StoredReject
from ..protocol.rejects import Reject
from .damage import damaged_in
from .databases import Insert
from .schema import devices, plain, rejects
from .sealed import opened, seal_columns
from .vault import Vault, plain_length, sealed_length

if TYPE_CHECKING:
    from .transaction import Transaction

LISTED_BYTES = 4096
"""Bytes of the longest reject that a list shows."""
_NAMES = ("device_id", "table_name", "reason", "raw", "digest", "received_at")


def seal_rejects(
    vault: Vault, device_id: int, rejects_: Sequence[Reject], now: int
) -> SealedRejects:
    """Seal rejects of a terminal for their rows; on whichever thread."""
    count = len(rejects_)
    columns = (
        [device_id] * count,
        [plain(reject.table) for reject in rejects_],
        [plain(reject.reason) for reject in rejects_],
        [reject.raw for reject in rejects_],
        [vault.index(_identity(reject)) for reject in rejects_],
        [now] * count,
    )
    return SealedRejects(seal_columns(vault, rejects, _NAMES, columns))


def _identity(reject: Reject) -> bytes:
    """What tells rejects apart: their bytes, or the reason if those are not kept."""
    return b"\0".join((reject.table.encode(), reject.raw or reject.reason.encode()))


class RejectStore:
    """Lines that were not understood, with their bytes."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection

    def add(self, device_id: int, rejects_: Sequence[Reject], now: int) -> None:
        """Seal and keep a few rejects; the same bytes from the same terminal are kept once.

        Many are sealed on another thread, for `add_sealed`.
        """
        if rejects_:
            self.add_sealed(seal_rejects(self._vault, device_id, rejects_, now))

    def add_sealed(self, rejects_: SealedRejects) -> None:
        """Keep rejects sealed by `IStore.seal_rejects`.

        The same bytes from the same terminal are kept once.
        """
        self._tx.insert(Insert(rejects, _NAMES, rejects_.columns))

    def page(self, part: Page, device: str | None) -> list[StoredReject]:
        """List rejects by id; the bytes of those above `LISTED_BYTES` are left out."""
        length = func.length(rejects.c.raw)
        raw = case((length <= sealed_length(LISTED_BYTES), rejects.c.raw)).label("raw")
        query = (self._select(raw).where(rejects.c.id > part.after).order_by(rejects.c.id)).limit(
            part.limit
        )
        if device is not None:
            query = query.where(devices.c.sn == device)
        return [self._reject(row._mapping) for row in self._connection.execute(query)]

    def get(self, reject_id: int) -> StoredReject | None:
        """Find a reject, with all its bytes."""
        query = self._select(rejects.c.raw).where(rejects.c.id == reject_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._reject(row._mapping)

    def _select(self, raw: Any) -> Any:
        others = [column for column in rejects.c if column is not rejects.c.raw]
        length = func.length(rejects.c.raw).label("length")
        return select(*others, raw, length, devices.c.sn).join(devices)

    def _reject(self, row: RowMapping) -> StoredReject:
        values = opened(self._vault, rejects, row)
        return StoredReject(
            id=values["id"],
            device=values["sn"],
            table=values["table_name"],
            reason=values["reason"] or "",
            raw=values["raw"],
            size=plain_length(values["length"]),
            received_at=values["received_at"],
            damaged=damaged_in(values),
        )
