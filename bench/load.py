"""Terminals as a load: bounded in requests and time, on loopback only."""

from __future__ import annotations

import collections
import itertools
import selectors
import socket
import time
from collections.abc import Iterator, Sequence

import attrs

HOST = "127.0.0.1"


@attrs.define
class Load:
    """What came of a load."""

    requests: int = 0
    wrong: int = 0
    seconds: float = 0.0
    latencies: list[float] = attrs.field(factory=list)

    def percentile(self, share: float) -> float:
        """The latency that a share of the requests did not exceed, in milliseconds."""
        if not self.latencies:
            return 0.0
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


@attrs.define(eq=False)
class _Connection:
    sock: socket.socket
    begun: float
    sent: bytes
    received: bytes = b""


def _complete(received: bytes) -> bool:
    head, ended, body = received.partition(b"\r\n\r\n")
    if not ended:
        return False
    _, found, rest = head.partition(b"Content-Length: ")
    return bool(found) and len(body) >= int(rest.split(b"\r\n", 1)[0])


def run(
    ports: Sequence[int],
    requests: Iterator[bytes],
    *,
    count: int,
    connections: int,
    keep_alive: bool,
    limit: float = 120.0,
) -> Load:
    """Send `count` requests on so many connections at a time; a new one for each, or kept ones.

    New connections are made to the ports in turn.
    """
    load = Load()
    turns = itertools.cycle(ports)
    selector = selectors.DefaultSelector()
    idle: collections.deque[socket.socket] = collections.deque()
    active = started = 0
    begun = time.monotonic()
    while load.requests < count and time.monotonic() - begun < limit:
        while active < connections and started < count:
            started, active = started + 1, active + 1
            _send(selector, idle, turns, next(requests))
        for key, _ in selector.select(1.0):
            connection: _Connection = key.data
            part = connection.sock.recv(65536)
            connection.received += part
            whole = _complete(connection.received)
            if part and not (whole and keep_alive):
                continue
            selector.unregister(connection.sock)
            active -= 1
            load.requests += 1
            load.latencies.append(time.monotonic() - connection.begun)
            if not whole or not _is_served(connection.received):
                load.wrong += 1
            if keep_alive and part:
                idle.append(connection.sock)
            else:
                connection.sock.close()
    load.seconds = time.monotonic() - begun
    for sock in idle:
        sock.close()
    selector.close()
    return load


def _is_served(reply: bytes) -> bool:
    """Whether a reply acknowledges an upload, or answers a poll; at night with commands."""
    return b"OK" in reply[-32:] or b"\r\n\r\nC:" in reply


def _send(
    selector: selectors.BaseSelector,
    idle: collections.deque[socket.socket],
    ports: Iterator[int],
    raw: bytes,
) -> None:
    begun = time.monotonic()
    sock = idle.popleft() if idle else socket.create_connection((HOST, next(ports)), timeout=60)
    sock.sendall(raw)
    selector.register(sock, selectors.EVENT_READ, _Connection(sock, begun, raw))
