"""API of people: users, their templates and photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from ...manage.commandviews import CommandView, ask
from ...manage.errors import not_found
from ...manage.limits import PERSON, TERMINAL, of_person
from ...manage.listing import DeviceQuery, Listing, whole
from ...manage.lists import ApiList
from ...manage.recordviews import shows_secrets, without_secrets
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant
from ...model import Caller, Page
from ...persist.limits import AreaLimitStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...protocol.fields import SMALL, Scope
from ...values.people import Person
from .authorship import is_terminal
from .conflictapi import ConflictEndpoints
from .editing import EditingEndpoints
from .enrolling import EnrolmentEndpoints
from .former import FormerPeople
from .holders import EarlierHolders
from .model import DeletePerson, PeopleFilter, PutPerson
from .persons import PersonStore
from .photographing import PhotoEndpoints
from .punchapi import PunchEndpoints
from .store import PeopleStore
from .tables import USER
from .views import (
    AuthoredUserView,
    PersonPhotoView,
    TemplateView,
    UserView,
    person_photo_view,
    template_view,
    user_for,
    user_view,
)

R = TypeVar("R")
_NOTHING: Sequence[object] = ()


MOST_NAMES = 1000


class NamesQuery(msgspec.Struct, frozen=True):
    """The users to name."""

    pins: Annotated[
        str | None, Meta(description=f"User IDs, separated by commas; at most {MOST_NAMES}")
    ] = None


class EarlierName(msgspec.Struct, frozen=True):
    """Name of somebody who left, and whose user ID somebody else has got since."""

    pin: str
    name: str | None
    until: Annotated[str, Meta(description="Until when punches are this person's")]


class NamesView(msgspec.Struct, frozen=True):
    """Names of users."""

    names: Annotated[
        dict[str, str],
        Meta(description="By user ID; of known users and of those who were removed, not erased"),
    ]
    left: Annotated[
        list[str], Meta(description="The user IDs of those who were removed, not erased")
    ]
    erased: Annotated[
        list[str],
        Meta(description="The user IDs of erased people; none for callers who are limited"),
    ]
    earlier: Annotated[
        list[EarlierName],
        Meta(description="Who had these user IDs before somebody else got them, in order"),
    ]


class PeopleQuery(DeviceQuery, frozen=True):
    """Search for users; all conditions apply."""

    search: Annotated[
        str | None,
        Meta(description="Beginning of the user ID, part of the name, or a card number"),
    ] = None
    name: Annotated[str | None, Meta(description="Words of the name, in any case and order")] = None
    card: Annotated[str | None, Meta(description="Number of the main or the second card")] = None
    privilege: Annotated[
        Annotated[int, Meta(ge=0, le=SMALL)] | None,
        Meta(description=f"Only this privilege: {USER.field('privilege').meaning}"),
    ] = None
    area: Annotated[str | None, Meta(description="Only people of this area")] = None
    has_templates: Annotated[
        bool | None, Meta(description="Only people with templates, or only those without")
    ] = None
    has_photo: Annotated[
        bool | None, Meta(description="Only people with a photo, or only those without")
    ] = None
    secrets: Annotated[
        bool,
        Meta(
            description="Also passwords and unknown columns, for callers who may see them; the "
            "audit log records it. They are null otherwise"
        ),
    ] = False


def _find_thd(tx: Transaction, part: Page, query: PeopleQuery) -> Sequence[Person]:
    """Search for users; with their secrets only if these are asked for."""
    found = tx[PeopleStore].search(part, _filter(query))
    return found if query.secrets else [without_secrets(USER, user) for user in found]


def _filter(query: PeopleQuery) -> PeopleFilter:
    return PeopleFilter(
        text=query.search,
        name=query.name,
        card=query.card,
        privilege=query.privilege,
        area=query.area,
        device=query.device,
        has_templates=query.has_templates,
        has_photo=query.has_photo,
    )


class PeopleEndpoints:
    """Handlers of the routes of people."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._readings = services.secret_access

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ApiList[Person](
                path="/users",
                summary="Users of all terminals, in the order they were first seen",
                view=UserView,
                query=PeopleQuery,
                find_thd=_find_thd,
                show=lambda user, caller: user_view(user_for(caller, user), caller.scopes),
                owner=of_person,
                note=lambda shown: self._note(shown.caller, shown.items),
            ).route(self._store),
            Route(
                "GET",
                "/names",
                Scope.ATTENDANCE,
                self.names,
                "Names of users, to show beside their IDs",
                query=NamesQuery,
                returns=NamesView,
                takes=("caller",),
                limited=(),
            ),
            Route(
                "GET",
                "/users/<pin>",
                Scope.READ,
                self.user,
                "One user, with the authors of the fields",
                returns=AuthoredUserView,
                takes=("caller",),
                limited=(PERSON,),
            ),
            Route(
                "GET",
                "/users/<pin>/templates",
                Scope.BIOMETRICS,
                self.templates,
                "The templates of a user, the newest of each",
                # Views are types created at run time.
                returns=Listing[TemplateView],  # type: ignore[valid-type]
                takes=("caller",),
                limited=(PERSON,),
            ),
            Route(
                "GET",
                "/users/<pin>/photos",
                Scope.BIOMETRICS,
                self.photos,
                "The photos of a user, with their content",
                # See above.
                returns=Listing[PersonPhotoView],  # type: ignore[valid-type]
                takes=("caller",),
                limited=(PERSON,),
            ),
            Route(
                "PUT",
                "/devices/<sn>/users/<pin>",
                Scope.WRITE,
                self.put,
                "Put a user on a terminal; returns the commands queued for it",
                returns=Listing[CommandView],
                status=HTTPStatus.ACCEPTED,
                takes=("caller",),
                limited=(TERMINAL, PERSON),
            ),
            Route(
                "DELETE",
                "/devices/<sn>/users/<pin>",
                Scope.WRITE,
                self.delete,
                "Delete a user from a terminal; returns the commands queued for it",
                returns=Listing[CommandView],
                status=HTTPStatus.ACCEPTED,
                takes=("caller",),
                limited=(TERMINAL, PERSON),
            ),
        ]

    async def put(self, sn: str, pin: str, caller: Caller) -> Listing[CommandView]:
        """Put a stored user on a terminal."""
        user, _ = await self._of_user(pin, lambda tx: _NOTHING)
        return await ask(self._services, sn, PutPerson(user), caller)

    async def delete(self, sn: str, pin: str, caller: Caller) -> Listing[CommandView]:
        """Take a user off a terminal."""
        return await ask(self._services, sn, DeletePerson(pin), caller)

    async def names(self, query: NamesQuery, caller: Caller) -> NamesView:
        """Name users."""
        pins = frozenset((query.pins or "").split(","))
        if len(pins) > MOST_NAMES:
            raise ValueError(Phrase("pins: at most %(most_names)s user IDs", most_names=MOST_NAMES))

        def find_thd(tx: Transaction) -> NamesView:
            areas, earlier = caller.areas, tx[EarlierHolders].of(pins, caller.areas)
            mine = pins if areas is None else tx[AreaLimitStore].people(pins, areas)
            return NamesView(
                tx[PeopleStore].names(pins, caller.areas),
                sorted(tx[FormerPeople].among(pins, caller.areas)),
                tx[FormerPeople].erased(pins) if caller.areas is None else [],
                [
                    EarlierName(pin, one.name, instant(one.until * 1000))
                    for pin in sorted(earlier)
                    for one in earlier[pin]
                    if pin in mine or one.is_named
                ],
            )

        return await self._store.read(find_thd)

    async def user(self, pin: str, caller: Caller) -> Any:
        """Show a user."""
        user, authors = await self._of_user(pin, lambda tx: [*tx[PersonStore].authors(pin).items()])
        user = user_for(caller, user)
        if caller.areas is not None:
            authors = [(field, author) for field, author in authors if not is_terminal(author)]
        shown = user_view(user, caller.scopes, dict(authors))
        await self._note(caller, [shown], pin)
        return shown

    async def templates(self, pin: str, caller: Caller) -> Listing[Any]:
        """List the templates of a user."""
        _, found = await self._of_user(pin, lambda tx: tx[PeopleStore].templates(pin))
        if found:
            await self._readings.note(caller, "templates", pin=pin)
        return whole([template_view(template, caller) for template in found])

    async def photos(self, pin: str, caller: Caller) -> Listing[Any]:
        """List the photos of a user."""
        _, found = await self._of_user(pin, lambda tx: tx[PeopleStore].photos(pin))
        if found:
            await self._readings.note(caller, "photos", pin=pin)
        return whole([person_photo_view(photo, caller) for photo in found])

    async def _note(self, caller: Caller, users: Sequence[Any], pin: str | None = None) -> None:
        """Record that a caller was shown passwords or undeclared columns, of one person or all."""
        if any(shows_secrets(USER, user) for user in users):
            await self._readings.note(caller, "passwords", "all users", pin=pin)

    async def _of_user(
        self, pin: str, query: Callable[[Transaction], Sequence[R]]
    ) -> tuple[Person, Sequence[R]]:
        """Return a user and related records; 404 if there is no such user."""
        users, found = await self._store.read(
            lambda tx: (tx[PeopleStore].users(Page(1), pin), query(tx))
        )
        if not users:
            raise not_found(Phrase("There is no user %(pin)s.", pin=pin))
        return users[0], found


def routes(services: Services) -> list[Route]:
    """Return the routes of people."""
    return [
        *PeopleEndpoints(services).routes(),
        *EditingEndpoints(services).routes(),
        *ConflictEndpoints(services).routes(),
        *PunchEndpoints(services).routes(),
        *EnrolmentEndpoints(services).routes(),
        *PhotoEndpoints(services).routes(),
    ]
