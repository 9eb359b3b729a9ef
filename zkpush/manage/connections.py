"""Limits on connections of people, and the choice of a connection to cut.

Theory of operation. Connections are limited in total and per address, so that they can never take
the file descriptors that terminals need. At the limit, an older connection is cut for the new one:
the oldest idle one without a valid token; else the oldest idle one; else the oldest whose request
has no valid token. Current requests with a valid token are never cut: the number of endless ones
(event streams and open consoles) has limits of its own. If only such connections are left, the new
connection is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sized
from typing import Protocol

from ..device.proxies import Proxies
from ..settings.network import Limits

Struck = Callable[[str, None, str | None], None]
"""Called with the name of an exceeded limit, and the address."""
STREAMS_PART = 0.75
"""Maximum fraction of all connections that may be endless: the others are for short requests."""


class EndlessReplies:
    """Room for endless replies: readers of events, and open consoles."""

    def __init__(self, limits: Limits, listeners: Sized) -> None:
        """`listeners` are those of the feed: readers, and one for all consoles together."""
        self._listeners = listeners
        self.consoles = 0
        """Number of open consoles."""
        self.most_readers = limits.event_streams
        self._most_consoles = limits.console_streams
        self._most = int(limits.manage_connections * STREAMS_PART)

    @property
    def has_reader(self) -> bool:
        """Whether there is room for a reader of events."""
        return self._readers < self.most_readers and self._has_any

    @property
    def has_console(self) -> bool:
        """Whether there is room for a console."""
        return self.consoles < self._most_consoles and self._has_any

    @property
    def _readers(self) -> int:
        return len(self._listeners) - bool(self.consoles)

    @property
    def _has_any(self) -> bool:
        return self._readers + self.consoles < self._most


class Cuttable(Protocol):
    """Interface of a connection that can be cut."""

    address: str | None
    """Address that it is counted for; None until it is known, or for a Unix socket."""

    @property
    def is_known(self) -> bool:
        """Whether its request has a valid token."""

    @property
    def is_in_hand(self) -> bool:
        """Whether a request is being answered, or its body is being read."""

    def cut(self) -> None:
        """Abort the connection at once."""


class ManageConnections:
    """The open connections of the management endpoint."""

    def __init__(self, limits: Limits, proxies: Proxies, struck: Struck) -> None:
        self.most = limits.manage_connections
        """Maximum number; lower than configured where the operating system allows fewer."""
        self._most_of_address = limits.manage_connections_per_address
        self._proxies = proxies
        self._struck = struck
        self._all: dict[Cuttable, None] = {}
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Cuttable) -> bool:
        """Register a connection; False if there is no room for it."""
        self._all[connection] = None
        if len(self._all) <= self.most:
            return True
        return self._make_room("manage_connections", connection, self._all)

    def locate(self, connection: Cuttable, address: str | None) -> bool:
        """Count a connection for its address; False if there is no room for it."""
        connection.address = address
        if address is None:
            return True
        self._counts[address] += 1
        if self._counts[address] <= self._most_of_address or self._proxies.speaks_for_many(address):
            return True
        same = (each for each in self._all if each.address == address)
        return self._make_room("manage_connections_per_address", connection, same)

    def remove(self, connection: Cuttable) -> None:
        """Unregister a connection that is closed or cut."""
        if connection not in self._all:
            return
        del self._all[connection]
        address = connection.address
        if address is not None:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]

    def _make_room(self, limit: str, new: Cuttable, among: Iterable[Cuttable]) -> bool:
        """Cut one of some connections for a new one; False if none may be cut."""
        self._struck(limit, None, new.address)
        others = [each for each in among if each is not new]
        for may_be_cut in (_is_idle_and_unknown, _is_idle, _is_unknown):
            for other in others:
                if may_be_cut(other):
                    self.remove(other)
                    other.cut()
                    return True
        self.remove(new)
        return False


def _is_idle_and_unknown(connection: Cuttable) -> bool:
    return not connection.is_in_hand and not connection.is_known


def _is_idle(connection: Cuttable) -> bool:
    return not connection.is_in_hand


def _is_unknown(connection: Cuttable) -> bool:
    return not connection.is_known
