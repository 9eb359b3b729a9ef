"""Checks of the machine's storage: writable directories and free space.

All functions block; on a file system that hangs (NFS, a dying disk) they block forever.
"""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from .values.storage import StoragePlace

PROBE = b"\0" * 4096
"""Data that is written and removed to test a directory."""
LEAST_INODES = 100
"""Number of free inodes below which a file system counts as full: each picture needs one."""


class Space(msgspec.Struct, frozen=True):
    """Free space of one place."""

    place: str
    """Name of the place, such as `pictures`."""
    free: int
    """Free bytes."""
    device: int
    """Device number of the file system; places on one file system share its space."""
    limited: bool = False
    """Whether the file size limit of the process (`ulimit -f`) is the bound."""
    is_temporary: bool = False
    """Whether files there are temporary."""


class Inspection(msgspec.Struct, frozen=True):
    """Result of checking all places."""

    reasons: Sequence[str]
    """Reasons why data cannot be stored, in words."""
    spaces: Sequence[Space]


def inspect_thd(places: Sequence[StoragePlace]) -> Inspection:
    """Write a temporary file to each place, and measure the free space."""
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
        # An unnamed file, where supported, leaves nothing behind if the process is killed.
        with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
            probe.write(PROBE)
    except OSError as error:
        # With the name of the folder: the original error would name the temporary file.
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
