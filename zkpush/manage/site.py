"""The management site: the API over HTTP."""

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
    """Site of the API; form bodies are not parsed, and requests are not logged."""

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
        """`is_proxied` is whether connections begin with a PROXY header."""
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
        """Stop accepting connections, and end the endless responses."""
        super().stopFactory()
        self.api.stop()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Make the protocol of a connection."""
        return ManageChannel(self)

    def acceptableProtocols(self) -> list[bytes]:
        """Return HTTP/1.1 only: the limits are enforced by its channel."""
        return [b"http/1.1"]

    def may_connect(self, peer: str | None) -> bool:
        """Whether a peer may connect; behind `haproxy:`, only trusted proxies if any are named."""
        return not self.is_proxied or not self.proxies or self.proxies.trusts(peer)

    def log(self, request: AnyRequest) -> None:
        """Log nothing."""
