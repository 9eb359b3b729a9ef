"""Uses of Twisted beyond its documented interfaces: each fails here if a version drops it."""

from __future__ import annotations

import socket

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Port, Server
from twisted.python.failure import Failure

HOST = "127.0.0.1"


@pytest.fixture
def listening():
    """A port of Twisted that the reactor does not watch."""
    factory = Factory.forProtocol(Protocol)
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
