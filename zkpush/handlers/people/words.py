"""Words of the command line."""

from __future__ import annotations

WORDS = {
    "conflicts": "List and settle contradictions between terminals about a user.",
    "users": "List, change, import and export users (the people on the terminals).",
}
