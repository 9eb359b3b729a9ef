"""The gate of the terminals' port: a request is judged by its head, before its body is read.

Theory of operation. `RequestGate` knows the paths and what each takes. It accepts requests of
approved terminals at once, as `AcceptedRequest`s. All others (strangers, terminals that await
approval, browsers, wrong paths and methods) are paced (`zkpush.device.pacer`): they are judged at
once while few come, and one after the other when many do.
"""

from __future__ import annotations

import sys

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from ..device.budget import SHORT, Charge, MemoryBudget
from ..device.gate import AdmissionGate
from ..device.proxies import Proxies
from ..device.refusals import Refusal, RefusalLog
from ..device.terminal import Terminal
from ..http.messages import Plain, RequestHead, Verdict
from ..protocol.errors import (
    Refused,
    TerminalError,
    TooLarge,
    Unavailable,
    UnknownPath,
    WrongMethod,
)
from ..protocol.requests import Arguments, parse_arguments, read_query
from ..protocol.serials import check_serial
from .base import AcceptedRequest, TerminalResource, refused
from .paths import PathTable

MOST_TARGETS = 1024
"""Spellings of paths that are remembered."""
TINY = 4096
"""Bodies of so many bytes are not counted: they come with one read, as most heads do, and there are
no more of them than connections."""
_BROWSER = "This port is for terminals, and not for browsers."
_SHORT_ONLY = "This path takes no long body."


_Asked = tuple[TerminalResource, str, Arguments]
"""The resource of a request, the serial number and the arguments."""


class RequestGate:
    """Judges the requests of one site."""

    def __init__(
        self,
        paths: PathTable,
        admission: AdmissionGate,
        refusals: RefusalLog,
        budget: MemoryBudget,
        proxies: Proxies,
    ) -> None:
        self.budget = budget
        self._proxies = proxies
        self.paths = paths
        self._admission = admission
        self._refusals = refusals
        self._targets: dict[bytes, TerminalResource | None] = {}

    def judge(self, head: RequestHead) -> Verdict | Deferred[Verdict]:
        """Judge a request, at once or later; never raises, and the Deferred never fails."""
        asked = self._asked(head)
        verdict = None if asked is None else self._known(head, *asked)
        if isinstance(verdict, Deferred):
            return verdict.addErrback(_refused_later)
        if verdict is not None:
            return verdict
        if self._admission.pacer.take():
            return self._other(head, asked)
        return self._admission.pacer.wait().addCallback(lambda _: self._other(head, asked))

    def _asked(self, head: RequestHead) -> _Asked | None:
        """What a sound request of a terminal asks for; None for all else."""
        resource = self._find(head.path)
        if resource is None or head.method not in resource.methods or head.is_browser:
            return None
        try:
            sn, arguments = read_query(head.query)
        except TerminalError:
            return None
        if head.length > SHORT and not resource.takes_long:
            return None
        return resource, sn, arguments

    def _known(
        self, head: RequestHead, resource: TerminalResource, sn: str, arguments: Arguments
    ) -> Verdict | Deferred[Verdict] | None:
        """Judge what approved terminals send; None for all else."""
        terminal = self._admission.known(sn, head.address, head.cookie)
        if terminal is None:
            return None
        if head.length == 0:
            return _accepted(head, None, resource, sn, arguments, terminal)
        try:
            return self._charged(head, resource, sn, arguments, terminal)
        except Unavailable as error:
            return refused(error)

    def _other(self, head: RequestHead, asked: _Asked | None) -> Verdict | Deferred[Verdict]:
        try:
            verdict = self._judge(head, *(asked or self._check(head)))
        except Exception as error:
            return refused(error)
        if isinstance(verdict, Deferred):
            return verdict.addErrback(_refused_later)
        return verdict

    def _check(self, head: RequestHead) -> _Asked:
        """What a request asks for, of a terminal or not; a `ProtocolError` says what is wrong."""
        if head.is_browser:
            self._refusals.refuse(Refusal.BROWSER, None, head.address)
            raise Refused(_BROWSER)
        resource = self._find(head.path)
        if resource is None:
            raise UnknownPath("There is nothing under this path.")
        if head.method not in resource.methods:
            raise WrongMethod(f"This path takes {' and '.join(resource.methods)} requests.")
        sn, arguments = self._read(head, resource)
        if head.length > SHORT and not resource.takes_long:
            self._refusals.refuse(Refusal.BODY_BYTES, sn, head.address)
            raise TooLarge(_SHORT_ONLY)
        return resource, sn, arguments

    def _judge(
        self, head: RequestHead, resource: TerminalResource, sn: str, arguments: Arguments
    ) -> Verdict | Deferred[Verdict]:
        """Judge all that is not of an approved terminal, or has to wait in line."""
        if not sn:
            return self._charged(head, resource, sn, arguments, None)
        hello = head.query if resource.greets(head.method, arguments) else None
        terminal = self._admission.judge(sn, head.address, head.cookie, hello)

        def accepted(terminal: Terminal) -> Verdict | Deferred[Verdict]:
            return self._charged(head, resource, sn, arguments, terminal)

        if isinstance(terminal, Deferred):
            return terminal.addCallback(accepted)
        return accepted(terminal)

    def _charged(
        self,
        head: RequestHead,
        resource: TerminalResource,
        sn: str,
        arguments: Arguments,
        terminal: Terminal | None,
    ) -> Verdict | Deferred[Verdict]:
        """Accept a request once there is memory for its body; `Unavailable` if there is none."""
        if 0 <= head.length <= TINY:
            return _accepted(head, None, resource, sn, arguments, terminal)
        address = None if self._proxies.speaks_for_many(head.address) else head.address
        charge = self.budget.take(sn or None, address, max(0, head.length))

        def accepted(charge: Charge) -> Verdict:
            return _accepted(head, charge, resource, sn, arguments, terminal)

        if isinstance(charge, Deferred):
            return charge.addCallback(accepted)
        return accepted(charge)

    def _find(self, path: bytes) -> TerminalResource | None:
        try:
            return self._targets[path]
        except KeyError:
            resource = self.paths.find(path)
            is_one = resource is not None and not resource.is_folder
            if is_one and len(self._targets) < MOST_TARGETS:
                self._targets[path] = resource
            return resource

    def _read(self, head: RequestHead, resource: TerminalResource) -> tuple[str, Arguments]:
        try:
            if resource.needs_terminal:
                return read_query(head.query)
            arguments = parse_arguments(head.query)
            return check_serial(arguments["SN"]) if "SN" in arguments else "", arguments
        except TerminalError:
            self._refusals.refuse(Refusal.ARGUMENTS, None, head.address)
            raise


def _accepted(
    head: RequestHead,
    charge: Charge | None,
    resource: TerminalResource,
    sn: str,
    arguments: Arguments,
    terminal: Terminal | None,
) -> AcceptedRequest:
    longest = sys.maxsize if resource.takes_long else SHORT
    return AcceptedRequest(head, longest, charge, resource, sn, arguments, terminal)


def _refused_later(failure: Failure) -> Plain:
    """The refusal of what was looked up; of a connection that is gone, nobody reads it."""
    if failure.check(CancelledError):
        return refused(Unavailable("The connection ended."))
    try:
        failure.raiseException()
    except Exception as error:
        return refused(error)
