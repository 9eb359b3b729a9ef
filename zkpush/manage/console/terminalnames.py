"""Names of terminals on pages, in place of their serial numbers."""

from __future__ import annotations

from ...device.registry import Registry
from ...model import DEFAULT_AREA


class TerminalNames:
    """The names that people gave to terminals, from memory, so that no page asks the database."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def find(self, sn: str, areas: frozenset[str] | None = None) -> str | None:
        """Return the name of the terminal with a serial number; None without one.

        `areas` are those of a limited account, which sees no names of other areas.
        """
        terminal = self._registry.known(sn)
        if terminal is None:
            return None
        device = terminal.device
        if areas is not None and (device.area or DEFAULT_AREA) not in areas:
            return None
        return device.alias or None
