"""Database check: the integrity of the database and the hash chain of the audit log.

All reads share one transaction and one snapshot, so the daemon can keep running.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
from sqlalchemy import Connection, Row, select

from .audit import CHECKPOINT, COLUMNS, TAMPERED, link, stored_head
from .chain import HEAD, Head, head_words, is_linked
from .databases import Database
from .schema import audit, audit_head
from .transaction import Transaction
from .vault import AuditKeys, Vault

PART = 1000
"""Rows read at a time."""
_TABLE = "the table `audit_head`"


@attrs.frozen
class Checked:
    """Result of a check."""

    rows: int
    """Number of rows in the audit log."""
    removed: int
    """Id of the last row that retention removed; 0 if there is none."""
    head: str
    """End of the chain as `ID:MAC`, to be noted; empty if it cannot be trusted."""
    faults: tuple[str, ...]
    """Faults of the audit log, as text."""
    damage: tuple[str, ...]
    """Faults of the database, as text."""
    notes: tuple[str, ...]
    """Parts that were not checked, with the reasons."""

    @property
    def is_sound(self) -> bool:
        """Whether no fault was found."""
        return not self.faults and not self.damage


def check_thd(database: Database, vault: Vault, noted: str | None) -> Checked:
    """Check the database and the audit log.

    `noted` is a head noted earlier (`ID:MAC`); raises `ValueError` if it has another form.
    """
    place = None if noted is None else _parse(noted)
    damage: list[str] = []
    notes: tuple[str, ...] = ()
    chain = _Chain(vault.audit, place)
    try:
        with database.readers.connect() as connection, connection.begin():
            chain.check(connection)
            damage, notes = database.integrity(connection)
    except database.errors as error:
        damage.append(f"it cannot be read: {database.words(error)}")
    return Checked(
        chain.rows, chain.head.start_id, chain.words, tuple(chain.faults), tuple(damage), notes
    )


def check_chain(tx: Transaction) -> tuple[int, Sequence[str]]:
    """Walk the audit log; return the number of its rows and its faults as text."""
    chain = _Chain(tx.vault.audit, None)
    chain.check(tx.connection)
    return chain.rows, chain.faults


def _parse(noted: str) -> tuple[int, bytes]:
    number, _, mac = noted.partition(":")
    try:
        return int(number), bytes.fromhex(mac)
    except ValueError:
        raise ValueError(
            "a head has the form ID:MAC, as `zkpush database check` prints it"
        ) from None


class _Chain:
    """One walk through the audit log."""

    def __init__(self, keys: AuditKeys, noted: tuple[int, bytes] | None) -> None:
        self._keys = keys
        self._noted = noted
        self.faults: list[str] = []
        self.rows = 0
        self.head = Head()
        self.words = ""

    def check(self, connection: Connection) -> None:
        """Walk from the start to the end of the chain."""
        is_trusted = self._read_head(connection)
        before, last = self.head.start_mac, self.head.start_id
        has_checkpoint = False
        for row in _all(connection):
            self.rows += 1
            mac = bytes(row.mac)
            if not is_linked(self._keys, before, link(row), mac):
                self._fault(_between(last, row.id))
            elif row.action == TAMPERED:
                self._fault(f"row {row.id}: the server found the log tampered with: {row.detail}")
            elif row.action == CHECKPOINT and row.subject == f"rows up to {self.head.start_id}":
                has_checkpoint |= self.head.start_mac.hex() in (row.detail or "")
            self._compare(row.id, mac)
            before, last = mac, row.id
        if self.head.start_id and not has_checkpoint:
            self._fault(f"rows up to {self.head.start_id} were removed, and no checkpoint says so")
        if not is_trusted:
            return
        if last < self.head.last_id:
            self._fault(f"rows {last + 1} to {self.head.last_id}, at the end, were removed")
        elif (last, before) != (self.head.last_id, self.head.last_mac):
            self._fault(f"the log does not end with row {self.head.last_id}, as its head says")
        if self._noted is not None and self._noted[0] > self.head.last_id:
            self._fault(
                f"the log ends with row {self.head.last_id}, before the noted row "
                f"{self._noted[0]}: the database is an older copy, or rows were removed"
            )
        self.words = "" if self.faults else head_words(last, before)

    def _read_head(self, connection: Connection) -> bool:
        """Read the head; return whether it can be trusted."""
        row = connection.execute(select(audit_head).where(audit_head.c.name == HEAD)).one_or_none()
        if row is None:
            self._fault(f"the head of the chain ({_TABLE}) was removed")
            return False
        head, seal = stored_head(row.last_id, row.last_mac, row.start_id, row.start_mac, row.seal)
        self.head = head
        if not head.is_sealed(seal, [self._keys.chain]):
            self._fault(f"the head of the chain ({_TABLE}) was changed")
            return False
        return True

    def _compare(self, id_: int, mac: bytes) -> None:
        if self._noted is not None and id_ == self._noted[0] and mac != self._noted[1]:
            self._fault(f"row {id_} is not the one that was noted")

    def _fault(self, words: str) -> None:
        self.faults.append(words)


def _between(last: int, here: int) -> str:
    """Describe why a row may not follow the row before it."""
    if here > last + 1:
        return f"rows {last + 1} to {here - 1} were removed, or row {here} was changed"
    return f"row {here} was changed, inserted or moved, or the one before it was"


def _all(connection: Connection) -> Iterator[Row[Any]]:
    """Iterate over all rows by id, including rows that an incomplete removal left."""
    last: int | None = None
    while True:
        query = select(*(audit.c[name] for name in (*COLUMNS, "mac"))).order_by(audit.c.id)
        if last is not None:
            query = query.where(audit.c.id > last)
        rows = connection.execute(query.limit(PART)).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].id
