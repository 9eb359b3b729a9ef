"""How a resource answers a terminal: at once where it can, and by a coroutine where it cannot."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..device.door import AskForExchange, Door, ReceivedRequest
from ..device.terminal import Terminal
from ..http.messages import OCTETS, PLAIN, Accepted, FileReply, Plain, Reply
from ..http.sending import PART, Interrupted
from ..interfaces import StoreError
from ..protocol.envelope import looks_sealed
from ..protocol.errors import (
    ProtocolError,
    Refused,
    Unavailable,
    refusal,
)
from ..protocol.handshake import UNKNOWN_DEVICE
from ..protocol.requests import Arguments

_log = Logger()
SUCCESS = 200


class AcceptedRequest(Accepted, frozen=True, gc=False):
    """A request of a terminal that goes on."""

    resource: TerminalResource
    sn: str
    arguments: Arguments
    terminal: Terminal | None
    """None where the request is of no terminal: some files are fetched without a serial number."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """One request of a terminal."""

    method: str
    """In capitals, however it was sent."""
    sn: str
    arguments: Arguments
    body: bytes
    address: str | None
    path: bytes = b""
    range: bytes | None = None
    """The header of that name."""
    admitted: Terminal | None = None
    """The terminal, once the door has let it in."""
    cookie: bytes | None = None
    is_proved: bool = True
    """Whether its session may have what is secret (`zkpush.device.door`)."""

    @property
    def terminal(self) -> Terminal:
        """The terminal of a request that the door has let in."""
        if self.admitted is None:
            raise LookupError("this request did not come through the door")
        return self.admitted


class TerminalResource:
    """A path that terminals use. Subclasses declare the methods that it takes, and answer them."""

    methods: ClassVar[Sequence[str]] = ()
    is_folder: ClassVar[bool] = False
    """Whether it answers for what is under its path as well."""
    needs_terminal: ClassVar[bool] = True
    """Whether a request has to say which terminal it is of; where not, `sn` may be empty."""
    takes_long: ClassVar[bool] = False
    """Whether a body may be as long as is configured; else it is a short one."""
    polls: ClassVar[bool] = False
    """Whether terminals ask here for what there is to do."""
    gives_files: ClassVar[bool] = False
    """Whether replies are files, so that none with status 200 is a message."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def answer(self, call: Call) -> bytes | Awaitable[bytes | FileReply]:
        """The body of a reply with status 200; a `ProtocolError` carries another one."""
        raise NotImplementedError

    def is_outside(self, sn: str, method: str, arguments: Arguments) -> bool:
        """Whether a request is answered before it has gone through the door: an exchange is."""
        return False

    def greets(self, method: str, arguments: Arguments) -> bool:
        """Whether a request is the initialization exchange (5), which comes before approval."""
        return False

    def changes(self, call: Call) -> bool:
        """Whether a request that was let in would change anything."""
        return True

    def reply(self, accepted: AcceptedRequest, body: bytes) -> Plain | Deferred[Reply]:
        """Answer a request that came whole, at once or later.

        Never raises, and the Deferred never fails.
        """
        head, sn, arguments = accepted.head, accepted.sn, accepted.arguments
        method, address, path, range = head.method, head.address, head.path, head.range
        try:
            if accepted.terminal is None or self.is_outside(sn, method, arguments):
                answer = self.answer(
                    Call(method, sn, arguments, body, address, path, range, cookie=head.cookie)
                )
            else:
                terminal = self._door.at_once(accepted.terminal, address, head.cookie)
                if terminal is None or looks_sealed(b"seal=" in head.query, body):
                    knock = ReceivedRequest(method, sn, arguments, body, address, path, head.cookie)
                    answer = self._through(knock, range)
                else:
                    answer = self.answer(
                        Call(method, sn, arguments, body, address, path, range, terminal)
                    )
        except Exception as error:
            return refused(error)
        if isinstance(answer, bytes):
            return SUCCESS, answer
        later = answer if isinstance(answer, Deferred) else Deferred.fromCoroutine(_wait(answer))
        return later.addCallbacks(_succeeded, _failed)

    async def _through(self, knock: ReceivedRequest, range: bytes | None) -> bytes | FileReply:
        """Answer a request that the door has to look at, as it came: sealed or plain."""

        def call(
            terminal: Terminal, body: bytes, range: bytes | None = None, is_proved: bool = True
        ) -> Call:
            return Call(
                knock.method,
                knock.sn,
                knock.arguments,
                body,
                knock.address,
                knock.path,
                range,
                terminal,
                is_proved=is_proved,
            )

        try:
            entry = await self._door.enter(
                knock, polls=self.polls, changes=lambda *opened: self.changes(call(*opened))
            )
        except AskForExchange:
            if self.gives_files:
                raise Refused("There is no session: begin with the exchange.") from None
            raise
        ranged = None if entry.seal else range  # of what is sealed there are no parts
        answer = self.answer(call(entry.terminal, entry.body, ranged, entry.is_proved))
        reply = answer if isinstance(answer, bytes) else await answer
        if entry.seal is None:
            return reply
        if isinstance(reply, bytes):
            return entry.seal(reply)
        return await _sealed_file(reply, entry.seal)


async def _wait(answer: Awaitable[bytes | FileReply]) -> bytes | FileReply:
    return await answer


def _succeeded(answer: bytes | FileReply) -> Reply:
    return (SUCCESS, answer) if isinstance(answer, bytes) else answer


def _failed(failure: Failure) -> Plain:
    try:
        failure.raiseException()
    except Exception as error:
        return refused(error)


async def _sealed_file(reply: FileReply, seal: Callable[[bytes], bytes]) -> FileReply:
    """A file as one sealed body: all of it, as no part of it could be opened alone."""
    body, read = reply.body, reply.read
    if read is not None:
        parts = [
            await read(start, min(start + PART, reply.end))
            for start in range(reply.start, reply.end, PART)
        ]
        body = b"".join(parts)
    return FileReply(SUCCESS, OCTETS, body=seal(body))


def with_token(reply: bytes, token: str | None, content: bytes = PLAIN) -> bytes | FileReply:
    """A reply that gives the terminal a token, as a cookie (6, 7)."""
    if token is None and content == PLAIN:
        return reply
    cookie = (
        b"" if token is None else b"Set-Cookie: token=%b; Path=/; HttpOnly\r\n" % token.encode()
    )
    return FileReply(SUCCESS, content + cookie, body=reply)


def refused(error: Exception) -> Plain:
    """The reply that says what went wrong, without what terminals take for success."""
    if isinstance(error, AskForExchange):
        return SUCCESS, UNKNOWN_DEVICE
    if isinstance(error, ProtocolError):
        return error.status, _refusal(str(error))
    if isinstance(error, Interrupted):
        return Unavailable.status, refusal("The file cannot be read now; fetch it again later.")
    if isinstance(error, StoreError):
        _log.error("A request was not served: {error}", error=str(error))
        return Unavailable.status, refusal("The server cannot store now; send it again later.")
    _log.failure("A request was not served")
    return 500, refusal("The server failed; its log says why. Send it again later.")


_refusal = functools.lru_cache(256)(refusal)
"""Most refusals are the same few."""
