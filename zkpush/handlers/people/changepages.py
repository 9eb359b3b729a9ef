"""Pages that settle conflicts, and that remove or erase a person."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ...manage.commandviews import ask
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
from ...manage.limits import PERSON
from ...manage.services import Services
from ...model import Page
from ...pathparts import path_part
from ...persist.areas import distributing_thd
from ...persist.transaction import Transaction
from ...protocol.codes import Privilege
from ...protocol.fields import Scope
from .administration import PeopleAdministration
from .bounds import CONFLICT
from .contradictions import ConflictStore
from .erased import ErasedPeople
from .former import FormerPeople
from .model import DeletePerson
from .showing import MOST_CONFLICTS, conflicts_thd, person_thd
from .store import PeopleStore

ERASED = Phrase(
    "The person is erased here; terminals delete the person next. The punches stay under the user "
    "ID, without a name."
)
ERASED_ALL = Phrase(
    "The person is erased here, and so are the punches; terminals delete the person next."
)


class SettleForm(msgspec.Struct, frozen=True):
    """The side of a conflict that is right, or that the terminal is to delete its user."""

    keep: Literal["stored", "terminal", "delete"]


class RemoveForm(msgspec.Struct, frozen=True):
    """A removal."""


class EraseForm(msgspec.Struct, frozen=True):
    """An erasure, confirmed by the user ID."""

    confirm: str
    attendance: bool = False


class ConflictPages:
    """Open conflicts, and their settlement."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._people = PeopleAdministration(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the pages and forms."""
        return [
            ConsolePage(
                path="/people/conflicts", title=Phrase("Conflicts"), run=self.list, limited=()
            ),
            ConsoleForm(
                path="/people/conflicts/<int:conflict_id>",
                fields=SettleForm,
                run=self.settle,
                again=self.again,
                question=self.ask,
                limited=(CONFLICT,),
            ),
        ]

    async def list(self, visit: Visit, entry: FormEntry = NOTHING_ENTERED) -> View:
        """List the open conflicts."""
        found = await self._store.read(
            lambda tx: conflicts_thd(tx, Page(MOST_CONFLICTS, areas=visit.areas), visit.caller)
        )
        values = {
            "conflicts": found,
            "entry": entry,
            "may_change": visit.allows(Scope.WRITE),
        }
        return View(template="conflicts.html", title=Phrase("Conflicts"), values=values)

    async def again(self, visit: Visit, conflict_id: int, entry: FormEntry) -> View:
        """Show the list with the mistake."""
        return await self.list(visit, entry)

    async def ask(
        self, visit: Visit, form: SettleForm, conflict_id: int
    ) -> ConfirmationQuestion | None:
        """Ask before a terminal deletes its user, or its values give a right at terminals."""
        found = await self._store.read(lambda tx: tx[ConflictStore].get(conflict_id))
        if form.keep == "delete" and found is not None:
            return ConfirmationQuestion(
                title=Phrase("Delete the user at the terminal?"),
                text=Phrase(
                    "Terminal %(sn)s deletes user %(pin)s, with all fingers, faces and photos that "
                    "it has under this user ID. Nothing is deleted here.",
                    sn=found.device,
                    pin=found.pin,
                ),
                button=Phrase("Delete there"),
                back="/people/conflicts",
            )
        if form.keep != "terminal" or found is None or "privilege" not in found.fields:
            return None
        right = int(str((found.said or {}).get("privilege") or 0))
        if right == Privilege.USER:
            return None
        return ConfirmationQuestion(
            title=Phrase("Give this right?"),
            text=Phrase(
                "By the terminal, user %(pin)s is: %(right)s. With its values, the person gets "
                "this right here, and may change settings, people and records at terminals.",
                pin=found.pin,
                right=Phrase.made(Privilege(right).meaning, {}),
            ),
            button=Phrase("Give the right"),
            back="/people/conflicts",
        )

    async def settle(self, visit: Visit, form: SettleForm, conflict_id: int) -> Redirect:
        """Take one side, or have the user deleted at the terminal."""
        if form.keep == "delete":
            found = await self._store.read(lambda tx: tx[ConflictStore].get(conflict_id))
            if found is None:
                raise LookupError(Phrase("The conflict is settled already."))
            await ask(self._services, found.device, DeletePerson(found.pin), visit.caller)
            return Redirect(
                to="/people/conflicts",
                notice=Phrase(
                    "Terminal %(sn)s deletes the user when it asks for commands next. Then keep "
                    "what is stored.",
                    sn=found.device,
                ),
            )
        fields: dict[str, object] | None = {} if form.keep == "stored" else None
        await self._people.settle(conflict_id, fields, visit.caller)
        return Redirect(to="/people/conflicts", notice=Phrase("The conflict is settled."))


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
