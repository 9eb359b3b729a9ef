"""How a simulated terminal makes a request, and what can become of it."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from zkpush.simulator.errors import WrongServer
from zkpush.simulator.link import TIMEOUT_SECONDS, Link, LinkError

from .network import SERVER, Network, until
from .script import Script

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


class Mute(Protocol):
    """Takes a request, says what it has to say, and no more."""

    said = b""

    def connectionMade(self) -> None:
        """Tell the test that there is somebody."""
        self.factory.made.append(self)

    def dataReceived(self, data: bytes) -> None:
        """Answer."""
        self.transport.write(self.said)


class Stalling(Mute):
    """Stops before the body."""

    said = HEAD


class HangsUp(Mute):
    """Ends the connection instead of an answer."""

    def dataReceived(self, data: bytes) -> None:
        """Hang up."""
        self.transport.loseConnection()


class BreaksOff(Mute):
    """Ends the connection in the middle of the body."""

    def dataReceived(self, data: bytes) -> None:
        """Answer in part."""
        self.transport.write(HEAD + b"O")
        self.transport.loseConnection()


def server(protocol: type[Mute]) -> ServerFactory:
    """A server of that protocol."""
    factory = ServerFactory.forProtocol(protocol)
    factory.made = []
    return factory


@pytest_twisted.ensureDeferred
async def test_a_request_is_written_as_old_firmware_does() -> None:
    """The path, the serial number first, commas as they are, and no more headers than needed."""
    script = Script(getrequest=b"C:1:INFO\n")
    link = Link(Network(script.site).agent, f"{SERVER}/", "SIM 1", Clock())
    assert await link.get("getrequest", INFO="Ver 1,2,127.0.0.1") == b"C:1:INFO\n"
    assert await link.post("devicecmd", b"ID=1&Return=0&CMD=INFO\n") == b"OK"
    assert script.uris == [
        b"/iclock/getrequest?SN=SIM%201&INFO=Ver%201,2,127.0.0.1",
        b"/iclock/devicecmd?SN=SIM%201",
    ]
    assert script.asked == [("getrequest", b""), ("devicecmd", b"ID=1&Return=0&CMD=INFO\n")]
    for headers in script.headers:
        assert headers[b"User-Agent"] == [b"iClock Proxy/1.09"]
        assert headers[b"Connection"] == [b"close"]
        assert b"Transfer-Encoding" not in headers
    assert script.headers[1][b"Content-Length"] == [b"23"]


@pytest_twisted.ensureDeferred
async def test_another_status_than_200_is_an_error() -> None:
    """What the server says to it is passed on."""
    link = Link(Network(Script(upload=503).site).agent, SERVER, "SIM1", Clock())
    with pytest.raises(LinkError) as failed:
        await link.post("cdata", b"", table="ATTLOG")
    assert str(failed.value) == "503 not now"


REPLIES = {
    "sign-in": (b"401 No", b"text/html", b"<a>", "No port for terminals answers at"),
    "web server": (b"404 Not Found", b"text/html", b"<html>\n", "404 '<html>'."),
    "nginx with TLS": (
        b"400 Bad Request",
        b"text/html",
        b"<title>400 The plain HTTP request was sent to HTTPS port</title>",
        "use https://server:8081",
    ),
    "API": (
        b"404 Not Found",
        b"application/problem+json",
        b'{"detail":"Terminals connect to port 1."}',
        "is the API of a zkpush daemon, .* Terminals connect to port 1\\.",
    ),
}


@pytest.mark.parametrize("name", REPLIES)
@pytest_twisted.ensureDeferred
async def test_a_first_reply_shows_that_the_url_is_wrong(name: str) -> None:
    """The error says so; the same reply of a server that was reached is an ordinary failure."""
    status, kind, body, words = REPLIES[name]
    head = b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"

    class Other(HangsUp):
        """Another server."""

        said = head % (status, kind, len(body)) + body

        def dataReceived(self, data: bytes) -> None:
            """Answer, and hang up."""
            self.transport.write(self.said)
            self.transport.loseConnection()

    link = Link(Network(server(Other)).agent, SERVER, "SIM1", Clock())
    with pytest.raises(WrongServer, match=words):
        await link.get("getrequest")
    assert not link.is_reached
    link.is_reached = True
    with pytest.raises(LinkError) as failed:
        await link.get("getrequest")
    assert not isinstance(failed.value, WrongServer)


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (None, "Connection was refused"),
        (server(HangsUp), "Connection was closed cleanly"),
        (server(BreaksOff), "Connection was closed cleanly"),
    ],
    ids=["nobody there", "hung up", "broken off"],
)
@pytest_twisted.ensureDeferred
async def test_a_connection_that_fails_is_an_error(
    there: ServerFactory | None, reason: str
) -> None:
    """A server that is not there, or goes away, is an error that says so."""
    with pytest.raises(LinkError) as failed:
        await Link(Network(there).agent, SERVER, "SIM1", Clock()).get("getrequest")
    assert reason in str(failed.value)


@pytest.mark.parametrize(
    ("protocol", "given_up_at"),
    [(Mute, TIMEOUT_SECONDS), (Stalling, 2 * TIMEOUT_SECONDS - 1)],
    ids=["no answer", "no body"],
)
@pytest_twisted.ensureDeferred
async def test_a_server_that_stalls_is_given_up(protocol: type[Mute], given_up_at: float) -> None:
    """A minute without answer is an error, and one without its body: a terminal does not hang."""
    clock, there = Clock(), server(protocol)
    network = Network(there)
    asking = Deferred.fromCoroutine(Link(network.agent, SERVER, "SIM1", clock).get("getrequest"))
    outcome: list[object] = []
    asking.addBoth(outcome.append)
    clock.advance(TIMEOUT_SECONDS - 1)
    await until(lambda: [call.getTime() for call in clock.getDelayedCalls()] == [given_up_at])
    assert outcome == []
    clock.advance(given_up_at - clock.seconds())
    (failure,) = outcome
    assert isinstance(failure, Failure)
    assert failure.type is LinkError
    assert str(failure.value) == "no answer within 60 seconds"
    for connection in there.made:
        connection.transport.loseConnection()
    await network.quiet()
