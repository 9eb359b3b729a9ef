"""Services of completeness: the runner, in one process of the database, and numbers for metrics."""

from __future__ import annotations

import secrets

from ...manage.services import Contribution, Figure, Role, Services
from .runner import CompletenessRunner, CompletenessSurvey
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
    survey = CompletenessSurvey(services.store, services.clock)
    return Contribution(
        services=[(Role.DATABASE, runner), (Role.NODE, survey)],
        offers=[runner],
        figures=[
            Figure(
                name="zkpush_completeness_open",
                meaning="Days of terminals whose records are being compared, or are to be",
                read=lambda: survey.overview.open,
            ),
            Figure(
                name="zkpush_completeness_short",
                meaning="Days of terminals with records that are not stored",
                read=lambda: survey.overview.short,
            ),
            Figure(
                name="zkpush_completeness_unsupported",
                meaning="Terminals that cannot count their records",
                read=lambda: survey.overview.unsupported,
            ),
        ],
    )
