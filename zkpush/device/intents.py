"""Intents: what is wanted of a terminal, whatever family it is of.

An intent is a value of a noun, such as `PutPerson` or `OpenDoor`. For each family, a noun says by
which commands it is done, or why it is not possible. Areas, jobs and buttons speak intents; only
`POST commands` speaks the words of a family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import attrs

from ..model import Device
from ..persist.transaction import Transaction
from ..protocol.errors import CommandError


class NotPossible(CommandError):
    """An intent that a terminal cannot execute; the message says why."""


@attrs.frozen
class Instruction:
    """One command by which an intent is done: its words in the catalogue, and its parameters."""

    command: str
    params: Mapping[str, str] = attrs.field(factory=dict)


Translate = Callable[[Transaction, Device, Any], Sequence[Instruction]]
"""Returns the commands for an intent, in the order in which they are to be executed.

`NotPossible` if there are none, `ValueError` if the intent itself is wrong. It runs in the unit of
work that queues the commands.
"""
Translations = Mapping[tuple[str, type], Translate]
"""By the name of the family, and the type of the intent."""


def impossible(why: str) -> Translate:
    """Make the translation of an intent that no terminal of a family can execute."""

    def refuse(tx: Transaction, device: Device, intent: object) -> NoReturn:
        raise NotPossible(why)

    return refuse


class IntentTable:
    """The translations of all nouns."""

    def __init__(self, parts: Iterable[Translations] = ()) -> None:
        """`ValueError` if two nouns translate one intent for one family."""
        self._known: dict[tuple[str, type], Translate] = {}
        for part in parts:
            for key, translate in part.items():
                if self._known.setdefault(key, translate) is not translate:
                    family, intent = key
                    raise ValueError(
                        f"two capabilities translate {intent.__name__} for the family {family}"
                    )

    def translate(self, tx: Transaction, device: Device, intent: object) -> Sequence[Instruction]:
        """Translate an intent for a terminal; `NotPossible` or `ValueError`."""
        translate = self._known.get((device.family, type(intent)))
        if translate is None:
            raise NotPossible(
                f"Terminals of the family {device.family} have no command for "
                f"{type(intent).__name__}."
            )
        return translate(tx, device, intent)
