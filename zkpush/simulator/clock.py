"""The clock of a terminal: wall clock times in the zone that the server told it (5)."""

from __future__ import annotations

import datetime

from twisted.internet.interfaces import IReactorTime


class TerminalClock:
    """Writes the times of records."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._last: dict[str, int] = {}
        self.zone = datetime.UTC

    def now(self) -> datetime.datetime:
        """The wall clock time, in whole seconds."""
        return self._at(int(self._clock.seconds()))

    def next(self, pin: str) -> datetime.datetime:
        """The time of a punch: nobody has two in one second, because that would be one record."""
        moment = max(int(self._clock.seconds()), self._last.get(pin, 0) + 1)
        self._last[pin] = moment
        return self._at(moment)

    def _at(self, moment: int) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(moment, self.zone)


def text(time: datetime.datetime) -> str:
    """A time as records have it (11.2)."""
    return time.strftime("%Y-%m-%d %H:%M:%S")
