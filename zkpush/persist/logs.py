"""Logs in the store: records of any type that are kept as they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import msgspec
import sqlalchemy
from sqlalchemy import select

from ..model import Page
from ..protocol import fields
from ..protocol.records import Batch
from ..protocol.secrecy import EXTRA, RAW
from ..protocol.times import WallClock, doubt_about
from ..stored import TerminalRecord
from .databases import Insert
from .rows import stored
from .schema import devices
from .sealed import opened, seal_columns

if TYPE_CHECKING:
    from .transaction import Transaction


R = TypeVar("R", bound=TerminalRecord)


class LogStore(Generic[R]):
    """Records of one type that are kept as they came; a subclass names their tables."""

    records: ClassVar[fields.Table]
    """The declaration of the records on the wire."""
    kept: ClassVar[sqlalchemy.Table]
    """The table of the database."""
    values: type[R]
    """What is returned to readers."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection
        names = self.records.names
        self._time = names.index("time") if "time" in names else None
        timed = () if self._time is None else ("utc", "doubt")
        self._names = ("device_id", *timed, "received_at", "identity", *names, EXTRA, RAW)

    def add(self, device_id: int, batch: Batch, clock: WallClock, now: int) -> None:
        """Store decoded records; one that is there already stays as it is.

        Records without a time are told apart by the stamp of their upload, by how often the same
        was in it, and, in a long upload, by the part of it. A terminal that sends a long upload
        again sends the same parts.
        """
        count = len(batch.rows)
        if not count:
            return
        said = [msgspec.json.encode(row) for row in batch.rows]
        values: list[Sequence[object]] = list(zip(*batch.rows, strict=True))
        timed: list[Sequence[object]] = []
        if self._time is None:
            said = list(_numbered(said, batch))
        else:
            times = [str(time) for time in values[self._time]]
            instants = [clock.utc(time) for time in times]
            second = now // 1000
            doubts = [
                doubt_about(clock, time, instant, second)
                for time, instant in zip(times, instants, strict=True)
            ]
            timed = [instants, doubts]
        identities = [self._vault.index(one) for one in said]
        columns = ([device_id] * count, *timed, [now] * count, identities, *values)
        written = seal_columns(self._vault, self.kept, self._names, columns)
        self._tx.insert(Insert(self.kept, self._names, written))

    def page(self, part: Page, device: str | None) -> list[R]:
        """List records by id."""
        kept = self.kept
        query = (
            select(kept, devices.c.sn.label("device"))
            .join(devices, devices.c.id == kept.c.device_id)
            .where(kept.c.id > part.after)
            .order_by(kept.c.id)
            .limit(part.limit)
        )
        if device is not None:
            query = query.where(devices.c.sn == device)
        return [
            stored(self.values, opened(self._vault, kept, row._mapping))
            for row in self._connection.execute(query)
        ]


def _numbered(said: Iterable[bytes], batch: Batch) -> Iterator[bytes]:
    """What tells records without a time apart, beside what they say."""
    seen: Counter[bytes] = Counter()
    stamp = f"\0{batch.stamp or ''}\0"
    part = f"\0{batch.part}" if batch.part else ""
    for one in said:
        seen[one] += 1
        yield one + f"{stamp}{seen[one]}{part}".encode()
