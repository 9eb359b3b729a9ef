"""A terminal that this process knows."""

from __future__ import annotations

import itertools

from ..model import Device
from ..protocol.dialect import Dialect
from .session import Session

turns = itertools.count()
"""Numbers what happens to the terminals of this process, to tell what came first."""


class Terminal:
    """What a process remembers of a terminal between its requests; all of it is in the store."""

    __slots__ = ("device", "dialect", "next_due", "reported", "session", "turn")

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
        self.turn = next(turns)
        """When that was."""
        self.device = device
        self.dialect = device.dialect
        if device.session is not self.session.state:
            self.session = Session(device.session)
