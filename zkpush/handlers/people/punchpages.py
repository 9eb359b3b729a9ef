"""Pages of the decision whose the punches are that came while a terminal had another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import attrs
import msgspec
from msgspec import Meta

from ...manage.console.pages import ConsoleForm, ConsolePage, ConsoleRoute, Redirect, View
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import of_both, visible_thd
from ...manage.services import Services
from ...model import Page
from ...pathparts import path_part
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from .claims import ClaimStore
from .claimwords import ERASED_PERSON, span_phrase
from .deciding import CLAIM, PunchDecisions, is_of_erased_thd, owner_of
from .model import PunchClaim
from .punchapi import Choice
from .store import PeopleStore

LIST = "/people/punches"
PER_PAGE = 20
"""Spans of punches on a page of the list."""


class ClaimsQuery(msgspec.Struct, frozen=True):
    """Filter and page of the list."""

    decided: bool = False
    """Whether those are shown, too, about which somebody has decided."""
    before: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None


class DecisionForm(msgspec.Struct, frozen=True):
    """Whose the punches are; `later` makes them doubtful again."""

    owner: Choice
    one_person: bool = False
    """Whether the terminal has the stored person, under another name."""
    back: Literal["list", "month"] = "month"
    """The page that has the form: the list, or the attendance of the person."""


@attrs.frozen
class ShownClaim:
    """Punches that are, or may be, those of two people."""

    claim: PunchClaim
    count: int
    name: str | None
    """Name of who had the user ID then."""
    is_erased: bool
    """Whether that person is erased, so that nobody can get the punches back."""
    has_month: bool
    """Whether the person has a page of attendance with these punches."""
    holder: int | None
    """Number of an earlier holder of the user ID; None for the present one."""
    span: Phrase
    one_person: bool | None
    """Whether it is decided to be one person; None if there is no such choice."""


class PunchPages:
    """The list of doubtful punches, and the decision about them."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._decisions = PunchDecisions(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and the form."""
        return [
            ConsolePage(
                path=LIST,
                title=Phrase("Punches of two people"),
                run=self.waiting,
                query=ClaimsQuery,
                limited=(),
            ),
            ConsoleForm(
                path=f"{LIST}/<int:claim_id>",
                fields=DecisionForm,
                run=self.decide,
                limited=(CLAIM,),
            ),
        ]

    async def waiting(self, visit: Visit, query: ClaimsQuery) -> View:
        """List the punches that wait for a decision, the newest spans first."""
        part = Page(PER_PAGE + 1, before=query.before, newest_first=True, areas=visit.areas)

        def find_thd(tx: Transaction) -> tuple[Sequence[PunchClaim], Sequence[ShownClaim]]:
            found = tx[ClaimStore].page(part, undecided=not query.decided)
            return found, self._shown_thd(tx, visit, found[:PER_PAGE])

        found, shown = await self._store.read(find_thd)
        is_more = len(found) > PER_PAGE
        asked = "decided=true" if query.decided else ""
        values = {
            "claims": shown,
            "may_change": visit.allows(Scope.WRITE),
            "with_decided": query.decided,
            "next_query": "&".join(filter(None, [asked, f"before={found[PER_PAGE - 1].id}"]))
            if is_more
            else None,
            "first_query": None if query.before is None else asked,
        }
        return View(template="punches.html", values=values)

    def _shown_thd(
        self, tx: Transaction, visit: Visit, claims: Sequence[PunchClaim]
    ) -> list[ShownClaim]:
        if visit.areas is not None:
            claims = visible_thd(tx, claims, of_both, visit.areas)
        holders = tx[PeopleStore].holders({one.pin for one in claims}, visit.areas)
        shown = []
        for found in self._decisions.counted_thd(tx, claims):
            claim, holder = found.claim, holders.of_claim(found.claim)
            is_erased = is_of_erased_thd(tx, claim)
            one = ShownClaim(
                claim=claim,
                count=found.punches,
                name=holder.name,
                is_erased=is_erased,
                has_month=not holder.is_hidden,
                holder=holder.earlier,
                span=span_phrase(claim, ERASED_PERSON if is_erased else holder.name or claim.pin),
                one_person=found.one_person,
            )
            if found.punches:
                shown.append(one)
        return shown

    async def decide(self, visit: Visit, form: DecisionForm, claim_id: int) -> Redirect:
        """Decide whose the punches are."""
        owner = owner_of(form.owner)
        claim = await self._decisions.decide(
            claim_id, owner, visit.caller, one_person=form.one_person
        )
        month = f"/attendance/people/{path_part(claim.pin)}"
        notice = Phrase("It is decided whose the punches are.")
        if form.owner == "later":
            notice = Phrase("The punches are doubtful again.")
        return Redirect(to=LIST if form.back == "list" else month, notice=notice)
