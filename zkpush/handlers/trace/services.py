"""Services of the trace: the recorder and the reader."""

from __future__ import annotations

from collections.abc import Sequence

from ...manage.services import Contribution, Role, Services
from ...model import Device
from .model import LastRequests, TracedRequest
from .recorder import RequestTrace
from .store import TraceStore


def contribute(services: Services) -> Contribution:
    """Record requests in every process, and provide the last requests of a terminal."""
    store = services.store
    trace = RequestTrace(
        store, services.registry.terminals.get, services.catalogue, services.clock, services.owner
    )

    async def last_requests(device: Device) -> Sequence[TracedRequest]:
        stored = await store.read(lambda tx: tx[TraceStore].of(device.id))
        # The entries in memory are newer than stored ones of the same identity.
        by_id = {(one.writer, one.number): one for one in [*stored, *trace.fresh(device.id)]}
        return sorted(by_id.values(), key=lambda one: (one.at, one.number))

    return Contribution(
        services=[(Role.PROCESS, trace)],
        offers=[LastRequests(last_requests)],
        watches=[trace.note],
    )
