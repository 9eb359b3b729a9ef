"""Words of the command line."""

from __future__ import annotations

WORDS = {"access": "Define access data of areas, such as time periods, work codes and messages."}
