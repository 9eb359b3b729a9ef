"""Files that commands write: new ones, readable only by their owner."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from .tables import printable

Moved = Callable[[int, int], object]
"""Called with the number of bytes transferred and the total."""
_MEGABYTE = 1000 * 1000


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file, and remove it if its content does not arrive completely.

    `click.ClickException` if there is a file, or it cannot be written.
    """
    try:
        with open(path, "xb", opener=_private) as out:
            try:
                yield out
            except BaseException:
                path.unlink()
                raise
    except FileExistsError:
        raise click.ClickException(f"{path} exists already; give another file name.") from None
    except OSError as error:
        raise click.ClickException(f"Cannot write {path}: {error.strerror}.") from None


def told_progress(what: str, say: Callable[[str, str], None]) -> Moved:
    """Return a callback that shows the progress of a long transfer."""

    def moved(done: int, length: int) -> None:
        say(printable(what), f"{done / _MEGABYTE:.1f} of {length / _MEGABYTE:.1f} MB")

    return moved


def _private(path: str, flags: int) -> int:
    """Open a file accessible only to its owner, since it may contain passwords or faces."""
    return os.open(path, flags, 0o600)
