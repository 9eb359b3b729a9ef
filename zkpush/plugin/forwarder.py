"""Forwarders: plugins that deliver events to a kind of receiver (docs/forwarding.md).

A forwarder declares its settings and opens deliveries; `deliver` takes a `ForwardBatch` and returns
a Deferred of an outcome. The server does the rest: positions, batches, retries, order, dead letters
and leases between nodes. `deliver` runs on the reactor and must not block.
"""

from __future__ import annotations

from ..interfaces import (
    ICollectingForwarder,
    IDelivery,
    IForwarder,
    IPlacedForwarder,
    ISelectiveForwarder,
)
from ..values.forwarding import (
    BatchLimits,
    Delivered,
    ForwardBatch,
    ForwardedEvent,
    ForwarderTarget,
    Gone,
    Outcome,
    ReceiverDocuments,
    RefusedBatch,
    RetryLater,
)

__all__ = [
    "BatchLimits",
    "Delivered",
    "ForwardBatch",
    "ForwardedEvent",
    "ForwarderTarget",
    "Gone",
    "ICollectingForwarder",
    "IDelivery",
    "IForwarder",
    "IPlacedForwarder",
    "ISelectiveForwarder",
    "Outcome",
    "ReceiverDocuments",
    "RefusedBatch",
    "RetryLater",
]
