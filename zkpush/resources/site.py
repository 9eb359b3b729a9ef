"""The terminals' site: the gate, and what answers accepted requests, over HTTP."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from ..clock import wall_clock
from ..config import Limits
from ..device.proxies import Proxies
from ..device.refusals import Refuse
from ..http.site import HttpSite
from ..periodic import PeriodicService
from .gate import RequestGate
from .serving import RequestServer

TICK_SECONDS = 1.0


class TerminalSite(HttpSite):
    """Serves terminals."""

    def __init__(
        self,
        gate: RequestGate,
        server: RequestServer,
        limits: Limits,
        proxies: Proxies,
        refused: Refuse,
        clock: IReactorTime,
    ) -> None:
        """`refused` is called for every limit that strikes."""
        super().__init__(
            gate.judge,
            server.answer,
            limits,
            proxies,
            refused,
            clock,
            wall_clock(clock),
            gate.knows_zone,
        )
        self.gate = gate
        self.ticking = PeriodicService(clock)
        """Ends connections that take too long: a part of the daemon, which starts it."""
        self.ticking.every(TICK_SECONDS, self.check_deadlines, "Idle connections stay")
