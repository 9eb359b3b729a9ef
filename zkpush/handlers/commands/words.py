"""Word of the command line."""

from __future__ import annotations

WORDS = {"commands": "Queue commands for terminals and see their results."}
