"""Names of all areas, for forms that choose from them."""

from __future__ import annotations

from ...model import DEFAULT_AREA
from ...persist.areas import DescribedAreas
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from .persons import PersonStore


def known_areas_thd(tx: Transaction) -> list[str]:
    """List the areas of terminals and of people, and the described ones, by name."""
    of_terminals = {name or DEFAULT_AREA for name in tx[TargetStore].area_counts()}
    of_people = tx[PersonStore].area_counts()
    return sorted({DEFAULT_AREA, *of_terminals, *of_people, *tx[DescribedAreas].names()})
