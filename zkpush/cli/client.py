"""HTTP client for the API of a daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from http import HTTPStatus
from io import BytesIO
from typing import Any, TypeVar
from urllib.parse import urlencode

import attrs
import click
import msgspec
import treq
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.error import ConnectError, ConnectionRefusedError, DNSLookupError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    FileBodyProducer,
    HTTPConnectionPool,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from .. import __version__
from ..pathparts import path_part
from .replies import CSV, EVENTS, JSON, ApiFailure, Item, ListPage, Unreachable
from .sayings import for_command
from .target import Target
from .trust import not_trusted, policy

T = TypeVar("T")
PREFIX = "/api/v1"
USER_AGENT = f"zkpush-cli/{__version__}"
"""User agent, by which the audit log identifies the command line."""
SECONDS = 60.0
"""Timeout of a request in seconds; for file transfers, the longest time without progress."""
MOST = 1000
"""Maximum number of items in one API reply."""
SILENCE = 45.0
"""Seconds of silence after which a stream is abandoned: three missed keep-alive messages."""

Collect = Callable[[IResponse], Awaitable[bytes]]
"""Reads the body of a reply."""


@attrs.frozen
class _Answer:
    status: int
    headers: Headers
    body: bytes


class Patience:
    """Cancels a request that makes no progress for a while."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._end: IDelayedCall | None = None

    def watch(self, waiting: Deferred[T]) -> Deferred[T]:
        """Start the timer; a cancelled `waiting` fails with `TimeoutError`, whatever it raised."""
        end = self._end = self._clock.callLater(SECONDS, waiting.cancel)

        def ended(result: T | Failure) -> T | Failure:
            if not end.active():
                raise TimedOut
            end.cancel()
            return result

        return waiting.addBoth(ended)

    def renew(self) -> None:
        """Restart the timer after progress."""
        if self._end is not None and self._end.active():
            self._end.reset(SECONDS)


