"""Intents: actions on a terminal, independent of its family.

An intent is a value of a noun, such as `PutPerson` or `OpenDoor`. For each family, a noun
translates it to commands or states why that is impossible. Areas, jobs and buttons use intents;
only `POST commands` uses the commands of a family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import attrs

from ..model import Device
from ..persist.transaction import Transaction
from ..protocol.errors import CommandError


class NotPossible(CommandError):
    """A terminal cannot carry out an intent; the message gives the reason."""


@attrs.frozen
class Instruction:
    """One command of an intent: its catalogue name and parameters."""

    command: str
    params: Mapping[str, str] = attrs.field(factory=dict)


Translate = Callable[[Transaction, Device, Any], Sequence[Instruction]]
"""Returns the commands for an intent, in the order of execution.

Raises `NotPossible` if there are none, and `ValueError` if the intent is invalid. Runs in the unit
of work that queues the commands."""
Translations = Mapping[tuple[str, type], Translate]
"""Translations by family name and intent type."""


def impossible(why: str) -> Translate:
    """Return the translation of an intent that no terminal of a family can carry out."""

    def refuse(tx: Transaction, device: Device, intent: object) -> NoReturn:
        raise NotPossible(why)

    return refuse


class IntentTable:
    """The translations of all nouns."""

    def __init__(self, parts: Iterable[Translations] = ()) -> None:
        """Raises `ValueError` if two nouns translate one intent for one family."""
        self._known: dict[tuple[str, type], Translate] = {}
        for part in parts:
            for key, translate in part.items():
                if self._known.setdefault(key, translate) is not translate:
                    family, intent = key
                    raise ValueError(
                        f"two capabilities translate {intent.__name__} for the family {family}"
                    )

    def translate(self, tx: Transaction, device: Device, intent: object) -> Sequence[Instruction]:
        """Translate an intent for a terminal; raises `NotPossible` or `ValueError`."""
        translate = self._known.get((device.family, type(intent)))
        if translate is None:
            raise NotPossible(
                f"Terminals of the family {device.family} have no command for "
                f"{type(intent).__name__}."
            )
        return translate(tx, device, intent)
