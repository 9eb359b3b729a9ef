"""How a coroutine becomes the reply to a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from ..interfaces import StoreError
from ..protocol.errors import ProtocolError, Unavailable, UnknownPath, WrongMethod, refusal
from ..protocol.requests import Arguments, parse_arguments
from ..protocol.serials import check_serial

_log = Logger()


class Call(msgspec.Struct, frozen=True):
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

    async def answer(self, call: Call) -> bytes:
        """The body of a reply with status 200; a `ProtocolError` carries another one."""
        raise NotImplementedError

    def render(self, request: Request) -> int:
        """Answer a request, in whatever case its method is written."""
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)
        running = Deferred.fromCoroutine(self._run(request))

        def reply(outcome: tuple[int, bytes]) -> None:
            if not gone:
                write_reply(request, *outcome)

        running.addCallback(reply)
        running.addErrback(lambda failure: _log.failure("A reply was not written", failure))
        return NOT_DONE_YET

    async def _run(self, request: Request) -> tuple[int, bytes]:
        try:
            method = request.method.decode("ascii", "replace").upper()
            if request.postpath not in ([], [b""]):
                raise UnknownPath("There is nothing under this path.")
            if method not in self.methods:
                raise WrongMethod(f"This path takes {' and '.join(self.methods)} requests.")
            arguments = parse_arguments(request.uri.partition(b"?")[2])
            call = Call(
                method,
                check_serial(arguments.get("SN")),
                arguments,
                body_of(request),
                getattr(request.getClientAddress(), "host", None),
            )
            return 200, await self.answer(call)
        except ProtocolError as error:
            return error.status, refusal(str(error))
        except StoreError as error:
            _log.error("A request was not served: {error}", error=str(error))
            return Unavailable.status, refusal("The server cannot store now; send it again later.")
        except Exception:
            _log.failure("A request was not served")
            return 500, refusal("The server failed; its log says why. Send it again later.")


class Nowhere(Resource):
    """Every path that terminals have no business with."""

    isLeaf = True

    def render(self, request: Request) -> int:
        """Say that there is nothing."""
        write_reply(request, UnknownPath.status, refusal("There is nothing under this path."))
        return NOT_DONE_YET


def body_of(request: Request) -> bytes:
    """The whole body of a request."""
    return b"" if request.content is None else bytes(request.content.read())


def write_reply(request: Request, status: int, body: bytes) -> None:
    """Write a reply as terminals need it: a length, text/plain, never chunks (wire facts, 2)."""
    request.setResponseCode(status)
    request.setHeader(b"Content-Type", b"text/plain")
    request.setHeader(b"Content-Length", b"%d" % len(body))
    request.setHeader(b"Cache-Control", b"no-store")
    request.responseHeaders.removeHeader(b"Server")
    request.write(body)
    request.finish()
