"""Request gate of the terminals' port: judges a request by its head, before its body is read."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from ..device.budget import SHORT, MemoryBudget
from ..device.gate import AdmissionGate
from ..device.proxies import Proxies
from ..device.refusals import Refusal, RefusalLog
from ..device.registry import Registry
from ..device.request import Gate, RefusedRequest, Request, TerminalRoute
from ..device.terminal import Terminal
from ..device.unservedbodies import asked_in_words
from ..http.messages import Declined, Plain, RequestHead, Verdict
from ..phrases import Phrase
from ..protocol.errors import (
    ProtocolError,
    Refused,
    TerminalError,
    TooLarge,
    Unavailable,
    UnknownPath,
    WrongMethod,
)
from ..protocol.requests import Arguments, parse_arguments, read_query
from ..protocol.serials import check_serial
from .paths import PathTable, ServedPath, SharedPath
from .replies import refused
from .serving import TINY, accepted, routed

_BROWSER = "This port is for terminals, and not for browsers."
_SHORT_ONLY = "This path takes no long body."


Unserved = Callable[[ProtocolError, Request, Terminal, bytes, bool], Awaitable[bytes]]
"""Stores a request that is not served, then raises the error for the reply."""


class RequestGate:
    """Judges the requests of one site."""

    def __init__(
        self,
        paths: PathTable,
        admission: AdmissionGate,
        refusals: RefusalLog,
        budget: MemoryBudget,
        proxies: Proxies,
        registry: Registry,
        unserved: Unserved,
        report: Callable[[Request, Terminal], Phrase],
    ) -> None:
        """`unserved` handles requests of approved terminals that no route serves.

        Those that come before a session are passed to `report` alone.
        """
        self._report = report
        self._unserved = unserved
        self.budget = budget
        self._proxies = proxies
        self._registry = registry
        self._families = registry.families
        self.paths = paths
        self._admission = admission
        self._refusals = refusals

    def judge(
        self, head: RequestHead, request: Request | None = None, *, is_paced: bool = False
    ) -> Verdict | Deferred[Verdict]:
        """Judge a request that is not accepted at once; never raises, nor does the Deferred fail.

        `request` is the parsed head, if it is a valid request of a terminal. `is_paced` if it has
        waited for its turn.
        """
        if not is_paced and not self._admission.pacer.take():
            turn = self._admission.pacer.wait()
            return turn.addCallback(lambda _: self.judge(head, request, is_paced=True))
        try:
            if request is None:
                request = self._check(head)
            found = self._admission.judge(request) if request.sn else None
            if isinstance(found, Declined):
                return found
            if isinstance(found, ProtocolError):
                return self._declined(request.route.family.refuse(found), request)
            if isinstance(found, Deferred):
                verdict: Verdict | Deferred[Verdict] = found.addCallback(self._admitted, request)
            else:
                verdict = self._charged(request, found)
        except Exception as error:
            return self._refused(error, request)
        if isinstance(verdict, Deferred):
            return verdict.addErrback(self._failed, request)
        return verdict

    def charge(self, request: Request, terminal: Terminal) -> Verdict | Deferred[Verdict]:
        """Accept a request of an approved terminal once there is memory for its body."""
        try:
            verdict = self._charged(request, terminal)
        except Unavailable as error:
            return self._refused(error, request)
        if isinstance(verdict, Deferred):
            return verdict.addErrback(self._failed, request)
        return verdict

    def knows_zone(self, head: RequestHead | None) -> bool:
        """Whether the time zone is known for a refused request's `Date` (spec 5)."""
        try:
            sn = None if head is None else read_query(head.query)[0]
        except TerminalError:
            sn = None
        return self._admission.knows_zone(sn)

    def _refused(self, error: Exception, request: Request | None) -> Verdict:
        """Refuse a request; None if it is not one of a terminal."""
        if request is None:
            return refused(error, self._families.default)
        return self._declined(refused(error, request.route.family), request)

    def _declined(self, reply: Plain, request: Request) -> Verdict:
        """Refuse a request of a terminal with a reply."""
        return RefusedRequest(reply, self._admission.knows_zone(request.sn), sn=request.sn)

    def _failed(self, failure: Failure, request: Request) -> Verdict:
        """Refuse a request after a failed look-up; no one reads it if the connection is gone."""
        if failure.check(CancelledError):
            return self._refused(Unavailable("The connection ended."), request)
        try:
            failure.raiseException()
        except Exception as error:
            return self._refused(error, request)

    def _check(self, head: RequestHead) -> Request:
        """Parse a request of any client; raises a `ProtocolError` for an invalid one."""
        if head.is_browser:
            self._refusals.refuse(Refusal.BROWSER, None, head.address)
            raise Refused(_BROWSER)
        shared = self.paths.find(head.path)
        if shared is None:
            return self._kept(head, UnknownPath("There is nothing under this path."))
        if head.method not in shared.methods:
            methods = " and ".join(shared.methods)
            return self._kept(head, WrongMethod(f"This path takes {methods} requests."))
        sn, arguments = self._read(head, shared)
        try:
            path = self._path(head, shared, sn, arguments)
        except (UnknownPath, WrongMethod) as error:
            return self._kept(head, error)
        if head.length > SHORT and not path.is_long:
            self._refusals.refuse(Refusal.BODY_BYTES, sn, head.address)
            raise TooLarge(_SHORT_ONLY)
        return routed(head, path, sn, arguments)

    def _kept(self, head: RequestHead, error: ProtocolError) -> Request:
        """Return an unserved request of an approved terminal, so that it is stored.

        Counts the refusal of any other client, and raises the error; its body is not stored.
        """
        try:
            sn, arguments = read_query(head.query)
        except TerminalError:
            self._refusals.refuse(Refusal.PATH, None, head.address)
            raise error from None
        family = self._admission.family_at(sn, head.address)
        if family is None:
            asked = asked_in_words(head.method, head.path)
            self._refusals.refuse_path(sn, head.address, asked)
            raise error
        action = functools.partial(self._unserved, error)
        route = TerminalRoute(
            family,
            head.method,
            "",
            "",
            Gate.SESSION,
            action,
            is_long=True,
            report=self._report,
        )
        return Request(head, route, sn, arguments)

    def family_of(self, shared: SharedPath, sn: str, arguments: Arguments) -> str:
        """The family of a request: its terminal's stored one, or the one that it claims."""
        terminal = self._registry.terminals.get(sn)
        if terminal is not None:
            return terminal.device.family
        return self._families.of_first(shared.name, arguments).name

    def _path(
        self, head: RequestHead, shared: SharedPath, sn: str, arguments: Arguments
    ) -> ServedPath:
        """The rows for a request; raises `UnknownPath`, `WrongMethod` or `Refused`."""
        if sn:
            family = self.family_of(shared, sn, arguments)
        else:  # a path that requires no terminal
            family = next(name for name, one in shared.by_family.items() if not one.needs_terminal)
        if family not in self._families:
            self._refusals.refuse(Refusal.FAMILY, sn, head.address)
            raise Refused("The protocol of this terminal is not installed on this server.")
        path = shared.by_family.get(family)
        if path is None:
            raise UnknownPath("There is nothing under this path for terminals of this family.")
        if head.method not in path.others:
            raise WrongMethod(f"This path takes {' and '.join(path.others)} requests.")
        return path

    def _admitted(self, terminal: Terminal, request: Request) -> Verdict | Deferred[Verdict]:
        return self._charged(request, terminal)

    def _charged(self, request: Request, terminal: Terminal | None) -> Verdict | Deferred[Verdict]:
        """Accept a request once there is memory for its body; raises `Unavailable`."""
        head = request.head
        if 0 <= head.length <= TINY:
            return accepted(request, None, terminal)
        address = None if self._proxies.speaks_for_many(head.address) else head.address
        charge = self.budget.take(request.sn or None, address, max(0, head.length))

        if isinstance(charge, Deferred):
            return charge.addCallback(lambda charge: accepted(request, charge, terminal))
        return accepted(request, charge, terminal)

    def _read(self, head: RequestHead, path: SharedPath) -> tuple[str, Arguments]:
        try:
            if path.needs_terminal:
                return read_query(head.query)
            arguments = parse_arguments(head.query)
            return check_serial(arguments["SN"]) if "SN" in arguments else "", arguments
        except TerminalError:
            self._refusals.refuse(Refusal.ARGUMENTS, None, head.address)
            raise
