"""The API of people: users, their templates and photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..interfaces import IStore
from ..model import Caller, Page
from ..persist.people import PeopleStore
from ..persist.transaction import Transaction
from ..protocol.fields import Scope
from ..protocol.tables import USER
from ..values.people import Person
from . import recordviews as views
from .errors import not_found
from .listing import Listing, ListQuery, listing, negotiated
from .readings import SecretAccessLog
from .routes import Route

R = TypeVar("R")
_NOTHING: Sequence[object] = ()


class PeopleEndpoints:
    """What the routes of people do."""

    def __init__(self, store: IStore, readings: SecretAccessLog) -> None:
        self._store = store
        self._readings = readings

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route(
                "GET",
                "/users",
                Scope.READ,
                self.users,
                "Users of all terminals, in the order they were first met; also as text/csv and "
                "application/x-ndjson",
                query=ListQuery,
                returns=Listing[views.UserView],  # type: ignore[valid-type]
                takes=("accept", "caller"),
            ),
            Route(
                "GET",
                "/users/<pin>",
                Scope.READ,
                self.user,
                "One user",
                returns=views.UserView,
                takes=("caller",),
            ),
            Route(
                "GET",
                "/users/<pin>/templates",
                Scope.BIOMETRICS,
                self.templates,
                "The templates of a user, the newest of each",
                returns=Listing[views.TemplateView],  # type: ignore[valid-type]
                takes=("caller",),
            ),
            Route(
                "GET",
                "/users/<pin>/photos",
                Scope.BIOMETRICS,
                self.photos,
                "The photos of a user, with their content",
                returns=Listing[views.PersonPhotoView],  # type: ignore[valid-type]
                takes=("caller",),
            ),
        ]

    async def users(self, query: ListQuery, accept: str, caller: Caller) -> object:
        """List users."""
        found = await self._store.read(lambda tx: tx[PeopleStore].users(query.page))
        items = [views.user_view(user, caller.scopes) for user in found]
        await self._note(caller, items)
        part = listing(items, [user.id for user in found], query)
        return negotiated(accept, views.UserView, part)

    async def user(self, pin: str, caller: Caller) -> Any:
        """Show a user."""
        user, _ = await self._of_user(pin, lambda tx: _NOTHING)
        shown = views.user_view(user, caller.scopes)
        await self._note(caller, [shown], pin)
        return shown

    async def templates(self, pin: str, caller: Caller) -> Listing[Any]:
        """List the templates of a user."""
        _, found = await self._of_user(pin, lambda tx: tx[PeopleStore].templates(pin))
        if found:
            await self._readings.note(caller, "templates", pin=pin)
        return Listing([views.template_view(template, caller.scopes) for template in found], None)

    async def photos(self, pin: str, caller: Caller) -> Listing[Any]:
        """List the photos of a user."""
        _, found = await self._of_user(pin, lambda tx: tx[PeopleStore].photos(pin))
        if found:
            await self._readings.note(caller, "photos", pin=pin)
        return Listing([views.person_photo_view(photo, caller.scopes) for photo in found], None)

    async def _note(self, caller: Caller, users: Sequence[Any], pin: str | None = None) -> None:
        """Record that a caller is shown passwords, or unknown columns: of a person, or of all."""
        if any(views.shows_secrets(USER, user) for user in users):
            await self._readings.note(caller, "passwords", "all users", pin=pin)

    async def _of_user(
        self, pin: str, query: Callable[[Transaction], Sequence[R]]
    ) -> tuple[Person, Sequence[R]]:
        """A user, and what belongs to them; 404 if there is no such user."""
        users, found = await self._store.read(
            lambda tx: (tx[PeopleStore].users(Page(1), pin), query(tx))
        )
        if not users:
            raise not_found(f"There is no user {pin}.")
        return users[0], found
