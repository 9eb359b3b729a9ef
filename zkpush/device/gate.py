"""Admission gate: checks the serial number and the address of a request.

Theory of operation. The gate reads the head of a request before any of its body. An approved
terminal at an allowed address passes at once, from memory. Any other request is refused from memory
if the registry has read the changes of other processes within the last second. Otherwise the gate
reads the store: at most once a second for each terminal, and in one query for many terminals. A
change that this process writes or reads takes effect at once.

Requests are counted for each terminal and address: a flood under a serial number from another
address does not use up the allowance of its terminal.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ..http.messages import Declined, RequestHead
from ..interfaces import ITerminalFamily
from ..model import DeviceState
from ..protocol.envelope import FIRST_OF_TEXT, SEAL
from ..protocol.errors import ProtocolError, Refused, TooManyRequests
from ..protocol.handshake import Hello
from . import tokens
from .allowance import MINUTE
from .pacer import REFUSALS, RequestPacer
from .refusals import Refusal
from .registry import Registry
from .request import Gate, RefusedRequest, Request
from .terminal import NEW_TOKEN, OTHERS, TOKEN, RequestCounter, Terminal
from .unserved import UnservedRequests

SEALED = f"{SEAL}=".encode()
"""Part of the query of each request that carries its seal there."""
MOST_ADDRESSES = 8
"""Addresses of one terminal counted separately; all others share one counter."""


class AdmissionGate:
    """Admits terminals, or finds the reason to refuse them."""

    def __init__(
        self,
        registry: Registry,
        most_requests: int,
        unserved: UnservedRequests,
        clock: IReactorTime,
    ) -> None:
        """`most_requests` is the number of requests a terminal may make in a minute."""
        self._unserved = unserved
        self._registry = registry
        self._most = most_requests
        self._wall = registry.wall
        self.pacer = RequestPacer(REFUSALS, clock)

    def lets_in(self, terminal: Terminal, head: RequestHead) -> bool:
        """Whether a known terminal is approved and its request may proceed at once.

        After the session gate has refused a request, requests from the same address are paced for a
        second unless they carry a trusted token.
        """
        address, cookie = head.address, head.cookie
        if (
            terminal.device.state is not DeviceState.APPROVED
            or (address != terminal.checked and not terminal.may_be_at(address))
            or (terminal.refused_at and self._is_paced(terminal, address, cookie))
            or not self._count(terminal, address, cookie)
        ):
            return False
        if address == terminal.checked:  # the usual case
            self._registry.heard[terminal.device.id] = int(self._wall() * 1000), address
        else:
            self._registry.seen(terminal, address, self._registry.now())
        return True

    def passes(self, terminal: Terminal, head: RequestHead, body: bytes) -> bool:
        """Whether an admitted terminal's session accepts a whole request without further checks.

        If not, the session gate decides: the session is not plain, the request looks sealed, or its
        token or the lack of one is new.
        """
        if not terminal.is_plain or SEALED in head.query or (body and body[0] < FIRST_OF_TEXT):
            return False
        cookie = head.cookie
        if cookie is not None:
            token = tokens.find(terminal.device, cookie) if terminal.device.tokens else None
            if token is not None:
                return token.proved and (token.trusted or not terminal.is_judged)
            if not terminal.is_judged:
                self._unserved.sends_cookie(terminal, cookie)
        if terminal.is_judged:
            return False
        return terminal.bare is None or head.address in terminal.bare

    def family_at(self, sn: str, address: str | None) -> ITerminalFamily | None:
        """The family of a cached approved terminal at an allowed address, else None."""
        terminal = self._registry.known(sn)
        if terminal is None or terminal.device.state is not DeviceState.APPROVED:
            return None
        return terminal.family if terminal.may_be_at(address) else None

    def knows_zone(self, sn: str | None) -> bool:
        """Whether the time zone is known: the terminal's own or the server's."""
        if self._registry.timezone is not None:
            return True
        terminal = None if sn is None else self._registry.terminals.get(sn)
        return terminal is not None and terminal.device.timezone is not None

    def judge(self, request: Request) -> Terminal | Declined | ProtocolError | Deferred[Terminal]:
        """Return the terminal of a request, or the refusal or the reason to refuse it.

        Returns a Deferred if the store has to be read first; it fails with `Refused`. A pending
        terminal passes `Gate.HELLO`, the initialization exchange (spec 5), because it may offer
        another pushcommkey. Reasons from memory are returned, which costs less than to raise them.
        The refusal of a pending or blocked terminal is built once for each of its states.
        """
        sn, address, registry = request.sn, request.head.address, self._registry
        terminal = registry.terminals.get(sn)
        if terminal is None:
            refusal = registry.unknown.look(sn, address, is_counted=registry.loaded)
            if refusal is None and registry.is_current:
                refusal = registry.unknown.refusal(sn, address, _decoded(request))
            return refusal or Deferred.fromCoroutine(self._look_up(request))
        now = int(self._wall() * 1000)
        if terminal.networks and not terminal.may_be_at(address):
            if registry.is_fresh(terminal, now):
                return registry.misplaced(terminal, address)
            return Deferred.fromCoroutine(self._look_again(terminal, address))
        if not self._count(terminal, address, request.head.cookie):
            registry.refusals.refuse(Refusal.REQUESTS_PER_MINUTE, sn, address)
            return TooManyRequests("This terminal asks too often; it is served again in a minute.")
        if address == terminal.checked:  # as in `lets_in`
            registry.heard[terminal.device.id] = now, address
        else:
            registry.seen(terminal, address, now)
        state = terminal.device.state
        if state is DeviceState.APPROVED:
            return terminal
        if state is DeviceState.PENDING and request.route.gate is Gate.HELLO:
            known, terminal.hello = terminal.hello, self._hello(request.head.query, address)
            if known != terminal.hello:
                return terminal
        if not registry.is_fresh(terminal, now):
            return Deferred.fromCoroutine(self._look_again(terminal, address))
        message = registry.count_refusal(terminal, address)
        if terminal.refusal is None:
            reply = request.route.family.refuse(Refused(message))
            terminal.refusal = RefusedRequest(reply, self.knows_zone(sn), sn=sn)
        return terminal.refusal

    def _is_paced(self, terminal: Terminal, address: str | None, cookie: bytes | None) -> bool:
        """Whether to pace a request because one from its address was just refused.

        Requests with a trusted token are not paced.
        """
        if not terminal.is_suspect(address, self._registry.now()):
            return False
        token = tokens.find(terminal.device, cookie)
        return token is None or not (token.proved and token.trusted)

    async def _look_up(self, request: Request) -> Terminal:
        sn, address, cookie = request.sn, request.head.address, request.head.cookie
        hello = request.head.query if request.route.gate is Gate.HELLO else None
        family = request.route.family.name
        terminal = await self._registry.meet(sn, address, _decoded(request), family)
        self._count(terminal, address, cookie)
        self._registry.seen(terminal, address, self._registry.now())
        state = terminal.device.state
        if state is DeviceState.APPROVED:
            return terminal
        if hello is not None and state is DeviceState.PENDING:
            terminal.hello = self._hello(hello, address)
            return terminal
        raise self._registry.not_admitted(terminal, address)

    def _hello(self, query: bytes, address: str | None) -> tuple[object, ...]:
        """The identity of an exchange: an equal one is looked up once a minute."""
        return query, address, self._registry.now() // int(MINUTE * 1000)

    async def _look_again(self, terminal: Terminal, address: str | None) -> Terminal:
        terminal = await self._registry.admit(terminal.device.sn, address)
        self._registry.seen(terminal, address, self._registry.now())
        return terminal

    def _count(self, terminal: Terminal, address: str | None, cookie: bytes | None) -> bool:
        """Count a request; returns whether it is within the allowance of this minute."""
        counter = terminal.counters.get(address) or self._counter(terminal, address)
        counter.count += 1
        return (
            counter.count <= self._most
            or self._begins_minute(counter)
            or self._has_token(terminal, cookie)
        )

    def _begins_minute(self, counter: RequestCounter) -> bool:
        """Start a new period if the current one is over a minute old; returns whether it did."""
        now = self._registry.now()
        if 0 <= now - counter.since < MINUTE * 1000:
            return False
        counter.count, counter.since = 1, now
        return True

    def _counter(self, terminal: Terminal, address: str | None) -> RequestCounter:
        """Create the counter of an address. The first counter, for the usual address, is kept."""
        counters, now = terminal.counters, self._registry.now()
        if not counters and terminal.device.address not in (None, address):
            counters[terminal.device.address] = RequestCounter(now)
        if len(counters) >= MOST_ADDRESSES:
            for other in [*counters][1:]:
                if now - counters[other].since >= MINUTE * 1000:
                    del counters[other]
        if len(counters) >= MOST_ADDRESSES:
            return counters.setdefault(OTHERS, RequestCounter(now))
        return counters.setdefault(address, RequestCounter(now))

    def _has_token(self, terminal: Terminal, cookie: bytes | None) -> bool:
        """Whether a request carries a token of the terminal and is within its allowance."""
        token = tokens.find(terminal.device, cookie)
        if token is None:
            return False
        # Any client can obtain a token by an exchange, so new tokens have a counter of their own.
        name = TOKEN if token.proved and token.trusted else NEW_TOKEN
        counter = terminal.counters.setdefault(name, RequestCounter(self._registry.now()))
        counter.count += 1
        return counter.count <= self._most or self._begins_minute(counter)


def _decoded(request: Request) -> Hello | None:
    """The content of an initialization request; None for any other request."""
    if request.route.gate is not Gate.HELLO:
        return None
    return request.route.family.hello(request.arguments)
