"""Routes of the API for metrics and the API description, and the list of all routes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..protocol.fields import Scope
from .audit import AuditEndpoints
from .connections import EndlessReplies
from .events import EventEndpoints
from .feed import Feed
from .health import HealthView
from .metrics import CONTENT_TYPE_LATEST, Metrics
from .openapi import describe
from .plugins import PluginEndpoints
from .problems import ProblemEndpoints
from .routes import Raw, Route
from .services import Contributions, Services
from .tokens import TokenEndpoints


class Endpoints:
    """The routes of the API that belong to no capability."""

    def __init__(
        self,
        services: Services,
        plugins: PluginEndpoints,
        figures: Metrics,
        added: Contributions,
        feed: Feed,
        room: EndlessReplies,
    ) -> None:
        """`added` are the routes and records of capabilities; `room` is for readers of `feed`."""
        self._room = room
        self._feed = feed
        self.figures = figures
        self._services = services
        self._added = added
        self._plugins = plugins
        self._store = services.store

    def routes(self) -> list[Route]:
        """All routes; the last one returns the description of the API."""
        routes = [
            Route(
                "GET",
                "//health",
                None,
                self._services.health.respond,
                "Whether data can be stored",
                returns=HealthView,
            ),
            Route(
                "GET",
                "//metrics",
                None,
                self.metrics,
                "Figures, as OpenMetrics",
                produces=("application/openmetrics-text",),
            ),
            *self._added.routes,
            *self._events().routes(),
            *ProblemEndpoints(self._store, self._services.problems).routes(),
            *self._plugins.routes(),
            *TokenEndpoints(self._store, self._services.tokens).routes(),
            *AuditEndpoints(self._store).routes(),
        ]

        @functools.cache  # made at the first request, so that a start takes no longer
        def described() -> dict[str, object]:
            return describe(routes, __version__)

        async def openapi() -> dict[str, object]:
            return described()

        routes.append(
            Route(
                "GET",
                "/openapi.json",
                Scope.READ,
                openapi,
                "This description",
                returns=dict[str, Any],
                limited=(),
            )
        )
        _check_routes(routes)
        return routes

    def _events(self) -> EventEndpoints:
        return EventEndpoints(
            self._feed,
            self._services.clock,
            self._room,
            self._added.records,
            self._services.events,
        )

    async def metrics(self) -> Raw:
        """Return the metrics of this process."""
        return Raw(CONTENT_TYPE_LATEST, await self.figures.exposition())


def _check_routes(routes: Sequence[Route]) -> None:
    """Raise `ValueError` if two routes have the same method and path."""
    seen: set[str] = set()
    for route in routes:
        if route.claim in seen:
            raise ValueError(f"zkpush and a capability both claim the route {route.claim}")
        seen.add(route.claim)
