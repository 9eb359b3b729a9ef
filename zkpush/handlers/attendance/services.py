"""Services of attendance: jobs that extend what is kept apart of the records."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from .checking import recent_thd
from .jobs import EndsExtension, ListExtension
from .model import CheckFigures


def contribute(services: Services) -> Contribution:
    """Run the jobs in one process of each node, and offer the number of days to check."""
    jobs = (
        ListExtension(services.store, services.clock),
        EndsExtension(services.store, services.clock),
    )
    return Contribution(
        services=[(Role.NODE, job) for job in jobs], offers=[CheckFigures(recent_thd)]
    )
