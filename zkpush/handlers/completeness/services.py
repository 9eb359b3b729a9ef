"""Services of completeness: the runner, in one process of each node."""

from __future__ import annotations

import secrets

from ...manage.services import Contribution, Figure, Role, Services
from .runner import CompletenessRunner
from .settings import Completeness


def contribute(services: Services) -> Contribution:
    """Compare records, each night and on request."""
    runner = CompletenessRunner(
        services.store,
        services.registry,
        services.queue,
        services.section(Completeness),
        secrets.SystemRandom().random,
        services.clock,
    )
    return Contribution(
        services=[(Role.NODE, runner)],
        offers=[runner],
        figures=[
            Figure(
                name="zkpush_completeness_open",
                meaning="Days of terminals whose records are being compared, or are to be",
                read=lambda: runner.overview.open,
            ),
            Figure(
                name="zkpush_completeness_short",
                meaning="Days of terminals with records that are not stored",
                read=lambda: runner.overview.short,
            ),
            Figure(
                name="zkpush_completeness_unsupported",
                meaning="Terminals that cannot count their records",
                read=lambda: runner.overview.unsupported,
            ),
        ],
    )
