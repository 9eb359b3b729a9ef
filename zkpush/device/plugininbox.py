"""Inbox service of record handlers: workers, time limits and problems.

Several processes may serve one database. Each has a worker for each plugin, and each item is
claimed by one worker at a time (`zkpush.persist.inbox`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import DeferredList
from twisted.logger import Logger

from ..clock import wall_clock
from ..containment import PluginHealth
from ..interfaces import IStore
from ..model import Device
from ..periodic import PeriodicService
from ..persist.inbox import InboxStore
from ..persist.transaction import Transaction
from ..phrases import Phrase, counted_phrase, in_series
from ..pluginkinds import RECORD_HANDLERS
from ..problems import ProblemCode, ServerProblem
from ..protocol.packets import PacketLimits
from ..settings.features import Plugins
from ..values.setaside import InboxState
from .handlers import HandlerSet, Way
from .pluginworker import PluginWorker
from .privacy import Privacy

RECORD_HANDLER = RECORD_HANDLERS.title
"""Kind of the plugins that have an inbox."""
WATCH_EVERY = 0.25
"""Seconds between checks of calls in progress."""
LOOK_EVERY = 1.0
"""Seconds between checks for items that other processes added or that are due again."""
STOP_SECONDS = 2.0
"""Seconds that a shutdown waits for handlers to return."""
LONG_SECONDS = 600
"""Seconds of waiting after which an item is a problem, whatever the reason."""


class PluginInbox(PeriodicService):
    """Runs the workers that store plugin inboxes."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        handlers: HandlerSet,
        limits: PacketLimits,
        reactor: Any,
        settings: Plugins,
        health: PluginHealth,
        updated: Callable[[Device], None],
        privacy: Privacy,
    ) -> None:
        """`updated` is called with a terminal that a handler may have changed."""
        super().__init__(reactor)
        self.health = health
        """Plugin failures in this process."""
        self._store = store
        self._reactor = reactor
        self._wall = wall_clock(reactor)
        self._workers: Mapping[str, PluginWorker] = {
            plugged.name: PluginWorker(
                plugged,
                store,
                limits,
                reactor,
                settings.time_limit_seconds,
                updated,
                privacy,
            )
            for plugged in handlers.all
            if plugged.way is not Way.TRUSTED or any(table.least_bytes for table in plugged.tables)
        }
        self._late: dict[str, float] = {}
        self._later = {plugged.name for plugged in handlers.later}
        self._plugins = [one.name for one in handlers.all if one.way is not Way.TRUSTED]
        if self._workers:
            self.every(WATCH_EVERY, self._watch, Phrase("Slow plugins are not noticed"))
            self.every(LOOK_EVERY, self._look, Phrase("The inbox of plugins waits"))

    def startService(self) -> None:
        """Start the workers once the store is open and knows which tables are missing."""
        unprepared: Sequence[object] = self._store.unprepared
        for worker in self._workers.values():
            worker.start(is_prepared=worker.plugged.handler not in unprepared)
        super().startService()

    async def finish(self) -> None:
        """Wait for running handlers, up to `STOP_SECONDS`."""
        ended = DeferredList(
            [worker.stop() for worker in self._workers.values()], consumeErrors=True
        )
        # After the timeout, the remaining ones are cancelled and the list fires.
        await ended.addTimeout(STOP_SECONDS, self._reactor)
        for worker in self._workers.values():
            if worker.running is not None:
                label = worker.label
                self._log.warn("The {plugin} has not returned; its lines wait", plugin=label)
                worker.abort()

    def wake(self, plugins: Iterable[str]) -> None:
        """Wake plugins after items were added to their inboxes."""
        for name in plugins:
            self._workers[name].wake()

    def problems(self) -> list[ServerProblem]:
        """Problems of handlers that do not return or whose tables do not exist."""
        now = self._wall()
        found = []
        for name, worker in self._workers.items():
            late, unprepared = self._late.get(name), worker.unprepared
            if late is not None:
                found.append(
                    ServerProblem(
                        code=ProblemCode.PLUGIN_STUCK,
                        subject=Phrase("plugin %(name)s", name=name),
                        detail=Phrase("It has not returned for %(seconds)s s.", seconds=int(late)),
                        since_at=int(1000 * (now - late)),
                    )
                )
            elif unprepared is not None:
                found.append(
                    ServerProblem(
                        code=ProblemCode.PLUGIN_FAILING,
                        subject=Phrase("plugin %(name)s", name=name),
                        detail=Phrase(
                            "It cannot make its tables: %(error)s.", error=unprepared.error
                        ),
                        since_at=int(1000 * unprepared.since),
                    )
                )
        return found

    def stored_problems(self, tx: Transaction) -> list[ServerProblem]:
        """Problems of plugins whose inbox does not drain."""
        now = int(1000 * self._wall())
        return [
            problem
            for state in tx[InboxStore].states()
            if (problem := self._problem_of(state, now)) is not None
        ]

    def failure(self, kind: str, name: str) -> str | None:
        """Class name of a plugin's last error in this process; None if it works."""
        failure = self.health.failures.get(f"{kind} {name}")
        if kind == RECORD_HANDLER and name in self._workers:
            failure = self._workers[name].unprepared or failure
            if name in self._late:
                return TimeoutError.__name__
        return None if failure is None else failure.error

    def is_later(self, name: str) -> bool:
        """Whether a record handler stores from its inbox."""
        return name in self._later

    async def states(self) -> Sequence[InboxState]:
        """Inbox state of each plugin that has items or may have them."""
        found = await self._store.read(lambda tx: tx[InboxStore].states())
        there = {state.plugin for state in found}
        empty = [InboxState(plugin=name) for name in self._plugins if name not in there]
        return [*found, *empty]

    def _problem_of(self, state: InboxState, now: int) -> ServerProblem | None:
        oldest_at = now if state.oldest_at is None else state.oldest_at
        parts = [
            counted_phrase(
                "%(num)s part of uploads waits for it",
                "%(num)s parts of uploads wait for it",
                state.waiting,
            )
        ]
        since = oldest_at
        if state.plugin not in self._workers:
            code = ProblemCode.PLUGIN_MISSING
        elif state.error is not None:
            code = ProblemCode.PLUGIN_FAILING
            parts.append(Phrase("it last failed with %(error)s", error=state.error))
            since = oldest_at if state.failed_at is None else state.failed_at
        elif now - oldest_at > 1000 * LONG_SECONDS:
            code = ProblemCode.PLUGIN_SLOW
        else:
            return None
        if state.isolated:
            parts.append(Phrase("%(num)s of them are set apart", num=state.isolated))
        return ServerProblem(
            code=code,
            subject=Phrase("plugin %(name)s", name=state.plugin),
            detail=Phrase("%(facts)s.", facts=in_series(parts)),
            since_at=since,
        )

    def worker(self, name: str) -> PluginWorker:
        """The worker of a plugin, by name."""
        return self._workers[name]

    def _watch(self) -> None:
        for name, worker in self._workers.items():
            late = worker.watch()
            if late is None:
                self._late.pop(name, None)
            else:
                self._late[name] = late

    async def _look(self) -> None:
        now = int(1000 * self._wall())
        due = await self._store.read(lambda tx: tx[InboxStore].due(now))
        self.wake(name for name in due if name in self._workers)
        for worker in self._workers.values():
            if worker.unprepared is not None:
                worker.wake()
