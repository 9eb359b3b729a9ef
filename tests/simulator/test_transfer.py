"""Files that a terminal fetches: kept, unpacked, executed, installed (12.5.2, 12.8.2)."""

from __future__ import annotations

import base64
import gzip
import io
import tarfile

import pytest
import pytest_twisted

from zkpush.handlers.people.tables import FP, USER
from zkpush.simulator.transfer import PART, TRIES

from .asked import Asked
from .script import LOST
from .test_data import EVERYTHING_OF_ONE, FINGER

LARGE = bytes(range(256)) * (2 * PART // 256) + b"end"
"""Two parts, and a little more."""
FIRMWARE = b"firm\0ware\xff\n"
FIRMWARE_MD5 = "c737099729170c648e1d20be24d7dbde"
PEOPLE = gzip.compress(
    b"C:123:DATA UPDATE USERINFO PIN=2\tName=Bo\n"
    b"C:124:DATA UPDATE USERINFO PIN=3\tName=Cy\n"
    b"C:125:DATA UPDATE FINGERTMP PIN=3\tFID=1\tSize=4\tValid=1\tTMP=AAAA\n"
    b"C:126:DATA UPDATE FINGERTMP PIN=9\tFID=1\tSize=4\tValid=1\tTMP=AAAA\n"
    b"C:127:REBOOT\n"
    b"C:128:FLY\n"
)


def tgz(**members: bytes) -> bytes:
    """A package of files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        folder = tarfile.TarInfo("sub")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in members.items():
            member = tarfile.TarInfo(f"sub/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize("ranges", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_file_is_fetched_in_parts(ranges: bool) -> None:
    """A file is asked for by Range, part by part; a server that sends it whole is fine, too."""
    asked = Asked(files={"file/1/ssruser.dat": LARGE}, ranges=ranges)
    assert await asked.ask("PutFile file/1/ssruser.dat\t/mnt/mtdblock/ssruser.dat") == [
        b"ID=1\nReturn=131075\nCMD=PutFile\n"
    ]
    assert asked.terminal.files.read("ssruser.dat") == LARGE
    wanted = [headers[b"Range"][0] for headers in asked.script.headers if b"Range" in headers]
    every = [b"bytes=0-65535", b"bytes=65536-131071", b"bytes=131072-196607"]
    assert wanted == (every if ranges else every[:1])
    assert b"/iclock/file/1/ssruser.dat?SN=SIM1" in asked.script.uris


@pytest_twisted.ensureDeferred
async def test_a_transfer_goes_on_where_it_broke_off() -> None:
    """A part that is lost is asked for again, and no other."""
    asked = Asked(files={"file/1/a": LARGE}, file=[200, LOST, 503, 200])
    assert await asked.codes("PutFile file/1/a\t/a") == [len(LARGE)]
    assert asked.terminal.files.read("/a") == LARGE
    assert sum(name == "file" for name, _ in asked.script.asked) == 5


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("PutFile file/2/a\t/a", -1008),
        ("PutFile file/1/a", -1),
        ("PutFile Action=SyncData", -1),
        ("PutFile file/1/a\ta\tAction=SyncData", -1),
        ("PutFile file/1/a\ta\tAction=AppendData", -1008),
        ("PutFile file/1/a\t/mnt/mtdblock", -3),
        ("PutFile file/1/broken.tgz\t/mnt/", -3),
        ("PutFile file/1/p.tgz\tp\tAction=SyncData\tTableName=USERINFO\tRecordCount=3", -1),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_file_that_is_not_as_it_should_be_is_refused(text: str, code: int) -> None:
    """Not there, no place to go, not a package, other records than were said."""
    files = {"file/1/a": FIRMWARE, "file/1/broken.tgz": tgz(a=b"1")[:40], "file/1/p.tgz": PEOPLE}
    assert await Asked(files=files).codes(text) == [code]


@pytest.mark.parametrize(
    ("path", "folder"),
    [("", "/mnt/mtdblock/sub"), ("main.tgz", "/mnt/mtdblock/sub"), ("/mnt/", "/mnt/sub")],
)
@pytest_twisted.ensureDeferred
async def test_a_tgz_is_unpacked(path: str, folder: str) -> None:
    """It goes into the folder that is named, or into /mnt/mtdblock."""
    package = tgz(one=b"1", two=b"\0")
    asked = Asked(files={"file/fw/main.tgz": package})
    assert await asked.codes(f"PutFile file/fw/main.tgz\t{path}") == [len(package)]
    assert asked.terminal.files.names(folder) == ["one", "two"]
    assert asked.terminal.files.read(f"{folder}/two") == b"\0"


@pytest_twisted.ensureDeferred
async def test_other_bytes_than_were_asked_for_are_not_taken() -> None:
    """A server that answers with another range, or none, does not give the file (-1008)."""
    asked = Asked(files={"file/1/a": b""})
    assert await asked.codes("PutFile file/1/a\t/a") == [-1008]
    asked = Asked(file=206)
    assert await asked.codes("PutFile file/1/a\t/a") == [-1008]
    assert sum(name == "file" for name, _ in asked.script.asked) == TRIES


@pytest_twisted.ensureDeferred
async def test_a_whole_url_is_fetched_as_it_is() -> None:
    """What begins with http:// is not completed (12.5.2)."""
    asked = Asked(files={"file/1/a": b"1"})
    assert await asked.codes("PutFile http://server:8081/iclock/file/1/a\t/a") == [1]
    assert asked.script.uris[-2] == b"/iclock/file/1/a"


@pytest_twisted.ensureDeferred
async def test_sync_replaces_and_counts() -> None:
    """SyncData leaves only who is in the package; users who are not there are gone with all."""
    asked = Asked(files={"file/1/p.tgz": PEOPLE})
    assert set(await asked.codes(*EVERYTHING_OF_ONE, FINGER.replace("PIN=1", "PIN=2"))) == {0}
    sync = "PutFile file/1/p.tgz\tp.tgz\tAction=SyncData\tTableName=USERINFO\tRecordCount=6"
    assert await asked.ask(sync) == [b"ID=8\nReturn=3\nCMD=PutFile\n"]
    assert asked.held(USER, "pin", "name") == [("2", "Bo"), ("3", "Cy")]
    assert asked.held(FP, "pin", "number") == [("2", 3), ("3", 1)]


@pytest_twisted.ensureDeferred
async def test_append_adds() -> None:
    """AppendData leaves what is there, and is answered with the size (12.5.2)."""
    asked = Asked(files={"file/1/p.tgz": PEOPLE})
    put = "PutFile file/1/p.tgz\tp.tgz\tAction=AppendData"
    assert await asked.codes(FINGER, put) == [0, len(PEOPLE)]
    assert [pin for (pin,) in asked.held(USER, "pin")] == ["1", "2", "3"]
    assert asked.held(FP, "pin", "number") == [("1", 3), ("3", 1)]


def upgrade(**wrong: object) -> str:
    """The first form of UPGRADE."""
    said = {"checksum": FIRMWARE_MD5, "url": "emfw", "size": 11}
    return "UPGRADE " + ",".join(f"{key}={value}" for key, value in {**said, **wrong}.items())


@pytest.mark.parametrize(
    ("text", "file"),
    [
        (
            f"UPGRADE checksum={FIRMWARE_MD5},url=file/1.b64/emfw.cfg,size=11",
            {"file/1.b64/emfw.cfg": b"ZmlybQB3YXJl/wo="},
        ),
        (
            f"UPGRADE type=1,checksum={FIRMWARE_MD5},size=11,url=file/1/emfw.cfg",
            {"file/1/emfw.cfg": FIRMWARE},
        ),
        (
            f"UPGRADE type=1,checksum={FIRMWARE_MD5.upper()},size=11,url=file/1/emfw.cfg,"
            "supportsubcontracting=1",
            {"file/1/emfw.cfg": FIRMWARE},
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_firmware_is_fetched_checked_and_installed(text: str, file: dict[str, bytes]) -> None:
    """In either form, the terminal comes back with another version, and says so."""
    asked = Asked(files=file)
    assert await asked.ask(text) == [b"ID=1&Return=0&CMD=UPGRADE\n"]
    (url,) = file
    uris = [b"/iclock/file?SN=SIM1&url=" + url.encode(), b"/iclock/devicecmd?SN=SIM1"]
    assert asked.script.uris[-3:-1] == uris
    assert asked.script.asked[-1][0] == "exchange"
    assert asked.terminal.options()["FirmVer"] == "Ver 8.0.4.7-c7370997"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (upgrade(), 0),
        (upgrade(checksum="0" * 32), -1008),
        (upgrade(size=12), -1008),
        (upgrade(type=1), -1008),
        (upgrade(url="rubbish"), -1008),
        (upgrade(url="nothing"), -1008),
        ("UPGRADE url=emfw,size=11", -1),
        ("UPGRADE", -1),
    ],
)
@pytest_twisted.ensureDeferred
async def test_firmware_that_is_not_as_it_was_said_is_not_installed(text: str, code: int) -> None:
    """Another sum, another size, no base64, nothing there: the old version stays (-1008)."""
    files = {"emfw": base64.b64encode(FIRMWARE), "rubbish": b"*"}
    asked = Asked(files=files)
    assert await asked.codes(text) == [code]
    assert (asked.terminal.model.firmware == "Ver 8.0.4.7-20240115") == (code != 0)
