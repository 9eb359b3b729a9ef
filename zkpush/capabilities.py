"""The loaded capabilities of the daemon, checked and sorted by their requirements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import attrs

from .capability import SERVER_PARTS, CapabilityError, ICapability, is_own
from .claims import ENGINE, Claims
from .device.functions import FunctionTable
from .device.intents import IntentTable
from .interfaces import IRecordHandler
from .names import ENGINE_EVENTS, OF_ENGINE, all_listed, check_prefixes, claimed, modules_of
from .problems import ProblemKind
from .protocol.catalogue import Catalogue
from .protocol.tableset import TableSet

REQUIRED = ("attendance", "commands", "people", "terminals")
"""Required capabilities: without them punches become rejects, or terminals cannot be managed."""


@attrs.frozen
class Capabilities:
    """The usable capabilities, each after the ones it requires."""

    all: Sequence[ICapability]
    failed: Mapping[str, CapabilityError]
    """Unusable capabilities of other packages, by name."""
    handlers: Sequence[IRecordHandler]
    functions: FunctionTable
    intents: IntentTable
    catalogue: Catalogue
    tables: TableSet
    """All declared tables. Records of a table without a handler are not stored."""
    events: Sequence[str]
    """Kinds of events, except those of records, which are events themselves."""
    problems: Sequence[ProblemKind]
    """Kinds of problems, beside those of the engine."""

    def part(self, name: str) -> list[Any]:
        """Modules of one part, in order."""
        return [module for _, module in self.named(name)]

    def named(self, part: str) -> list[tuple[str, Any]]:
        """Modules of one part with the names of their capabilities, in order."""
        return [(one.name, module) for one in self.all if (module := one.part(part)) is not None]


def load(found: Iterable[ICapability], unimportable: Sequence[str] = ()) -> Capabilities:
    """Import the server parts of all capabilities, and check them together.

    `unimportable` are plugin modules that could not be imported; one of them may hold a missing
    capability. A failed capability of another package is left out, with the capabilities that
    require it. Raises `CapabilityError` if a capability of zkpush fails or is missing, or if two
    capabilities claim one name.
    """
    by_name: dict[str, ICapability] = {}
    for one in sorted(found, key=lambda each: (not is_own(each), each.name)):
        other = by_name.setdefault(one.name, one)
        if other is not one:
            raise CapabilityError(
                f"two capabilities have the name {one.name}: {other.package} and {one.package}; "
                "uninstall one of them"
            )
    failed: dict[str, CapabilityError] = {}
    for one in by_name.values():
        try:
            for part in SERVER_PARTS:
                one.part(part)
        except CapabilityError as error:
            _fail(one, error, failed)
    _check_required(by_name, unimportable)
    usable = [by_name[name] for name in _order(by_name, failed)]
    _check_names(usable)
    commands = all_listed(modules_of(usable, "tables"), "COMMANDS")
    catalogue = Catalogue(commands)
    handlers = modules_of(usable, "handler")
    return Capabilities(
        usable,
        failed,
        all_listed(handlers, "HANDLERS"),
        FunctionTable(
            [module.FUNCTIONS for module in handlers if hasattr(module, "FUNCTIONS")], catalogue
        ),
        IntentTable(module.INTENTS for module in handlers if hasattr(module, "INTENTS")),
        catalogue,
        TableSet(all_listed(modules_of(usable, "tables"), "TABLES")),
        (*ENGINE_EVENTS, *all_listed(handlers, "EVENTS")),
        all_listed(handlers, "PROBLEMS"),
    )


def _fail(one: ICapability, error: CapabilityError, failed: dict[str, CapabilityError]) -> None:
    if is_own(one):
        raise error
    failed[one.name] = error


def _check_required(there: Mapping[str, ICapability], unimportable: Sequence[str]) -> None:
    missing = [name for name in REQUIRED if name not in there]
    if not missing:
        return
    why = "reinstall zkpush"
    if unimportable:
        why = f"these modules of plugins cannot be imported: {', '.join(unimportable)}"
    raise CapabilityError(f"the capability {', '.join(missing)} was not found; {why}")


def _order(by_name: Mapping[str, ICapability], failed: dict[str, CapabilityError]) -> Sequence[str]:
    """Sort the usable capabilities so that each follows the ones it requires."""
    try:
        order = [
            *TopologicalSorter(
                {name: sorted(one.requires) for name, one in sorted(by_name.items())}
            ).static_order()
        ]
    except CycleError as error:
        raise CapabilityError(
            f"capabilities require each other: {' -> '.join(error.args[1])}"
        ) from None
    for name in order:
        one = by_name.get(name)
        for needed in () if one is None else one.requires:
            if name in failed:
                break
            if needed not in by_name or needed in failed:
                why = "failed" if needed in failed else "is not installed"
                words = f"capability {name}: it requires {needed}, which {why}"
                _fail(by_name[name], CapabilityError(words), failed)
    return [name for name in order if name in by_name and name not in failed]


def _check_names(usable: Sequence[ICapability]) -> None:
    """Check that all names are unique, and that a plugin claims only its own."""
    claims = Claims()
    for kind, names in OF_ENGINE.items():
        claims.add(kind, names, ENGINE)
    for one in usable:
        for kind, names in claimed(one).items():
            claims.add(kind, names, one.name)
        check_prefixes(one)
