"""The names that capabilities declare, read without the services of a daemon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from .capability import CapabilityError, ICapability, is_own
from .claims import check_prefix
from .config import Config
from .enginewords import ENGINE_WORDS
from .model import CORRECTED
from .pluginkinds import command_claim, table_claims
from .problems import ProblemCode
from .protocol.fields import Command, Table

ENGINE_EVENTS = ("command", CORRECTED, "device", "problem")
"""Kinds of events that the server itself adds."""


def check_prefixes(one: ICapability) -> None:
    """Raise `CapabilityError` if a name of a plugin does not begin with the name of the plugin."""
    if not is_own(one):
        for kind, names in declared(one).items():
            if kind in _PREFIXED:
                check_prefix(kind, names, one.name)


def declared(one: ICapability) -> dict[str, list[str]]:
    """Return the names that a capability declares, by kind; those of tables include aliases."""
    handlers = modules_of([one], "handler")
    tables = modules_of([one], "tables")
    taken: list[Table] = all_listed(tables, "TABLES")
    commands: list[Command] = all_listed(tables, "COMMANDS")
    settings = [one.name] if settings_of(one) is not None else []
    found = {
        "table": [name for table in taken for name in (table.name, *table.aliases)],
        "command": [command.name for command in commands],
        "record handler": [each.name for each in all_listed(handlers, "HANDLERS")],
        "event kind": [*all_listed(handlers, "EVENTS")],
        "problem": [str(each) for each in all_listed(handlers, "PROBLEMS")],
        "section of the configuration": settings,
        "word": list(words_of(one)),
    }
    return {kind: names for kind, names in found.items() if names}


def claimed(one: ICapability) -> dict[str, list[str]]:
    """Return the names that no other capability may declare, by kind.

    The names of tables and commands are unique within a family of terminals.
    """
    modules = modules_of([one], "tables")
    tables: list[Table] = all_listed(modules, "TABLES")
    commands: list[Command] = all_listed(modules, "COMMANDS")
    return declared(one) | {
        "table": [name for table in tables for name in table_claims(table)],
        "command": [command_claim(command) for command in commands],
    }


def brings(one: ICapability) -> list[str]:
    """Describe what a capability adds, for lists."""
    parts = [
        noun
        for part, noun in (("api", "routes"), ("pages", "pages"), ("services", "services"))
        if one.part(part) is not None
    ]
    return [f"{kind} {name}" for kind, names in declared(one).items() for name in names] + parts


def words_of(one: ICapability) -> Mapping[str, str]:
    """Return the words of the command line that a capability declares, with their summaries."""
    words: Mapping[str, str] = getattr(one.part("words"), "WORDS", {})
    return words


def settings_of(one: ICapability) -> type[msgspec.Struct] | None:
    """Return the configuration section of a capability; None if it has none."""
    section: type[msgspec.Struct] | None = getattr(one.part("settings"), "SETTINGS", None)
    return section


def sections_of(found: Iterable[ICapability]) -> dict[str, type[msgspec.Struct] | None]:
    """Return the configuration sections of capabilities, by name, before the configuration is read.

    None stands for a capability that cannot be imported, which is reported when all parts are
    loaded. `CapabilityError` if zkpush itself has a section of that name.
    """
    sections: dict[str, type[msgspec.Struct] | None] = {}
    for one in found:
        try:
            section = settings_of(one)
        except CapabilityError:
            sections[one.name] = None
            continue
        if section is None:
            continue
        if one.name in Config.__struct_fields__:
            raise CapabilityError(
                f"zkpush and the capability {one.name} both claim the section of the "
                f"configuration {one.name}; uninstall the capability"
            )
        sections[one.name] = section
    return sections


_PREFIXED = frozenset(
    {"event kind", "problem", "record handler", "section of the configuration", "word"}
)
"""Kinds of names that begin with the name of a plugin; the others are set by the protocol."""
OF_ENGINE: Mapping[str, Iterable[str]] = {
    "event kind": ENGINE_EVENTS,
    "problem": [str(code) for code in ProblemCode],
    "section of the configuration": Config.__struct_fields__,
    "word": ENGINE_WORDS,
}


def all_listed(modules: Iterable[Any], name: str) -> list[Any]:
    """Join a well-known sequence of all modules."""
    return [each for module in modules for each in _listed(module, name)]


def modules_of(capabilities: Iterable[ICapability], name: str) -> list[Any]:
    """Return the modules of one part, of the capabilities that have it."""
    return [module for one in capabilities if (module := one.part(name)) is not None]


def _listed(module: Any, name: str) -> Sequence[Any]:
    """Return a well-known sequence of a part; empty if the part has none."""
    listed: Sequence[Any] = getattr(module, name, ())
    return listed
