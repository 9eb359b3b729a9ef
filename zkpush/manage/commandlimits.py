"""Commands whose content callers who are limited to areas do not see.

A terminal keeps its commands when it, or a person, moves to another area. So a command in the queue
of a caller's terminal may concern another area: it was queued while the terminal was in that area,
or it is about a person outside the caller's areas. The caller sees that it is there and how it
ended, but neither its parameters nor its result. A command whose area is unknown, because an
earlier version queued it, is treated as one of another area. A package that names nobody, such
as one of everybody or of what is on its way from the area that the terminal had then, may be about
such people and is treated as if it were.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from ..persist.limits import AreaLimitStore
from ..persist.transaction import Transaction
from ..protocol.catalogue import Catalogue
from ..protocol.fields import Command
from ..values.commands import QueuedCommand

AT_ONCE = 10_000
"""Most user IDs in one query; the commands of a page rarely name as many."""
_FIELD = "pin"
"""The name of the fields with a user ID."""
_ACTION = "Action"
"""The parameter of commands that carry a package of people."""
_PEOPLE = "People"
"""The parameter with the user IDs of a package, separated by commas."""
_KEY = re.compile(r"pin\d*", re.ASCII | re.IGNORECASE)
"""Parameters with a user ID, of results and of commands that are not in the catalogue any more."""
_ASSIGNED = re.compile(r"pin\d*[ ]?=[ ]?([^\s,;&]+)", re.ASCII | re.IGNORECASE)
"""A user ID in a whole line, as RAW sends it."""
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
"""What each user ID has, other than `*`, which stands for everybody."""


def outside_thd(
    tx: Transaction,
    catalogue: Catalogue,
    commands: Collection[QueuedCommand],
    areas: Collection[str] | None,
) -> frozenset[str]:
    """Return the ids of the commands that concern, or may concern, what is outside some areas.

    `areas` are those of a limited caller; None, for other callers, is no limit. A person who is
    unknown or was removed is outside.
    """
    if areas is None:
        return frozenset()
    named = {one.id: people_of(catalogue.get(one.command, one.family), one) for one in commands}
    pins = sorted(frozenset().union(*named.values()))
    store, mine = tx[AreaLimitStore], set[str]()
    for start in range(0, len(pins), AT_ONCE):
        mine |= store.people(pins[start : start + AT_ONCE], areas)
    outside = {one.id for one in commands if one.area not in areas or _is_unnamed_package(one)}
    return frozenset(id for id, people in named.items() if id in outside or not people <= mine)


def _is_unnamed_package(command: QueuedCommand) -> bool:
    """Whether a command carries a package of people whom it does not name."""
    given = {**command.params, **command.asked}
    return _ACTION in given and _PEOPLE not in given


def people_of(entry: Command | None, command: QueuedCommand) -> frozenset[str]:
    """Return the user IDs in the request, the parameters and the result of a command.

    `entry` is its entry in the catalogue; None if it is not there any more.
    """
    fields = () if entry is None else entry.parameters
    wires = {field.wire: field.name == _FIELD for field in fields}
    # The line of a package does not name its people; the request does.
    every = (command.asked, command.params, command.result or {})
    found = {pin for values in every for pin in _named(values, wires)}
    return frozenset(pin for pin in found if _LETTER_OR_DIGIT.search(pin))


def _named(values: Mapping[str, str], wires: Mapping[str, bool]) -> Iterator[str]:
    """Find user IDs in values; `wires` are the declared ones, each with whether it is one."""
    for key, value in values.items():
        if wires.get(key, bool(_KEY.fullmatch(key))):
            yield value
        elif key == _PEOPLE:
            yield from value.split(",")
        else:
            yield from _ASSIGNED.findall(value)
