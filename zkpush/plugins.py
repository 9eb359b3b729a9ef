"""Finding plugins, ours as everyone's, in the `twisted.plugins` drop-in folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from twisted.logger import Logger
from twisted.plugin import getPlugins
from zope.interface.verify import verifyObject

_log = Logger()
P = TypeVar("P")


class PluginConflict(Exception):
    """Two plugins claim one name; the message says which."""


def sound_plugins(interface: type[P], found: Iterable[object] | None = None) -> list[P]:
    """The plugins that provide an interface in full; a broken one is reported and left out.

    `found` is what `twisted.plugin.getPlugins` finds, unless given.
    """
    sound: list[P] = []
    for plugin in getPlugins(interface) if found is None else found:  # type: ignore[type-var]
        try:
            verifyObject(interface, plugin)
        except Exception as error:  # verifying reads properties, which may raise anything
            _log.error(
                "The plugin {plugin!r} is left out: {error}", plugin=plugin, error=str(error)
            )
        else:
            sound.append(plugin)  # type: ignore[arg-type]
    return sound


def by_claim(plugins: Iterable[P], claims: Callable[[P], Iterable[str]]) -> dict[str, P]:
    """Map what plugins claim to the plugin; `PluginConflict` if two claim the same."""
    claimed: dict[str, P] = {}
    for plugin in plugins:
        for claim in claims(plugin):
            other = claimed.setdefault(claim, plugin)
            if other is not plugin:
                raise PluginConflict(
                    f"two plugins claim {claim}: {other!r} and {plugin!r}; remove one of them"
                )
    return claimed
