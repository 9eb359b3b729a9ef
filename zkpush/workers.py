"""Worker processes that share one port: `--workers N`.

The parent opens the terminals' ports without accepting on them, and passes the sockets to its
children, each of which is a complete daemon without the management endpoint. `zkpush.http.turns`
decides which child accepts. A child that dies is restarted; all stop when the parent ends in any
way. Once a second they report to the parent, which counts refusals and lists problems for all of
them.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol, Protocol, connectionDone
from twisted.internet.stdio import StandardIO
from twisted.logger import Logger
from twisted.python.failure import Failure

from .adoption import Inheritance
from .device.refusals import Refusal
from .http.turns import new_board
from .periodic import PeriodicService
from .phrases import Phrase
from .ports import Port

FIRST_SHARED = 3
"""First file descriptor after the standard ones."""
AGAIN_AFTER = 1.0
"""Seconds before a dead worker is restarted."""
TOLD_EVERY = 1.0
"""Seconds between two reports of a worker."""
MOST_SAID = 20
"""Maximum number of addresses in one report."""
_TWISTD = "from twisted.scripts.twistd import run; run()"


class WorkerReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """Observations of a worker since its last report."""

    refused: dict[str, int] = {}
    """Number of refusals by reason."""
    tls: list[str] = []
    """Addresses of unexplained TLS connections to plain ports."""


Reported = Callable[[WorkerReport], None]


class Workers(Service):
    """The worker processes of a daemon."""

    _log = Logger()

    def __init__(self, count: int, flags: Sequence[str], reactor: Any) -> None:
        """`flags` are the options of `twistd zkpush` that configure a child like its parent."""
        self._count = count
        self._flags = flags
        self._reactor = reactor
        self._ports: Sequence[Port] = ()
        self._shared: Sequence[int] = ()
        self._board = -1
        self._reported: Reported = lambda report: None
        self._children: dict[int, IProcessTransport] = {}
        self._stopped: Deferred[None] | None = None

    def share(self, ports: Sequence[Port], reported: Reported) -> None:
        """Share ports with the children, once they start; `reported` takes their reports."""
        self._ports = ports
        self._reported = reported

    def startService(self) -> None:
        """Start the children on the open ports."""
        super().startService()
        self._shared = [port.fileno() for port in self._ports]
        self._board = new_board(len(self._shared))
        for number in range(1, self._count + 1):
            self._spawn(number)

    @property
    def children(self) -> int:
        """Number of running children."""
        return len(self._children)

    def stopService(self) -> Deferred[None]:
        """Ask the children to stop, and wait for their end."""
        super().stopService()
        stopped = self._stopped = Deferred()
        if not self._children:
            stopped.callback(None)
        for process in self._children.values():
            process.closeStdin()
        return stopped

    def _spawn(self, number: int) -> None:
        if self._stopped is not None:
            return
        there = dict(enumerate([*self._shared, self._board], FIRST_SHARED))
        *ports, board = there
        report = board + 1
        command = [sys.executable, "-c", _TWISTD, "--nodaemon", "--pidfile=", "zkpush"]
        self._children[number] = self._reactor.spawnProcess(
            _Worker(number, report, self._ended, self._said, self._reported),
            sys.executable,
            [*command, *self._flags, "--adopt", str(Inheritance(number - 1, ports, board, report))],
            env=None,
            childFDs={0: "w", 1: "r", 2: "r", **there, report: "r"},
        )

    def _said(self, number: int, line: str) -> None:
        self._log.info("worker {number}: {line}", number=number, line=line)

    def _ended(self, number: int, reason: Failure) -> None:
        del self._children[number]
        if self._stopped is None:
            self._log.error(
                "Worker {number} ended, and is started again: {reason}",
                number=number,
                reason=reason.getErrorMessage(),
            )
            self._reactor.callLater(AGAIN_AFTER, self._spawn, number)
        elif not self._children:
            self._stopped.callback(None)


class _Worker(ProcessProtocol):
    """Reads the log and the reports of one child."""

    def __init__(
        self,
        number: int,
        report: int,
        ended: Callable[[int, Failure], None],
        said: Callable[[int, str], None],
        reported: Reported,
    ) -> None:
        self._number = number
        self._report = report
        self._ended = ended
        self._said = said
        self._reported = reported
        self._begun: dict[bool, bytes] = {False: b"", True: b""}

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        is_report = childFD == self._report
        *lines, self._begun[is_report] = (self._begun[is_report] + data).split(b"\n")
        for line in lines:
            if is_report:
                self._reported(msgspec.json.decode(line, type=WorkerReport))
            else:
                self._said(self._number, line.decode("utf-8", "replace"))

    def processEnded(self, reason: Failure) -> None:
        self._ended(self._number, reason)


class _Lifeline(Protocol):
    """Standard input of a worker, which closes when the parent ends."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        with contextlib.suppress(ReactorNotRunning):
            self._reactor.stop()


def stop_with_parent(reactor: Any) -> None:
    """Stop this process when its parent ends."""
    reactor.callWhenRunning(StandardIO, _Lifeline(reactor))


class Reporting(PeriodicService):
    """Reports to the parent of this worker, and a last time when it stops."""

    def __init__(
        self, counts: Mapping[Refusal, int], strangers: Mapping[str, int], pipe: int, clock: Any
    ) -> None:
        """`pipe` is a descriptor that the parent reads.

        `counts` are refusals by reason, and `strangers` times (ms) of TLS connections by address.
        """
        super().__init__(clock)
        os.set_blocking(pipe, False)
        self._counts = counts
        self._strangers = strangers
        self._pipe = pipe
        self._told: dict[Refusal, int] = {}
        self._told_of: dict[str, int] = {}
        self.every(TOLD_EVERY, self.tell, Phrase("Observations are not reported"), now=True)

    async def finish(self) -> None:
        """Report the remaining observations."""
        self.tell()

    def tell(self) -> None:
        """Report new observations; if the pipe is full, they are reported later."""
        counts, strangers = dict(self._counts), dict(self._strangers)
        new = {name: count - self._told.get(name, 0) for name, count in counts.items()}
        seen = [one for one, at in strangers.items() if self._told_of.get(one) != at][:MOST_SAID]
        report = WorkerReport({str(name): count for name, count in new.items() if count}, seen)
        if report != WorkerReport():
            with contextlib.suppress(OSError):
                # A line this short is written as a whole or not at all.
                os.write(self._pipe, msgspec.json.encode(report) + b"\n")
                self._told = counts
                told = {**self._told_of, **{one: strangers[one] for one in seen}}
                self._told_of = {one: told[one] for one in strangers if one in told}
