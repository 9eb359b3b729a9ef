"""How a terminal makes a request: plain HTTP, a connection each, as old firmware writes it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, TimeoutError
from twisted.web.client import ResponseFailed

HEADERS: dict[bytes | str, bytes | str] = {"User-Agent": "iClock Proxy/1.09", "Accept": "*/*"}
TIMEOUT_SECONDS = 60


class LinkError(Exception):
    """A request that was not answered with status 200."""


class Link:
    """Requests of one terminal to one server."""

    def __init__(self, client: HTTPClient, server: str, sn: str, clock: Any) -> None:
        """`clock` is an IReactorTime; treq asks for a whole reactor, and uses no more of it."""
        self._client = client
        self._base = f"{server.rstrip('/')}/iclock"
        self._sn = sn
        self._clock = clock

    async def get(self, path: str, **arguments: str) -> bytes:
        """`GET /iclock/<path>?SN=…`; `LinkError` unless it is answered with status 200."""
        return await self._request("GET", path, arguments, None)

    async def post(self, path: str, body: bytes, **arguments: str) -> bytes:
        """`POST /iclock/<path>?SN=…`; `LinkError` unless it is answered with status 200."""
        return await self._request("POST", path, arguments, body)

    async def _request(
        self, method: str, path: str, arguments: dict[str, str], body: bytes | None
    ) -> bytes:
        query = urlencode({"SN": self._sn, **arguments}, quote_via=quote, safe=",:")
        try:
            response = await self._client.request(
                method,
                f"{self._base}/{path}?{query}",
                headers=HEADERS,
                data=body,
                timeout=TIMEOUT_SECONDS,
                reactor=self._clock,
            )
            # The timeout of treq ends where the body begins.
            content: bytes = await response.content().addTimeout(TIMEOUT_SECONDS, self._clock)
        except Exception as error:  # whatever a network can do, a terminal lives with
            cause = error.reasons[0].value if isinstance(error, ResponseFailed) else error
            if isinstance(cause, CancelledError | TimeoutError):
                raise LinkError(f"no answer within {TIMEOUT_SECONDS} seconds") from error
            raise LinkError(str(cause) or cause.__class__.__name__) from error
        if response.code != 200:
            raise LinkError(f"{response.code} {content.decode('utf-8', 'replace').strip()}")
        return content
