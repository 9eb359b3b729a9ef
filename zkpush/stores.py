"""The registry of store plugins by URL scheme, for the daemon and for `zkpush database`."""

from __future__ import annotations

from collections.abc import Mapping

from .discovery import by_claim, sound_plugins
from .interfaces import IStoreFactory
from .pluginkinds import schemes


def store_factories() -> dict[str, IStoreFactory]:
    """Return all stores by URL scheme; `PluginConflict` if two stores claim one scheme."""
    return by_claim(sound_plugins(IStoreFactory), schemes)


def factory_of(factories: Mapping[str, IStoreFactory], url: str) -> IStoreFactory:
    """Return the store for a URL; `ValueError` lists the supported schemes."""
    scheme = url.partition(":")[0].partition("+")[0]
    if scheme not in factories:
        raise ValueError(
            f"database: no store takes {scheme!r}; there are {', '.join(sorted(factories))}"
        )
    return factories[scheme]
