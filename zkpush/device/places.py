"""Addresses of terminals: networks they are bound to, and serial numbers used twice.

Theory of operation. A terminal that an operator has bound to networks is refused from other
addresses. Memory is enough to admit it; before a refusal, the registry reads the store, at most
once a second. A terminal is *in two places* if it makes requests from one address, then from
another, then from the first again, within minutes: its serial number is used twice. A new address
alone is normal. A single process detects this by itself. If the two devices reach different
processes, each process sees a fixed address, and learns when it writes last-seen times that another
process has seen the terminal elsewhere in the meantime.

Both are problems of the terminal. They are cleared when an operator approves it or sets its
networks, or a day after the last occurrence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ..interfaces import IStore, StoreError
from ..model import Device, Problem
from ..persist.devices import DeviceStore
from ..persist.presence import PresenceStore
from ..persist.transaction import Transaction
from ..phrases import A_SOCKET_FILE, Phrase, two_sentences
from ..problems import ProblemCode
from ..protocol.errors import Refused as TurnedAway
from .refusals import Refusal, Refuse
from .terminal import Terminal, may_be_at

SETTLED = frozenset({ProblemCode.OTHER_ADDRESS, ProblemCode.TWO_PLACES})
"""Problems that are cleared when an operator approves a terminal or sets its networks."""
FADING = SETTLED | {
    ProblemCode.TOKEN_MISSING,
    ProblemCode.SECOND_SESSION,
    ProblemCode.NOT_OPENED,
    ProblemCode.SECRETS_WAIT,
    ProblemCode.UNKNOWN_ANSWERS,
    ProblemCode.UNKNOWN_REQUESTS,
    ProblemCode.FOREIGN_TOKEN,
    ProblemCode.TLS_ON_PLAIN,
}
"""Problems that are cleared after `GONE_AFTER` without a recurrence."""
BACK_WITHIN = 10 * 60 * 1000
"""Milliseconds within which a return to a former address counts as two places."""
AGAIN_AFTER = 60 * 60 * 1000
"""Milliseconds after which a persisting problem is raised again."""
GONE_AFTER = 24 * 60 * 60 * 1000
"""Milliseconds without a recurrence after which a problem is cleared."""
LONGEST_DETAIL = 500
"""Most characters of a problem that names several causes."""
MOST_RAISING = 100
"""Most problems that are being written at a time; others are raised when they recur."""
Seen = Mapping[int, tuple[int, str | None]]


class AddressWatch:
    """Watches the addresses of terminals."""

    _log = Logger()

    def __init__(self, store: IStore, refuse: Refuse, updated: Callable[[Device], None]) -> None:
        """`updated(device)` is called after a change is stored."""
        self._store = store
        self._refuse = refuse
        self._updated = updated
        self._written: dict[int, tuple[int, str | None]] = {}
        self._raising: set[tuple[int, str, str]] = set()

    @property
    def notes(self) -> int:
        """Number of terminals whose written last-seen times are remembered."""
        return len(self._written)

    def refuse(self, terminal: Terminal, address: str | None, now: int) -> TurnedAway:
        """Report a terminal at a forbidden address; returns the error to raise."""
        sn = terminal.device.sn
        self._refuse(Refusal.ADDRESS, sn, address)
        self.find(
            terminal,
            Problem(
                ProblemCode.OTHER_ADDRESS,
                Phrase(
                    "It came from %(address)s, which is in none of its networks, and was refused.",
                    address=address or A_SOCKET_FILE,
                ),
                now,
            ),
            lambda device: not may_be_at(device, address),
        )
        return TurnedAway("This terminal may not come from this address; an operator decides.")

    def moved(self, terminal: Terminal, address: str | None, now: int) -> None:
        """Record that a terminal has changed its address, at `now` (ms)."""
        other = terminal.move(address, now)
        if other is not None and 0 <= now - other[1] < BACK_WITHIN:
            self._two_places(terminal, address, other[0], now)

    def write_seen(self, tx: Transaction, seen: Seen) -> list[tuple[int, int, str | None]]:
        """Write last-seen times; returns terminals that the store saw at another address."""
        elsewhere = tx[PresenceStore].elsewhere(seen)
        tx[PresenceStore].record(seen)
        return elsewhere

    def written(self, key: int) -> tuple[int, str | None] | None:
        """Time (ms) and address that this process last stored for a terminal."""
        return self._written.get(key)

    def compare(
        self,
        seen: Seen,
        elsewhere: Iterable[tuple[int, int, str | None]],
        terminals: Mapping[int, Terminal],
    ) -> None:
        """Detect serial numbers used from two addresses, by way of two processes."""
        for key, between_at, between in elsewhere:
            at, address = seen[key]
            before_at, before = self._written.get(key, (at, None))
            terminal = terminals.get(key)
            is_back = before == address and before_at < between_at < at
            if terminal is not None and is_back and at - before_at < BACK_WITHIN:
                self._two_places(terminal, address, between, at)
        self._written.update(seen)

    def keep(self, keys: Collection[int]) -> None:
        """Forget all terminals except those with these IDs."""
        for key in self._written.keys() - keys:
            del self._written[key]

    def find(
        self,
        terminal: Terminal,
        problem: Problem,
        is_one: Callable[[Device], bool] = lambda device: True,
        *,
        is_logged: bool = True,
    ) -> None:
        """Raise a problem on a terminal that has not had it recently, or not for this cause.

        The detail names the cause in a sentence. Nothing is raised if `is_one` returns False for
        the stored terminal, because an operator has settled the problem in the meantime. Without
        `is_logged`, the caller writes the log.
        """
        device = terminal.device
        key = (device.id, problem.code, problem.detail)
        is_written = key in self._raising or len(self._raising) >= MOST_RAISING
        if is_written or _with_cause(device, problem) is None:
            return

        def unit(tx: Transaction) -> Device:
            stored = tx[DeviceStore].get(device.id)
            raised = _with_cause(stored, problem) if is_one(stored) else None
            if raised is None:
                return stored
            tx[DeviceStore].raise_problem(device.id, raised)
            return tx[DeviceStore].get(device.id)

        if is_logged:
            self._log.warn(
                "Terminal {sn}: {detail}", sn=device.sn, code=problem.code, detail=problem.detail
            )
        self._raising.add(key)
        self._write(unit).addBoth(lambda _: self._raising.discard(key))

    def settle(self, terminals: Iterable[Terminal], now: int) -> None:
        """Clear problems that have not recurred for a day, at `now` (ms)."""
        for terminal in terminals:
            for problem in terminal.device.problems:
                if problem.code in FADING and now - problem.since_at >= GONE_AFTER:
                    self._clear(terminal.device, problem)

    def _clear(self, device: Device, problem: Problem) -> None:
        def unit(tx: Transaction) -> Device:
            # Another process may have raised it again in the meantime.
            if problem in tx[DeviceStore].get(device.id).problems:
                tx[DeviceStore].clear_problem(device.id, problem.code)
            return tx[DeviceStore].get(device.id)

        self._write(unit)

    def _two_places(
        self, terminal: Terminal, address: str | None, other: str | None, now: int
    ) -> None:
        first, second = sorted(place or A_SOCKET_FILE for place in (address, other))
        self.find(
            terminal,
            Problem(
                ProblemCode.TWO_PLACES,
                Phrase(
                    "Requests come from %(first)s and %(second)s in turns.",
                    first=first,
                    second=second,
                ),
                now,
            ),
        )

    def _write(self, unit: Callable[[Transaction], Device]) -> Deferred[None]:
        async def write() -> None:
            try:
                self._updated(await self._store.write(unit))
            except (StoreError, LookupError) as error:
                self._log.warn("A problem of a terminal is not written: {error}", error=str(error))

        return Deferred.fromCoroutine(write())


def _with_cause(device: Device, problem: Problem) -> Problem | None:
    """Return the problem of a terminal with one more cause; None if it needs no change.

    The causes stay until the problem is cleared. If there is no room for another one, it replaces
    them after `AGAIN_AFTER`.
    """
    known = next((one for one in device.problems if one.code == problem.code), None)
    if known is None:
        return problem
    is_again = problem.since_at - known.since_at >= AGAIN_AFTER
    since_at = problem.since_at if is_again else known.since_at
    if problem.detail in known.detail:
        return msgspec.structs.replace(known, since_at=since_at) if is_again else None
    detail = two_sentences(known.detail, problem.detail)
    if len(detail) > LONGEST_DETAIL:
        return problem if is_again else None
    return msgspec.structs.replace(known, detail=detail, since_at=since_at)
