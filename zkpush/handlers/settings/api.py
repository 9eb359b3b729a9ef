"""API of settings."""

from __future__ import annotations

from ...manage.limits import WholeSite
from ...manage.listing import Listing, whole
from ...manage.routes import Route
from ...manage.services import Services
from ...protocol.fields import Scope
from .model import SettingView, settings_in_force


class SettingEndpoints:
    """Handlers of the routes of settings."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """Return the route."""
        return [
            Route(
                "GET",
                "/settings",
                Scope.ADMIN,
                self.list,
                "The settings in force, and where each comes from; secret values are null",
                returns=Listing[SettingView],
                limited=WholeSite(
                    "Settings are those of the whole server; use a token without areas."
                ),
            )
        ]

    async def list(self) -> Listing[SettingView]:
        """List the settings."""
        services = self._services
        return whole(settings_in_force(services.settings, services.installation.origins))


def routes(services: Services) -> list[Route]:
    """Return the routes of settings."""
    return SettingEndpoints(services).routes()
