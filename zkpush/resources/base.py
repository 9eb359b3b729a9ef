"""How a resource answers a terminal: at once where it can, and by a coroutine where it cannot."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, ClassVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from ..interfaces import StoreError
from ..protocol.errors import ProtocolError, Unavailable, UnknownPath, WrongMethod, refusal
from ..protocol.requests import Arguments, parse_arguments
from ..protocol.serials import check_serial

_log = Logger()
Reply = tuple[int, bytes]
"""Status and body."""
SUCCESS = 200


class Call(msgspec.Struct, frozen=True, gc=False):
    """One request of a terminal."""

    method: str
    """In capitals, however it was sent."""
    sn: str
    arguments: Arguments
    body: bytes
    address: str | None


class TerminalResource(Resource):
    """A path that terminals use. Subclasses say which methods it takes, and answer them."""

    isLeaf = True
    methods: ClassVar[Sequence[str]] = ()

    def answer(self, call: Call) -> bytes | Awaitable[bytes]:
        """The body of a reply with status 200; a `ProtocolError` carries another one."""
        raise NotImplementedError

    def reply(
        self, method: str, query: bytes, body: bytes, address: str | None
    ) -> Reply | Deferred[Reply]:
        """Answer a request, at once or later; never raises, and the Deferred never fails."""
        try:
            if method not in self.methods:
                raise WrongMethod(f"This path takes {' and '.join(self.methods)} requests.")
            arguments = parse_arguments(query)
            sn = check_serial(arguments.get("SN"))
            answer = self.answer(Call(method, sn, arguments, body, address))
        except Exception as error:
            return _refused(error)
        if isinstance(answer, bytes):
            return SUCCESS, answer
        later = answer if isinstance(answer, Deferred) else Deferred.fromCoroutine(_wait(answer))
        return later.addCallbacks(_succeeded, _failed)

    def render(self, request: Request) -> int:
        """Answer a request of twisted.web, in whatever case its method is written."""
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        async def run() -> None:
            if request.postpath not in ([], [b""]):
                reply: Any = (UnknownPath.status, refusal("There is nothing under this path."))
            else:
                reply = self.reply(
                    request.method.decode("ascii", "replace").upper(),
                    request.uri.partition(b"?")[2],
                    b"" if request.content is None else request.content.read(),
                    getattr(request.getClientAddress(), "host", None),
                )
            status, body = reply if isinstance(reply, tuple) else await reply
            if not gone:
                write_reply(request, status, body)

        Deferred.fromCoroutine(run()).addErrback(
            lambda failure: _log.failure("A reply was not written", failure)
        )
        return NOT_DONE_YET


class Nowhere(Resource):
    """Every path that terminals have no business with."""

    isLeaf = True

    def render(self, request: Request) -> int:
        """Say that there is nothing."""
        write_reply(request, UnknownPath.status, refusal("There is nothing under this path."))
        return NOT_DONE_YET


async def _wait(answer: Awaitable[bytes]) -> bytes:
    return await answer


def _succeeded(body: bytes) -> Reply:
    return SUCCESS, body


def _failed(failure: Failure) -> Reply:
    try:
        failure.raiseException()
    except Exception as error:
        return _refused(error)


def _refused(error: Exception) -> Reply:
    """The reply that says what went wrong, without what terminals take for success."""
    if isinstance(error, ProtocolError):
        return error.status, refusal(str(error))
    if isinstance(error, StoreError):
        _log.error("A request was not served: {error}", error=str(error))
        return Unavailable.status, refusal("The server cannot store now; send it again later.")
    _log.failure("A request was not served")
    return 500, refusal("The server failed; its log says why. Send it again later.")


def write_reply(request: Request, status: int, body: bytes) -> None:
    """Write a reply as terminals need it: a length, text/plain, never chunks (wire facts, 2)."""
    request.setResponseCode(status)
    request.setHeader(b"Content-Type", b"text/plain")
    request.setHeader(b"Content-Length", b"%d" % len(body))
    request.setHeader(b"Cache-Control", b"no-store")
    request.responseHeaders.removeHeader(b"Server")
    request.write(body)
    request.finish()
