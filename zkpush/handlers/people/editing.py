"""API of changes to people: add, change, remove, erase, history and conflicts."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...manage.commandviews import CommandView, command_view
from ...manage.errors import not_found
from ...manage.limits import PERSON, WholeSite, of_person
from ...manage.listing import ListQuery, Order
from ...manage.lists import ApiList, Shown
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant
from ...model import Caller, Page
from ...phrases import Phrase, words_of
from ...protocol.fields import Field, Scope
from ...protocol.secrecy import Scopes, may_see, secrets_of
from .administration import PeopleAdministration, edit_of
from .authorship import FIELDS
from .bounds import author_for, change_for
from .importing import MOST_CSV, ImportQuery, ImportView, PeopleImport
from .model import PersonChange
from .persons import PersonStore
from .store import PeopleStore
from .tables import USER
from .views import UserView, user_for, user_view

_SECRETS = secrets_of(USER)
_AREAS = Annotated[
    list[str] | UnsetType,
    Meta(description="All areas of the person; without it, they stay as they are"),
]


def _values_in_words(field: Field) -> str:
    """The coded values of a field, unless its meaning lists them already."""
    words = field.coded_values()
    if not words or all(meaning.lower() in field.meaning.lower() for meaning in words.values()):
        return ""
    return f". {', '.join(f'{text}: {meaning}' for text, meaning in words.items())}"


def _body() -> Any:
    """Make the type of a change: a field for each field of a user."""
    fields: list[tuple[str, Any, Any]] = [
        (
            name,
            Annotated[
                field.kind.python | UnsetType | None,
                Meta(description=field.meaning + _values_in_words(field)),
            ],
            UNSET,
        )
        for name, field in FIELDS.items()
    ]
    return msgspec.defstruct(
        "UserChange",
        [*fields, ("areas", _AREAS, UNSET)],
        namespace={"__doc__": "Fields of a user to change; null empties one."},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


UserChange = _body()


class RemoveQuery(msgspec.Struct, frozen=True):
    """How a person is removed. Past attendance keeps the name, unless the person is erased."""

    erase: Annotated[
        bool | None,
        Meta(
            description="Everywhere: from terminals, with templates, photos, attendance photos, "
            "commands and history. Needs the scope `dangerous`"
        ),
    ] = None
    attendance: Annotated[
        bool | None,
        Meta(
            description="With `erase`, attendance records too, which otherwise stay under the user "
            "ID, without a name"
        ),
    ] = None
    others: Annotated[
        bool | None,
        Meta(
            description="With `attendance`, also those that are, or may be, another person's; see "
            "`conflicts/punches`"
        ),
    ] = None
    terminals: Annotated[
        bool | None,
        Meta(
            description="Without `erase`: also delete the person from the terminals that have, or "
            "may have, the person. Those of areas that distribute do so anyway"
        ),
    ] = None


class RemovalView(msgspec.Struct, frozen=True):
    """Result of a removal."""

    pin: str
    erased: bool
    devices: Annotated[
        list[str],
        Meta(
            description="Terminals that last stated that they have the person. Unless erased, the "
            "person is still there: delete with `terminals=true`, or with "
            "`DELETE devices/{sn}/users/{pin}`"
        ),
    ]
    commands: Annotated[list[CommandView], Meta(description="Commands queued for terminals")]


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one field of a person."""

    field: str
    old: Annotated[str | None, Meta(description="Null if it was empty, or without the scope")]
    new: Annotated[str | None, Meta(description="Null if it is empty, or without the scope")]
    author: Annotated[
        str,
        Meta(
            description="`device SN` or `token NAME`; `device` only, for callers who are limited "
            "to areas"
        ),
    ]
    at: str


class HistoryQuery(ListQuery, frozen=True):
    """Paging of changes."""

    order: Order = "desc"


