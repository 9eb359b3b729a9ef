"""Routes of the API, each declared once: served here and described by OpenAPI."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import attrs
import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from ..device.changes import ScopeNeeded
from ..device.refusals import Refusal, RefusalLog
from ..model import MOST_ID, Caller
from ..phrases import in_english
from ..protocol.errors import ProtocolError
from ..protocol.fields import Scope
from .arguments import Mistakes, parse_query
from .auth import Tokens, offered
from .bodies import body_mistakes, in_one
from .channel import ManageRequest
from .errors import (
    CONTENT_TYPE,
    SAFE_HEADERS,
    ApiError,
    bad_request,
    explain,
    headers_of,
    too_large,
)
from .limits import Limit, refusal_of
from .paths import map_of, parts_in

PREFIX = "/api/v1"
MOST_BODY = 1024 * 1024
"""Maximum length of a request body, in bytes."""
MOST_IGNORED = 4096
"""Maximum length of a body on a path that takes none, in bytes."""
MOST_KEY = 255
"""Maximum length of an idempotency key, in characters."""
_COMMAND_LINE = re.compile(r"zkpush-cli/[0-9A-Za-z.+]{1,32}", re.ASCII)
"""User agent of the command line, the only one that the audit log records."""
_log = Logger()
_VARIABLE = re.compile("<[^<>]*>", re.ASCII)


@attrs.frozen(eq=False)
class Route:
    """One method on one path."""

    method: str
    path: str
    """Path under `PREFIX`, with `<name>` for variables; absolute if it begins with `//`."""
    scope: Scope | None
    """Required scope; None for public routes."""
    run: Callable[..., Awaitable[object]]
    """Called with the path variables, and with `query` and `body` where they are declared."""
    summary: str
    query: type[msgspec.Struct] | None = None
    body: Any = None
    returns: Any = None
    status: HTTPStatus = HTTPStatus.OK
    content: int | None = None
    """Maximum length in bytes of a body passed unparsed as `content`; None for none."""
    body_bytes: int = MOST_BODY
    """Maximum length in bytes of a body that is parsed."""
    forms: tuple[str, ...] = ()
    """Content types besides JSON in which `returns` is available, by the Accept header."""
    produces: tuple[str, ...] = ()
    """Content types of a reply that is not JSON."""
    mistakes: Callable[[Mapping[str, str]], Awaitable[Sequence[str]]] | None = None
    """Finds mistakes in a query that only the database knows; called where it has others."""
    takes: tuple[str, ...] = ()
    """Further arguments of `run`: `caller`, for audit records and access checks, and the headers
    `accept`, `idempotency_key` and `last_event_id`."""

    limited: Limit = None
    """How callers who are limited to areas are served, see `limits`; None refuses them."""

    @property
    def claim(self) -> str:
        """Method and path with `<>` for variables, unique among routes."""
        return f"{self.method} {_VARIABLE.sub('<>', self.path)}"

    @property
    def most_bytes(self) -> int:
        """Maximum length of a request body; with a token, a short unused body is accepted."""
        if self.content is not None:
            return self.content
        if self.body is not None:
            return self.body_bytes
        return 0 if self.scope is None else MOST_IGNORED

    @property
    def rule(self) -> str:
        """Complete path."""
        return self.path[1:] if self.path.startswith("//") else PREFIX + self.path


@attrs.frozen
class Raw:
    """A reply that is not JSON."""

    content_type: str
    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Stream:
    """A reply that lasts until either side ends it."""

    content_type: str
    begin: Callable[[Request], Callable[[], None]]
    """Called with a request whose headers are set; returns a function that ends the reply."""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    status: HTTPStatus = HTTPStatus.OK


class ApiResource(Resource):
    """Web resource that serves routes."""

    isLeaf = True

    def __init__(
        self,
        routes: Sequence[Route],
        tokens: Tokens,
        refusals: RefusalLog,
        elsewhere: Callable[[str], str | None],
    ) -> None:
        """Serve routes to callers with valid tokens; refusals are counted in `refusals`.

        `elsewhere` says where a path is served that is not one of the API; None for any other path.
        """
        super().__init__()
        self._elsewhere = elsewhere
        self._tokens = tokens
        self._refusals = refusals
        tokens.watch(self._end_of_no_token)
        self.routes = [*routes]
        """All routes."""
        self._map = map_of(tuple((route.method, route.rule) for route in routes))
        self._streams: dict[Callable[[], None], bytes | None] = {}
        self._stopped = False

    def render(self, request: ManageRequest) -> int:
        """Answer a request."""
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        running = Deferred.fromCoroutine(self._run(request))
        running.addBoth(request.carried_out)
        running.addCallback(lambda reply: None if gone else self._write(request, reply))
        running.addErrback(lambda failure: _log.failure("A reply was not written", failure))
        return NOT_DONE_YET

    def refused(self, request: ManageRequest, error: ApiError) -> ApiError:
        """Return the refusal of a request whose body is not read."""
        return error

    def stop(self) -> None:
        """End the endless replies."""
        self._stopped = True
        for end in [*self._streams]:
            end()

    def _end_of_no_token(self) -> None:
        """End the endless replies whose token has become invalid."""
        for end, digest in [*self._streams.items()]:
            if self._tokens.caller(digest) is None:
                end()

    def _write(self, request: ManageRequest, reply: Raw | Stream) -> None:
        digest = offered(header_of(request, "authorization"))
        write_header(request, reply)
        if isinstance(reply, Raw):
            if reply.status is not HTTPStatus.NO_CONTENT:
                request.setHeader("Content-Length", str(len(reply.body)))
                request.write(reply.body)
            request.finish()
        elif self._stopped or request.method == b"HEAD" or self._tokens.caller(digest) is None:
            request.finish()
        else:
            end = reply.begin(request)
            self._streams[end] = digest
            request.notifyFinish().addBoth(lambda _: self._streams.pop(end))

    async def _run(self, request: ManageRequest) -> Raw | Stream:
        try:
            return await self._serve(request)
        except Exception as error:
            explained = explain(error)
            return Raw(CONTENT_TYPE, explained.body(), explained.status, headers_of(explained))

    async def judge(
        self, request: ManageRequest, method: bytes, path: bytes, length: int | None
    ) -> int:
        """Check a request whose head is complete; return the maximum length of its body.

        `length` is None for a chunked body. Any exception refuses the request; see `explain`.
        """
        route, _ = self._match(method, path)
        if route.scope is not None:
            self._check_scope(route, await self._admit(request))
        room = route.most_bytes
        if length is not None and length > room:
            raise too_large(room)
        return room

    async def _serve(self, request: ManageRequest) -> Raw | Stream:
        route, names = self._match(request.method, request.path)
        if route.scope is None:
            return await self._call(request, route, dict(names))
        caller = await self._admit(request)
        self._check_scope(route, caller)
        try:
            if caller.areas is not None:
                await self._tokens.limits.check(route.limited, names, caller.areas)
                # What the database knows of other areas is no hint for this caller.
                route = attrs.evolve(route, mistakes=None)
            taken = {"caller": caller} if "caller" in route.takes else {}
            return await self._call(request, route, {**names, **taken})
        except ApiError as error:
            if error.status is HTTPStatus.FORBIDDEN:
                self._note_no_scope(route, caller)
            raise

    def _match(self, method: bytes, path: bytes) -> tuple[Route, Mapping[str, object]]:
        """Find the route of a request, and its path variables; `ApiError` if there is none."""
        text = parts_in(path)
        try:
            found: tuple[int, Mapping[str, object]] = self._map.match(
                text, method.decode("ascii", "replace")
            )
        except MethodNotAllowed as error:
            takes = ", ".join(sorted(error.valid_methods or ()))
            raise ApiError(
                HTTPStatus.METHOD_NOT_ALLOWED, f"This path takes {takes}.", {"Allow": takes}
            ) from None
        except HTTPException:
            words = self._elsewhere(text) or f"There is no such path; see {PREFIX}/openapi.json."
            raise ApiError(HTTPStatus.NOT_FOUND, words) from None
        number, names = found
        for name, value in names.items():
            if isinstance(value, int) and value > MOST_ID:
                raise bad_request(f"{name}: Expected a number of at most {MOST_ID}.")
        return self.routes[number], names

    async def _admit(self, request: ManageRequest) -> Caller:
        """Authenticate the caller; `ApiError` (401) without a valid token."""
        address = request.find_client()
        client = header_of(request, "user-agent") or ""
        caller = await self._tokens.find(
            offered(header_of(request, "authorization")),
            address,
            client if _COMMAND_LINE.fullmatch(client) else None,
        )
        request.recognised(None if caller is None else caller.actor)
        if caller is None:
            self._refusals.refuse(Refusal.NO_TOKEN, None, address)
            raise ApiError(
                HTTPStatus.UNAUTHORIZED,
                "Send 'Authorization: Bearer TOKEN'; the first token is in DIR/admin.token.",
            )
        return caller

    def _check_scope(self, route: Route, caller: Caller) -> None:
        if route.scope is not None and route.scope not in caller.scopes:
            self._note_no_scope(route, caller)
            raise ApiError(
                HTTPStatus.FORBIDDEN, f"This token has not the scope {route.scope.value!r}."
            )
        refusal = None if caller.areas is None else refusal_of(route.limited)
        if refusal is not None:
            self._note_no_scope(route, caller)
            raise ApiError(HTTPStatus.FORBIDDEN, refusal)

    def _note_no_scope(self, route: Route, caller: Caller) -> None:
        what = f"{route.method} {route.path}"
        self._refusals.refuse_caller(Refusal.NO_SCOPE, caller.actor, what, caller.address)

    async def _call(
        self, request: ManageRequest, route: Route, arguments: dict[str, object]
    ) -> Raw | Stream:
        try:
            if route.query is not None:
                arguments["query"] = await _parsed(request, route, route.query)
            if route.body is not None:
                arguments["body"] = _body(request, route.body)
            if route.content is not None:
                arguments["content"] = _content(request)
            for name, read in _TAKEN.items():
                if name in route.takes:
                    arguments[name] = read(request)
            result = await route.run(**arguments)
        except ScopeNeeded as error:
            raise ApiError(HTTPStatus.FORBIDDEN, str(error)) from None
        except (ValueError, ProtocolError) as error:
            raise bad_request(str(error)) from None
        except LookupError as error:
            raise ApiError(HTTPStatus.NOT_FOUND, str(error.args[0])) from None
        return _reply(request, route, result)


async def _parsed(
    request: ManageRequest, route: Route, kind: type[msgspec.Struct]
) -> msgspec.Struct:
    """Parse the query of a request; `Mistakes` has all that is wrong with it."""
    values, mistakes = _query(request)
    parsed, wrong = parse_query(kind, values)
    mistakes += wrong
    if mistakes and route.mistakes is not None:
        mistakes += await route.mistakes(values)
    if mistakes or parsed is None:
        raise Mistakes(mistakes)
    return parsed


def header_of(request: ManageRequest, name: str) -> str | None:
    """Return the last header of a name, with U+FFFD for invalid UTF-8; None without one."""
    value: bytes | None = request.getHeader(name.encode())
    return None if value is None else value.decode("utf-8", "replace")


def _query(request: ManageRequest) -> tuple[dict[str, str], list[str]]:
    """Return the query of a request by name, and a mistake for each argument that is repeated."""
    values: dict[str, str] = {}
    mistakes: list[str] = []
    for name, given in request.args.items():
        text = name.decode("utf-8", "replace")
        values[text] = given[0].decode("utf-8", "replace")
        if len(given) > 1:
            mistakes.append(f"{text} is there twice.")
    return values, mistakes


def _idempotency_key(request: ManageRequest) -> str | None:
    key = header_of(request, "idempotency-key")
    if key is not None and not (
        0 < len(key) <= MOST_KEY and key.isprintable() and "\ufffd" not in key
    ):
        raise bad_request(f"An Idempotency-Key has 1 to {MOST_KEY} printable characters.")
    return key


_TAKEN: Mapping[str, Callable[[ManageRequest], object]] = {
    "accept": lambda request: header_of(request, "accept") or "",
    "idempotency_key": _idempotency_key,
    "last_event_id": lambda request: header_of(request, "last-event-id"),
}
"""Readers of the headers that a route may take, by argument name."""


def _body(request: ManageRequest, kind: Any) -> object:
    try:
        return msgspec.json.decode(request.content.getvalue(), type=kind)
    except msgspec.DecodeError as error:
        mistakes = body_mistakes(kind, request.content.getvalue()) or [
            f"The body is not what this path takes: {error}"
        ]
        raise bad_request(in_one(mistakes)) from None


def _content(request: ManageRequest) -> bytes:
    content = request.take_content()
    if not content:
        raise bad_request("The body is empty.")
    return content


def _reply(request: ManageRequest, route: Route, result: object) -> Raw | Stream:
    if isinstance(result, Raw | Stream):
        return result
    if result is None:
        return Raw("", b"", HTTPStatus.NO_CONTENT)
    return Raw("application/json", msgspec.json.encode(result, enc_hook=in_english), route.status)


def write_header(request: Request, reply: Raw | Stream) -> None:
    """Set status and headers of a reply."""
    request.setResponseCode(reply.status.value)
    request.responseHeaders.removeHeader(b"Server")
    for name, value in {**SAFE_HEADERS, **reply.headers}.items():
        request.setHeader(name, value)
    if reply.content_type:
        request.setHeader("Content-Type", reply.content_type)
