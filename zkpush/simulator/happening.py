"""What happens at a simulated terminal by itself: `HAPPENINGS` of the `simulate` part of a noun."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import attrs

from ..declarations import parts
from .model import Model

if TYPE_CHECKING:
    from .terminal import SimulatedTerminal


def _always(model: Model) -> bool:
    return True


@attrs.frozen
class Happening:
    """An event at a terminal other than a punch; it usually adds records to the terminal."""

    happen: Callable[[SimulatedTerminal, random.Random], None]
    """Makes it happen; all random choices are made with the second argument."""
    is_possible: Callable[[Model], bool] = _always
    """Whether it can happen at terminals of a model."""
    is_once: bool = False
    """Whether it happens only when the terminal is first connected, and not again later."""


@functools.cache
def happenings_of_nouns() -> Sequence[Happening]:
    """Return the happenings of all nouns, those of zkpush first."""
    return [one for module in parts("simulate") for one in getattr(module, "HAPPENINGS", ())]
