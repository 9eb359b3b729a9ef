"""The trace in the store: a bounded number of rows for each terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import delete, select, tuple_

from ...persist.databases import insert
from ...persist.schema import devices, trace
from ...persist.transaction import Transaction
from .model import KEPT, TracedContent, TracedRequest

_NEWEST_FIRST = (trace.c.at.desc(), trace.c.number.desc())


class TraceStore:
    """The last requests of terminals."""

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection

    def write(self, requests: Sequence[TracedRequest], trim: Collection[int]) -> None:
        """Write new requests, and the counts of known ones; trim the rows of some terminals.

        Requests of terminals that are removed are left out.
        """
        ids = {one.device_id for one in requests}
        there = set(
            self._connection.execute(select(devices.c.id).where(devices.c.id.in_(ids))).scalars()
        )
        rows = [
            {
                "writer": one.writer,
                "number": one.number,
                "device_id": one.device_id,
                "since_at": one.since_at,
                "at": one.at,
                "count": one.count,
                "refused": int(one.refused),
                "request": msgspec.json.encode(one.content).decode(),
            }
            for one in requests
            if one.device_id in there
        ]
        if rows:
            statement = insert(self._connection, trace)
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[trace.c.writer, trace.c.number],
                    set_={"at": statement.excluded.at, "count": statement.excluded["count"]},
                ),
                rows,
            )
        for device_id in trim:
            self._trim(device_id)

    def of(self, device_id: int) -> list[TracedRequest]:
        """List the last requests of a terminal, of both kinds; the newest last."""
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

    def _trim(self, device_id: int) -> None:
        for refused in (0, 1):
            of_kind = (trace.c.device_id == device_id) & (trace.c.refused == refused)
            key = tuple_(trace.c.writer, trace.c.number)
            kept = select(trace.c.writer, trace.c.number).where(of_kind)
            kept = kept.order_by(*_NEWEST_FIRST).limit(KEPT)
            self._connection.execute(delete(trace).where(of_kind, key.not_in(kept)))
