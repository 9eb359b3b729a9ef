"""Fields of forms that name a terminal.

Few terminals are a list to choose from. Of many, the list would be most of the page, so their name
or serial number is typed.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ...model import DeviceState, Page
from ...persist.devices import DeviceStore
from ...persist.limits import AreaLimitStore
from ...persist.transaction import Transaction
from .phrases import Phrase, words_of

MOST_OPTIONS = 100
"""Maximum number of terminals to choose from."""
MOST_NAMED = 5
"""Maximum number of terminals that a mistake names."""
TypedSerials = Annotated[str, Meta(max_length=20_000)]
"""Serial numbers that are typed in, or chosen in a list, separated by spaces."""

Terminals = list[tuple[str, str]] | None
"""Serial numbers and names of terminals to choose from; None if they are too many."""


def terminal_options_thd(
    tx: Transaction, state: DeviceState | None = None, areas: frozenset[str] | None = None
) -> Terminals:
    """Return serial numbers and names of terminals, by name; None for more than `MOST_OPTIONS`.

    `areas` are those of a limited account.
    """
    wanted = None if state is None else state.value
    found = tx[DeviceStore].search(Page(MOST_OPTIONS + 1, areas=areas), state=wanted)
    if len(found) > MOST_OPTIONS:
        return None
    named = sorted((one.alias or one.sn, one.sn) for one in found)
    return [(sn, name) for name, sn in named]


def filtered_terminal_thd(
    tx: Transaction, text: str, areas: frozenset[str] | None, wrong: dict[str, str]
) -> str | None:
    """Return the serial number that the filter `device` of a list means; None for all terminals.

    If it means none, the mistake is added to `wrong`.
    """
    if not text.strip():
        return None
    try:
        return find_terminal_thd(tx, text, areas)
    except ValueError as error:
        wrong["device"] = words_of(error)
        return text


def find_terminal_thd(tx: Transaction, text: str, areas: frozenset[str] | None = None) -> str:
    """Return the serial number of the terminal with this serial number or name, or part of it.

    `areas` are those of a limited account. `ValueError` if there is none, or more than one.
    """
    text = text.strip()
    if tx[AreaLimitStore].terminals([text], areas) if areas else tx[DeviceStore].find(text):
        return text
    found = tx[DeviceStore].search(Page(MOST_OPTIONS, areas=areas), text)
    named = [one for one in found if text.lower() in f"{one.alias or ''}\n{one.sn}".lower()]
    exact = [one for one in named if (one.alias or "").lower() == text.lower()]
    named = exact or named
    if not named:
        raise ValueError(Phrase("No terminal has this name or serial number."))
    if len(named) > 1:
        names = ", ".join(f"{one.alias or one.sn} ({one.sn})" for one in named[:MOST_NAMED])
        raise ValueError(
            Phrase("Several terminals are found, such as %(names)s. Say which one.", names=names)
        )
    return named[0].sn
