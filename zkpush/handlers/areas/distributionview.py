"""What it means that an area distributes, and how far that is, as the API shows it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ...persist.online import OnlineWindow
from ...persist.transaction import Transaction
from .affected import AffectedPerson, affected_people_thd
from .confirming import area_terminals, effect_of
from .model import Area, PartState
from .pace import connected_thd, on_its_way, seconds_left_thd
from .places import PlaceStore


class PartCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of people (fields, templates and photos) on terminals, by state."""

    there: int = 0
    on_its_way: int = 0
    conflict: Annotated[
        int, Meta(description="Not sent while a conflict with the terminal waits for a decision")
    ] = 0
    refused: int = 0
    does_not_fit: int = 0
    unknown: int = 0


class DistributionView(msgspec.Struct, frozen=True, kw_only=True):
    """What it means that an area distributes, and how far that is."""

    people: int
    devices: Annotated[int, Meta(description="Approved terminals of the area")]
    commands: Annotated[int, Meta(description="Largest number of commands that may be needed")]
    deletions: Annotated[
        int,
        Meta(
            description="People to delete from terminals: all, as long as the area does not "
            "distribute, else those whose deletion waits"
        ),
    ]
    unconfirmed: Annotated[
        int,
        Meta(
            description="People of the area whom only terminals have stated, and who would come to "
            "all its terminals; 0 for an area that distributes"
        ),
    ]
    privileged: Annotated[
        int,
        Meta(
            description="People of the area with rights that only a terminal has given, and which "
            "stay there; 0 for an area that distributes"
        ),
    ]
    with_passwords: Annotated[
        int,
        Meta(
            description="People of the area with a password that only a terminal has stated, and "
            "which comes to all its terminals; 0 for an area that distributes"
        ),
    ]
    of_terminals: Annotated[
        int,
        Meta(
            description="People of any of these three kinds, some of whom are named; 0 for an area "
            "that distributes"
        ),
    ]
    unfetched: Annotated[
        int,
        Meta(
            description="People whom the terminals count beyond those that they have stated; 0 for "
            "an area that distributes"
        ),
    ]
    named: Annotated[
        list[AffectedPerson],
        Meta(description="Some of the people who would spread or be deleted, at most ten of each"),
    ]
    parts: PartCounts
    seconds_left: Annotated[
        int | None,
        Meta(
            description="Estimated time until nothing is on its way to connected terminals, at the "
            "pace of the last ten minutes; null if terminals have executed too few commands in "
            "that time"
        ),
    ]
    for_unconnected: Annotated[
        int, Meta(description="Parts on their way to terminals that are not connected")
    ]


def distribution_thd(
    tx: Transaction, area: Area, now: int, window: OnlineWindow, areas: frozenset[str] | None
) -> DistributionView:
    """Show what it means that an area distributes, and how far that is.

    Terminals that are online in the window are connected.
    """
    effect = effect_of(tx, area)
    keys = area_terminals(tx, area.name)
    counts = tx[PlaceStore].counts(keys)
    left = on_its_way(counts)
    connected = connected_thd(tx, keys, window)
    reached = on_its_way(tx[PlaceStore].counts(connected))
    return DistributionView(
        unconfirmed=effect.unconfirmed,
        privileged=effect.privileged,
        with_passwords=effect.with_passwords,
        of_terminals=effect.of_terminals,
        unfetched=effect.unfetched,
        named=[] if area.distributes else affected_people_thd(tx, area, areas),
        people=effect.people,
        devices=effect.devices,
        commands=effect.commands,
        deletions=effect.deletions,
        parts=PartCounts(
            there=counts.get(PartState.THERE, 0),
            on_its_way=left,
            conflict=counts.get(PartState.CONFLICT, 0),
            refused=counts.get(PartState.REFUSED, 0),
            does_not_fit=counts.get(PartState.DOES_NOT_FIT, 0),
            unknown=counts.get(PartState.UNKNOWN, 0),
        ),
        seconds_left=seconds_left_thd(tx, connected, reached, now),
        for_unconnected=left - reached,
    )
