"""The kinds of plugins: the interface of each, and the names that must be unique."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from .capability import ICapability
from .interfaces import (
    IAdmissionPolicy,
    IBringsTables,
    ICipherSuite,
    IForwarder,
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
    """Return the names of a table, for messages; with its family unless that is the first one."""
    of = "" if table.family == FIRST_FAMILY else f" of {table.family}"
    return [f"{name}{of}" for name in (table.name, *table.aliases)]


def command_claim(command: Command) -> str:
    """Return the words of a command, with its family as in `table_claims`."""
    is_first = command.family == FIRST_FAMILY
    return command.name if is_first else f"{command.name} of {command.family}"


def handler_claims(handler: IRecordHandler) -> list[str]:
    """Return the tables of a record handler, with their aliases, and its name."""
    tables = [claim for table in handler.tables for claim in table_claims(table)]
    return [*tables, f"the name {handler.name}"]


def own_name(plugin: Any) -> list[str]:
    """Return the name that selects a plugin in the configuration or in an option."""
    return [plugin.name]


def schemes(factory: IStoreFactory) -> list[str]:
    """Return the URL schemes of a store."""
    return list(factory.schemes)


@attrs.frozen
class PluginKind:
    """One kind of plugin."""

    title: str
    interface: Any
    names: Callable[[Any], Iterable[str]] = own_name
    """Names in lists."""
    claims: Callable[[Any], Iterable[str]] = own_name
    """Names that must be unique among the plugins of the kind."""
    optional: tuple[Any, ...] = ()
    """Optional interfaces."""


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
FORWARDERS = PluginKind("forwarder", IForwarder)
KINDS = (
    ADMISSION_POLICIES,
    CAPABILITIES,
    CIPHER_SUITES,
    FAMILIES,
    FORWARDERS,
    RECORD_HANDLERS,
    STORES,
    VERIFIERS,
)
