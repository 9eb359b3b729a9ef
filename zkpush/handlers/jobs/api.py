"""API of jobs: commands for many terminals at once."""

from __future__ import annotations

from ...manage.routes import Route
from ...manage.services import Services
from .endpoints import endpoints_of


def routes(services: Services) -> list[Route]:
    """Return the routes of jobs."""
    return endpoints_of(services).routes()
