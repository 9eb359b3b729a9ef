"""API of drift: what terminals count, compared with what is recorded."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ...manage.errors import not_found
from ...manage.limits import AREA
from ...manage.listing import Listing, whole
from ...manage.routes import Route
from ...manage.services import Services
from ...manage.times import instant_or_none
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...protocol.fields import Scope
from .distribution import DistributionStore
from .drift import words_of
from .drifting import drifts_thd
from .store import AreaStore


class DriftView(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal counts, against what is recorded, and the last check of what it holds."""

    device: str
    differs: Annotated[
        str | None,
        Meta(description="Counts that differ from the recorded ones, in words; null if none do"),
    ]
    since: Annotated[str | None, Meta(description="Since when they differ")]
    is_being_checked: Annotated[
        bool, Meta(description="Whether the terminal is being asked for what it holds, or is to be")
    ]
    checked_at: Annotated[
        str | None, Meta(description="End of the last check; null if there was none")
    ]
    lost: Annotated[
        int, Meta(description="Recorded people whom the terminal did not have at the last check")
    ]
    lost_templates: Annotated[int, Meta(description="Recorded templates that it did not have")]
    found: Annotated[int, Meta(description="People whom it had and who were not recorded there")]
    no_packages: Annotated[
        str | None,
        Meta(description="Why the terminal gets people one by one, and not as packages"),
    ]
    reason: Annotated[
        str | None, Meta(description="Why the last check is incomplete; null if it is complete")
    ]


class DriftEndpoints:
    """Handlers of the routes of drift."""

    def __init__(self, services: Services) -> None:
        self._store = services.store

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "GET",
                "/areas/<name>/drift",
                Scope.READ,
                self.of_area,
                "What the terminals of an area count, compared with what is recorded",
                returns=Listing[DriftView],
                limited=(AREA,),
            ),
        ]

    async def of_area(self, name: str) -> Listing[DriftView]:
        """List the terminals of an area."""
        return whole(await self._store.read(lambda tx: _views_thd(tx, name)))


def _views_thd(tx: Transaction, name: str) -> list[DriftView]:
    if tx[AreaStore].find(name) is None:
        raise not_found(Phrase("There is no area %(name)s.", name=name[:40]))
    terminals = tx[DistributionStore].terminals()
    found = []
    for device, drift in drifts_thd(tx, name):
        terminal = terminals.get(device.id)
        found.append(
            DriftView(
                device=device.sn,
                differs=words_of(drift.differences) or None,
                since=instant_or_none(drift.since_at),
                is_being_checked=drift.is_asked,
                checked_at=instant_or_none(drift.checked_at),
                lost=drift.lost,
                lost_templates=drift.lost_templates,
                found=drift.found,
                no_packages=terminal.no_packages if terminal else None,
                reason=drift.reason,
            )
        )
    return found
