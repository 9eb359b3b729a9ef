"""Word of the command line."""

from __future__ import annotations

WORDS = {
    "files": "Manage files that terminals download (UPGRADE, PutFile) and files they uploaded.",
}
