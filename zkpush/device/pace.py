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


RAISED_EVERY = 3600_000
"""Milliseconds after which a process writes a longer interval of a terminal again."""
CHANGED = 1.25
"""Factor by which an interval has to change to be written."""


class PaceWatch:
    """Learns the intervals of terminals."""

    def __init__(self, delay: Callable[[Device], int]) -> None:
        """`delay(device)` returns how often a terminal is told to poll, in seconds."""
        self._delay = delay
        self._paces: dict[int, RequestPace] = {}

    def note(
        self,
        seen: Mapping[int, tuple[int, str | None]],
        before: Callable[[int], tuple[int, str | None] | None],
        devices: Mapping[int, Device],
    ) -> Mapping[int, int]:
        """Note when (ms) terminals were seen last; return the intervals to write, by key.

        `before(key)` is when one was seen before that.
        """
        self._paces = {key: pace for key, pace in self._paces.items() if key in devices}
        changed: dict[int, int] = {}
        for key, (at, _) in seen.items():
            earlier = before(key)
            if earlier is None:
                continue
            pace, device = self._paces.setdefault(key, RequestPace()), devices[key]
            pace.note(earlier[0], at, self._delay(device))
            if pace.interval is not None and pace.changes(device.poll_interval or 0, at):
                changed[key] = pace.interval
        return changed


def write_paces(tx: Transaction, intervals: Mapping[int, int]) -> list[Device]:
    """Write intervals of terminals by key; return these terminals as they are now."""
    return [
        tx[DeviceStore].change(key, {"poll_interval": interval or None})
        for key, interval in intervals.items()
    ]


class RequestPace:
    """Learns the interval of one terminal."""

    def __init__(self) -> None:
        self._gaps = deque[tuple[int, int]](maxlen=GAPS)
        """Begin and end of the last long gaps (ms)."""
        self._since: int | None = None
        self._raised_at: int | None = None
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

    def changes(self, known: int, at: int) -> bool:
        """Whether to write the interval in place of the known one, 0 for none, at a time (ms).

        A longer one is written once an hour at most: processes that share a terminal learn
        different ones, of which the least is nearest to the truth.
        """
        learned = self.interval or 0
        if learned < known:
            return not learned or known > CHANGED * learned
        is_raised = learned > CHANGED * known
        if not is_raised or (self._raised_at is not None and at - self._raised_at < RAISED_EVERY):
            return False
        self._raised_at = at
        return True
