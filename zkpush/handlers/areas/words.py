"""Words of the command line."""

from __future__ import annotations

WORDS = {
    "areas": "List and change areas (groups of terminals and people); put people on terminals."
}
