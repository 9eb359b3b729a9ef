"""Connections that the reactor does not watch, over real sockets."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time

import pytest_twisted
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Server

from zkpush.http.ports import MOST_AT_ONCE, MOST_WAITING, BoundedPort, PortOpener
from zkpush.http.transport import UnwatchedConnection

from ..rig import Rig

LINE = b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n"
UPLOAD = (
    b"POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=1 HTTP/1.1\r\nHost: s\r\n"
    b"Connection: %b\r\nContent-Length: 32\r\n\r\n" + LINE
)
LAST, KEPT = UPLOAD % b"close", UPLOAD % b"keep-alive"


async def say(
    rig: Rig, *parts: bytes, replies: int | None = None, exchanged: bool = False
) -> bytes:
    """Send parts, a little after each other; take all that comes, or so many replies."""
    port = PortOpener(reactor).listenTCP(0, rig.terminals, interface="127.0.0.1")

    def talk() -> bytes:
        received = b""
        with socket.create_connection(("127.0.0.1", port.getHost().port), timeout=20) as sock:
            for part in parts:
                sock.sendall(part)
                time.sleep(0.05)
            while replies is None or received.count(b"OK") < replies:
                part = sock.recv(65536)
                if not part:
                    break
                received += part
        return received

    if not exchanged:
        await rig.exchange()
    try:
        return await threads.deferToThread(talk)
    finally:
        await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_a_request_is_answered_and_the_connection_ends(rig: Rig) -> None:
    """Everything at once, as terminals send it."""
    received = await say(rig, LAST)
    assert received.endswith(b"Connection: close\r\n\r\nOK: 1")
    assert not rig.terminals.channels


@pytest_twisted.ensureDeferred
async def test_programs_that_are_started_do_not_inherit_connections(rig: Rig, monkeypatch) -> None:
    """A child that had a copy would keep it open after its end."""
    inherited: list[bool] = []
    plain = UnwatchedConnection.send_now

    def send_now(self, *args, **named):
        inherited.append(os.get_inheritable(self.fileno()))
        return plain(self, *args, **named)

    monkeypatch.setattr(UnwatchedConnection, "send_now", send_now)
    await say(rig, LAST)
    assert inherited == [False]


@pytest_twisted.ensureDeferred
async def test_a_request_in_parts_is_waited_for(rig: Rig) -> None:
    """What is not there when the connection is accepted, the reactor tells of."""
    received = await say(rig, LAST[:40], LAST[40:150], LAST[150:])
    assert received.endswith(b"OK: 1")


@pytest_twisted.ensureDeferred
async def test_what_comes_after_the_last_request_does_not_take_its_reply_along(rig: Rig) -> None:
    """Old firmware sends a line end after the body; a socket with unread bytes is reset."""
    received = await say(rig, LAST[:-1], LAST[-1:] + b"\r\n" * 1000)
    assert received.endswith(b"OK: 1")


@pytest_twisted.ensureDeferred
async def test_what_comes_before_the_reply_does_not_take_it_along(rig: Rig) -> None:
    """While the upload is being stored nobody reads; a socket with unread bytes is reset."""
    await rig.exchange()
    sent = threading.Event()
    storing = rig.store.write(lambda tx: sent.wait(20))
    reactor.callLater(0.5, sent.set)
    received = await say(rig, LAST, b"\r\n" * 10, exchanged=True)
    assert received.endswith(b"OK: 1")
    assert await storing


@pytest_twisted.ensureDeferred
async def test_a_kept_connection_takes_more_requests(rig: Rig) -> None:
    """Some at once, and one a while later."""
    received = await say(rig, KEPT + KEPT, KEPT, replies=3)
    assert received.count(b"HTTP/1.1 200 OK") == 3


@pytest_twisted.ensureDeferred
async def test_a_connection_that_says_nothing_may_leave(rig: Rig) -> None:
    """It leaves nothing behind."""
    assert await say(rig, b"", replies=0) == b""
    await threads.deferToThread(time.sleep, 0.1)
    assert not rig.terminals.channels


@pytest_twisted.ensureDeferred
async def test_other_ports_stay_as_they_are() -> None:
    """What encrypts, for one, is between a socket and the site."""
    seen: Deferred[object] = Deferred()

    class Seeing(Protocol):
        def connectionMade(self) -> None:
            seen.callback(type(self.transport))
            self.transport.loseConnection()

    port = PortOpener(reactor).listenTCP(0, Factory.forProtocol(Seeing), interface="127.0.0.1")
    with socket.create_connection(("127.0.0.1", port.getHost().port), timeout=20):
        assert await seen is Server
    await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_who_waits_to_be_accepted_is_answered_before_the_port_is_closed(rig: Rig) -> None:
    """The system has taken the connection and the request; to close the port resets it."""
    await rig.exchange()
    inner = reactor.listenTCP(0, rig.terminals, interface="127.0.0.1")
    port = BoundedPort(inner, reactor)
    address = ("127.0.0.1", port.getHost().port)
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(socket.create_connection(address)) for _ in range(3)]
        for sock in waiting:
            sock.settimeout(20)
            sock.sendall(LAST)
        inner.numberAccepts = 1
        await port.stopListening()
        for sock in waiting:
            assert (await threads.deferToThread(sock.recv, 65536)).endswith(b"OK: 1")


@pytest_twisted.ensureDeferred
async def test_a_port_accepts_a_bounded_number_of_connections_in_a_turn(rig: Rig) -> None:
    """A burst needs few descriptors: those of ended connections are free after the turn."""
    port = PortOpener(reactor).listenTCP(0, rig.terminals, MOST_WAITING, "127.0.0.1")
    clients = []
    try:
        address = ("127.0.0.1", port.getHost().port)
        clients += [socket.create_connection(address) for _ in range(4 * MOST_AT_ONCE)]
        for turn in range(1, 4):
            port.doRead()
            assert len(rig.terminals.channels) == turn * MOST_AT_ONCE
    finally:
        for client in clients:
            client.close()
        await port.stopListening()
