"""Events of areas."""

from __future__ import annotations

from .drift import DRIFT

EVENTS = {DRIFT: "A terminal had lost people or templates, or had people who were not recorded"}
