"""Uploads of many short records: the statements, files and time that they take are bounded."""

from __future__ import annotations

import base64
import pathlib
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
import pytest_twisted
from sqlalchemy import Engine, event

from zkpush.persist.pictures import FEW_FILES
from zkpush.protocol.packets import pack

from ..rig import Rig

MakeRig = Callable[..., Awaitable[Rig]]


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are executed through SQLAlchemy meanwhile."""
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


LINES = {
    "templates without a version": lambda number: b"FP PIN=%d\tFID=1\tTMP=AAAA\n" % number,
    "templates with one": lambda number: b"BIODATA Pin=%d\tMajorVer=9\tTmp=AAAA\n" % number,
    "users": lambda number: b"USER PIN=%d\tName=x\n" % number,
}


@pytest.mark.parametrize("what", LINES)
@pytest_twisted.ensureDeferred
async def test_many_records_take_few_statements(rig: Rig, what: str) -> None:
    """The statements of an upload do not grow with each of its records."""
    await rig.exchange()
    body = b"".join(LINES[what](number) for number in range(2000))
    with counted() as statements:
        assert (await rig.post("cdata?SN=T1&table=OPERLOG", body)).body == b"OK: 2000"
    assert len(statements) < 60


@pytest_twisted.ensureDeferred
async def test_named_templates_take_the_place_of_all_unnamed_ones(rig: Rig) -> None:
    """Templates that come again with their version replace those without, with few statements."""
    await rig.exchange()
    line = b"BIODATA Pin=%d\tType=1\tMajorVer=%d\tTmp=AAAA\n"
    unnamed = b"".join(line % (number, 0) for number in range(1200))
    named = b"".join(line % (number, 10) for number in range(1200))
    await rig.post("cdata?SN=T1&table=OPERLOG", unnamed)
    with counted() as statements:
        assert (await rig.post("cdata?SN=T1&table=OPERLOG", named)).body == b"OK: 1200"
    assert len(statements) < 60
    for pin in (0, 1199):
        (template,) = await rig.items(f"/users/{pin}/templates")
        assert template["major_version"] == 10


@pytest_twisted.ensureDeferred
async def test_many_small_pictures_make_few_files(
    make_rig: MakeRig, tmp_path: pathlib.Path
) -> None:
    """A hundred small pictures in one upload are no files; a few are, and all can be read."""
    database = tmp_path / "store.sqlite"
    rig = await make_rig(database=f"sqlite:///{database}")
    folder = tmp_path / "store.sqlite-pictures"
    await rig.exchange()

    def line(number: int) -> bytes:
        picture = base64.b64encode(b"\xff\xd8\xff%d" % number)
        return b"USERPIC PIN=%d\tFileName=a.jpg\tContent=%b\n" % (number, picture)

    few = b"".join(line(number) for number in range(FEW_FILES))
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", few)).body == b"OK: %d" % FEW_FILES
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == FEW_FILES
    many = b"".join(line(number) for number in range(1000, 1300))
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", many)).body == b"OK: 300"
    assert [path for path in folder.rglob("*") if path.is_file()] == files
    for number in (0, 1000, 1299):
        (photo,) = await rig.items(f"/users/{number}/photos")
        assert base64.b64decode(photo["content"]) == b"\xff\xd8\xff%d" % number


@pytest_twisted.ensureDeferred
async def test_a_packet_of_small_photos_makes_no_files(
    make_rig: MakeRig, tmp_path: pathlib.Path
) -> None:
    """Hundreds of attendance photos in one packet are rows, with few statements; all are kept."""
    database = tmp_path / "store.sqlite"
    rig = await make_rig(database=f"sqlite:///{database}")
    await rig.exchange()
    packet = pack(
        [
            (f"{number}", b"PIN=20260105%06d-7.jpg\n\0\xff\xd8\xff%d" % (number, number))
            for number in range(300)
        ]
    )
    with counted() as statements:
        reply = await rig.post("cdata?SN=T1&table=ATTPHOTO&ContentType=tgz", packet)
    assert reply.body == b"OK"
    assert len(statements) < 60
    folder = tmp_path / "store.sqlite-pictures"
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    photos = await rig.items("/photos?limit=1000")
    assert len(photos) == 300
    content = await rig.api("GET", f"/photos/{photos[299]['id']}/content")
    assert content.body == b"\xff\xd8\xff299"


@pytest_twisted.ensureDeferred
async def test_a_user_that_is_said_again_and_again_takes_time_in_proportion(rig: Rig) -> None:
    """Lines of one user that complete each other are merged in linear time."""
    await rig.exchange()

    async def spent(count: int) -> float:
        body = b"".join(
            (b"USER PIN=7\tPri=%d\n" if number % 2 else b"USER PIN=7\tGrp=%d\n") % number
            for number in range(count)
        )
        begun = time.process_time()
        assert (await rig.post("cdata?SN=T1&table=OPERLOG", body)).body == b"OK: %d" % count
        return time.process_time() - begun

    short, long = await spent(1500), await spent(24_000)
    assert long < short * 16 * 3 + 0.25
