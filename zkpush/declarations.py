"""The tables and commands that capabilities declare, for programs that load no server.

The daemon uses `zkpush.capabilities` instead, which checks all parts of the capabilities together.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from types import ModuleType

import attrs

from .capability import CapabilityError, ICapability, is_own
from .discovery import sound_plugins
from .protocol.catalogue import Catalogue
from .protocol.fields import Command, Table
from .protocol.tableset import TableSet


@attrs.frozen
class Declarations:
    """All declared tables and commands."""

    tables: TableSet
    catalogue: Catalogue


@functools.cache
def declarations() -> Declarations:
    """Return the declarations of the installed capabilities, each imported once.

    A capability of another package that cannot be imported, or that claims a name of zkpush, is
    left out: `zkpush plugins check` and the daemon report it.
    """
    return join(sound_plugins(ICapability))


def join(found: Iterable[ICapability]) -> Declarations:
    """Join the declarations of capabilities, as `declarations` does.

    `CapabilityError` if a capability of zkpush fails.
    """
    tables: list[Table] = []
    names: set[str] = set()
    commands: dict[str, Command] = {}
    for module in parts("tables", found):
        for table in getattr(module, "TABLES", ()):
            own = {name.casefold() for name in (table.name, *table.aliases)}
            if names.isdisjoint(own):
                names |= own
                tables.append(table)
        for command in getattr(module, "COMMANDS", ()):
            commands.setdefault(command.name, command)
    return Declarations(TableSet(tables), Catalogue(commands.values()))


def parts(name: str, found: Iterable[ICapability] | None = None) -> Iterator[ModuleType]:
    """Import one part of each capability, ours first; of all installed ones unless `found` is set.

    A capability of another package that cannot be imported is left out. `CapabilityError` if one of
    zkpush fails.
    """
    found = sound_plugins(ICapability) if found is None else found
    for one in sorted(found, key=lambda each: (not is_own(each), each.name)):
        try:
            module = one.part(name)
        except CapabilityError:
            if is_own(one):
                raise
        else:
            if module is not None:
                yield module
