"""Where terminals are: whether they may be there, and whether they are in two places at once.

Theory of operation. A terminal that an operator has bound to networks is refused from elsewhere.
What a process remembers is enough to let it in; before it is turned away, the registry asks the
store, once a second at most. A terminal is *in two places* if it is heard of at one address, then
at another, then at the first again, within minutes: its serial number is used twice. A new address
alone is nothing. One process sees that by itself; where the two reach different ones, each sees a
terminal that stays where it is, and finds when it writes the last-seen times that another process
has meanwhile seen it elsewhere.

Both are problems of the terminal. They go when an operator approves it or says where it may be, or
a day after it last happened.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ..interfaces import IStore, StoreError
from ..model import Device, Problem
from ..persist.devices import DeviceStore
from ..persist.transaction import Transaction
from ..problems import ProblemCode
from ..protocol.errors import Refused as TurnedAway
from .refusals import Refusal, Refuse
from .terminal import Terminal, may_be_at

SETTLED = frozenset({ProblemCode.OTHER_ADDRESS, ProblemCode.TWO_PLACES})
"""The problems that an operator settles by approving a terminal, or saying where it may be."""
FADING = SETTLED | {
    ProblemCode.TOKEN_MISSING,
    ProblemCode.SECOND_SESSION,
    ProblemCode.NOT_OPENED,
    ProblemCode.SECRETS_WAIT,
    ProblemCode.UNKNOWN_ANSWERS,
    ProblemCode.UNKNOWN_REQUESTS,
    ProblemCode.TLS_ON_PLAIN,
}
"""The problems that go by themselves, once they have not happened for a while."""
BACK_WITHIN = 10 * 60 * 1000
"""Milliseconds within which a terminal that is back where it was is in two places."""
AGAIN_AFTER = 60 * 60 * 1000
"""Milliseconds after which a problem that still happens is raised anew."""
GONE_AFTER = 24 * 60 * 60 * 1000
"""Milliseconds after which a problem that has not happened again goes."""
Seen = Mapping[int, tuple[int, str | None]]


class AddressWatch:
    """Watches where terminals are heard of."""

    _log = Logger()

    def __init__(self, store: IStore, refuse: Refuse, updated: Callable[[Device], None]) -> None:
        """`updated` takes over what was written about a terminal."""
        self._store = store
        self._refuse = refuse
        self._updated = updated
        self._written: dict[int, tuple[int, str | None]] = {}
        self._raising: set[tuple[int, str]] = set()

    @property
    def notes(self) -> int:
        """Of how many terminals it remembers what this process has written."""
        return len(self._written)

    def refuse(self, terminal: Terminal, address: str | None, now: int) -> TurnedAway:
        """Raise the problem that a terminal is where it may not be, and give what to raise."""
        sn = terminal.device.sn
        self._refuse(Refusal.ADDRESS, sn, address)
        self.find(
            terminal,
            Problem(
                ProblemCode.OTHER_ADDRESS,
                f"It came from {address or 'a socket file'}, which is in none of its networks, and "
                "was refused.",
                now,
            ),
            lambda device: not may_be_at(device, address),
        )
        return TurnedAway("This terminal may not come from this address; an operator decides.")

    def moved(self, terminal: Terminal, address: str | None, now: int) -> None:
        """Hear that a terminal was heard of at another address than before, at `now` (ms)."""
        other = terminal.move(address, now)
        if other is not None and 0 <= now - other[1] < BACK_WITHIN:
            self._two_places(terminal, address, other[0], now)

    def write_seen(self, tx: Transaction, seen: Seen) -> list[tuple[int, int, str | None]]:
        """Write when and where terminals were seen; and tell which the store saw elsewhere."""
        elsewhere = tx[DeviceStore].elsewhere(seen)
        tx[DeviceStore].seen(seen)
        return elsewhere

    def compare(
        self,
        seen: Seen,
        elsewhere: Iterable[tuple[int, int, str | None]],
        terminals: Mapping[int, Terminal],
    ) -> None:
        """Find terminals which another process has seen elsewhere, and this one again since."""
        for key, between_at, between in elsewhere:
            at, address = seen[key]
            before_at, before = self._written.get(key, (at, None))
            terminal = terminals.get(key)
            is_back = before == address and before_at < between_at < at
            if terminal is not None and is_back and at - before_at < BACK_WITHIN:
                self._two_places(terminal, address, between, at)
        self._written.update(seen)

    def keep(self, keys: Collection[int]) -> None:
        """Forget all terminals but those with these ids: they are removed."""
        for key in self._written.keys() - keys:
            del self._written[key]

    def find(
        self,
        terminal: Terminal,
        problem: Problem,
        is_one: Callable[[Device], bool] = lambda device: True,
    ) -> None:
        """Put a problem on a terminal that has not had it for a while.

        Unless `is_one` says that an operator has meanwhile settled it.
        """
        device = terminal.device
        key = (device.id, problem.code)
        if key in self._raising or any(
            known.code == problem.code and problem.since_at - known.since_at < AGAIN_AFTER
            for known in device.problems
        ):
            return

        def unit(tx: Transaction) -> Device:
            if is_one(tx[DeviceStore].get(device.id)):
                tx[DeviceStore].raise_problem(device.id, problem)
            return tx[DeviceStore].get(device.id)

        self._log.warn(
            "Terminal {sn}: {detail}", sn=device.sn, code=problem.code, detail=problem.detail
        )
        self._raising.add(key)
        self._write(unit).addBoth(lambda _: self._raising.discard(key))

    def settle(self, terminals: Iterable[Terminal], now: int) -> None:
        """Take off the problems that have not happened for a day, at `now` (ms)."""
        for terminal in terminals:
            for problem in terminal.device.problems:
                if problem.code in FADING and now - problem.since_at >= GONE_AFTER:
                    self._clear(terminal.device, problem)

    def _clear(self, device: Device, problem: Problem) -> None:
        def unit(tx: Transaction) -> Device:
            # Another process may have raised it anew meanwhile.
            if problem in tx[DeviceStore].get(device.id).problems:
                tx[DeviceStore].clear_problem(device.id, problem.code)
            return tx[DeviceStore].get(device.id)

        self._write(unit)

    def _two_places(
        self, terminal: Terminal, address: str | None, other: str | None, now: int
    ) -> None:
        places = " and ".join(sorted(place or "a socket file" for place in (address, other)))
        self.find(
            terminal,
            Problem(
                ProblemCode.TWO_PLACES,
                f"Requests come from {places} in turns.",
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
