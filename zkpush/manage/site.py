"""The management site."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.web.http import Request
from twisted.web.server import Site

from .auth import Tokens
from .routes import Api, Route

IDLE_SECONDS = 60


class ManageSite(Site):
    """Serves the API; bodies of forms are not read, and requests are not logged."""

    noisy = False

    def __init__(self, routes: Sequence[Route], tokens: Tokens, reactor: IReactorTime) -> None:
        super().__init__(
            Api(routes, tokens),
            timeout=IDLE_SECONDS,
            reactor=reactor,
            parsePOSTFormSubmission=False,
        )

    def log(self, request: Request) -> None:
        """Log nothing."""
