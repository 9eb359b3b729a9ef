"""Logs in the store: record types whose records are kept as received."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import msgspec
import sqlalchemy
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    case,
    func,
    select,
    text,
)

from ..model import Page
from ..protocol import fields
from ..protocol.records import Batch
from ..protocol.secrecy import EXTRA, RAW
from ..protocol.times import WallClock, doubt_about
from ..stored import TerminalRecord
from .databases import Insert
from .paging import key_of, part_of
from .rows import stored
from .schema import (
    RECORDS,
    PlainText,
    RowId,
    devices,
    metadata,
    no_zone_index,
    record_columns,
)
from .sealed import KEY, opened, seal_columns

if TYPE_CHECKING:
    from .transaction import Transaction


R = TypeVar("R", bound=TerminalRecord)
RETRIED_FOR = 600_000
"""Milliseconds within which an equal record without a time counts as a retransmission."""
CONSTANT_STAMPS = frozenset({None, "", "0", "9999"})
"""Stamps that do not distinguish uploads; new firmware always sends 9999."""
NO_FILTERS: Mapping[str, object] = MappingProxyType({})
_AT_ONCE = 500
"""Digests per query."""


def log_table(name: str, table: fields.Table) -> sqlalchemy.Table:
    """Declare the table of a record type whose records are kept as received, in storage order.

    Each of `Table.filters` has an index, whose name is that of the table and of the field.
    """
    timed = "time" in table.names
    return sqlalchemy.Table(
        name,
        metadata,
        Column("id", RowId, primary_key=True),
        Column("device_id", RowId, ForeignKey("devices.id"), nullable=False),
        *([Column("utc", BigInteger(), nullable=False)] if timed else []),
        *([Column("doubt", PlainText())] if timed else []),
        Column("received_at", BigInteger(), nullable=False),
        Column("identity", LargeBinary(), nullable=False),
        # Digest of a record without a time, to find repetitions: see `logs`.
        *(
            []
            if timed
            else [Column("digest", LargeBinary(), nullable=False, server_default=text("''"))]
        ),
        *record_columns(table),
        UniqueConstraint("device_id", "identity", name=f"{name}_identity"),
        Index(f"{name}_device", "device_id", "id"),
        *(Index(f"{name}_{field}", field, "id") for field in table.filters),
        no_zone_index(name) if timed else Index(f"{name}_repeated", "device_id", "digest"),
        info={KEY: ("device_id", "identity"), RECORDS: (table,)},
    )


class LogStore(Generic[R]):
    """Records of one type, kept as received; a subclass names their tables."""

    records: ClassVar[fields.Table]
    """Declaration of the records on the wire."""
    kept: ClassVar[sqlalchemy.Table]
    """Database table."""
    values: type[R]
    """Type of the values returned to readers."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection
        names = self.records.names
        self._time = names.index("time") if "time" in names else None
        own = ("digest",) if self._time is None else ("utc", "doubt")
        self._names = ("device_id", *own, "received_at", "identity", *names, EXTRA, RAW)

    def add(self, device_id: int, batch: Batch, clock: WallClock, now: int) -> None:
        """Store decoded records; records already stored are left unchanged.

        Records without a time are distinguished by the stamp of their upload, by their number among
        equal records of the upload and, in a long upload, by its part. A terminal that resends a
        long upload resends the same parts. With a constant stamp, an equal record within
        `RETRIED_FOR` is a retransmission, and a later one is a new record.
        """
        if batch.rows:
            identities, own = self._identify(device_id, batch, clock, now)
            self._write(device_id, batch, identities, own, now)

    def add_new(
        self, device_id: int, batch: Batch, clock: WallClock, now: int
    ) -> Sequence[fields.Row]:
        """Store decoded records as `add` does, and return the rows that were not stored before.

        This takes a query more than `add`. If two processes store one record at the same time, both
        return it.
        """
        if not batch.rows:
            return ()
        identities, own = self._identify(device_id, batch, clock, now)
        seen = {b"", *self._known(device_id, identities)}
        added: list[fields.Row] = []
        for row, identity in zip(batch.rows, identities, strict=True):
            if identity not in seen:
                seen.add(identity)
                added.append(row)
        if added:
            self._write(device_id, batch, identities, own, now)
        return added

    def _identify(
        self, device_id: int, batch: Batch, clock: WallClock, now: int
    ) -> tuple[Sequence[bytes], list[Sequence[object]]]:
        """Return the identities of the rows, and the columns that are computed with them.

        The identity of a retransmission is empty.
        """
        said = [msgspec.json.encode(row) for row in batch.rows]
        if self._time is None:
            digests = [self._vault.index(one) for one in _numbered(said, batch)]
            is_constant = batch.stamp in CONSTANT_STAMPS
            return self._repeated(device_id, digests, now) if is_constant else digests, [digests]
        times = [str(row[self._time]) for row in batch.rows]
        instants = [clock.utc(time) for time in times]
        second = now // 1000
        doubts = [
            doubt_about(clock, time, instant, second)
            for time, instant in zip(times, instants, strict=True)
        ]
        return [self._vault.index(one) for one in said], [instants, doubts]

    def _write(
        self,
        device_id: int,
        batch: Batch,
        identities: Sequence[bytes],
        own: list[Sequence[object]],
        now: int,
    ) -> None:
        """Insert rows, except for retransmissions and rows that are stored already."""
        count = len(batch.rows)
        columns: tuple[Sequence[object], ...] = (
            [device_id] * count,
            *own,
            [now] * count,
            identities,
            *zip(*batch.rows, strict=True),
        )
        if b"" in identities:
            columns = tuple(list(compress(column, identities)) for column in columns)
            if not columns[0]:
                return
        written = seal_columns(self._vault, self.kept, self._names, columns)
        self._tx.insert(Insert(self.kept, self._names, written))

    def _known(self, device_id: int, identities: Sequence[bytes]) -> Iterator[bytes]:
        """Find the identities that are stored."""
        kept = self.kept.c
        for start in range(0, len(identities), _AT_ONCE):
            query = select(kept.identity).where(
                kept.device_id == device_id,
                kept.identity.in_(identities[start : start + _AT_ONCE]),
            )
            yield from (bytes(one) for one in self._connection.execute(query).scalars())

    def _repeated(self, device_id: int, digests: Sequence[bytes], now: int) -> list[bytes]:
        """Return the identities of records under a constant stamp; empty for a retransmission.

        The identity of a repetition includes the id of the latest equal record. Two nodes that
        store the same repetition at once therefore store it once.
        """
        kept = self.kept.c
        is_near = kept.received_at.between(now - RETRIED_FOR, now + RETRIED_FOR)
        identities: dict[bytes, bytes] = {}
        for start in range(0, len(digests), _AT_ONCE):
            query = (
                select(kept.digest, func.max(kept.id), func.max(case((is_near, 1), else_=0)))
                .where(
                    kept.device_id == device_id,
                    kept.digest.in_(digests[start : start + _AT_ONCE]),
                )
                .group_by(kept.digest)
            )
            for digest, last, is_retry in self._connection.execute(query):
                after = b"" if is_retry else self._vault.index(digest + f"\0{last}".encode())
                identities[bytes(digest)] = after
        return [identities.get(digest, digest) for digest in digests]

    def page(
        self, part: Page, device: str | None, filters: Mapping[str, object] = NO_FILTERS
    ) -> list[R]:
        """List records by id; `filters` are values of fields among `Table.filters`."""
        kept = self.kept
        query = select(kept, devices.c.sn.label("device")).join(
            devices, devices.c.id == kept.c.device_id
        )
        if device is not None:
            query = query.where(kept.c.device_id == key_of(device))
        for name in self.records.filters:
            if filters.get(name) is not None:
                query = query.where(kept.c[name] == filters[name])
        return [
            stored(self.values, opened(self._vault, kept, row._mapping))
            for row in self._connection.execute(part_of(query, kept.c.id, part))
        ]


def _numbered(said: Iterable[bytes], batch: Batch) -> Iterator[bytes]:
    """Extend each encoded record with what distinguishes it from equal ones."""
    seen: Counter[bytes] = Counter()
    stamp = f"\0{batch.stamp or ''}\0"
    part = f"\0{batch.part}" if batch.part else ""
    for one in said:
        seen[one] += 1
        yield one + f"{stamp}{seen[one]}{part}".encode()
