"""Permissions of the data directory and of the files that hold secrets.

The daemon narrows the modes of files that it created, and logs each change once. The key file that
`ZKPUSH_KEY_FILE` names belongs to somebody else: its mode is checked and never changed.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs
from twisted.logger import Logger

from .config import ConfigError
from .origins import KEY_FILE, KEY_FILE_MODE
from .ownership import as_user, belongs_to_other, narrowing, taking

OWNER_ONLY = 0o600
"""Mode of a secret file: read and write for the owner only."""
_NOT_OWNER = 0o077
_MAY_WRITE = 0o022
_MODE = re.compile(r"0?[0-7]{3}\Z", re.ASCII)
_log = Logger()


@attrs.frozen
class KeyFile:
    """The file of the site key."""

    path: Path
    widest: int | None = None
    """Widest allowed mode; None for a file in the data directory, whose mode is narrowed
    instead."""

    def check(self) -> None:
        """Check or narrow the mode of the file, if it exists; `ConfigError` if it is too wide."""
        if self.widest is None:
            narrow_file(
                self.path,
                "If others may have read the key, stop the daemon and run: zkpush database "
                "rotate-key",
            )
        elif self.path.exists():
            _check_mode(self.path, self.widest)


def key_file(data: Path, environment: Mapping[str, str]) -> KeyFile:
    """Return the key file of a data directory, or the one that `ZKPUSH_KEY_FILE` names.

    `ZKPUSH_KEY_FILE_MODE` is the widest allowed mode of the named file, in octal; `ConfigError` if
    it is not a mode, or lets others write.
    """
    named = environment.get(KEY_FILE)
    if not named:
        return KeyFile(data / "key")
    text = environment.get(KEY_FILE_MODE) or f"{OWNER_ONLY:o}"
    if not _MODE.match(text) or int(text, 8) & _MAY_WRITE:
        raise ConfigError(
            [
                f"ZKPUSH_KEY_FILE_MODE: {text!r} is not an octal mode in which only the owner may "
                "write, such as 0440"
            ]
        )
    return KeyFile(Path(named), int(text, 8))


@attrs.frozen
class AccessFault:
    """A secret path that others may access, or whose mode cannot be read."""

    detail: str
    way_out: str
    """What to type, or to do."""


def too_open(paths: Iterable[Path]) -> list[AccessFault]:
    """Find the paths that others may access, or whose modes cannot be read."""
    faults = []
    for path in paths:
        other = belongs_to_other(path)
        try:
            mode = _mode_of(path)
        except PermissionError as error:
            way = "as root" if other is None else f"as user {other}"
            faults.append(AccessFault(f"{path}: {error.strerror}", f"look {way}"))
            continue
        except OSError as error:
            way = f"put {path} back, from a backup"
            faults.append(AccessFault(f"{path}: {error.strerror}", way))
            continue
        if mode & _NOT_OWNER:
            owner = "" if other is None else f", owner {other}"
            detail = f"others may use {path} (mode {mode:04o}{owner})"
            faults.append(AccessFault(detail, narrowing(path)))
    return faults


def narrow_directory(path: Path) -> None:
    """Make a data directory accessible to its owner only (0700).

    `ConfigError` if its mode cannot be changed, or if it is a shared directory such as /tmp.
    """
    mode = _mode_of(path)
    if not mode & _NOT_OWNER:
        return
    if mode & stat.S_ISVTX:
        raise ConfigError(
            [f"data: {path} is shared by all users of this machine; name a directory in it"]
        )
    _narrow(
        path,
        mode & ~_NOT_OWNER,
        f"data: others may access the directory {path} (mode {mode:04o}), and its mode cannot be "
        f"changed: {{why}}; {_way_out(path)}",
    )
    _log.warn(
        "The directory {path} had mode {before}; it is 0700 now, for its owner only",
        path=str(path),
        before=f"{mode:04o}",
    )


def narrow_file(file: Path, advice: str) -> None:
    """Make a secret file readable by its owner only (0600), if it exists.

    `advice` says what to do in case others have read it. `ConfigError` if the mode cannot be
    changed.
    """
    try:
        mode = _mode_of(file)
    except FileNotFoundError:
        return
    if not mode & _NOT_OWNER:
        return
    _narrow(
        file,
        mode & OWNER_ONLY,
        f"data: others may access {file} (mode {mode:04o}), and its mode cannot be changed: "
        f"{{why}}; {_way_out(file)}",
    )
    _log.warn(
        "The file {file} had mode {before}; it is for its owner only now. {advice}",
        file=str(file),
        before=f"{mode:04o}",
        advice=advice,
    )


def _way_out(path: Path) -> str:
    """Return what to do about a path whose mode this user cannot change."""
    other = belongs_to_other(path)
    if other is None:
        return "name a directory on a file system that keeps modes"
    if path.is_dir() and not os.path.exists(path / "admin.token"):
        return (
            f"it belongs to user {other}: name a directory of your own, or give this one to "
            f"yourself if it holds nothing else: {taking(path)}"
        )
    return (
        f"it belongs to user {other}: start the daemon as that user, "
        f"{as_user(other, 'twistd -n zkpush …')}, or give it to yourself: {taking(path)}"
    )


def _narrow(path: Path, mode: int, refusal: str) -> None:
    try:
        path.chmod(mode)
    except OSError as error:
        raise ConfigError([refusal.format(why=error.strerror)]) from error
    if _mode_of(path) & _NOT_OWNER:  # some file systems have no modes, and report no error
        raise ConfigError([refusal.format(why="the file system keeps no modes")])


def _check_mode(file: Path, widest: int) -> None:
    mode = _mode_of(file)
    beyond = mode & _NOT_OWNER & ~widest
    if beyond & _MAY_WRITE:
        raise ConfigError(
            [f"ZKPUSH_KEY_FILE: others may write {file} (mode {mode:04o}); run: chmod 0600 {file}"]
        )
    if beyond:
        raise ConfigError(
            [
                f"ZKPUSH_KEY_FILE: others may read {file} (mode {mode:04o}); run: chmod 0600 "
                f"{file}, or mount the secret with that mode. If it cannot be mounted otherwise "
                f"and only this daemon can reach it, set ZKPUSH_KEY_FILE_MODE={mode:04o}"
            ]
        )


def _mode_of(path: Path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)
