"""API of files for terminals to download (12.5.2, 12.8.2), and of files uploaded by them."""

from __future__ import annotations

from ...manage.routes import Route
from ...manage.services import Services
from .endpoints import endpoints_of


def routes(services: Services) -> list[Route]:
    """Return the routes of files."""
    return endpoints_of(services).routes()
