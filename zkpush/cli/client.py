"""The API of a daemon, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from io import BytesIO
from typing import Any, Never
from urllib.parse import quote, urlencode

import attrs
import click
import msgspec
import treq
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.error import ConnectError, ConnectionRefusedError, DNSLookupError
from twisted.internet.interfaces import IReactorTime
from twisted.web.client import (
    Agent,
    FileBodyProducer,
    HTTPConnectionPool,
    RequestTransmissionFailed,
    ResponseFailed,
)
from twisted.web.http_headers import Headers

from .target import Target

PREFIX = "/api/v1"
SECONDS = 60.0
"""How long a request may take."""
MOST = 1000
"""Most items that the API gives at once."""
JSON = "application/json"
CSV = "text/csv"

Item = dict[str, Any]
"""An object of the API."""


class ApiFailure(click.ClickException):
    """The API answered with an error."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@attrs.frozen
class Page:
    """Part of a list: its items, or as CSV its text."""

    items: list[Item]
    text: bytes
    next: str | None


@attrs.frozen
class _Answer:
    status: int
    headers: Headers
    body: bytes


def _too_slow(result: object, seconds: float) -> Never:
    """Whatever has become of a request that was given up, it was given up for its slowness."""
    raise TimedOut


class Api:
    """The API of one daemon. What goes wrong is a `click.ClickException` that says what to do."""

    def __init__(self, target: Target, reactor: Any) -> None:
        self.clock: IReactorTime = reactor
        self._target = target
        self._agent = Agent(reactor, pool=HTTPConnectionPool(reactor))

    async def get(self, *path: str) -> Item:
        """Read one object; `path` is in parts, which are quoted here."""
        return self._object(await self._ask("GET", path))

    async def send(self, method: str, *path: str, body: Mapping[str, object] | None = None) -> Item:
        """Change something; what the API says of it, which may be nothing."""
        answer = await self._ask(method, path, body=body)
        return {} if answer.status == HTTPStatus.NO_CONTENT else self._object(answer)

    async def pages(
        self,
        *path: str,
        accept: str = JSON,
        limit: int | None = None,
        filters: Mapping[str, str | None] | None = None,
    ) -> AsyncIterator[Page]:
        """Read a list part by part, each when it is asked for; up to `limit` items of it."""
        query = {name: value for name, value in (filters or {}).items() if value is not None}
        while limit is None or limit > 0:
            size = MOST if limit is None else min(limit, MOST)
            query["limit"] = str(size)
            page = self._page(await self._ask("GET", path, query=query, accept=accept), accept)
            yield page
            if page.next is None:
                return
            query["after"] = page.next
            if limit is not None:
                limit -= size

    async def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        accept: str = JSON,
    ) -> _Answer:
        url = "/".join([self._target.url + PREFIX, *(quote(part, safe="") for part in path)])
        if query:
            url = f"{url}?{urlencode(query)}"
        headers = Headers({"Authorization": [f"Bearer {self._target.token}"], "Accept": [accept]})
        producer = None
        if body is not None:
            headers.setRawHeaders("Content-Type", [JSON])
            producer = FileBodyProducer(BytesIO(msgspec.json.encode(body)))

        async def exchange() -> _Answer:
            # Not treq.request, which cannot ask an IPv6 address (hyperlink issue 188).
            response = await self._agent.request(
                method.encode(), url.encode("ascii"), headers, producer
            )
            return _Answer(response.code, response.headers, await treq.content(response))

        answer = await self._in_time(exchange)
        if answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return answer
        raise self._failure(answer)

    async def _in_time(self, exchange: Any) -> _Answer:
        waiting: Deferred[_Answer] = Deferred.fromCoroutine(exchange())
        url = self._target.url
        try:
            return await waiting.addTimeout(SECONDS, self.clock, _too_slow)
        except ValueError as error:
            raise click.UsageError(f"{url} is not a URL that can be asked: {error}") from None
        except ConnectionRefusedError:
            raise click.ClickException(self._target.if_silent) from None
        except TimedOut:
            raise click.ClickException(
                f"{url} did not answer within {SECONDS:.0f} seconds."
            ) from None
        except (RequestTransmissionFailed, ResponseFailed) as error:
            why = "; ".join(reason.getErrorMessage() for reason in error.reasons)
            raise click.ClickException(f"The connection to {url} failed: {why}") from None
        except (ConnectError, DNSLookupError) as error:
            raise click.ClickException(f"Cannot connect to {url}: {error}") from None

    def _failure(self, answer: _Answer) -> ApiFailure:
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return ApiFailure(answer.status, self._target.if_token_refused)
        try:
            detail = str(msgspec.json.decode(answer.body, type=Item)["detail"])
        except (msgspec.DecodeError, LookupError):
            return self._stranger(answer)
        return ApiFailure(answer.status, detail)

    def _stranger(self, answer: _Answer) -> ApiFailure:
        return ApiFailure(
            answer.status,
            f"What answers at {self._target.url} is not the API of zkpush (status "
            f"{answer.status}): check --url, or the daemon's --manage.",
        )

    def _object(self, answer: _Answer) -> Item:
        try:
            return msgspec.json.decode(answer.body, type=Item)
        except msgspec.DecodeError:
            raise self._stranger(answer) from None

    def _page(self, answer: _Answer, accept: str) -> Page:
        if accept == CSV:
            return Page([], answer.body, answer.headers.getRawHeaders("X-Next", [None])[0])
        try:
            listing = self._object(answer)
            return Page(listing["items"], b"", listing["next"])
        except LookupError:
            raise self._stranger(answer) from None
