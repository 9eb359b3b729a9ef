"""The engine of forwarding: one worker for each forwarder whose lease this node can hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.logger import Logger

from ...interfaces import IForwarder
from ...manage.leasing import HeldLease
from ...manage.news import Cursor
from ...manage.times import instant
from ...periodic import PeriodicService
from ...persist.leases import LeaseStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...values.forwarding import ForwardBatch, ForwardedEvent, Outcome, RetryLater
from .ledger import lease_name
from .model import ForwardTotals, StoredForwarder
from .reading import ends_thd
from .status import totals_thd
from .store import ForwarderStore
from .surroundings import Surroundings, target_of
from .worker import DELIVER_SECONDS, ForwarderWorker

EVERY = 1.0
"""Seconds between two looks at the store."""
COUNT_EVERY = 10.0
"""Seconds between two counts, for metrics."""
SAMPLE_DATA: Mapping[str, object] = {
    "note": "A test of zkpush: this is no event of a terminal, and can be ignored.",
}


@attrs.frozen
class _Survey:
    """What the store says in one look."""

    revisions: Mapping[int, int]
    changed: Sequence[StoredForwarder]
    holders: Mapping[str, str]
    ends: Cursor


class ForwardEngine(PeriodicService):
    """Runs the workers of this node."""

    _log = Logger()

    def __init__(self, around: Surroundings, kinds: Mapping[str, IForwarder]) -> None:
        """`kinds` are the installed kinds of forwarders, by name."""
        super().__init__(around.clock)
        self.kinds = kinds
        self.around = around
        self._workers: dict[int, ForwarderWorker] = {}
        self.totals = ForwardTotals()
        self.every(EVERY, self.look, Phrase("Events are not forwarded"), now=True)
        self.every(COUNT_EVERY, self.count, Phrase("Events to forward are not counted"), now=True)

    @property
    def is_delivering(self) -> bool:
        """Whether a worker of this process is delivering."""
        return any(worker.is_running for worker in self._workers.values())

    async def look(self) -> None:
        """Follow the stored forwarders, and start the workers that have something to do."""
        survey = await self.around.store.read(self._survey_thd)
        for key in [*self._workers]:
            if key not in survey.revisions:
                self._drop(key)
        for stored in survey.changed:
            self._replace(stored)
        for key, worker in [*self._workers.items()]:
            await worker.renew()
            if survey.holders.get(lease_name(key), self.around.owner) == self.around.owner:
                worker.wake(survey.ends)

    async def count(self) -> None:
        """Count pending events and dead letters."""
        self.totals = await self.around.store.read(lambda tx: totals_thd(tx, self.around.records))

    async def test(self, stored: StoredForwarder) -> Outcome:
        """Send one sample event to the receiver of a forwarder; return what became of it."""
        kind = self.kinds.get(stored.kind)
        if kind is None:
            raise ValueError(
                Phrase(
                    "There is no kind %(kind)s; install the plugin for it.", kind=repr(stored.kind)
                )
            )
        now, mark = self.around.now(), self.around.new_mark()
        event = ForwardedEvent(
            id=f"test_{mark}", type="test", timestamp=instant(now), data=dict(SAMPLE_DATA)
        )
        delivery = kind.open(target_of(stored, kind, self.around))
        try:
            sent = delivery.deliver(ForwardBatch(id=mark, made_at=now, events=[event]))
            return await sent.addTimeout(DELIVER_SECONDS, self.around.clock)
        except TimedOut:
            return RetryLater(f"It took longer than {DELIVER_SECONDS:.0f} seconds")
        except Exception as error:
            self._log.failure("A forwarder of the kind {kind} failed", kind=kind.name)
            return RetryLater(f"The forwarder failed: {type(error).__name__}")
        finally:
            delivery.close()

    async def finish(self) -> None:
        """Cancel deliveries, store what was delivered, and release the leases."""
        workers, self._workers = self._workers, {}
        await gatherResults([worker.retire(now=True) for worker in workers.values()])
        for worker in workers.values():
            worker.close()
        held = [worker.lease for worker in workers.values() if worker.lease.seconds_left > 0]
        if held:
            await self.around.store.write(lambda tx: _release_thd(tx, held))

    def _survey_thd(self, tx: Transaction) -> _Survey:
        revisions = tx[ForwarderStore].revisions()
        if not revisions:
            return _Survey({}, (), {}, Cursor(0, 0))
        known = {key: worker.stored.revision for key, worker in self._workers.items()}
        changed = [key for key, revision in revisions.items() if known.get(key) != revision]
        found = [tx[ForwarderStore].get(key) for key in changed]
        names = [lease_name(key) for key in revisions]
        return _Survey(
            revisions,
            [one for one in found if one is not None],
            tx[LeaseStore].holders(names, self.around.now()),
            ends_thd(tx, self.around.records),
        )

    def _replace(self, stored: StoredForwarder) -> None:
        """Make the worker of a new or changed forwarder, once the old one has ended its run."""
        kind = self.kinds.get(stored.kind)
        present = self._workers.get(stored.id)
        if present is not None:
            present.retire()
            if present.is_running:
                return  # the next look comes in a second
            present.close()
            del self._workers[stored.id]
        if kind is not None and not stored.damaged:
            self._workers[stored.id] = ForwarderWorker(stored, kind, self.around)

    def _drop(self, key: int) -> None:
        worker = self._workers.pop(key)
        ended: Deferred[None] = worker.retire(now=True)
        ended.addCallback(lambda _: worker.close())


def _release_thd(tx: Transaction, held: Iterable[HeldLease]) -> None:
    for lease in held:
        lease.release_thd(tx)
