"""The way of an upload: stored, then acknowledged; never half, never twice (11.2, 11.7)."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred, gatherResults

from zkpush.handlers.attendance.store import AttendanceStore
from zkpush.interfaces import StoreError

from .. import fixture
from ..rig import Rig

UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=9999"
SHOWN = ("pin", "time", "status", "verify", "work_code", "id_number", "record_type", "mask")


def shown(items: list[dict[str, object]]) -> list[tuple[object, ...]]:
    """The main values of records."""
    return [tuple(item[name] for name in SHOWN) for item in items]


@pytest_twisted.ensureDeferred
async def test_the_example_of_the_spec_is_stored(rig: Rig) -> None:
    """The nine records of section 11.2 are acknowledged as nine, and read back."""
    await rig.exchange()
    response = await rig.post(UPLOAD, fixture("attendance.txt"))
    assert response.body == b"OK: 9"
    items = await rig.items("/attendance")
    assert len(items) == 9
    assert shown(items)[0] == ("1452", "2015-07-30T15:16:28", 0, 1, "0", None, None, None)
    assert {item["pin"] for item in items} == {"1452", "8965"}


ROWS = {
    "4 columns": (b"7\t2026-01-05 08:00:00\t0\t1", (0, 1, None, None, None, None)),
    "7 columns": (b"7\t2026-01-05 08:00:00\t1\t15\t3\t0\t0", (1, 15, "3", None, None, None)),
    "9 columns": (
        b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t999999200001011239\t1",
        (0, 1, "0", "999999200001011239", 1, None),
    ),
    "10 columns": (
        b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t1\t36.6\t97.9",
        (0, 1, "0", None, None, 1),
    ),
    "12 columns": (
        b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t0\t36.6\t97.9\t+28800\te30=",
        (0, 1, "0", None, None, None),  # mask 0 of a terminal that does not say that it sees masks
    ),
    "CRLF": (b"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\r", (0, 1, "0", None, None, None)),
    "trailing TABs": (b"7\t2026-01-05 08:00:00\t0\t1\t0\t\t\t", (0, 1, "0", None, None, None)),
    "single spaces": (b"7 2026-01-05 08:00:00 0 1", (0, 1, None, None, None, None)),
}


@pytest.mark.parametrize("name", ROWS)
@pytest_twisted.ensureDeferred
async def test_every_form_of_an_attendance_row_is_stored(rig: Rig, name: str) -> None:
    """Rows of every length and every odd ending that terminals send are one record each."""
    row, expected = ROWS[name]
    await rig.exchange()
    assert (await rig.post(UPLOAD, row + b"\n")).body == b"OK: 1"
    (record,) = shown(await rig.items("/attendance?record_type=all"))
    assert record == ("7", "2026-01-05T08:00:00", *expected)


@pytest_twisted.ensureDeferred
async def test_the_instant_of_a_record_is_that_of_the_terminals_zone(rig: Rig) -> None:
    """`utc` follows the terminal's zone, unless the record has an offset of its own (2.4.2)."""
    await rig.exchange()
    await rig.api("PATCH", "/devices/T1", {"timezone": "Asia/Kolkata"})
    plain = b"7\t2026-01-05 08:00:00\t0\t1\n"
    own = b"8\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t0\t36.6\t97.9\t+28800\t\n"
    await rig.post(UPLOAD, plain + own)
    instants = [item["utc"] for item in await rig.items("/attendance")]
    assert instants == ["2026-01-05T02:30:00Z", "2026-01-05T00:00:00Z"]


@pytest_twisted.ensureDeferred
async def test_the_same_body_again_changes_nothing(rig: Rig) -> None:
    """A body that arrives twice is acknowledged twice, and stored once, rejects too."""
    await rig.exchange()
    body = fixture("attendance.txt") + b"rubbish\n"
    assert (await rig.post(UPLOAD, body)).body == b"OK: 9"
    assert (await rig.post(UPLOAD, body)).body == b"OK: 9"
    assert len(await rig.items("/attendance")) == 9
    assert len(await rig.items("/rejects")) == 1


