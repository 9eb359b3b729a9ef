"""Word of the command line."""

from __future__ import annotations

WORDS = {"jobs": "See, cancel and retry commands for many terminals."}
