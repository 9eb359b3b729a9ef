"""API of changes to people: add, change, remove, erase, history and conflicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...manage.commandviews import CommandView, command_view
from ...manage.errors import not_found
from ...manage.limits import PERSON, WholeSite, of_both, of_person
from ...manage.listing import ListQuery, Order
from ...manage.lists import ApiList, Shown
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant
from ...model import Caller, Page
from ...persist.transaction import Transaction
from ...phrases import Phrase, listed_phrases, words_of
from ...protocol.fields import Field, Scope
from ...protocol.secrecy import Scopes, may_see, secrets_of
from ...protocol.suggestions import quoted_with_suggestion
from .administration import PeopleAdministration, edit_of
from .authorship import FIELDS
from .bounds import CONFLICT, author_for, change_for
from .contradictions import ConflictStore
from .importing import MOST_CSV, ImportQuery, ImportView, PeopleImport
from .model import Conflict, PersonChange
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


class RemovalView(msgspec.Struct, frozen=True):
    """Result of a removal."""

    pin: str
    erased: bool
    devices: Annotated[
        list[str],
        Meta(
            description="Terminals that last stated that they have the person. Unless erased, the "
            "person is still there: delete with `DELETE devices/{sn}/users/{pin}`"
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


class SideView(msgspec.Struct, frozen=True):
    """What one side says about a person."""

    author: str
    fields: Annotated[
        dict[str, str | int | None], Meta(description="Values by field, without secrets")
    ]


class ConflictView(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal that says something else about a person than is stored."""

    id: int
    pin: str
    fields: Annotated[list[str], Meta(description="The fields that differ")]
    sides: Annotated[
        list[SideView], Meta(description="First the stored values, then those of the terminal")
    ]
    device: str
    meaning: str
    at: str


class ConflictQuery(ListQuery, frozen=True):
    """Filter of conflicts."""

    pin: Annotated[str | None, Meta(description="Of this user ID")] = None


class Settlement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decision about a conflict: a side, or the fields as they should be."""

    keep: Annotated[
        Literal["stored", "terminal"] | None,
        Meta(description="Keep the stored values, or take those of the terminal"),
    ] = None
    fields: Annotated[
        dict[str, str | int | None] | None, Meta(description="Other values, by field")
    ] = None


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
            ApiList[tuple[Conflict, Mapping[str, object], Mapping[str, str]]](
                path="/conflicts",
                summary="People about whom a terminal says something else than is stored",
                view=ConflictView,
                query=ConflictQuery,
                find_thd=_conflicts_thd,
                show=lambda found, caller: _conflict_view(*found, caller),
                key=lambda found: found[0].id,
                owner=lambda found: of_both(found[0]),
            ).route(self._store),
            Route(
                "POST",
                "/conflicts/<int:id>",
                Scope.WRITE,
                self.settle,
                "Settle a conflict; the caller becomes the author of its fields",
                body=Settlement,
                returns=UserView,
                takes=("caller",),
                limited=(CONFLICT,),
            ),
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
        try:
            devices, queued = await self._people.remove(
                pin, caller, erase=bool(query.erase), attendance=bool(query.attendance)
            )
        except LookupError as error:
            raise not_found(words_of(error)) from None
        services = self._services
        views = [
            command_view(services.catalogue, services.registry.families, one, caller.scopes)
            for one in queued
        ]
        return RemovalView(pin, bool(query.erase), devices, views)

    async def settle(self, id: int, body: Settlement, caller: Caller) -> Any:
        """Settle a conflict."""
        if (body.keep is None) == (body.fields is None):
            raise ValueError(Phrase("keep: give either `keep` or `fields`."))
        fields: Mapping[str, object] | None = body.fields
        if body.keep is not None:
            fields = {} if body.keep == "stored" else None
        strange = [
            quoted_with_suggestion(name[:40], FIELDS)
            for name in sorted(set(fields or ()) - FIELDS.keys())
        ]
        if strange:
            raise ValueError(
                Phrase(
                    "fields: a user has no %(strange)s; there are %(fields)s.",
                    strange=listed_phrases(strange),
                    fields=", ".join(FIELDS),
                )
            )
        try:
            found = await self._people.settle(id, fields, caller)
        except LookupError as error:
            raise not_found(words_of(error)) from None
        return await self._user(found.pin, caller)

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


def _conflicts_thd(
    tx: Transaction, part: Page, query: ConflictQuery
) -> Sequence[tuple[Conflict, Mapping[str, object], Mapping[str, str]]]:
    people = tx[PersonStore]
    found = tx[ConflictStore].page(part, query.pin)
    return [(one, people.values(one.pin), people.authors(one.pin)) for one in found]


def _conflict_view(
    found: Conflict, stored: Mapping[str, object], authors: Mapping[str, str], caller: Caller
) -> ConflictView:
    ours: dict[str, dict[str, Any]] = {}
    for name in found.fields:
        value = None if name in _SECRETS else stored.get(name)
        author = author_for(caller, authors.get(name, "nobody"))
        ours.setdefault(author, {})[name] = value
    said = found.said or {}
    theirs: dict[str, Any] = {
        name: None if name in _SECRETS else said.get(name) for name in found.fields
    }
    sides = [SideView(author, fields) for author, fields in sorted(ours.items())]
    return ConflictView(
        id=found.id,
        pin=found.pin,
        fields=[*found.fields],
        sides=[*sides, SideView(f"device {found.device}", theirs)],
        device=found.device,
        meaning=conflict_words(found),
        at=instant(found.at),
    )


def conflict_words(found: Conflict) -> Phrase:
    """Return a conflict in words."""
    if {"name", "card"} & set(found.fields):
        return Phrase(
            "The user ID %(pin)s is two people: terminal %(sn)s has another one",
            pin=found.pin,
            sn=found.device,
        )
    if found.fields == ["privilege"]:
        return Phrase(
            "Terminal %(sn)s gives user %(pin)s another privilege",
            pin=found.pin,
            sn=found.device,
        )
    return Phrase(
        "Terminal %(sn)s has other values for user %(pin)s: %(fields)s",
        pin=found.pin,
        sn=found.device,
        fields=", ".join(found.fields),
    )
