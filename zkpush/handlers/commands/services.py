"""Services of commands: the job that watches the queues."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from ..trace.model import LastRequests
from .jobs import QueueWatch


def contribute(services: Services) -> Contribution:
    """Watch the queues with a job in one process of the database."""
    watch = QueueWatch(
        services.store, services.registry, services.offers[LastRequests], services.clock
    )
    return Contribution(services=[(Role.DATABASE, watch)])
