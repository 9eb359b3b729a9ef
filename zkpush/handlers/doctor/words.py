"""Word of the command line."""

from __future__ import annotations

WORDS = {"doctor": "Find out why a terminal sends nothing, or what is wrong with the installation."}
