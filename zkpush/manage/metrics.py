"""Figures for monitoring, as OpenMetrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from twisted.logger import Logger

from ..device.plugininbox import PluginInbox
from ..interfaces import StoreError
from ..logstream import LogStream
from ..model import InboxState
from ..persist.rejects import RejectStore
from ..problems import ProblemCode
from .collection import PictureCollection
from .services import Figure, Services

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

REJECTS_EVERY = 10.0
"""Seconds for which counts of rejects are kept: anybody may ask for the figures."""


class Metrics(Collector):
    """Reads the figures of the services when it is asked: nothing is counted twice."""

    _log_of_figures = Logger()

    def __init__(
        self,
        services: Services,
        pictures: PictureCollection,
        inbox: PluginInbox,
        figures: Sequence[Figure] = (),
    ) -> None:
        """`figures` are those of capabilities."""
        self._figures = figures
        self._pictures = pictures
        self._health = services.health
        self._inbox = inbox
        self._inboxes: Sequence[InboxState] = ()
        self._rejects: Mapping[str, int] = {}
        self._rejects_at: int | None = None
        """When (ms) rejects were counted."""
        self._refusals = services.refusals
        self._problems = services.problems
        self._problem_counts: Mapping[ProblemCode, int] = {}
        self._store = services.store
        self._registry = services.registry
        self._collectors = CollectorRegistry()
        self._collectors.register(self)
        self._log: LogStream | None = None

    def watch_log(self, log: LogStream) -> None:
        """Count the lines that the log has lost."""
        self._log = log

    async def exposition(self) -> bytes:
        """All figures, in the text format of OpenMetrics."""
        self._problem_counts = await self._problems.counts()
        try:
            self._inboxes = await self._inbox.states()
        except StoreError:
            self._inboxes = ()
        await self._count_rejects()
        text: bytes = generate_latest(self._collectors)
        return text

    async def _count_rejects(self) -> None:
        """Count them, unless that was done a moment ago: there may be very many."""
        now = self._registry.now()
        if self._rejects_at is not None and 0 <= now - self._rejects_at < REJECTS_EVERY * 1000:
            return
        try:
            self._rejects = await self._store.read(lambda tx: tx[RejectStore].counts())
            self._rejects_at = now
        except StoreError:
            self._rejects, self._rejects_at = {}, None

    def collect(self) -> Iterator[Metric]:
        """The figures of now."""
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
        rejects = GaugeMetricFamily(
            "zkpush_rejects",
            "Parts of uploads that are set aside, by table (see GET /api/v1/rejects)",
            labels=["table"],
        )
        for table, count in self._rejects.items():
            rejects.add_metric([table], count)
        yield rejects
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
        """The figures of capabilities; one that raises does not hide the others."""
        for figure in self._figures:
            family = CounterMetricFamily if figure.is_counter else GaugeMetricFamily
            try:
                yield family(figure.name, figure.meaning, value=float(figure.read()))
            except Exception:
                self._log_of_figures.failure("The figure {name} cannot be read", name=figure.name)

    def _storage(self) -> Iterator[Metric]:
        """What the last health check has found."""
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
