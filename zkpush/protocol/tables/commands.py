"""All commands: what the server asks of a terminal (12)."""

from __future__ import annotations

from .control import CONTROLS
from .data import DELETES, QUERIES, UPDATES

COMMANDS = (*UPDATES, *DELETES, *QUERIES, *CONTROLS)
"""Everything that can be asked of a terminal."""
