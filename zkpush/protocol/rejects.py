"""Rejects: what an upload holds that is not understood, kept with its bytes and the reason.

An upload makes a bounded number of rejects, however many of its lines are damaged. The first
`MOST_REJECTS` different ones are kept line by line; what is beyond them is kept once, as the whole
body. Nothing is lost: every line that was not understood is in one of the rejects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

MOST_REJECTS = 100
"""Rejects of one upload that are kept line by line."""


REQUEST = "request"
"""What rejects are called that are bodies of requests which the server does not serve."""


class Origin(msgspec.Struct, frozen=True):
    """The request that brought a body which is kept whole."""

    method: str
    path: str
    query: str
    content_type: str | None = None
    content_encoding: str | None = None


class Reject(msgspec.Struct, frozen=True):
    """Something a terminal sent that was not understood; it is kept, with the reason."""

    table: str
    reason: str
    raw: bytes
    packed: bool = False
    """Whether `raw` is a packet (11.14)."""
    name: str | None = None
    """The file name that came with the upload of a photo (11.3)."""
    origin: Origin | None = None
    """The request that brought it, where `raw` is the whole body of one."""


class RejectList:
    """Collects the rejects of one upload: equal ones once, and no more than a number of them."""

    def __init__(self, most: int = MOST_REJECTS) -> None:
        self._most = most
        self._kept: dict[bytes, Reject] = {}
        self._times: dict[bytes, int] = {}
        self.count = 0
        """How many times something was not understood, equal ones and unkept ones included."""
        self._beyond = 0

    @property
    def is_full(self) -> bool:
        """Whether different rejects are only counted from now on: their reasons are not kept."""
        return len(self._kept) >= self._most

    @property
    def reason(self) -> str:
        """The first reason."""
        return next(iter(self._kept.values())).reason

    def repeats(self, raw: bytes) -> bool:
        """Count bytes that were rejected before, without reading them again; False for others."""
        if raw not in self._kept:
            return False
        self.count += 1
        self._times[raw] = self._times.get(raw, 1) + 1
        return True

    def add(self, table: str, reason: str, raw: bytes) -> None:
        """Keep or count a reject."""
        if self.repeats(raw):
            return
        self.count += 1
        if self.is_full:
            self._beyond += 1
        else:
            self._kept[raw] = Reject(table, reason, raw)

    def count_unread(self, parts: Sequence[bytes]) -> None:
        """Count parts that need not be read; for a full list, whose body is kept anyway."""
        self.count += len(parts)
        for raw, times in Counter(parts).items():
            if raw in self._kept:
                self._times[raw] = self._times.get(raw, 1) + times
            else:
                self._beyond += times

    def of_body(self, table: str, body: bytes, form: str = "body") -> list[Reject]:
        """The rejects of an upload to a table; `body` is all of it, of that form."""
        found = [
            msgspec.structs.replace(reject, reason=f"{reject.reason} ({self._times[raw]} times)")
            if raw in self._times
            else reject
            for raw, reject in self._kept.items()
        ]
        if self._beyond:
            reason = f"{self._beyond} more parts are not understood; this is the whole {form}"
            found.append(Reject(table, reason, body))
        return found
