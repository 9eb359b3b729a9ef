"""A plugin of a test in the place of another one, as which it counts."""

from __future__ import annotations

from typing import Any

from zope.interface import directlyProvides, providedBy


class Substitute:
    """Passes everything on to a plugin; a subclass changes some of it."""

    def __init__(self, plugin: Any) -> None:
        self.plugin = plugin

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plugin, name)


def substitute(plugin: Any, kind: type[Substitute]) -> Any:
    """Make one that provides what the plugin does, and counts as of the same package."""
    theirs = type(plugin)
    names = {"__module__": theirs.__module__, "__qualname__": theirs.__qualname__}
    made = type(theirs.__name__, (kind,), names)(plugin)
    directlyProvides(made, providedBy(plugin))
    return made
