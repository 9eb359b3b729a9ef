"""Page of the settings of a terminal: its area, its options with their meaning, its protection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ...device.administration import TerminalAdministration
from ...manage.console.areachoice import AreaChoice, area_choice_thd
from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import ConsoleForm, ConsolePage, ConsoleRoute, Redirect, View
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.limits import TERMINAL
from ...manage.services import Services
from ...model import DEFAULT_AREA, Device
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...protocol.addresses import canonical_networks
from ...protocol.exchange import OPTION_REPLY
from ...protocol.fields import Scope
from ...protocol.handshake import check_setting
from ...values.devicewords import ENCRYPTION_WORDS, TOKEN_WORDS
from .actionpages import NO_TERMINAL

OPTIONS = [field for field in OPTION_REPLY.fields if field.stored]
"""Options of the protocol that can be set for one terminal."""
_Text = Annotated[str, Meta(max_length=200)]

OptionsForm = msgspec.defstruct(
    "OptionsForm",
    [(field.wire, _Text, "") for field in OPTIONS],
    frozen=True,
    module=__name__,
)
"""Options of a terminal; an empty one is that of all terminals."""


class ProtectionForm(msgspec.Struct, frozen=True):
    """Encryption, token and networks of a terminal."""

    encryption: Literal["", "prefer", "require", "never"] = ""
    token: Literal["check", "require", "ignore"] = "check"  # noqa: S105 - no password
    networks: Annotated[str, Meta(max_length=2000)] = ""


class SettingPages:
    """The settings of a terminal."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._administration = TerminalAdministration(services.store, services.registry)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and its forms."""
        path = "/terminals/<sn>/settings"
        return [
            ConsolePage(path=path, title=Phrase("Settings"), run=self.show, limited=(TERMINAL,)),
            ConsoleForm(
                path=path,
                fields=OptionsForm,
                run=self.change,
                again=self.show,
                limited=(TERMINAL,),
            ),
            ConsoleForm(
                path=f"{path}/protection",
                scope=Scope.ADMIN,
                fields=ProtectionForm,
                run=self.protect,
                again=self.show,
                limited=(TERMINAL,),
            ),
        ]

    async def show(self, visit: Visit, sn: str, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show the settings of a terminal."""

        def find_thd(tx: Transaction) -> tuple[Device | None, AreaChoice]:
            return tx[DeviceStore].find(sn), area_choice_thd(tx, visit.areas)

        found, areas = await self._store.read(find_thd)
        device = _known(found)
        general = self._services.settings.options
        return View(
            template="settings.html",
            values={
                "sn": sn,
                "name": device.alias or sn,
                "device": device,
                "area": device.area or DEFAULT_AREA,
                "areas": areas.options,
                "entry": entry,
                "options": [
                    (field.wire, field.meaning, general.get(field.wire, field.default))
                    for field in OPTIONS
                ],
                "wires": [field.wire for field in OPTIONS],
                "encryption": [(key or "", Phrase(text)) for key, text in ENCRYPTION_WORDS.items()],
                "tokens": [(key, Phrase(text)) for key, text in TOKEN_WORDS.items()],
            },
        )

    async def change(self, visit: Visit, form: Any, sn: str) -> Redirect:
        """Change the options of a terminal."""
        device = await self._find(sn)
        settings: dict[str, object] = {}
        wrong: dict[str, str] = {}
        for field in OPTIONS:
            text = getattr(form, field.wire)
            try:
                value = check_setting(field, text) if text else None
            except ValueError:
                wrong[field.wire] = Phrase("This value does not fit the option.")
                continue
            if value != device.settings.get(field.wire):
                settings[field.wire] = value
        if wrong:
            raise FormMistakes(**wrong)
        return await self._change(visit, sn, {"settings": settings} if settings else {})

    async def protect(self, visit: Visit, form: ProtectionForm, sn: str) -> Redirect:
        """Change the protection of a terminal."""
        device = await self._find(sn)
        try:
            networks = canonical_networks(form.networks.replace(",", " ").split())
        except ValueError:
            wrong = Phrase("Write addresses or networks, such as 10.1.0.0/16, with commas between.")
            raise FormMistakes(networks=wrong) from None
        wanted: Mapping[str, object] = {
            "encryption": form.encryption or None,
            "token_policy": form.token,
            "networks": networks,
        }
        changed = {name: value for name, value in wanted.items() if value != getattr(device, name)}
        return await self._change(visit, sn, changed)

    async def _find(self, sn: str) -> Device:
        return _known(await self._store.read(lambda tx: tx[DeviceStore].find(sn)))

    async def _change(self, visit: Visit, sn: str, values: Mapping[str, object]) -> Redirect:
        if values:
            await self._administration.change(sn, values, visit.caller)
        return Redirect(to=f"/terminals/{sn}/settings", notice=Phrase("Saved."))


def _known(device: Device | None) -> Device:
    if device is None:
        raise LookupError(NO_TERMINAL)
    return device
