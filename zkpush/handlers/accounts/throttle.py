"""Limits on failed attempts to sign in, by address and by name.

After a few failures the next attempt has to wait, each time twice as long, up to a quarter of an
hour; a success ends it for the address and the name. An account is not locked: its owner, who
comes from an address without failures, waits only while many others guess its password.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import attrs

FREE_OF_ADDRESS = 5
"""Failures of an address before it has to wait."""
FREE_OF_NAME = 30
"""Failures with a name, from all addresses, before the next attempt has to wait."""
LONGEST = 900.0
"""Maximum number of seconds to wait."""
FORGET = 3600.0
"""Seconds without a failure after which all are forgotten."""
MOST = 10_000
"""Maximum number of addresses and names that are remembered."""


@attrs.define
class _Failures:
    count: int = 0
    last: float = 0.0


class SignInThrottle:
    """Counts failed attempts in memory."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """`seconds` returns the monotonic time."""
        self._seconds = seconds
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def wait(self, address: str | None, name: str) -> float:
        """Return the seconds until the next attempt is allowed; 0 if it is allowed now."""
        now = self._seconds()
        return max(self._wait(key, free, now) for key, free in _keys(address, name))

    def failed(self, address: str | None, name: str) -> None:
        """Count a failed attempt."""
        now = self._seconds()
        for key, _ in _keys(address, name):
            found = self._failures.pop(key, None)
            if found is None or now - found.last > FORGET:
                found = _Failures()
            found.count, found.last = found.count + 1, now
            self._failures[key] = found
        while len(self._failures) > MOST:
            self._failures.popitem(last=False)

    def succeeded(self, address: str | None, name: str) -> None:
        """Forget the failures of an address and of a name."""
        for key, _ in _keys(address, name):
            self._failures.pop(key, None)

    def _wait(self, key: tuple[str, str], free: int, now: float) -> float:
        found = self._failures.get(key)
        if found is None or found.count < free or now - found.last > FORGET:
            return 0.0
        pause = min(2.0 ** min(found.count - free, 10), LONGEST)
        return max(0.0, found.last + pause - now)


def _keys(address: str | None, name: str) -> list[tuple[tuple[str, str], int]]:
    return [
        (("address", address or ""), FREE_OF_ADDRESS),
        (("name", name.casefold()[:64]), FREE_OF_NAME),
    ]
