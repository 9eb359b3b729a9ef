"""Discovery of plugins, of zkpush and of other packages, in the `twisted.plugins` folder.

A process reads the folders once: `twisted.plugin.getPlugins` would read them again for each kind of
plugin, which takes longer than to use them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any, TypeVar

import attrs
from twisted.logger import Logger
from twisted.plugin import CachedDropin, CachedPlugin, getCache
from twisted.python.modules import getModule
from zope.interface.verify import verifyObject

import twisted.plugins

from .capability import ICapability

_log = Logger()
_FOLDER = twisted.plugins.__name__.partition(".")[0]
P = TypeVar("P")


class PluginConflict(Exception):
    """Two plugins claim one name; the message names both."""


def sound_plugins(interface: type[P], found: Iterable[object] | None = None) -> list[P]:
    """Return the plugins that provide an interface in full; broken ones are logged and left out.

    `found` defaults to all installed plugins, which a process verifies once.
    """
    kind: Any = interface  # to mypy, an interface cannot be hashed
    return [*_installed(kind, _folders())] if found is None else _sound(kind, found)


def _sound(interface: Any, found: Iterable[object]) -> list[Any]:
    sound = []
    for plugin in found:
        try:
            verifyObject(interface, plugin)
        except BaseException as error:  # verifying reads properties, which may raise anything
            words = str(error) if isinstance(error, Exception) else type(error).__name__
            _log.error("The plugin {plugin!r} is left out: {error}", plugin=plugin, error=words)
        else:
            sound.append(plugin)
    return sound


@functools.cache
def _installed(interface: Any, folders: tuple[str, ...]) -> Sequence[Any]:
    """Import the plugins of a kind; one that cannot be imported is logged and left out."""
    found: list[object] = []
    for plugin in _read(folders)[0]:
        try:
            adapted = interface(plugin, None)
        except BaseException:  # a module may raise anything, even SystemExit
            _log.failure("The plugin {plugin!r} cannot be imported", plugin=plugin)
        else:
            if adapted is not None:
                found.append(adapted)
    return _sound(interface, found)


def _folders() -> tuple[str, ...]:
    return tuple(twisted.plugins.__path__)


@functools.cache
def _read(_folders: tuple[str, ...]) -> tuple[Sequence[CachedPlugin], Sequence[str]]:
    """The plugins in the folders, and the names of modules that cannot be imported."""
    dropins: Mapping[str, CachedDropin] = getCache(twisted.plugins)
    found = {f"{twisted.plugins.__name__}.{name}" for name in dropins}
    there = {module.name for module in getModule(twisted.plugins.__name__).iterModules()}
    return [one for dropin in dropins.values() for one in dropin.plugins], sorted(there - found)


@attrs.frozen
class PluginInfo:
    """A discovered plugin: its kind, name and origin."""

    kind: str
    name: str
    package: str
    """Distribution of the plugin, or else its module."""
    version: str | None
    brings: Sequence[str] = ()
    """What a capability adds, in words."""


def describe(kind: str, plugins: Iterable[tuple[str, object]]) -> list[PluginInfo]:
    """Describe plugins of one kind, one entry for each name."""
    return [PluginInfo(kind, name, *origin_of(plugin)) for name, plugin in plugins]


def origin_of(plugin: object) -> tuple[str, str | None]:
    """Distribution of a plugin, or else its module; for a capability, that of its package."""
    if ICapability.providedBy(plugin):
        return _origin(str(plugin.package))
    return origin(type(plugin))


def origin(kind: type) -> tuple[str, str | None]:
    """Distribution of a class, or else its module; and the version of the distribution.

    All distributions share the folder of plugins, so the module is returned for a class in it.
    """
    return _origin(kind.__module__)


def _origin(module: str) -> tuple[str, str | None]:
    top = module.partition(".")[0]
    names = [] if top == _FOLDER else _distributions().get(top, [])
    if not names:
        return module, None
    return names[0], _version(names[0])


@functools.cache
def _version(distribution: str) -> str:
    return metadata.version(distribution)


@functools.cache
def _distributions() -> Mapping[str, Sequence[str]]:
    return metadata.packages_distributions()


def identity(plugin: object) -> tuple[str, str, object]:
    """Identity of a plugin: module and name of its class, and its own name."""
    kind = type(plugin)
    return kind.__module__, kind.__qualname__, getattr(plugin, "name", None)


def is_ours(plugin: object) -> bool:
    """Whether a plugin is part of zkpush rather than of another package."""
    if ICapability.providedBy(plugin):
        return str(plugin.package).partition(".")[0] == __name__.partition(".")[0]
    return type(plugin).__module__.partition(".")[0] == __name__.partition(".")[0]


def failed_modules() -> list[str]:
    """Modules in the plugin folders that cannot be imported; their plugins are missing."""
    _, missing = _read(_folders())
    for name in missing:
        _log.error("The plugin module {name} cannot be imported", name=name)
    return [*missing]


def by_claim(plugins: Iterable[P], claims: Callable[[P], Iterable[str]]) -> dict[str, P]:
    """Map claimed names to plugins; `PluginConflict` if two plugins claim one name."""
    claimed: dict[str, P] = {}
    for plugin in plugins:
        for claim in claims(plugin):
            other = claimed.setdefault(claim, plugin)
            if other is not plugin:
                raise PluginConflict(
                    f"two plugins claim {claim}: {other!r} and {plugin!r}; remove one of them"
                )
    return claimed
