"""Areas: those that are described or distribute people, and the names of all."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Column, Table, select, text

from ..model import DEFAULT_AREA
from ..phrases import Phrase
from ..protocol.suggestions import did_you_mean
from .limits import person_areas
from .schema import KeyText, PlainText, metadata
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


def idle_areas_thd(
    tx: Transaction, names: Collection[str], seen: Collection[str] | None
) -> list[str]:
    """List those of some areas whose people are sent to no terminals, by name.

    `seen` are the areas of a limited caller, who learns of no other ones.
    """
    visible = {name for name in names if seen is None or name in seen}
    return sorted(visible.difference(distributing_thd(tx, visible)))


def check_areas_thd(tx: Transaction, names: Collection[str] | None) -> None:
    """Raise `ValueError` for a name that looks like a mistyped one of an area.

    A name that no area has is no mistake: an area may get its terminals and people later.
    """
    known = known_areas_thd(tx) if names else ()
    for name in sorted(set(names or ()).difference(known)):
        meant = did_you_mean(name, known)
        if meant:
            raise ValueError(
                Phrase(
                    "areas: There is no area %(name)s; %(meant)s If it is a new one, add it first.",
                    name=repr(name),
                    meant=meant,
                )
            )


def known_areas_thd(tx: Transaction) -> list[str]:
    """List the areas of terminals and of people, and the described ones, by name."""
    of_terminals = {name or DEFAULT_AREA for name in tx[TargetStore].area_counts()}
    others = select(person_areas().c.area).union(select(areas.c.name))
    return sorted({DEFAULT_AREA, *of_terminals, *tx.connection.execute(others).scalars()})
