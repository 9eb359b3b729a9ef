"""Removal of all templates and comparison photos."""

from __future__ import annotations

from sqlalchemy import delete, select

from ...persist.forgetting import Erasure
from .schema import holdings, person_photos, templates, versions
from .tables import BIOPHOTO

_OF_BIOPHOTO = f'%"{BIOPHOTO.name}"]'
"""Suffix of the keys of comparison photos: the name of their table."""


def forget_templates(erasure: Erasure) -> int:
    """Remove templates and comparison photos, and the records of which terminal holds them."""
    connection = erasure.connection
    is_comparison = person_photos.c.kind == BIOPHOTO.name
    query = select(person_photos.c.picture).where(is_comparison)
    erasure.pictures |= set(filter(None, connection.execute(query).scalars()))
    forgotten = 0
    for statement in (delete(templates), delete(person_photos).where(is_comparison)):
        forgotten += connection.execute(statement).rowcount
    for table in (holdings, versions):
        is_of_photo = (table.c.table_name == person_photos.name) & table.c.key.like(_OF_BIOPHOTO)
        is_of_template = table.c.table_name == templates.name
        connection.execute(delete(table).where(is_of_photo | is_of_template))
    return forgotten
