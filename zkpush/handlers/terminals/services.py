"""Services of terminals: the job that watches them."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from .jobs import TerminalWatch


def contribute(services: Services) -> Contribution:
    """Watch terminals with a job in one process of the database."""
    watch = TerminalWatch(
        services.store,
        services.registry,
        services.settings.watch,
        services.clock,
    )
    return Contribution(services=[(Role.DATABASE, watch)])
