"""Uploads of many short records: the statements, files and time that they take are bounded."""

from __future__ import annotations

import base64
import pathlib
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
import pytest_twisted
from sqlalchemy import Engine, event, func, select
from twisted.internet import reactor
from twisted.internet.task import deferLater

from zkpush.device.pluginworker import PACE_SECONDS, PACED_ITEMS
from zkpush.handlers.people.schema import users
from zkpush.persist.inbox import InboxStore
from zkpush.persist.pictures import FEW_FILES
from zkpush.protocol.density import FEW_RECORDS
from zkpush.protocol.extracts import MOST_LINES, Extractor
from zkpush.protocol.packets import pack
from zkpush.protocol.rejects import MOST_REJECTS
from zkpush.protocol.requests import Upload
from zkpush.protocol.uploads import Contents, UploadDecoder

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


TEMPLATE, NAME = b"A" * 432, b"x" * 400
"""So long that no number of records with them is dense."""
PADDING = bytes(200)
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
    await rig.emptied()
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


@pytest.mark.long
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
    "OPLOG": lambda number: b"OPLOG 1\t\t%d\n" % (289515406 + number),
}
"""Records so short that many of them are dense."""
WHERE = {
    "USER": "/users",
    "FP": "/users",
    "BIOPHOTO": "/users",
    "SMS": "/entries",
    "OPLOG": "/operations",
}


async def stored(rig: Rig, table: str) -> int:
    """How many records of a table the API lists."""
    return len(await rig.items(f"{WHERE[table]}?limit=1000"))


@pytest.mark.parametrize("table", SHORT)
@pytest_twisted.ensureDeferred
async def test_a_dense_upload_is_stored_in_the_background(
    make_rig: MakeRig, tmp_path: pathlib.Path, table: str
) -> None:
    """It is acknowledged once its first records are stored and the others are on disk."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    await rig.exchange()
    body = b"".join(SHORT[table](number) for number in range(1000))
    with counted() as statements:
        reply = await rig.post("cdata?SN=T1&table=OPERLOG&OpStamp=7", body)
    assert reply.body == b"OK: 1000"
    assert len(statements) < 20
    assert await stored(rig, table) < 1000  # some at once, and some without delay
    await rig.emptied()
    assert await stored(rig, table) == 1000
    assert await rig.items("/rejects") == []


@pytest_twisted.ensureDeferred
async def test_the_background_is_paced_and_terminals_take_turns(
    make_rig: MakeRig, tmp_path: pathlib.Path
) -> None:
    """A terminal with a long backlog does not hold up another, and costs a little a second."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    long = b"".join(SHORT["USER"](number) for number in range(9000))
    short = b"".join(SHORT["USER"](number) for number in range(9000, 9300))
    await rig.post("cdata?SN=T1&table=OPERLOG", long)
    await until(rig, 2 * FEW_RECORDS)  # the first turn, without delay
    await rig.post("cdata?SN=T2&table=OPERLOG", short)
    for _ in range(2):
        before = await count_users(rig)
        rig.clock.advance(PACE_SECONDS)
        await until(rig, before + 1)
        assert await count_users(rig) <= before + PACED_ITEMS * MOST_LINES
    assert await holds(rig, "9299")
    assert await count_users(rig) < 9300


async def until(rig: Rig, least: int) -> None:
    """Wait until so many users are stored, and the thread that stores them waits."""
    while await count_users(rig) < least or rig.daemon.inbox.worker("people").running:
        await deferLater(reactor, 0.01)


async def count_users(rig: Rig) -> int:
    """How many users are stored."""
    query = select(func.count()).select_from(users)
    return int(await rig.store.read(lambda tx: tx.connection.execute(query).scalar_one()))


async def holds(rig: Rig, pin: str) -> bool:
    """Whether a user is stored."""
    return (await rig.api("GET", f"/users/{pin}")).status == 200


