"""`zkpush files`."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import stat
from collections.abc import Callable

import pytest

from .program import Daemon, cells, environment, failed, misused, said, zkpush

CONTENT = hashlib.shake_128(b"firmware").digest(3_000_000)


@pytest.fixture
def firmware(tmp_path: pathlib.Path) -> pathlib.Path:
    """A file of three megabytes."""
    file = tmp_path / "firm ware.bin"
    file.write_bytes(CONTENT)
    return file


def added(daemon: Daemon, file: pathlib.Path, *more: str) -> str:
    """The id of a file that was added."""
    return said(daemon.zkpush("files", "add", str(file), *more)).strip()


def test_add(daemon: Daemon, firmware: pathlib.Path) -> None:
    """A file is sent as it is read, its id is printed, and what was sent is what is there."""
    run = daemon.zkpush("files", "add", str(firmware))
    assert run.stderr == "Sending firm ware.bin\n"
    file = daemon.api("GET", f"files/{said(run).strip()}")
    assert (file["name"], file["size"]) == ("firm ware.bin", len(CONTENT))
    assert file["md5"] == hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


def test_add_json(daemon: Daemon, firmware: pathlib.Path) -> None:
    """As JSON, the file is what the API says of it; it may have another name here."""
    run = daemon.zkpush("files", "add", str(firmware), "--name", "emfw.cfg", "--json")
    file = json.loads(said(run))
    assert (file["name"], file["path"]) == ("emfw.cfg", f"file/{file['id']}/emfw.cfg")


def test_upgrade(daemon: Daemon, firmware: pathlib.Path) -> None:
    """What was added can be sent to a terminal, which fetches it from the daemon."""
    file_id = added(daemon, firmware)
    terminal = daemon.terminal("UPGRADE1")
    said(
        daemon.zkpush(
            *("commands", "send", "UPGRADE1", "UPGRADE", f"file={file_id}", "form=2"),
        )
    )
    _, text = terminal.command()
    url = text.rpartition("url=")[2]
    assert terminal.ask("GET", "file", f"&url={url}") == CONTENT
    assert failed(daemon.zkpush("files", "remove", file_id)) == (
        f"Error: A terminal has still to fetch the file {file_id}; cancel its command first."
    )


def test_list(daemon: Daemon, firmware: pathlib.Path) -> None:
    """A person sees a table, and a program the items."""
    file_id = added(daemon, firmware, "--name", "listed.tgz")
    lines = cells(said(daemon.zkpush("files", "list")))
    assert lines[0][:6] == ["ID", "Name", "Size", "MD5", "Path", "From"]
    (line,) = (line for line in lines if line[0] == file_id)
    assert line[1:3] == ["listed.tgz", str(len(CONTENT))]
    items = json.loads(said(daemon.zkpush("files", "list", "--json")))
    assert file_id in [str(item["id"]) for item in items]


def test_get(daemon: Daemon, firmware: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A file is written for its owner only; one that is there is left alone."""
    file_id, out = added(daemon, firmware), tmp_path / "out"
    assert said(daemon.zkpush("files", "get", file_id, str(out))) == ""
    assert out.read_bytes() == CONTENT
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert failed(daemon.zkpush("files", "get", file_id, str(out))) == (
        f"Error: {out} exists already; give another file name."
    )


def test_get_nothing(daemon: Daemon, tmp_path: pathlib.Path) -> None:
    """Of a file that is not there, nothing is left."""
    out = tmp_path / "out"
    run = daemon.zkpush("files", "get", "99999", str(out))
    assert failed(run) == "Error: There is no file 99999. See: zkpush files list"
    assert not out.exists()


@pytest.mark.parametrize("content", [b"another", CONTENT[:-1]], ids=["other", "short"])
def test_get_damaged(serve: Callable[..., str], tmp_path: pathlib.Path, content: bytes) -> None:
    """What is not the file that was asked for is not kept."""
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()

    def reply(method: str, path: str) -> tuple[int, bytes]:
        view = json.dumps({"id": 1, "name": "a", "size": len(CONTENT), "md5": md5}).encode()
        return 200, content if path.endswith("/content") else view

    out = tmp_path / "out"
    run = zkpush("--url", serve(reply), "--token", "t", "files", "get", "1", str(out))
    assert failed(run) == "Error: The download of file 1 is damaged: its MD5 differs. Try again."
    assert not out.exists()


def test_get_cut_off(serve: Callable[..., str], tmp_path: pathlib.Path) -> None:
    """A connection that ends in the middle leaves nothing."""
    out = tmp_path / "out"

    def reply(method: str, path: str) -> tuple[int, bytes] | None:
        return None if path.endswith("/content") else (200, b'{"name": "a", "md5": "b"}')

    run = zkpush("--url", serve(reply), "--token", "t", "files", "get", "1", str(out))
    assert "The connection to" in failed(run)
    assert not out.exists()


def test_remove(daemon: Daemon, firmware: pathlib.Path) -> None:
    """A file can be removed, once."""
    file_id = added(daemon, firmware)
    assert said(daemon.zkpush("files", "remove", file_id)) == f"The file {file_id} is removed.\n"
    assert failed(daemon.zkpush("files", "remove", file_id)) == (
        f"Error: There is no file {file_id}. See: zkpush files list"
    )


def test_mistakes(daemon: Daemon, firmware: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """What cannot be read or sent is said in one line."""
    absent, empty = tmp_path / "absent", tmp_path / "empty"
    empty.touch()

    def add(*args: object) -> str:
        return failed(daemon.zkpush("files", "add", *map(str, args)))

    assert add(absent) == f"Error: Cannot read {absent}: No such file or directory."
    assert add(empty) == "Error: The body is empty."
    assert add(firmware, "--name", "a/b").startswith("Error: --name: a file is called by 1 to 255")
    assert add(firmware, "--name", "").startswith("Error: --name: a file is called by 1 to 255")
    assert "is a directory" in failed(misused("files", "add", str(tmp_path)), 2)
    assert "'x' is not a number. See: zkpush files list" in failed(
        misused("files", "remove", "x"), 2
    )


def test_progress(daemon: Daemon, firmware: pathlib.Path) -> None:
    """On a screen, a line says how far a transfer has come."""
    screen, side = os.openpty()
    process = daemon.start(
        *("files", "add", str(firmware)),
        env=environment(ZKPUSH_DATA=str(daemon.data), TERM="xterm"),
        stderr=side,
    )
    os.close(side)
    written = b""
    try:
        while part := os.read(screen, 1000):
            written += part
    except OSError:  # the other side has ended
        pass
    os.close(screen)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"Sending firm ware.bin (3.0 of 3.0 MB)" in written
