"""Everybody who left and is not erased, with those whose user ID somebody else has by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .former import FormerPeople
from .holders import EarlierHolders
from .ordering import key_of_pin

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

MOST = 100_000


@attrs.frozen(kw_only=True)
class Leaver:
    """Somebody who left."""

    pin: str
    name: str | None
    at: int
    """When the person was removed, or when somebody else got the user ID, in milliseconds."""
    holder: int | None = None
    """Number of the earlier holder of the user ID; None if nobody else has it."""


def leavers_thd(tx: Transaction, text: str, areas: frozenset[str] | None) -> list[Leaver]:
    """Return who left, by user ID: all, or those found by a text.

    Names match in any case and with any accents, user IDs by their beginning. `areas` are those of
    a limited caller.
    """
    left = tx[FormerPeople].left(text, areas)
    found = [Leaver(pin=pin, name=name, at=at) for pin, name, at in left]
    found += [
        Leaver(pin=one.pin, name=one.name, at=one.until * 1000, holder=one.id)
        for one in tx[EarlierHolders].search(text, MOST, areas)
    ]
    return sorted(found, key=lambda one: (key_of_pin(one.pin), one.pin, one.at))
