"""Removal of what the tables of areas hold about people."""

from __future__ import annotations

from sqlalchemy import delete

from ...persist.erasing import PersonErasure
from ...persist.forgetting import Erasure
from ..people.store import ErasedPeople
from .model import USER
from .places import PlaceStore
from .schema import places


def erase_person(erasure: PersonErasure) -> int:
    """Remove what belongs on terminals; people has the person deleted there.

    A terminal may be fetching a package with the person, whom it does not state yet.
    """
    places_of = erasure.tx[PlaceStore]
    erasure.tx[ErasedPeople].expect(erasure.pin, places_of.packed_for(erasure.pin))
    return places_of.forget_person(erasure.pin)


def forget_templates(erasure: Erasure) -> int:
    """Remove the digests of templates and photos; returns 0, because none is stored here."""
    erasure.connection.execute(delete(places).where(places.c.part != USER))
    return 0
