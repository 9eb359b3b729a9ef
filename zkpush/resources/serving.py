"""Request server: accepts requests by their head and runs the action of their route.

Theory of operation. `RequestServer` finds the route of a request, and accepts it at once if it
comes from an approved terminal. All other requests go through `RequestGate`. An accepted request is
answered by the action of its route, behind the gate that the route names. Most are answered at
once; an action that has to wait returns an awaitable.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ..device.budget import SHORT, Charge
from ..device.gate import AdmissionGate
from ..device.registry import Registry
from ..device.request import AcceptedRequest, Gate, Request
from ..device.session import BEGINS, OTHER_TOKEN, WITHOUT_TOKEN, AskForExchange
from ..device.sessiongate import SessionGate
from ..device.terminal import Terminal
from ..http.messages import (
    ExplainedBody,
    ExplainedReply,
    FileReply,
    Plain,
    Reply,
    RequestHead,
    Verdict,
)
from ..interfaces import ITerminalFamily
from ..protocol.errors import Refused, TerminalError
from ..protocol.requests import Arguments, read_query
from .paths import ServedPath, SharedPath
from .replies import SUCCESS, refused, sealed_file

if TYPE_CHECKING:
    from .gate import RequestGate

MOST_TARGETS = 1024
"""Maximum number of cached path spellings."""
_OF_SESSION = (BEGINS, WITHOUT_TOKEN, OTHER_TOKEN)
"""Reasons to ask for an exchange that matter less than that a path is not served."""
TINY = 4096
"""Maximum length in bytes of bodies that are not charged: they arrive in one read, as most heads
do, and there are no more of them than connections."""


class RequestServer:
    """Judges and answers requests."""

    def __init__(
        self,
        gate: RequestGate,
        registry: Registry,
        admission: AdmissionGate,
        sessions: SessionGate,
    ) -> None:
        self._gate = gate
        self._paths = gate.paths
        self._families = registry.families
        self._terminals = registry.terminals
        self._admission = admission
        self._sessions = sessions
        self._targets: dict[bytes, SharedPath] = {}

    def judge(self, head: RequestHead) -> Verdict | Deferred[Verdict]:
        """Judge a request, at once or later; never raises, and the Deferred never fails."""
        request = self._request(head)
        if request is None:
            return self._gate.judge(head)
        terminal = self._terminals.get(request.sn)
        if terminal is None or not self._admission.lets_in(terminal, head):
            return self._gate.judge(head, request)
        if 0 <= head.length <= TINY:
            return accepted(request, None, terminal)
        return self._gate.charge(request, terminal)

    def _request(self, head: RequestHead) -> Request | None:
        """Parse a valid request of a terminal; None for any other."""
        shared = self._targets.get(head.path) or self._find(head.path)
        if shared is None or head.is_browser:
            return None
        try:
            sn, arguments = read_query(head.query)
        except TerminalError:
            return None
        terminal = self._terminals.get(sn)
        if terminal is not None:
            family = terminal.device.family
        else:
            family = self._families.of_first(shared.name, arguments).name
        path = shared.by_family.get(family)
        if path is None or head.method not in path.others:
            return None
        if head.length > SHORT and not path.is_long:
            return None
        return routed(head, path, sn, arguments)

    def _find(self, path: bytes) -> SharedPath | None:
        served = self._paths.find(path)
        if served is not None and not served.is_folder and len(self._targets) < MOST_TARGETS:
            self._targets[path] = served
        return served

    def answer(self, wanted: AcceptedRequest, body: bytes) -> Plain | Deferred[Reply]:
        """Answer a complete request, at once or later.

        Never raises, and the Deferred never fails.
        """
        request, terminal = wanted.request, wanted.terminal
        route = request.route
        try:
            if route.gate is not Gate.SESSION or terminal is None:
                answer = route.action(request, body)
            elif self._admission.passes(terminal, request.head, body):
                answer = route.action(request, terminal, body, True)
            else:
                answer = self._through(request, terminal, body)
        except Exception as error:
            return refused(error, route.family)
        if isinstance(answer, bytes):
            return SUCCESS, answer
        later = answer if isinstance(answer, Deferred) else Deferred.fromCoroutine(_wait(answer))
        return later.addCallbacks(_succeeded, _failed, errbackArgs=(route.family,))

    async def _through(
        self, request: Request, terminal: Terminal, body: bytes
    ) -> bytes | FileReply:
        """Answer a request that needs the session gate."""
        route = request.route
        try:
            entry = await self._sessions.enter(request, body)
        except AskForExchange as error:
            if route.sends_files:
                raise Refused("There is no session: begin with the exchange.") from None
            if route.report is not None and error.reason in _OF_SESSION:
                raise AskForExchange(route.report(request, terminal)) from None
            raise
        if entry.seal is not None and request.head.range is not None:
            # A part of a sealed file could not be opened.
            head = msgspec.structs.replace(request.head, range=None)
            request = msgspec.structs.replace(request, head=head)
        answer = route.action(request, entry.terminal, entry.body, entry.is_proved)
        reply: bytes | FileReply = answer if isinstance(answer, bytes) else await answer
        if entry.seal is None:
            return reply
        if isinstance(reply, ExplainedBody):
            return ExplainedBody(entry.seal(bytes(reply)), reply.remark)
        if isinstance(reply, bytes):
            return entry.seal(reply)
        return await sealed_file(reply, entry.seal)


def routed(head: RequestHead, path: ServedPath, sn: str, arguments: Arguments) -> Request:
    """Return the request with its matching route."""
    for selection in path.methods[head.method]:
        # The serial number is not always among the arguments (`read_query`).
        found = sn or None if selection.name == "sn" else arguments.get(selection.name)
        if found is not None and selection.value in ("", found.lower()):
            return Request(head, selection.route, sn, arguments)
    return Request(head, path.others[head.method], sn, arguments)


def accepted(request: Request, charge: Charge | None, terminal: Terminal | None) -> AcceptedRequest:
    """Accept a request; its reply has a `Date` if the terminal's time zone is known (spec 5)."""
    return AcceptedRequest(
        sys.maxsize if request.route.is_long else SHORT,
        charge,
        None if terminal is None else terminal.device.timezone is not None,
        request=request,
        terminal=terminal,
    )


async def _wait(answer: Awaitable[bytes | FileReply]) -> bytes | FileReply:
    return await answer


def _succeeded(answer: bytes | FileReply) -> Reply:
    if isinstance(answer, ExplainedBody):
        return ExplainedReply((SUCCESS, bytes(answer)), answer.remark)
    return (SUCCESS, answer) if isinstance(answer, bytes) else answer


def _failed(failure: Failure, family: ITerminalFamily) -> Plain:
    try:
        failure.raiseException()
    except Exception as error:
        return refused(error, family)
