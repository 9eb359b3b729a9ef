"""How many terminals that nobody knows are looked up, and recorded.

A serial number is quickly invented: a flood of them must fill neither memory nor the database, nor
keep it busy.
"""

from __future__ import annotations

from collections.abc import Collection

from twisted.internet.interfaces import IReactorTime

from ..config import Limits
from ..model import DeviceState
from ..protocol.errors import Refused as TurnedAway
from ..protocol.errors import TooManyRequests
from .allowance import Allowance
from .refusals import Refused
from .terminal import Terminal


class Newcomers:
    """Holds the limits for terminals that are not known."""

    def __init__(self, limits: Limits, refused: Refused, clock: IReactorTime) -> None:
        self._limits = limits
        self._refused = refused
        self._clock = clock
        self._allowance = Allowance(limits.unknown_per_minute, clock.seconds())

    def look_up(self, sn: str, address: str | None) -> None:
        """Raise `TooManyRequests` if the store is not to be asked for one more."""
        if not self._allowance.take(self._clock.seconds()):
            self._refused("unknown_per_minute", sn, address)
            raise TooManyRequests("Too many new terminals come at once; try again later.")

    def record(self, sn: str, address: str | None, known: Collection[Terminal]) -> None:
        """Raise `Refused` if no more than those that are known may be recorded."""
        waiting = sum(terminal.device.state is DeviceState.PENDING for terminal in known)
        for limit, is_reached in (
            ("terminals", len(known) >= self._limits.terminals),
            ("pending_terminals", waiting >= self._limits.pending_terminals),
        ):
            if is_reached:
                self._refused(limit, sn, address)
                raise TurnedAway("This server takes no more new terminals; an operator adds it.")
