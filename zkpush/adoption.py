"""Sharing of listening sockets between a parent process and its workers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

import attrs
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.protocols.tls import TLSMemoryBIOFactory

from .http.ports import PortOpener
from .http.turns import Turns


class SharedPortOpener(PortOpener):
    """Opener that binds ports for the workers; this process listens but does not accept."""

    def listenTCP(
        self, port: int, factory: object, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Open a port without accepting connections on it."""
        nobody = Factory()
        nobody.noisy = False
        opened: Any = self._reactor.listenTCP(port, nobody, backlog, interface)
        opened.stopReading()
        listening: IListeningPort = opened
        return listening

    def listenSSL(
        self,
        port: int,
        factory: object,
        contextFactory: object,
        backlog: int = 50,
        interface: str = "",
    ) -> IListeningPort:
        """Open a port as `listenTCP` does; the worker that accepts a connection encrypts it."""
        return self.listenTCP(port, factory, backlog, interface)


@attrs.frozen
class Inheritance:
    """Descriptors and index that a worker receives from its parent."""

    place: int
    """Index of this worker, from 0."""
    ports: Sequence[int]
    """Descriptors of the sockets to serve on."""
    board: int
    """Descriptor of the shared memory that `turns.new_board` returned."""
    report: int
    """Descriptor of the pipe that this worker writes its reports to."""

    @classmethod
    def parse(cls, text: str) -> Inheritance:
        """Parse the text that `str()` returns."""
        place, *ports, board, report = map(int, text.split(","))
        return cls(place, ports, board, report)

    def __str__(self) -> str:
        return ",".join(map(str, [self.place, *self.ports, self.board, self.report]))


class AdoptedPortOpener(PortOpener):
    """Opener that accepts on the sockets of the parent, in the order they were passed."""

    def __init__(self, reactor: Any, sockets: Sequence[int], turns: Callable[[int], Turns]) -> None:
        """`turns` returns the turns for the socket of an index in `sockets`."""
        super().__init__(reactor)
        self._sockets = enumerate(sockets)
        self._turns = turns

    def listenTCP(
        self, port: int, factory: object, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Accept on the next socket; `port` is ignored."""
        place, descriptor = next(self._sockets)
        with socket.socket(fileno=descriptor) as shared:
            return self.adopt(shared, factory, self._turns(place))

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Accept on the next socket, with TLS."""
        return self.listenTCP(port, TLSMemoryBIOFactory(contextFactory, False, factory))


def port_opener(
    reactor: Any,
    inherited: Inheritance | None,
    workers: int,
    is_full: Callable[[], bool],
    *,
    shares: bool,
) -> PortOpener:
    """Return the opener of the terminals' ports: for one process, for a parent or for a worker.

    `is_full` returns whether this process accepts no more connections for now.
    """
    if inherited is not None:
        heir = inherited
        return AdoptedPortOpener(
            reactor,
            heir.ports,
            lambda port: Turns(heir.board, port, heir.place, workers, is_full),
        )
    return SharedPortOpener(reactor) if shares else PortOpener(reactor)
