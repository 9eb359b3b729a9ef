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
from ...manage.limits import PERSON
from ...manage.services import Services
from ...pathparts import path_part
from ...persist.areas import distributing_thd
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from .administration import PeopleAdministration
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


class RemovalPages:
    """Removal and erasure of a person."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._people = PeopleAdministration(services)

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

        def find_thd(tx: Transaction) -> dict[str, Any]:
            name = tx[PeopleStore].names([pin]).get(pin)
            if tx[FormerPeople].among([pin], visit.areas):
                return {"pin": pin, "name": name, "person": None}
            if may_erase and visit.areas is None and not tx[PeopleStore].known([pin]):
                waiting = tx[ErasedPeople].holders(pin)
                return {"pin": pin, "name": None, "person": None, "waiting": waiting}
            found = {**person_thd(tx, pin, visit.caller), "name": name}
            return {**found, "distributing": distributing_thd(tx, found["person"].areas)}

        values = await self._store.read(find_thd)
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
        await self._people.remove(pin, visit.caller, erase=True, attendance=form.attendance)
        # Where the deletion at terminals is watched, and the punches that stay can be erased.
        to = f"/people/{path_part(pin)}/remove" if visit.areas is None else "/people"
        return Redirect(to=to, notice=ERASED_ALL if form.attendance else ERASED)
