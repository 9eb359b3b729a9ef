"""What a machine has left for the files of the server: folders that can be written, and space.

Everything here blocks; a file system that hangs (NFS, a dying disk) blocks for ever.
"""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from .model import StoragePlace

PROBE = b"\0" * 4096
"""What is written and removed to see that a folder can be written."""
LEAST_INODES = 100
"""With fewer free inodes a file system counts as full: each picture needs one."""


class Space(msgspec.Struct, frozen=True):
    """The space that one place has left."""

    place: str
    """The name of the place, such as `pictures`."""
    free: int
    """Bytes that can still be written."""
    device: int
    """The file system; places of one share its space."""
    limited: bool = False
    """Whether it is the file size limit of the process (`ulimit -f`) that bounds it."""
    is_temporary: bool = False
    """Whether nothing stays there."""


class Inspection(msgspec.Struct, frozen=True):
    """What was found at all places."""

    reasons: Sequence[str]
    """Why something cannot be stored, in words."""
    spaces: Sequence[Space]


def inspect_thd(places: Sequence[StoragePlace]) -> Inspection:
    """Write to each place, remove that again, and look at its space."""
    reasons: list[str] = []
    spaces: list[Space] = []
    for place in places:
        try:
            _check_mark(place)
            spaces += _space(place)
            _try_writing(place)
        except OSError as error:
            reasons.append(_words(place, error))
        except ValueError as error:
            reasons.append(str(error))
    return Inspection(reasons, spaces)


def _check_mark(place: StoragePlace) -> None:
    status = os.stat(place.path)
    if place.mark not in (None, (status.st_dev, status.st_ino)):
        raise ValueError(
            f"{place.name}: another folder or file is at {place.path}; put the right one back, or "
            "restart the daemon to use this one"
        )


def _try_writing(place: StoragePlace) -> None:
    path = Path(place.path)
    folder = path.parent if place.is_file else path
    try:
        # Without a name, where the system can do that: nothing is left of a killed process.
        with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
            probe.write(PROBE)
    except OSError as error:
        # By its name: the error would name the probe.
        raise OSError(error.errno, error.strerror, str(folder)) from error


def _space(place: StoragePlace) -> list[Space]:
    status = os.stat(place.path)
    system = os.statvfs(place.path)
    free = system.f_bavail * system.f_frsize
    if system.f_files and system.f_favail < LEAST_INODES:
        free = 0
    spaces = [Space(place.name, free, status.st_dev, is_temporary=place.is_temporary)]
    most, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if place.is_file and most != resource.RLIM_INFINITY:
        left = max(0, most - status.st_size)
        spaces.append(Space(place.name, left, status.st_dev, limited=True))
    return spaces


def _words(place: StoragePlace, error: OSError) -> str:
    where = error.filename or place.path
    if isinstance(error, FileNotFoundError):
        return f"{place.name}: {where} is missing"
    return f"{place.name}: cannot write to {where}: {error.strerror}"
