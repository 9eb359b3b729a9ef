"""The data directory: created on the first start, kept on later ones."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs
import msgspec

from . import marker, runfile
from .config import ConfigError
from .ownership import as_user, belongs_to_other
from .permissions import KeyFile, narrow_directory, narrow_file
from .values.storage import DatabaseClaim

KEY_BYTES = 32


@attrs.frozen
class DataDirectory:
    """Contents of the directory, except the database."""

    path: Path
    admin_token: str = attrs.field(repr=False)
    key: bytes = attrs.field(repr=False)
    """Site key, which encrypts secrets at rest; the same on every node of one database."""
    key_file: Path = attrs.field()
    """Location of the site key."""

    @key_file.default
    def _in_directory(self) -> Path:
        return self.path / "key"

    def claim(self, *, new: bool = False) -> DatabaseClaim:
        """Return what the directory knows of its database; with `new`, request a new database."""
        return marker.read_claim(self.path, new=new)

    def remember(self, identity: str, where: str) -> None:
        """Record which database the directory belongs to; `OSError` if that fails."""
        now = marker.Marker(identity, where)
        claim = self.claim()
        if (claim.identity, claim.where) != (identity, where):
            marker.write_marker(self.path, now)

    def check_key(self) -> None:
        """Raise `ValueError` unless the key file still holds the key in use; blocks.

        The next start fails without that key.
        """
        try:
            kept = read_key(self.key_file)
        except ConfigError as error:
            raise ValueError(str(error).removeprefix("data: ")) from error
        if kept != self.key:
            raise ValueError(
                f"the key in {self.key_file} is not the one that the daemon uses; put that back"
            )

    def say_where(self, where: Mapping[str, object]) -> None:
        """Write the URLs and the process to `run.json`, for the command line.

        The file identifies its directory, so the command line ignores it in a copy of the
        directory.
        """
        belongs = {
            "data": str(self.path.absolute()),
            "directory": runfile.directory_mark(self.path),
        }
        new = self.path / ".run.json"
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(msgspec.json.encode({**where, **belongs}))
        new.replace(self.path / runfile.NAME)

    def say_nothing(self) -> None:
        """Remove `run.json`: the daemon has ended, and another process may take its port."""
        (self.path / runfile.NAME).unlink(missing_ok=True)


def open_data_directory(path: Path, key_file: KeyFile | None = None) -> DataDirectory:
    """Open the directory (0700), the token and the key (0600), creating what is missing.

    Wider modes are narrowed; a key file outside the directory is refused instead. `ConfigError`
    says what to do if the directory or a file cannot be used.
    """
    key_file = key_file or KeyFile(path / "key")
    where = key_file.path
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        narrow_directory(path)
        narrow_file(
            path / "admin.token",
            "If others may have read the token, remove the file and start again: that makes a new "
            "token",
        )
        key_file.check()
        if not (path / "admin.token").exists() and not (path / "key").exists():
            # Written first: a start that fails later is followed by another first start.
            _keep(path / marker.NAME, lambda: marker.EMPTY)
        token = _keep(path / "admin.token", lambda: secrets.token_urlsafe(32).encode() + b"\n")
        key = _keep(where, lambda: secrets.token_hex(KEY_BYTES).encode() + b"\n")
    except OSError as error:
        culprit = error.filename or path
        raise ConfigError(
            [f"data: cannot use {culprit}: {error.strerror}; {_way_out(culprit, error)}"]
        ) from error
    # An empty token would admit requests without a token.
    if not token.strip() or not token.isascii():
        raise ConfigError(
            [f"data: {path / 'admin.token'} does not hold a token; remove it to get a new one"]
        )
    return DataDirectory(path, token.decode().strip(), _decode_key(where, key), where)


def _way_out(culprit: object, error: OSError) -> str:
    """Advice for a file that cannot be used; never to widen its mode if it is another user's."""
    if not isinstance(error, PermissionError):
        return "give another directory, or mend this one"
    other = belongs_to_other(Path(str(culprit)))
    if other is None:
        return "make it writable for its owner"
    return (
        f"it belongs to user {other}: start the daemon as that user, "
        f"{as_user(other, 'twistd -n zkpush …')}, or name a directory of your own"
    )


def read_key(file: Path) -> bytes:
    """Read an existing key; `ConfigError` says what to do if it is missing or invalid."""
    try:
        return _decode_key(file, file.read_bytes())
    except OSError as error:
        advice = "is it the right directory?"
        other = belongs_to_other(file)
        if isinstance(error, PermissionError) and other is not None:
            advice = f"run this as its user: {as_user(other, 'zkpush …')}"
        raise ConfigError(
            [f"data: cannot read the key {file}: {error.strerror}; {advice}"]
        ) from error


def write_secret(file: Path, content: bytes) -> None:
    """Write a new secret file, readable by its owner only, atomically and synced to disk."""
    _keep(file, lambda: content)
    handle = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _decode_key(file: Path, text: bytes) -> bytes:
    try:
        key = bytes.fromhex(text.decode().strip())
        if len(key) != KEY_BYTES:
            raise ValueError
    except ValueError:
        raise ConfigError(
            [
                f"data: {file} does not hold a key, {KEY_BYTES} bytes in hex; "
                "put the one back that belongs to the database"
            ]
        ) from None
    return key


def _keep(file: Path, make: Callable[[], bytes]) -> bytes:
    """Read a secret file, or create it atomically: processes that start together share one."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        pass
    new = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(make())
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(new, file)
    finally:
        new.unlink()
    return file.read_bytes()
