"""All records of a terminal, kept whether or not the server has them."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable

import attrs

from ..handlers.entries.tables import TABLES as ENTRY_TABLES
from ..handlers.people.tables import BIOPHOTO, TEMPLATE_TABLES, USER, USERPIC
from ..protocol.codes import BiometricType
from ..protocol.exchange import STAMPS
from ..protocol.fields import Table
from .record import Record, RecordForm

_HELD = (USER, USERPIC, BIOPHOTO, *TEMPLATE_TABLES, *ENTRY_TABLES)
"""Tables with at most one record per key: a new record replaces the old one."""


@attrs.define
class _Queue:
    """The records of one data type."""

    every: list[Record] = attrs.field(factory=list)
    waiting: deque[Record] = attrs.field(factory=deque)
    last: int = 0
    """Last assigned stamp."""

    def add(self, record: Record) -> None:
        self.every.append(record)
        self.last += 1
        record.stamp = self.last
        if not (record.sent or record.hidden):
            self.waiting.append(record)

    def erase(self, records: set[Record]) -> None:
        self.every = [record for record in self.every if record not in records]
        self.waiting = deque(record for record in self.waiting if record not in records)


class Outbox:
    """Records in order of creation, with a send queue for each data type."""

    def __init__(self) -> None:
        self._every: list[Record] = []
        self._queues: dict[str, _Queue] = {}
        self._held: dict[tuple[object, ...], Record] = {}
        self._counts: Counter[tuple[str, BiometricType | None]] = Counter()
        self._past: Counter[str] = Counter()
        """Number of acknowledged records that were erased, by table."""
        self._choose: Callable[[Record], RecordForm | None] = lambda record: record.own
        self.clear()

    def clear(self) -> None:
        """Empty the queues; the records are kept."""
        self._queues = {name: _Queue() for name, _, _ in STAMPS}

    @property
    def waiting(self) -> int:
        """Number of records to send."""
        return sum(len(queue.waiting) for queue in self._queues.values())

    @property
    def acknowledged(self) -> Counter[str]:
        """Number of records that the server has acknowledged, by table."""
        taken = (record for record in self._every if record.sent and not record.given)
        return self._past + Counter(record.form.table.name for record in taken)

    def count(self, table: Table, type_: BiometricType | None = None) -> int:
        """Number of records on the terminal, optionally of one biometric type."""
        return self._counts[table.name, type_]

    def made(self, table: Table) -> int:
        """Number of records ever made, except for those erased unsent."""
        return self._past[table.name] + sum(
            count for (name, _), count in self._counts.items() if name == table.name
        )

    def held(self, *tables: Table) -> list[Record]:
        """Return the current records of tables with one record per key."""
        return [record for record in self._held.values() if record.own.table in tables]

    def find(self, key: tuple[object, ...]) -> Record | None:
        """Return the current record of a key; None if there is none."""
        return self._held.get(key)

    def records(self, table: Table) -> list[Record]:
        """Return the records of a table, except for erased ones."""
        return [record for record in self._every if record.own.table is table]

    def add(self, record: Record) -> None:
        """Store a record, and queue it if the server requests it."""
        table = record.own.table
        if table in _HELD or record.given:
            former = self._held.get(record.key)
            if former is not None:
                self._drop(former)
            self._held[record.key] = record
        self._counts[table.name, record.type] += 1
        self._every.append(record)
        self._queue(record)

    def forget(self, pin: str) -> None:
        """Drop the current records of a person; queued records are still sent."""
        for record in list(self._held.values()):
            if record.own.values.get("pin") == pin and record.own.table not in ENTRY_TABLES:
                self._drop(record)

    def drop(self, records: Iterable[Record]) -> None:
        """Drop some current records; queued records are still sent."""
        for record in records:
            self._drop(record)

    def erase(self, records: Iterable[Record]) -> None:
        """Erase records as if they had never existed; queued ones are not sent."""
        erased = set(records)
        for record in erased:
            if record.sent and not record.given:
                self._past[record.form.table.name] += 1
            if not record.gone:
                self._counts[record.own.table.name, record.type] -= 1
                record.gone = True
            if self._held.get(record.key) is record:
                del self._held[record.key]
        self._every = [record for record in self._every if record not in erased]
        for queue in self._queues.values():
            queue.erase(erased)

    def everything(self) -> list[Record]:
        """Return all records, including dropped ones."""
        return list(self._every)

    def stamp(self, data_type: str) -> int:
        """Return the stamp up to which the server has all records of a data type."""
        queue = self._queues[data_type]
        return queue.waiting[0].stamp - 1 if queue.waiting else queue.last

    def obey(self, choose: Callable[[Record], RecordForm | None]) -> None:
        """Queue requested records; `choose` returns the form of a record, None to omit it."""
        self._choose = choose
        self.clear()
        for record in self._every:
            self._queue(record)

    def again(self, data_type: str) -> None:
        """Queue all current records of a data type, as its stamp is 0 (5)."""
        queue = self._queues[data_type]
        for record in queue.every:
            record.sent = record.sent and record.gone
            record.given = record.given and record.gone
        queue.waiting = deque(record for record in queue.every if not record.sent)

    def part(self, data_type: str, most: int) -> list[Record]:
        """Return the oldest queued records of a data type."""
        return list(itertools.islice(self._queues[data_type].waiting, most))

    def acknowledge(self, records: list[Record]) -> None:
        """Mark records as acknowledged."""
        for record in records:
            record.sent = True
        for queue in self._queues.values():
            while queue.waiting and queue.waiting[0].sent:
                queue.waiting.popleft()

    def _queue(self, record: Record) -> None:
        form = self._choose(record)
        if form is not None:
            record.form = form
            self._queues[form.data_type].add(record)

    def _drop(self, record: Record) -> None:
        record.gone = True
        del self._held[record.key]
        self._counts[record.own.table.name, record.type] -= 1
