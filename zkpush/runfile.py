"""`run.json`: where a running daemon is to be found, for the command line on its machine."""

from __future__ import annotations

import os
from pathlib import Path

NAME = "run.json"


def directory_mark(directory: Path) -> str:
    """Identify a directory by device and inode: a copy of it has another mark.

    Renaming a directory keeps its mark. `OSError` if it is not there.
    """
    status = os.stat(directory)
    return f"{status.st_dev}:{status.st_ino}"
