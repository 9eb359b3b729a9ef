"""The data directory: made once, kept, and for nobody else to read."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import re
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from zkpush.config import ConfigError
from zkpush.datadir import DataDirectory, open_data_directory
from zkpush.permissions import OWNER_ONLY, KeyFile
from zkpush.runfile import directory_mark

STARTS = 8


def mode(path: pathlib.Path) -> int:
    """The permissions of a file or directory."""
    return stat.S_IMODE(path.stat().st_mode)


def refusal(path: pathlib.Path, key_file: pathlib.Path | None = None) -> str:
    """The line that says why a directory cannot be used."""
    with pytest.raises(ConfigError) as refused:
        open_data_directory(path, None if key_file is None else KeyFile(key_file, OWNER_ONLY))
    (mistake,) = refused.value.mistakes
    return mistake


def test_the_first_start_makes_it(tmp_path: pathlib.Path) -> None:
    """The directory, the token and the key are made, for their owner only."""
    path = tmp_path / "srv" / "zkpush"
    data = open_data_directory(path, None)
    assert mode(path) == 0o700
    assert {file.name: mode(file) for file in path.iterdir()} == {
        "admin.token": 0o600,
        "database.json": 0o600,
        "key": 0o600,
    }
    assert data.path == path
    assert (path / "admin.token").read_text() == f"{data.admin_token}\n"
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", data.admin_token)
    assert (path / "key").read_text() == f"{data.key.hex()}\n"
    assert len(data.key) == 32


def test_an_open_umask_opens_nothing(tmp_path: pathlib.Path) -> None:
    """What others may read by default, they still may not read here."""
    before = os.umask(0)
    try:
        open_data_directory(tmp_path / "data", None)
    finally:
        os.umask(before)
    assert mode(tmp_path / "data") == 0o700
    assert mode(tmp_path / "data" / "key") == 0o600


def test_later_starts_keep_it(tmp_path: pathlib.Path) -> None:
    """Token and key are the same at every start; another directory has others."""
    first = open_data_directory(tmp_path / "data", None)
    assert open_data_directory(tmp_path / "data", None) == first
    other = open_data_directory(tmp_path / "other", None)
    assert other.admin_token != first.admin_token
    assert other.key != first.key


def test_starts_at_the_same_time_agree(tmp_path: pathlib.Path) -> None:
    """Processes that start together on an empty directory get one token and one key."""
    together = threading.Barrier(STARTS)

    def start(_: int) -> DataDirectory:
        together.wait()
        return open_data_directory(tmp_path / "data", None)

    with ThreadPoolExecutor(STARTS) as pool:
        for attempt in list(pool.map(start, range(STARTS))):
            assert attempt == open_data_directory(tmp_path / "data", None)
    assert sorted(os.listdir(tmp_path / "data")) == ["admin.token", "database.json", "key"]


def test_a_start_that_comes_second_takes_what_the_first_made(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that appears while another start makes its own is the one that counts."""
    first = "a" * 43
    link = os.link

    def late(source: pathlib.Path, target: pathlib.Path) -> None:
        if target.name == "admin.token":
            target.write_text(first)
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    assert open_data_directory(tmp_path, None).admin_token == first
    assert sorted(os.listdir(tmp_path)) == ["admin.token", "database.json", "key"]


def test_the_key_can_be_in_another_place(tmp_path: pathlib.Path) -> None:
    """A key file elsewhere is used, or made there; the directory has none then."""
    given = tmp_path / "given.key"
    given.write_text("00ff" * 16 + "\n")
    given.chmod(0o600)
    data = open_data_directory(tmp_path / "data", KeyFile(given, OWNER_ONLY))
    assert data.key == b"\x00\xff" * 16
    assert sorted(os.listdir(tmp_path / "data")) == ["admin.token", "database.json"]

    made = tmp_path / "made.key"
    data = open_data_directory(tmp_path / "data", KeyFile(made, OWNER_ONLY))
    assert made.read_text() == f"{data.key.hex()}\n"
    assert mode(made) == 0o600


def test_the_key_is_not_shown(tmp_path: pathlib.Path) -> None:
    """What is logged of the directory does not contain the key."""
    data = open_data_directory(tmp_path, None)
    assert data.key.hex() not in repr(data)
    assert repr(data.key) not in repr(data)


