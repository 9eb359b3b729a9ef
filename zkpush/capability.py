"""Capabilities: nouns that zkpush handles, each a package of optional parts.

A capability is a name and a package. Its parts are modules of the package, imported on demand, so
that the command line and the simulator never load the server. See docs/capabilities.md for the
parts and the names in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

import attrs
from twisted.plugin import IPlugin
from zope.interface import Attribute, Interface, implementer

SERVER_PARTS = ("words", "settings", "tables", "store", "handler", "services", "api", "pages")
"""Parts that the daemon imports."""
PARTS = (*SERVER_PARTS, "cli", "simulate")
"""All parts."""
_OWN = __name__.partition(".")[0]


class CapabilityError(ValueError):
    """A capability cannot be used; the message says which one, and why."""


class ICapability(Interface):
    """A noun: its records, its commands and everything that belongs to them."""

    name: str = Attribute("A short word, such as attendance")
    package: str = Attribute("The package whose modules are its parts")
    summary: str = Attribute("What it is about, for lists")
    requires: Sequence[str] = Attribute("Names of the capabilities whose parts it imports")

    def part(name: str) -> ModuleType | None:
        """Import a part; None if the capability does not have it."""


@implementer(IPlugin, ICapability)
@attrs.frozen
class Capability:
    """A capability, located by its package."""

    name: str
    package: str
    summary: str
    requires: tuple[str, ...] = ()
    _parts: dict[str, ModuleType | None] = attrs.field(
        factory=dict, init=False, eq=False, repr=False
    )
    """The parts asked for so far: a daemon asks for each part a few times, and to seek an absent
    one takes long."""

    def part(self, name: str) -> ModuleType | None:
        """Import the module `name` of the package; None if there is no such module.

        Any other error, such as a missing dependency of that module, raises `CapabilityError`.
        """
        if name not in self._parts:
            self._parts[name] = self._import(name)
        return self._parts[name]

    def _import(self, name: str) -> ModuleType | None:
        module = f"{self.package}.{name}"
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            if error.name == module:
                return None
            raise CapabilityError(self._words(module, error)) from error
        except (Exception, SystemExit) as error:
            raise CapabilityError(self._words(module, error)) from error

    def _words(self, module: str, error: BaseException) -> str:
        words = f"{type(error).__name__}: {error}"
        return f"capability {self.name}: cannot import {module}: {words}"


def is_own(capability: ICapability) -> bool:
    """Whether a capability is a part of zkpush, and not of another package."""
    return capability.package.partition(".")[0] == _OWN
