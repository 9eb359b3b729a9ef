"""Ports that a parent process opens and its workers serve: both sides, and what is handed over."""

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
    """Opens ports for the children: they are bound and listening, but nothing is accepted here."""

    def listenTCP(
        self, port: int, factory: object, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Open a port, and leave it to others to accept."""
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
        """The same: whoever accepts does the encryption."""
        return self.listenTCP(port, factory, backlog, interface)


@attrs.frozen
class Inheritance:
    """What a worker gets from its parent."""

    place: int
    """Its place among the workers, from 0."""
    ports: Sequence[int]
    """Descriptors of the sockets to serve on."""
    board: int
    """The descriptor of `turns.new_board`."""
    report: int
    """The descriptor to report to."""

    @classmethod
    def parse(cls, text: str) -> Inheritance:
        """Read what `str` gives."""
        place, *ports, board, report = map(int, text.split(","))
        return cls(place, ports, board, report)

    def __str__(self) -> str:
        return ",".join(map(str, [self.place, *self.ports, self.board, self.report]))


class AdoptedPortOpener(PortOpener):
    """Serves on sockets that the parent opened, in the order they were handed over."""

    def __init__(self, reactor: Any, sockets: Sequence[int], turns: Callable[[int], Turns]) -> None:
        """`turns` gives the turns on a port, by its place among the sockets."""
        super().__init__(reactor)
        self._sockets = enumerate(sockets)
        self._turns = turns

    def listenTCP(
        self, port: int, factory: object, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Accept on the next socket, whatever port was asked for."""
        place, descriptor = next(self._sockets)
        with socket.socket(fileno=descriptor) as shared:
            return self.adopt(shared, factory, self._turns(place))

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Accept on the next socket, and encrypt."""
        return self.listenTCP(port, TLSMemoryBIOFactory(contextFactory, False, factory))


def port_opener(
    reactor: Any,
    inherited: Inheritance | None,
    workers: int,
    is_full: Callable[[], bool],
    *,
    shares: bool,
) -> PortOpener:
    """What opens the terminals' ports: for this process, for its workers, or as one of those.

    `is_full` says whether this process takes no more connections for now.
    """
    if inherited is not None:
        heir = inherited
        return AdoptedPortOpener(
            reactor,
            heir.ports,
            lambda port: Turns(heir.board, port, heir.place, workers, is_full),
        )
    return SharedPortOpener(reactor) if shares else PortOpener(reactor)
