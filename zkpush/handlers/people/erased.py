"""People who were erased, and the terminals that may still have them.

Of an erased person, only keyed digests of the user ID stay. A terminal that uploads the person
again, is about to get the person, or refuses the deletion, is recorded with the encrypted user ID
until a deletion is queued for it; see `returns`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, delete, func, select, update

from ...persist.databases import Insert
from ...persist.schema import devices
from ...persist.sealed import opened, seal_columns
from .model import PersonStatement
from .news import parts_of
from .personrows import lookups
from .schema import erased_holders, removed_people

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_NAMES = ("digest", "device_id", "pin")
_FIRST_PAUSE = 5 * 60 * 1000
"""Milliseconds between the first refusal of a deletion and the next deletion."""
_LONGER = 4
"""Factor from one pause to the next."""
_LONGEST_PAUSE = 24 * 3600 * 1000
_IS_ERASED = removed_people.c.pin.is_(None)


class PendingDeletion(NamedTuple):
    """An erased person who is to be deleted from a terminal."""

    device_id: int
    pin: str


class ErasedHolder(NamedTuple):
    """A terminal that may have an erased person."""

    sn: str
    is_due: bool
    """Whether a deletion is to be queued."""
    refusals: int
    return_code: int | None
    refused_at: int | None
    """When it last refused the deletion (ms), and with which return code."""


class RefusedErasures(NamedTuple):
    """Erased people whom a terminal refuses to delete."""

    sn: str
    people: int
    return_code: int
    """One of those with which it last refused."""
    since_at: int
    mark: int
    """The earliest and the latest of its last refusals of each of them (ms)."""


class ErasedPeople:
    """Erased people and their terminals."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection

    def admit(self, device_id: int, said: Sequence[PersonStatement]) -> Sequence[PersonStatement]:
        """Return the statements of a terminal about people who were not erased.

        For the others, a deletion is to be queued.
        """
        gone = self.found_at(device_id, {str(one.key[0]) for one in said})
        return [one for one in said if str(one.key[0]) not in gone] if gone else said

    def found_at(self, device_id: int, pins: Collection[str]) -> set[str]:
        """Return which of the people whom a terminal has just named were erased.

        For these, a deletion is to be queued. An erasure by another process is waited for.
        """
        if not pins:
            return set()
        if self._connection.dialect.name == "postgresql":  # SQLite has one writer at a time
            keys = {"keys": msgspec.json.encode(sorted(pins)).decode()}
            self._connection.execute(lookups("postgresql").kept, keys)
        query = select(removed_people.c.digest).where(_IS_ERASED)
        if self._connection.execute(query.limit(1)).first() is None:
            return set()
        digests = {self._digest(pin): pin for pin in pins}
        erased: dict[bytes, str] = {}
        for some in parts_of([*digests]):
            found = self._connection.execute(query.where(removed_people.c.digest.in_(some)))
            erased |= {bytes(digest): digests[bytes(digest)] for digest in found.scalars()}
        self._hold([(digest, device_id, erased[digest]) for digest in sorted(erased)])
        return set(erased.values())

    def hold(self, pin: str, serials: Collection[str]) -> None:
        """Record the terminals that may have a person whose deletion is queued."""
        query = select(devices.c.id).where(devices.c.sn.in_(serials)).order_by(devices.c.id)
        keys = self._connection.execute(query).scalars().all()
        self._hold([(self._digest(pin), key, None) for key in keys])

    def expect(self, pin: str, devices: Collection[int]) -> None:
        """Have a person deleted from terminals that are about to get the person."""
        digest = self._digest(pin)
        query = select(erased_holders.c.device_id).where(erased_holders.c.digest == digest)
        known = {*self._connection.execute(query).scalars()}
        self._hold([(digest, key, pin) for key in sorted({*devices} - known)])

    def holders(self, pin: str) -> list[str]:
        """Return the serial numbers of terminals that may have an erased person."""
        query = (
            select(devices.c.sn)
            .join(erased_holders, erased_holders.c.device_id == devices.c.id)
            .where(erased_holders.c.digest == self._digest(pin))
        )
        return list(self._connection.execute(query.order_by(devices.c.sn)).scalars())

    def held(self, pin: str) -> list[ErasedHolder]:
        """Return the terminals that may have an erased person, with their refusals."""
        own = erased_holders.c
        query = (
            select(
                devices.c.sn, own.pin.is_not(None), own.refusals, own.return_code, own.refused_at
            )
            .join(devices, own.device_id == devices.c.id)
            .where(own.digest == self._digest(pin))
        )
        rows = self._connection.execute(query.order_by(devices.c.sn))
        return [ErasedHolder(row[0], bool(row[1]), *row[2:]) for row in rows]

    def refused(self, device_id: int, pin: str, return_code: int, now: int) -> None:
        """Record that a terminal refused to delete a person; it is asked again after a pause.

        The pauses grow, up to a day.
        """
        digest = self._digest(pin)
        here = (erased_holders.c.digest == digest) & (erased_holders.c.device_id == device_id)
        query = select(erased_holders.c.refusals).where(here)
        before = self._connection.execute(query).scalar_one_or_none() or 0
        self._hold([(digest, device_id, pin)])
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * _LONGER**before)
        values = {"refusals": before + 1, "return_code": return_code, "refused_at": now}
        self._connection.execute(
            update(erased_holders).where(here).values(**values, due_at=now + pause)
        )

    def refusing(self) -> list[RefusedErasures]:
        """List the terminals that refused to delete erased people when they were last asked."""
        refused_at = erased_holders.c.refused_at
        query = (
            select(
                devices.c.sn,
                func.count(),
                func.max(erased_holders.c.return_code),
                func.min(refused_at),
                func.max(refused_at),
            )
            .join(devices, devices.c.id == erased_holders.c.device_id)
            .where(erased_holders.c.refusals > 0)
            .group_by(devices.c.sn)
            .order_by(devices.c.sn)
        )
        return [RefusedErasures(*row) for row in self._connection.execute(query)]

    def pending(self, limit: int, now: int) -> list[PendingDeletion]:
        """List deletions to queue at a time (ms)."""
        query = select(erased_holders).where(_is_due(now)).limit(limit)
        found = []
        for row in self._connection.execute(query).all():
            values = opened(self._vault, erased_holders, row._mapping)
            if values["pin"] is None:  # damaged: nobody can tell who it is
                self._queued(bytes(row.digest), row.device_id)
            else:
                found.append(PendingDeletion(row.device_id, values["pin"]))
        return found

    def is_any_pending(self, now: int) -> bool:
        """Whether deletions are to be queued at a time (ms)."""
        query = select(erased_holders.c.device_id).where(_is_due(now))
        return self._connection.execute(query.limit(1)).first() is not None

    def queued(self, one: PendingDeletion) -> None:
        """Record that a deletion is queued, or cannot be; only the digest stays."""
        self._queued(self._digest(one.pin), one.device_id)

    def deleted(self, device_id: int, pin: str) -> None:
        """Record that a terminal has deleted a person, unless it has stated the person since."""
        self._connection.execute(
            delete(erased_holders).where(
                erased_holders.c.digest == self._digest(pin),
                erased_holders.c.device_id == device_id,
                erased_holders.c.pin.is_(None),
            )
        )

    def hand_over(self, pin: str) -> list[int]:
        """Stop asking terminals to delete an erased person whose user ID somebody gets now.

        What is queued stays, and comes before all that the terminals are told of the new holder.
        Returns the terminals that have not confirmed the deletion, or refuse it; see `deleted`.
        Those that are not asked yet are heard about the new holder.
        """
        own = erased_holders.c.digest == self._digest(pin)
        is_unasked = erased_holders.c.pin.is_not(None) & (erased_holders.c.refusals == 0)
        self._connection.execute(delete(erased_holders).where(own, is_unasked))
        idle = {"pin": None, "refusals": 0, "return_code": None, "refused_at": None, "due_at": None}
        query = update(erased_holders).where(own)
        return [
            *self._connection.execute(
                query.values(**idle).returning(erased_holders.c.device_id)
            ).scalars()
        ]

    def _queued(self, digest: bytes, device_id: int) -> None:
        self._connection.execute(
            update(erased_holders)
            .where(erased_holders.c.digest == digest, erased_holders.c.device_id == device_id)
            .values(pin=None)
        )

    def _hold(self, rows: Sequence[tuple[bytes, int, str | None]]) -> None:
        if rows:
            columns = [[*column] for column in zip(*rows, strict=True)]
            values = seal_columns(self._vault, erased_holders, _NAMES, columns)
            clause = "(digest, device_id) DO UPDATE SET pin = excluded.pin"
            self._tx.insert(Insert(erased_holders, _NAMES, values, clause))

    def _digest(self, pin: str) -> bytes:
        return self._vault.index(pin.encode())


def _is_due(now: int) -> ColumnElement[bool]:
    due_at = erased_holders.c.due_at
    return erased_holders.c.pin.is_not(None) & (due_at.is_(None) | (due_at <= now))
