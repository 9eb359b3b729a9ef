"""Memory budget of one process for request bodies and their decoding.

Theory of operation. A body is charged by its declared length from the acceptance of its request
until the reply. Short bodies, such as every punch, have a pool of their own that long ones cannot
use. Long bodies share the rest with the memory for decoding. Each terminal and each address may
hold a limited share of a pool, but a single body always fits if the pool and its terminal hold
nothing else. A short body that does not fit is refused. A long one waits in a queue for a limited
time, while nothing is read from its connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ..protocol.errors import Unavailable

SHORT = 64 * 1024
"""Maximum length in bytes of a short body."""
SHORT_SHARE = 4
"""Divisor for the part of the memory that is reserved for short bodies."""
MOST_WAITING = 64
"""Maximum number of long bodies waiting for memory."""
MOST_WAITING_OF_ONE = 8
"""Maximum number of waiting bodies of one terminal."""
Struck = Callable[[str | None, str | None], object]
"""Called with the terminal and the address of a body that is refused."""
_FULL = "This server has no memory for more bodies now; send it again later."


@attrs.define(eq=False)
class Charge:
    """Memory held by one request; `release` returns it."""

    budget: MemoryBudget
    sn: str | None
    address: str | None
    size: int
    is_long: bool

    def grow(self, size: int) -> bool:
        """Charge more bytes, for a body of undeclared length; False if there is no memory."""
        return self.budget.grow(self, size)

    def release(self) -> None:
        """Return all memory of the charge."""
        self.budget.release(self)


@attrs.define(eq=False)
class _Pool:
    """A shared pool of memory; sizes are in bytes."""

    size: int
    of_terminal: int
    """Maximum share of one terminal."""
    of_address: int
    held: int = 0
    terminals: Counter[str] = attrs.field(factory=Counter)
    addresses: Counter[str] = attrs.field(factory=Counter)

    def fits(self, charge: Charge, size: int) -> bool:
        """Whether a request may hold `size` more bytes."""
        return (
            (not self.held or self.held + size <= self.size)
            and _has_share(self.terminals, charge.sn, size, self.of_terminal)
            and _has_share(self.addresses, charge.address, size, self.of_address)
        )

    def add(self, charge: Charge, size: int) -> None:
        """Add to the bytes held for a request; `size` may be negative."""
        self.held += size
        for held, key in ((self.terminals, charge.sn), (self.addresses, charge.address)):
            if key is not None:
                held[key] += size
                if not held[key]:
                    del held[key]


def _has_share(held: Counter[str], key: str | None, size: int, share: int) -> bool:
    return key is None or not held[key] or held[key] + size <= share


class MemoryBudget:
    """Distributes the memory of a process among requests."""

    def __init__(self, size: int, patience: float, struck: Struck, clock: IReactorTime) -> None:
        """`size` is in bytes; a long body waits for up to `patience` seconds.

        `struck` is called with the terminal and the address of each refused body.
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
        """Number of bytes held now."""
        return self._short.held + self._long.held

    def take(self, sn: str | None, address: str | None, size: int) -> Charge | Deferred[Charge]:
        """Charge a body, at once or when memory becomes free.

        Without `sn` or `address`, the respective share does not apply. Raises `Unavailable`, also
        through the Deferred, if there is no memory in time. Cancelling the Deferred leaves the
        queue.
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
        """Charge more bytes to a request; False if there is no memory."""
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
        """Charge the memory for decoding, which is never refused."""
        charge = Charge(self, None, None, size, is_long=True)
        self._long.add(charge, size)
        return charge

    def release(self, charge: Charge) -> None:
        """Return the memory of a request and serve waiting bodies."""
        self._pool(charge).add(charge, -charge.size)
        charge.size = 0
        if charge.is_long and self._waiting:
            self._serve()

    def _pool(self, charge: Charge) -> _Pool:
        return self._long if charge.is_long else self._short

    def _waits(self, sn: str | None) -> bool:
        """Whether an earlier body of the terminal waits, which later ones must not overtake."""
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
