"""The memory of one process for bodies of requests and for decoding them.

Theory of operation. A body is charged when its request is accepted, by its declared length, and
until the request is answered. Short bodies, which every punch is, have a pool of their own that
long ones cannot touch. Long ones share the rest with what decoding takes beside them. Of each pool,
one terminal and one address may have a share; a single body always fits where its terminal and the
pool hold nothing else. A short body that does not fit is refused. A long one waits, in line and for
a bounded time, with nothing read from its connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ..protocol.errors import Unavailable

SHORT = 64 * 1024
"""Bytes of the longest body that counts as short."""
SHORT_SHARE = 4
"""One part in so many of the memory is for short bodies."""
MOST_WAITING = 64
"""Long bodies that wait for memory at a time."""
MOST_WAITING_OF_ONE = 8
"""Of these, those of one terminal."""
Struck = Callable[[str | None, str | None], object]
"""Called with the terminal and the address of a body that is refused."""
_FULL = "This server has no memory for more bodies now; send it again later."


@attrs.define(eq=False)
class Charge:
    """What one request holds; `release` returns it."""

    budget: MemoryBudget
    sn: str | None
    address: str | None
    size: int
    is_long: bool

    def grow(self, size: int) -> bool:
        """Charge more, for a body that declared no length; False if there is no memory."""
        return self.budget.grow(self, size)

    def release(self) -> None:
        """Return everything."""
        self.budget.release(self)


@attrs.define(eq=False)
class _Pool:
    """Memory that is shared; sizes are in bytes."""

    size: int
    of_terminal: int
    """Share of one terminal."""
    of_address: int
    held: int = 0
    terminals: Counter[str] = attrs.field(factory=Counter)
    addresses: Counter[str] = attrs.field(factory=Counter)

    def fits(self, charge: Charge, size: int) -> bool:
        """Whether so many bytes more may be held for a request."""
        return (
            (not self.held or self.held + size <= self.size)
            and _has_share(self.terminals, charge.sn, size, self.of_terminal)
            and _has_share(self.addresses, charge.address, size, self.of_address)
        )

    def add(self, charge: Charge, size: int) -> None:
        """Hold so many bytes more for a request; fewer, if negative."""
        self.held += size
        for held, key in ((self.terminals, charge.sn), (self.addresses, charge.address)):
            if key is not None:
                held[key] += size
                if not held[key]:
                    del held[key]


def _has_share(held: Counter[str], key: str | None, size: int, share: int) -> bool:
    return key is None or not held[key] or held[key] + size <= share


class MemoryBudget:
    """Shares out the memory of a process."""

    def __init__(self, size: int, patience: float, struck: Struck, clock: IReactorTime) -> None:
        """`size` is in bytes; a long body waits for `patience` seconds.

        `struck` is called with the terminal and the address of each body that is refused.
        """
        short = size // SHORT_SHARE
        long = size - short
        self._short = _Pool(short, short // 8, short // 2)
        self._long = _Pool(long, long // 2, long * 3 // 4)
        self._patience = patience
        self._struck = struck
        self._clock = clock
        self._waiting: dict[Deferred[Charge], tuple[Charge, IDelayedCall]] = {}

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._short.held + self._long.held

    def take(self, sn: str | None, address: str | None, size: int) -> Charge | Deferred[Charge]:
        """Charge a body, at once or when there is memory.

        Without `sn` or `address`, there is no share for it. `Unavailable` if there is no memory,
        and none in time. A Deferred that is cancelled waits no more.
        """
        charge = Charge(self, sn, address, size, size > SHORT)
        pool = self._pool(charge)
        if not (charge.is_long and self._waits(sn)) and pool.fits(charge, size):
            pool.add(charge, size)
            return charge
        of_one = sum(waiting.sn == sn for waiting, _ in self._waiting.values())
        if (
            not charge.is_long
            or len(self._waiting) >= MOST_WAITING
            or of_one >= MOST_WAITING_OF_ONE
        ):
            raise self._refuse(charge)
        waiting: Deferred[Charge] = Deferred(self._leave)
        timer = self._clock.callLater(self._patience, self._give_up, waiting)
        self._waiting[waiting] = (charge, timer)
        return waiting

    def grow(self, charge: Charge, size: int) -> bool:
        """Charge more to a request; False if there is no memory."""
        pool = self._pool(charge)
        if not charge.is_long and charge.size + size > SHORT:
            pool.add(charge, -charge.size)
            size, charge.size, charge.is_long = charge.size + size, 0, True
            pool = self._pool(charge)
        if not pool.fits(charge, size):
            self._struck(charge.sn, charge.address)
            return False
        pool.add(charge, size)
        charge.size += size
        return True

    def decode(self, size: int) -> Charge:
        """Charge what decoding takes beside the body. That of one body at a time always fits."""
        charge = Charge(self, None, None, size, is_long=True)
        self._long.add(charge, size)
        return charge

    def release(self, charge: Charge) -> None:
        """Return what a request holds, to those that wait."""
        self._pool(charge).add(charge, -charge.size)
        charge.size = 0
        if charge.is_long and self._waiting:
            self._serve()

    def _pool(self, charge: Charge) -> _Pool:
        return self._long if charge.is_long else self._short

    def _waits(self, sn: str | None) -> bool:
        """Whether an earlier body of a terminal waits: the later ones do not overtake it."""
        return any(charge.sn == sn for charge, _ in self._waiting.values())

    def _serve(self) -> None:
        for waiting, (charge, timer) in [*self._waiting.items()]:
            if waiting in self._waiting and self._long.fits(charge, charge.size):
                del self._waiting[waiting]
                timer.cancel()
                self._long.add(charge, charge.size)
                waiting.callback(charge)

    def _leave(self, waiting: Deferred[Charge]) -> None:
        _, timer = self._waiting.pop(waiting)
        timer.cancel()

    def _give_up(self, waiting: Deferred[Charge]) -> None:
        charge, _ = self._waiting.pop(waiting)
        waiting.errback(self._refuse(charge))

    def _refuse(self, charge: Charge) -> Unavailable:
        self._struck(charge.sn, charge.address)
        return Unavailable(_FULL)
