"""Trace in the store, with a bounded number of rows for each terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import select, text

from ...persist.databases import Insert
from ...persist.schema import devices
from ...persist.transaction import Transaction
from .model import KEPT, TracedContent, TracedRequest
from .schema import trace

_NEWEST_FIRST = (trace.c.at.desc(), trace.c.number.desc())
_NAMES = ("writer", "number", "device_id", "since_at", "at", "count", "refused", "request")
_TRIM = text("""
DELETE FROM trace WHERE device_id = :device AND refused = :refused AND (at, number) < (
    SELECT kept.at, kept.number FROM trace AS kept
    WHERE kept.device_id = :device AND kept.refused = :refused
    ORDER BY kept.at DESC, kept.number DESC LIMIT 1 OFFSET :kept - 1
)
""")


class TraceStore:
    """Last requests of terminals."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def write(self, requests: Sequence[TracedRequest], trim: Collection[int]) -> None:
        """Write new requests and the counts of known ones; trim the rows of some terminals.

        Omits requests of terminals that were removed.
        """
        ids = {one.device_id for one in requests}
        there = set(
            self._connection.execute(select(devices.c.id).where(devices.c.id.in_(ids))).scalars()
        )
        rows = [
            (
                one.writer,
                one.number,
                one.device_id,
                one.since_at,
                one.at,
                one.count,
                int(one.refused),
                msgspec.json.encode(one.content).decode(),
            )
            for one in requests
            if one.device_id in there
        ]
        if rows:
            changed = '(writer, number) DO UPDATE SET at = excluded.at, "count" = excluded."count"'
            self._tx.insert(Insert(trace, _NAMES, list(zip(*rows, strict=True)), changed))
        if trim:
            self._connection.execute(
                _TRIM,
                [
                    {"device": device_id, "refused": refused, "kept": KEPT}
                    for device_id in trim
                    for refused in (0, 1)
                ],
            )

    def of(self, device_id: int) -> list[TracedRequest]:
        """List the last requests of a terminal, both served and rejected, newest last."""
        found: list[TracedRequest] = []
        for refused in (0, 1):
            query = (
                select(trace)
                .where(trace.c.device_id == device_id, trace.c.refused == refused)
                .order_by(*_NEWEST_FIRST)
                .limit(KEPT)
            )
            for row in self._connection.execute(query).mappings():
                found.append(
                    TracedRequest(
                        writer=row["writer"],
                        number=row["number"],
                        device_id=device_id,
                        since_at=row["since_at"],
                        at=row["at"],
                        count=row["count"],
                        refused=bool(refused),
                        content=msgspec.json.decode(row["request"], type=TracedContent),
                    )
                )
        return sorted(found, key=lambda one: (one.at, one.number))
