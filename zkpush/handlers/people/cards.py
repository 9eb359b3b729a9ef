"""Cards of people: operators give a card to one person only.

Terminals may state anything; what they upload is stored as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ...manage.errors import ApiError
from ...model import Caller
from ...persist.limits import AreaLimitStore
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...protocol.scalars import decode_card
from .persons import PersonStore
from .store import PeopleStore

CARDS = ("card", "vice_card")
"""Fields that hold the number of a card."""
_MOST_DIGITS = 20
"""Digits of the largest number, which has 64 bits; readers write zeros before smaller ones."""


class CardTaken(ApiError):
    """A card that belongs to another person (409)."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(HTTPStatus.CONFLICT, detail)
        self.field = field


def card_number(value: object) -> str:
    """Return the number of a card without leading zeros; empty if there is none."""
    with contextlib.suppress(ValueError):
        return decode_card(str(value or "")).lstrip("0")
    return ""


def with_numbers(fields: Mapping[str, object], known: Mapping[str, object]) -> dict[str, object]:
    """Write the bytes of cards as their numbers, as terminals state them.

    `known` are stored values, which stay as they are.
    """
    found = {**fields}
    for name in CARDS:
        text = fields.get(name)
        if isinstance(text, str) and text != known.get(name):
            found[name] = decode_card(text) or None
    return found


def check_cards_thd(
    tx: Transaction, caller: Caller, pin: str, fields: Mapping[str, object]
) -> None:
    """Raise `CardTaken` if a change would give a person the card of another one.

    A person keeps a card that a terminal has stated of two people. Cards are given by one process
    at a time: two could give one card to two people, as neither sees what the other has not stored.
    """
    given = {name: card_number(fields.get(name)) for name in CARDS}
    if not any(given.values()):
        return
    tx.take_turn("cards")
    stored = tx[PersonStore].authored([pin]).get(pin, {})
    own = {card_number(stored[name].value) for name in CARDS if name in stored}
    for name, number in given.items():
        if number and number not in own:
            holder = tx[PeopleStore].holder_of_card(_spellings(number), pin)
            if holder is not None:
                raise CardTaken(name, _taken_thd(tx, caller, number, holder))


def _spellings(number: str) -> list[str]:
    """Return a number as it may be stored: with and without leading zeros."""
    widths = range(len(number), max(_MOST_DIGITS, len(number)) + 1)
    return [number.zfill(width) for width in widths]


def _taken_thd(tx: Transaction, caller: Caller, number: str, holder: str) -> str:
    """Say who has a card, unless that is a person of other areas than a limited caller's."""
    if caller.areas is not None and not tx[AreaLimitStore].people([holder], caller.areas):
        return Phrase("Another person has this card already.")
    return taken(number, holder, tx[PeopleStore].names([holder]).get(holder))


def taken(number: str, holder: str, name: str | None) -> str:
    """Say which person has a card."""
    if not name:
        return Phrase(
            "Card %(card)s belongs to user %(pin)s already. Take it from that person first.",
            card=number,
            pin=holder,
        )
    return Phrase(
        "Card %(card)s belongs to user %(pin)s (%(name)s) already. Take it from that person first.",
        card=number,
        pin=holder,
        name=name,
    )


class PlannedCards:
    """Who has which card while the lines of a file are applied one after the other."""

    def __init__(self, stored: Mapping[str, Mapping[str, Any]]) -> None:
        """`stored` are the people by user ID."""
        self._stored = stored
        self._holders: dict[str, dict[str, int | None]] = {}
        for pin, person in stored.items():
            for number in _numbers(person):
                self._holders.setdefault(number, {})[pin] = None

    def give(self, line: int, pin: str, fields: Mapping[str, object]) -> str | None:
        """Apply a line; return its mistake if a card belongs to another person."""
        before = self._stored.get(pin, {})
        old, new = _numbers(before), _numbers({**before, **fields})
        for number in new - old:
            for holder, other_line in self._holders.get(number, {}).items():
                if other_line is not None:
                    return Phrase(
                        "Card %(card)s is in line %(line)s already, for user %(pin)s.",
                        card=number,
                        line=other_line,
                        pin=holder,
                    )
                return taken(number, holder, self._stored[holder]["name"])
        for number in old - new:
            del self._holders[number][pin]
        for number in new - old:
            self._holders.setdefault(number, {})[pin] = line
        return None


def _numbers(person: Mapping[str, object]) -> set[str]:
    return {number for name in CARDS if (number := card_number(person.get(name)))}
