"""Removal of all templates and comparison photos."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, select, update

from ...persist.forgetting import Erasure
from ...persist.sealed import opened, sealed
from .schema import (
    conflicts,
    contested_parts,
    holdings,
    person_changes,
    person_photos,
    person_words,
    templates,
    versions,
)
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
    statements = (
        delete(templates),
        delete(person_photos).where(is_comparison),
        delete(contested_parts),
    )
    for statement in statements:
        forgotten += connection.execute(statement).rowcount
    for table in (holdings, versions):
        is_of_photo = (table.c.table_name == person_photos.name) & table.c.key.like(_OF_BIOPHOTO)
        is_of_template = table.c.table_name == templates.name
        connection.execute(delete(table).where(is_of_photo | is_of_template))
    _forget_texts(erasure)
    return forgotten


def _forget_texts(erasure: Erasure) -> None:
    """Remove suffixes that may be templates from copies of the fields of users."""
    for table, names in (
        (person_words, ("word",)),
        (conflicts, ("said",)),
        (person_changes, ("old", "new")),
    ):
        key = [*table.primary_key.columns]
        for row in erasure.connection.execute(select(table)).all():
            said = opened(erasure.vault, table, row._mapping)
            changed = {}
            for name in names:
                kept = _kept(erasure, said[name], is_json=table is not person_changes)
                if kept != said[name]:
                    changed[name] = kept
            if changed:
                values = sealed(erasure.vault, table, {**row._mapping, **changed})
                where = [column == row._mapping[column.name] for column in key]
                erasure.connection.execute(
                    update(table).where(*where).values({name: values[name] for name in changed})
                )


def _kept(erasure: Erasure, text: str | None, *, is_json: bool) -> str | None:
    """Return a text, or the texts of a JSON object, as the rules keep them."""
    if text is None:
        return None
    if not is_json:
        return str(erasure.rules.kept_value(text))
    said = msgspec.json.decode(text, type=dict[str, object])
    kept = {
        name: erasure.rules.kept_value(value) if isinstance(value, str) else value
        for name, value in said.items()
    }
    return text if kept == said else msgspec.json.encode(kept).decode()
