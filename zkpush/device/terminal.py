"""A terminal that this process knows."""

from __future__ import annotations

from ..model import Device
from ..protocol.dialect import Dialect
from .session import Session


class Terminal:
    """What a process remembers of a terminal between its requests; all of it is in the store."""

    __slots__ = ("device", "dialect", "next_due", "reported", "session")

    device: Device
    dialect: Dialect
    """How it writes."""
    session: Session

    def __init__(self, device: Device, next_due: int | None = None) -> None:
        self.next_due = next_due
        """When (ms) there is a command to send: 0 for now, None for never."""
        self.reported: str | None = None
        """The last update information (9), so that the same is not stored twice."""
        self.session = Session(device.session)
        self.update(device)

    def update(self, device: Device) -> None:
        """Take over what the store says now."""
        self.device = device
        self.dialect = device.dialect
        if device.session is not self.session.state:
            self.session = Session(device.session)
