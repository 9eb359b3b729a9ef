"""The registry of stores: what opens a database URL, for the daemon and for `zkpush database`."""

from __future__ import annotations

from collections.abc import Mapping

from .discovery import by_claim, sound_plugins
from .interfaces import IStoreFactory
from .pluginkinds import schemes


def store_factories() -> dict[str, IStoreFactory]:
    """All stores by the schemes that they take; `PluginConflict` if two take one."""
    return by_claim(sound_plugins(IStoreFactory), schemes)


def factory_of(factories: Mapping[str, IStoreFactory], url: str) -> IStoreFactory:
    """The store that takes a URL; `ValueError` says which there are."""
    scheme = url.partition(":")[0].partition("+")[0]
    if scheme not in factories:
        raise ValueError(
            f"database: no store takes {scheme!r}; there are {', '.join(sorted(factories))}"
        )
    return factories[scheme]