@pytest_twisted.ensureDeferred
async def test_what_differs_in_status_or_way_is_another_record(rig: Rig) -> None:
    """Terminal, user, time, status and verification together make a record."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    body = b"".join(
        b"%d\t2026-01-05 08:00:0%d\t%d\t%d\n" % row
        for row in [(7, 0, 0, 1), (7, 0, 1, 1), (7, 0, 0, 4), (7, 1, 0, 1), (8, 0, 0, 1)]
    )
    await rig.post(UPLOAD, body)
    await rig.post(UPLOAD.replace("T1", "T2"), body)
    assert len(await rig.items("/attendance")) == 10


@pytest_twisted.ensureDeferred
async def test_a_line_that_is_not_understood_is_kept_with_its_bytes(rig: Rig) -> None:
    """A malformed line is quarantined with the reason, not counted, and stops no other line."""
    await rig.exchange()
    bad = b"7\t2026-02-30 08:00:00\t0\t1\xff"
    body = b"1\t2026-01-05 08:00:00\t0\t1\n" + bad + b"\n2\t2026-01-05 08:00:00\t0\t1\n"
    assert (await rig.post(UPLOAD, body)).body == b"OK: 2"
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == bad
    assert reject["device"] == "T1"
    assert reject["table"] == "ATTLOG"
    assert reject["reason"].startswith("Time: ")


@pytest_twisted.ensureDeferred
async def test_a_body_of_which_nothing_is_understood_is_kept_before_it_is_answered(
    rig: Rig,
) -> None:
    """An upload of rubbish is acknowledged as no record, and is all in the rejects."""
    await rig.exchange()
    assert (await rig.post(UPLOAD, b"\x00\x01\n\xff\n")).body == b"OK: 0"
    kept = [base64.b64decode(reject["raw"]) for reject in await rig.items("/rejects")]
    assert kept == [b"\x00\x01\n\xff\n"]


@pytest_twisted.ensureDeferred
async def test_a_table_that_no_handler_takes_is_kept_whole(rig: Rig) -> None:
    """The body of an upload to an unknown table is kept as it is, and acknowledged."""
    await rig.exchange()
    body = b"PIN=1.jpg\nSN=T1\nsize=3\nCMD=uploadphoto\x00\xff\xd8\n"
    assert (await rig.post("cdata?SN=T1&table=NEWTABLE&Stamp=1", body)).body == b"OK"
    (reject,) = await rig.items("/rejects")
    assert (reject["table"], base64.b64decode(reject["raw"])) == ("NEWTABLE", body)


@pytest_twisted.ensureDeferred
async def test_twenty_thousand_punches_in_one_body(rig: Rig) -> None:
    """A long outage comes back in one body, and every record of it is stored."""
    await rig.exchange()
    body = b"".join(
        b"%d\t2026-01-05 %02d:%02d:%02d\t0\t1\t0\t0\t0\n"
        % (number % 700, number // 3600, number // 60 % 60, number % 60)
        for number in range(20_000)
    )
    assert (await rig.post(UPLOAD, body)).body == b"OK: 20000"
    assert await rig.store.read(lambda tx: tx[AttendanceStore].count(None)) == 20_000


@pytest_twisted.ensureDeferred
async def test_pushed_options_are_answered_with_bare_ok(rig: Rig) -> None:
    """Options come back with the terminal, commas in values included; the reply has no count."""
    await rig.exchange()
    body = b"FingerFunOn=1,~OEMVendor=ANY CO., LTD.,Empty=,FaceFunOn=1"
    assert (await rig.post("cdata?SN=T1&table=options", body)).body == b"OK"
    assert (await rig.post("cdata?SN=T1&table=options", b"FaceFunOn=0")).body == b"OK"
    assert (await rig.api("GET", "/devices/T1")).json["options"] == {
        "FingerFunOn": "1",
        "~OEMVendor": "ANY CO., LTD.",
        "Empty": "",
        "FaceFunOn": "0",
    }


@pytest_twisted.ensureDeferred
async def test_update_information_comes_with_a_poll(rig: Rig) -> None:
    """The example of section 9 updates the terminal, and is answered as the poll it is."""
    await rig.exchange()
    info = "Ver%202.0.12-20150625,12,30,4000,192.168.16.27,10,7,15,2,111"
    assert (await rig.get(f"getrequest?SN=T1&INFO={info}")).body == b"OK"
    (device,) = await rig.items("/devices")
    assert device["firmware"] == "Ver 2.0.12-20150625"
    assert device["counts"] == {
        "users": 12,
        "fingerprints": 30,
        "attendance": 4000,
        "faces_required": 15,
        "faces": 2,
    }


@pytest_twisted.ensureDeferred
async def test_the_same_information_again_is_not_written_again(rig: Rig) -> None:
    """A terminal that repeats its information at each poll costs no write."""
    await rig.exchange()
    poll = "getrequest?SN=T1&INFO=Ver%201.0.0,1,2,3"
    await rig.get(poll)
    units = rig.store.writer.units
    for _ in range(3):
        assert (await rig.get(poll)).body == b"OK"
    assert rig.store.writer.units == units


@pytest_twisted.ensureDeferred
async def test_a_full_disk_costs_a_refusal_and_nothing_else(make_rig, tmp_path) -> None:
    """A database that cannot grow gives no OK and stores nothing half; then it goes on."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'small.sqlite'}")
    await rig.exchange()

    def limit(pages: str):
        return lambda tx: tx.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar()

    used = await rig.store.write(
        lambda tx: tx.connection.exec_driver_sql("PRAGMA page_count").scalar()
    )
    await rig.store.write(limit(str(used + 2)))
    body = b"".join(b"%d\t2026-01-05 08:00:00\t0\t1\n" % pin for pin in range(5000))
    failed = await rig.post(UPLOAD, body)
    assert failed.status == 503
    assert b"OK" not in failed.raw
    assert await rig.items("/attendance") == []

    await rig.store.write(limit("1000000"))
    assert (await rig.post(UPLOAD, body)).body == b"OK: 5000"
    assert await rig.store.read(lambda tx: tx[AttendanceStore].count(None)) == 5000


