"""Terminal families by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..interfaces import ITerminalFamily
from ..model import Device
from ..protocol.dialect import FIRST_FAMILY
from ..protocol.requests import Arguments


class Families:
    """The installed families; each terminal belongs to one."""

    def __init__(self, families: Iterable[ITerminalFamily]) -> None:
        """Raises `ValueError` if Attendance PUSH is not among the families."""
        self._by_name = {str(family.name): family for family in families}
        if FIRST_FAMILY not in self._by_name:
            raise ValueError(f"the terminal family {FIRST_FAMILY} is not installed")
        self.default = self._by_name[FIRST_FAMILY]
        """The default family, for terminals that no other family claims."""

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def named(self, name: str) -> ITerminalFamily:
        """Return a family by name, or the default family if it is not installed.

        The gate refuses requests of terminals whose family is not installed.
        """
        return self._by_name.get(name, self.default)

    def of(self, device: Device) -> ITerminalFamily:
        """Return the family of a terminal, as `named`."""
        return self._by_name.get(device.family, self.default)

    def claimant(self, path: str, arguments: Arguments) -> ITerminalFamily | None:
        """The family that claims the first request of a terminal, or None."""
        for family in self._by_name.values():
            if family.claims(path, arguments):
                return family
        return None

    def of_first(self, path: str, arguments: Arguments) -> ITerminalFamily:
        """The family of a terminal by its first request: the one that claims it, or the default."""
        if len(self._by_name) == 1:
            return self.default
        return self.claimant(path, arguments) or self.default

    def __iter__(self) -> Iterator[ITerminalFamily]:
        return iter(self._by_name.values())
