"""Requests of a terminal: plain HTTP, one connection each, as old firmware makes them.

With encryption, requests and replies are sealed (6, 7). Downloads by URL alone (12.5.2) do not name
the terminal, and stay plain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import attrs
from twisted.internet.defer import CancelledError, TimeoutError

from ..crypto.terminal import TerminalCipher
from ..protocol.envelope import (
    EXCHANGE_PATH,
    SEAL,
    NotOpened,
    Place,
    Step,
    decode_step,
    encode_seal,
    encode_step,
    place_of,
)
from ..protocol.errors import TerminalError
from ..protocol.handshake import UNKNOWN_DEVICE
from ..protocol.requests import parse_arguments
from .errors import LinkError
from .wrongserver import check_reply, check_tls

if TYPE_CHECKING:
    from twisted.web.iweb import IAgent, IResponse

Headers = dict[bytes | str, bytes | str]
HEADERS: Headers = {"User-Agent": "iClock Proxy/1.09", "Accept": "*/*"}
TIMEOUT_SECONDS = 60
_OK, _PARTIAL = 200, 206
_RANGE = re.compile(rb"bytes ([0-9]+)-[0-9]+/([0-9]+)\Z")


@attrs.frozen
class Part:
    """A byte range of a file."""

    first: int
    """Offset of the first byte."""
    content: bytes
    total: int
    """Total length of the file."""


class Link:
    """Makes the requests of one terminal to one server."""

    def __init__(
        self,
        agent: IAgent,
        server: str,
        sn: str,
        clock: Any,
        cipher: TerminalCipher | None = None,
    ) -> None:
        """`clock` is an IReactorTime; treq asks for a full reactor, but uses no more of it.

        With a `cipher`, the terminal can encrypt.
        """
        from treq.client import HTTPClient

        self._client = HTTPClient(agent)  # with its own cookies
        self._server = server.rstrip("/")
        self._base = f"{self._server}/iclock"
        self._sn = sn
        self._clock = clock
        self._cipher = cipher
        self._sealed = False
        self.is_reached = False
        """Whether the server has ever replied."""

    @property
    def can_encrypt(self) -> bool:
        """Whether the terminal can encrypt."""
        return self._cipher is not None

    @property
    def is_sealed(self) -> bool:
        """Whether requests are encrypted."""
        return self._sealed

    def start_over(self) -> None:
        """Send plain requests until new keys are agreed on."""
        self._sealed = False

    async def agree(self) -> None:
        """Exchange public keys (6) and factors (7); everything is encrypted afterwards.

        `LinkError` if the server fails to do so.
        """
        cipher = self._cipher
        if cipher is None:
            raise LinkError("the terminal cannot encrypt")
        try:
            public_key = await self._step(Step.PUBLIC_KEY, cipher.begin())
            cipher.agree(await self._step(Step.FACTOR, cipher.factor(public_key)))
        except TerminalError as error:
            raise LinkError(f"no keys are agreed on: {error}") from error
        self._sealed = True

    async def _step(self, step: Step, value: bytes) -> bytes:
        return decode_step(
            step, await self.post(EXCHANGE_PATH, encode_step(step, value), type=step.type)
        )

    async def get(self, path: str, **arguments: str) -> bytes:
        """Send `GET /iclock/<path>?SN=…`; `LinkError` unless the status is 200.

        `WrongServer` if the first reply does not come from a port for terminals.
        """
        _, content = await self._request("GET", path, arguments, None)
        return content

    async def post(self, path: str, body: bytes, **arguments: str) -> bytes:
        """Send `POST /iclock/<path>?SN=…`; `LinkError` unless the status is 200."""
        _, content = await self._request("POST", path, arguments, body)
        return content

    async def part(self, path: str, first: int, most: int, **arguments: str) -> Part:
        """Download a byte range of a file; all of it if the server does not support ranges.

        `path` may be a complete URL (12.5.2). `LinkError` unless the reply has bytes from `first`
        on.
        """
        ranged: Headers = {}
        if not (self._sealed and not _is_url(path)):  # sealed replies have no ranges
            ranged["Range"] = f"bytes={first}-{first + most - 1}"
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
        url = path if _is_url(path) else f"{self._base}/{path}?{query}"
        seal = None if self._cipher is None or not self._sealed or _is_url(path) else self._cipher
        place = place_of(self._sn, method, path.encode(), parse_arguments(query.encode()))
        number = 0
        if seal is not None:
            request = seal.seal(place, body or b"")
            number = request.number
            if body is None:
                url += f"&{SEAL}={encode_seal(request.sealed)}"
            else:
                body = request.sealed
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
        except Exception as error:  # a terminal survives any network error
            from twisted.web.client import ResponseFailed

            cause = error.reasons[0].value if isinstance(error, ResponseFailed) else error
            if isinstance(cause, CancelledError | TimeoutError):
                raise LinkError(f"no answer within {TIMEOUT_SECONDS} seconds") from error
            if not (self.is_reached or _is_url(path)):
                check_tls(self._server, str(cause))
            raise LinkError(str(cause) or cause.__class__.__name__) from error
        if not (self.is_reached or _is_url(path)):
            kind = (response.headers.getRawHeaders("Content-Type") or [""])[0]
            check_reply(self._server, response.code, kind, content)
        self.is_reached = True
        if response.code != _OK and not (ranged and response.code == _PARTIAL):
            raise LinkError(f"{response.code} {content.decode('utf-8', 'replace').strip()}")
        if seal is not None and content != UNKNOWN_DEVICE:
            content = _open(seal, place, number, content)
        return response, content


def _is_url(path: str) -> bool:
    return path.startswith("http://")


def _open(cipher: TerminalCipher, place: Place, number: int, content: bytes) -> bytes:
    try:
        return cipher.open(place, number, content)
    except NotOpened as error:
        raise LinkError(f"a reply that does not open: {content[:40]!r}") from error
