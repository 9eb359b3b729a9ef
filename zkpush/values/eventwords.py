"""Kinds of events in words."""

from __future__ import annotations

from collections.abc import Mapping

from ..phrases import Phrase

EVENT_WORDS: Mapping[str, Phrase] = {
    "access_data": Phrase("access data"),
    "attendance": Phrase("punches"),
    "command": Phrase("commands"),
    "device": Phrase("terminals"),
    "drift": Phrase("differences of people"),
    "problem": Phrase("problems"),
    "user": Phrase("people"),
    "verification": Phrase("verifications by the server"),
}
"""What events of a kind are about. A kind of a plugin has no words."""
