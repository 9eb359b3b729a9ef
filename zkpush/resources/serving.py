"""The answer to an accepted request: its route's action, behind the gate that the route names.

Most requests are answered at once. An action that waits returns an awaitable.
"""

from __future__ import annotations

from collections.abc import Awaitable

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ..device.gate import AdmissionGate
from ..device.request import Gate, Request
from ..device.session import AskForExchange
from ..device.sessiongate import SessionGate
from ..device.terminal import Terminal
from ..http.messages import Accepted, FileReply, Plain, Reply
from ..interfaces import ITerminalFamily
from ..protocol.errors import Refused
from .replies import SUCCESS, refused, sealed_file


class AcceptedRequest(Accepted, frozen=True, gc=False):
    """A request whose body is read."""

    request: Request
    terminal: Terminal | None
    """None under `Gate.NONE`."""

    @property
    def is_dated(self) -> bool | None:
        """Whether the zone of the terminal is known: it sets its clock by `Date` (5)."""
        return None if self.terminal is None else self.terminal.device.timezone is not None


class RequestServer:
    """Answers accepted requests."""

    def __init__(self, admission: AdmissionGate, sessions: SessionGate) -> None:
        self._admission = admission
        self._sessions = sessions

    def answer(self, accepted: AcceptedRequest, body: bytes) -> Plain | Deferred[Reply]:
        """Answer a request with its whole body, at once or later.

        Never raises, and the Deferred never fails.
        """
        request, terminal = accepted.request, accepted.terminal
        route = request.route
        try:
            if route.gate is not Gate.SESSION or terminal is None:
                answer = route.action(request, body)
            elif self._admission.passes(terminal, request.head, body):
                answer = route.action(request, terminal, body, True)
            else:
                answer = self._through(request, body)
        except Exception as error:
            return refused(error, route.family)
        if isinstance(answer, bytes):
            return SUCCESS, answer
        later = answer if isinstance(answer, Deferred) else Deferred.fromCoroutine(_wait(answer))
        return later.addCallbacks(_succeeded, _failed, errbackArgs=(route.family,))

    async def _through(self, request: Request, body: bytes) -> bytes | FileReply:
        """Answer a request that the gate of sessions has to look at."""
        route = request.route
        try:
            entry = await self._sessions.enter(request, body)
        except AskForExchange:
            if route.sends_files:
                raise Refused("There is no session: begin with the exchange.") from None
            raise
        if entry.seal is not None and request.head.range is not None:
            # A part of a sealed file could not be opened.
            head = msgspec.structs.replace(request.head, range=None)
            request = msgspec.structs.replace(request, head=head)
        answer = route.action(request, entry.terminal, entry.body, entry.is_proved)
        reply: bytes | FileReply = answer if isinstance(answer, bytes) else await answer
        if entry.seal is None:
            return reply
        if isinstance(reply, bytes):
            return entry.seal(reply)
        return await sealed_file(reply, entry.seal)


async def _wait(answer: Awaitable[bytes | FileReply]) -> bytes | FileReply:
    return await answer


def _succeeded(answer: bytes | FileReply) -> Reply:
    return (SUCCESS, answer) if isinstance(answer, bytes) else answer


def _failed(failure: Failure, family: ITerminalFamily) -> Plain:
    try:
        failure.raiseException()
    except Exception as error:
        return refused(error, family)
