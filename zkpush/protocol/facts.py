"""What options say of a terminal under several names: one merged truth (wire facts, section 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_FIRMWARE = ("FWVersion", "FirmVer")
_COUNTS = {
    "UserCount": "users",
    "FPCount": "fingerprints",
    "TransactionCount": "attendance",
    "FaceCount": "faces",
}
"""Counts by their names in the update information (9)."""
VERSIONS = {
    1: ("FPVersion", "ZKFPVersion"),
    2: ("FaceVersion",),
    7: ("FvVersion",),
    8: ("PvVersion",),
}
"""Options that name the template version of one biometric type (Appendix 10), the best first."""
_COUNT = re.compile(r"[0-9]{1,9}\Z", re.ASCII)


def plain_names(options: Mapping[str, str]) -> dict[str, str]:
    """Options by their names in lower case, without the `~` that some models write before them."""
    return {name.lower().removeprefix("~"): value for name, value in options.items()}


def first(options: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """The first of some options that has a value; `options` are by their `plain_names`."""
    return next((value for name in names if (value := options.get(name.lower(), "").strip())), None)


def firmware_of(options: Mapping[str, str]) -> str | None:
    """The firmware that options name; None if they do not."""
    return first(plain_names(options), _FIRMWARE)


def counts_of(options: Mapping[str, str]) -> dict[str, int]:
    """The counts that options name."""
    said = plain_names(options)
    return {
        name: int(said[wire.lower()])
        for wire, name in _COUNTS.items()
        if _COUNT.match(said.get(wire.lower(), ""))
    }
