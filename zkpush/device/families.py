"""The terminal families of a server, by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..interfaces import ITerminalFamily
from ..model import Device
from ..protocol.dialect import FIRST_FAMILY
from ..protocol.requests import Arguments


class Families:
    """The families that are installed; each terminal is of one."""

    def __init__(self, families: Iterable[ITerminalFamily]) -> None:
        """`ValueError` if Attendance PUSH is not among them."""
        self._by_name = {str(family.name): family for family in families}
        if FIRST_FAMILY not in self._by_name:
            raise ValueError(f"the terminal family {FIRST_FAMILY} is not installed")
        self.default = self._by_name[FIRST_FAMILY]
        """The family of terminals that no other one claims."""

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def named(self, name: str) -> ITerminalFamily:
        """The family of a name; the default one in place of one that is not installed.

        The gate refuses the requests of a terminal whose family is not installed.
        """
        return self._by_name.get(name, self.default)

    def of(self, device: Device) -> ITerminalFamily:
        """The stored family of a terminal, as `named`."""
        return self._by_name.get(device.family, self.default)

    def claimant(self, path: str, arguments: Arguments) -> ITerminalFamily | None:
        """The family that the first request of a terminal shows; None if no family claims it."""
        for family in self._by_name.values():
            if family.claims(path, arguments):
                return family
        return None

    def __iter__(self) -> Iterator[ITerminalFamily]:
        return iter(self._by_name.values())
