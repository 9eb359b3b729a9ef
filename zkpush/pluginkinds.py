"""The kinds of plugins: the interface of each, and what no two plugins may both claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from .capability import ICapability
from .interfaces import (
    IAdmissionPolicy,
    IBringsTables,
    ICipherSuite,
    IMaintainedStoreFactory,
    INamesPictures,
    IRecordHandler,
    IStoreFactory,
    ITerminalFamily,
    IVerifier,
)
from .protocol.dialect import FIRST_FAMILY
from .protocol.fields import Command, Table


def table_claims(table: Table) -> list[str]:
    """The names of a table, for messages; with its family where it is not the first one."""
    of = "" if table.family == FIRST_FAMILY else f" of {table.family}"
    return [f"{name}{of}" for name in (table.name, *table.aliases)]


def command_claim(command: Command) -> str:
    """The words of a command, as `table_claims`."""
    is_first = command.family == FIRST_FAMILY
    return command.name if is_first else f"{command.name} of {command.family}"


def handler_claims(handler: IRecordHandler) -> list[str]:
    """The tables of a record handler, with their aliases, and its name."""
    tables = [claim for table in handler.tables for claim in table_claims(table)]
    return [*tables, f"the name {handler.name}"]


def own_name(plugin: Any) -> list[str]:
    """The name of a plugin, which a configuration or an option chooses it by."""
    return [plugin.name]


def schemes(factory: IStoreFactory) -> list[str]:
    """The URL schemes of a store."""
    return list(factory.schemes)


@attrs.frozen
class PluginKind:
    """One kind of plugin."""

    title: str
    interface: Any
    names: Callable[[Any], Iterable[str]] = own_name
    """What it is listed by."""
    claims: Callable[[Any], Iterable[str]] = own_name
    """What no other plugin of the kind may claim."""
    optional: tuple[Any, ...] = ()
    """Interfaces that it may provide as well."""


RECORD_HANDLERS = PluginKind(
    "record handler",
    IRecordHandler,
    claims=handler_claims,
    optional=(IBringsTables, INamesPictures),
)
ADMISSION_POLICIES = PluginKind("admission policy", IAdmissionPolicy)
VERIFIERS = PluginKind("verifier", IVerifier)
CIPHER_SUITES = PluginKind("cipher suite", ICipherSuite)
STORES = PluginKind(
    "store", IStoreFactory, names=schemes, claims=schemes, optional=(IMaintainedStoreFactory,)
)
CAPABILITIES = PluginKind("capability", ICapability)
FAMILIES = PluginKind("terminal family", ITerminalFamily)
KINDS = (
    ADMISSION_POLICIES,
    CAPABILITIES,
    CIPHER_SUITES,
    FAMILIES,
    RECORD_HANDLERS,
    STORES,
    VERIFIERS,
)
