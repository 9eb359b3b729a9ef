"""The kinds of faults in one upload, each with its number.

A reason of a reject names each different fault, if there are few. Else it names each kind once, by
its first instance: two lines without a time and one with too few columns are two kinds. Two reasons
are of one kind if they differ in numbers and in quoted text only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..phrases import Phrase

MOST_KINDS = 4
"""Kinds that a reason names; the others are counted together. Also the most different faults that
are named each."""
FURTHER = Phrase("further parts")
"""What stands for parts that are counted together."""
ALSO = "; and also: "
_TIMES = re.compile(r" \(([0-9]{1,9}) times\)\Z", re.ASCII)
_END_OF_TIMES = " times)"
_VALUES = re.compile(r"'.*'|\".*\"|[0-9]+", re.ASCII | re.DOTALL)


class FaultKinds:
    """Counts faults by their kind."""

    def __init__(self, reason: str = "") -> None:
        """Begin with the kinds of a reason, if one is given."""
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}
        self._different: dict[str, int] | None = {}
        self._further = 0
        if reason:
            self.add(reason)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Iterate over the different reasons, or the first of each kind, with their numbers."""
        if self._different is not None:
            yield from self._different.items()
        else:
            for kind, count in self._counts.items():
                yield self._first[kind], count
        if self._further:
            yield FURTHER, self._further

    def add(self, reason: str, count: int = 1) -> None:
        """Count the faults of a reason, which may name several kinds, `count` times."""
        for part in reason.split(ALSO):
            found = _TIMES.search(part) if part.endswith(_END_OF_TIMES) else None
            if found is None:
                self._add(part, count)
            else:
                self._add(part[: found.start()], count * int(found[1]))

    def add_all(self, others: FaultKinds) -> None:
        """Count the faults of another count, too."""
        for reason, count in others:
            self._add(reason, count)

    def add_further(self, count: int) -> None:
        """Count faults of unknown kinds."""
        self._further += count

    @property
    def reason(self) -> str | None:
        """All faults as one reason; None without a fault."""
        parts = [part if count == 1 else f"{part} ({count} times)" for part, count in self]
        return ALSO.join(parts) or None

    def _add(self, reason: str, count: int) -> None:
        kind = _VALUES.sub("…", reason)
        if reason == FURTHER or (kind not in self._counts and len(self._counts) >= MOST_KINDS):
            self._further += count
            return
        self._first.setdefault(kind, reason)
        self._counts[kind] = self._counts.get(kind, 0) + count
        if self._different is not None:
            self._different[reason] = self._different.get(reason, 0) + count
            if len(self._different) > MOST_KINDS:
                self._different = None
