"""Services of attendance: the job that extends the lists by person and by terminal."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from .jobs import ListExtension


def contribute(services: Services) -> Contribution:
    """Extend the lists with a job in one process of each node."""
    return Contribution(services=[(Role.NODE, ListExtension(services.store, services.clock))])
