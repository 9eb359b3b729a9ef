"""Word of the command line."""

from __future__ import annotations

WORDS = {"forwarders": "Forward events to other programs: add, show, test and repair forwarders."}
