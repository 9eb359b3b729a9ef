"""The gate of the terminals' port: a request is judged by its head, before its body is read.

Theory of operation. `RequestGate` knows the paths and what each takes. A request of an approved
terminal goes on at once, and is an `Accepted` from then on. All others (strangers, terminals that
wait for approval, browsers, wrong paths and methods) are paced (`zkpush.device.pacer`): they are
judged at once as long as few come, and in line behind each other where many do.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from ..device import doorlog
from ..device.doorlog import DoorLog
from ..device.gate import AdmissionGate
from ..device.refusals import Refusals
from ..device.terminal import Terminal
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
from .base import Accepted, Plain, RequestHead, TerminalResource, refused
from .tree import Root

MOST_TARGETS = 1024
"""Spellings of paths that are remembered."""
SHORT = 64 * 1024
"""Bytes of the longest body on a path that does not take long ones."""
_BROWSER = "This port is for terminals, and not for browsers."
_SHORT_ONLY = "This path takes no long body."


Verdict = Accepted | Plain
"""What becomes of a request: it goes on, or is answered with this."""


class RequestGate:
    """Judges the requests of one site."""

    def __init__(
        self,
        root: Root,
        admission: AdmissionGate,
        refused: Refusals,
        door: DoorLog,
    ) -> None:
        self.root = root
        self._admission = admission
        self._refused = refused
        self._door = door
        self._targets: dict[bytes, TerminalResource | None] = {}

    def judge(self, head: RequestHead) -> Verdict | Deferred[Verdict]:
        """Judge a request, at once or later; never raises, and the Deferred never fails."""
        accepted = self._known(head)
        if accepted is not None:
            return accepted
        if self._admission.pacer.take():
            return self._other(head)
        return self._admission.pacer.wait().addCallback(lambda _: self._other(head))

    def _known(self, head: RequestHead) -> Accepted | None:
        """Judge what approved terminals send; None for all else."""
        resource = self._find(head.path)
        if resource is None or head.method not in resource.methods or head.is_browser:
            return None
        try:
            sn, arguments = read_query(head.query)
        except TerminalError:
            return None
        if head.length > SHORT and not resource.takes_long:
            return None
        terminal = self._admission.known(sn, head.address, head.cookie)
        return None if terminal is None else Accepted(head, resource, sn, arguments, terminal)

    def _other(self, head: RequestHead) -> Verdict | Deferred[Verdict]:
        try:
            verdict = self._judge(head)
        except Exception as error:
            return refused(error)
        if isinstance(verdict, Deferred):
            return verdict.addErrback(_refused_later)
        return verdict

    def _judge(self, head: RequestHead) -> Verdict | Deferred[Verdict]:
        if head.is_browser:
            self._refused("browser", None, head.address)
            raise Refused(_BROWSER)
        resource = self._find(head.path)
        if resource is None:
            raise UnknownPath("There is nothing under this path.")
        if head.method not in resource.methods:
            raise WrongMethod(f"This path takes {' and '.join(resource.methods)} requests.")
        sn, arguments = self._read(head, resource)
        if head.length > SHORT and not resource.takes_long:
            self._refused("body_bytes", sn, head.address)
            raise TooLarge(_SHORT_ONLY)
        if not sn:
            return Accepted(head, resource, sn, arguments, None)
        hello = head.query if resource.greets(head.method, arguments) else None
        terminal = self._admission.judge(sn, head.address, head.cookie, hello)

        def accepted(terminal: Terminal) -> Verdict:
            return Accepted(head, resource, sn, arguments, terminal)

        if isinstance(terminal, Deferred):
            return terminal.addCallback(accepted)
        return accepted(terminal)

    def _find(self, path: bytes) -> TerminalResource | None:
        try:
            return self._targets[path]
        except KeyError:
            resource = self.root.find(path)
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
            self._door.refused(doorlog.BAD_ARGUMENTS, None, head.address)
            raise


def _refused_later(failure: Failure) -> Plain:
    """The refusal of what was looked up; of a connection that is gone, nobody reads it."""
    if failure.check(CancelledError):
        return refused(Unavailable("The connection ended."))
    try:
        failure.raiseException()
    except Exception as error:
        return refused(error)
