"""The terminals' site: the gate and the resources under /iclock, served over HTTP."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ..clock import wall_clock
from ..config import Limits
from ..device.proxies import Proxies
from ..device.refusals import Refuse
from ..http.messages import Plain, Reply
from ..http.site import HttpSite
from ..periodic import PeriodicService
from .base import AcceptedRequest
from .gate import RequestGate

TICK_SECONDS = 1.0


class TerminalSite(HttpSite):
    """Serves terminals."""

    def __init__(
        self,
        gate: RequestGate,
        limits: Limits,
        proxies: Proxies,
        refused: Refuse,
        clock: IReactorTime,
    ) -> None:
        """`refused` is called for every limit that strikes."""
        super().__init__(gate.judge, _answer, limits, proxies, refused, clock, wall_clock(clock))
        self.gate = gate
        self.ticking = PeriodicService(clock)
        """Ends connections that take too long: a part of the daemon, which starts it."""
        self.ticking.every(TICK_SECONDS, self.check_deadlines, "Idle connections stay")


def _answer(accepted: AcceptedRequest, body: bytes) -> Plain | Deferred[Reply]:
    return accepted.resource.reply(accepted, body)
