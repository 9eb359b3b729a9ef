"""The interval at which a terminal makes requests, as it is seen to do.

Theory of operation. A terminal is told how often to poll (`Delay`), and some firmware polls less
often all the same. Last-seen times are written every few seconds, and the time between two of them
is a gap. Gaps that are longer than the terminal was told, and fill most of the time that they span,
are its own interval; others are times without network or power. The least of them counts, so that a
missed poll changes nothing. Processes that share a terminal see longer gaps, which does no harm.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from ..model import Device
from ..persist.devices import DeviceStore
from ..persist.transaction import Transaction

GAPS = 4
"""Gaps in a row that make an interval."""
LONGER = 1.5
"""How many times as long as it was told a long gap is, at least."""
GRACE = 10
"""Seconds by which a long gap is longer than told, at least: a note may be seconds late."""
FILLED = 0.8
"""Part of the time that the gaps have to fill."""
FORGOTTEN_AFTER = 3600_000
"""Milliseconds without a long gap after which a terminal counts as polling as it was told."""


CHANGED = 1.25
"""Factor by which an interval has to change to be written."""


class PaceWatch:
    """Learns the intervals of terminals, and writes them where they change."""

    def __init__(self, delay: Callable[[Device], int]) -> None:
        """`delay(device)` returns how often a terminal is told to poll, in seconds."""
        self._delay = delay
        self._paces: dict[int, RequestPace] = {}

    def note(
        self,
        seen: Mapping[int, tuple[int, str | None]],
        before: Callable[[int], tuple[int, str | None] | None],
        devices: Mapping[int, Device],
    ) -> None:
        """Note when (ms) terminals were seen last; `before(key)` is when one was before that."""
        self._paces = {key: pace for key, pace in self._paces.items() if key in devices}
        for key, (at, _) in seen.items():
            earlier = before(key)
            if earlier is not None:
                pace = self._paces.setdefault(key, RequestPace())
                pace.note(earlier[0], at, self._delay(devices[key]))

    def write(self, tx: Transaction, devices: Mapping[int, Device]) -> list[Device]:
        """Write the intervals that changed; return these terminals as they are now."""
        changed = [
            key
            for key, pace in self._paces.items()
            if key in devices and _differs(devices[key].poll_interval, pace.interval)
        ]
        return [
            tx[DeviceStore].change(key, {"poll_interval": self._paces[key].interval or None})
            for key in changed
        ]


def _differs(known: int | None, learned: int | None) -> bool:
    """Whether a learned interval is another one than the known one; None is not learned."""
    if learned is None:
        return False
    if not known or not learned:
        return (known or 0) != learned
    return max(known, learned) > CHANGED * min(known, learned)


class RequestPace:
    """Learns the interval of one terminal."""

    def __init__(self) -> None:
        self._gaps = deque[tuple[int, int]](maxlen=GAPS)
        """Begin and end of the last long gaps (ms)."""
        self._since: int | None = None
        self.interval: int | None = None
        """Seconds between its requests; 0 if it makes them as it was told, None if not known."""

    def note(self, before: int, at: int, delay: int) -> None:
        """Note two requests (ms) with none in between; `delay` is what it was told, in seconds."""
        if self._since is None:
            self._since = before
        if at - before >= 1000 * max(LONGER * delay, delay + GRACE):
            self._gaps.append((before, at))
            self._since = at
            lengths = [end - begin for begin, end in self._gaps]
            span = at - self._gaps[0][0]
            if len(lengths) == GAPS and sum(lengths) >= FILLED * span:
                self.interval = min(lengths) // 1000
        elif at - self._since >= FORGOTTEN_AFTER:
            self.interval = 0
