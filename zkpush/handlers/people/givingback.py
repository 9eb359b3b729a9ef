"""What a terminal has changed of a user while it had somebody else, to be given back."""

from __future__ import annotations

from ...model import Page
from ...persist.transaction import Transaction
from .authorship import FIELDS, terminal
from .persons import PersonStore

MOST_CHANGES = 1000
"""Most changes of one user that are read."""


def former_thd(
    tx: Transaction, pin: str, sn: str, since: int, until: int | None = None
) -> dict[str, object]:
    """Return the former values of the fields of a user that a terminal has changed.

    `since` and `until` (ms) are the time of the changes. A field that somebody else has changed
    after the terminal is left out.
    """
    people, by = tx[PersonStore], terminal(sn)
    authors, former = people.authors(pin), dict[str, object]()
    for one in people.changes(pin, Page(MOST_CHANGES, newest_first=True)):
        is_then = one.at >= since and (until is None or one.at < until)
        if is_then and one.author == by == authors.get(one.field):
            text = one.old
            former[one.field] = None if text is None else FIELDS[one.field].kind.decode(text)
    return former
