"""The terminal families of a server, by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..interfaces import ITerminalFamily
from ..model import Device
from ..protocol.fields import FIRST_FAMILY


class Families:
    """The families that are installed; each terminal is of one."""

    def __init__(self, families: Iterable[ITerminalFamily]) -> None:
        """`ValueError` if Attendance PUSH is not among them."""
        self._by_name = {str(family.name): family for family in families}
        if FIRST_FAMILY not in self._by_name:
            raise ValueError(f"the terminal family {FIRST_FAMILY} is not installed")
        self.default = self._by_name[FIRST_FAMILY]
        """The family of terminals that no other one claims."""

    def of(self, device: Device) -> ITerminalFamily:
        """The family of a terminal."""
        return self.default

    def __iter__(self) -> Iterator[ITerminalFamily]:
        return iter(self._by_name.values())
