"""Owners of files, and the commands that a person types to mend owners and modes."""

from __future__ import annotations

import os
import pwd
import shlex
from pathlib import Path


def owner_of(path: Path) -> int | None:
    """Return the user ID that owns a path, or the nearest visible folder above it; None if none
    is visible."""
    for one in (path, *path.absolute().parents):
        try:
            return one.stat().st_uid
        except OSError:
            continue
    return None


def user_name(number: int) -> str:
    """Return the name of a user, or its number if it has no name."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def belongs_to_other(path: Path) -> str | None:
    """Return the name of the other user that owns a path; None if this user owns it."""
    owner = owner_of(path)
    return None if owner is None or owner == os.geteuid() else user_name(owner)


def as_user(user: str, command: str) -> str:
    """Return a command that runs another one as a user, in backquotes."""
    name = f"'#{user}'" if user.isdecimal() else user
    return f"`sudo -u {name} {command}`"


def narrowing(path: Path) -> str:
    """Return the command that makes a path accessible to its owner only, in backquotes."""
    mode = "0700" if path.is_dir() else "0600"
    sudo = "" if belongs_to_other(path) is None else "sudo "
    return f"`{sudo}chmod {mode} {shlex.quote(str(path))}`"


def taking(path: Path) -> str:
    """Return the command that gives a file, or a directory with its contents, to this user."""
    all_of_it = "-R " if path.is_dir() else ""
    return f"`sudo chown {all_of_it}{user_name(os.geteuid())} {shlex.quote(str(path))}`"
