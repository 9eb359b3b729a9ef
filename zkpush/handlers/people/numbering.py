"""User IDs of new people: the next free one, and those of people who left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from ...folding import fold
from ...phrases import Phrase, counted_phrase
from .ordering import natural_key
from .schema import earlier_holders, removed_people, users

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_TEN_DIGITS = "a"
"""The sort keys of numbers with more than nine digits begin here; shorter numbers are before."""


def free_pin_thd(tx: Transaction) -> str:
    """Return the number after the highest user ID; those with more than nine digits do not count.

    People who left have theirs, too.
    """
    highest = 0
    for table in (users, removed_people, earlier_holders):
        key = natural_key(table.c.pin)
        query = select(table.c.pin).where(key < _TEN_DIGITS).order_by(key.desc()).limit(1)
        highest = max(highest, int(tx.connection.execute(query).scalar() or 0))
    return str(highest + 1)


def erased_phrase(pin: str, count: int, free: str) -> Phrase:
    """Say what happens if a new person gets the user ID of an erased one with stored punches."""
    return counted_phrase(
        "The user ID %(pin)s was that of a person who is erased, and %(num)s punch is stored under "
        "it. It stays without a name; only those from now on are of the new person. The next free "
        "user ID is %(free)s.",
        "The user ID %(pin)s was that of a person who is erased, and %(num)s punches are stored "
        "under it. They stay without a name; only those from now on are of the new person. The "
        "next free user ID is %(free)s.",
        count,
        pin=pin,
        free=free,
    )


def unowned_phrase(pin: str, count: int, free: str) -> Phrase:
    """Say what happens if a new person gets a user ID that only stored punches have."""
    return counted_phrase(
        "%(num)s punch is stored under the user ID %(pin)s, which nobody has here. It becomes the "
        "new person's. If it is somebody else's, choose another user ID: the next free one is "
        "%(free)s.",
        "%(num)s punches are stored under the user ID %(pin)s, which nobody has here. They become "
        "the new person's. If they are somebody else's, choose another user ID: the next free one "
        "is %(free)s.",
        count,
        pin=pin,
        free=free,
    )


def own_punches_phrase(pin: str, count: int, free: str) -> Phrase:
    """Say to a limited caller that punches are stored, not whether their person is erased."""
    return counted_phrase(
        "%(num)s punch of your terminals is stored under the user ID %(pin)s already. If it is "
        "somebody else's, choose another user ID: the next free one is %(free)s.",
        "%(num)s punches of your terminals are stored under the user ID %(pin)s already. If they "
        "are somebody else's, choose another user ID: the next free one is %(free)s.",
        count,
        pin=pin,
        free=free,
    )


def reuse_phrase(pin: str, name: str | None, left: str | None, free: str) -> Phrase | None:
    """Say what happens if a new person gets the user ID of somebody else who left.

    None if it is a person of the same name. `left` is the name of who left, and `free` a user ID
    of nobody.
    """
    if fold(left or "") == fold(name or ""):
        return None
    return Phrase(
        "The user ID %(pin)s was that of %(left)s, who left. The punches so far stay that "
        "person's, marked as “left”; only those from now on are of the new person. If it is the "
        "same person, enter the same name. The next free user ID is %(free)s.",
        pin=pin,
        left=left or pin,
        free=free,
    )
