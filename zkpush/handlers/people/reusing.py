"""Question before a new person gets the user ID of somebody who left."""

from __future__ import annotations

from collections.abc import Callable

from ...manage.console.pages import ConfirmationQuestion
from ...manage.console.phrases import Phrase
from ...persist.transaction import Transaction
from ...values.punchspans import PunchSpan
from .former import FormerPeople
from .numbering import erased_phrase, free_pin_thd, reuse_phrase

CountPunches = Callable[[Transaction, PunchSpan], int]


def reuse_question_thd(
    tx: Transaction, pin: str, name: str, areas: frozenset[str] | None, count: CountPunches
) -> ConfirmationQuestion | None:
    """Return the question; None if nobody had the user ID, or a person of the same name.

    `areas` are those of a limited account, and `count` counts punches.
    """
    former = tx[FormerPeople]
    departure = former.departure(pin, areas)
    if departure is None:
        return None
    free = free_pin_thd(tx)
    if departure.is_erased:
        found = count(tx, PunchSpan(pin=pin))
        text = erased_phrase(pin, found, free) if found else None
    else:
        text = reuse_phrase(pin, name, departure.name, free)
    if text is None:
        return None
    title, button = Phrase("Give the user ID to somebody else?"), Phrase("Add a person")
    return ConfirmationQuestion(title=title, text=text, button=button, back="/people/new")
