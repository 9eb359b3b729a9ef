"""Page of the settings in force, and of the terminals that have settings of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from ...manage.console.pages import (
    ConsolePage,
    ConsoleRoute,
    NavGroup,
    NavPlace,
    View,
    of_whole_site,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...model import Page
from ...origins import SettingOrigin
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from .model import SettingView, settings_in_force

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


class SettingSearch(msgspec.Struct, frozen=True):
    """The choice: a section, or one of `SET`, `GENERAL` and `TERMINALS`."""

    part: Annotated[str, Meta(max_length=100)] = SET
    after: Annotated[int, Meta(ge=0)] = 0


class SettingsPage:
    """The settings of the server."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store

    def routes(self) -> list[ConsoleRoute]:
        """Return the page."""
        return [
            ConsolePage(
                path="/settings",
                title=Phrase("Settings in force"),
                scope=Scope.ADMIN,
                run=self.show,
                query=SettingSearch,
                nav=NavPlace(NavGroup.SERVER, 60, "settings"),
            )
        ]

    async def show(self, visit: Visit, query: SettingSearch) -> View:
        """Show the settings of a section, or those that differ from their defaults."""
        services = self._services
        every = settings_in_force(services.settings, services.installation.origins)
        sections = sorted({_section(one) for one in every} - {""})
        return View(
            template="settings.html",
            values={
                "part": query.part,
                "settings": [
                    (one, _text(one.value), _text(one.default))
                    for one in every
                    if _is_chosen(one, query.part)
                ],
                "sections": sections,
                "origins": ORIGINS,
                "file": services.installation.origins.file,
                "terminals": [],
                "next_query": None,
                "first_query": None,
                **(await self._terminals(query.after) if query.part == TERMINALS else {}),
            },
        )

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
    return of_whole_site(SettingsPage(services).routes())
