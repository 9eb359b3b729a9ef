"""The management site: the API and the console over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web.http import Request as AnyRequest
from twisted.web.resource import Resource
from twisted.web.server import Site

from ..device.proxies import Proxies
from ..device.refusals import RefusalLog
from ..settings.network import Limits
from .auth import Tokens
from .bodymemory import BodyMemory
from .channel import ManageChannel, ManageRequest
from .connections import ManageConnections
from .console.live import LiveHub
from .console.pages import PREFIX
from .console.resource import ConsoleResource
from .errors import ApiError
from .routes import ApiResource, Route

_OF_TERMINALS = re.compile("/iclock/", re.IGNORECASE)


class ManageResource(Resource):
    """The API, and the console for paths under `/console` and for the root."""

    isLeaf = True

    def __init__(self, api: ApiResource, console: ConsoleResource) -> None:
        super().__init__()
        self.api = api
        self.console = console

    def render(self, request: ManageRequest) -> int:
        """Answer a request."""
        return self._part(request.path).render(request)

    async def judge(
        self, request: ManageRequest, method: bytes, path: bytes, length: int | None
    ) -> int:
        """Check a request whose head is complete; return the maximum length of its body."""
        return await self._part(path).judge(request, method, path, length)

    def refused(self, request: ManageRequest, path: bytes, error: ApiError) -> ApiError:
        """Return the refusal of a request in the form of its part of the site."""
        return self._part(path).refused(request, error)

    def stop(self) -> None:
        """End the endless replies."""
        self.api.stop()
        self.console.stop()

    def _part(self, path: bytes) -> ApiResource | ConsoleResource:
        is_page = path in (b"/", PREFIX.encode()) or path.startswith(f"{PREFIX}/".encode())
        return self.console if is_page else self.api


class ManageSite(Site):
    """Site of the API and the console; form bodies are not parsed, and requests are not logged."""

    noisy = False

    def __init__(
        self,
        routes: Sequence[Route],
        console: ConsoleResource,
        tokens: Tokens,
        limits: Limits,
        proxies: Proxies,
        is_proxied: bool,
        refusals: RefusalLog,
        reactor: IReactorTime,
        terminals: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`is_proxied` is whether connections begin with a PROXY header.

        `terminals` returns the URLs of the ports for terminals.
        """
        self._terminals = terminals
        self.pages = ManageResource(ApiResource(routes, tokens, refusals, self._elsewhere), console)
        self.limits = limits
        self.proxies = proxies
        self.is_proxied = is_proxied
        self.struck = refusals.refuse
        self.connections = ManageConnections(limits, proxies, refusals.refuse)
        self.bodies = BodyMemory(limits, refusals, reactor)
        super().__init__(
            self.pages,
            requestFactory=ManageRequest,
            timeout=limits.idle_seconds,
            reactor=reactor,
            parsePOSTFormSubmission=False,
        )

    @property
    def live(self) -> LiveHub:
        """The job that keeps pages of the console live."""
        return self.pages.console.hub

    def stopFactory(self) -> None:
        """Stop accepting connections, and end the endless responses."""
        super().stopFactory()
        self.pages.stop()

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

    def _elsewhere(self, path: str) -> str | None:
        """Name the ports for terminals, if a path is theirs; not the addresses of these ports."""
        if not _OF_TERMINALS.match(path):
            return None
        found = [urlsplit(url) for url in self._terminals()]
        ports = [f"{one.port} ({one.scheme}://)" for one in found if one.port is not None]
        where = f"port {' or '.join(ports)}" if ports else "another port of this server"
        return f"This is the port of the API. Terminals connect to {where}."
