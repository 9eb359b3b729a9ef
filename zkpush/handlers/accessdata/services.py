"""Services of access data: the reconciler, in one process of the database."""

from __future__ import annotations

from ...manage.services import Contribution, Role, Services
from .reconciler import AccessReconciler


def contribute(services: Services) -> Contribution:
    """Distribute access data."""
    reconciler = AccessReconciler(services.store, services.queue, services.registry, services.clock)
    return Contribution(services=[(Role.DATABASE, reconciler)])
