"""Words of the command line that the package adds, with their summaries."""

from __future__ import annotations

WORDS = {"visitors": "List visitors of reception terminals."}
