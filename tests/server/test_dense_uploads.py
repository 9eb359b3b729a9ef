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
from zkpush.protocol.density import FEW_RECORDS
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


TEMPLATE, NAME = b"A" * 256, b"x" * 40
"""As long as those of real terminals: shorter ones are dense."""
PADDING = bytes(60)
LINES = {
    "templates without a version": lambda number: b"FP PIN=%d\tTMP=%b\n" % (number, TEMPLATE),
    "templates with one": lambda number: (
        b"BIODATA Pin=%d\tMajorVer=9\tTmp=%b\n" % (number, TEMPLATE)
    ),
    "users": lambda number: b"USER PIN=%d\tName=%b\n" % (number, NAME),
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
    line = b"BIODATA Pin=%d\tType=1\tMajorVer=%d\tTmp=" + TEMPLATE + b"\n"
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
        picture = base64.b64encode(b"\xff\xd8\xff%d" % number + PADDING)
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
        assert base64.b64decode(photo["content"]) == b"\xff\xd8\xff%d" % number + PADDING


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
            b"USER PIN=7\t%b=%d\tName=%b\n" % (b"Pri" if number % 2 else b"Grp", number, NAME)
            for number in range(count)
        )
        begun = time.process_time()
        assert (await rig.post("cdata?SN=T1&table=OPERLOG", body)).body == b"OK: %d" % count
        return time.process_time() - begun

    short, long = await spent(1500), await spent(24_000)
    assert long < short * 16 * 3 + 0.25


SHORT = {
    "USER": lambda number: b"USER PIN=%d\n" % number,
    "FP": lambda number: b"FP PIN=%d\tTMP=AAAA\n" % number,
    "BIOPHOTO": lambda number: b"BIOPHOTO PIN=%d\n" % number,
    "SMS": lambda number: b"SMS UID=%d\n" % number,
    "IDCARD": lambda number: b"IDCARD PIN=%d\n" % number,
    "ERRORLOG": lambda number: b"ERRORLOG ErrCode=%d\n" % number,
    "OPLOG": lambda number: b"OPLOG 1\t\t289515406\n",
}
"""Records shorter than those of any known terminal."""


@pytest.mark.parametrize("table", SHORT)
@pytest_twisted.ensureDeferred
async def test_too_many_short_records_are_kept_together(rig: Rig, table: str) -> None:
    """A dense upload is acknowledged with what was stored of it; its other lines are one reject."""
    await rig.exchange()
    lines = [SHORT[table](number) for number in range(2000)]
    punch = b"OPLOG 4\t14\t2026-01-05 08:00:00\t0\t0\t0\t0\n"
    others = [] if table == "OPLOG" else [punch]
    with counted() as statements:
        reply = await rig.post("cdata?SN=T1&table=OPERLOG&OpStamp=7", b"".join(lines + others))
    assert reply.body == b"OK: %d" % len(others)
    assert len(statements) < 20
    (reject,) = await rig.items("/rejects")
    assert reject["table"] == table
    assert "2000 records" in reject["reason"]
    kept = (await rig.api("GET", f"/rejects/{reject['id']}")).json["raw"]
    assert base64.b64decode(kept) + b"\n" == b"".join(lines)
    assert await rig.items("/users") == []
    assert len(await rig.items("/operations")) == len(others)


@pytest_twisted.ensureDeferred
async def test_a_few_hundred_short_records_are_stored(rig: Rig) -> None:
    """Short records of all tables together are read up to a number, however short they are."""
    await rig.exchange()
    lines = [
        make(number)
        for name, make in SHORT.items()
        if name != "OPLOG"
        for number in range(FEW_RECORDS // (len(SHORT) - 1))
    ]
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", b"".join(lines))).body == (
        b"OK: %d" % len(lines)
    )
    assert await rig.items("/rejects") == []
