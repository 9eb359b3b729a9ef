"""Packages of people: made when a terminal fetches them, of the right people (12.5.2)."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import pathlib
import subprocess
import tarfile

import pytest
import pytest_twisted

from zkpush.handlers.people import packages
from zkpush.handlers.people.selection import AT_ONCE

from ..rig import Rig
from .files import fetch, order
from .test_effects import TEMPLATE, answered, shown
from .test_effects import order as done

SYNC = {"Action": "SyncData", "TableName": "USERINFO"}


async def people(rig: Rig, *lines: str, sn: str = "T1") -> None:
    """Let a terminal upload people."""
    await rig.exchange(sn)
    reply = await rig.post(f"cdata?SN={sn}&table=OPERLOG", "\n".join(lines).encode())
    assert reply.body.startswith(b"OK")
    await rig.emptied()  # many short records are stored after the answer


async def told(rig: Rig, sn: str = "T1") -> tuple[str, str]:
    """The URL and the rest of the line of the next PutFile."""
    line = (await rig.get(f"getrequest?SN={sn}")).body.decode()
    url, _, rest = line.partition("PutFile ")[2].rstrip("\n").partition("\t")
    return url, rest


def unnamed_files(folder: pathlib.Path) -> int:
    """The number of open files in a folder that have no name, as temporary files have none."""
    found = 0
    for one in pathlib.Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(one.readlink())
            found += target.startswith(str(folder)) and target.endswith("(deleted)")
    return found


def lines_of(content: bytes) -> list[str]:
    """The commands in a tar of one file, without their numbers."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        (member,) = tar.getmembers()
        file = tar.extractfile(member)
        assert file is not None
        text = file.read().decode()
    found = [line.split(":", 2) for line in text.splitlines()]
    assert [(mark, int(number)) for mark, number, _ in found] == [
        ("C", number) for number in range(1, len(found) + 1)
    ]
    return [line for _, _, line in found]


async def package(rig: Rig, sn: str = "T1", **params: str) -> list[str]:
    """The commands of a package that a terminal was told to fetch."""
    command = await order(rig, "PutFile", sn, **params)
    url, rest = await told(rig, sn)
    lines = lines_of((await fetch(rig, url)).body)
    if params["Action"] == "SyncData":
        assert rest.endswith(f"RecordCount={len(lines)}")
    await rig.post(f"devicecmd?SN={sn}", f"ID={command}&Return={len(lines)}&CMD=PutFile".encode())
    assert (await shown(rig, command))["state"] == "done"
    return lines


def pins(lines: list[str]) -> list[str]:
    """The user IDs in the commands of a package."""
    return [line.partition("PIN=")[2].partition("\t")[0] for line in lines]


@pytest_twisted.ensureDeferred
async def test_a_package_is_a_tar_that_is_made_when_it_is_fetched(rig: Rig, tmp_path) -> None:
    """It has the people of that moment, as `tar` reads it; the command has their number."""
    await people(rig, "USER PIN=7\tName=Ann\tPri=0")
    command = await order(rig, "PutFile", **SYNC)
    assert (await rig.api("GET", "/files")).json["items"] == []
    await people(rig, "USER PIN=8\tName=Zoë")
    url, rest = await told(rig)
    assert rest == "userinfo.tgz\tAction=SyncData\tTableName=USERINFO\tRecordCount=2"
    content = (await fetch(rig, url)).body
    (tmp_path / "p.tgz").write_bytes(content)
    listed = subprocess.run(["tar", "tzf", tmp_path / "p.tgz"], capture_output=True, check=True)
    assert listed.stdout == b"commands.txt\n"
    assert lines_of(content) == [
        "DATA UPDATE USERINFO PIN=7\tName=Ann\tPri=0\tVerify=-1",
        "DATA UPDATE USERINFO PIN=8\tName=Zoë\tVerify=-1",
    ]
    # It is resumed where it broke off, from the same bytes.
    rest_of_it = await fetch(rig, url, f"Range: bytes={len(content) - 9}-")
    assert (rest_of_it.status, rest_of_it.body) == (206, content[-9:])
    await answered(rig, f"ID={command}&Return=2&CMD=PutFile".encode())
    assert (await fetch(rig, url)).status == 403


@pytest_twisted.ensureDeferred
async def test_a_package_in_the_plain_form(make_rig) -> None:
    """The setting `commands.package_format` leaves the tar out."""
    rig = await make_rig(commands={"package_format": "gzip"})
    await people(rig, "USER PIN=7\tName=Ann", f"FP PIN=7\tFID=3\tTMP={TEMPLATE}")
    await order(rig, "PutFile", Action="AppendData")
    url, _ = await told(rig)
    assert gzip.decompress((await fetch(rig, url)).body).decode().splitlines() == [
        "C:1:DATA UPDATE USERINFO PIN=7\tName=Ann\tVerify=-1",
        f"C:2:DATA UPDATE FINGERTMP PIN=7\tFID=3\tSize=24\tValid=1\tTMP={TEMPLATE}",
    ]


