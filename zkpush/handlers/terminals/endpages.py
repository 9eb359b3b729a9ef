"""Page of the end of a terminal: replace it by another one, or retire it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

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
from ...manage.limits import TERMINAL
from ...manage.services import Services
from ...persist.devices import DeviceStore
from ...protocol.fields import Scope
from ...protocol.serials import check_serial
from .actionpages import NO_TERMINAL, PressedButton
from .retirement import ReplaceRequest, RetirementEndpoints


class ReplaceForm(msgspec.Struct, frozen=True):
    """The terminal that replaces another one."""

    by: Annotated[str, Meta(max_length=200)]
    has_records: bool = False


class EndPages:
    """The end of a terminal."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._retirement = RetirementEndpoints(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and its forms."""
        return [
            ConsolePage(
                path="/terminals/<sn>/end",
                title=Phrase("Replace or retire"),
                scope=Scope.WRITE,
                run=self.show,
                limited=(TERMINAL,),
            ),
            ConsoleForm(
                path="/terminals/<sn>/replace",
                fields=ReplaceForm,
                run=self.replace,
                again=self.show,
                limited=(TERMINAL,),
            ),
            ConsoleForm(
                path="/terminals/<sn>/retire",
                fields=PressedButton,
                run=self.retire,
                again=self.show,
                question=ConfirmationQuestion(
                    title=Phrase("Retire this terminal?"),
                    text=Phrase(
                        "It is refused and not listed any more. Commands that wait for it are "
                        "cancelled. Its records stay. Punches that it holds and has not sent are "
                        "not stored: let it send everything first."
                    ),
                    button=Phrase("Retire"),
                    back="/terminals/<sn>/end",
                ),
                limited=(TERMINAL,),
            ),
        ]

    async def show(self, visit: Visit, sn: str, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show what each end means."""
        device = await self._store.read(lambda tx: tx[DeviceStore].find(sn))
        if device is None:
            raise LookupError(NO_TERMINAL)
        values = {"sn": sn, "name": device.alias or sn, "entry": entry}
        return View(template="end.html", values=values)

    async def replace(self, visit: Visit, form: ReplaceForm, sn: str) -> Redirect:
        """Replace a terminal."""
        try:
            by = check_serial(form.by)
        except ValueError:
            raise FormMistakes(by=Phrase("This is no serial number.")) from None
        try:
            body = ReplaceRequest(by, form.has_records)
            ended = await self._retirement.replace(sn, body, visit.caller)
        except LookupError:
            raise LookupError(NO_TERMINAL) from None
        notice = Phrase("%(name)s takes the place of %(old)s.", name=by, old=ended.device)
        return Redirect(to=f"/terminals/{by}", notice=notice)

    async def retire(self, visit: Visit, form: PressedButton, sn: str) -> Redirect:
        """Retire a terminal."""
        try:
            await self._retirement.retire(sn, visit.caller)
        except LookupError:
            raise LookupError(NO_TERMINAL) from None
        notice = Phrase("%(name)s is out of use. Its records stay.", name=sn)
        return Redirect(to=f"/terminals/{sn}", notice=notice)
