"""Protocol versions and their negotiation (Appendix 6)."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..phrases import Phrase


class Version(NamedTuple):
    """A protocol version, compared number by number."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


BASELINE = Version(2, 2, 14)
"""The version of a side that states none."""

IDENTITY_CARDS = Version(2, 3, 0)
UNENCRYPTED = Version(2, 3, 0)
"""The newest released version whose sessions cannot be encrypted."""
IDENTITY_LISTS = Version(2, 4, 0)
ERROR_LOG = Version(2, 4, 1)
NEWEST = Version(2, 4, 2)
"""The newest known version; this server implements the one before."""
SERVER = Version(2, 4, 1)
"""The version that this server implements: `PushProtVer`."""

_NUMBERS = re.compile(r"(?<![0-9])([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?", re.ASCII)


def parse_version(text: str) -> Version | None:
    """Parse the numbers of `2.4.1`, `3.1.6S` or `Ver 2.0.33S-20220623`; None if there are none."""
    found = _NUMBERS.search(text)
    if found is None:
        return None
    major, minor, patch = found.groups(default="0")
    return Version(int(major), int(minor), int(patch))


def check_version(text: str) -> str:
    """Return a version in canonical form, such as 2.4.1; raises `ValueError`."""
    version = parse_version(text)
    if version is None:
        raise ValueError(
            Phrase("%(text)s is not a protocol version such as 2.4.1", text=repr(text[:20]))
        )
    return str(version)


def negotiate(push_version: str | None, server: Version = SERVER) -> Version:
    """The lower of both sides' versions.

    See `own_version` for the version of a terminal.
    """
    return min(own_version(push_version), server)


def own_version(push_version: str | None) -> Version:
    """The version of a terminal, by its own statement.

    A missing, unreadable or lower version counts as 2.2.14.
    """
    terminal = parse_version(push_version) if push_version else None
    return max(terminal or BASELINE, BASELINE)
