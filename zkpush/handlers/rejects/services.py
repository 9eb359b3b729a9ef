"""Services of rejects: the reader and the job that retries them."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from .jobs import RejectRetry
from .reading import RejectReader


def contribute(services: Services) -> Contribution:
    """Retry rejects, on request and with a job in one process of the database."""
    reader = RejectReader(services.store, services.registry, services.intake, services.reader)
    retry = RejectRetry(services.store, reader, services.clock)
    return Contribution(services=[(Role.DATABASE, retry)], offers=[reader])
