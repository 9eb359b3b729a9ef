"""The door of a simulated terminal."""

from __future__ import annotations

import attrs


@attrs.define
class Door:
    """The door that a terminal opens, and its alarm."""

    opened: int = 0
    """How often the server has opened it."""
    alarm: bool = False
