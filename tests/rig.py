"""A whole daemon inside the test: real store, real parts, raw bytes in and out, a clock to turn."""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Iterable
from typing import Any

import msgspec
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from zkpush import config, tap
from zkpush.clock import IWallClock
from zkpush.datadir import DataDirectory
from zkpush.manage.auth import Tokens
from zkpush.manage.retention import Retention
from zkpush.model import NewToken
from zkpush.protocol.fields import Scope

from .keys import KEY

NOON = 1_772_366_400  # 2026-03-01T12:00:00Z
TOKEN = "rig-token"
TIMEOUT = 20
IN_MEMORY = "memory:"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@implementer(IWallClock)
class TurnedReactor(Clock):
    """The real reactor, but for time, which stands still until a test turns it."""

    def __init__(self) -> None:
        super().__init__()
        self.rightNow = float(NOON)
        self.jumped = 0.0
        """By how many seconds the time of day was set, beside the passing of time."""

    def wall_seconds(self) -> float:
        """The time of day."""
        return self.seconds() + self.jumped

    def callLater(self, delay: float, *args: Any, **named: Any) -> IDelayedCall:
        """What is to happen in the next turn of the reactor waits for no time to pass."""
        clock: Any = super() if delay else reactor
        later: IDelayedCall = clock.callLater(delay, *args, **named)
        return later

    def __getattr__(self, name: str) -> object:
        return getattr(reactor, name)


class Wire(StringTransport):
    """A connection in memory that tells when its server has written or hung up."""

    def __init__(self, address: str) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", address, 40000))
        self.closed = False
        self._waiting: list[Deferred[None]] = []

    def write(self, data: bytes) -> None:
        super().write(data)
        self._tell()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        super().loseConnection()
        self.closed = True
        self._tell()

    def changed(self) -> Deferred[None]:
        """Fires at the next write or hang-up; fails after a while."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting.addTimeout(TIMEOUT, reactor)

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            # Not at once: the server is in the middle of its write.
            reactor.callLater(0, deferred.callback, None)


class Response:
    """A reply, taken apart."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.head = head + b"\r\n\r\n"
        self.status_line, *lines = head.split(b"\r\n")
        self.status = int(self.status_line.split(b" ")[1])
        self.headers = [tuple(line.split(b": ", 1)) for line in lines]

    @property
    def json(self) -> object:
        return json.loads(self.body)

    def header(self, name: bytes) -> bytes | None:
        """A header, by its exact case."""
        return next((value for key, value in self.headers if key == name), None)


async def talk(site: ServerFactory, raw: bytes, address: str = "192.0.2.7") -> Response:
    """Send bytes on a new connection, and take the reply when it is whole."""
    wire = Wire(address)
    channel = site.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(raw)
    while not is_whole(wire):
        await wire.changed()
    channel.connectionLost(Failure(ConnectionDone()))
    return Response(wire.value())


async def everything(site: ServerFactory, raw: bytes, address: str = "192.0.2.7") -> bytes:
    """Send bytes on a new connection, and take what is written until the server ends it."""
    wire = Wire(address)
    channel = site.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    channel.dataReceived(raw)
    while not wire.closed:
        await wire.changed()
    channel.connectionLost(Failure(ConnectionDone()))
    return wire.value()


def is_whole(wire: Wire, *, is_head: bool = False) -> bool:
    """Whether a reply was written to its end, or the connection ended."""
    written = wire.value().removeprefix(CONTINUE)
    head, ended, body = written.partition(b"\r\n\r\n")
    if wire.closed or is_head or not ended:
        return wire.closed or bool(ended)
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name == b"Content-Length":
            return len(body) >= int(value)
    return b" 204 " in head


