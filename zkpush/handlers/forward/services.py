"""Services of forwarding: the engine, in one process of each node."""

from __future__ import annotations

import secrets

from ...clock import wall_clock
from ...manage.news import RecordSource
from ...manage.services import Contribution, Figure, Role, Services
from .model import ForwardFigures
from .service import ForwardEngine
from .status import problems_thd, totals_thd
from .surroundings import Surroundings

MARK_BYTES = 16
"""Random bytes in the identity of a batch."""


def contribute(services: Services) -> Contribution:
    """Deliver events, and show what is pending."""
    records = services.offers[RecordSource]
    around = Surroundings(
        store=services.store,
        clock=services.clock,
        wall=wall_clock(services.clock),
        owner=services.owner,
        records=records,
        chance=secrets.SystemRandom().random,
        new_mark=lambda: f"msg_{secrets.token_urlsafe(MARK_BYTES)}",
        own_folder=str(services.settings.data.absolute()),
    )
    engine = ForwardEngine(around, services.forwarders)
    kinds = frozenset(services.forwarders)

    def oldest_seconds() -> float:
        oldest = engine.totals.oldest_at
        return 0.0 if oldest is None else max(around.now() - oldest, 0) / 1000

    return Contribution(
        services=[(Role.NODE, engine)],
        offers=[engine, ForwardFigures(lambda tx: totals_thd(tx, records))],
        stored_problems=[lambda tx: problems_thd(tx, records, kinds, around.now())],
        figures=[
            Figure(
                name="zkpush_forward_backlog",
                meaning="Events that forwarders have still to deliver, or to look at",
                read=lambda: engine.totals.backlog,
            ),
            Figure(
                name="zkpush_forward_oldest_seconds",
                meaning="Age of the oldest of them",
                read=oldest_seconds,
            ),
            Figure(
                name="zkpush_forward_failing",
                meaning="Forwarders whose last attempt failed, or that are stopped",
                read=lambda: engine.totals.failing,
            ),
            Figure(
                name="zkpush_forward_dead",
                meaning="Events that receivers did not take (dead letters)",
                read=lambda: engine.totals.dead,
            ),
            Figure(
                name="zkpush_forward_delivered",
                meaning="Events delivered by the present forwarders",
                read=lambda: engine.totals.delivered,
            ),
        ],
    )
