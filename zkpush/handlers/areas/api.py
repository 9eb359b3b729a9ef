"""API of areas."""

from __future__ import annotations

from ...manage.routes import Route
from ...manage.services import Services
from .copyapi import CopyEndpoints
from .driftapi import DriftEndpoints
from .endpoints import AreaEndpoints
from .placesapi import PlaceEndpoints
from .sendingapi import SendEndpoints


def routes(services: Services) -> list[Route]:
    """Return the routes of areas."""
    return [
        *AreaEndpoints(services).routes(),
        *PlaceEndpoints(services).routes(),
        *CopyEndpoints(services).routes(),
        *SendEndpoints(services).routes(),
        *DriftEndpoints(services).routes(),
    ]
