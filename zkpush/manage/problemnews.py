"""Events about the problems of the server: raised, and cleared.

Which problems were raised is derived from the stored events, so that neither a restart nor a second
node repeats one. A node clears a problem that it has seen itself, or that was open when it started.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from ..interfaces import IStore
from ..model import Event
from ..periodic import PeriodicService
from ..persist.events import EventStore
from ..persist.leases import LeaseStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..problems import ServerProblem, advice_of
from .news import PROBLEM
from .problems import Problems

EVERY_SECONDS = 30.0
LEASE = "problems of the server"
Key = tuple[str, str]
"""Subject and code of a problem."""
Open = Mapping[Key, Mapping[str, object]]
"""Problems that were raised and not cleared, with the data of their last event."""


class ProblemAnnouncer(PeriodicService):
    """Adds an event when a problem of the server begins, has a further cause, and ends."""

    def __init__(self, store: IStore, problems: Problems, owner: str, clock: Any) -> None:
        """`owner` names this process."""
        super().__init__(clock)
        self._store = store
        self._problems = problems
        self._owner = owner
        self._after = 0
        self._open: dict[Key, Mapping[str, object]] = {}
        self._known: set[Key] | None = None
        """Problems that this process may clear; None before the first look."""
        self.every(EVERY_SECONDS, self.look, Phrase("Problems of the server are not announced"))

    async def look(self) -> None:
        """Compare the problems with the announced ones, and add events for the changes."""
        current = {(one.subject, str(one.code)): one for one in await self._problems.of_server()}
        found = await self._store.read(lambda tx: tx[EventStore].of_kind(PROBLEM, self._after))
        _follow(self._open, found)
        self._after = found[-1].id if found else self._after
        if self._known is None:
            self._known = set(self._open)
        self._known |= current.keys()
        known, after, open_ = self._known, self._after, self._open
        if not [*_changes(current, open_, known)]:
            return

        def unit(tx: Transaction) -> None:
            now = tx.now()
            # Another node that does the same now waits for this row, and then sees the events.
            tx[LeaseStore].hold(LEASE, self._owner, now, now)
            announced = dict(open_)
            _follow(announced, tx[EventStore].of_kind(PROBLEM, after))
            for data in _changes(current, announced, known):
                tx[EventStore].add(PROBLEM, data)

        await self._store.write(unit)


def _follow(open_: MutableMapping[Key, Mapping[str, object]], events: Iterable[Event]) -> None:
    """Apply events to the open problems."""
    for one in events:
        data = one.data
        if "subject" not in data:
            continue  # a terminal's own
        key = str(data["subject"]), str(data["code"])
        if data["what"] == "raised":
            open_[key] = data
        else:
            open_.pop(key, None)


def _changes(
    current: Mapping[Key, ServerProblem], open_: Open, known: set[Key]
) -> Iterable[dict[str, object]]:
    """Yield the data of the events that are missing."""
    for key, data in open_.items():
        if key in known and key not in current:
            yield {**data, "what": "cleared"}
    for key, one in current.items():
        known_mark = open_[key].get("mark") if key in open_ else None
        if key not in open_ or _is_further(one.mark, known_mark):
            yield {
                "device": one.sn,
                "subject": one.subject,
                "what": "raised",
                "code": str(one.code),
                "meaning": one.code.meaning,
                "detail": one.detail,
                "advice": advice_of(one.code, one.sn, one.detail),
                **({} if one.mark is None else {"mark": one.mark}),
            }


def _is_further(mark: int | None, known: object) -> bool:
    """Whether a problem has a cause that was not announced."""
    return mark is not None and not (isinstance(known, int) and mark <= known)
