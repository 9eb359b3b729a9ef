"""People whom a caller who is limited to areas may name in commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import select

from ...model import Caller
from ...persist.limits import AreaLimitStore
from ...phrases import Phrase
from ...protocol.fields import Command
from .model import PEOPLE
from .schema import users

if TYPE_CHECKING:
    from ...persist.transaction import Transaction

_FILES = "a token that is limited to areas sends no files, which are those of all areas."
_EVERYBODY = f"{PEOPLE}: a token that is limited to areas names the people of a package."


def check_commands_thd(
    tx: Transaction, caller: Caller, commands: Iterable[tuple[Command, Mapping[str, str]]]
) -> None:
    """Raise `ValueError` if commands of a limited caller concern people of other areas.

    A command that a terminal carries out may change the person it names.
    """
    if caller.areas is None:
        return
    pins: set[str] = set()
    for entry, params in commands:
        if entry.name == "UPGRADE" or (entry.name == "PutFile" and "url" in params):
            raise ValueError(Phrase("command: %(files)s", files=_FILES))
        if entry.name == "PutFile" and not params.get(PEOPLE):
            raise ValueError(_EVERYBODY)
        pins.update(params.get(PEOPLE, "").split(","))
        pins.update(params.get(one.wire, "") for one in entry.parameters if one.name == "pin")
    query = select(users.c.pin).where(users.c.pin.in_(pins))
    known = {*tx.connection.execute(query).scalars()}
    for pin in sorted(known - tx[AreaLimitStore].people(known, caller.areas)):
        raise ValueError(Phrase("PIN: the user ID %(pin)s is not of your areas.", pin=pin))
