"""A fleet of simulated terminals on a network in memory, on a turned clock."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from zkpush.simulator.fleet import TICK, Fleet, FleetResult
from zkpush.testing.clock import TurnedReactor
from zkpush.testing.network import MANY_TURNS, SERVER, Network, until

__all__ = ["SERVER", "Course", "Network", "until"]


class Course:
    """A fleet on its way: time goes on when there is nothing left to wait for."""

    def __init__(self, fleet: Fleet, network: Network, clock: TurnedReactor) -> None:
        self._network = network
        self._clock = clock
        self._outcome: list[object] = []
        Deferred.fromCoroutine(fleet.run()).addBoth(self._outcome.append)

    async def go(self, turns: int) -> None:
        """Let some time pass, in turns of `TICK` seconds."""
        for _ in range(turns):
            await self._network.quiet()
            self._clock.advance(TICK)
        await self._network.quiet()

    async def end(self) -> FleetResult:
        """Let time pass until the plan is fulfilled."""
        for _ in range(MANY_TURNS):
            if self._outcome:
                break
            await self.go(1)
        (outcome,) = self._outcome
        if isinstance(outcome, Failure):
            outcome.raiseException()
        assert isinstance(outcome, FleetResult)
        return outcome
