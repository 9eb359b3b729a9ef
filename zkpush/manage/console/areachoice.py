"""The choice of an area for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import attrs

from ...model import DEFAULT_AREA
from ...persist.areas import distributing_thd, known_areas_thd
from ...persist.transaction import Transaction
from ...protocol.suggestions import did_you_mean
from .forms import FormMistakes
from .phrases import Phrase


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


def unknown_area(name: str, names: Iterable[str]) -> Phrase:
    """Say that an area has to be added, or which of the others may be meant."""
    found = no_area(name, names)
    if "meant" in found.values:
        return found
    return Phrase("There is no area %(name)s. Add it on the page of areas first.", name=name)


def no_area(name: str, names: Iterable[str]) -> Phrase:
    """Say that no area has a name, and which of the others may be meant."""
    meant = did_you_mean(name, names)
    if meant:
        return Phrase("There is no area %(name)s; %(meant)s", name=name, meant=meant)
    return Phrase("There is no area %(name)s.", name=name)


def check_ticked_areas_thd(
    tx: Transaction, names: Collection[str], kept: Collection[str] = ()
) -> None:
    """Raise `FormMistakes` for a ticked area that does not exist; those of `kept` may stay."""
    known = known_areas_thd(tx)
    strange = [name for name in names if name not in known and name not in kept]
    if strange:
        raise FormMistakes(areas=unknown_area(strange[0], known))


def chosen_area_thd(tx: Transaction, name: str, areas: Collection[str] | None = None) -> str | None:
    """Return a chosen area as terminals store it; `FormMistakes` if it is none of the choices."""
    names = area_choice_thd(tx, areas).names
    if name not in names:
        raise FormMistakes(area=unknown_area(name, names))
    return None if name == DEFAULT_AREA else name
