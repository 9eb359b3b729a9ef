"""Pages that remove or erase a person."""

from __future__ import annotations

from typing import Any

import msgspec

from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
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
from ...persist.areas import distributing_thd
from ...persist.transaction import Transaction
from ...phrases import counted_phrase, sentences
from ...protocol.fields import Scope
from ...values.punchspans import PunchSpan
from .administration import PeopleAdministration
from .claims import ClaimStore
from .deciding import CountedClaim, PunchDecisions, is_others
from .erased import ErasedPeople
from .former import FormerPeople
from .showing import person_thd
from .store import PeopleStore

ERASED = Phrase(
    "The person is erased here; terminals delete the person next. The punches stay under the user "
    "ID, without a name."
)
ERASED_ALL = Phrase(
    "The person is erased here, and so are the punches; terminals delete the person next."
)


class RemoveForm(msgspec.Struct, frozen=True):
    """A removal."""


class EraseForm(msgspec.Struct, frozen=True):
    """An erasure, confirmed by the user ID."""

    confirm: str
    attendance: bool = False
    others: bool = False
    """Also punches that are, or may be, another person's."""


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
                path="/people/<pin>/remove",
                title=Phrase("Remove a person"),
                scope=Scope.WRITE,
                run=self.show,
                limited=(PERSON,),
            ),
            ConsoleForm(
                path="/people/<pin>/remove",
                fields=RemoveForm,
                run=self.remove,
                again=self.show,
                limited=(PERSON,),
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
                return {"pin": pin, "name": name, "person": None, "count": own_thd(tx)}
            if may_erase and visit.areas is None and not tx[PeopleStore].known([pin]):
                departure = tx[FormerPeople].departure(pin)
                return {
                    "pin": pin,
                    "name": None,
                    "person": None,
                    "waiting": tx[ErasedPeople].holders(pin),
                    "erased_at": None if departure is None else departure.at,
                    "punches": self._count(tx, PunchSpan(pin=pin)),
                }
            found = {**person_thd(tx, pin, visit.caller), "name": name, "count": own_thd(tx)}
            return {**found, "distributing": distributing_thd(tx, found["person"].areas)}

        values = await self._store.read(find_thd)
        values["others"] = await self._others(visit, pin)
        return View(
            template="remove.html",
            title=Phrase("Remove a person"),
            values={"waiting": None, **values, "entry": entry, "may_erase": may_erase},
        )

    async def remove(self, visit: Visit, form: RemoveForm, pin: str) -> Redirect:
        """Remove a person here."""
        await self._people.remove(pin, visit.caller)
        return Redirect(to="/people", notice=Phrase("The person is removed."))

    async def erase(self, visit: Visit, form: EraseForm, pin: str) -> Redirect:
        """Erase a person everywhere."""
        if form.confirm != pin:
            raise FormMistakes(confirm=Phrase("This is not the user ID of the person."))
        spared = [] if form.others else await self._others(visit, pin)
        await self._people.remove(
            pin,
            visit.caller,
            erase=True,
            attendance=form.attendance,
            others=form.attendance and form.others,
        )
        # Where the deletion at terminals is watched, and the punches that stay can be erased.
        to = f"/people/{path_part(pin)}/remove" if visit.areas is None else "/people"
        if not form.attendance:
            return Redirect(to=to, notice=ERASED)
        count = sum(one.punches for one in spared)
        stays = counted_phrase(
            "%(num)s punch of other people stays.", "%(num)s punches of other people stay.", count
        )
        return Redirect(to=to, notice=sentences([ERASED_ALL, stays]) if count else ERASED_ALL)

    async def _others(self, visit: Visit, pin: str) -> list[CountedClaim]:
        """Return the claims to punches that are, or may be, another person's."""

        def find_thd(tx: Transaction) -> list[CountedClaim]:
            found = [one for one in tx[ClaimStore].of_people([pin]) if is_others(one)]
            if visit.areas is not None:
                found = visible_thd(tx, found, of_device, visit.areas)
            return [one for one in self._decisions.counted_thd(tx, found) if one.punches]

        return await self._store.read(find_thd)
