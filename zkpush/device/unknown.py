"""Unknown terminals: looked up, recorded or refused at a bounded cost.

Theory of operation. Serial numbers are easy to invent, so a flood of them must neither fill memory
or the database nor keep the database busy. Look-ups share queries (`lookups`) and are limited per
minute; beyond the limit, requests are refused without a look-up. A refusal is remembered for a
second, and forgotten at once when the registry learns of a terminal with that serial number.
"""

from __future__ import annotations

from collections.abc import Callable, Sized

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..clock import wall_clock
from ..interfaces import IAdmissionPolicy, IStore
from ..model import Device, DeviceState
from ..persist.devices import DeviceStore
from ..persist.transaction import Transaction
from ..protocol.errors import ProtocolError, TooManyRequests
from ..protocol.errors import Refused as TurnedAway
from ..protocol.handshake import Hello
from ..settings.network import Limits
from .allowance import Allowance
from .lookups import StoreLookups
from .pacer import RECORDINGS, RequestPacer
from .refusals import Refusal, RefusalLog

REMEMBERED_SECONDS = 1.0
"""Seconds for which a refusal holds without another look-up."""
MOST_REMEMBERED = 1024
"""Maximum number of remembered refusals."""
MakeError = Callable[[str, str | None], ProtocolError]
"""Counts the refusal of a serial number from an address; returns the error to raise."""
_TOO_MANY = "Too many new terminals come at once; try again later."
_NONE_TAKEN = "This server takes no unknown terminals; an operator has to add it."
_FULL = "This server takes no more new terminals; an operator adds it."


class UnknownTerminals:
    """Admission of serial numbers that are not in the registry."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        lookups: StoreLookups,
        policy: IAdmissionPolicy,
        timezone: str | None,
        limits: Limits,
        refusals: RefusalLog,
        clock: IReactorTime,
        known: Sized,
    ) -> None:
        """`known` are the terminals of the registry; `timezone` is assigned to new ones."""
        self._store = store
        self._lookups = lookups
        self._policy = policy
        self._timezone = timezone
        self._limits = limits
        self._refusals = refusals
        self._clock = clock
        self._wall = wall_clock(clock)
        self._known = known
        self._allowance = Allowance(limits.unknown_per_minute, clock.seconds())
        self._remembered: dict[str, tuple[float, MakeError]] = {}
        self._pending: set[str] = set()
        self._recording = 0
        self._coming: dict[str, list[Deferred[Device | None]]] = {}
        """Serial numbers being recorded, with the requests that await the result."""
        self._pacer = RequestPacer(RECORDINGS, clock)

    def heard(self, device: Device) -> None:
        """Update the pending terminals after a read or change of a terminal."""
        self._remembered.pop(device.sn, None)
        if device.state is DeviceState.PENDING:
            self._pending.add(device.sn)
        elif device.sn in self._pending:
            self.forget(device.sn)

    def forget(self, sn: str) -> None:
        """Forget a terminal that was removed or is no longer pending, which frees a place."""
        self._pending.discard(sn)
        self._remembered.clear()

    def remembered(self, sn: str, address: str | None) -> ProtocolError | None:
        """The refusal of a serial number that was refused less than a second ago, else None."""
        known = self._remembered.get(sn)
        if known is not None:
            at, refusal = known
            if 0 <= self._clock.seconds() - at < REMEMBERED_SECONDS:
                return refusal(sn, address)
        return None

    def look(self, sn: str, address: str | None, *, is_counted: bool) -> ProtocolError | None:
        """Count a look-up on behalf of an unknown terminal, if it `is_counted`.

        Returns the reason to refuse it instead: as `remembered`, or because the limit per minute is
        reached.
        """
        refusal = self.remembered(sn, address) if sn in self._remembered else None
        if refusal is not None:
            return refusal
        if is_counted and not self._allowance.take(self._clock.seconds()):
            self._refusals.refuse(Refusal.UNKNOWN_PER_MINUTE, sn, address)
            return TooManyRequests(_TOO_MANY)
        return None

    def refusal(self, sn: str, address: str | None, hello: Hello | None) -> ProtocolError | None:
        """The refusal, if any, of a serial number that is not in the store.

        There is one if the policy does not record the terminal, or a limit is reached.
        """
        refusal = self._refusal(self._policy.admit(sn, hello, address))
        return None if refusal is None else refusal(sn, address)

    async def find(
        self, sn: str, address: str | None, hello: Hello | None, family: str
    ) -> tuple[Device, int | None]:
        """Find a terminal in the store, or record it in a family if the policy allows it.

        `hello` is the terminal's self-description in an initialization exchange, if it makes one.

        Raises `TurnedAway` if the policy does not record the terminal, or a limit is reached.
        """
        device, due = await self._lookups.find(sn)
        while device is None:
            others = self._coming.get(sn)
            if others is None:
                return await self._record(sn, address, hello, family), None
            recorded: Deferred[Device | None] = Deferred()
            others.append(recorded)
            device = await recorded
            refusal = self.remembered(sn, address) if device is None else None
            if refusal is not None:
                raise refusal
        return device, due

    async def _record(
        self, sn: str, address: str | None, hello: Hello | None, family: str
    ) -> Device:
        """Record a terminal once, for all concurrent requests that name it."""
        others = self._coming[sn] = []
        device = None
        try:
            device = await self._add(sn, address, hello, family)
            return device
        finally:
            del self._coming[sn]
            for other in others:
                other.callback(device)

    async def _add(self, sn: str, address: str | None, hello: Hello | None, family: str) -> Device:
        """Record a terminal; if another process has just recorded it, keep that record."""
        state = self._policy.admit(sn, hello, address)
        if state is not None and not self._pacer.take():
            await self._pacer.wait()
        refusal = self._refusal(state)
        if refusal is not None or state is None:
            raise self._remember(sn, refusal or self._take_none)(sn, address)
        now = int(self._wall() * 1000)
        # Count it from now on, while others are looked up.
        self._recording += 1
        if state is DeviceState.PENDING:
            self._pending.add(sn)
        recorded: Deferred[Device] = Deferred()

        def settle(outcome: Device | Failure) -> None:
            # This also runs if the connection is lost: the terminal is recorded all the same.
            self._recording -= 1
            if isinstance(outcome, Failure):
                self._pending.discard(sn)
                recorded.errback(outcome)
            else:
                recorded.callback(outcome)

        def unit(tx: Transaction) -> Device:
            return tx[DeviceStore].add(sn, state, self._timezone, now, family)

        self._store.write(unit).addBoth(settle)
        device = await recorded
        self._log.info("Terminal {sn} is new, and {state}", sn=sn, state=device.state.value)
        return device

    def _refusal(self, state: DeviceState | None) -> MakeError | None:
        """The refusal of a terminal with this initial state; None if it may be recorded."""
        if state is None:
            return self._take_none
        if len(self._known) + self._recording >= self._limits.terminals:
            return self._has_limit("terminals")
        if len(self._pending) >= self._limits.pending_terminals:
            return self._has_limit("pending_terminals")
        return None

    def _remember(self, sn: str, refusal: MakeError) -> MakeError:
        if len(self._remembered) >= MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[sn] = (self._clock.seconds(), refusal)
        return refusal

    def _take_none(self, sn: str, address: str | None) -> ProtocolError:
        self._refusals.refuse(Refusal.UNKNOWN, sn, address)
        return TurnedAway(_NONE_TAKEN)

    def _has_limit(self, limit: str) -> MakeError:
        def refusal(sn: str, address: str | None) -> ProtocolError:
            self._refusals.refuse(limit, sn, address)
            return TurnedAway(_FULL)

        return refusal
