"""Metrics in the OpenMetrics format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from twisted.logger import Logger

from ..device.plugininbox import PluginInbox
from ..interfaces import StoreError
from ..logstream import LogStream
from ..persist.commandhistory import CommandHistory
from ..persist.devices import DeviceStore
from ..persist.rejects import RejectStore
from ..persist.transaction import Transaction
from ..problems import ProblemCode, ProblemKind
from ..values.setaside import InboxState
from .collection import PictureCollection
from .news import RecordSource
from .services import Figure, Services

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

STORED_EVERY = 10.0
"""Seconds for which figures from the database are cached, as anybody may request them."""
DAY = 24 * 60 * 60 * 1000


@attrs.frozen(kw_only=True)
class StoredFigures:
    """Metrics that are read from the database."""

    at: int
    """Time (ms) of the query."""
    rejects: Mapping[str, int]
    """Numbers of rejects, by table."""
    terminals: Mapping[str, tuple[int, int]]
    """Numbers of terminals by state: all, and online ones."""
    open_commands: Mapping[str, int]
    """Numbers of open commands, by state."""
    ended_commands: Mapping[str, int]
    """Numbers of commands that ended in the last day, by state."""
    records: int
    """Id of the last attendance record."""


def _of_store(stored: StoredFigures) -> Iterator[Metric]:
    rejects = GaugeMetricFamily(
        "zkpush_rejects",
        "Rejects that are kept, by table (see GET /api/v1/rejects)",
        labels=["table"],
    )
    for table, count in stored.rejects.items():
        rejects.add_metric([table], count)
    yield rejects
    states = GaugeMetricFamily(
        "zkpush_terminals_by_state", "Terminals by their state", labels=["state"]
    )
    for state, (count, _) in stored.terminals.items():
        states.add_metric([state], count)
    yield states
    yield GaugeMetricFamily(
        "zkpush_terminals_online",
        "Approved terminals that were heard of within three polls",
        value=stored.terminals.get("approved", (0, 0))[1],
    )
    opened = GaugeMetricFamily(
        "zkpush_commands_open", "Commands that wait for terminals, by state", labels=["state"]
    )
    for state, count in stored.open_commands.items():
        opened.add_metric([state], count)
    yield opened
    ended = GaugeMetricFamily(
        "zkpush_commands_ended_last_day",
        "Commands that ended within a day, by state; expired and unknown ones were given up",
        labels=["state"],
    )
    for state, count in stored.ended_commands.items():
        ended.add_metric([state], count)
    yield ended
    yield GaugeMetricFamily(
        "zkpush_attendance_last_id",
        "Number of the last attendance record; it grows with each new one",
        value=stored.records,
    )


class Metrics(Collector):
    """Collects metrics from the services on scrape."""

    _log_of_figures = Logger()

    def __init__(
        self,
        services: Services,
        pictures: PictureCollection,
        inbox: PluginInbox,
        records: RecordSource,
        figures: Sequence[Figure] = (),
    ) -> None:
        """`records` are those that are events; `figures` are the metrics of capabilities."""
        self._figures = figures
        self._pictures = pictures
        self._health = services.health
        self._inbox = inbox
        self._inboxes: Sequence[InboxState] = ()
        self._stored: StoredFigures | None = None
        self._records = records
        self._refusals = services.refusals
        self._problems = services.problems
        self._problem_counts: Mapping[ProblemCode | ProblemKind, int] = {}
        self._store = services.store
        self._registry = services.registry
        self._collectors = CollectorRegistry()
        self._collectors.register(self)
        self._log: LogStream | None = None

    def watch_log(self, log: LogStream) -> None:
        """Count the lines that the log has dropped."""
        self._log = log

    async def exposition(self) -> bytes:
        """Return all metrics in the OpenMetrics text format."""
        self._problem_counts = await self._problems.counts()
        try:
            self._inboxes = await self._inbox.states()
        except StoreError:
            self._inboxes = ()
        await self._count_stored()
        text: bytes = generate_latest(self._collectors)
        return text

    async def _count_stored(self) -> None:
        """Query the database, unless the cached figures are recent."""
        now, counted = self._registry.now(), self._stored
        if counted is not None and 0 <= now - counted.at < STORED_EVERY * 1000:
            return
        window, day_ago = self._registry.online_window(), now - DAY

        def count(tx: Transaction) -> StoredFigures:
            return StoredFigures(
                at=now,
                rejects=tx[RejectStore].counts(),
                terminals=tx[DeviceStore].counts(window),
                open_commands=tx[CommandHistory].count_open(),
                ended_commands=tx[CommandHistory].count_ended(day_ago),
                records=self._records.last_thd(tx),
            )

        try:
            self._stored = await self._store.read(count)
        except StoreError:
            self._stored = None

    def collect(self) -> Iterator[Metric]:
        """Collect the current metrics."""
        counts = self._store.counts()
        yield CounterMetricFamily(
            "zkpush_units", "Units of work that were committed", value=counts["units"]
        )
        yield CounterMetricFamily(
            "zkpush_commits", "Commits that they took", value=counts["commits"]
        )
        refused = CounterMetricFamily(
            "zkpush_refused",
            "Refused requests and connections by reason, of this process and its workers",
            labels=["reason"],
        )
        for reason, count in self._refusals.counts.items():
            refused.add_metric([reason], count)
        yield refused
        yield GaugeMetricFamily(
            "zkpush_terminals", "Terminals this process knows", value=len(self._registry)
        )
        yield GaugeMetricFamily(
            "zkpush_terminals_loaded",
            "1 once the stored terminals are loaded",
            value=int(self._registry.loaded),
        )
        if self._log is not None:
            yield CounterMetricFamily(
                "zkpush_log_lines_lost",
                "Lines of the log of this process that nothing read in time",
                value=self._log.lost,
            )
        problems = GaugeMetricFamily(
            "zkpush_problems",
            "Problems of terminals and of the server (see GET /api/v1/problems)",
            labels=["code"],
        )
        for code, count in self._problem_counts.items():
            problems.add_metric([code], count)
        yield problems
        if self._stored is not None:
            yield from _of_store(self._stored)
        collected = CounterMetricFamily(
            "zkpush_pictures_collected",
            "Pictures that nothing named, and parts of killed writes, that were removed",
            labels=["kind"],
        )
        for kind, count in self._pictures.counts.items():
            collected.add_metric([kind], count)
        yield collected
        yield from self._of_inboxes()
        yield from self._storage()
        yield from self._of_capabilities()

    def _of_capabilities(self) -> Iterator[Metric]:
        """Collect the metrics of capabilities; one that raises does not hide the others."""
        for figure in self._figures:
            family = CounterMetricFamily if figure.is_counter else GaugeMetricFamily
            try:
                yield family(figure.name, figure.meaning, value=float(figure.read()))
            except Exception:
                self._log_of_figures.failure("The figure {name} cannot be read", name=figure.name)

    def _storage(self) -> Iterator[Metric]:
        """Metrics of storage, from the last health check."""
        state = self._health.last
        if state is None:
            return
        yield GaugeMetricFamily(
            "zkpush_healthy", "1 if uploads can be stored (see GET /health)", not state.reasons
        )
        free = GaugeMetricFamily(
            "zkpush_free_bytes",
            "Bytes that can still be written; the least of its limits",
            labels=["place"],
        )
        least: dict[str, int] = {}
        for space in state.spaces:
            least[space.place] = min(space.free, least.get(space.place, space.free))
        for place, count in least.items():
            free.add_metric([place], count)
        yield free

    def _of_inboxes(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "zkpush_plugin_inbox", "Parts of uploads that wait for a plugin", labels=["plugin"]
        )
        oldest = GaugeMetricFamily(
            "zkpush_plugin_inbox_oldest_seconds",
            "How long the oldest of them has waited",
            labels=["plugin"],
        )
        now = self._registry.now()
        for state in self._inboxes:
            waiting.add_metric([state.plugin], state.waiting)
            age = 0 if state.oldest_at is None else max(0, now - state.oldest_at) / 1000
            oldest.add_metric([state.plugin], age)
        yield waiting
        yield oldest
