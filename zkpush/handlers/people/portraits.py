"""Photos of people that an operator uploads."""

from __future__ import annotations

import base64
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_, select

from ...persist.databases import Insert
from ...persist.pictures import PictureStore
from ...persist.sealed import POINTER, seal_columns
from ...protocol.codes import BiometricType
from .model import PersonStatement, Portrait
from .persons import PersonStore
from .schema import person_authors, person_photos
from .statements import photos_of
from .tables import BIOPHOTO, USERPIC

if TYPE_CHECKING:
    from ...persist.transaction import Transaction


PhotoKey = tuple[str, str, int]
"""User ID, table of uploads and biometric type of a photo."""
_TABLES = {Portrait.PICTURE: USERPIC, Portrait.FACE: BIOPHOTO}
_TYPES = {Portrait.PICTURE: BiometricType.COMMON, Portrait.FACE: BiometricType.VISIBLE_LIGHT_FACE}


class PortraitStore:
    """Uploaded photos; their author is an operator, whom no terminal overwrites."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._connection = tx.connection

    def put(self, pin: str, kind: Portrait, content: bytes, author: str, now: int) -> None:
        """Store a photo of a known person, instead of a previous one of its kind."""
        people = self._tx[PersonStore]
        before = self._described(pin, kind)
        values = dict(_statement(pin, kind, content).values)
        values.pop("content")
        picture = self._tx[PictureStore].keep(content)
        values |= {"picture": picture, POINTER: picture, "device_id": None, "updated_at": now}
        size = f"{len(content)} bytes"
        self._delete(pin, kind)
        names = tuple(values)
        columns = seal_columns(
            self._tx.vault, person_photos, names, [[values[name]] for name in names]
        )
        self._tx.insert(Insert(person_photos, names, columns))
        people.author_photo(pin, kind.value, author, now, author, before, size)
        people.tell("photo", None, [pin], now)

    def remove(self, pin: str, kind: Portrait, author: str, now: int) -> bool:
        """Remove the photos of a kind from all senders; returns whether there was one.

        A terminal may send another one later.
        """
        before = self._described(pin, kind)
        if before is None:
            return False
        people = self._tx[PersonStore]
        self._delete(pin, kind)
        people.author_photo(pin, kind.value, None, now, author, before, None)
        people.tell("photo", None, [pin], now)
        return True

    def authored(self, pins: Collection[str]) -> dict[PhotoKey, set[str]]:
        """Return the pictures of the photos of people that an operator has uploaded."""
        columns = (person_photos.c[name] for name in ("pin", "kind", "type", "picture"))
        query = (
            select(*columns)
            .join(person_authors, person_authors.c.pin == person_photos.c.pin)
            .where(
                person_photos.c.pin.in_(pins),
                or_(
                    *(
                        (person_authors.c.field == one.value) & (person_photos.c.kind == table.name)
                        for one, table in _TABLES.items()
                    )
                ),
                person_photos.c.device_id.is_(None),
            )
        )
        found: dict[PhotoKey, set[str]] = {}
        for pin, kind, type_, picture in self._connection.execute(query):
            found.setdefault((pin, kind, type_), set()).add(picture)
        return found

    def _described(self, pin: str, kind: Portrait) -> str | None:
        """Describe the stored photo for the history; None without one."""
        query = select(person_photos.c.id).where(*_of(pin, kind)).limit(1)
        return None if self._connection.execute(query).first() is None else "a photo"

    def _delete(self, pin: str, kind: Portrait) -> None:
        self._connection.execute(delete(person_photos).where(*_of(pin, kind)))


def _of(pin: str, kind: Portrait) -> tuple[Any, ...]:
    of_person = person_photos.c.pin == pin
    if kind is Portrait.PICTURE:
        return of_person, person_photos.c.kind == USERPIC.name
    return (
        of_person,
        person_photos.c.kind == BIOPHOTO.name,
        person_photos.c.type == int(_TYPES[kind]),
    )


def _statement(pin: str, kind: Portrait, content: bytes) -> PersonStatement:
    """Return an uploaded photo in the form of a terminal's statement."""
    encoded = base64.b64encode(content)
    given = {
        "pin": pin,
        "name": f"{pin}.jpg",
        "type": int(_TYPES[kind]),
        "size": len(encoded),
        "format": 0,
        "content": encoded,
    }
    table = _TABLES[kind]
    row = [given.get(field.name, field.default) for field in table.fields if field.stored]
    (statement,) = photos_of(table, [(*row, None, None)])  # without extra and raw
    return statement
