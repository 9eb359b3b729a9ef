"""Rejects: data that was not understood, stored with its bytes and the reason.

An upload creates a limited number of rejects, however many of its lines are damaged. The first
`MOST_REJECTS` different ones are kept line by line; if there are more, the whole body is kept once.
So is the body of an upload with as many if its further lines are deferred without being decoded.
Nothing is lost: every line that was not understood is in one of the rejects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from ..counting import counted
from .faultkinds import FaultKinds

MOST_REJECTS = 50
"""Maximum number of rejects of one upload kept line by line."""


REQUEST = "request"
"""The table name of rejects that are bodies of unserved requests."""
NOT_SERVED = "this server does not serve "
"""Beginning of the reason of such a reject; the method and the path in words follow."""


class Origin(msgspec.Struct, frozen=True):
    """The request of a body that is kept whole."""

    method: str
    path: str
    query: str
    content_type: str | None = None
    content_encoding: str | None = None


class Reject(msgspec.Struct, frozen=True):
    """Data from a terminal that was not understood, with the reason."""

    table: str
    reason: str
    raw: bytes
    packed: bool = False
    """Whether `raw` is a packet (spec 11.14)."""
    name: str | None = None
    """The file name of an uploaded photo (spec 11.3)."""
    origin: Origin | None = None
    """The request, if `raw` is its whole body."""


class RejectList:
    """Collects the rejects of one upload: duplicates once, up to a maximum number."""

    def __init__(self, most: int = MOST_REJECTS) -> None:
        self._most = most
        self._kept: dict[bytes, Reject] = {}
        self._times: dict[bytes, int] = {}
        self.faults = FaultKinds()
        """All of them, by kind."""
        self.count = 0
        """Number of rejects, including duplicates and ones that are not kept."""
        self._beyond = 0

    @property
    def is_full(self) -> bool:
        """Whether further different rejects are only counted, without their reasons."""
        return len(self._kept) >= self._most

    def repeats(self, raw: bytes) -> bool:
        """Count bytes that were already rejected; returns False for other bytes."""
        if raw not in self._kept:
            return False
        self._repeat(raw, 1)
        return True

    def add(self, table: str, reason: str, raw: bytes) -> None:
        """Keep or count a reject."""
        if self.repeats(raw):
            return
        self.count += 1
        self.faults.add(reason)
        if self.is_full:
            self._beyond += 1
        else:
            self._kept[raw] = Reject(table, reason, raw)

    def unrepeated(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Count the lines that were already rejected; returns the others."""
        kept = self._kept
        if kept.keys().isdisjoint(lines):
            return lines
        repeated = Counter([line for line in lines if line in kept])
        for raw, times in repeated.items():
            self._repeat(raw, times)
        return [line for line in lines if line not in kept]

    def count_unread(self, number: int) -> None:
        """Count damaged parts without their reasons; for a full list, whose body is kept anyway."""
        self.count += number
        self.faults.add_further(number)
        self._beyond += number

    def _repeat(self, raw: bytes, times: int) -> None:
        self.count += times
        self.faults.add(self._kept[raw].reason, times)
        self._times[raw] = self._times.get(raw, 1) + times

    def keeps_body(self, is_deferred: bool = False) -> bool:
        """Whether one of the rejects is the whole body; `is_deferred` if lines were deferred."""
        return bool(self._beyond or (is_deferred and self._kept and self.is_full))

    def of_body(
        self, table: str, body: bytes, form: str = "body", *, is_deferred: bool = False
    ) -> list[Reject]:
        """The rejects of an upload to a table; `body` is its whole body, and `form` its kind.

        `is_deferred` tells that lines of the upload were deferred, some perhaps damaged.
        """
        found = [
            msgspec.structs.replace(reject, reason=f"{reject.reason} ({self._times[raw]} times)")
            if raw in self._times
            else reject
            for raw, reject in self._kept.items()
        ]
        if self.keeps_body(is_deferred):
            more = f"{counted(self._beyond, 'more part is', 'more parts are')} not understood"
            if is_deferred:
                more = "more parts may not be understood"
            found.append(Reject(table, f"{more}; this is the whole {form}", body))
        return found
