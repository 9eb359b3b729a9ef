"""Form of a terminal's settings that moves the terminal into another area."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ...device.administration import TerminalAdministration
from ...manage.console.areachoice import chosen_area_thd
from ...manage.console.pages import ConfirmationQuestion, ConsoleForm, ConsoleRoute, Redirect
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import TERMINAL
from ...manage.services import Services
from ...model import DEFAULT_AREA
from ...pathparts import path_part
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from .areaviews import area_thd
from .arrivals import arrival_question_thd
from .holderpages import NO_TERMINAL


class MoveForm(msgspec.Struct, frozen=True):
    """The area that a terminal moves into."""

    area: Annotated[str, Meta(max_length=200)]


class MovingPages:
    """The move of a terminal."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._terminals = TerminalAdministration(services.store, services.registry)

    def routes(self) -> list[ConsoleRoute]:
        """Return the form."""
        return [
            ConsoleForm(
                path="/terminals/<sn>/area",
                fields=MoveForm,
                run=self.move,
                question=self.ask_move,
                page="/terminals/<sn>/settings",
                limited=(TERMINAL,),
            )
        ]

    async def ask_move(self, visit: Visit, form: MoveForm, sn: str) -> ConfirmationQuestion | None:
        """Ask whether the terminal is to leave its area, and say what happens to its people."""

        def find_thd(tx: Transaction) -> ConfirmationQuestion | None:
            device = tx[DeviceStore].find(sn)
            if device is None:
                raise LookupError(NO_TERMINAL)
            name = chosen_area_thd(tx, form.area, visit.areas) or DEFAULT_AREA
            return arrival_question_thd(tx, device, area_thd(tx, name), "/terminals/<sn>/settings")

        return await self._store.read(find_thd)

    async def move(self, visit: Visit, form: MoveForm, sn: str) -> Redirect:
        """Put the terminal into the area, out of its former one."""
        area = await self._store.read(lambda tx: chosen_area_thd(tx, form.area, visit.areas))
        await self._terminals.change(sn, {"area": area}, visit.caller)
        notice = Phrase("It is in the area %(area)s now.", area=area or DEFAULT_AREA)
        return Redirect(to=f"/terminals/{path_part(sn)}/settings", notice=notice)
