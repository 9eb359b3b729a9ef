"""Background removal of pictures without references, by one node at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..clock import wall_clock
from ..interfaces import INamesPictures, IStore
from ..periodic import PeriodicService
from ..persist.leases import LeaseStore
from ..phrases import Phrase
from ..problems import ProblemCode, ServerProblem

EVERY = 3600.0
"""Seconds between two runs."""
RUNS = 24
"""Number of runs that together check all pictures once."""
AGE_DAYS = 7
"""Minimum age of removed pictures, in days since they were last kept. No write takes that long, and
an operator can restore an older database within that time."""
DAY = 24 * 3600 * 1000
SHARDS = 256


class PictureCollection(PeriodicService):
    """Removes pictures without references, and partial files of killed writes."""

    _log = Logger()

    def __init__(
        self, store: IStore, hooks: Sequence[INamesPictures], clock: IReactorTime, owner: str
    ) -> None:
        """`hooks` are the plugins that refer to pictures; `owner` names this process."""
        super().__init__(clock)
        self._store = store
        self._hooks = hooks
        self._wall = wall_clock(clock)
        self._owner = owner
        self._next = 0
        self._missing: list[str] = []
        self._since_at = 0
        self.counts: Counter[str] = Counter({"picture": 0, "part": 0})
        """Numbers of files removed by this process."""
        self.every(
            EVERY,
            lambda: self.collect(SHARDS // RUNS + 1),
            Phrase("Pictures are not collected for now"),
        )

    def problems(self) -> Iterable[ServerProblem]:
        """Return the missing plugins that block the removal."""
        for name in self._missing:
            yield ServerProblem(
                code=ProblemCode.PICTURES_STAY,
                subject=Phrase("plugin %(name)s", name=name),
                detail=Phrase(
                    "The plugin %(name)s has named pictures, and is not installed", name=name
                ),
                since_at=self._since_at,
            )

    async def collect(self, shards: int = SHARDS, age_days: float = AGE_DAYS) -> int:
        """Check the next shards, unless another node does; return the number of removed files.

        `StoreError` if the database or the folder cannot be used.
        """
        now = int(self._wall() * 1000)
        before, until = now - int(age_days * DAY), now + int(2 * EVERY * 1000)
        is_ours = await self._store.write(
            lambda tx: tx[LeaseStore].hold("pictures", self._owner, until, now)
        )
        if not is_ours or await self._is_blocked(now):
            return 0
        removed: Counter[str] = Counter()
        for _ in range(shards):
            shard = f"{self._next:02x}"
            for name in await self._store.collect_pictures(shard, before, self._hooks):
                removed["part" if name.endswith(".part") else "picture"] += 1
            self._next = (self._next + 1) % SHARDS
        self.counts.update(removed)
        if removed:
            self._log.info(
                "{pictures} pictures that nothing names and {parts} parts of writes that were "
                "killed are removed",
                pictures=removed["picture"],
                parts=removed["part"],
            )
        return removed.total()

    async def _is_blocked(self, now: int) -> bool:
        """Whether a plugin that refers to pictures is missing."""
        present = [hook.name for hook in self._hooks]
        missing = await self._store.missing_picture_plugins(present)
        if missing and missing != self._missing:
            self._since_at = now
            self._log.warn(
                "Pictures are not collected while a plugin that has named some is missing: {names}",
                names=", ".join(missing),
            )
        self._missing = missing
        return bool(missing)
