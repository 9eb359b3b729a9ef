"""Word of the command line."""

from __future__ import annotations

WORDS = {"users": "List, show and export users (the people on the terminals)."}
