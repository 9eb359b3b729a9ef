"""The data directory: made on the first start, kept on later ones."""

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
from .model import DatabaseClaim
from .permissions import KeyFile, narrow_directory, narrow_file

KEY_BYTES = 32


@attrs.frozen
class DataDirectory:
    """What the directory holds besides the database."""

    path: Path
    admin_token: str = attrs.field(repr=False)
    key: bytes = attrs.field(repr=False)
    """Seals secrets at rest; the same on every node of one database."""
    key_file: Path = attrs.field()
    """Where that is kept."""

    @key_file.default
    def _in_directory(self) -> Path:
        return self.path / "key"

    def claim(self, *, new: bool = False) -> DatabaseClaim:
        """What the directory knows of its database; `new` if the operator asks for a new one."""
        return marker.read_claim(self.path, new=new)

    def remember(self, identity: str, where: str) -> None:
        """Write down which database the directory belongs to; `OSError` if that fails."""
        now = marker.Marker(identity, where)
        claim = self.claim()
        if (claim.identity, claim.where) != (identity, where):
            marker.write_marker(self.path, now)

    def check_key(self) -> None:
        """Raise `ValueError` unless the key file still holds the key in use; it blocks.

        Without it, or with another one, the next start would fail.
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
        """Write where the daemon runs to `run.json`, for the command line.

        The file names the directory it belongs to, so that a copy of it leads nowhere.
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
        """Remove `run.json`: the daemon is gone, and its port may become somebody else's."""
        (self.path / runfile.NAME).unlink(missing_ok=True)


def open_data_directory(path: Path, key_file: KeyFile | None = None) -> DataDirectory:
    """Make the directory (0700), the token and the key (0600), or read those that are there.

    Wider modes are narrowed, but for a key file elsewhere, which is refused. `ConfigError` says
    what to do if the directory or a file cannot be used.
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
            # Before these: a start that fails later is followed by another first start.
            _keep(path / marker.NAME, lambda: marker.EMPTY)
        token = _keep(path / "admin.token", lambda: secrets.token_urlsafe(32).encode() + b"\n")
        key = _keep(where, lambda: secrets.token_hex(KEY_BYTES).encode() + b"\n")
    except OSError as error:
        culprit = error.filename or path
        raise ConfigError(
            [f"data: cannot use {culprit}: {error.strerror}; {_way_out(culprit, error)}"]
        ) from error
    # An empty token would let everyone in who sends none.
    if not token.strip() or not token.isascii():
        raise ConfigError(
            [f"data: {path / 'admin.token'} does not hold a token; remove it to get a new one"]
        )
    return DataDirectory(path, token.decode().strip(), _decode_key(where, key), where)


def _way_out(culprit: object, error: OSError) -> str:
    """What to do about a file that cannot be used. Of another user's, the rights stay narrow."""
    if not isinstance(error, PermissionError):
        return "give another directory, or mend this one"
    try:
        owner = Path(str(culprit)).stat().st_uid
    except OSError:
        return "run the daemon as the user that owns it, or give another directory"
    if owner != os.geteuid():
        return f"it belongs to user {owner}: run the daemon as that user, or give another directory"
    return "make it writable for its owner"


def read_key(file: Path) -> bytes:
    """Read a key that is there; `ConfigError` says what to do if it is not."""
    try:
        return _decode_key(file, file.read_bytes())
    except OSError as error:
        raise ConfigError(
            [f"data: cannot read the key {file}: {error.strerror}; is it the right directory?"]
        ) from error


def write_secret(file: Path, content: bytes) -> None:
    """Write a secret file that is not there yet, for its owner only; it is whole and on disk."""
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
    """Read a secret file, or make it whole: another process that starts now gets the same one."""
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
