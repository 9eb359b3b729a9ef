"""Protocol versions and their negotiation (Appendix 6)."""

from __future__ import annotations

import re
from typing import NamedTuple


class Version(NamedTuple):
    """A protocol version, compared number by number."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


BASELINE = Version(2, 2, 14)
"""What a side that names no version speaks."""

IDENTITY_CARDS = Version(2, 3, 0)
UNENCRYPTED = Version(2, 3, 0)
"""The newest released version whose sessions cannot be encrypted."""
IDENTITY_LISTS = Version(2, 4, 0)
ERROR_LOG = Version(2, 4, 1)
NEWEST = Version(2, 4, 2)
"""The newest version that is known; this server is written to the one before."""
SERVER = Version(2, 4, 1)
"""The version this server is written to: `PushProtVer`."""

_NUMBERS = re.compile(r"(?<![0-9])([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?", re.ASCII)


def parse_version(text: str) -> Version | None:
    """Read the numbers of `2.4.1`, `3.1.6S` or `Ver 2.0.33S-20220623`; `None` if there are none."""
    found = _NUMBERS.search(text)
    if found is None:
        return None
    major, minor, patch = found.groups(default="0")
    return Version(int(major), int(minor), int(patch))


def negotiate(push_version: str | None, server: Version = SERVER) -> Version:
    """Find the version that both sides use: the lower one.

    A terminal that names no version, or one that cannot be read, counts as 2.2.14.
    """
    terminal = parse_version(push_version) if push_version else None
    return min(terminal or BASELINE, server)
