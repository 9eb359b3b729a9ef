"""API of completeness: comparisons of the records of terminals with the stored ones."""

from __future__ import annotations

from ...manage.routes import Route
from ...manage.services import Services
from .runner import CompletenessRunner
from .verifying import CompletenessEndpoints


def routes(services: Services) -> list[Route]:
    """Return the routes of completeness."""
    return CompletenessEndpoints(
        services.store,
        services.registry,
        services.queue.writer,
        services.offers[CompletenessRunner],
    ).routes()
