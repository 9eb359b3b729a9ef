"""Word of the command line."""

from __future__ import annotations

WORDS = {"devices": "List, approve, block and configure terminals."}