@pytest.mark.parametrize(
    "content", [b"", b"00" * 31, b"00" * 33, b"not hexadecimal", b"\xff\xfe" * 32]
)
def test_a_key_that_is_none_is_refused(tmp_path: pathlib.Path, content: bytes) -> None:
    """A key that is too short, too long or unreadable is not used, and not replaced."""
    (tmp_path / "key").write_bytes(content)
    assert refusal(tmp_path) == (
        f"data: {tmp_path / 'key'} does not hold a key, 32 bytes in hex; "
        "put the one back that belongs to the database"
    )
    assert (tmp_path / "key").read_bytes() == content

    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(content)
    elsewhere.chmod(0o600)
    assert refusal(tmp_path / "data", elsewhere).startswith(f"data: {elsewhere} does not hold")


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_token_that_is_none_is_refused(tmp_path: pathlib.Path, content: bytes) -> None:
    """An empty token would let everyone in, so the daemon does not start with one."""
    (tmp_path / "admin.token").write_bytes(content)
    assert refusal(tmp_path) == (
        f"data: {tmp_path / 'admin.token'} does not hold a token; remove it to get a new one"
    )


MEND = "give another directory, or mend this one"


def test_a_directory_of_another_user_is_not_to_be_made_writable(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key is in it: the daemon runs as its user, or with another directory."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)

    def forbidden(*args: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    monkeypatch.setattr(pathlib.Path, "mkdir", forbidden)
    owner = path.owner()
    assert refusal(path) == (
        f"data: cannot use {path}: Permission denied; it belongs to user {owner}: start the daemon "
        f"as that user, `sudo -u {owner} twistd -n zkpush …`, or name a directory of your own"
    )


@pytest.mark.parametrize("is_used", [True, False])
def test_a_directory_of_another_user_that_others_may_use_is_not_taken(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, is_used: bool
) -> None:
    """The message names the owner, and the command: as that user if a daemon has run on it."""
    path = tmp_path / "data"
    path.mkdir()
    path.chmod(0o755)
    if is_used:
        (path / "admin.token").touch()

    def forbidden(*args: object, **options: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 123456)
    monkeypatch.setattr(pathlib.Path, "chmod", forbidden)
    owner, me = path.owner(), path.stat().st_uid + 123456
    message = refusal(path)
    assert f"(mode 0755), and its mode cannot be changed: {os.strerror(errno.EPERM)}; " in message
    assert f"it belongs to user {owner}: " in message
    assert message.endswith(f"`sudo chown -R {me} {path}`")
    assert (f"`sudo -u {owner} twistd -n zkpush …`" in message) == is_used


def test_a_place_that_cannot_be_used_is_named(tmp_path: pathlib.Path) -> None:
    """What cannot be made or read is named, with the reason."""
    file = tmp_path / "file"
    file.touch()
    assert refusal(file / "data") == (f"data: cannot use {file / 'data'}: Not a directory; {MEND}")
    assert refusal(file) == f"data: cannot use {file}: File exists; {MEND}"
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    assert refusal(tmp_path / "data", folder) == (
        f"data: cannot use {folder}: Is a directory; {MEND}"
    )


def test_a_full_disk_leaves_nothing_half_made(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a secret cannot be written it is not there, and the directory is named."""

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    path = tmp_path / "data"
    assert refusal(path) == f"data: cannot use {path}: No space left on device; {MEND}"
    assert os.listdir(path) == []


def test_where_the_daemon_runs_is_said_in_one_step(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """run.json has the values, and is replaced as a whole: no reader sees half of it."""
    data = DataDirectory(tmp_path, "token", bytes(32))
    before = {"pid": 1, "listen": ["http://127.0.0.1:8081"], "manage": "http://127.0.0.1:8082"}
    data.say_where(before)
    before.update(data=str(tmp_path), directory=directory_mark(tmp_path))
    assert json.loads((tmp_path / "run.json").read_text()) == before
    after = {**before, "pid": 2}

    seen: list[object] = []
    replace = pathlib.Path.replace

    def watched(new: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
        seen.append(json.loads(target.read_text()))
        seen.append(json.loads(new.read_text()))
        return replace(new, target)

    monkeypatch.setattr(pathlib.Path, "replace", watched)
    data.say_where(after)
    assert seen == [before, after]
    assert json.loads((tmp_path / "run.json").read_text()) == after
    assert os.listdir(tmp_path) == ["run.json"]
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600


def test_a_daemon_that_is_gone_is_nowhere(tmp_path: pathlib.Path) -> None:
    """run.json is removed, if it is there; everything else stays."""
    data = open_data_directory(tmp_path, None)
    data.say_where({"pid": 1})
    data.say_nothing()
    data.say_nothing()
    assert sorted(os.listdir(tmp_path)) == ["admin.token", "database.json", "key"]
