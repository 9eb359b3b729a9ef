"""API of people who left, and whose user ID somebody else has got since."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta

from ...device import acts
from ...device.changes import check_scopes
from ...manage.errors import not_found
from ...manage.limits import PERSON
from ...manage.listing import Listing, whole
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant
from ...model import Caller
from ...persist.audit import AuditStore
from ...persist.erasing import PersonErasure
from ...persist.transaction import Transaction
from ...phrases import words_of
from ...protocol.fields import Scope
from ..people.model import ERASE
from ..people.store import EarlierHolder, EarlierHolders
from .erasing import erase_person
from .finding import NO_HOLDER


class EarlierHolderView(msgspec.Struct, frozen=True, kw_only=True):
    """A person who left, and whose user ID somebody else has got since."""

    id: int
    pin: str
    name: str | None
    since: Annotated[
        str | None,
        Meta(description="From when on the punches are this person's; null if from the first on"),
    ]
    until: Annotated[str, Meta(description="When somebody else got the user ID")]


class EarlierErasure(msgspec.Struct, frozen=True):
    """What is erased of a person who had a user ID before."""

    attendance: Annotated[
        bool | None,
        Meta(
            description="Attendance records and photos too, which otherwise stay under the user "
            "ID, without a name"
        ),
    ] = None


class EarlierPeople:
    """Erases people who had a user ID before."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def erase(self, pin: str, number: int, by: Caller, *, attendance: bool) -> None:
        """Erase the name of an earlier holder, and the punches if that is wanted.

        `LookupError` if there is none that the caller may see.
        """
        check_scopes(by, {Scope.DANGEROUS}, "Erasing a person")
        now = self._services.now()

        def unit(tx: Transaction) -> None:
            found = tx[EarlierHolders].find(pin, number, by.areas)
            if found is None:
                raise LookupError(NO_HOLDER)
            tx[EarlierHolders].erase(number)
            if attendance:
                spans = ((found.since, found.until),)
                erase_person(
                    PersonErasure(tx=tx, pin=pin, now=now, with_attendance=True, spans=spans)
                )
            punches = "punches erased, too" if attendance else "punches stay"
            detail = acts.in_parts("who had the user ID before", punches)
            acts.record(tx, by, ERASE, tx[AuditStore].person(pin), detail, now)

        await self._services.store.write(unit)


class EarlierEndpoints:
    """Handlers of the routes of people who had a user ID before."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._people = EarlierPeople(services)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "GET",
                "/users/<pin>/earlier",
                Scope.READ,
                self.list,
                "People who left, and whose user ID this person has got since",
                returns=Listing[EarlierHolderView],
                takes=("caller",),
                limited=(PERSON,),
            ),
            Route(
                "DELETE",
                "/users/<pin>/earlier/<int:id>",
                Scope.DANGEROUS,
                self.erase,
                "Erase a person who had this user ID before",
                query=EarlierErasure,
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=(PERSON,),
            ),
        ]

    async def list(self, pin: str, caller: Caller) -> Listing[EarlierHolderView]:
        """List the earlier holders of a user ID."""

        def find_thd(tx: Transaction) -> list[EarlierHolder]:
            return tx[EarlierHolders].of([pin], caller.areas).get(pin, [])

        found = await self._store.read(find_thd)
        return whole([_view(one) for one in found if one.is_known])

    async def erase(self, pin: str, id: int, query: EarlierErasure, caller: Caller) -> None:
        """Erase an earlier holder of a user ID."""
        try:
            await self._people.erase(pin, id, caller, attendance=bool(query.attendance))
        except LookupError as error:
            raise not_found(words_of(error)) from None


def _view(one: EarlierHolder) -> EarlierHolderView:
    return EarlierHolderView(
        id=one.id,
        pin=one.pin,
        name=one.name,
        since=None if one.since is None else instant(one.since * 1000),
        until=instant(one.until * 1000),
    )
