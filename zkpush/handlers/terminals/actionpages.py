"""Buttons of a terminal's page that send it a command."""

from __future__ import annotations

import msgspec

from ...device import acts
from ...device.zones import ZoneUnknown
from ...manage.commandviews import ask
from ...manage.console.pages import ConfirmationQuestion, ConsoleForm, ConsoleRoute, Redirect
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import TERMINAL
from ...manage.services import Services
from ...protocol.fields import Scope
from .model import AskRecords, OpenDoor, Reboot

ATTENDANCE = "ATTLOG"
"""Data type of attendance records."""
NO_TERMINAL = Phrase("There is no such terminal.")


class PressedButton(msgspec.Struct, frozen=True):
    """A form that is one button."""


class ActionPages:
    """Forms that make a terminal do something."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[ConsoleRoute]:
        """Return the forms."""
        return [
            ConsoleForm(
                path="/terminals/<sn>/reboot",
                fields=PressedButton,
                run=self.reboot,
                question=ConfirmationQuestion(
                    title=Phrase("Restart this terminal?"),
                    text=Phrase("Nobody can punch at it for a minute or two."),
                    button=Phrase("Restart it"),
                    back="/terminals/<sn>",
                ),
                limited=(TERMINAL,),
            ),
            ConsoleForm(
                path="/terminals/<sn>/resend",
                fields=PressedButton,
                run=self.resend,
                limited=(TERMINAL,),
            ),
            ConsoleForm(
                path="/terminals/<sn>/door",
                scope=Scope.DANGEROUS,
                fields=PressedButton,
                run=self.open_door,
                question=ConfirmationQuestion(
                    title=Phrase("Unlock the door of this terminal?"),
                    text=Phrase("The door opens once, for anybody who stands before it."),
                    button=Phrase("Unlock the door"),
                    back="/terminals/<sn>",
                ),
                limited=(TERMINAL,),
            ),
            ConsoleForm(
                path="/terminals/<sn>/recompute",
                fields=PressedButton,
                run=self.recompute,
                question=ConfirmationQuestion(
                    title=Phrase("Correct the times of the stored punches of this terminal?"),
                    text=Phrase(
                        "The time on its clock stays. The instant of each punch is computed again "
                        "by the present time zone of the terminal, and forwarded records are "
                        "corrected. Many records take a while."
                    ),
                    button=Phrase("Correct the times"),
                    back="/terminals/<sn>",
                ),
                limited=(TERMINAL,),
            ),
        ]

    async def reboot(self, visit: Visit, form: PressedButton, sn: str) -> Redirect:
        """Restart a terminal."""
        notice = Phrase(
            "%(name)s restarts when it fetches its commands, usually within a minute.",
            name=visit.named(sn) or sn,
        )
        return await self._ask(visit, sn, Reboot(), notice)

    async def resend(self, visit: Visit, form: PressedButton, sn: str) -> Redirect:
        """Make a terminal send all its attendance records again."""
        notice = Phrase(
            "%(name)s sends its records again when it fetches its commands. None is counted twice.",
            name=visit.named(sn) or sn,
        )
        act = (acts.RESEND, ATTENDANCE)
        return await self._ask(visit, sn, AskRecords(ATTENDANCE), notice, act)

    async def open_door(self, visit: Visit, form: PressedButton, sn: str) -> Redirect:
        """Open the door of a terminal once."""
        notice = Phrase(
            "%(name)s opens its door when it fetches its commands.", name=visit.named(sn) or sn
        )
        return await self._ask(visit, sn, OpenDoor(), notice)

    async def recompute(self, visit: Visit, form: PressedButton, sn: str) -> Redirect:
        """Compute the instants of its records again, by its present time zone."""
        try:
            counts = await self._services.zones.recompute(sn, None, None, visit.caller)
        except LookupError:
            raise LookupError(NO_TERMINAL) from None
        except ZoneUnknown:
            raise ValueError(Phrase("Set the time zone of the terminal first.")) from None
        notice = Phrase(
            "Records looked at: %(checked)s. Records with another instant now: %(changed)s.",
            checked=counts.checked,
            changed=counts.changed,
        )
        return Redirect(to=f"/terminals/{sn}", notice=notice)

    async def _ask(
        self,
        visit: Visit,
        sn: str,
        intent: object,
        notice: Phrase,
        act: tuple[str, str] | None = None,
    ) -> Redirect:
        try:
            await ask(self._services, sn, intent, visit.caller, act)
        except LookupError:
            raise LookupError(NO_TERMINAL) from None
        return Redirect(to=f"/terminals/{sn}", notice=notice)
