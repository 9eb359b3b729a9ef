"""What terminals last stated to have of people, for comparison with the terminals themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs
import msgspec
from sqlalchemy import ColumnElement, case, delete, func, select

from ...protocol.codes import BiometricType
from .claims import ClaimStore
from .contested import ContestedParts
from .model import Key, key_text
from .removals import RemovalStore
from .schema import REMOVED, holdings, person_words, templates, users
from .strangers import StrangerStore

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


@attrs.frozen
class HeldCounts:
    """Numbers of records that a terminal last stated to have."""

    users: int
    fingerprints: int
    infrared: int
    """Templates of near-infrared faces; a face may have several."""
    visible: int
    """Templates of visible-light faces."""


class TerminalHoldings:
    """What terminals last stated to have, without what they have deleted since."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def counts(self, device_id: int) -> HeldCounts:
        """Count the records of a terminal."""
        types = (
            BiometricType.FINGERPRINT,
            BiometricType.FACE,
            BiometricType.VISIBLE_LIGHT_FACE,
        )
        sums = [func.sum(case((_is_of_type(type_), 1), else_=0)) for type_ in types]
        held = select(*sums).where(holdings.c.device_id == device_id, _is_held(templates.name))
        row = self._connection.execute(held).one()
        people = select(func.count()).where(holdings.c.device_id == device_id, _is_held(users.name))
        count = int(self._connection.execute(people).scalar_one())
        return HeldCounts(count, *(int(one or 0) for one in row))

    def stated_since(self, device_id: int, since: int) -> int:
        """Return the number of people that a terminal has stated since an instant (ms)."""
        query = select(func.count()).where(
            holdings.c.device_id == device_id, _is_held(users.name), holdings.c.at >= since
        )
        return int(self._connection.execute(query).scalar_one())

    def unstated_people(self, device_id: int, since: int, limit: int) -> list[str]:
        """List people that a terminal has not stated since an instant (ms)."""
        return [str(key[0]) for key in self._unstated(users.name, device_id, since, limit)]

    def unstated_templates(self, device_id: int, type_: int, since: int, limit: int) -> list[Key]:
        """List keys of templates of a type that a terminal has not stated since an instant (ms)."""
        return self._unstated(templates.name, device_id, since, limit, _is_of_type(type_))

    def _unstated(
        self, table: str, device_id: int, since: int, limit: int, *more: ColumnElement[bool]
    ) -> list[Key]:
        query = select(holdings.c.key).where(
            holdings.c.device_id == device_id, _is_held(table), holdings.c.at < since, *more
        )
        found = self._connection.execute(query.order_by(holdings.c.key).limit(limit)).scalars()
        return [tuple(msgspec.json.decode(key)) for key in found]

    def lose_people(self, device_id: int, pins: Sequence[str], now: int) -> None:
        """Forget what a terminal stated about people, because it has lost them."""
        self._tx[ClaimStore].end(device_id, pins, now)
        for pin in pins:
            self._tx[RemovalStore].forget(device_id, pin)
            self._tx[StrangerStore].gone(device_id, pin)
            self._connection.execute(
                delete(person_words).where(
                    person_words.c.device_id == device_id, person_words.c.pin == pin
                )
            )

    def drop_unstated(self, device_id: int, since: int) -> None:
        """Forget templates and photos without a user, after all users were stated since (ms)."""
        self._tx[ContestedParts].drop_unstated(device_id, since)

    def lose_templates(self, device_id: int, keys: Iterable[Key]) -> None:
        """Forget templates that a terminal stated, because it has lost them."""
        for key in keys:
            self._connection.execute(
                delete(holdings).where(
                    holdings.c.table_name == str(templates.name),
                    holdings.c.key == key_text(key),
                    holdings.c.device_id == device_id,
                )
            )


def _is_held(table: str) -> ColumnElement[bool]:
    return (holdings.c.table_name == str(table)) & (holdings.c.digest != REMOVED)


def _is_of_type(type_: int) -> ColumnElement[bool]:
    """Select keys of templates by the type, which follows the user ID, the only text."""
    return holdings.c.key.like(f'%",{int(type_)},%')
