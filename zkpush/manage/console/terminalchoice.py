"""Fields of forms that name a terminal.

Few terminals are a list to choose from. Of many, the list would be most of the page, so their name
or serial number is typed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from ...model import Device, DeviceState, Page
from ...persist.devices import DeviceStore
from ...persist.limits import AreaLimitStore
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from ...protocol.suggestions import did_you_mean, similar_names
from .phrases import Phrase, words_of

MOST_OPTIONS = 100
"""Maximum number of terminals to choose from."""
MOST_NAMED = 5
"""Maximum number of terminals that a mistake names."""
MOST_COMPARED = 2000
"""Maximum number of terminals whose names are compared with a mistyped one."""
MOST_SHOWN = 60
"""Characters of a mistyped name that are shown."""
_BETWEEN = re.compile("[,;\n\N{ARABIC COMMA}\N{FULLWIDTH COMMA}\N{FULLWIDTH SEMICOLON}]")
TypedSerials = Annotated[str, Meta(max_length=20_000)]
"""Terminals that are typed in, or serial numbers that are chosen in a list; see
`typed_terminals_thd`."""

Terminals = list[tuple[str, str]] | None
"""Serial numbers and names of terminals to choose from; None if they are too many."""


def terminal_options_thd(
    tx: Transaction, state: DeviceState | None = None, areas: frozenset[str] | None = None
) -> Terminals:
    """Return serial numbers and names of terminals, by name; None for more than `MOST_OPTIONS`.

    `areas` are those of a limited account.
    """
    found = tx[TargetStore].names(MOST_OPTIONS + 1, state, areas)
    if len(found) > MOST_OPTIONS:
        return None
    named = sorted((alias or sn, sn) for sn, alias in found)
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
        raise ValueError(unknown_terminal_thd(tx, text, areas))
    if len(named) > 1:
        raise ValueError(_several(named))
    return named[0].sn


def unknown_terminal_thd(tx: Transaction, text: str, areas: frozenset[str] | None) -> Phrase:
    """Say that no terminal has a name or serial number, and which may be meant."""
    found = tx[DeviceStore].search(Page(MOST_COMPARED, areas=areas))
    meant = did_you_mean(text, [name for one in found for name in (one.alias, one.sn) if name])
    if meant:
        return Phrase(
            "No terminal has the name or serial number %(given)s; %(meant)s",
            given=text[:MOST_SHOWN],
            meant=meant,
        )
    return Phrase("No terminal has the name or serial number %(given)s.", given=text[:MOST_SHOWN])


def similar_terminals_thd(
    tx: Transaction, text: str, areas: frozenset[str] | None
) -> list[tuple[str, str]] | None:
    """Return serial numbers and names of terminals that may be meant by a serial number.

    None if a terminal has exactly this one. `areas` are those of a limited account.
    """
    if tx[TargetStore].named([text], areas):
        return None
    found = tx[DeviceStore].search(Page(MOST_COMPARED, areas=areas))
    names = {name: one for one in found for name in (one.alias, one.sn) if name}
    similar = (names[name] for name in similar_names(text, names))
    meant = {one.sn: f"{one.alias} ({one.sn})" if one.alias else one.sn for one in similar}
    return [*meant.items()]


def typed_terminals_thd(
    tx: Transaction, text: str, areas: frozenset[str] | None = None
) -> list[str]:
    """Return the serial numbers of terminals that are typed in, with commas between them.

    Each is named by its whole name or serial number; serial numbers may have spaces between them
    as well. `areas` are those of a limited account. `ValueError` for a name of no terminal, or of
    several.
    """
    serials: dict[str, None] = {}
    for piece in filter(None, (one.strip() for one in _BETWEEN.split(text))):
        words = piece.split()
        known = tx[TargetStore].named([piece, *words], areas)
        if piece in known:
            serials[piece] = None
        elif all(word in known for word in words):
            serials |= dict.fromkeys(words)
        else:
            serials[_by_name_thd(tx, piece, areas)] = None
    return [*serials]


def _by_name_thd(tx: Transaction, name: str, areas: frozenset[str] | None) -> str:
    found = tx[DeviceStore].search(Page(MOST_OPTIONS, areas=areas), name)
    named = [one for one in found if (one.alias or "").casefold() == name.casefold()]
    if not named:
        raise ValueError(unknown_terminal_thd(tx, name, areas))
    if len(named) > 1:
        raise ValueError(_several(named))
    return named[0].sn


def names_of_terminals_thd(
    tx: Transaction, serials: Sequence[str], areas: frozenset[str] | None = None
) -> str:
    """Return terminals as they can be typed: by name, or by serial number where that is unclear."""
    visible = tx[TargetStore].named(serials, areas)

    def typed(sn: str) -> str:
        name = visible[sn].alias if sn in visible else None
        try:
            return name if name and typed_terminals_thd(tx, name, areas) == [sn] else sn
        except ValueError:
            return sn

    return ", ".join(map(typed, serials))


def _several(found: Sequence[Device]) -> Phrase:
    names = ", ".join(f"{one.alias or one.sn} ({one.sn})" for one in found[:MOST_NAMED])
    return Phrase("Several terminals are found, such as %(names)s. Say which one.", names=names)