@pytest_twisted.ensureDeferred
async def test_uploads_that_wait_are_committed_together(make_rig, tmp_path) -> None:
    """Fifty uploads at once take far fewer commits, and each is acknowledged after its own."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'group.sqlite'}")
    for number in range(50):
        await rig.exchange(f"T{number}")
    before = rig.store.writer.commits
    line = b"7\t2026-01-05 08:00:00\t0\t1\n"
    responses = await gatherResults(
        Deferred.fromCoroutine(rig.post(f"cdata?SN=T{number}&table=ATTLOG&Stamp=1", line))
        for number in range(50)
    )
    assert {response.body for response in responses} == {b"OK: 1"}
    assert rig.store.writer.commits - before <= 10
    assert await rig.store.read(lambda tx: tx[AttendanceStore].count(None)) == 50


@pytest_twisted.ensureDeferred
async def test_a_handler_that_fails_costs_its_own_upload_only(rig: Rig, monkeypatch) -> None:
    """The lines of one poison upload become rejects; its neighbours are stored."""
    from zkpush.handlers.attendance.handler import AttendanceHandler

    healthy = AttendanceHandler.persist

    def poisoned(self, tx, device, batch, now):
        healthy(self, tx, device, batch, now)
        if device.sn == "T2":
            raise RuntimeError("poison")

    monkeypatch.setattr(AttendanceHandler, "persist", poisoned)
    for number in range(5):
        await rig.exchange(f"T{number}")
    line = b"7\t2026-01-05 08:00:00\t0\t1\n"
    responses = await gatherResults(
        Deferred.fromCoroutine(rig.post(f"cdata?SN=T{number}&table=ATTLOG&Stamp=1", line))
        for number in range(5)
    )
    assert [response.body for response in responses] == [
        b"OK: 0" if number == 2 else b"OK: 1" for number in range(5)
    ]
    (reject,) = await rig.items("/rejects")
    assert (reject["device"], reject["table"]) == ("T2", "ATTLOG")
    assert reject["reason"] == "the handler attendance failed (RuntimeError)"
    assert base64.b64decode(str(reject["raw"])) == line.rstrip()
    devices = {item["device"] for item in await rig.items("/attendance")}
    assert devices == {"T0", "T1", "T3", "T4"}


@pytest_twisted.ensureDeferred
async def test_a_handler_that_fails_after_the_commit_hurts_nobody(rig: Rig, monkeypatch) -> None:
    """The records are stored, and the terminal is told so."""
    from zkpush.handlers.attendance.handler import AttendanceHandler

    def stored(self, device, batch):
        raise RuntimeError("late")

    monkeypatch.setattr(AttendanceHandler, "stored", stored)
    await rig.exchange()
    assert (await rig.post(UPLOAD, b"7\t2026-01-05 08:00:00\t0\t1\n")).body == b"OK: 1"


@pytest_twisted.ensureDeferred
async def test_an_upload_to_a_closed_store_is_refused(rig: Rig) -> None:
    """When the store is gone, terminals are told to come back."""
    await rig.exchange()
    await rig.store.stop()
    assert (await rig.post(UPLOAD, b"7\t2026-01-05 08:00:00\t0\t1\n")).status == 503
    with pytest.raises(StoreError):
        await rig.store.write(lambda tx: None)


@pytest_twisted.ensureDeferred
async def test_any_bytes_are_answered_and_kept(rig: Rig) -> None:
    """Whatever is uploaded, the daemon answers, and each line is a record or a reject."""
    await rig.exchange()

    async def upload(body: bytes) -> None:
        response = await rig.post(UPLOAD, body)
        assert response.status == 200
        assert response.body.startswith(b"OK: ")
        kept = {base64.b64decode(item["raw"]) for item in await rig.items("/rejects?limit=1000")}
        lines = [line.rstrip(b"\r") for line in body.split(b"\n")]
        understood = [line for line in lines if line.strip(b"\t ") and line not in kept]
        if body in kept:  # nothing was understood, or it is the legacy form
            understood = []
        assert len(understood) == int(response.body[4:])

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.binary(max_size=60) | st.sampled_from(list(ROWS.values())).map(first)))
    def every_body(lines: list[bytes]) -> None:
        body = b"\n".join(lines)
        threads.blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(upload(body)))

    await threads.deferToThread(every_body)


def first(row: tuple[bytes, object]) -> bytes:
    """The line of one of `ROWS`."""
    return row[0]


@pytest_twisted.ensureDeferred
async def test_a_body_in_the_legacy_packed_form_is_kept_whole(rig: Rig) -> None:
    """What begins with LZO1 is named and kept in one piece, line ends and all."""
    await rig.exchange()
    body = b"LZO1\x20\x00\x00\x00\x11\n\x22\r\n\x33\x00"
    assert (await rig.post(UPLOAD, body)).body == b"OK: 0"
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == body
    assert "LZO1" in reject["reason"]
