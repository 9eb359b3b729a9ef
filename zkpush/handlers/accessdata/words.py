"""Words of the command line."""

from __future__ import annotations

WORDS = {
    "access": "Define access data of areas: time periods, groups, work codes, messages and others."
}
