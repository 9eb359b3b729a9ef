"""Services of areas: the reconciler, in one process of the database."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from .problems import problems_thd
from .reconciler import Reconciler
from .settings import AreaSettings


def contribute(services: Services) -> Contribution:
    """Distribute people."""
    settings = services.section(AreaSettings)
    reconciler = Reconciler(services.store, services.queue, services.now, services.clock, settings)
    return Contribution(
        services=[(Role.DATABASE, reconciler)],
        offers=[reconciler],
        stored_problems=[problems_thd],
    )
