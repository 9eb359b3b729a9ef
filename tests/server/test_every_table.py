"""Any bytes to any table, and what is doubtful about times."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred

from zkpush.protocol.packets import pack_plain
from zkpush.protocol.reports import INFO, OPTIONS

from ..declared import RECORD_TABLES
from ..rig import Rig

TABLES = [table.name for table in (*RECORD_TABLES, OPTIONS, INFO)]
LINES = st.sampled_from(
    [
        b"OPLOG 4\t14\t2015-07-30 10:22:34\t0\t0\t0\t0",
        b"OPLOG 4",
        b"USER PIN=7\tName=\xd6\xd0\tPri=0",
        b"USER PIN=",
        b"USER PIN=7\tPri=x\tPri=y",
        b"FP PIN=7\tFID=1\tSize=4\tTMP=AAAA",
        b"FP PIN=7\tFID=1\tSize=5\tTMP=AAAA",
        b"BIODATA Pin=7\tType=99\tTmp=AA",
        b"BIOPHOTO PIN=7\tContent=AAAA",
        b"IDCARD PIN=0\tName=\xff\xfe",
        b"ERRORLOG ErrCode=XYZ",
        b"WORKCODE CODE=1\tX=1",
        b"7\t2026-01-05 08:00:00\t0\t1",
        b"PIN=1.jpg\nSN=T1\nsize=3\nCMD=uploadphoto\0\xff\xd8\xff",
        b"A=1,B=2",
        b"NOBODY KNOWS=1",
        b"\0",
    ]
)


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_any_bytes_to_any_table_are_answered_and_kept(rig: Rig) -> None:
    """The daemon answers every time, and never raises; what it does not count is in the rejects."""
    await rig.exchange("T1")

    async def total() -> int:
        def count(tx) -> int:
            tables = ("attendance", "operations", "errors", "idcards", "attendance_photos")
            tables += ("users", "templates", "person_photos", "entries", "rejects")
            return sum(
                tx.connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()  # noqa: S608
                for name in tables
            )

        return await rig.store.read(count)

    async def upload(table: str, body: bytes, packed: bool) -> None:
        raw = pack_plain(body) if packed else body
        more = "&ContentType=tgz" if packed else ""
        before = await total()
        for path in (f"cdata?SN=T1&table={table}{more}", f"fdata?SN=T1&table={table}{more}"):
            response = await rig.post(path, raw)
            assert response.status in (200, 413), response.raw
            if response.status == 413:
                assert b"OK" not in response.raw
            else:
                assert response.body.startswith(b"OK")
        after = await total()
        # Sent again, it changes nothing.
        await rig.post(f"cdata?SN=T1&table={table}{more}", raw)
        assert await total() == after
        assert after >= before

    @settings(max_examples=150, deadline=None)
    @given(
        st.sampled_from(TABLES) | st.sampled_from(["OPERLOG", "operlog", "Any", "USERINFO"]),
        st.lists(LINES | st.binary(max_size=60), max_size=6).map(b"\n".join),
        st.booleans(),
    )
    def every_body(table: str, body: bytes, packed: bool) -> None:
        wanted = threads.blockingCallFromThread
        wanted(reactor, lambda: Deferred.fromCoroutine(upload(table, body, packed)))

    await threads.deferToThread(every_body)
    for path in ("/attendance", "/operations", "/errors", "/idcards", "/photos", "/users"):
        assert (await rig.api("GET", f"{path}?limit=1000")).status == 200


@pytest.mark.parametrize("table", TABLES)
@pytest_twisted.ensureDeferred
async def test_rubbish_in_a_table_is_in_the_rejects(rig: Rig, table: str) -> None:
    """What no table could mean is kept byte for byte, whichever table it was sent to."""
    await rig.exchange("T1")
    body = b"\x01\x02 rubbish \xff\xfe\x00 of no table\tat\tall"
    response = await rig.post(f"cdata?SN=T1&table={table}&Stamp=1", body)
    assert response.status == 200
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == body


@pytest.mark.parametrize(
    ("time", "doubt", "utc"),
    [
        ("2025-10-26 01:59:59", None, "2025-10-25T23:59:59Z"),
        ("2025-10-26 02:00:00", "ambiguous", "2025-10-26T00:00:00Z"),
        ("2025-10-26 02:59:59", "ambiguous", "2025-10-26T00:59:59Z"),
        ("2025-10-26 03:00:00", None, "2025-10-26T02:00:00Z"),
        ("2025-03-30 02:30:00", "nonexistent", "2025-03-30T01:30:00Z"),
        ("2026-03-02 13:00:00", None, "2026-03-02T12:00:00Z"),
        ("2026-03-02 13:00:01", "future", "2026-03-02T12:00:01Z"),
        ("2000-01-01 00:00:00", "past", "1999-12-31T23:00:00Z"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_doubtful_about_a_time_is_said(
    rig: Rig, time: str, doubt: str | None, utc: str
) -> None:
    """Every record is stored as the terminal wrote it; a doubt stands beside it."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=ATTLOG", f"7\t{time}\t0\t1\n".encode())
    await rig.post("cdata?SN=T1&table=OPERLOG", f"OPLOG 4\t1\t{time}\t0\t0\t0\t0\n".encode())
    for path in ("/attendance", "/operations"):
        (record,) = await rig.items(path)
        assert record["time"] == time.replace(" ", "T")
        assert (record["doubt"], record["utc"]) == (doubt, utc)


