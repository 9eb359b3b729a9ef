"""Page that erases a person who left, and whose user ID somebody else has got since."""

from __future__ import annotations

from typing import Any

import msgspec

from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import ConsoleForm, ConsolePage, ConsoleRoute, Redirect, View
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import PERSON
from ...manage.services import Services
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ..people.store import EarlierHolder, EarlierHolders, PeopleStore
from .earlier import EarlierPeople
from .finding import NO_HOLDER


class EarlierErasureForm(msgspec.Struct, frozen=True):
    """An erasure, confirmed by the user ID."""

    confirm: str
    attendance: bool = False


class EarlierErasurePages:
    """Erasure of an earlier holder of a user ID."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._people = EarlierPeople(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and the form."""
        path = "/attendance/people/<pin>/earlier/<int:number>"
        return [
            ConsolePage(
                path=path,
                title=Phrase("Erase a person"),
                scope=Scope.DANGEROUS,
                run=self.show,
                limited=(PERSON,),
            ),
            ConsoleForm(
                path=path,
                scope=Scope.DANGEROUS,
                fields=EarlierErasureForm,
                run=self.erase,
                again=self.show,
                limited=(PERSON,),
            ),
        ]

    async def show(
        self, visit: Visit, pin: str, number: int, entry: FormEntry = NOTHING_ENTERED
    ) -> View:
        """Say what the erasure does."""

        def find_thd(tx: Transaction) -> tuple[EarlierHolder, str | None]:
            found = tx[EarlierHolders].find(pin, number, visit.areas)
            if found is None:
                raise LookupError(NO_HOLDER)
            return found, tx[PeopleStore].names([pin]).get(pin)

        whose, name = await self._store.read(find_thd)
        values: dict[str, Any] = {"pin": pin, "whose": whose, "name": name, "entry": entry}
        return View(template="earlier.html", values=values)

    async def erase(
        self, visit: Visit, form: EarlierErasureForm, pin: str, number: int
    ) -> Redirect:
        """Erase the earlier holder."""
        if form.confirm != pin:
            raise FormMistakes(confirm=Phrase("This is not the user ID of the person."))
        await self._people.erase(pin, number, visit.caller, attendance=form.attendance)
        return Redirect(to="/people", notice=Phrase("The person is erased."))
