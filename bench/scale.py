"""How much is done in a run, and where."""

from __future__ import annotations

import pathlib
import tempfile

import attrs


@attrs.frozen
class Scale:
    """How much is done."""

    count: int
    stored: int
    terminals: int
    returning: int
    rounds: int
    """Of rates beside strangers; and bombs."""
    long_bytes: int
    """Of a long body."""


FULL = Scale(
    count=1000,
    stored=10_000_000,
    terminals=20_000,
    returning=2000,
    rounds=9,
    long_bytes=50_000_000,
)
QUICK = Scale(
    count=400, stored=200_000, terminals=2000, returning=100, rounds=2, long_bytes=2_000_000
)


def folder() -> pathlib.Path:
    """A place for one daemon's data."""
    return pathlib.Path(tempfile.mkdtemp(prefix="zkpush-bench-"))
