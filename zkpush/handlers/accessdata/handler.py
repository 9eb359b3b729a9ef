"""Commands of access data."""

from __future__ import annotations

from .wording import INTENTS

__all__ = ["INTENTS"]
