"""Words of the command line."""

from __future__ import annotations

WORDS = {
    "conflicts": "List and settle conflicts: a terminal contradicts the stored data of a user.",
    "users": "List, change, import and export users (the people on the terminals).",
}
