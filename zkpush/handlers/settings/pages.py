"""Page of the settings in force: of the server, of the site, and of single terminals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from ...device import acts
from ...manage.console.forms import NOTHING_ENTERED, FormEntry
from ...manage.console.pages import (
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    NavGroup,
    NavPlace,
    Redirect,
    View,
    of_whole_site,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.console.zonechoice import chosen_zone, zone_options
from ...manage.services import Services
from ...model import Page
from ...origins import SettingOrigin
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from ..accounts.model import SITE_ZONE
from ..accounts.store import ConsoleSettingStore
from .model import SettingView, settings_in_force

CHANGE_SITE = "change site"
TITLE = Phrase("Settings in force")
LIMITED = Phrase("Your account is limited to areas, and these settings are of the whole site.")
"""Why it is refused to limited accounts."""
PER_PAGE = 50
"""Terminals with settings of their own on a page."""
SET, GENERAL, TERMINALS = "set", "general", "terminals"
"""Choices of the page beside the sections of the configuration."""
ORIGINS: Mapping[SettingOrigin, tuple[Phrase, str]] = {
    SettingOrigin.DEFAULT: (Phrase("default"), "calm"),
    SettingOrigin.FILE: (Phrase("configuration file"), "good"),
    SettingOrigin.COMMAND_LINE: (Phrase("command line"), "good"),
    SettingOrigin.ENVIRONMENT: (Phrase("environment variable"), "good"),
    SettingOrigin.MACHINE: (Phrase("this machine"), "calm"),
}
"""Origins in words, each with the kind of its badge."""

SECTIONS: Mapping[str, Phrase] = {
    "accounts": Phrase("Accounts"),
    "areas": Phrase("Areas"),
    "audit": Phrase("Audit log"),
    "commands": Phrase("Commands"),
    "completeness": Phrase("Completeness"),
    "encryption": Phrase("Encryption by terminals"),
    "events": Phrase("Events"),
    "health": Phrase("Health"),
    "limits": Phrase("Limits"),
    "plugins": Phrase("Plugins"),
    "privacy": Phrase("Privacy"),
    "proxies": Phrase("Proxies"),
    "remote_attendance": Phrase("Remote attendance"),
    "tls": Phrase("Encryption (TLS)"),
    "verification": Phrase("Verification by the server"),
    "watch": Phrase("Problems of terminals"),
}
"""Sections of the configuration in words; those of plugins are named as they are."""


class SettingSearch(msgspec.Struct, frozen=True):
    """The choice: a section, or one of `SET`, `GENERAL` and `TERMINALS`."""

    part: Annotated[str, Meta(max_length=100)] = SET
    after: Annotated[int, Meta(ge=0)] = 0


FIRST = SettingSearch()
"""The page before a choice."""


class SiteZoneForm(msgspec.Struct, frozen=True):
    """The time zone of the site."""

    zone: str


class SettingsPage:
    """The settings of the server."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def routes(self) -> list[ConsoleRoute]:
        """Return the page and its form."""
        return [
            ConsoleForm(
                path="/settings/zone",
                scope=Scope.ADMIN,
                fields=SiteZoneForm,
                run=self.change_zone,
                again=self.show,
            ),
            ConsolePage(
                path="/settings",
                title=TITLE,
                scope=Scope.ADMIN,
                run=self.show,
                query=SettingSearch,
                nav=NavPlace(NavGroup.SERVER, 60, "settings"),
            ),
        ]

    async def show(
        self, visit: Visit, query: SettingSearch = FIRST, entry: FormEntry = NOTHING_ENTERED
    ) -> View:
        """Show the settings of a section, or those that differ from their defaults."""
        services = self._services
        every = settings_in_force(services.settings, services.installation.origins)
        sections = sorted({_section(one) for one in every} - {""})
        return View(
            template="settings.html",
            title=TITLE,
            values={
                "entry": entry,
                "part": query.part,
                "settings": [
                    (one, _text(one.value), _text(one.default))
                    for one in every
                    if _is_chosen(one, query.part)
                ],
                "sections": [(name, SECTIONS.get(name, name)) for name in sections],
                "origins": ORIGINS,
                "file": services.installation.origins.file,
                "terminals": [],
                "next_query": None,
                "first_query": None,
                **(await self._terminals(query.after) if query.part == TERMINALS else {}),
                **(await self._site() if query.part == SET else {}),
            },
        )

    async def _site(self) -> dict[str, Any]:
        def find_thd(tx: Transaction) -> tuple[str | None, int]:
            return tx[ConsoleSettingStore].get(SITE_ZONE), len(tx[DeviceStore].without_zone())

        zone, count = await self._store.read(find_thd)
        server_zone = self._services.settings.timezone
        return {
            "zones": zone_options(),
            "site_zone": zone or server_zone or "",
            "server_zone": server_zone,
            "without_zone": count,
        }

    async def change_zone(self, visit: Visit, form: SiteZoneForm) -> Redirect:
        """Change the time zone of the site, and give it to terminals without one."""
        zone = chosen_zone("zone", form.zone)
        by, now = visit.caller, self._services.now()

        def unit(tx: Transaction) -> None:
            tx[ConsoleSettingStore].put(SITE_ZONE, zone)
            acts.record(tx, by, CHANGE_SITE, "site", f"timezone={zone}", now)

        await self._store.write(unit)
        await self._services.zones.follow()
        return Redirect(to="/settings", notice=Phrase("Saved."))

    async def _terminals(self, after: int) -> dict[str, Any]:
        def find_thd(tx: Transaction) -> list[Any]:
            return tx[DeviceStore].with_settings(Page(PER_PAGE + 1, after))

        found = await self._store.read(find_thd)
        shown = found[:PER_PAGE]
        more = {"part": TERMINALS, "after": shown[-1].id} if len(found) > PER_PAGE else None
        return {
            "terminals": shown,
            "next_query": None if more is None else urlencode(more),
            "first_query": urlencode({"part": TERMINALS}) if after else None,
        }


def _text(value: object) -> str | None:
    """Return a value as JSON; None without a value."""
    return None if value is None else msgspec.json.encode(value).decode()


def _section(setting: SettingView) -> str:
    return setting.key.rpartition(".")[0].partition(".")[0]


def _is_chosen(setting: SettingView, part: str) -> bool:
    if part == SET:
        return setting.origin not in (SettingOrigin.DEFAULT, SettingOrigin.MACHINE)
    return _section(setting) == ("" if part == GENERAL else part)


def pages(services: Services) -> list[ConsoleRoute]:
    """The page of settings."""
    return of_whole_site(SettingsPage(services).routes(), LIMITED)
