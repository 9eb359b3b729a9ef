"""Services of attendance: jobs that extend what is kept apart of the records."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from .jobs import EndsExtension, ListExtension


def contribute(services: Services) -> Contribution:
    """Run the jobs in one process of each node."""
    jobs = (
        ListExtension(services.store, services.clock),
        EndsExtension(services.store, services.clock),
    )
    return Contribution(services=[(Role.NODE, job) for job in jobs])
