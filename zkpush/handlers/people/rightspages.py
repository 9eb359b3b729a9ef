"""The form that gives the rights of one terminal everywhere."""

from __future__ import annotations

import msgspec

from ...manage.console.forms import FormMistakes
from ...manage.console.pages import ConfirmationQuestion, ConsoleForm, ConsoleRoute, Redirect
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import PERSON
from ...manage.services import Services
from ...model import Page
from ...pathparts import path_part
from .administration import PeopleAdministration, edit_of
from .showing import NO_PERSON
from .store import PeopleStore

CHANGED = Phrase("The rights have changed meanwhile. Look at them again.")


class RightsForm(msgspec.Struct, frozen=True):
    """The button."""

    privilege: int
    """As the page showed it."""


GIVE_RIGHTS = ConfirmationQuestion(
    title=Phrase("Give these rights everywhere?"),
    text=Phrase(
        "The person has the rights at all terminals that the person is sent to, and can change "
        "people and settings there."
    ),
    button=Phrase("Give these rights everywhere"),
    back="/people/<pin>",
)


class RightsPages:
    """An account confirms the rights that only a terminal has given."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._people = PeopleAdministration(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the form."""
        return [
            ConsoleForm(
                path="/people/<pin>/rights",
                fields=RightsForm,
                run=self.give,
                question=GIVE_RIGHTS,
                limited=(PERSON,),
            )
        ]

    async def give(self, visit: Visit, form: RightsForm, pin: str) -> Redirect:
        """Make this account the author of the rights."""
        found = await self._store.read(lambda tx: tx[PeopleStore].users(Page(1), pin))
        if not found:
            raise LookupError(NO_PERSON)
        if found[0].privilege != form.privilege:
            raise FormMistakes(CHANGED)
        known = msgspec.structs.asdict(found[0])
        await self._people.put(
            edit_of(pin, {"privilege": form.privilege}, None, known), visit.caller
        )
        notice = Phrase("These rights hold at all terminals that the person is sent to.")
        return Redirect(to=f"/people/{path_part(pin)}", notice=notice)
