"""Uses of Twisted beyond its documented interfaces: each fails here if a version drops it."""

from __future__ import annotations

import socket

import attrs
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.tcp import Port, Server
from twisted.python.failure import Failure

HOST = "127.0.0.1"


@attrs.define
class Calls:
    """What happened to a connection."""

    started: int = 0
    lost: Failure | None = None


class Counting(Server):
    """A connection that is not registered, and counts how often it should have been."""

    calls = Calls()

    def startReading(self) -> None:
        """Count."""
        self.calls.started += 1


class Lost(Protocol):
    """Records its end."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Record it."""
        Counting.calls.lost = reason


@pytest.fixture
def listening():
    """A port of Twisted that the reactor does not watch."""
    factory = Factory.forProtocol(Lost)
    factory.noisy = False
    port = reactor.listenTCP(0, factory, interface=HOST)
    port.stopReading()
    yield port
    pytest_twisted.blockon(port.stopListening())


def test_a_port_accepts_no_more_than_its_number(listening) -> None:
    """`Port.numberAccepts` bounds what `doRead` accepts, and is raised if there may be more."""
    assert isinstance(listening, Port)
    assert hasattr(Port, "doRead"), "Port.doRead is gone: see zkpush.http.ports"
    accepted = []
    listening.transport = lambda *arguments: accepted.append(Server(*arguments)) or accepted[-1]
    address = (HOST, listening.getHost().port)
    clients = [socket.create_connection(address) for _ in range(3)]
    try:
        listening.numberAccepts = 2
        listening.doRead()
        assert len(accepted) == 2, "Port.numberAccepts bounds nothing: see zkpush.http.ports"
        assert listening.numberAccepts > 2, "numberAccepts is not raised: see zkpush.http.ports"
        listening.doRead()
        assert len(accepted) == 3
        assert listening.numberAccepts == 1, "it does not fall: see zkpush.http.ports"
    finally:
        for client in clients:
            client.close()
        for server in accepted:
            server.connectionLost(Failure(ConnectionError()))


def test_a_connection_that_is_not_registered_is_closed_by_its_end(listening) -> None:
    """The constructor registers it once, and `connectionLost` closes the socket at once."""
    Counting.calls = Calls()
    accepted = []
    listening.transport = lambda *arguments: accepted.append(Counting(*arguments)) or accepted[-1]
    with socket.create_connection((HOST, listening.getHost().port), timeout=20) as client:
        listening.doRead()
        (server,) = accepted
        assert Counting.calls.started == 1, "Server() does not register: see zkpush.http.transport"
        assert server.getHandle().send(b"last") == 4
        server.connectionLost(connectionDone)
        assert Counting.calls.lost is connectionDone
        assert server.fileno() == -1
        assert client.recv(10) == b"last"
        assert client.recv(10) == b""
