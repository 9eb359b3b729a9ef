"""The services of rejects: what reads them again, when asked and by itself."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from .jobs import RejectRetry
from .reading import RejectReader


def contribute(services: Services) -> Contribution:
    """Read rejects again, by a job in one process of each node."""
    reader = RejectReader(services.store, services.registry, services.intake, services.reader)
    retry = RejectRetry(services.store, reader, services.clock, services.owner)
    return Contribution(services=[(Role.NODE, retry)], offers=[reader])
