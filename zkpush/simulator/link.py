"""How a terminal makes a request: plain HTTP, a connection each, as old firmware writes it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

import attrs
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, TimeoutError
from twisted.web.client import ResponseFailed
from twisted.web.iweb import IResponse

Headers = dict[bytes | str, bytes | str]
HEADERS: Headers = {"User-Agent": "iClock Proxy/1.09", "Accept": "*/*"}
TIMEOUT_SECONDS = 60
_OK, _PARTIAL = 200, 206
_RANGE = re.compile(rb"bytes ([0-9]+)-[0-9]+/([0-9]+)\Z")


class LinkError(Exception):
    """A request that was not answered as it should be."""


@attrs.frozen
class Part:
    """Some of the bytes of a file."""

    first: int
    """The place of the first of them."""
    content: bytes
    total: int
    """How many the file has."""


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
        _, content = await self._request("GET", path, arguments, None)
        return content

    async def post(self, path: str, body: bytes, **arguments: str) -> bytes:
        """`POST /iclock/<path>?SN=…`; `LinkError` unless it is answered with status 200."""
        _, content = await self._request("POST", path, arguments, body)
        return content

    async def part(self, path: str, first: int, most: int, **arguments: str) -> Part:
        """Some bytes of a file, by Range; all of it from a server that does not know ranges.

        `path` may be a whole URL (12.5.2). `LinkError` unless it is answered with bytes from
        `first` on.
        """
        ranged: Headers = {"Range": f"bytes={first}-{first + most - 1}"}
        response, content = await self._request("GET", path, arguments, None, ranged)
        if response.code == _OK:
            return Part(0, content, len(content))
        said = (response.headers.getRawHeaders(b"Content-Range") or [b""])[0]
        found = _RANGE.match(said)
        if found is None or int(found[1]) != first or not content:
            raise LinkError(f"other bytes than were asked for: {said[:40]!r}")
        return Part(first, content, int(found[2]))

    async def _request(
        self,
        method: str,
        path: str,
        arguments: dict[str, str],
        body: bytes | None,
        ranged: Headers | None = None,
    ) -> tuple[IResponse, bytes]:
        query = urlencode({"SN": self._sn, **arguments}, quote_via=quote, safe=",:/")
        url = path if path.startswith("http://") else f"{self._base}/{path}?{query}"
        try:
            response = await self._client.request(
                method,
                url,
                headers=HEADERS | (ranged or {}),
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
        if response.code != _OK and not (ranged and response.code == _PARTIAL):
            raise LinkError(f"{response.code} {content.decode('utf-8', 'replace').strip()}")
        return response, content
