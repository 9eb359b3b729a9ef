"""Commands and events of access data."""

from __future__ import annotations

from .model import ACCESS_DATA
from .wording import INTENTS

__all__ = ["EVENTS", "INTENTS"]
EVENTS = {ACCESS_DATA: "An entry of access data was added, changed or removed"}