@pytest_twisted.ensureDeferred
async def test_what_nobody_understands_in_the_background_is_kept(
    make_rig: MakeRig, tmp_path: pathlib.Path
) -> None:
    """Of a hundred lines with damaged ones, the others are stored; two rejects keep all of it."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    await rig.exchange()
    lines = [b"%d\t2026-01-05 08:%02d" % (number, number % 60) for number in range(200)]
    lines += [b"%d\tno time" % number for number in range(80)]
    lines += [b"%d\t2026-01-05 09:%02d" % (number, number % 60) for number in range(120)]
    reply = await rig.post("cdata?SN=T1&table=ATTLOG", b"\n".join(lines))
    assert reply.body == b"OK: 400"
    await rig.emptied()
    assert len(await rig.items("/attendance?limit=1000")) == 320
    kept = [
        base64.b64decode((await rig.api("GET", f"/rejects/{one['id']}")).json["raw"])
        for one in await rig.items("/rejects")
    ]
    assert len(kept) <= 4
    for line in lines[200:280]:
        assert any(line in raw for raw in kept)


@pytest_twisted.ensureDeferred
async def test_what_a_query_asked_for_is_read_at_once(
    make_rig: MakeRig, tmp_path: pathlib.Path
) -> None:
    """A query counts all records that a terminal sends for it, however short they are."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    await rig.exchange()
    params = {"StartTime": "2026-01-01 00:00:00", "EndTime": "2026-02-01 00:00:00"}
    wanted = {"command": "DATA QUERY ATTLOG", "params": params}
    made = (await rig.api("POST", "/devices/T1/commands", wanted)).json["id"]
    number = (await rig.get("getrequest?SN=T1")).body.split(b":")[1]
    body = b"\n".join(b"%d\t2026-01-05 08:00" % number for number in range(1, 901))
    assert (await rig.post("cdata?SN=T1&table=ATTLOG", body)).body == b"OK: 900"
    assert len(await rig.items("/attendance?limit=1000")) == 900
    await rig.post("devicecmd?SN=T1", b"ID=%b&Return=0&CMD=DATA" % number)
    shown = (await rig.api("GET", f"/commands/{made}")).json
    assert shown["result"] == {"records": "900"}


@pytest_twisted.ensureDeferred
async def test_a_few_short_records_are_stored_at_once(rig: Rig) -> None:
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
    assert await rig.store.read(lambda tx: tx[InboxStore].states()) == []


@pytest.mark.parametrize("long", [False, True])
@pytest_twisted.ensureDeferred
async def test_later_words_are_stored_behind_the_backlog(
    make_rig: MakeRig, tmp_path: pathlib.Path, long: bool
) -> None:
    """A user's new name stays, and what only the pending line says is not lost."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    await rig.exchange()
    old = b"".join(b"USER PIN=%d\tName=Old\tPri=14\n" % number for number in range(3000))
    await rig.post("cdata?SN=T1&table=OPERLOG", old)
    assert not await holds(rig, "2999")
    new = b"USER PIN=2999\tName=New\n" + LINES["users"](1) * (2000 if long else 1)
    count = b"OK: 2001" if long else b"OK: 2"
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", new)).body == count
    assert not await holds(rig, "2999")
    await rig.emptied()
    user = (await rig.api("GET", "/users/2999")).json
    assert (user["name"], user["privilege"]) == ("New", 14)


@pytest_twisted.ensureDeferred
async def test_other_terminals_do_not_wait_for_the_backlog(
    make_rig: MakeRig, tmp_path: pathlib.Path
) -> None:
    """Nor do attendance records of the same one, which are stored without a look at it."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    body = b"".join(SHORT["USER"](number) for number in range(3000))
    await rig.post("cdata?SN=T1&table=OPERLOG", body)

    def looks(statements: list[str]) -> int:
        return sum("DISTINCT inbox.plugin" in one and "device_id" in one for one in statements)

    with counted() as statements:
        await rig.post("cdata?SN=T2&table=OPERLOG", b"USER PIN=7000\tName=Ann\n")
    assert looks(statements) == 1
    assert await holds(rig, "7000")
    with counted() as statements:
        await rig.post("cdata?SN=T1&table=ATTLOG", b"7\t2026-01-05 08:00:00\t0\t1")
    assert looks(statements) == 0
    assert len(await rig.items("/attendance")) == 1


