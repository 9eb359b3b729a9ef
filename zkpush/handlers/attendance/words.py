"""Words of the command line."""

from __future__ import annotations

WORDS = {
    "attendance": "List, follow and verify attendance records (punches).",
    "photos": "List attendance photos, and save their pictures.",
}
