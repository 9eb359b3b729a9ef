"""The health check: whether the next upload can be stored.

It commits a write to the database, in a group with other writes, writes to each folder, and checks
the free space and the key. A result is cached for a second, so that frequent requests cost nothing.
It is discarded earlier if a unit of work fails, or succeeds after a failure.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from ..clock import wall_clock
from ..interfaces import IStore, StoreError
from ..periodic import PeriodicService
from ..persist.leases import LeaseStore
from ..persist.transaction import Transaction
from ..phrases import Phrase, counted_phrase, in_english
from ..problems import ProblemCode, ServerProblem
from ..settings.features import Health as HealthConfig
from ..storage import Inspection, Space, inspect_thd
from ..values.storage import StoragePlace
from .routes import Raw

FRESH_SECONDS = 1.0
"""Seconds for which a result is cached."""
PATIENCE_SECONDS = 5.0
"""Seconds allowed for the answer of the database, and for that of the disks."""
EVERY_SECONDS = 60.0
"""Seconds between two periodic checks."""
REMEMBERED = 24 * 60
"""Number of remembered free space measurements: those of about a day."""
LEAST_OBSERVED = 600.0
"""Minimum number of seconds of measurements for an estimate of how long space lasts."""
FORESIGHT = 20.0
"""Measurements of less than a day support estimates of up to this multiple of their time."""
PARTS = 24
ONCE = 2
"""Number of parts of the measured time, those with the highest use, that are ignored: a single copy
or import is not a rate. It may span two parts."""
DAY = 24 * 3600.0
MEBIBYTE = 2**20


class State(msgspec.Struct, frozen=True):
    """Result of a check."""

    at: float
    """Time of the check, on the monotonic clock."""
    reasons: Sequence[str] = ()
    """Reasons why uploads cannot be stored; empty if they can."""
    warnings: Sequence[str] = ()
    """Conditions that become reasons unless somebody acts."""
    spaces: Sequence[Space] = ()


class HealthView(msgspec.Struct, frozen=True):
    """Whether data can be stored."""

    status: Literal["ok", "failing"]
    reason: Annotated[str | UnsetType, Meta(description="Reasons why not, in one text")] = UNSET
    reasons: Annotated[Sequence[str] | UnsetType, Meta(description="Reasons why not")] = UNSET
    warnings: Annotated[
        Sequence[str] | UnsetType,
        Meta(description="Conditions that become reasons unless somebody acts"),
    ] = UNSET


class HealthCheck(PeriodicService):
    """Checks on request, and once a minute."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        config: HealthConfig,
        folders: Sequence[StoragePlace],
        check_key: Callable[[], None],
        reactor: Any,
        owner: str,
        inspect: Callable[[Sequence[StoragePlace]], Inspection] = inspect_thd,
    ) -> None:
        """`folders` are places in addition to those of the store.

        `check_key` blocks, and raises `ValueError` with a message if the key in its file is not the
        key in use. `owner` names this process.
        """
        super().__init__(reactor)
        self._store = store
        self._config = config
        self._folders = folders
        self._check_key = check_key
        self._reactor = reactor
        self._wall = wall_clock(reactor)
        self._lease = f"health {owner}"
        self._owner = owner
        self._inspect = inspect
        self._state: State | None = None
        self._counts: Mapping[str, int] = {}
        self._waiting: list[Deferred[State]] | None = None
        self._is_inspecting = False
        self._seen: dict[str, deque[tuple[float, int]]] = {}
        self._since_at: dict[str, int] = {}
        self.every(EVERY_SECONDS, self.state, Phrase("The health check itself fails"))

    async def respond(self) -> Raw:
        """Return the response of `GET /health`."""
        state = await self.state()
        is_failing = bool(state.reasons)
        content = HealthView(
            "failing" if is_failing else "ok",
            "; ".join(state.reasons) if is_failing else UNSET,
            state.reasons if is_failing else UNSET,
            state.warnings or UNSET,
        )
        status = HTTPStatus.SERVICE_UNAVAILABLE if is_failing else HTTPStatus.OK
        return Raw("application/json", msgspec.json.encode(content, enc_hook=in_english), status)

    async def state(self) -> State:
        """Return the result of a check that is at most a second old and still valid."""
        now = self._clock.seconds()
        if self._state is not None and self._holds(self._state, now):
            return self._state
        if self._waiting is not None:  # share a running check
            waiting: Deferred[State] = Deferred()
            self._waiting.append(waiting)
            return await waiting
        self._waiting = []
        try:
            state = await self._check(now)
        except BaseException:
            state = State(now, [Phrase("the health check itself failed; see the log")])
            raise
        finally:
            self._state = state
            waiters, self._waiting = self._waiting, None
            for waiter in waiters:
                waiter.callback(state)
        return state

    def problems(self) -> Iterable[ServerProblem]:
        """Return the problems that the last check found."""
        state = self._state
        if state is None:
            return
        for code, texts in (
            (ProblemCode.CANNOT_STORE, state.reasons),
            (ProblemCode.SPACE_LOW, state.warnings),
        ):
            for text in texts:
                yield ServerProblem(
                    code=code,
                    subject=Phrase("storage"),
                    detail=text,
                    since_at=self._since_at.get(code, int(self._wall() * 1000)),
                )

    @property
    def last(self) -> State | None:
        """Result of the last check; None before the first one."""
        return self._state

    def _holds(self, state: State, now: float) -> bool:
        """Whether a result is fresh, and no later unit of work contradicts it."""
        telling = "commits" if state.reasons else "failed"
        is_same = self._store.counts().get(telling) == self._counts.get(telling)
        return is_same and 0 <= now - state.at < FRESH_SECONDS

    async def _check(self, now: float) -> State:
        reasons = await self._write()
        self._counts = dict(self._store.counts())
        inspection = await self._inspected()
        reasons += inspection.reasons
        warnings: list[str] = []
        told: set[tuple[int, bool]] = set()
        for space in inspection.spaces:
            lasts = self._lasts(space, now)
            if (space.device, space.limited) in told:
                continue
            low = self._judge(space, lasts)
            if low is None:
                continue
            told.add((space.device, space.limited))
            (reasons if space.free < self._config.least_free_bytes else warnings).append(low)
        state = State(now, reasons, warnings, inspection.spaces)
        self._tell(state)
        return state

    async def _write(self) -> list[str]:
        """Commit a write; return the reasons of a failure."""
        at = int(self._wall() * 1000)  # other machines, and later boots, compare it

        def unit(tx: Transaction) -> None:
            tx[LeaseStore].hold(self._lease, self._owner, at, at)
            tx[LeaseStore].forget("health ", at - int(DAY * 1000))

        try:
            await self._in_time(self._store.write(unit))
        except TimedOut:
            return [
                counted_phrase(
                    "the database did not answer within %(num)s second",
                    "the database did not answer within %(num)s seconds",
                    int(PATIENCE_SECONDS),
                )
            ]
        except StoreError as error:
            return [str(error) or Phrase("the database did not answer")]
        return []

    async def _inspected(self) -> Inspection:
        """Check the disks on a thread; while one hangs, no other check starts."""
        hangs = Inspection(
            [
                counted_phrase(
                    "a disk did not answer within %(num)s second; see the mounts",
                    "a disk did not answer within %(num)s seconds; see the mounts",
                    int(PATIENCE_SECONDS),
                )
            ],
            [],
        )
        if self._is_inspecting:
            return hangs
        self._is_inspecting = True
        places = [*self._store.places(), *self._folders]

        def ended(result: Any) -> Any:
            self._is_inspecting = False
            return result

        pool = self._reactor.getThreadPool()
        inspecting: Deferred[Inspection] = deferToThreadPool(
            self._reactor, pool, self._inspect_thd, places
        )
        inspecting.addBoth(ended)
        answer: Deferred[Inspection] = Deferred()
        inspecting.addCallbacks(answer.callback, answer.errback)
        try:
            found: Inspection = await self._in_time(answer)
        except TimedOut:
            return hangs
        return found

    def _inspect_thd(self, places: Sequence[StoragePlace]) -> Inspection:
        found = self._inspect(places)
        try:
            self._check_key()
        except ValueError as error:
            return Inspection([*found.reasons, str(error)], found.spaces)
        return found

    def _in_time(self, answer: Deferred[Any]) -> Deferred[Any]:
        return answer.addTimeout(PATIENCE_SECONDS, self._clock)

    def _judge(self, space: Space, lasts: float | None) -> str | None:
        """Describe scarce space; None if there is enough."""
        if space.is_temporary and space.free >= self._config.least_free_bytes:
            return None
        days = self._config.low_free_days
        if space.free >= self._config.low_free_bytes and (lasts is None or lasts > days * DAY):
            return None
        free = f"{space.free // MEBIBYTE} MiB"
        if space.limited:
            said = Phrase(
                "%(place)s: the file size limit of the process (ulimit -f) leaves %(free)s",
                place=space.place,
                free=free,
            )
        else:
            said = Phrase("%(place)s: %(free)s are free", place=space.place, free=free)
        if lasts is None:
            return said
        return Phrase(
            "%(space)s, which lasts for about %(duration)s at the present rate",
            space=said,
            duration=_duration(lasts),
        )

    def _lasts(self, space: Space, now: float) -> float | None:
        """Estimate the seconds until a space is full at the rate of the last day.

        None if it does not shrink, shrank only once, or was not measured for long enough.
        """
        seen = self._seen.setdefault(f"{space.place} {space.limited}", deque(maxlen=REMEMBERED))
        if not seen or now - seen[-1][0] >= EVERY_SECONDS - 1:
            seen.append((now, space.free))
        passed = now - seen[0][0]
        if passed < LEAST_OBSERVED:
            return None
        uses = _uses([*seen, (now, space.free)], passed / PARTS)
        used = sum(sorted(uses)[:-ONCE])
        if used <= 0:
            return None
        lasts = space.free * passed * (PARTS - ONCE) / PARTS / used
        return lasts if passed >= 0.9 * DAY or lasts <= FORESIGHT * passed else None

    def _tell(self, state: State) -> None:
        """Log changes, and record when each condition began."""
        last = self._state or State(0)
        for code, texts, before, log in (
            (ProblemCode.CANNOT_STORE, state.reasons, last.reasons, self._log.error),
            (ProblemCode.SPACE_LOW, state.warnings, last.warnings, self._log.warn),
        ):
            if texts and not before:
                self._since_at[code] = int(self._wall() * 1000)
                for text in texts:
                    log("Health check: {text}", text=text)
            elif before and not texts:
                self._since_at.pop(code, None)
                self._log.info("Health check: {meaning}: solved", meaning=code.meaning)


def _uses(seen: Sequence[tuple[float, int]], seconds: float) -> list[int]:
    """Return the space used in each of `PARTS` parts of `seconds` seconds; negative if freed.

    `seen` are times and free spaces, in order.
    """
    begun, free = seen[0]
    frees = [free]
    for part in range(1, PARTS):
        free = next((free for at, free in seen if at >= begun + part * seconds), free)
        frees.append(free)
    frees.append(seen[-1][1])
    return [before - after for before, after in itertools.pairwise(frees)]


def _duration(seconds: float) -> Phrase:
    if seconds >= 2 * DAY:
        return counted_phrase("%(num)s day", "%(num)s days", round(seconds / DAY))
    if seconds >= 2 * 3600:
        return counted_phrase("%(num)s hour", "%(num)s hours", round(seconds / 3600))
    if seconds >= 2 * 60:
        return counted_phrase("%(num)s minute", "%(num)s minutes", round(seconds / 60))
    return Phrase("a minute")
