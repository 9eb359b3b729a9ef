"""Word of the command line."""

from __future__ import annotations

WORDS = {"attendance": "List and follow attendance records (punches)."}
