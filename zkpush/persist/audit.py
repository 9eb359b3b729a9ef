"""Audit log in the store: an append-only hash chain in commit order.

No state is kept between units of work. A unit that adds rows first reads the head of the chain
under the lock that orders ids, and holds that lock until it commits. Units without audit rows take
no lock.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Column, ColumnElement, CompoundSelect, Row, delete, func, or_, select, union
from twisted.logger import Logger

from ..counting import agreeing, counted
from ..interfaces import StoreError
from ..model import Page
from ..values.audit import AuditRecord, device_actor, terminal_subject
from .buffers import BufferedInserts
from .chain import HEAD, Head, is_linked, linked
from .chain import Row as Link
from .databases import Insert
from .paging import part_of
from .schema import PERSON as PERSON_COLUMN
from .schema import audit, audit_head, metadata, plain
from .vault import PERSON

if TYPE_CHECKING:
    from .transaction import Transaction

SERVER = "server"
"""Actor of actions that the server takes by itself."""
CHECKPOINT = "checkpoint"
"""Action of the row that records which rows retention removed."""
MOST_ACTORS = 300
"""Maximum number of actors that are listed."""
TAMPERED = "tampered"
"""Action of the row that records that the log had been changed outside the server."""
COLUMNS = ("id", "at", "actor", "action", "subject", "detail")
_HEAD_NAMES = ("name", "last_id", "last_mac", "start_id", "start_mac", "seal")
_REPLACE = "(name) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _HEAD_NAMES[1:]
)
_PSEUDONYM = re.compile(rf"{PERSON}[0-9a-f]{{20}}")


class AuditStore(BufferedInserts):
    """Audit records in a keyed hash chain; triggers in the database reject changes to them.

    Only `forget` removes records: the oldest ones, leaving a checkpoint. The rows of a group of
    units are written together at its end.
    """

    order = 2
    accepts_retired = False
    """Whether a head sealed under a retired key is accepted."""
    _log = Logger()

    def __init__(self, tx: Transaction) -> None:
        self._connection = tx.connection
        self._keys = tx.vault.audit
        self._start: tuple[int, bytes] | None = None
        super().__init__(tx)

    def add(self, actor: str, action: str, subject: str, detail: str | None, now: int) -> None:
        """Record an action; `now` is in milliseconds.

        `subject` and `detail` must contain no secrets, and must name people only by their
        pseudonyms (`person`).
        """
        told = None if detail is None else plain(detail)
        self.waiting.append((now, plain(actor), plain(action), plain(subject), told))

    def person(self, pin: str) -> str:
        """Return the pseudonym of a person, for use in a subject or a detail."""
        return self._keys.pseudonym(pin)

    def page(
        self,
        part: Page,
        since: int | None = None,
        until: int | None = None,
        actor: str | None = None,
        action: str | None = None,
        pin: str | None = None,
        subject: str | None = None,
        device: str | None = None,
        actors: Collection[str] | None = None,
    ) -> list[AuditRecord]:
        """List records by id, from `since` (inclusive) to `until` (exclusive), in milliseconds.

        `actors` selects the records of any of them.
        `pin` selects the records that name this person, and `device` those of what a terminal did
        and of what was done to it.
        """
        self.flush()
        wanted = []
        if since is not None:
            wanted.append(audit.c.at >= since)
        if until is not None:
            wanted.append(audit.c.at < until)
        if actor is not None:
            wanted.append(audit.c.actor == actor)
        if actors is not None:
            wanted.append(audit.c.actor.in_(actors))
        if action is not None:
            wanted.append(audit.c.action == action)
        if subject is not None:
            wanted.append(audit.c.subject == subject)
        if pin is not None:
            name = self.person(pin)
            wanted.append(or_(audit.c.subject.contains(name), audit.c.detail.contains(name)))
        if device is not None:
            wanted.append(audit.c.id.in_(_of_device(device, part, wanted)))
        query = part_of(select(*(audit.c[name] for name in COLUMNS)), audit.c.id, part)
        rows = self._connection.execute(query.where(*wanted)).all()
        pins = self._pins(text for row in rows for text in (row.subject, row.detail) if text)
        return [_record(row, pins) for row in rows]

    def actors(self) -> list[str]:
        """Return the actors of all records, up to `MOST_ACTORS`, read from their index."""
        self.flush()
        found: list[str] = []
        query = select(func.min(audit.c.actor))
        following = query
        while len(found) < MOST_ACTORS:
            actor = self._connection.execute(following).scalar()
            if actor is None:
                break
            found.append(actor)
            following = query.where(audit.c.actor > actor)
        return found

    def forget(self, before: int, limit: int, setting: str, now: int) -> int:
        """Remove up to `limit` of the oldest records from before an instant (ms); return the count.

        A checkpoint records the removed rows, the instant and `setting`. Older checkpoints are not
        counted. Raises `StoreError`, and removes nothing, if a record or the head was tampered
        with.
        """
        self.flush()
        head = self._sound_head()
        query = select(audit).order_by(audit.c.id).limit(limit)
        gone: list[Row[Any]] = []
        mac = head.start_mac
        for row in self._connection.execute(query):
            if row.at >= before or row.id >= head.last_id:
                break
            if not is_linked(self._keys, mac, link(row), bytes(row.mac)):
                raise StoreError(f"row {row.id} of the audit log was changed; nothing is removed")
            gone.append(row)
            mac = bytes(row.mac)
        # An earlier checkpoint is removed only together with other rows.
        count = sum(1 for row in gone if row.action != CHECKPOINT)
        if not count:
            return 0
        last = gone[-1].id
        self._start = last, mac
        detail = (
            f"{counted(len(gone), 'row')} from before {_day(before)} "
            f"{agreeing(len(gone), 'is', 'are')} removed; {setting}; chain {mac.hex()}"
        )
        self.add(SERVER, CHECKPOINT, f"rows up to {last}", detail, now)
        self.flush()
        self._connection.execute(delete(audit).where(audit.c.id <= last))
        return count

    def take(self) -> list[Insert]:
        """Take the pending rows, linked to the chain, and the new head."""
        if not self.waiting:
            return []
        head, newest, fault = self._read_head()
        rows = [*self.waiting]
        if fault is not None:
            self._log.critical("The audit log was tampered with: {fault}", fault=fault)
            rows.insert(0, (rows[0][0], SERVER, TAMPERED, "audit log", fault))
        first = max(head.last_id, newest) + 1
        links = [Link(first + place, *row) for place, row in enumerate(rows)]
        macs = [*linked(self._keys.chain, head.last_mac, links)]
        start_id, start_mac = self._start or (head.start_id, head.start_mac)
        self.forget_waiting()
        new = Head(links[-1].id, macs[-1], start_id, start_mac)
        columns = list(zip(*map(attrs.astuple, links), strict=True))
        return [
            Insert(audit, (*COLUMNS, "mac"), [*columns, macs]),
            head_insert(new, new.seal(self._keys.chain)),
        ]

    def forget_waiting(self) -> None:
        """Drop the pending rows: their transaction is not committed."""
        self.waiting: list[tuple[int, str, str, str, str | None]] = []
        self._start = None

    def _read_head(self) -> tuple[Head, int, str | None]:
        """Return the head of the chain, the newest id, and the fault of the two or None.

        Other transactions cannot read the head until this one ends.
        """
        newest, *values = self._tx.database.audit_head(self._tx.driver)
        newest = newest or 0
        if values[0] is None:
            return Head(last_id=newest), newest, "the head of its chain was removed"
        head, seal = stored_head(*values)
        good = [self._keys.chain, *(self._keys.retired if self.accepts_retired else ())]
        if not head.is_sealed(seal, good):
            return head, newest, f"the head of its chain was changed, to {head.last_id}"
        if newest < head.last_id:
            return head, newest, f"rows {newest + 1} to {head.last_id} were removed"
        if newest > head.last_id:
            return head, newest, f"rows {head.last_id + 1} to {newest} were added past the server"
        return head, newest, None

    def _sound_head(self) -> Head:
        head, _, fault = self._read_head()
        if fault is not None:
            raise StoreError(f"the audit log was tampered with: {fault}; nothing is removed")
        return head

    def _pins(self, texts: Iterable[str]) -> Mapping[str, str]:
        """Map pseudonyms in texts to user IDs, as far as these are known."""
        wanted = {name for text in texts for name in _PSEUDONYM.findall(text)}
        found: dict[str, str] = {}
        if wanted:
            for column in _people():
                for pin in self._connection.execute(
                    select(column).where(column.is_not(None))
                ).scalars():
                    name = self.person(pin)
                    if name in wanted:
                        found[name] = pin
        return found


class RotatingAuditStore(AuditStore):
    """Audit log during a key rotation."""

    accepts_retired = True


def stored_head(
    last_id: int, last_mac: bytes, start_id: int, start_mac: bytes, seal: bytes
) -> tuple[Head, bytes]:
    """Make a head and its seal from the columns of its row."""
    return Head(last_id, bytes(last_mac), start_id, bytes(start_mac)), bytes(seal)


def head_insert(head: Head, seal: bytes) -> Insert:
    """Return the insert that replaces the head."""
    values = (HEAD, head.last_id, head.last_mac, head.start_id, head.start_mac, seal)
    return Insert(audit_head, _HEAD_NAMES, [[value] for value in values], _REPLACE)


def link(row: Row[Any]) -> Link:
    """Return the part of a stored row that its MAC covers."""
    return Link(*(getattr(row, name) for name in COLUMNS))


def _of_device(
    sn: str, part: Page, wanted: Sequence[ColumnElement[bool]]
) -> CompoundSelect[tuple[int]]:
    """Return a query for the ids of a part of the records about a terminal.

    One query for each index reads no more than the part; `OR` would read all of the terminal.
    """
    ways = (audit.c.actor == device_actor(sn), audit.c.subject == terminal_subject(sn))
    parts = [
        part_of(select(audit.c.id).where(way, *wanted), audit.c.id, part).subquery() for way in ways
    ]
    return union(*(select(one.c.id) for one in parts))


def _people() -> list[Column[str]]:
    """List the columns that hold user IDs."""
    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if column.info.get(PERSON_COLUMN)
    ]


def _record(row: Row[Any], pins: Mapping[str, str]) -> AuditRecord:
    names = _PSEUDONYM.findall(f"{row.subject} {row.detail or ''}")
    known = [pins[name] for name in dict.fromkeys(names) if name in pins]
    return AuditRecord(**{str(name): value for name, value in row._mapping.items()}, pins=known)


def _day(at: int) -> str:
    return datetime.datetime.fromtimestamp(at / 1000, datetime.UTC).isoformat(timespec="seconds")
