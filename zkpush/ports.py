"""The ports of the daemon as services, and the drain of requests at the stop."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from typing import Any, cast

import attrs
from twisted.application.service import Service
from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.python.failure import Failure

from .endpoints import is_encrypted
from .http.ports import MOST_WAITING
from .http.site import HttpSite

PROXIED = "haproxy:"
"""Prefix of an endpoint whose connections begin with a PROXY header."""


@attrs.frozen
class Listener:
    """A site, and the endpoint that serves it."""

    description: str
    endpoint: IStreamServerEndpoint
    site: IProtocolFactory

    @property
    def is_proxied(self) -> bool:
        """Whether connections begin with a PROXY header."""
        return self.description.startswith(PROXIED)

    @property
    def factory(self) -> IProtocolFactory:
        """Factory that the endpoint serves."""
        if self.is_proxied and isinstance(self.site, HttpSite):
            return self.site.behind_proxy
        return self.site

    @property
    def scheme(self) -> str:
        """URL scheme for clients."""
        return "https" if is_encrypted(self.description) else "http"


class Port(Service):
    """A port that is open from the start of the daemon to its stop."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._port: IListeningPort | None = None

    def privilegedStartService(self) -> None:
        """Open the port; `CannotListenError`, `OSError` or `ValueError` if that fails."""
        super().privilegedStartService()
        self._port = _open(self._listener)

    def stopService(self) -> Deferred[object]:
        """Close the port to new connections."""
        super().stopService()
        port, self._port = self._port, None
        return maybeDeferred(lambda: None if port is None else port.stopListening())

    def fileno(self) -> int:
        """Return the descriptor of the open port."""
        return int(cast(Any, self._port).fileno())

    @property
    def is_open(self) -> bool:
        """Whether the port is open."""
        return self._port is not None

    @property
    def url(self) -> str:
        """URL of the open port; a Unix socket is `unix:/path`."""
        address: Any = cast(IListeningPort, self._port).getHost()
        if isinstance(address, UNIXAddress):
            return f"unix:{address.name!s}"
        host = f"[{address.host}]" if isinstance(address, IPv6Address) else address.host
        return f"{self._listener.scheme}://{host}:{address.port}"


class Drain(Service):
    """Finishes the current requests of terminals at the stop, after their ports are closed."""

    def __init__(self, sites: Iterable[HttpSite]) -> None:
        self._sites = list(sites)

    def stopService(self) -> Deferred[None]:
        """Wait until all current requests are answered, and close all connections."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for site in self._sites:
            await site.drain()


def _open(listener: Listener) -> IListeningPort:
    """Listen synchronously, as all endpoints of Twisted allow; raise the error of a failure."""
    outcome: list[object] = []
    listener.endpoint.listen(listener.factory).addBoth(outcome.append)
    if not outcome:
        raise ValueError(f"{listener.description} did not listen at once")
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    port = cast(IListeningPort, outcome[0])
    fileno: Callable[[], int] | None = getattr(port, "fileno", None)
    if fileno is not None:
        with socket.socket(fileno=os.dup(fileno())) as shared:
            shared.listen(MOST_WAITING)
    return port
