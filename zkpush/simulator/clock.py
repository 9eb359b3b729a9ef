"""Clock of a terminal: wall clock times in the zone that the server sent (5)."""

from __future__ import annotations

import datetime

from twisted.internet.interfaces import IReactorTime


class TerminalClock:
    """Clock for the times of records."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._last: dict[str, int] = {}
        self.zone = datetime.UTC

    def now(self) -> datetime.datetime:
        """Return the wall clock time, in whole seconds."""
        return self._at(int(self._clock.seconds()))

    def next(self, what: str) -> datetime.datetime:
        """Return the time of a record: one per second and `what`, as two would be one record."""
        moment = max(int(self._clock.seconds()), self._last.get(what, -1) + 1)
        self._last[what] = moment
        return self._at(moment)

    def _at(self, moment: int) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(moment, self.zone)


def text(time: datetime.datetime) -> str:
    """Format a time as in records (11.2)."""
    return time.strftime("%Y-%m-%d %H:%M:%S")
