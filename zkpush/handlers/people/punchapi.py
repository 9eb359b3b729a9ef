"""API of the decision whose the punches are that came while a terminal had another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

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
from ...phrases import Phrase, words_of
from ...protocol.fields import Scope
from .claims import ClaimStore
from .deciding import CLAIM, CountedClaim, PunchDecisions, owner_of

Choice = Literal["person", "other", "later"]


class ClaimQuery(ListQuery, frozen=True):
    """Filter of spans of punches."""

    pin: Annotated[str | None, Meta(description="Of this user ID")] = None
    undecided: Annotated[
        bool | None, Meta(description="Only those about which nobody has decided")
    ] = None


class ClaimView(msgspec.Struct, frozen=True, kw_only=True):
    """Punches that came from a terminal while it had somebody else under the user ID."""

    id: int
    pin: str
    device: str
    name: Annotated[str, Meta(description="Whom the terminal has or had; empty if unknown")]
    since: Annotated[
        str | None,
        Meta(description="The punches were received since then; null for all earlier ones, too"),
    ]
    until: Annotated[
        str | None,
        Meta(description="They were received and made until then; null while it goes on"),
    ]
    stated: Annotated[
        str | None,
        Meta(
            description="They were made since then, when the terminal last stated the stored "
            "person, if their times are not in doubt; null if that is unknown"
        ),
    ]
    punches: Annotated[int, Meta(description="Number of attendance records")]
    owner: Annotated[
        Literal["person", "other"] | None,
        Meta(
            description="Whose they are: the stored person's, or the other one's; null until "
            "somebody decides"
        ),
    ]
    one_person: Annotated[
        bool,
        Meta(
            description="Whether it is decided that the terminal has the stored person, under this "
            "name"
        ),
    ]
    decided_at: str | None
    decided_by: str | None


class ClaimDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose the punches are; `later` makes them doubtful again."""

    owner: Choice
    one_person: Annotated[
        bool,
        Meta(
            description="With `person`: whether the terminal has the stored person, under another "
            "name, so that it has nobody else. Other owners take that back"
        ),
    ] = False


class PunchEndpoints:
    """Routes about the punches of two people under one user ID."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._decisions = PunchDecisions(services)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            ApiList[CountedClaim](
                path="/conflicts/punches",
                summary="Punches that came from terminals while they had somebody else",
                view=ClaimView,
                query=ClaimQuery,
                find_thd=self._find_thd,
                show=lambda found, caller: claim_view(found),
                key=lambda found: found.claim.id,
                owner=lambda found: of_both(found.claim),
            ).route(self._store),
            Route(
                "POST",
                "/conflicts/punches/<int:id>",
                Scope.WRITE,
                self.decide,
                "Decide whose punches are; a decision can be changed",
                body=ClaimDecision,
                returns=ClaimView,
                takes=("caller",),
                limited=(CLAIM,),
            ),
        ]

    def _find_thd(self, tx: Transaction, part: Page, query: ClaimQuery) -> Sequence[CountedClaim]:
        found = tx[ClaimStore].page(part, query.pin, undecided=bool(query.undecided))
        return self._decisions.counted_thd(tx, found)

    async def decide(self, id: int, body: ClaimDecision, caller: Caller) -> ClaimView:
        """Decide whose punches are."""
        if body.one_person and body.owner != "person":
            raise ValueError(Phrase("one_person: only with the owner `person`."))
        try:
            claim = await self._decisions.decide(
                id, owner_of(body.owner), caller, one_person=body.one_person
            )
        except LookupError as error:
            raise not_found(words_of(error)) from None
        (found,) = await self._store.read(lambda tx: self._decisions.counted_thd(tx, [claim]))
        return claim_view(found)


def claim_view(found: CountedClaim) -> ClaimView:
    """Return the view of a claim."""
    claim = found.claim
    return ClaimView(
        id=claim.id,
        pin=claim.pin,
        device=claim.device,
        name=claim.name,
        since=None if claim.since_at is None else instant(claim.since_at),
        until=None if claim.until_at is None else instant(claim.until_at),
        stated=None if claim.stated_at is None else instant(claim.stated_at),
        punches=found.punches,
        owner=None if claim.owner is None else claim.owner.value,
        one_person=bool(found.one_person),
        decided_at=None if claim.decided_at is None else instant(claim.decided_at),
        decided_by=claim.decided_by,
    )
