"""The door of a simulated terminal."""

from __future__ import annotations

import attrs


@attrs.define
class Door:
    """The door that a terminal controls, and its alarm."""

    opened: int = 0
    """Number of times that the server has opened it."""
    alarm: bool = False