@pytest_twisted.ensureDeferred
async def test_a_package_of_chosen_people(rig: Rig) -> None:
    """`People` names them; whoever is unknown or was removed is refused by name."""
    await people(rig, *[f"USER PIN={pin}\tName=P{pin}" for pin in (7, 8, 9)])
    assert pins(await package(rig, **SYNC, People="9,7")) == ["7", "9"]
    await done(rig, "DATA DELETE USERINFO", PIN="7")
    for named, mistake in (("8,99", "there is no user 99"), ("7,8", "user 7 was removed")):
        request = {"command": "PutFile", "params": {**SYNC, "People": named}}
        refused = await rig.api("POST", "/devices/T1/commands", request)
        assert refused.status == 400
        assert mistake in refused.json["detail"]


@pytest_twisted.ensureDeferred
async def test_leavers_do_not_come_back(rig: Rig) -> None:
    """Who was removed is in no package for that terminal, nor for any once all removed her."""
    for sn in ("T1", "T2"):
        await people(rig, "USER PIN=7\tName=Ann", "USER PIN=8\tName=Bob", sn=sn)
    await rig.exchange("T3")
    await done(rig, "DATA DELETE USERINFO", PIN="7")
    assert pins(await package(rig, **SYNC)) == ["8"]
    assert pins(await package(rig, "T3", **SYNC)) == ["7", "8"]
    command = await order(rig, "DATA DELETE USERINFO", "T2", PIN="7")
    await rig.get("getrequest?SN=T2")
    await rig.post("devicecmd?SN=T2", f"ID={command}&Return=0&CMD=DATA".encode())
    assert pins(await package(rig, "T3", **SYNC)) == ["8"]
    await done(rig, "DATA UPDATE USERINFO", PIN="7", Name="Ann")
    assert pins(await package(rig, **SYNC)) == ["7", "8"]


@pytest.mark.parametrize(
    ("command", "params", "left"),
    [
        ("DATA DELETE FINGERTMP", {"PIN": "7", "FID": "3"}, ["FP 4", "FACE"]),
        ("DATA DELETE FINGERTMP", {"PIN": "7"}, ["FACE"]),
        ("DATA DELETE FACE", {"PIN": "7"}, ["FP 3", "FP 4"]),
        ("DATA DELETE BIODATA", {"Pin": "7", "Type": "1", "No": "4"}, ["FP 3", "FACE"]),
        ("DATA DELETE BIODATA", {"Pin": "7"}, []),
        ("DATA DELETE USERPIC", {"PIN": "7"}, ["FP 3", "FP 4", "FACE"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_removed_templates_do_not_come_back(
    rig: Rig, command: str, params: dict[str, str], left: list[str]
) -> None:
    """A template that was deleted on a terminal is not in its packages."""
    face = base64.b64encode(b"0123456789abcdefa face").decode()
    fingers = [f"FP PIN=7\tFID={number}\tTMP={TEMPLATE}" for number in (3, 4)]
    await people(rig, "USER PIN=7\tName=Ann", *fingers, f"FACE PIN=7\tFID=0\tTMP={face}")
    await done(rig, command, **params)
    names = {"FINGERTMP PIN=7\tFID=3": "FP 3", "FINGERTMP PIN=7\tFID=4": "FP 4", "FACE": "FACE"}
    lines = (await package(rig, Action="AppendData"))[1:]
    found = [name for line in lines for begin, name in names.items() if f"UPDATE {begin}" in line]
    assert found == left


@pytest_twisted.ensureDeferred
async def test_a_package_that_is_out_of_date_is_not_sent(rig: Rig, tmp_path) -> None:
    """Its number of records is no longer that of the command, or nobody is left."""
    await people(rig, "USER PIN=7\tName=Ann")
    await order(rig, "PutFile", **SYNC)
    url, _ = await told(rig)
    await people(rig, "USER PIN=8\tName=Bob")
    refused = await fetch(rig, url)
    assert (refused.status, b"OK" in refused.raw) == (503, False)
    assert b"have changed" in refused.body
    assert unnamed_files(tmp_path) == 0


@pytest_twisted.ensureDeferred
async def test_a_package_is_read_in_parts_and_nothing_is_written(
    rig: Rig, monkeypatch, tmp_path
) -> None:
    """A part has some people, each in a transaction that only reads; no unit of work is used."""
    number = 2 * AT_ONCE + 5
    await people(rig, *[f"USER PIN={pin}\tName=P{pin}" for pin in range(1, number + 1)])
    await order(rig, "PutFile", **SYNC)
    url, _ = await told(rig)
    parts: list[int] = []
    write = rig.store.write
    written: list[object] = []

    def lines(tx, device, some, table):
        parts.append(len(some))
        return original(tx, device, some, table)

    def counted(unit):
        written.append(unit)
        return write(unit)

    original = packages.lines_of
    monkeypatch.setattr(packages, "lines_of", lines)
    monkeypatch.setattr(rig.store, "write", counted)
    assert len(lines_of((await fetch(rig, url)).body)) == number
    assert parts == [AT_ONCE, AT_ONCE, 5, 0]
    assert written == []
    # The second request finds it there; it is gone when nobody has read it for a while.
    await fetch(rig, url)
    assert len(parts) == 4
    assert unnamed_files(tmp_path) == 1
    rig.clock.advance(121)
    assert unnamed_files(tmp_path) == 0
    assert len(lines_of((await fetch(rig, url)).body)) == number
