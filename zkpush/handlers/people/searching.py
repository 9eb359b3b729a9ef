"""Conditions of searches for users, as SQL."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, exists, or_, select

from ...folding import fold
from ...persist.databases import in_arrays, texts
from ...persist.paging import key_of
from .model import PeopleFilter
from .schema import REMOVED, holdings, person_areas, person_photos, templates, users


class PersonSearch:
    """Searches of one unit of work. Names are those at its first search for a name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def conditions_of(self, wanted: PeopleFilter) -> Iterator[ColumnElement[bool]]:
        """Generate the conditions of a filter."""
        if wanted.text is not None:
            named = self._contains(wanted.text, "pins_of_text")
            cards = _cards(wanted.text) if wanted.with_cards else ()
            yield or_(named, _begins_with(wanted.text), *cards)
        if wanted.name is not None:
            yield self._contains(wanted.name, "pins_of_name")
        if wanted.card is not None:
            yield or_(*_cards(wanted.card))
        if wanted.privilege is not None:
            yield users.c.privilege == wanted.privilege
        if wanted.area is not None:
            yield users.c.pin.in_(
                select(person_areas.c.pin).where(person_areas.c.area == wanted.area)
            )
        if wanted.device is not None:
            yield exists().where(
                holdings.c.table_name == users.name,
                holdings.c.key == '["' + users.c.pin + '"]',
                holdings.c.device_id == key_of(wanted.device),
                holdings.c.digest != REMOVED,
            )
        if wanted.has_templates is not None:
            yield _has(wanted.has_templates, templates.c.pin == users.c.pin)
        if wanted.has_photo is not None:
            yield _has(wanted.has_photo, person_photos.c.pin == users.c.pin)

    def names(self) -> Sequence[tuple[str, str]]:
        """Return user IDs and folded names of all people."""
        return self._folded

    def _contains(self, text: str, parameter: str) -> ColumnElement[bool]:
        """Match names that contain all words of a text, in any case and with any accents.

        `parameter` is the name of a parameter for the statement.
        """
        words = fold(text).split() or [text]
        found = [pin for pin, name in self._folded if all(word in name for word in words)]
        listed = texts(self._connection.dialect.name, parameter)
        return users.c.pin.in_(listed.params({parameter: msgspec.json.encode(found).decode()}))

    @functools.cached_property
    def _folded(self) -> list[tuple[str, str]]:
        """User IDs and folded names of all people; takes about 50 ms for 10,000.

        Databases fold letters in different ways, and SQLite ASCII only.
        """
        query = select(users.c.pin, users.c.name).where(users.c.name.is_not(None))
        columns = self._connection.execute(in_arrays(self._connection.dialect.name, query)).one()
        pins, names = (msgspec.json.decode(column, type=list[str]) for column in columns)
        return [*zip(pins, map(fold, names), strict=True)]


def _has(is_wanted: bool, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    there = exists().where(condition)
    return there if is_wanted else ~there


def _begins_with(text: str) -> ColumnElement[bool]:
    """Match user IDs by their beginning, as a range of the index."""
    return (users.c.pin >= text) & (users.c.pin < text + "\U0010ffff")


def _cards(text: str) -> Iterator[ColumnElement[bool]]:
    yield users.c.card == text
    yield users.c.vice_card == text
