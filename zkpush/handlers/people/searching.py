"""Conditions of searches for users, as SQL."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, exists, or_, select

from ...persist.paging import key_of
from .model import PeopleFilter
from .schema import REMOVED, holdings, person_areas, person_photos, templates, users


def conditions_of(wanted: PeopleFilter) -> Iterator[ColumnElement[bool]]:
    """Generate the conditions of a filter."""
    if wanted.text is not None:
        yield or_(*_contains(wanted.text), _begins_with(wanted.text), *_cards(wanted.text))
    if wanted.name is not None:
        yield or_(*_contains(wanted.name))
    if wanted.card is not None:
        yield or_(*_cards(wanted.card))
    if wanted.privilege is not None:
        yield users.c.privilege == wanted.privilege
    if wanted.area is not None:
        yield users.c.pin.in_(select(person_areas.c.pin).where(person_areas.c.area == wanted.area))
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


def _has(is_wanted: bool, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    there = exists().where(condition)
    return there if is_wanted else ~there


def _contains(text: str) -> Iterator[ColumnElement[bool]]:
    """Match names that contain all words of a text, in any case.

    SQLite ignores the case of ASCII letters only, so other letters are tried in both cases.
    """
    for variant in dict.fromkeys((text, text.lower(), text.upper(), text.title())):
        words = variant.split() or [variant]
        yield and_(*(users.c.name.icontains(word, autoescape=True) for word in words))


def _begins_with(text: str) -> ColumnElement[bool]:
    """Match user IDs by their beginning, as a range of the index."""
    return (users.c.pin >= text) & (users.c.pin < text + "\U0010ffff")


def _cards(text: str) -> Iterator[ColumnElement[bool]]:
    yield users.c.card == text
    yield users.c.vice_card == text
