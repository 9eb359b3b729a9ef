"""Filters of the audit log in the words that its page shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...manage.console.actors import actor_phrase
from ...manage.console.terminalchoice import find_terminal_thd
from ...model import Page
from ...persist.audit import AuditStore
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import Phrase, words_of
from ...protocol.suggestions import did_you_mean
from ..people.model import PeopleFilter
from ..people.store import FormerPeople, PeopleStore

MOST_PEOPLE = 5
"""Maximum number of people whom a mistake names."""
MOST_GIVEN = 60
"""Characters of a text that a mistake repeats."""


def actors_thd(
    tx: Transaction, text: str, said: Callable[[str], str], wrong: dict[str, str]
) -> Sequence[str] | None:
    """Return the stored actors that a text means; None for all.

    A text is an actor as it is stored, in words, or by its name alone, in any case; `said`
    translates words. If it means none, the mistake is added to `wrong`.
    """
    wanted = text.strip().casefold()
    if not wanted:
        return None
    words: dict[str, list[str]] = {}
    for actor in tx[AuditStore].actors():
        name = actor.partition(" ")[2]
        for one in {actor, name, said(actor_phrase(actor)), actor_phrase(actor)} - {""}:
            words.setdefault(one, []).append(actor)
    found = {actor for one, actors in words.items() if one.casefold() == wanted for actor in actors}
    if not found:
        meant = did_you_mean(text, words)
        given = text[:MOST_GIVEN]
        wrong["actor"] = (
            Phrase("Nobody in the log is called %(given)s; %(meant)s", given=given, meant=meant)
            if meant
            else Phrase("Nobody in the log is called %(given)s.", given=given)
        )
    return sorted(found)


def terminal_thd(tx: Transaction, text: str, wrong: dict[str, str]) -> str | None:
    """Return the serial number of the terminal that a text means; None for all.

    A text is a name, a serial number, or a part of one; a terminal that is gone is found by its
    serial number. If it means none, the mistake is added to `wrong`.
    """
    text = text.strip()
    if not text:
        return None
    try:
        return find_terminal_thd(tx, text)
    except ValueError as error:
        if not tx[AuditStore].page(Page(1), device=text):
            wrong["device"] = words_of(error)
        return text


def person_thd(tx: Transaction, text: str, wrong: dict[str, str]) -> str | None:
    """Return the user ID of the person whom a text means; None for all.

    A text is a user ID, or a part of the name of one person. If it means several, the mistake is
    added to `wrong`; a text of nobody is a user ID, since the log may name people who are gone.
    """
    text = text.strip()
    people = tx[PeopleStore]
    if not text or people.known([text]):
        return text or None
    part = Page(MOST_PEOPLE)
    found = {one.pin: one.name for one in people.search(part, PeopleFilter(text=text))}
    found |= dict(tx[FormerPeople].search(text, MOST_PEOPLE))
    if text in found or not found:
        return text
    if len(found) > 1:
        names = ", ".join(f"{name or pin} ({pin})" for pin, name in found.items())
        wrong["pin"] = Phrase("Several people are found, such as %(names)s. Say who.", names=names)
    return next(iter(found))


def suggested_terminals_thd(tx: Transaction, most: int) -> list[str]:
    """Return names and serial numbers of terminals to suggest."""
    found = tx[DeviceStore].search(Page(most))
    return sorted({name for one in found for name in (one.alias, one.sn) if name})
