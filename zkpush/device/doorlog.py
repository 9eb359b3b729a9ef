"""What the door refused: who is turned away, and why, summed up in the audit log.

Theory of operation. Refusals that are equal in reason, terminal and address are counted together.
The first of them is written within seconds; those that follow a minute later, as one record with
their number, and if they go on, after two minutes, four, and so on up to an hour. So a forgotten
terminal does not fill the audit log, and nor can an attacker: no more than `MOST` of these kinds
are kept apart at a time, and all others are counted by their reason alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..clock import wall_clock
from ..interfaces import IStore
from ..periodic import PeriodicService
from ..persist.transaction import Transaction
from ..protocol.errors import TerminalError
from ..protocol.serials import check_serial

ACTION = "refused"
"""What it is called in the audit log; the subject is the reason."""
OTHERS = "others"
"""Who is named for refusals that are not kept apart."""
EVERY = 5.0
"""Seconds between two looks at what is to be written."""
MINUTE = 60.0
"""Seconds between the first two records of one kind."""
HOUR = 3600.0
"""Most seconds between two records of one kind."""
MOST = 100
"""Kinds of refusals that are kept apart, and so about the most records of a minute."""

PENDING = "terminal is pending"
BLOCKED = "terminal is blocked"
UNKNOWN = "terminal is unknown"
KEY_CHANGED = "pushcommkey has changed"
BAD_ARGUMENTS = "serial number or arguments are malformed"
STRANGE_COOKIE = "token is not that of the session"
NOT_SEALED = "plain request in an encrypted session"
NOT_OPENED = "sealed request does not open"
REPLAYED = "sealed request was taken before"
NO_ENCRYPTION = "terminal cannot encrypt, and has to"
NO_SESSION_TOKEN = "terminal cannot return a token, and has to"  # noqa: S105 - a reason
NOT_AGREED = "exchange of keys is malformed, or out of order"
NO_FILE = "file does not exist"
FILE_NOT_WANTED = "file was not to be fetched"
REMOTE_OFF = "remote attendance is off"
NO_TOKEN = "API was called without a token that is good"  # noqa: S105 - a reason
NO_SCOPE = "API was called without the scope"
REMOTE_TOO_OFTEN = "remote attendance was asked for too often"

_RULES = {
    "address": "address is in none of the terminal's networks",
    "browser": "request was sent by a browser",
    "proxy": "proxy is not trusted, or does not say whom it speaks for",
}
"""What strikes, and is no limit that is configured by its name."""

Kind = tuple[str, str, str, str | None]
"""Who, why, what of it, and the address."""


@attrs.define(eq=False)
class _Refusals:
    """What is known of one kind."""

    count: int = 0
    """Not written yet."""
    since: float = 0.0
    last: float = 0.0
    written_at: float | None = None
    pause: float = MINUTE
    """Seconds until the next record."""

    def is_due(self, now: float) -> bool:
        """Whether there is something that may be written."""
        return self.count > 0 and self.has_paused(now)

    def has_paused(self, now: float) -> bool:
        """Whether the last record is long ago."""
        return self.written_at is None or now - self.written_at >= self.pause


class DoorLog(PeriodicService):
    """Counts refusals, and writes them to the audit log."""

    _log = Logger()

    def __init__(self, store: IStore, clock: IReactorTime) -> None:
        super().__init__(clock)
        self._store = store
        self._wall = wall_clock(clock)
        self._kinds: dict[Kind, _Refusals] = {}
        self._counts: Counter[str] = Counter()
        self.every(EVERY, self._write_due, "Refusals are not recorded yet")

    @property
    def counts(self) -> Mapping[str, int]:
        """How many refusals there were since the start, by reason."""
        return self._counts

    async def finish(self) -> None:
        """Write what is not written yet."""
        await self._write([kind for kind, refusals in self._kinds.items() if refusals.count])

    def refused(self, reason: str, sn: str | None, address: str | None) -> None:
        """Note that somebody was turned away.

        `reason` is one of a few fixed texts, and never anything that was sent. A serial number is
        that of the request, whoever sent it; one that is malformed is not kept.
        """
        self._note((_actor(_sound(sn), address), reason, "", address))

    def refused_caller(self, reason: str, actor: str, what: str, address: str | None) -> None:
        """Note that somebody who is known by a token was refused something.

        `what` is one of the texts that the program has, and never anything that was sent.
        """
        self._note((actor, reason, what, address))

    def _note(self, kind: Kind) -> None:
        _, reason, _, _ = kind
        self._counts[reason] += 1
        refusals = self._kinds.get(kind)
        if refusals is None and len(self._kinds) >= MOST:
            kind = (OTHERS, reason, "", None)
            refusals = self._kinds.get(kind)
        if refusals is None:
            refusals = self._kinds[kind] = _Refusals()
        now = self._clock.seconds()
        if not refusals.count:
            refusals.since = now
        refusals.count += 1
        refusals.last = now

    def struck(self, limit: str, sn: str | None, address: str | None) -> None:
        """Note that somebody was turned away by a limit, by its name in the configuration."""
        self.refused(_RULES.get(limit, f"limits.{limit}"), sn, address)

    async def _write_due(self) -> None:
        now = self._clock.seconds()
        for kind, refusals in [*self._kinds.items()]:
            if not refusals.count and refusals.has_paused(now):
                del self._kinds[kind]
        await self._write([kind for kind, known in self._kinds.items() if known.is_due(now)])

    async def _write(self, kinds: list[Kind]) -> None:
        if not kinds:
            return
        taken = {kind: attrs.evolve(self._kinds[kind]) for kind in kinds}
        now, wall = self._clock.seconds(), self._wall()
        for kind in kinds:
            refusals = self._kinds[kind]
            if refusals.written_at is not None:
                refusals.pause = min(2 * refusals.pause, HOUR)
            refusals.count, refusals.written_at = 0, now

        def unit(tx: Transaction) -> None:
            for (actor, reason, what, address), refusals in taken.items():
                detail = _detail(refusals, what, address)
                at = int((wall - (now - refusals.last)) * 1000)
                tx.audit.add(actor, ACTION, reason, detail, at)

        try:
            await self._store.write(unit)
        except BaseException:
            self._put_back(taken)
            raise

    def _put_back(self, taken: Mapping[Kind, _Refusals]) -> None:
        """Keep what was not written for the next time."""
        for kind, before in taken.items():
            now = self._kinds[kind]
            before.count += now.count
            before.last = max(before.last, now.last)
            self._kinds[kind] = before


def _sound(sn: str | None) -> str | None:
    try:
        return None if sn is None else check_serial(sn)
    except TerminalError:
        return None


def _actor(sn: str | None, address: str | None) -> str:
    if sn is not None:
        return f"device {sn}"
    return "somebody" if address is None else f"address {address}"


def _detail(refusals: _Refusals, what: str, address: str | None) -> str:
    times = (
        "once"
        if refusals.count == 1
        else f"{refusals.count} times in {refusals.last - refusals.since:.0f} seconds"
    )
    words = [what] if what else []
    return ", ".join([*words, times, *([] if address is None else [f"from {address}"])])
