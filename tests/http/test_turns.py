"""Processes that share a port take turns: see `zkpush.http.turns`."""

from __future__ import annotations

import socket
from collections.abc import Callable

import attrs
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol

from zkpush.http.ports import BoundedPort, PortOpener
from zkpush.http.turns import PATIENCE_SECONDS, Turns, new_board

from ..rig import Rig

WAIT = PATIENCE_SECONDS
HOST = "127.0.0.1"


@attrs.define
class Workers:
    """Processes that share one port, and the clock of all."""

    now: float = 1000.0
    full: set[int] = attrs.Factory(set)
    board: int = attrs.Factory(lambda: new_board(1))

    def turns(self, place: int, count: int = 3) -> Turns:
        """The turns of one of them."""
        return Turns(self.board, 0, place, count, lambda: place in self.full, lambda: self.now)


def test_the_first_accepts_at_once_and_each_of_the_others_waits_longer() -> None:
    """Who waits is left to those before, for 10 ms each."""
    workers = Workers()
    assert [workers.turns(place).wait() for place in range(3)] == [0, WAIT, 2 * WAIT]


def test_who_looked_away_is_not_needed_if_another_found_nobody_meanwhile() -> None:
    """Whoever waits then has come since, and is left to the others again."""
    workers = Workers()
    first, second = workers.turns(0), workers.turns(1)
    workers.now += WAIT / 2
    first.found_nobody()
    workers.now += WAIT / 2
    assert not second.is_needed(WAIT)
    assert second.wait() == WAIT


def test_who_looked_away_helps_until_nobody_waits() -> None:
    """If nobody was found to wait for as long, one that accepts goes on without looking away."""
    workers = Workers()
    first, second, third = (workers.turns(place) for place in range(3))
    first.found_nobody()
    workers.now += 1.5 * WAIT
    assert second.is_needed(WAIT)
    assert not third.is_needed(2 * WAIT)
    assert second.wait() == 0
    second.found_nobody()
    assert second.wait() == WAIT
    assert not second.is_needed(WAIT)


def test_where_no_other_process_is_alive_somebody_accepts() -> None:
    """What nobody has ever written on the board is long ago."""
    workers = Workers()
    assert workers.turns(2).is_needed(2 * WAIT)


def test_a_process_with_all_its_connections_leaves_the_next_to_the_others() -> None:
    """It waits as one behind the last would; if all are full, it ends an old one for a new."""
    workers = Workers(full={0})
    first = workers.turns(0)
    assert first.wait() == 3 * WAIT
    assert first.is_needed(3 * WAIT)
    assert first.wait() == 3 * WAIT
    workers.full.clear()
    assert first.wait() == 0


def test_ports_have_turns_of_their_own() -> None:
    """One on which nobody waits says nothing of another."""
    board = new_board(2)
    one, other = (Turns(board, port, 1, 2, lambda: False, lambda: 1000.0) for port in range(2))
    one.found_nobody()
    assert not one.is_needed(WAIT)
    assert other.is_needed(WAIT)


class Looking(Turns):
    """Turns of a second process, which tell of its looks, and when it is done."""

    def __init__(
        self,
        workers: Workers,
        looks: int,
        place: int = 1,
        is_full: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(workers.board, 0, place, 2, is_full, lambda: workers.now)
        self.looked: Deferred[None] = Deferred()
        self.done: Deferred[None] = Deferred()
        self.away: Deferred[None] = Deferred()
        self.looks = self.waits = 0
        self._awaited = looks

    def wait(self) -> float:
        """Tell when it looks away for the second time."""
        self.waits += 1
        if self.waits == 2:
            self.away.callback(None)
        return super().wait()

    def is_needed(self, waited: float) -> bool:
        """Count."""
        self.looks += 1
        if self.looks == self._awaited:
            self.looked.callback(None)
        return super().is_needed(waited)

    def found_nobody(self) -> None:
        """Tell."""
        super().found_nobody()
        if not self.done.called:
            self.done.callback(None)


class Served(Factory):
    """Counts its connections."""

    noisy = False

    def __init__(self) -> None:
        self.count = 0

    def buildProtocol(self, addr: object) -> Protocol:
        """Count."""
        self.count += 1
        return Protocol()


@pytest.fixture
def listening():
    """A socket that is listening, and shared."""
    with socket.create_server((HOST, 0), backlog=10) as sock:
        sock.setblocking(False)
        yield sock


@pytest_twisted.ensureDeferred
async def test_a_second_process_leaves_who_connects_to_the_first_one(listening) -> None:
    """It accepts nobody as long as the first is heard of, and everybody when that is silent."""
    workers = Workers()
    workers.turns(0).found_nobody()
    turns, served = Looking(workers, looks=3), Served()
    port = PortOpener(reactor).adopt(listening, served, turns)
    clients = [socket.create_connection(listening.getsockname()) for _ in range(2)]
    try:
        await turns.looked
        assert served.count == 0
        workers.now += 2 * WAIT
        await turns.done
        assert served.count == 2
        assert turns.wait() == WAIT
    finally:
        await port.stopListening()
        for client in clients:
            client.close()


@pytest_twisted.ensureDeferred
async def test_a_process_that_stops_accepts_who_waits_and_nobody_later(listening) -> None:
    """It may be looking away at that time; who comes later is for the others."""
    workers = Workers()
    turns, served = Looking(workers, looks=1), Served()
    workers.turns(0).found_nobody()
    port = PortOpener(reactor).adopt(listening, served, turns)
    with socket.create_connection(listening.getsockname()):
        await turns.away
        await port.stopListening()
        assert served.count == 1
    workers.now += 2 * WAIT
    with socket.create_connection(listening.getsockname()):
        waited: Deferred[None] = Deferred()
        reactor.callLater(2 * WAIT, waited.callback, None)
        await waited
    assert served.count == 1
    assert turns.looks == 1


@pytest_twisted.ensureDeferred
async def test_a_process_that_helps_goes_on_until_nobody_waits(listening) -> None:
    """The library accepts so many at a time; who has taken that many is not done."""
    workers = Workers()
    turns, served = Looking(workers, looks=1), Served()
    inner = reactor.adoptStreamPort(listening.fileno(), socket.AF_INET, served)
    inner.numberAccepts = 3
    port = BoundedPort(inner, reactor, turns)
    clients = [socket.create_connection(listening.getsockname()) for _ in range(8)]
    try:
        await turns.done
        assert served.count == 8
        assert turns.looks == 1
    finally:
        await port.stopListening()
        for client in clients:
            client.close()


@pytest_twisted.ensureDeferred
async def test_a_site_that_is_full_leaves_the_next_connection_to_other_processes(make_rig) -> None:
    """None of its own makes way for it, as long as others accept."""
    rig: Rig = await make_rig(limits={"connections": 1})
    workers = Workers()
    turns = Looking(workers, looks=2, place=0, is_full=lambda: rig.terminals.is_full)
    with socket.create_server((HOST, 0), backlog=10) as listening:
        listening.setblocking(False)
        address = listening.getsockname()
        port = PortOpener(reactor).adopt(listening, rig.terminals, turns)
        with socket.create_connection(address):
            await turns.done
            (first,) = rig.terminals.channels
            with socket.create_connection(address):
                await turns.looked.addTimeout(20, reactor)
                assert list(rig.terminals.channels) == [first]
        await port.stopListening()
