"""The gate of admission: whether a terminal may come in, by its serial number and address alone.

Theory of operation. The gate looks at the head of a request, before any of its body is read. An
approved terminal that is where it may be passes at once, out of memory. So is anything else refused
out of memory, as long as the registry has read what other processes changed within the last second;
if not, the store is asked, at most once a second for a terminal, and for many terminals in one
query. A change that this process writes or reads holds at once.

Requests are counted for each terminal and address: a flood under a serial number from another
address does not use up the requests of its terminal.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ..http.messages import RequestHead
from ..interfaces import ITerminalFamily
from ..model import DeviceState
from ..protocol.envelope import FIRST_OF_TEXT, SEAL
from ..protocol.errors import TooManyRequests
from ..protocol.handshake import Hello
from . import tokens
from .allowance import MINUTE
from .pacer import REFUSALS, RequestPacer
from .refusals import Refusal
from .registry import Registry
from .request import Gate, Request
from .terminal import NEW_TOKEN, OTHERS, TOKEN, RequestCounter, Terminal
from .unserved import UnservedRequests

SEALED = f"{SEAL}=".encode()
"""In the query of each request that carries its seal there."""
MOST_ADDRESSES = 8
"""Addresses of one terminal whose requests are counted apart; all further ones count together."""


class AdmissionGate:
    """Lets terminals in, or raises why not."""

    def __init__(
        self,
        registry: Registry,
        most_requests: int,
        unserved: UnservedRequests,
        clock: IReactorTime,
    ) -> None:
        """`most_requests` is how many a terminal may make in a minute."""
        self._unserved = unserved
        self._registry = registry
        self._most = most_requests
        self._wall = registry.wall
        self.pacer = RequestPacer(REFUSALS, clock)

    def lets_in(self, terminal: Terminal, head: RequestHead) -> bool:
        """Whether a known terminal is approved, and a request of it may go on at once.

        After the gate of sessions has refused a request of it, those from the same address are
        paced for a second, unless they return a trusted token.
        """
        address, cookie = head.address, head.cookie
        if (
            terminal.device.state is not DeviceState.APPROVED
            or (address != terminal.checked and not terminal.may_be_at(address))
            or (terminal.refused_at and self._is_paced(terminal, address, cookie))
            or not self._count(terminal, address, cookie)
        ):
            return False
        if address == terminal.checked:  # as almost always
            self._registry.heard[terminal.device.id] = int(self._wall() * 1000), address
        else:
            self._registry.seen(terminal, address)
        return True

    def passes(self, terminal: Terminal, head: RequestHead, body: bytes) -> bool:
        """Whether the session of an admitted terminal serves a whole request as it is.

        If not, the gate of sessions decides: the session is not a plain one, or the request looks
        sealed, or its token, or the lack of one, shows something new.
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
        """The family of a terminal that this process knows as approved, and that may be at the
        address; None for any other."""
        terminal = self._registry.known(sn)
        if terminal is None or terminal.device.state is not DeviceState.APPROVED:
            return None
        return terminal.family if terminal.may_be_at(address) else None

    def knows_zone(self, sn: str | None) -> bool:
        """Whether the zone of a terminal is known: its own, or that of the server."""
        if self._registry.timezone is not None:
            return True
        terminal = None if sn is None else self._registry.known(sn)
        return terminal is not None and terminal.device.timezone is not None

    def judge(self, request: Request) -> Terminal | Deferred[Terminal]:
        """The terminal of any request, at once or after a look at the store.

        A terminal that waits for approval passes `Gate.HELLO`, the initialization exchange (5),
        because it may offer another pushcommkey. `Refused` if the terminal is not admitted, or is
        where it may not be; `TooManyRequests`.
        """
        sn, address, cookie = request.sn, request.head.address, request.head.cookie
        hello = request.head.query if request.route.gate is Gate.HELLO else None
        registry = self._registry
        terminal = registry.known(sn)
        if terminal is None:
            registry.unknown.check(sn, address)
            if registry.loaded:
                registry.unknown.look(sn, address)
            if registry.is_current:
                registry.unknown.refuse(sn, address, _decoded(request))
            return Deferred.fromCoroutine(self._look_up(request))
        if not terminal.may_be_at(address):
            if registry.is_fresh(terminal):
                raise registry.misplaced(terminal, address)
            return Deferred.fromCoroutine(self._look_again(terminal, address))
        if not self._count(terminal, address, cookie):
            registry.refusals.refuse(Refusal.REQUESTS_PER_MINUTE, sn, address)
            raise TooManyRequests("This terminal asks too often; it is served again in a minute.")
        registry.seen(terminal, address)
        state = terminal.device.state
        if state is DeviceState.APPROVED:
            return terminal
        if hello is not None and state is DeviceState.PENDING:
            known, terminal.hello = terminal.hello, self._hello(hello, address)
            if known != terminal.hello:
                return terminal
        if registry.is_fresh(terminal):
            raise registry.not_admitted(terminal, address)
        return Deferred.fromCoroutine(self._look_again(terminal, address))

    def _is_paced(self, terminal: Terminal, address: str | None, cookie: bytes | None) -> bool:
        """Whether a request waits in line because one from its address was refused a moment ago.

        One with a trusted token does not.
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
        self._registry.seen(terminal, address)
        state = terminal.device.state
        if state is DeviceState.APPROVED:
            return terminal
        if hello is not None and state is DeviceState.PENDING:
            terminal.hello = self._hello(hello, address)
            return terminal
        raise self._registry.not_admitted(terminal, address)

    def _hello(self, query: bytes, address: str | None) -> tuple[object, ...]:
        """What tells one exchange from the next: the same is looked at once a minute."""
        return query, address, self._registry.now() // int(MINUTE * 1000)

    async def _look_again(self, terminal: Terminal, address: str | None) -> Terminal:
        terminal = await self._registry.admit(terminal.device.sn, address)
        self._registry.seen(terminal, address)
        return terminal

    def _count(self, terminal: Terminal, address: str | None, cookie: bytes | None) -> bool:
        """Count a request; whether it is one of those that may be made in this minute."""
        counter = terminal.counters.get(address) or self._counter(terminal, address)
        counter.count += 1
        return (
            counter.count <= self._most
            or self._begins_minute(counter)
            or self._has_token(terminal, cookie)
        )

    def _begins_minute(self, counter: RequestCounter) -> bool:
        """Count anew, if those that may be made took a minute; `since` is in milliseconds."""
        now = self._registry.now()
        if 0 <= now - counter.since < MINUTE * 1000:
            return False
        counter.count, counter.since = 1, now
        return True

    def _counter(self, terminal: Terminal, address: str | None) -> RequestCounter:
        """The counter of an address that has none yet. The first one stays: it is the usual one."""
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
        """Whether a request brings a token of the terminal, and those that do are not too many."""
        token = tokens.find(terminal.device, cookie)
        if token is None:
            return False
        # Anybody can get a token by an exchange: it does not use up what the terminal's own may.
        name = TOKEN if token.proved and token.trusted else NEW_TOKEN
        counter = terminal.counters.setdefault(name, RequestCounter(self._registry.now()))
        counter.count += 1
        return counter.count <= self._most or self._begins_minute(counter)


def _decoded(request: Request) -> Hello | None:
    """What a request that begins a session says; None for another one."""
    if request.route.gate is not Gate.HELLO:
        return None
    return request.route.family.hello(request.arguments)
