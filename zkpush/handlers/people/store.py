"""People in the store: one record for each user, template and photo, across all terminals.

Only news changes stored records; see `news`. The fields of users have authors; see `persons`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy
from sqlalchemy import Select, func, null, select, union_all

from ...interfaces import NotUnsealed
from ...model import DEFAULT_AREA, Page
from ...persist.damage import DAMAGED
from ...persist.limits import people_in, within
from ...persist.paging import part_of
from ...persist.pictures import PictureStore
from ...persist.rows import stored
from ...persist.schema import devices
from ...persist.sealed import check_pointer, note, opened
from ...values.people import Person
from .authorship import terminal
from .claims import ClaimStore
from .claimwords import ERASED_PERSON, span_phrase
from .deletions import TerminalDeletions, deletions_thd, queued_deletions_thd
from .ending import end_terminal
from .erased import ErasedPeople
from .forgetting import forget_templates
from .former import FormerPeople
from .holders import NOBODY_HERE, EarlierHolder, EarlierHolders, Holder, Holders
from .holding import HeldCounts, TerminalHoldings
from .model import (
    STORED_PERSON,
    STORED_PERSON_PHOTO,
    STORED_TEMPLATE,
    EnrolledTemplate,
    PeopleFilter,
    PersonPhoto,
    Template,
)
from .naming import check_commands_thd
from .oneperson import OnePersonStore
from .ordering import behind, natural_order, pin_order
from .persons import PersonStore
from .roster import Roster, RosterFilter
from .schema import person_changes, person_photos, templates, users
from .searching import PersonSearch
from .similar import similar_people_thd, unknown_person_thd
from .strangers import StrangerStore
from .survey import PersonSurvey
from .unconfirmed import UnconfirmedPeople

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

__all__ = [
    "DEFAULT_AREA",
    "ERASED_PERSON",
    "NOBODY_HERE",
    "ClaimStore",
    "EarlierHolder",
    "EarlierHolders",
    "ErasedPeople",
    "FormerPeople",
    "HeldCounts",
    "Holder",
    "Holders",
    "OnePersonStore",
    "PeopleStore",
    "PersonStore",
    "PersonSurvey",
    "Roster",
    "RosterFilter",
    "StrangerStore",
    "TerminalDeletions",
    "TerminalHoldings",
    "UnconfirmedPeople",
    "check_commands_thd",
    "deletions_thd",
    "end_terminal",
    "forget_templates",
    "pin_order",
    "queued_deletions_thd",
    "similar_people_thd",
    "span_phrase",
    "unknown_person_thd",
]

T = TypeVar("T")


class PeopleStore:
    """Users with their templates and photos: the newest of each, from any terminal."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._vault = tx.vault
        self._connection = tx.connection
        self._pictures = tx[PictureStore]
        self._search = PersonSearch(tx.connection)

    def names(self, pins: Collection[str], areas: frozenset[str] | None = None) -> dict[str, str]:
        """Return the names of users, and of people who left, by user ID; others are left out.

        `areas` are those of a limited caller, to whom people of other areas are not named.
        """
        query = select(users.c.pin, users.c.name).where(users.c.pin.in_(pins))
        if areas is not None:
            query = query.where(users.c.pin.in_(people_in(areas)))
        names = {row.pin: row.name for row in self._rows(query) if row.name is not None}
        return {**self._tx[FormerPeople].names(set(pins) - names.keys(), areas), **names}

    def holders(self, pins: Collection[str], areas: frozenset[str] | None = None) -> Holders:
        """Return who has, and who had, user IDs; `areas` as for `names`."""
        return Holders.of(self._tx, self.names(pins, areas), pins, areas)

    def users(self, part: Page, *pins: str) -> list[Person]:
        """List users by id, each with its template counts by type and whether it has a photo.

        Lists all users if no user ID is given.
        """
        query = part_of(_with_device(users), users.c.id, part)
        return self._people(query.where(users.c.pin.in_(pins)) if pins else query)

    def search(self, part: Page, wanted: PeopleFilter) -> list[Person]:
        """List the users that a filter selects by id, as `users` does."""
        query = part_of(_with_device(users), users.c.id, part)
        return self._people(query.where(*self._search.conditions_of(wanted)))

    def in_order(
        self,
        limit: int,
        wanted: PeopleFilter,
        after: str | None = None,
        areas: frozenset[str] | None = None,
    ) -> list[Person]:
        """List the users that a filter selects by user ID, numbers first; see `ordering`.

        Begins behind the user ID `after`. `areas` are those of a limited caller.
        """
        query = _with_device(users).where(*self._search.conditions_of(wanted))
        if areas is not None:
            query = query.where(*within(users.c.id, areas))
        if after is not None:
            query = query.where(behind(users.c.pin, after))
        return self._people(query.order_by(*natural_order(users.c.pin)).limit(limit))

    def _people(self, query: Select[Any]) -> list[Person]:
        found = self._rows(query)
        owners = [row.pin for row in found]
        counted: dict[str, dict[int, int]] = {}
        counting = (
            select(templates.c.pin, templates.c.type, func.count())
            .where(templates.c.pin.in_(owners))
            .group_by(templates.c.pin, templates.c.type)
        )
        for owner, type_, count in self._rows(counting):
            counted.setdefault(owner, {})[type_] = count
        areas = self._tx[PersonStore].areas(owners)
        pictured = set(
            self._connection.execute(
                select(person_photos.c.pin).where(person_photos.c.pin.in_(owners)).distinct()
            ).scalars()
        )
        return [
            stored(
                STORED_PERSON,
                opened(self._vault, users, row._mapping),
                templates=counted.get(row.pin, {}),
                has_photo=row.pin in pictured,
                areas=tuple(areas.get(row.pin, ())),
            )
            for row in found
        ]

    def known(self, pins: Collection[str]) -> set[str]:
        """Return those of some user IDs that are stored."""
        query = select(users.c.pin).where(users.c.pin.in_(pins))
        return set(self._connection.execute(query).scalars())

    def holder_of_card(self, numbers: Collection[str], pin: str) -> str | None:
        """Return the user ID of another person with one of these main or second cards, if any."""
        found = union_all(
            *(
                select(users.c.pin).where(column.in_(numbers), users.c.pin != pin)
                for column in (users.c.card, users.c.vice_card)
            )
        )
        return self._connection.execute(found.limit(1)).scalars().first()

    def templates(self, *pins: str) -> list[Template]:
        """List the templates of users."""
        query = _with_device(templates).where(templates.c.pin.in_(pins)).order_by(templates.c.id)
        return [
            stored(STORED_TEMPLATE, opened(self._vault, templates, row._mapping))
            for row in self._rows(query)
        ]

    def enrolled(
        self, device_id: int, pin: str, type_: int, number: int | None, since: int
    ) -> list[EnrolledTemplate]:
        """List the templates and comparison photos of a type that a terminal sent since a time.

        With `number`, only of this finger.
        """
        found = []
        for table in (templates, person_photos):
            version = table.c.get("major_version", null()).label("major_version")
            query = select(table.c.number, table.c.index, table.c.updated_at, version).where(
                table.c.pin == pin,
                table.c.type == type_,
                table.c.device_id == device_id,
                table.c.updated_at >= since,
            )
            if number is not None:
                query = query.where(table.c.number == number)
            found += [
                EnrolledTemplate(
                    type=type_,
                    number=row.number,
                    index=row.index,
                    major_version=row.major_version or None,
                    updated_at=row.updated_at,
                )
                for row in self._rows(query.order_by(table.c.id))
            ]
        return found

    def card_since(self, device_id: int, pin: str, since: int) -> list[EnrolledTemplate]:
        """Return the card of a user if a terminal changed it since a time, in a list."""
        sn = select(devices.c.sn).where(devices.c.id == device_id)
        author = terminal(self._connection.execute(sn).scalar_one())
        query = select(func.max(person_changes.c.at)).where(
            person_changes.c.pin == pin,
            person_changes.c.field == "card",
            person_changes.c.author == author,
            person_changes.c.at >= since,
        )
        at = self._connection.execute(query).scalar_one()
        return [] if at is None else [EnrolledTemplate(type=None, updated_at=at)]

    def photos(self, pin: str) -> list[PersonPhoto]:
        """List the photos of a user, each with its `content`, or None if stored elsewhere."""
        query = _with_device(person_photos).where(person_photos.c.pin == pin)
        photos = []
        for row in self._rows(query.order_by(person_photos.c.id)):
            values = opened(self._vault, person_photos, row._mapping)
            check_pointer(self._vault, person_photos, values, "picture")
            photos.append(stored(STORED_PERSON_PHOTO, self._with_content(values)))
        return photos

    def _with_content(self, values: dict[str, Any]) -> dict[str, Any]:
        """Add the picture to a photo as `content`; a missing one is marked as damaged."""
        digest, damaged = values.pop("picture"), values.get(DAMAGED, [])
        values["content"] = None
        if "picture" in damaged:
            damaged[damaged.index("picture")] = "content"
        elif digest is not None:
            try:
                values["content"] = self._pictures.get(str(digest))
            except (LookupError, NotUnsealed) as error:
                note(self._vault, person_photos, values, "content", error)
        return values

    def _rows(self, query: Select[Any]) -> Sequence[Any]:
        return self._connection.execute(query).all()


def _with_device(table: sqlalchemy.Table) -> Select[Any]:
    """Query for rows with the serial number of the terminal that they came from, if any."""
    return select(table, devices.c.sn.label("device")).outerjoin(
        devices, devices.c.id == table.c.device_id
    )
