"""`run.json`: location of a running daemon, for the command line on the same machine."""

from __future__ import annotations

import os
from pathlib import Path

NAME = "run.json"


def directory_mark(directory: Path) -> str:
    """Identify a directory by device and inode, which differ in a copy of it.

    Renaming a directory keeps its mark. `OSError` if it does not exist.
    """
    status = os.stat(directory)
    return f"{status.st_dev}:{status.st_ino}"
