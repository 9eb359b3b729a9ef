"""Question before a new person gets a user ID that is not unused: one rule for all ways to add."""

from __future__ import annotations

from collections.abc import Callable

from ...manage.console.pages import ConfirmationQuestion
from ...manage.console.phrases import Phrase
from ...model import Page
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...values.punchspans import PunchSpan
from .former import FormerPeople
from .numbering import (
    erased_phrase,
    free_pin_thd,
    own_punches_phrase,
    reuse_phrase,
    unowned_phrase,
)
from .persons import PersonStore
from .store import PeopleStore

CountPunches = Callable[[Transaction, PunchSpan], int]
MOST_TERMINALS = 200
"""Maximum number of terminals whose punches are counted for a limited account."""


def reuse_question_thd(
    tx: Transaction, pin: str, name: str, areas: frozenset[str] | None, count: CountPunches
) -> ConfirmationQuestion | None:
    """Return the question; None if the user ID is unused, or that of a person of the same name.

    `areas` are those of a limited account, and `count` counts punches.
    """
    if tx[PeopleStore].known([pin]):
        return None
    departure, free = tx[FormerPeople].departure(pin, areas), free_pin_thd(tx)
    if departure is not None and not departure.is_erased:
        text = reuse_phrase(pin, name, departure.name, free)
    elif areas is None:
        text = stored_phrase_thd(tx, pin, free, count)
    else:
        own = tx[DeviceStore].search(Page(MOST_TERMINALS, areas=areas))
        found = sum(count(tx, PunchSpan(pin=pin, device_id=one.id)) for one in own)
        text = own_punches_phrase(pin, found, free) if found else None
    if text is None:
        return None
    title, button = Phrase("Give the user ID to somebody else?"), Phrase("Add a person")
    if departure is None:
        title = Phrase("Are these punches the new person's?")
    return ConfirmationQuestion(
        title=title, text=text, button=button, back="/people/new", keeps_entry=True
    )


def stored_phrase_thd(tx: Transaction, pin: str, free: str, count: CountPunches) -> Phrase | None:
    """Say whose the punches are under a user ID that nobody has; None without punches."""
    found = count(tx, PunchSpan(pin=pin))
    if not found:
        return None
    is_erased = tx[PersonStore].is_erased(pin)
    return erased_phrase(pin, found, free) if is_erased else unowned_phrase(pin, found, free)
