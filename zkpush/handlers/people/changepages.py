"""Pages that remove or erase a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
    ConfirmationQuestion,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    Redirect,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import PERSON, of_device, visible_thd
from ...manage.services import Services
from ...pathparts import path_part
from ...persist.transaction import Transaction
from ...phrases import counted_phrase, listed_phrases, sentences, terminal_phrase
from ...protocol.fields import Scope
from ...values.punchspans import PunchSpan
from .administration import PeopleAdministration
from .bounds import own_terminals_thd
from .claims import ClaimStore
from .deciding import CountedClaim, PunchDecisions, is_others
from .deletionstates import (
    asked_again,
    departed_values_thd,
    possible_holders_thd,
    to_ask_thd,
    unfetched_thd,
)
from .former import FormerPeople
from .showing import NO_PERSON, departed_thd, person_thd
from .store import PeopleStore

ERASED = Phrase("The person is erased here. The punches stay under the user ID, without a name.")
ERASED_ALL = Phrase("The person is erased here, and so are the punches.")
NOT_TOLD = Phrase("No terminal is known to have the person.")
HERE = "/people/<pin>/remove"
MOST_NAMED = 20
"""Terminals that a question names."""


class RemoveForm(msgspec.Struct, frozen=True):
    """A removal."""

    terminals: bool = False
    """Whether the terminals delete the person, too."""


class TakeOffForm(msgspec.Struct, frozen=True):
    """The button that has terminals delete somebody who left."""


class EraseForm(msgspec.Struct, frozen=True):
    """An erasure, confirmed by the user ID."""

    confirm: str
    attendance: bool = False
    others: bool = False
    """Also punches that are, or may be, another person's."""


class RemovalPlaces(NamedTuple):
    """Terminals that have, or may have, a person who is to be removed, by serial number."""

    told: Sequence[str]
    """Terminals that delete the person only on an order."""
    by_itself: Sequence[str]
    """Those of areas that distribute, and those to which the server has sent the person."""


