"""The choice of an area for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import attrs

from ...model import DEFAULT_AREA
from ...persist.areas import distributing_thd, known_areas_thd
from ...persist.transaction import Transaction
from .forms import FormMistakes
from .phrases import Phrase

NO_AREA = Phrase("There is no such area. Add it on the page of areas first.")


@attrs.frozen
class AreaChoice:
    """The areas to choose from."""

    names: Sequence[str]
    """The default one first."""
    keeping: Sequence[str]
    """Those that keep their people on their terminals."""

    @property
    def options(self) -> Sequence[tuple[str, str]]:
        """Values and labels."""
        return [(name, name) for name in self.names]


def area_choice_thd(tx: Transaction, areas: Collection[str] | None = None) -> AreaChoice:
    """Return the areas that a terminal can be put into; `areas` are those of a limited account."""
    names = [name for name in known_areas_thd(tx) if areas is None or name in areas]
    names.sort(key=lambda name: (name != DEFAULT_AREA, name))
    return AreaChoice(names, distributing_thd(tx, names))


def chosen_area_thd(tx: Transaction, name: str, areas: Collection[str] | None = None) -> str | None:
    """Return a chosen area as terminals store it; `FormMistakes` if it is none of the choices."""
    if name not in area_choice_thd(tx, areas).names:
        raise FormMistakes(area=NO_AREA)
    return None if name == DEFAULT_AREA else name