@pytest_twisted.ensureDeferred
async def test_an_offset_of_its_own_ends_the_doubt(rig: Rig) -> None:
    """TimeOffset (2.4.2) says which of two hours it was."""
    await rig.exchange("T1", pushver="2.4.2")
    await rig.api("PATCH", "/devices/T1", {"timezone": "Europe/Madrid"})
    await rig.exchange("T1", pushver="2.4.2")
    row = "7\t2025-10-26 02:30:00\t0\t1\t0\t0\t0\t0\t36.5\t97.7\t+3600\t"
    await rig.post("cdata?SN=T1&table=ATTLOG", row.encode())
    (record,) = await rig.items("/attendance")
    assert (record["doubt"], record["utc"]) == (None, "2025-10-26T01:30:00Z")


@pytest_twisted.ensureDeferred
async def test_both_sides_of_hybrid_identification_meet(rig: Rig) -> None:
    """3.1: the device's list and the server's are intersected; the rest is remembered."""
    await rig.exchange("T1")
    settings = {
        "MultiBioDataSupport": "0:0:0:0:0:0:0:0:0:1",
        "MultiBioPhotoSupport": "0:0:0:0:0:0:0:0:0:1",
    }
    await rig.api("PATCH", "/devices/T1", {"settings": settings})
    reply = (await rig.exchange("T1")).body
    assert b"MultiBioDataSupport=0:0:0:0:0:0:0:0:0:1\n" in reply
    options = (
        b"MultiBioDataSupport=0:1:0:0:0:0:0:0:0:1,MultiBioPhotoSupport=0:0:0:0:0:0:0:0:0:1,"
        b"MultiBioVersion=0:10:0:0:0:0:0:0:0:58.12,MaxMultiBioDataCount=0:10000:0:0:0:0:0:0:0:3000,"
        b"MaxMultiBioPhotoCount=0:0:0:0:0:0:0:0:0:3000,MultiBioDataCount=0:5:0:0:0:0:0:0:0:2,"
        b"MultiBioPhotoCount=0:0:0:0:0:0:0:0:0:1"
    )
    await rig.post("cdata?SN=T1&table=options", options)
    hybrid = (await rig.api("GET", "/devices/T1")).json["hybrid"]
    assert hybrid == {
        "supported": True,
        "types": [
            {
                "type": 1,
                "type_meaning": "Fingerprint",
                "templates": False,
                "photos": False,
                "major_version": 10,
                "minor_version": 0,
                "template_capacity": 10000,
                "photo_capacity": None,
                "template_count": 5,
                "photo_count": None,
            },
            {
                "type": 9,
                "type_meaning": "Visible light face",
                "templates": True,
                "photos": True,
                "major_version": 58,
                "minor_version": 12,
                "template_capacity": 3000,
                "photo_capacity": 3000,
                "template_count": 2,
                "photo_count": 1,
            },
        ],
    }
