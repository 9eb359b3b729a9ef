"""Intents that put parts of people on terminals."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ...model import Page
from ...persist.transaction import Transaction
from ...values.people import Person
from ..people.model import Key, PersonOverview, PutPerson, PutPhoto, PutTemplate, Template
from ..people.store import PeopleStore
from ..people.tables import BIODATA, BIOPHOTO, USERPIC
from .desired import PRIVILEGE, WantedPart

_PHOTO_KEY = (*BIOPHOTO.key, "kind")


class PersonIntents:
    """Intents for some people, whose fields and templates are read together when first needed."""

    def __init__(self, tx: Transaction, people: Mapping[str, PersonOverview]) -> None:
        self._store = tx[PeopleStore]
        self._overviews = people
        self._people: dict[str, Person] | None = None
        self._templates: dict[Key, Template] | None = None

    def of(self, pin: str, part: WantedPart) -> object | None:
        """Return the intent that puts a part on a terminal; None if it is gone meanwhile."""
        if part.fitting is None:
            return self._put_person(pin)
        key, form = part.fitting.record.key, part.fitting.record.form
        if form in (USERPIC.name, BIOPHOTO.name):
            for photo in self._store.photos(pin):
                if tuple(getattr(photo, name) for name in _PHOTO_KEY) == key:
                    return PutPhoto(photo, post_back=part.fitting.post_back)
            return None
        if self._templates is None:
            found = self._store.templates(*self._overviews)
            self._templates = {
                tuple(getattr(one, name) for name in BIODATA.key): one for one in found
            }
        template = self._templates.get(key)
        if template is None:
            return None
        return PutTemplate(msgspec.structs.replace(template, form=part.fitting.form))

    def _put_person(self, pin: str) -> PutPerson | None:
        if self._people is None:
            found = self._store.users(Page(len(self._overviews)), *self._overviews)
            self._people = {one.pin: one for one in found}
        person = self._people.get(pin)
        if person is None:
            return None
        fields = self._overviews[pin].fields
        if fields is not None and not fields[PRIVILEGE].by_operator:
            person = msgspec.structs.replace(person, privilege=None)
        return PutPerson(person)
