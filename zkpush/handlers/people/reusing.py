"""Question before a new person gets the user ID of somebody who left."""

from __future__ import annotations

from ...manage.console.pages import ConfirmationQuestion
from ...manage.console.phrases import Phrase
from ...persist.transaction import Transaction
from .former import FormerPeople
from .numbering import free_pin_thd, reuse_phrase


def reuse_question_thd(
    tx: Transaction, pin: str, name: str, areas: frozenset[str] | None
) -> ConfirmationQuestion | None:
    """Return the question; None if nobody had the user ID, or a person of the same name.

    `areas` are those of a limited account.
    """
    former = tx[FormerPeople]
    if pin not in former.among([pin], areas):
        return None
    left = former.names([pin], areas).get(pin)
    text = reuse_phrase(pin, name, left, free_pin_thd(tx))
    if text is None:
        return None
    title, button = Phrase("Give the user ID to somebody else?"), Phrase("Add a person")
    return ConfirmationQuestion(title=title, text=text, button=button, back="/people/new")
