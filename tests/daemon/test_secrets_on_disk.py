"""Secrets that terminals and people send are nowhere on disk, however the daemon ends."""

from __future__ import annotations

import base64
import hashlib
import http.client
import pathlib
import shutil
from collections.abc import Iterator

import pytest

from ..keys import OTHER_KEY
from ..postgres import OwnServer
from .process import Daemon
from .test_process import run

NAME = b"Ann Nonymous"
"""What is not sealed: it has to be found, or the search finds nothing at all."""
PIECE = 48


def secret(name: str, size: int = PIECE) -> bytes:
    """A marker: text that is found nowhere by accident."""
    text = hashlib.shake_128(name.encode()).hexdigest(size)
    return text[:size].encode()


PASSWORD, NEW_PASSWORD, OPTION = (secret(name, 20) for name in ("password", "new", "option"))
TEMPLATE, FACE, NEW_TEMPLATE, FINGER = map(secret, ("template", "face", "new template", "finger"))
PORTRAIT, PHOTO, COMPARISON = (
    b"\xff\xd8\xff" + secret(name, 70_000) for name in ("portrait", "photo", "comparison")
)
LINE, OUTPUT, FETCHED, PUT, EXTRA, SHELL = map(
    secret, ("line", "output", "fetched", "put", "extra", "shell")
)
SECRETS = {
    "password": PASSWORD,
    "new password": NEW_PASSWORD,
    "option": OPTION,
    "template": TEMPLATE,
    "face": FACE,
    "new template": NEW_TEMPLATE,
    "fingerprint of an identity card": FINGER,
    "portrait": PORTRAIT,
    "photo": PHOTO,
    "comparison photo": COMPARISON,
    "line": LINE,
    "output": OUTPUT,
    "fetched file": FETCHED,
    "sent file": PUT,
    "unknown column": EXTRA,
    "shell command": SHELL,
}


def needles(plain: bytes) -> Iterator[bytes]:
    """How a marker may be written, with whatever stands before it."""
    piece = plain[-PIECE:]
    yield piece
    yield piece.hex().encode()
    yield piece.hex().upper().encode()
    yield piece[::-1]
    for before in range(3):
        text = base64.b64encode(bytes(before) + piece)
        yield text[4:-4]
    yield base64.b64encode(base64.b64encode(piece))[:40]
    for digest in ("md5", "sha1", "sha256"):  # a short secret is guessed by its digest
        yield hashlib.new(digest, plain).digest()
        yield hashlib.new(digest, plain).hexdigest().encode()