class Rig:
    """The daemon that `twistd zkpush` would run, without ports."""

    def __init__(
        self,
        folder: pathlib.Path,
        *,
        admission: str = "open",
        database: str = IN_MEMORY,
        **settings: object,
    ) -> None:
        self.clock = TurnedReactor()
        values = {"data": folder, "admission": admission, "database": database, **settings}
        self.config = config.load(None, values, lambda text: text)
        (folder / "key").write_text(KEY.hex())
        data = DataDirectory(folder, TOKEN, KEY)
        self.daemon = tap.build(self.config, data, self.clock)
        self.store = self.daemon.store
        self.registry = self.daemon.registry
        self.terminals = self.daemon.terminals[0].site
        self.manage = self.daemon.manage.site
        (self.retention,) = (job for job in self.daemon.jobs if isinstance(job, Retention))
        (self.tokens,) = (job for job in self.daemon.jobs if isinstance(job, Tokens))

    async def start(self) -> Rig:
        self.running = True
        self.store.start(self.daemon.brings)
        self.daemon.registry.startService()
        await self.registry.follow()
        self.daemon.refusals.startService()
        self.daemon.inbox.startService()
        return self

    async def stop(self) -> None:
        if self.running:
            self.running = False
            await self._stop()

    async def _stop(self) -> None:
        await self.stop_jobs()
        await self.daemon.inbox.stopService()
        await self.registry.stopService()
        await self.daemon.refusals.stopService()
        await self.store.stop()

    def start_jobs(self) -> None:
        """Start the background jobs of the process that serves people."""
        for job in self.daemon.jobs:
            job.startService()

    async def stop_jobs(self) -> None:
        """Stop them, if they run."""
        for job in self.daemon.jobs:
            if job.running:
                await job.stopService()

    async def get(self, path: str, *, version: str = "1.1", address: str = "192.0.2.7") -> Response:
        """A terminal's GET of something under /iclock/."""
        raw = f"GET /iclock/{path} HTTP/{version}\r\nHost: server:8081\r\n\r\n"
        return await talk(self.terminals, raw.encode(), address)

    async def post(self, path: str, body: bytes, *, address: str = "192.0.2.7") -> Response:
        """A terminal's POST to something under /iclock/."""
        head = (
            f"POST /iclock/{path} HTTP/1.1\r\nHost: server:8081\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return await talk(self.terminals, head.encode() + body, address)

    async def pin(self, comm_key: str, sn: str = "T1") -> Response:
        """Pin a pushcommkey by its fingerprint, as an operator does."""
        fingerprint = hashlib.sha256(comm_key.encode()).hexdigest()
        return await self.api("PATCH", f"/devices/{sn}", {"comm_key": fingerprint})

    async def exchange(self, sn: str = "T1", **arguments: str) -> Response:
        """The exchange of a terminal, as one of 2.4.1 makes it."""
        query = {"options": "all", "pushver": "2.4.1", "language": "69", **arguments}
        text = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
        return await self.get(f"cdata?SN={sn}&{text}")

    async def api(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Iterable[str] = (f"Authorization: Bearer {TOKEN}",),
        prefix: str = "/api/v1",
    ) -> Response:
        """A request to the API."""
        content = b"" if body is None else msgspec.json.encode(body)
        lines = [f"{method} {prefix}{path} HTTP/1.1", "Host: server", *headers]
        lines.append(f"Content-Length: {len(content)}")
        raw = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
        return await talk(self.manage, raw)

    async def person(self, pin: str) -> str:
        """The pseudonym of a person in the audit log."""
        name: str = await self.store.read(lambda tx: tx.audit.person(pin))
        return name

    async def token(self, name: str, *scopes: Scope) -> str:
        """A new token with these scopes."""
        body = {"name": name, "scopes": [scope.value for scope in scopes]}
        made = await self.api("POST", "/tokens", body)
        assert made.status == 201, made.raw
        token: str = made.json["token"]
        return token

    async def token_of_another_node(self, name: str, *scopes: Scope) -> str:
        """A new token that this process has not read from the store yet."""
        secret = f"zkp_{name}"
        digest = hashlib.sha256(secret.encode()).digest()
        values = frozenset(scope.value for scope in scopes)
        made = NewToken(name=name, digest=digest, scopes=values, created_by="token admin")
        await self.store.write(lambda tx: tx.tokens.add(made, NOON * 1000))
        return secret

    async def items(self, path: str) -> list[dict[str, object]]:
        """The items of a list of the API."""
        response = await self.api("GET", path)
        assert response.status == 200, response.raw
        listing = response.json
        assert isinstance(listing, dict)
        return listing["items"]