class RemovalPages:
    """Removal and erasure of a person."""

    def __init__(self, services: Services) -> None:
        self._count = services.count_punches_thd
        self._store = services.store
        self._people = PeopleAdministration(services)
        self._decisions = PunchDecisions(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and the forms."""
        return [
            ConsolePage(
                path=HERE,
                title=Phrase("Remove a person"),
                scope=Scope.WRITE,
                run=self.show,
                limited=(PERSON,),
            ),
            ConsoleForm(
                path=HERE,
                fields=RemoveForm,
                run=self.remove,
                question=self.ask_remove,
                again=self.show,
                limited=(PERSON,),
            ),
            ConsoleForm(
                path="/people/<pin>/terminals",
                fields=TakeOffForm,
                run=self.take_off,
                question=self.ask_take_off,
                limited=(),
            ),
            ConsoleForm(
                path="/people/<pin>/erase",
                scope=Scope.DANGEROUS,
                fields=EraseForm,
                run=self.erase,
                again=self.show,
                limited=(PERSON,),
            ),
        ]

    async def show(self, visit: Visit, pin: str, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Say what removal and erasure do.

        A person who left can be erased, and the punches of a user ID that nobody has.
        """
        may_erase = visit.allows(Scope.DANGEROUS)

        def own_thd(tx: Transaction) -> int | None:
            """Count the punches; None for a limited account, and if others had the user ID."""
            if visit.areas is not None or tx[PeopleStore].holders([pin]).present_spans(pin):
                return None
            return self._count(tx, PunchSpan(pin=pin))

        def find_thd(tx: Transaction) -> dict[str, Any]:
            name = tx[PeopleStore].names([pin]).get(pin)
            if tx[FormerPeople].among([pin], visit.areas):
                return {"name": name, "person": None, "count": own_thd(tx)}
            if may_erase and visit.areas is None and not tx[PeopleStore].known([pin]):
                departure = tx[FormerPeople].departure(pin)
                gone = {
                    "is_gone": True,
                    "name": None,
                    "person": None,
                    "erased_at": None if departure is None else departure.at,
                    "punches": self._count(tx, PunchSpan(pin=pin)),
                }
                if departure is None:
                    return {**gone, "deletions": [], "deletion_counts": [], "unfetched": []}
                return {**gone, **departed_values_thd(tx, pin, departure, visit.caller)}
            found = person_thd(tx, pin, visit.caller)
            places = self._places_thd(tx, visit, pin)
            return {
                "person": found["person"],
                "name": name,
                "count": own_thd(tx),
                "told": places.told,
                "by_itself": places.by_itself,
                "unfetched": unfetched_thd(tx, visit.areas, [*places.told, *places.by_itself]),
            }

        values = await self._store.read(find_thd)
        values["others"] = await self._others(visit, pin)
        return View(
            template="remove.html",
            title=Phrase("Remove a person"),
            values={
                "is_gone": False,
                "pin": pin,
                "entry": entry,
                "may_erase": may_erase,
                **values,
            },
        )

    def _places_thd(self, tx: Transaction, visit: Visit, pin: str) -> RemovalPlaces:
        found = own_terminals_thd(tx, visit.caller, possible_holders_thd(tx, pin))
        told = to_ask_thd(tx, pin, found)
        return RemovalPlaces(told, [sn for sn in found if sn not in told])

    async def ask_remove(self, visit: Visit, form: RemoveForm, pin: str) -> ConfirmationQuestion:
        """Ask whether a person is to be removed, and name the terminals."""

        def find_thd(tx: Transaction) -> tuple[str, RemovalPlaces]:
            if not tx[PeopleStore].known([pin]):
                raise LookupError(NO_PERSON)
            return tx[PeopleStore].names([pin]).get(pin) or pin, self._places_thd(tx, visit, pin)

        name, places = await self._store.read(find_thd)
        said = [Phrase("The person and what is enrolled are deleted here. Punches stay.")]
        deleted = [*places.by_itself, *(places.told if form.terminals else ())]
        if deleted:
            said.append(Phrase("Deleted also from: %(names)s.", names=_listed(deleted)))
        if places.told and not form.terminals:
            said.append(Phrase("Kept by: %(names)s.", names=_listed(places.told)))
        if not (deleted or places.told):
            said.append(NOT_TOLD)
        return ConfirmationQuestion(
            title=Phrase("Remove this person?"),
            text=sentences(said),
            button=Phrase("Remove"),
            back=HERE,
            subject=name,
        )

    async def remove(self, visit: Visit, form: RemoveForm, pin: str) -> Redirect:
        """Remove a person here, and from terminals."""
        _, queued = await self._people.remove(pin, visit.caller, terminals=form.terminals)
        said = [Phrase("The person is removed.")]
        if queued:
            said.append(_told_phrase(len(queued)))
        return Redirect(to=f"/people/{path_part(pin)}", notice=sentences(said))

    async def ask_take_off(
        self, visit: Visit, form: TakeOffForm, pin: str
    ) -> ConfirmationQuestion | None:
        """Ask whether terminals are to delete somebody who left."""

        def find_thd(tx: Transaction) -> tuple[str, list[str]]:
            departure = departed_thd(tx, pin, visit.caller)
            if departure is None:
                raise LookupError(NO_PERSON)
            found = departed_values_thd(tx, pin, departure, visit.caller)["deletions"]
            return departure.name or pin, asked_again(found)

        name, told = await self._store.read(find_thd)
        if not told:
            return None
        return ConfirmationQuestion(
            title=Phrase("Delete this person from the terminals?"),
            text=Phrase("Deleted from: %(names)s.", names=_listed(told)),
            button=Phrase("Delete"),
            back="/people/<pin>",
            subject=name,
        )

    async def take_off(self, visit: Visit, form: TakeOffForm, pin: str) -> Redirect:
        """Have terminals delete somebody who left."""
        queued = await self._people.take_off(pin, visit.caller)
        return Redirect(to=f"/people/{path_part(pin)}", notice=_told_phrase(len(queued)))

    async def erase(self, visit: Visit, form: EraseForm, pin: str) -> Redirect:
        """Erase a person everywhere."""
        if form.confirm != pin:
            raise FormMistakes(confirm=Phrase("This is not the user ID of the person."))
        spared = [] if form.others else await self._others(visit, pin)
        _, queued = await self._people.remove(
            pin,
            visit.caller,
            erase=True,
            attendance=form.attendance,
            others=form.attendance and form.others,
        )
        # Where the deletion at terminals is watched, and the punches that stay can be erased.
        to = f"/people/{path_part(pin)}/remove" if visit.areas is None else "/people"
        said = [ERASED_ALL if form.attendance else ERASED, _told_phrase(len(queued))]
        count = sum(one.punches for one in spared)
        if form.attendance and count:
            said.append(
                counted_phrase(
                    "%(num)s punch of other people stays.",
                    "%(num)s punches of other people stay.",
                    count,
                )
            )
        return Redirect(to=to, notice=sentences(said))

    async def _others(self, visit: Visit, pin: str) -> list[CountedClaim]:
        """Return the claims to punches that are, or may be, another person's."""

        def find_thd(tx: Transaction) -> list[CountedClaim]:
            found = [one for one in tx[ClaimStore].of_people([pin]) if is_others(one)]
            if visit.areas is not None:
                found = visible_thd(tx, found, of_device, visit.areas)
            return [one for one in self._decisions.counted_thd(tx, found) if one.punches]

        return await self._store.read(find_thd)


def _listed(serials: Sequence[str]) -> Phrase:
    """Name terminals; of many, the first ones and the number of the others."""
    named = [terminal_phrase(sn) for sn in serials[:MOST_NAMED]]
    if len(serials) > MOST_NAMED:
        more = len(serials) - MOST_NAMED
        named.append(counted_phrase("%(num)s more terminal", "%(num)s more terminals", more))
    return listed_phrases(named)


def _told_phrase(told: int) -> Phrase:
    """Say how many terminals are to delete the person."""
    if not told:
        return NOT_TOLD
    return counted_phrase(
        "%(num)s terminal is told to delete the person.",
        "%(num)s terminals are told to delete the person.",
        told,
    )
