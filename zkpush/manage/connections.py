"""How many connections people may have, and which one makes way for another.

Theory of operation. Connections are bounded in all and for each address, so that they can never
take the file descriptors that terminals need. If there are as many as there may be, an older one is
cut for the new one: the oldest without a good token and with no request in hand; if there is none,
the oldest idle one; if there is none either, the oldest whose request came without a good token.
Requests with a good token are never cut: the number of those that go on for ever (event streams) is
bounded for itself. If only such are left, the new connection is turned away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from ..device.proxies import Proxies
from ..settings.network import Limits

Struck = Callable[[str, None, str | None], None]
"""Takes the name of a limit that has struck, and the address."""
STREAMS_PART = 0.75
"""The part of all connections that may be event streams."""


def most_streams(limits: Limits) -> int:
    """How many event streams there may be, so that there is room for other requests."""
    return min(limits.event_streams, int(limits.manage_connections * STREAMS_PART))


class Cuttable(Protocol):
    """A connection, as far as this matters here."""

    address: str | None
    """The address that it is counted for; None until it is known, or for a socket file."""

    @property
    def is_known(self) -> bool:
        """Whether a good token came on it."""

    @property
    def is_in_hand(self) -> bool:
        """Whether a request of it is being answered, or its body is read."""

    def cut(self) -> None:
        """End it at once."""


class ManageConnections:
    """The connections of the management endpoint."""

    def __init__(self, limits: Limits, proxies: Proxies, struck: Struck) -> None:
        self.most = limits.manage_connections
        """How many there may be; less than configured where the operating system sets less."""
        self._most_of_address = limits.manage_connections_per_address
        self._proxies = proxies
        self._struck = struck
        self._all: dict[Cuttable, None] = {}
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Cuttable) -> bool:
        """Take in a connection; False if there is no place for it."""
        self._all[connection] = None
        if len(self._all) <= self.most:
            return True
        return self._make_room("manage_connections", connection, self._all)

    def locate(self, connection: Cuttable, address: str | None) -> bool:
        """Count a connection for its address; False if there is no place for it."""
        connection.address = address
        if address is None:
            return True
        self._counts[address] += 1
        if self._counts[address] <= self._most_of_address or self._proxies.speaks_for_many(address):
            return True
        same = (each for each in self._all if each.address == address)
        return self._make_room("manage_connections_per_address", connection, same)

    def remove(self, connection: Cuttable) -> None:
        """Forget a connection that has ended, or is cut."""
        if connection not in self._all:
            return
        del self._all[connection]
        address = connection.address
        if address is not None:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]

    def _make_room(self, limit: str, new: Cuttable, among: Iterable[Cuttable]) -> bool:
        """Cut one of some connections for a new one, if there is one that may be cut."""
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
