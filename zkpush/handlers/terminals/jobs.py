"""Problems of terminals found by a periodic job: silence, no session, full storage, lost commands.

The job checks all approved terminals once a minute, in one process of the database. A problem is
written when it begins and removed when it ends, so that each is one event. Its detail changes only
with its substance; it does not count minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...clock import wall_clock
from ...config import WatchSettings
from ...device.registry import Registry
from ...device.session import SessionReply
from ...interfaces import IStore
from ...manage.times import instant
from ...model import Device, DeviceState, Page, Problem
from ...periodic import PeriodicService
from ...persist.commandhistory import CommandHistory, GivenUp
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, counted_phrase, listed_phrases
from ...problems import ProblemCode
from ...protocol.facts import capacities_of
from ...values.sessions import REPEATED_STATES

EVERY = 60.0
"""Seconds between checks."""
GRACE = 15 * 60 * 1000
"""Milliseconds after the start in which no terminal counts as silent, so that all can reconnect."""
_PART = 500
"""Terminals per query."""
HOUR = 3600 * 1000
DAY = 24 * HOUR
_NONE = GivenUp(0, 0)
BEGINS_WITHIN = 2 * 60 * 1000
"""Milliseconds after the demand for a session within which a terminal begins it."""
NOTHING_TAKEN = Phrase("It is asked to begin a session with each request; nothing of it is taken.")
ONLY_COMMANDS = Phrase(
    "It is asked to begin its session again, and does not: its records are taken, and it fetches "
    "no commands."
)
_WATCHED = (
    ProblemCode.SILENT,
    ProblemCode.NO_SESSION,
    ProblemCode.STORAGE_FULL,
    ProblemCode.COMMANDS_GIVEN_UP,
)
_THINGS = {
    "attendance": Phrase("attendance records"),
    "users": Phrase("users"),
    "fingerprints": Phrase("fingerprints"),
    "faces": Phrase("faces"),
}


class TerminalWatch(PeriodicService):
    """Keeps the problems that this module watches up to date."""

    def __init__(
        self, store: IStore, registry: Registry, config: WatchSettings, clock: Any
    ) -> None:
        super().__init__(clock)
        self._store = store
        self._registry = registry
        self._config = config
        self._wall = wall_clock(clock)
        self._began_at = int(self._wall() * 1000)
        self._without_session: dict[int, int] = {}
        """Time (ms) of the first look at which a terminal had no session, by its key."""
        self.every(EVERY, self.look, Phrase("Silent terminals and full storage are not noticed"))

    async def look(self) -> None:
        """Raise new problems and clear those that ended."""
        now = int(self._wall() * 1000)
        lost = await self._store.read(lambda tx: tx[CommandHistory].given_up(self._since(now)))
        after = 0
        seen: set[int] = set()
        while devices := await self._page(after):
            for device in devices:
                if _needs_session(device, self._registry):
                    seen.add(device.id)
                    self._without_session.setdefault(device.id, now)
                else:
                    self._without_session.pop(device.id, None)
                if self._problems(device, lost, now) != device.problems:
                    await self._write(device, lost, now)
            after = devices[-1].id
        self._without_session = {
            key: at for key, at in self._without_session.items() if key in seen
        }

    def _since(self, now: int) -> int:
        return now - self._config.given_up_days * DAY

    async def _page(self, after: int) -> list[Device]:
        return await self._store.read(lambda tx: tx[DeviceStore].page(Page(_PART, after)))

    async def _write(self, device: Device, lost: Mapping[int, GivenUp], now: int) -> None:
        def unit(tx: Transaction) -> Device:
            present = tx[DeviceStore].get(device.id)
            problems = self._problems(present, lost, now)
            if problems == present.problems:
                return present
            return tx[DeviceStore].change(device.id, {"problems": problems})

        try:
            self._registry.updated(await self._store.write(unit))
        except LookupError:  # the terminal was removed
            return

    def _problems(
        self, device: Device, lost: Mapping[int, GivenUp], now: int
    ) -> tuple[Problem, ...]:
        """Return the problems of a terminal, with the watched ones updated."""
        found = self._found(device, lost.get(device.id, _NONE), now)
        kept = tuple(
            _merged(problem, found)
            for problem in device.problems
            if problem.code not in _WATCHED or problem.code in found
        )
        codes = {problem.code for problem in kept}
        return (*kept, *(problem for code, problem in found.items() if code not in codes))

    def _found(self, device: Device, lost: GivenUp, now: int) -> Mapping[str, Problem]:
        if device.state is not DeviceState.APPROVED:
            return {}
        found = [
            self._silence(device, now),
            self._sessions(device),
            self._fullness(device, now),
            self._losses(lost),
        ]
        return {problem.code: problem for problem in found if problem is not None}

    def _silence(self, device: Device, now: int) -> Problem | None:
        most = self._config.silent_hours * HOUR
        heard, _ = self._registry.last_seen(device)
        since = device.created_at if heard is None else heard
        had = any(problem.code == ProblemCode.SILENT for problem in device.problems)
        is_early = now - self._began_at < GRACE and not had
        if not most or is_early or now - since < most:
            return None
        detail = (
            Phrase("It has never connected.")
            if heard is None
            else Phrase("It was last heard of at %(at)s.", at=instant(since))
        )
        return Problem(ProblemCode.SILENT, detail, since)

    def _sessions(self, device: Device) -> Problem | None:
        """Check for requests without a session; a terminal begins one soon after it is asked."""
        since = self._without_session.get(device.id)
        heard, _ = self._registry.last_seen(device)
        if since is None or heard is None or not _needs_session(device, self._registry):
            return None
        if heard - since < BEGINS_WITHIN or not self._registry.is_online(device):
            return None
        is_new = device.session not in REPEATED_STATES
        detail = NOTHING_TAKEN if is_new else ONLY_COMMANDS
        return Problem(ProblemCode.NO_SESSION, detail, since)

    def _fullness(self, device: Device, now: int) -> Problem | None:
        """Check for nearly full storage; the detail names only capacities, which seldom change."""
        percent = self._config.full_percent
        capacities = capacities_of(device.options)
        full = [
            Phrase("%(things)s (at most %(most)s)", things=_THINGS[name], most=most)
            for name, most in capacities.items()
            if name in _THINGS and 100 * device.counts.get(name, 0) >= percent * most
        ]
        if not percent or not full:
            return None
        detail = Phrase(
            "At least %(percent)s %% of its storage is in use for %(things)s.",
            percent=percent,
            things=listed_phrases(full),
        )
        return Problem(ProblemCode.STORAGE_FULL, detail, now)

    def _losses(self, lost: GivenUp) -> Problem | None:
        if not lost.number:
            return None
        days = self._config.given_up_days
        detail = counted_phrase(
            "%(num)s command of the last %(days)s days ended without an answer.",
            "%(num)s commands of the last %(days)s days ended without an answer.",
            lost.number,
            days=days,
        )
        return Problem(ProblemCode.COMMANDS_GIVEN_UP, detail, lost.since_at)


def _needs_session(device: Device, registry: Registry) -> bool:
    """Whether each poll of an approved terminal is answered with the demand for a session."""
    terminal = registry.terminals.get(device.sn)
    if terminal is None or device.state is not DeviceState.APPROVED:
        return False
    session = terminal.session
    return SessionReply.SERVE not in (session.poll, session.sealed_poll)


def _merged(problem: Problem, found: Mapping[str, Problem]) -> Problem:
    """Return the updated problem with its original start."""
    present = found.get(problem.code)
    if present is None or present.detail == problem.detail:
        return problem
    return msgspec.structs.replace(present, since_at=min(problem.since_at, present.since_at))