class BodyReader(Protocol):
    """Passes on a body as it arrives.

    `ended` fires at its end, for whatever reason; it fails with an exception of the consumer.
    """

    def __init__(self, take: Callable[[bytes], None], clock: IReactorTime) -> None:
        self.ended: Deferred[None] = Deferred(lambda _: self._leave())
        self.reason: Failure | None = None
        """Reason for the end of the connection; None while it is open."""
        self._take = take
        self._silence = clock.callLater(SILENCE, self._end)

    def dataReceived(self, data: bytes) -> None:
        """Pass on a piece."""
        if self.ended.called:
            return
        self._silence.reset(SILENCE)
        try:
            self._take(data)
        except (Exception, SystemExit):  # rich exits so when the reader of its output is gone
            self.ended.errback(Failure())
            self._leave()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fire `ended`."""
        if self._silence.active():
            self._silence.cancel()
        if not self.ended.called:
            self.reason = reason
            self.ended.callback(None)

    def _end(self) -> None:
        """Close the connection without waiting for a silent peer."""
        self.ended.callback(None)
        self._leave()

    def _leave(self) -> None:
        if self._silence.active():
            self._silence.cancel()
        if self.transport is not None:
            self.transport.loseConnection()


class Api:
    """API of one daemon. Errors are `click.ClickException`s that say what to do."""

    def __init__(self, target: Target, reactor: Any) -> None:
        self.clock: IReactorTime = reactor
        self._target = target
        self._agent = Agent(reactor, policy(target.ca), pool=HTTPConnectionPool(reactor))

    @property
    def url(self) -> str:
        """URL of the daemon, without a slash at the end."""
        return self._target.url.rstrip("/")

    async def get(self, *path: str, query: Mapping[str, str] | None = None) -> Item:
        """Return one object; `path` is in parts, which are quoted here."""
        return self._object(await self._ask("GET", path, query=query))

    async def send(
        self,
        method: str,
        *path: str,
        body: Mapping[str, object] | None = None,
        content: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Item:
        """Send a change, as JSON or as bytes; return the reply, if it has a body."""
        answer = await self._ask(method, path, query=query, body=body, content=content)
        return {} if answer.status == HTTPStatus.NO_CONTENT else self._object(answer)

    async def pages(
        self,
        *path: str,
        limit: int | None = None,
        filters: Mapping[str, str | None] | None = None,
    ) -> AsyncIterator[ListPage]:
        """Return a list page by page, each on demand; up to `limit` items."""
        query = {name: value for name, value in (filters or {}).items() if value is not None}
        while limit is None or limit > 0:
            size = MOST if limit is None else min(limit, MOST)
            query["limit"] = str(size)
            page = self._page(await self._ask("GET", path, query=query))
            yield page
            if page.next is None:
                return
            query["after"] = page.next
            if limit is not None:
                limit -= size

    async def stream(
        self,
        *path: str,
        query: Mapping[str, str],
        last_event_id: str | None,
        take: Callable[[bytes], None],
    ) -> None:
        """Read an endless reply and pass on its pieces, until it ends or falls silent."""
        headers = Headers({"Accept": [EVENTS]})
        if last_event_id is not None:
            headers.setRawHeaders("Last-Event-ID", [last_event_id])
        await self._read(path, query, headers, take)

    async def csv(
        self,
        *path: str,
        filters: Mapping[str, str | None] | None = None,
        take: Callable[[bytes], None],
    ) -> None:
        """Read a whole list as CSV and pass on its pieces; `Unreachable` if it is cut off."""
        query = {name: value for name, value in (filters or {}).items() if value is not None}
        reason = await self._read(path, query, Headers({"Accept": [CSV]}), take)
        if reason is None or not reason.check(ResponseDone):
            raise Unreachable(f"The list of {self._target.url} ended before it was complete.")

    async def _read(
        self,
        path: tuple[str, ...],
        query: Mapping[str, str],
        headers: Headers,
        take: Callable[[bytes], None],
    ) -> Failure | None:
        """Pass on the pieces of a reply; return why it ended, or None if it fell silent."""
        response = await self._in_time(lambda: self._request("GET", path, query, headers))
        if response.code >= HTTPStatus.MULTIPLE_CHOICES:
            content = await treq.content(response)
            raise self._failure(_Answer(response.code, response.headers, content))
        body = BodyReader(take, self.clock)
        response.deliverBody(body)
        await body.ended
        return body.reason

    async def exchange(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str],
        producer: FileBodyProducer | None = None,
        collect: Collect = treq.content,
        patience: Patience,
    ) -> Item:
        """Send a request that may take long, as long as the caller renews its patience.

        `collect` reads the body of the reply, and returns the decoded object.
        """
        lines = Headers({name: [value] for name, value in headers.items()})
        return self._object(
            await self._answer(method, path, query, lines, producer, collect, patience)
        )

    async def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        content: bytes | None = None,
    ) -> _Answer:
        headers = Headers({"Accept": [JSON]})
        producer = None
        if content is not None:
            headers.setRawHeaders("Content-Type", ["application/octet-stream"])
            producer = FileBodyProducer(BytesIO(content))
        elif body is not None:
            headers.setRawHeaders("Content-Type", [JSON])
            producer = FileBodyProducer(BytesIO(msgspec.json.encode(body)))

        return await self._answer(method, path, query, headers, producer)

    async def _answer(
        self,
        method: str,
        path: tuple[str, ...],
        query: Mapping[str, str] | None,
        headers: Headers,
        producer: FileBodyProducer | None,
        collect: Collect = treq.content,
        patience: Patience | None = None,
    ) -> _Answer:
        async def exchange() -> _Answer:
            response = await self._request(method, path, query, headers, producer)
            return _Answer(response.code, response.headers, await collect(response))

        answer = await self._in_time(exchange, patience)
        if answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return answer
        raise self._failure(answer)

    async def _request(
        self,
        method: str,
        path: tuple[str, ...],
        query: Mapping[str, str] | None,
        headers: Headers,
        producer: FileBodyProducer | None = None,
    ) -> IResponse:
        url = "/".join([self._target.url + PREFIX, *map(path_part, path)])
        if query:
            url = f"{url}?{urlencode(query)}"
        headers.setRawHeaders("Authorization", [f"Bearer {self._target.token}"])
        headers.setRawHeaders("User-Agent", [USER_AGENT])
        # Not treq.request, which cannot handle an IPv6 address (hyperlink issue 188).
        response: IResponse = await self._agent.request(
            method.encode(), url.encode("ascii"), headers, producer
        )
        return response

    async def _in_time(
        self,
        exchange: Callable[[], Coroutine[Deferred[Any], Any, T]],
        patience: Patience | None = None,
    ) -> T:
        waiting: Deferred[T] = Deferred.fromCoroutine(exchange())
        url = self._target.url
        try:
            return await (patience or Patience(self.clock)).watch(waiting)
        except ValueError as error:
            raise click.UsageError(f"{url} is not a URL that can be asked: {error}") from None
        except ConnectionRefusedError:
            raise Unreachable(self._target.if_silent) from None
        except TimedOut:
            raise Unreachable(f"{url} did not answer within {SECONDS:.0f} seconds.") from None
        except (RequestGenerationFailed, RequestTransmissionFailed, ResponseFailed) as error:
            mistrust = [text for text in map(not_trusted, error.reasons) if text]
            if mistrust:
                raise Unreachable(self._target.if_not_trusted(mistrust[0])) from None
            why = "; ".join(reason.getErrorMessage() for reason in error.reasons)
            if "wrong version number" in why:
                raise Unreachable(f"{url} speaks HTTP without TLS: use http://.") from None
            raise Unreachable(f"The connection to {url} failed: {why}") from None
        except (ConnectError, DNSLookupError) as error:
            raise Unreachable(f"Cannot connect to {url}: {error}") from None

    def _failure(self, answer: _Answer) -> ApiFailure:
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return ApiFailure(answer.status, self._target.if_token_refused)
        try:
            detail = str(msgspec.json.decode(answer.body, type=Item)["detail"])
        except (msgspec.DecodeError, LookupError):
            return self._stranger(answer)
        return ApiFailure(answer.status, for_command(detail))

    def _stranger(self, answer: _Answer) -> ApiFailure:
        return ApiFailure(
            answer.status,
            f"The server at {self._target.url} is not the API of zkpush (status "
            f"{answer.status}): check --url, or the daemon's --manage.",
        )

    def _object(self, answer: _Answer) -> Item:
        try:
            return msgspec.json.decode(answer.body, type=Item)
        except msgspec.DecodeError:
            raise self._stranger(answer) from None

    def _page(self, answer: _Answer) -> ListPage:
        try:
            listing = self._object(answer)
            return ListPage(listing["items"], listing["next"])
        except LookupError:
            raise self._stranger(answer) from None
