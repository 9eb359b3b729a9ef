"""Word of the command line."""

from __future__ import annotations

WORDS = {"rejects": "List, retry or delete uploads that were not understood."}
