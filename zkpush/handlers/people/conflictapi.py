"""API of conflicts: terminals that say something else about people than is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ...manage.errors import not_found
from ...manage.limits import of_both
from ...manage.listing import ListQuery
from ...manage.lists import ApiList
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant
from ...model import Caller, Page
from ...persist.transaction import Transaction
from ...phrases import Phrase, listed_phrases, words_of
from ...protocol.fields import Scope
from ...protocol.secrecy import secrets_of
from ...protocol.suggestions import quoted_with_suggestion
from .authorship import FIELDS
from .bounds import CONFLICT, author_for
from .contradictions import ConflictStore
from .deciding import owner_of
from .model import Conflict
from .persons import PersonStore
from .settling import ConflictSettlement
from .store import PeopleStore
from .tables import USER
from .views import UserView, user_for, user_view

_SECRETS = secrets_of(USER)


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
    punches: Annotated[
        Literal["person", "other", "later"] | None,
        Meta(
            description="Whose the doubtful punches are that came from the terminal; without it, "
            "they stay doubtful. With the values of the terminal, they are the person's"
        ),
    ] = None
    one_person: Annotated[
        bool,
        Meta(
            description="Whether it is one person, whose name is wrong here or there. The terminal "
            "has nobody else then: its templates, photos and punches are the person's"
        ),
    ] = False


class ConflictEndpoints:
    """Handlers of the routes of conflicts."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._settlement = ConflictSettlement(services)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
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

    async def settle(self, id: int, body: Settlement, caller: Caller) -> Any:
        """Settle a conflict."""
        if (body.keep is None) == (body.fields is None):
            raise ValueError(Phrase("keep: give either `keep` or `fields`."))
        if body.keep == "terminal" and body.punches is not None:
            raise ValueError(
                Phrase("punches: not with the terminal's values; they are the person's then.")
            )
        if body.one_person and body.punches not in (None, "person"):
            raise ValueError(Phrase("punches: if it is one person, they are the person's."))
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
            found = await self._settlement.settle(
                id, fields, caller, owner_of(body.punches), one_person=body.one_person
            )
        except LookupError as error:
            raise not_found(words_of(error)) from None
        pin = found.pin
        (user,) = await self._store.read(lambda tx: tx[PeopleStore].users(Page(1), pin))
        return user_view(user_for(caller, user), frozenset(caller.scopes - {Scope.BIOMETRICS}))


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
    if "name" in found.fields:
        return Phrase(
            "Terminal %(sn)s has another name under the user ID %(pin)s, perhaps another person",
            pin=found.pin,
            sn=found.device,
        )
    if "card" in found.fields:
        return Phrase(
            "Terminal %(sn)s has another card under the user ID %(pin)s, perhaps another person's",
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