def found_in(folder: pathlib.Path) -> list[str]:
    """The markers that are in a file of a folder, or in the name of one; and where."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    wanted = {name: [*needles(plain)] for name, plain in SECRETS.items()}
    found = []
    for file in files:
        content = str(file).encode() + b"\0" + file.read_bytes()
        found += [
            f"{name} in {file.name}"
            for name, forms in wanted.items()
            if any(form in content for form in forms)
        ]
    assert any(NAME in file.read_bytes() for file in files)
    return found


def b64(content: bytes) -> str:
    """As terminals write it."""
    return base64.b64encode(content).decode()


def post(daemon: Daemon, path: str, body: bytes) -> bytes:
    """An upload that is taken."""
    status, reply = daemon.request("POST", path, body)
    assert status == 200, reply
    return reply


def plant(daemon: Daemon) -> None:
    """Send everything that is secret, on every way that there is."""
    daemon.exchange("T1")
    lines = [
        f"USER PIN=1\tName={NAME.decode()}\tPasswd={PASSWORD.decode()}\tMore={EXTRA.decode()}",
        f"FP PIN=1\tFID=1\tTMP={b64(TEMPLATE)}",
        f"BIODATA Pin=1\tNo=0\tIndex=0\tType=9\tMajorVer=1\tTmp={b64(FACE)}",
        f"USERPIC PIN=1\tContent={b64(PORTRAIT)}",
        f"BIOPHOTO PIN=1\tType=9\tContent={b64(COMPARISON)}",
        f"IDCARD PIN=1\tFPTemplate1={b64(FINGER)}",
        f"FP PIN=2\tFID=x\tTMP={b64(TEMPLATE)}\tTMP={b64(LINE)}",
        f"{LINE.decode()[:20]} {LINE.decode()}",
    ]
    body = "".join(f"{line}\n" for line in lines).encode()
    assert post(daemon, "cdata?SN=T1&table=OPERLOG&Stamp=1", body) == b"OK: 6"
    head = b"PIN=20260105080000-1.jpg\nSN=T1\nsize=%d\nCMD=uploadphoto\0" % len(PHOTO)
    post(daemon, "cdata?SN=T1&table=ATTPHOTO&Stamp=1", head + PHOTO)
    post(daemon, "cdata?SN=T1&table=options", b"ComPwd=%s" % OPTION)
    post(daemon, "cdata?SN=T1&table=NOBODY&Stamp=1", b"x=" + LINE)
    connection = http.client.HTTPConnection(daemon.manage.hostname, daemon.manage.port, timeout=30)
    headers = {"Authorization": f"Bearer {daemon.token}"}
    connection.request("POST", "/api/v1/files?name=list.txt", PUT, headers)
    assert connection.getresponse().status == 201
    connection.close()
    for name, params in (
        ("DATA UPDATE USERINFO", {"PIN": "3", "Passwd": NEW_PASSWORD.decode()}),
        ("DATA UPDATE FINGERTMP", {"PIN": "3", "FID": "1", "TMP": b64(NEW_TEMPLATE)}),
        ("PutFile", {"url": "file/1/list.txt", "path": "list.txt"}),
        ("SHELL", {"command": f"echo {SHELL.decode()}"}),
        ("SHELL", {"command": "dump"}),
        ("GetFile", {"path": "/mnt/options.cfg"}),
    ):
        queued = daemon.api("POST", "devices/T1/commands", {"command": name, "params": params})
        assert "id" in queued, queued
    status, sent = daemon.request("GET", "getrequest?SN=T1")
    assert (status, sent.count(b"\n")) == (200, 6)
    ids = [line.split(b":")[1] for line in sent.splitlines()]
    url = next(line for line in sent.split() if line.startswith(b"file/")).decode()
    assert daemon.request("GET", f"file?SN=T1&url={url}") == (200, PUT)
    for id_, body in zip(
        ids,
        (
            b"ID=%s&Return=0&CMD=DATA",
            b"ID=%s&Return=0&CMD=DATA",
            b"ID=%s&Return=48&CMD=PutFile",
            b"ID=%s\nReturn=0\nCMD=Shell\nContent=" + OUTPUT,
            b"ID=%s\nReturn=0\nCMD=Shell\nContent=\0" + OUTPUT,
            b"ID=%s\nReturn=48\nCMD=GetFile\nContent=" + FETCHED,
        ),
        strict=True,
    ):
        post(daemon, "devicecmd?SN=T1", body.replace(b"%s", id_))


def check(daemon: Daemon) -> None:
    """Who may see it sees what was sent."""
    user = daemon.api("GET", "users/1")
    assert (user["name"], user["password"]) == (NAME.decode(), PASSWORD.decode())
    assert user["extra"] == {"More": EXTRA.decode()}
    templates = daemon.api("GET", "users/1/templates")["items"]
    assert {one["template"] for one in templates} == {b64(TEMPLATE), b64(FACE)}
    photos = daemon.api("GET", "users/1/photos")["items"]
    assert {one["content"] for one in photos} == {b64(PORTRAIT), b64(COMPARISON)}
    rejects = daemon.api("GET", "rejects")["items"]
    assert sum(LINE in base64.b64decode(one["raw"]) for one in rejects) == 2
    assert daemon.api("GET", "devices/T1")["options"]["ComPwd"] == OPTION.decode()
    commands = daemon.api("GET", "devices/T1/commands")["items"]
    assert {one["state"] for one in commands} == {"done"}
    assert commands[0]["params"]["Passwd"] == NEW_PASSWORD.decode()
    assert commands[3]["result"]["Content"] == OUTPUT.decode()
    sizes = [one["size"] for one in daemon.api("GET", "files")["items"]]
    assert sorted(sizes) == [PIECE, PIECE, PIECE + 1]


@pytest.mark.long
def test_secrets_are_nowhere_on_disk(tmp_path: pathlib.Path) -> None:
    """Neither while the daemon runs, nor after it is killed; and who may see them still does."""
    with Daemon(tmp_path) as daemon:
        plant(daemon)
        assert found_in(tmp_path) == []
        daemon.kill()
    assert found_in(tmp_path) == []
    with Daemon(tmp_path) as daemon:
        check(daemon)
        daemon.terminate()
        daemon.process.wait(30)
    assert found_in(tmp_path) == []


@pytest.mark.long
def test_secrets_are_nowhere_in_a_postgresql_server(
    tmp_path: pathlib.Path, own_postgres: OwnServer
) -> None:
    """Nor in its write-ahead log."""
    flags = ("--database", own_postgres.url)
    with Daemon(tmp_path, *flags) as daemon:
        plant(daemon)
        daemon.kill()
    own_postgres.stop()
    assert found_in(own_postgres.folder) == []
    own_postgres.start()
    with Daemon(tmp_path, *flags) as daemon:
        check(daemon)


@pytest.fixture
def stopped(tmp_path: pathlib.Path) -> pathlib.Path:
    """A data directory with secrets, whose daemon has stopped."""
    with Daemon(tmp_path) as daemon:
        daemon.exchange("T1")
        post(daemon, "cdata?SN=T1&table=OPERLOG&Stamp=1", b"USER PIN=1\tPasswd=" + PASSWORD)
        daemon.terminate()
        daemon.process.wait(30)
    return tmp_path


@pytest.mark.long
def test_a_node_with_another_key_does_not_start(stopped: pathlib.Path) -> None:
    """One line that names the file of the key, exit status 1; with the right key it starts."""
    key = stopped / "key"
    right = key.read_bytes()
    key.write_text(OTHER_KEY.hex())
    ended = run("--data", stopped)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr + ended.stdout
    (line,) = ended.stderr.splitlines()
    assert line.startswith("zkpush: cannot start: this database belongs to another key")
    assert str(key) in line
    assert "ZKPUSH_KEY_FILE" in line
    elsewhere = stopped.parent / "the right key"
    elsewhere.write_bytes(right)
    elsewhere.chmod(0o600)
    with Daemon(stopped, env={"ZKPUSH_KEY_FILE": str(elsewhere)}) as daemon:
        assert daemon.api("GET", "users?secrets=true")["items"][0]["password"] == PASSWORD.decode()


@pytest.mark.parametrize("end", ["", "\n"])
def test_the_first_start_creates_the_key(stopped: pathlib.Path, end: str) -> None:
    """32 bytes in hexadecimal, for its owner only; a newline behind them makes no difference."""
    key = stopped / "key"
    text = key.read_text().strip()
    assert len(bytes.fromhex(text)) == 32
    assert len(set(text)) > 4
    assert key.stat().st_mode & 0o777 == 0o600
    key.write_text(text + end)
    with Daemon(stopped) as daemon:
        assert daemon.api("GET", "users?secrets=true")["items"][0]["password"] == PASSWORD.decode()


@pytest.mark.long
def test_another_data_directory_does_not_open_the_database(stopped: pathlib.Path) -> None:
    """A database that is copied without its key is of no use."""
    other = stopped / "other"
    other.mkdir()
    shutil.copy(stopped / "zkpush.sqlite", other)
    ended = run("--data", other)
    assert ended.returncode == 1
    assert "another key" in ended.stderr
