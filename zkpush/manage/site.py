"""The management site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web.http import Request as AnyRequest
from twisted.web.server import Site

from ..device.proxies import Proxies
from ..device.refusals import RefusalLog
from ..settings.network import Limits
from .auth import Tokens
from .channel import ManageChannel, ManageRequest
from .connections import ManageConnections
from .routes import ApiResource, Route


class ManageSite(Site):
    """Serves the API; bodies of forms are not read, and requests are not logged."""

    noisy = False

    def __init__(
        self,
        routes: Sequence[Route],
        tokens: Tokens,
        limits: Limits,
        proxies: Proxies,
        is_proxied: bool,
        refusals: RefusalLog,
        reactor: IReactorTime,
    ) -> None:
        """`is_proxied`: whether connections begin with a PROXY header."""
        self.api = ApiResource(routes, tokens, refusals)
        self.limits = limits
        self.proxies = proxies
        self.is_proxied = is_proxied
        self.struck = refusals.refuse
        self.connections = ManageConnections(limits, proxies, refusals.refuse)
        super().__init__(
            self.api,
            requestFactory=ManageRequest,
            timeout=limits.idle_seconds,
            reactor=reactor,
            parsePOSTFormSubmission=False,
        )

    def stopFactory(self) -> None:
        """Take no new connections: responses without an end are ended now."""
        super().stopFactory()
        self.api.stop()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Take a connection."""
        return ManageChannel(self)

    def acceptableProtocols(self) -> list[bytes]:
        """Speak HTTP/1.1 only: the limits are those of its channel."""
        return [b"http/1.1"]

    def may_connect(self, peer: str | None) -> bool:
        """Whether a peer may connect: behind `haproxy:`, a trusted proxy where some are named."""
        return not self.is_proxied or not self.proxies or self.proxies.trusts(peer)

    def log(self, request: AnyRequest) -> None:
        """Log nothing."""
