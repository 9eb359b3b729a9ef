"""Areas: those that are described or distribute people, and the names of all."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Column, Table, select, text

from ..model import DEFAULT_AREA, MOST_NAME
from ..phrases import Phrase
from ..protocol.suggestions import did_you_mean
from .limits import person_areas
from .schema import PLACES, KeyText, PlainText, devices, metadata
from .targets import TargetStore

if TYPE_CHECKING:
    from .transaction import Transaction

areas = Table(
    "areas",
    metadata,
    Column("name", KeyText, primary_key=True),
    Column("description", PlainText()),
    Column("distributes", Boolean(), nullable=False, server_default=text("false")),
)
"""Areas that are described or distribute people. Others exist by their terminals and people."""


def distributing_thd(tx: Transaction, names: Collection[str]) -> list[str]:
    """List those of some areas whose people are kept on their terminals, by name."""
    query = select(areas.c.name).where(areas.c.distributes, areas.c.name.in_(names))
    return sorted(tx.connection.execute(query).scalars())


def sent_to_thd(tx: Transaction, pin: str) -> set[str]:
    """Return the terminals to which the server has sent a person, or may have, by serial number.

    They delete the person by themselves after a removal, also if their areas do not distribute.
    """
    own = next(table for table in metadata.tables.values() if table.info.get(PLACES)).c
    is_sent = own.told.is_not(None) | own.command.is_not(None) | own.wanted.is_(None)
    query = select(devices.c.sn).join(own.pin.table, own.device_id == devices.c.id)
    query = query.where(own.pin == pin, is_sent | (own.tries > 0))
    return {*tx.connection.execute(query).scalars()}


def idle_areas_thd(
    tx: Transaction, names: Collection[str], seen: Collection[str] | None
) -> list[str]:
    """List those of some areas whose people are sent to no terminals, by name.

    `seen` are the areas of a limited caller, who learns of no other ones.
    """
    visible = {name for name in names if seen is None or name in seen}
    return sorted(visible.difference(distributing_thd(tx, visible)))


def check_areas_thd(
    tx: Transaction,
    areas: Collection[str] | None,
    before: Collection[str] | None = None,
    *,
    name: str = "areas",
) -> None:
    """Raise `ValueError` for an area that does not exist, unless it was named `before`.

    `name` is that of the argument.
    """
    for one in sorted({*(areas or ())}.difference(before or ())):
        mistake = no_area_thd(tx, one)
        if mistake is not None:
            raise ValueError(Phrase("%(field)s: %(reason)s", field=name, reason=mistake))


def no_area_thd(tx: Transaction, name: str) -> str | None:
    """Return that there is no such area, with what to do; None if there is.

    It suggests names of areas, so it is not for callers who are limited to some.
    """
    known = known_areas_thd(tx)
    if name in known:
        return None
    shown, command = repr(name[:MOST_NAME]), f"zkpush areas put {shlex.quote(name[:MOST_NAME])}"
    meant = did_you_mean(name, known)
    if meant:
        return Phrase(
            "There is no area %(name)s; %(meant)s If it is a new one, add it first: `%(command)s`.",
            name=shown,
            meant=meant,
            command=command,
        )
    return Phrase(
        "There is no area %(name)s. Add it first: `%(command)s`.", name=shown, command=command
    )


def known_areas_thd(tx: Transaction) -> list[str]:
    """List the areas of terminals and of people, and the described ones, by name."""
    of_terminals = {name or DEFAULT_AREA for name in tx[TargetStore].area_counts()}
    others = select(person_areas().c.area).union(select(areas.c.name))
    return sorted({DEFAULT_AREA, *of_terminals, *tx.connection.execute(others).scalars()})
