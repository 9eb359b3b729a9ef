"""The terminals' site: request gate and request server over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from ..clock import wall_clock
from ..device.proxies import Proxies
from ..device.refusals import Refuse
from ..http.messages import Reply, RequestHead, Verdict
from ..http.site import HttpSite
from ..periodic import PeriodicService
from ..phrases import Phrase
from ..settings.network import Limits
from .gate import RequestGate
from .serving import RequestServer

TICK_SECONDS = 1.0
Trace = Callable[[RequestHead, Verdict | None, Reply], object]
"""Called with each request, its verdict and its reply. The verdict is an `AcceptedRequest`, or
anything else for a request that was refused by its head."""


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
        trace: Trace,
    ) -> None:
        """`refused` is called for every exceeded limit."""
        super().__init__(
            server.judge,
            server.answer,
            limits,
            proxies,
            refused,
            clock,
            wall_clock(clock),
            gate.knows_zone,
            trace,
        )
        self.gate = gate
        self.ticking = PeriodicService(clock)
        """Ends overdue connections; the daemon starts it."""
        self.ticking.every(TICK_SECONDS, self.check_deadlines, Phrase("Idle connections stay"))
