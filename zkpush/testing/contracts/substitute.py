"""Test doubles that replace a plugin and count as that plugin."""

from __future__ import annotations

from typing import Any

from zope.interface import directlyProvides, providedBy


class Substitute:
    """Delegates to a plugin; subclasses change parts of it."""

    def __init__(self, plugin: Any) -> None:
        self.plugin = plugin

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plugin, name)


def substitute(plugin: Any, kind: type[Substitute]) -> Any:
    """Make a substitute with the interfaces and the package of a plugin."""
    theirs = type(plugin)
    names = {"__module__": theirs.__module__, "__qualname__": theirs.__qualname__}
    made = type(theirs.__name__, (kind,), names)(plugin)
    directlyProvides(made, providedBy(plugin))
    return made