@pytest.mark.parametrize("lines", [3, 1000])
@pytest_twisted.ensureDeferred
async def test_an_upload_behind_the_backlog_is_read_once(
    make_rig: MakeRig, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    """Its lines go to the inbox as the decoder has split them, in their order."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    await rig.exchange()
    body = b"".join(SHORT["USER"](number) for number in range(3000))
    await rig.post("cdata?SN=T1&table=OPERLOG", body)
    await until(rig, 2 * FEW_RECORDS)
    read: list[int] = []
    decode = UploadDecoder.decode

    def noted(decoder: UploadDecoder, upload: Upload, *more: object, **options: bool) -> Contents:
        read.append(len(upload.body))
        return decode(decoder, upload, *more, **options)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(UploadDecoder, "decode", noted)
    monkeypatch.delattr(Extractor, "extracts")
    later = b"".join(b"USER PIN=7\tName=%d\n" % number for number in range(lines))
    reply = await rig.post("cdata?SN=T1&table=OPERLOG", later)
    assert reply.body == b"OK: %d" % lines
    assert read == [len(later)]
    assert (await rig.api("GET", "/users/7")).json["name"] is None
    await rig.emptied()
    assert (await rig.api("GET", "/users/7")).json["name"] == str(lines - 1)
    assert await rig.items("/rejects") == []


@pytest_twisted.ensureDeferred
async def test_damaged_lines_of_a_dense_upload_are_kept_once(
    make_rig: MakeRig, tmp_path: pathlib.Path
) -> None:
    """Behind the first few, lines are deferred unread; damaged ones are in the whole upload."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    await rig.exchange()
    lines = [b"x=%d" % number for number in range(120)]
    lines += [b"UID=%d" % number if number % 2 else b"x=%d" % number for number in range(120, 920)]
    body = b"\n".join(lines)
    await rig.post("cdata?SN=T1&table=SMS", body)
    await rig.emptied()
    assert len(await rig.items("/entries?limit=1000")) == 400
    listed = await rig.items("/rejects?limit=1000")
    assert len(listed) <= MOST_REJECTS + 1
    assert [one["size"] for one in listed].count(len(body)) == 1


@pytest_twisted.ensureDeferred
async def test_too_many_short_errors_are_one_reject_that_a_retry_stores(rig: Rig) -> None:
    """None of them is deferred or stored in part; sent again, they are not stored twice."""
    await rig.exchange()
    body = b"".join(b"ERRORLOG ErrCode=%d\n" % (number // 2) for number in range(1000))
    for _ in range(2):
        assert (await rig.post("cdata?SN=T1&table=ERRORLOG&Stamp=9999", body)).status == 200
        assert await rig.items("/errors") == []
        (listed,) = await rig.items("/rejects")
        assert "too many short records" in listed["reason"]
        kept = (await rig.api("GET", f"/rejects/{listed['id']}")).json["raw"]
        assert base64.b64decode(kept) == body.removesuffix(b"\n")
    for _ in range(2):
        await rig.api("POST", "/rejects/retry", {})
        assert await rig.items("/rejects") == []
        assert len(await rig.items("/errors?limit=1000")) == 1000
        await rig.post("cdata?SN=T1&table=ERRORLOG&Stamp=9999", body)


@pytest_twisted.ensureDeferred
async def test_a_query_counts_records_behind_the_backlog(
    make_rig: MakeRig, tmp_path: pathlib.Path
) -> None:
    """They are counted when they come, and stored in their order."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    await rig.exchange()
    body = b"".join(SHORT["USER"](number) for number in range(3000))
    await rig.post("cdata?SN=T1&table=OPERLOG", body)
    wanted = {"command": "DATA QUERY USERINFO", "params": {"PIN": "2999"}}
    made = (await rig.api("POST", "/devices/T1/commands", wanted)).json["id"]
    number = (await rig.get("getrequest?SN=T1")).body.split(b":")[1]
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=2999\tName=New\n")
    await rig.post("devicecmd?SN=T1", b"ID=%b&Return=0&CMD=DATA" % number)
    shown = (await rig.api("GET", f"/commands/{made}")).json
    assert shown["result"] == {"records": "1"}
    await rig.emptied()
    assert (await rig.api("GET", "/users/2999")).json["name"] == "New"
