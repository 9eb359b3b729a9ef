"""Rejects: uploaded data that could not be decoded, kept with its bytes.

A reject is a line or a body of up to megabytes. Lists include the bytes of short rejects only, and
do not read the others from the database. Units of work that add or remove rejects also update the
problem of the terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import RowMapping, Select, case, delete, func, select, update

from ..model import Device, Page, Problem
from ..phrases import Phrase
from ..problems import ProblemCode
from ..protocol.faultkinds import FaultKinds
from ..protocol.rejects import REQUEST, Origin, Reject
from ..protocol.replies import TABLE as ANSWERS
from ..protocol.verification import POST_VERIFY_DATA
from ..values.setaside import RejectSelection, RepeatedReject, SealedRejects, StoredReject
from .damage import damaged_in
from .databases import Insert, insert
from .devices import DeviceStore
from .limits import of_terminals
from .paging import key_of, part_of
from .rejectrows import COLUMNS, cause_of, seal_rejects
from .rejectwords import MOST_COUNTED, cause_in_words, rejects_in_words
from .schema import devices, kept_records, plain, reject_readers, rejects
from .sealed import opened, sealed
from .vault import plain_length, sealed_length

if TYPE_CHECKING:
    from .transaction import Transaction

LISTED_BYTES = 4096
"""Longest reject, in bytes, that a list shows."""
_AGAIN = (
    "(device_id, digest) DO UPDATE SET times = rejects.times + 1, "
    "last_at = excluded.received_at, address = coalesce(excluded.address, rejects.address)"
)
"""Conflict clause for bytes of a terminal that are kept already."""
_ALL = RejectSelection()
NO_TABLES = frozenset({ANSWERS, POST_VERIFY_DATA, REQUEST})
"""Table names of rejects that are not uploads."""
OTHER = "other"
"""Key in `RejectStore.counts` for all other tables."""
_PART = 500
"""Terminals per query."""
_MOST_GROUPS = 100
"""Most groups of rejects with the same faults that are looked at for the problem of a terminal."""


class RejectStore:
    """Lines and bodies that could not be decoded, with their bytes."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection

    def add(self, device_id: int, rejects_: Sequence[Reject], now: int, attempts: int = 0) -> None:
        """Encrypt and store a few rejects; equal bytes of the same terminal are kept once.

        Large numbers are encrypted on another thread, for `add_sealed`.
        """
        if rejects_:
            self.add_sealed(seal_rejects(self._vault, device_id, rejects_, now, attempts))

    def add_sealed(self, rejects_: SealedRejects) -> None:
        """Store rejects encrypted by `IStore.seal_rejects`, and raise the terminal's problem.

        Equal bytes of the same terminal are kept once, with how often they came.
        """
        self._tx.insert(Insert(rejects, COLUMNS, rejects_.columns, _AGAIN))
        device = self._tx[DeviceStore].get(rejects_.device_id)
        # A background job updates the count later, so that not every upload changes the terminal.
        if _problem_of(device) is None:
            self.update_problem(device)

    def again(self, reject_id: int, now: int) -> bool:
        """Count an attempt to decode a reject; False if it no longer exists.

        The row stays locked until this unit of work ends.
        """
        tried = (
            update(rejects)
            .where(rejects.c.id == reject_id)
            .values(attempts=rejects.c.attempts + 1, tried_at=now)
        )
        return bool(self._connection.execute(tried).rowcount)

    def failed(self, reject: StoredReject, reason: str) -> None:
        """Record why a reject cannot be decoded now."""
        key = select(rejects.c.device_id, rejects.c.digest).where(rejects.c.id == reject.id)
        row = self._connection.execute(key).one()._mapping
        written = sealed(self._vault, rejects, {**row, "reason": plain(reason)})
        self._connection.execute(
            update(rejects)
            .where(rejects.c.id == reject.id)
            .values(reason=written["reason"], cause=cause_of(reject.table, reason))
        )

    def remove(self, reject_id: int) -> None:
        """Remove a reject that was decoded."""
        self._connection.execute(delete(rejects).where(rejects.c.id == reject_id))

    def update_problem(self, device: Device) -> None:
        """Raise, update or clear the problem of a terminal to match its rejects."""
        known = _problem_of(device)
        problem = self._problem(device)
        if problem is None:
            self._tx[DeviceStore].clear_problem(device.id, ProblemCode.REJECTS)
        elif problem != known:
            self._tx[DeviceStore].raise_problem(device.id, problem)

    def current(self, device: Device) -> Device:
        """Return a terminal whose problem matches its rejects now; the stored one may be behind."""
        known = _problem_of(device)
        problem = None if known is None else self._problem(device)
        if problem == known:
            return device
        problems = [problem if one.code == ProblemCode.REJECTS else one for one in device.problems]
        there = tuple(one for one in problems if one is not None)
        return msgspec.structs.replace(device, problems=there)

    def outdated_problems(self) -> list[int]:
        """List the terminals whose problem does not match their rejects."""
        found = [self._tx[DeviceStore].get(key) for key in self.readers()]
        known = {device.id for device in found}
        after = 0
        while part := self._tx[DeviceStore].with_problems(Page(_PART, after)):
            found += [one for one in part if one.id not in known and _problem_of(one) is not None]
            after = part[-1].id
        return [device.id for device in found if _problem_of(device) != self._problem(device)]

    def readers(self) -> Mapping[int, str | None]:
        """Map terminals with rejects to the reader that last tried all of them."""
        having = select(rejects.c.device_id).distinct().subquery()
        query = select(having.c.device_id, reject_readers.c.reader).join_from(
            having,
            reject_readers,
            reject_readers.c.device_id == having.c.device_id,
            isouter=True,
        )
        return {row.device_id: row.reader for row in self._connection.execute(query)}

    def remember_reader(self, device_id: int, reader: str) -> None:
        """Record the reader that has tried all rejects of a terminal."""
        statement = insert(self._connection, reject_readers).values(
            device_id=device_id, reader=reader
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[reject_readers.c.device_id], set_={"reader": reader}
            )
        )

    def counts(self, areas: frozenset[str] | None = None) -> Mapping[str, int]:
        """Count rejects by table; `OTHER` counts those of undeclared names.

        Terminals can send any text as the name of a table. `areas` are those of a limited caller.
        """
        query = select(rejects.c.table_name, func.count()).group_by(rejects.c.table_name)
        counts, known = Counter[str](), kept_records()
        mine = of_terminals(rejects.c.device_id, areas)
        for name, count in self._connection.execute(query.where(*mine)):
            table = known.get(name)
            ours = name if name in NO_TABLES else OTHER
            counts[ours if table is None else table.name] += int(count)
        return counts

    def is_table(self, name: str) -> bool:
        """Whether there are rejects of a table."""
        query = select(rejects.c.id).where(rejects.c.table_name == plain(name)).limit(1)
        return self._connection.execute(query).one_or_none() is not None

    def remove_table(self, device_id: int, table: str) -> None:
        """Remove a terminal's rejects of a table, which a newer one replaces."""
        self._connection.execute(
            delete(rejects).where(
                rejects.c.device_id == device_id, rejects.c.table_name == plain(table)
            )
        )

    def count(self, device_id: int, table: str) -> int:
        """Count a terminal's rejects of a table."""
        query = (
            select(func.count())
            .select_from(rejects)
            .where(rejects.c.device_id == device_id, rejects.c.table_name == table)
        )
        return int(self._connection.execute(query).scalar_one())

    def newest(
        self, table: str, since: int, most: int, areas: frozenset[str] | None = None
    ) -> list[StoredReject]:
        """List the newest `most` rejects of a table since an instant (ms), as `page` does.

        `areas` are those of a limited caller.
        """
        query = self._listed(RejectSelection(table=table)).where(
            rejects.c.received_at >= since, *of_terminals(rejects.c.device_id, areas)
        )
        return self._read(query.order_by(rejects.c.id.desc()).limit(most))

    def newest_id(self, device_id: int) -> int | None:
        """Return the ID of a terminal's newest reject; None if there is none."""
        newest = select(func.max(rejects.c.id)).where(rejects.c.device_id == device_id)
        found = self._connection.execute(newest).scalar_one()
        return None if found is None else int(found)

    def most_repeated(self, device_id: int) -> RepeatedReject | None:
        """Return which of a terminal's newest rejects came most often; None if each came once."""
        own = rejects.c.device_id == device_id
        newest = select(rejects).where(own).order_by(rejects.c.id.desc()).limit(MOST_COUNTED)
        found = newest.subquery().c
        query = (
            select(found.id, found.times, found.last_at)
            .where(found.times > 1)
            .order_by(found.times.desc(), found.id.desc())
            .limit(1)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else RepeatedReject(row.id, row.times, row.last_at)

    def last_id(self) -> int:
        """Return the highest id of a reject; 0 if there is none."""
        return int(self._connection.execute(select(func.max(rejects.c.id))).scalar_one() or 0)

    def page(
        self, part: Page, device: str | None = None, selection: RejectSelection = _ALL
    ) -> list[StoredReject]:
        """List rejects by id, without the bytes of those above `LISTED_BYTES`."""
        query = self._listed(selection)
        if device is not None:
            query = query.where(rejects.c.device_id == key_of(device))
        return self._read(part_of(query, rejects.c.id, part))

    def get(self, reject_id: int) -> StoredReject | None:
        """Find a reject, with all its bytes."""
        query = self._select(rejects.c.raw).where(rejects.c.id == reject_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._reject(row._mapping)

    def _problem(self, device: Device) -> Problem | None:
        """Return the problem of a terminal with rejects; it contains no restricted data."""
        own = rejects.c.device_id == device.id
        since_at = self._connection.execute(
            select(rejects.c.received_at).where(own).order_by(rejects.c.id).limit(1)
        ).scalar_one_or_none()
        if since_at is None:
            return None
        newest = (
            select(rejects.c.id, rejects.c.table_name, rejects.c.cause)
            .where(own)
            .order_by(rejects.c.id.desc())
            .limit(MOST_COUNTED + 1)
            .subquery()
        )
        counting = select(func.count()).select_from(newest)
        count = int(self._connection.execute(counting).scalar_one())
        last = func.max(newest.c.id)
        grouped = (
            select(newest.c.table_name, newest.c.cause, func.count(), last)
            .group_by(newest.c.table_name, newest.c.cause)
            .order_by(last.desc())
            .limit(_MOST_GROUPS)
        )
        faults = Counter[Phrase]()
        for table, cause, number, key in self._connection.execute(grouped):
            for one, each in FaultKinds(self._old_cause(key) if cause is None else cause):
                faults[cause_in_words(table, one)] += number * each
        return Problem(ProblemCode.REJECTS, rejects_in_words(count, [*faults.items()]), since_at)

    def _old_cause(self, reject_id: int) -> str:
        """Return the cause of a reject that was stored without one."""
        query = self._select(rejects.c.raw).where(rejects.c.id == reject_id)
        found = self._reject(self._connection.execute(query).one()._mapping)
        return cause_of(found.table, found.reason)

    def _listed(self, selection: RejectSelection) -> Select[Any]:
        length = func.length(rejects.c.raw)
        raw = case((length <= sealed_length(LISTED_BYTES), rejects.c.raw)).label("raw")
        query = self._select(raw)
        if selection.device is not None:
            query = query.where(rejects.c.device_id == key_of(selection.device))
        if selection.table is not None:
            query = query.where(rejects.c.table_name == plain(selection.table))
        return query

    def _read(self, query: Select[Any]) -> list[StoredReject]:
        return [self._reject(row._mapping) for row in self._connection.execute(query)]

    def _select(self, raw: Any) -> Select[Any]:
        others = [column for column in rejects.c if column is not rejects.c.raw]
        length = func.length(rejects.c.raw).label("length")
        return select(*others, raw, length, devices.c.sn).join(devices)

    def _reject(self, row: RowMapping) -> StoredReject:
        values = opened(self._vault, rejects, row)
        return StoredReject(
            id=values["id"],
            device=values["sn"],
            device_id=values["device_id"],
            table=values["table_name"],
            reason=values["reason"] or "",
            raw=values["raw"],
            size=plain_length(values["length"]),
            received_at=values["received_at"],
            packed=bool(values["packed"]),
            name=values["name"],
            origin=_decoded(values["origin"]),
            attempts=values["attempts"],
            tried_at=values["tried_at"],
            times=values["times"],
            last_at=values["last_at"] or values["received_at"],
            address=values["address"],
            damaged=damaged_in(values),
        )


def _decoded(origin: str | None) -> Origin | None:
    """Decode the origin of a reject; None also if it is damaged."""
    return msgspec.json.decode(origin, type=Origin) if origin else None


def _problem_of(device: Device) -> Problem | None:
    """Return the rejects problem of a terminal, or None."""
    for problem in device.problems:
        if problem.code == ProblemCode.REJECTS:
            return problem
    return None
