"""Words of the command line."""

from __future__ import annotations

WORDS = {"areas": "List and describe areas (groups of terminals and people)."}