class EditingEndpoints:
    """Handlers of the routes that change people."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._people = PeopleAdministration(services)
        self._import = PeopleImport(services)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "PUT",
                "/users/<pin>",
                Scope.WRITE,
                self.put,
                "Add a person, or change fields of one; the caller becomes their author",
                body=UserChange,
                returns=UserView,
                takes=("caller",),
                limited=(),
            ),
            Route(
                "DELETE",
                "/users/<pin>",
                Scope.WRITE,
                self.remove,
                "Remove a person; terminals that still have the person do not add it again",
                query=RemoveQuery,
                returns=RemovalView,
                takes=("caller",),
                limited=(PERSON,),
            ),
            Route(
                "POST",
                "/users/import",
                Scope.WRITE,
                self._import.run,
                "Add and change people from a CSV file, with a report for each line; nothing is "
                "stored unless all lines are right",
                query=ImportQuery,
                content=MOST_CSV,
                returns=ImportView,
                takes=("caller",),
                limited=WholeSite(
                    "A file may name people of other areas; change people one by one with "
                    "`users/{pin}`."
                ),
            ),
            ApiList[PersonChange](
                path="/users/<pin>/history",
                summary="Changes of a person, newest first",
                view=ChangeView,
                query=HistoryQuery,
                find_thd=lambda tx, part, query, pin: tx[PersonStore].changes(pin, part),
                show=_change_view,
                note=self._note,
                owner=of_person,
            ).route(self._store),
        ]

    async def put(self, pin: str, body: Any, caller: Caller) -> Any:
        """Add or change a person."""
        given = {
            name: value
            for name, value in msgspec.structs.asdict(body).items()
            if value is not UNSET
        }
        areas = given.pop("areas", None)
        found = await self._store.read(lambda tx: tx[PeopleStore].users(Page(1), pin))
        known = msgspec.structs.asdict(found[0]) if found else {}
        edit = edit_of(pin, given, areas, known, is_new=not found)
        await self._people.put(edit, caller)
        return await self._user(pin, caller)

    async def remove(self, pin: str, query: RemoveQuery, caller: Caller) -> RemovalView:
        """Remove or erase a person."""
        if query.attendance and not query.erase:
            raise ValueError(Phrase("attendance: only with `erase=true`."))
        if query.others and not query.attendance:
            raise ValueError(Phrase("others: only with `attendance=true`."))
        if query.terminals and query.erase:
            raise ValueError(
                Phrase("terminals: not with `erase=true`, which has it deleted there.")
            )
        try:
            devices, queued = await self._people.remove(
                pin,
                caller,
                erase=bool(query.erase),
                attendance=bool(query.attendance),
                others=bool(query.others),
                terminals=bool(query.terminals),
            )
        except LookupError as error:
            raise not_found(words_of(error)) from None
        services = self._services
        views = [
            command_view(services.catalogue, services.registry.families, one, caller.scopes)
            for one in queued
        ]
        return RemovalView(pin, bool(query.erase), devices, views)

    async def _user(self, pin: str, caller: Caller) -> Any:
        """Show a person, without secrets: the caller is not recorded as having seen them."""
        (user,) = await self._store.read(lambda tx: tx[PeopleStore].users(Page(1), pin))
        return user_view(user_for(caller, user), frozenset(caller.scopes - {Scope.BIOMETRICS}))

    async def _note(self, shown: Shown[PersonChange]) -> None:
        """Record that a caller was shown passwords."""
        if any(one.field in _SECRETS for one in shown.records) and any(
            _may_see(one.field, shown.caller.scopes) for one in shown.records
        ):
            await self._services.secret_access.note(
                shown.caller, "passwords", pin=str(shown.names["pin"])
            )


def _may_see(field: str, scopes: Scopes) -> bool:
    return field not in _SECRETS or may_see(_SECRETS[field], scopes)


def _change_view(change: PersonChange, caller: Caller) -> ChangeView:
    seen = _may_see(change.field, caller.scopes)
    change = change_for(caller, change)
    return ChangeView(
        field=change.field,
        old=change.old if seen else None,
        new=change.new if seen else None,
        author=author_for(caller, change.author),
        at=instant(change.at),
    )
