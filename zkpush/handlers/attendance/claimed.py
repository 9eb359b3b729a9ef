"""Attendance records with the claims of other people to them, as the API lists them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

import attrs
from msgspec import Meta

from ...manage.recordviews import TIMED, record_view, show_record
from ...model import Page
from ...persist.limits import AreaLimitStore
from ...persist.transaction import Transaction
from ...protocol.secrecy import Scopes
from ..people.model import PunchClaim, PunchOwner
from ..people.store import ClaimStore, FormerPeople, PeopleStore
from .model import Punch, PunchFilter, claim_to
from .store import AttendanceStore
from .tables import ATTLOG

ListedView = record_view(
    "AttendanceRecord",
    ATTLOG,
    *TIMED,
    (
        "other_person",
        Annotated[
            str | None,
            Meta(
                description="Name of whom the terminal had under the user ID, whose punch it may "
                "be, or is by a decision; empty if it is not stored, null if there is nobody"
            ),
        ],
        None,
    ),
    (
        "not_counted",
        Annotated[
            bool, Meta(description="Whether it is decided that the punch is the other person's")
        ],
        False,
    ),
)


@attrs.frozen
class ListedPunch:
    """A record, and the claim of another person to it, if there is one."""

    punch: Punch
    claim: PunchClaim | None

    @property
    def id(self) -> int:
        """Id of the record."""
        return self.punch.id

    @property
    def device(self) -> str:
        """Serial number of the terminal."""
        return self.punch.device


def listed_thd(tx: Transaction, part: Page, wanted: PunchFilter) -> list[ListedPunch]:
    """List records by id, with the claims to them."""
    punches = tx[AttendanceStore].page(part, wanted)
    pins = {one.pin for one in punches}
    claims = claims_thd(tx, pins, part.areas)
    if not claims:
        return [ListedPunch(one, None) for one in punches]
    holders = tx[PeopleStore].holders({pin for pin, _ in claims}, part.areas)
    return [
        ListedPunch(one, claim_to(one, holders.at(one.pin, one.utc).name, claims))
        for one in punches
    ]


def claims_thd(
    tx: Transaction, pins: Collection[str], areas: frozenset[str] | None = None
) -> Mapping[tuple[str, str], Sequence[PunchClaim]]:
    """Return the claims of `claim_to` that a caller may see; `areas` are those of a limited one."""
    claims = tx[ClaimStore]
    if not pins or not claims.page(Page(1)):
        return {}
    if areas is not None:
        pins = tx[AreaLimitStore].people(pins, areas) | tx[FormerPeople].among(pins, areas)
    return claims.by_place(pins)


def listed_view(one: ListedPunch, scopes: Scopes) -> Any:
    """Return the view of a record of a list."""
    claim = one.claim
    more = {
        "other_person": None if claim is None else claim.name,
        "not_counted": claim is not None and claim.owner is PunchOwner.OTHER,
    }
    return show_record(ListedView, ATTLOG, one.punch, scopes, more)
