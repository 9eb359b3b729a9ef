"""The people to whom something happens if an area begins to distribute, as the API shows them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ...persist.transaction import Transaction
from ..people.tables import USER
from .beginning import affected_thd
from .model import Area

_RIGHTS = USER.field("privilege")


class AffectedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A person to whom something happens if the area begins to distribute."""

    pin: str
    name: str | None
    privilege: Annotated[
        int | None,
        Meta(description="Rights that only a terminal has given, of one who would spread"),
    ] = None
    privilege_meaning: str | None = None
    has_password: Annotated[
        bool,
        Meta(
            description="Whether there is a password that only a terminal has stated, of one who "
            "would spread"
        ),
    ] = False
    deleted_from: Annotated[
        str | None,
        Meta(
            description="Serial number of a terminal that would delete the person; null for one "
            "of whom only terminals have stated something, and who would spread"
        ),
    ] = None


def affected_people_thd(
    tx: Transaction, area: Area, areas: frozenset[str] | None
) -> list[AffectedPerson]:
    """Return the first of the people to whom something happens; `areas` are a limited caller's."""
    found = affected_thd(tx, area, areas)
    return [
        *(
            AffectedPerson(
                pin=pin,
                name=person,
                privilege=privilege,
                privilege_meaning=_RIGHTS.words(privilege, {}),
                has_password=has_password,
            )
            for pin, person, privilege, has_password in found.unconfirmed
        ),
        *(
            AffectedPerson(pin=pin, name=person, deleted_from=sn)
            for pin, person, sn in found.deleted
        ),
    ]
