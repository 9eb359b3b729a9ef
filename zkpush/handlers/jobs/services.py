"""Services of jobs: the runner, in one process of each node."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from .runner import JobRunner


def contribute(services: Services) -> Contribution:
    """Carry out jobs."""
    runner = JobRunner(
        services.store,
        services.registry,
        services.queue,
        services.settings.commands,
        services.clock,
    )
    return Contribution(services=[(Role.NODE, runner)], offers=[runner])
