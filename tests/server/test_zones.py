"""Zones of terminals: what holds until one is known, and what follows once it is."""

from __future__ import annotations

import pathlib

import pytest
import pytest_twisted

from zkpush.device import zones
from zkpush.device.zones import ZoneKeeper
from zkpush.protocol.times import local_time

from ..rig import Rig

LINE = b"7\t2026-03-01 13:00:00\t0\t1\n"
OPERATION = b"OPLOG 4\t0\t2026-03-01 13:00:00\t0\t0\t0\t0\n"


def keeper(rig: Rig) -> ZoneKeeper:
    """What sets the zones of terminals that have none."""
    (found,) = (job for job in rig.daemon.jobs if isinstance(job, ZoneKeeper))
    return found


async def upload(rig: Rig, line: bytes = LINE, sn: str = "T1") -> None:
    """One attendance record."""
    assert (await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", line)).body == b"OK: 1"


@pytest_twisted.ensureDeferred
async def test_a_terminal_without_a_zone_is_told_no_time(make_rig) -> None:
    """Neither `TimeZone` nor `Date` is sent until the zone is known; then both are."""
    rig = await make_rig(timezone=None)
    answers = [await rig.exchange()]
    answers += [await rig.get("getrequest?SN=T1"), await rig.get("nothing?SN=T1")]
    answers += [await rig.get("getrequest?SN=" + "-" * 99), await rig.post("cdata?SN=T1", b"")]
    assert [answer.header(b"Date") for answer in answers] == [None] * 5
    assert b"TimeZone" not in answers[0].body
    await rig.api("PATCH", "/devices/T1", {"timezone": "Asia/Kolkata"})
    assert (await rig.get("getrequest?SN=T1")).body == b"UNKNOWN DEVICE"
    told = await rig.exchange()
    assert b"\nTimeZone=330\n" in told.body
    answers = [told, await rig.get("getrequest?SN=T1"), await rig.get("nothing?SN=T1")]
    assert all(answer.header(b"Date") for answer in answers)


@pytest_twisted.ensureDeferred
async def test_a_pending_terminal_is_told_no_time(make_rig) -> None:
    """The refusal of a terminal that waits for approval does not set its clock."""
    rig = await make_rig(timezone=None, admission="approve")
    refused = [await rig.exchange(), await rig.get("getrequest?SN=T1")]
    assert [answer.status for answer in refused] == [403, 403]
    assert [answer.header(b"Date") for answer in refused] == [None, None]


@pytest_twisted.ensureDeferred
async def test_a_configured_zone_counts_for_every_terminal(make_rig) -> None:
    """A terminal is told the configured zone, a configured UTC as well."""
    rig = await make_rig(timezone="UTC")
    told = await rig.exchange()
    assert b"\nTimeZone=0\n" in told.body
    assert told.header(b"Date")
    assert await rig.items("/problems") == []


@pytest_twisted.ensureDeferred
async def test_a_missing_zone_is_a_problem(make_rig) -> None:
    """An approved terminal without a zone asks for one, until it has it."""
    rig = await make_rig(timezone=None, admission="approve")
    await rig.exchange()
    assert await rig.items("/problems") == []
    await rig.api("PATCH", "/devices/T1", {"state": "approved"})
    (problem,) = await rig.items("/problems")
    assert (problem["device"], problem["code"]) == ("T1", "no zone")
    assert "devices set T1 timezone=" in problem["advice"]
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    assert await rig.items("/problems") == []


@pytest_twisted.ensureDeferred
async def test_records_get_their_instants_with_the_zone(make_rig) -> None:
    """`utc` is null until the zone is known; then it is filled in for what is stored."""
    rig = await make_rig(timezone=None)
    await rig.exchange()
    await upload(rig)
    await upload(rig, b"8\t2026-03-01 13:00:00\t0\t1\t0\t0\t0\t255\t36.5\t0\t3600\t\n")
    assert (await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", OPERATION)).body == b"OK: 1"
    (first, second), (operation,) = await rig.items("/attendance"), await rig.items("/operations")
    assert (first["utc"], first["doubt"]) == (None, "no zone")
    assert (second["utc"], second["doubt"]) == ("2026-03-01T12:00:00Z", None)
    assert operation["utc"] is None
    rows = await rig.api("GET", "/attendance", headers=("Accept: text/csv", *AUTHORIZED))
    assert b"\r\n1,T1,," in rows.body
    await rig.api("PATCH", "/devices/T1", {"timezone": "Asia/Tokyo"})
    (first, second), (operation,) = await rig.items("/attendance"), await rig.items("/operations")
    assert (first["utc"], first["doubt"]) == ("2026-03-01T04:00:00Z", None)
    assert second["utc"] == "2026-03-01T12:00:00Z"
    assert operation["utc"] == "2026-03-01T04:00:00Z"


AUTHORIZED = ("Authorization: Bearer rig-token",)


@pytest_twisted.ensureDeferred
async def test_the_servers_zone_reaches_terminals_that_have_none(make_rig, tmp_path) -> None:
    """A zone that is configured later counts for the terminals and records that are there."""
    url = f"sqlite:///{tmp_path / 'zones.sqlite'}"
    rig = await make_rig(timezone=None, database=url)
    await rig.exchange()
    await upload(rig)
    await rig.stop()
    rig = await make_rig(timezone="Asia/Tokyo", database=url)
    await keeper(rig).follow()
    (record,) = await rig.items("/attendance")
    assert record["utc"] == "2026-03-01T04:00:00Z"
    assert await rig.items("/problems") == []
    assert (await rig.items("/devices"))[0]["timezone"] == "Asia/Tokyo"


@pytest_twisted.ensureDeferred
async def test_instants_are_reckoned_anew(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """`recompute` mends the instants of a terminal whose zone was wrong, in small units."""
    await rig.exchange()
    await rig.exchange("T2")
    lines = b"".join(
        b"%d\t2026-02-%02d 13:00:00\t0\t1\n" % (pin, 1 + pin % 28) for pin in range(250)
    )
    assert (await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", lines)).body == b"OK: 250"
    await upload(rig, sn="T2")
    await rig.api("PATCH", "/devices/T1", {"timezone": "Asia/Tokyo"})
    before = await rig.items("/attendance?limit=1000")
    assert {record["utc"][11:] for record in before} == {"13:00:00Z"}
    written: list[int] = []
    write_part = zones.write_part

    def counted(tx, table, few) -> None:
        written.append(len(few))
        write_part(tx, table, few)

    monkeypatch.setattr(zones, "write_part", counted)
    half = {"since": "2026-02-15T00:00:00Z"}
    done = await rig.api("POST", "/devices/T1/recompute", half)
    expected = sum(record["time"] >= "2026-02-15" for record in before if record["device"] == "T1")
    assert done.json == {
        "device": "T1",
        "timezone": "Asia/Tokyo",
        "checked": 250,
        "changed": expected,
    }
    done = await rig.api("POST", "/devices/T1/recompute", {})
    assert done.json["changed"] == 250 - expected
    after = await rig.items("/attendance?limit=1000")
    assert {record["utc"][11:] for record in after if record["device"] == "T1"} == {"04:00:00Z"}
    assert [record["utc"] for record in after if record["device"] == "T2"] == [
        "2026-03-01T13:00:00Z"
    ]
    assert max(written) <= 100
    assert sum(written) == 250
    (again,) = [await rig.api("POST", "/devices/T1/recompute", {})]
    assert again.json["changed"] == 0
    audit = [row for row in await rig.items("/audit") if row["action"] == "recompute"]
    assert len(audit) == 3
    assert "250 of 250" not in audit[0]["detail"]
    assert audit[0]["subject"] == "terminal T1"


@pytest_twisted.ensureDeferred
async def test_instants_need_a_zone(make_rig) -> None:
    """`recompute` of a terminal without a zone says to set one; of no terminal, that it is none."""
    rig = await make_rig(timezone=None)
    await rig.exchange()
    refused = await rig.api("POST", "/devices/T1/recompute", {})
    assert refused.status == 409
    assert "set it first" in refused.json["detail"]
    assert (await rig.api("POST", "/devices/NOPE/recompute", {})).status == 404


@pytest_twisted.ensureDeferred
async def test_attendance_is_found_by_doubt_and_by_when_it_came(make_rig) -> None:
    """`doubt` and `received_since` are filters."""
    rig = await make_rig(timezone=None)
    await rig.exchange()
    await upload(rig)
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    rig.clock.advance(3600)
    await upload(rig, b"8\t2030-03-01 13:00:00\t0\t1\n")
    await upload(rig, b"9\t2026-03-01 13:00:05\t0\t1\n")

    async def found(query: str) -> list[str]:
        return [item["pin"] for item in await rig.items(f"/attendance?{query}")]

    assert await found("doubt=future") == ["8"]
    assert await found("doubt=no%20zone") == []
    assert await found("received_since=2026-03-01T12:30:00Z") == ["8", "9"]
    assert await found("received_since=2026-03-01T12:30:00Z&device=T1&since=2030-01-01") == ["8"]
    assert await found("received_since=2026-03-01T14:00:00Z") == []
    wrong = await rig.api("GET", "/attendance?doubt=many")
    assert wrong.status == 400
    assert "no zone" in wrong.json["detail"] or "doubt" in wrong.json["detail"]


async def punch(rig: Rig, count: int, ahead: int, first: int = 1) -> None:
    """Punches in real time, a minute apart, by a clock that is so many seconds ahead."""
    for number in range(count):
        rig.clock.advance(60)
        time = local_time("UTC", rig.clock.wall_seconds() + ahead)
        await upload(rig, f"{first + number}\t{time}\t0\t1\n".encode())
    await rig.registry.write_skew()


async def skew(rig: Rig) -> tuple[int | None, list[str]]:
    """By how much the clock of T1 is ahead, and its problems."""
    shown = (await rig.api("GET", "/devices/T1")).json
    return shown["clock_skew_seconds"], [problem["code"] for problem in shown["problems"]]


@pytest_twisted.ensureDeferred
async def test_a_wrong_clock_is_measured(rig: Rig) -> None:
    """The clock is measured by punches in real time, and is a problem above two minutes."""
    await rig.exchange()
    await punch(rig, 2, 9000)
    assert await skew(rig) == (None, [])
    await punch(rig, 1, 9003, first=3)
    assert await skew(rig) == (9000, ["clock wrong"])
    (problem,) = await rig.items("/problems")
    assert "2 h 30 min ahead of the server's" in problem["detail"]
    assert problem["advice"].startswith("Set its clock in its menu")
    await punch(rig, 3, -2, first=4)
    assert await skew(rig) == (-2, [])


@pytest_twisted.ensureDeferred
async def test_an_old_measurement_does_not_replace_a_newer_one_of_another_node(
    make_rig, tmp_path: pathlib.Path
) -> None:
    """A terminal that is served elsewhere now is measured there."""
    database = f"sqlite:///{tmp_path / 'db.sqlite'}"
    first, second = [await make_rig(database=database) for _ in range(2)]
    await first.exchange()
    await punch(first, 3, 9000)
    assert await skew(first) == (9000, ["clock wrong"])
    second.clock.advance(180)
    await second.registry.follow()
    await punch(second, 3, 0, first=4)
    for rig in (first, second):
        await rig.registry.follow()
        await rig.registry.write_skew()
        assert await skew(rig) == (0, [])


@pytest_twisted.ensureDeferred
async def test_records_that_are_sent_again_say_nothing_about_the_clock(
    make_rig, tmp_path: pathlib.Path
) -> None:
    """Neither one record again and again, nor a morning once more, also after a restart."""
    database = f"sqlite:///{tmp_path / 'db.sqlite'}"
    rig = await make_rig(database=database)
    await rig.exchange()
    now = rig.clock.wall_seconds()
    times = [local_time("UTC", now + 9 * number) for number in range(6)]
    lines = [f"7\t{time}\t0\t1\n".encode() for time in times]
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"".join(lines))
    for one in (rig, await make_rig(database=database)):
        one.clock.advance(40_000)
        await one.registry.follow()
        for _ in range(5):
            one.clock.advance(10)
            await upload(one, lines[0])
        for sent in lines:
            one.clock.advance(10)
            await upload(one, sent)
        await one.registry.write_skew()
        assert await skew(one) == (None, [])
    await punch(one, 3, 9000)
    assert await skew(one) == (9000, ["clock wrong"])


@pytest_twisted.ensureDeferred
async def test_records_that_are_sent_again_do_not_hide_a_wrong_clock(rig: Rig) -> None:
    """Of new records between them, the clock is measured."""
    await rig.exchange()
    old = f"9\t{local_time('UTC', rig.clock.wall_seconds() - 5000)}\t0\t1\n".encode()
    await upload(rig, old)
    for number in range(3):
        rig.clock.advance(10)
        await upload(rig, old)
        await punch(rig, 1, 9000, first=number + 1)
    assert await skew(rig) == (9000, ["clock wrong"])


@pytest_twisted.ensureDeferred
async def test_a_backlog_measures_nothing(rig: Rig) -> None:
    """Records that were kept for a while do not count, in one upload or one by one."""
    await rig.exchange()
    await upload_many(rig)
    for minute in range(6):
        await upload(rig, b"9\t2026-03-01 08:%02d:00\t0\t1\n" % (10 * minute))
    await rig.registry.write_skew()
    assert await skew(rig) == (None, [])


async def upload_many(rig: Rig) -> None:
    """Records of one upload, all of the same distance from now."""
    for hour in range(3):
        lines = b"".join(b"%d\t2026-03-01 0%d:00:00\t0\t1\n" % (pin, hour) for pin in range(1, 4))
        assert (await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", lines)).body == b"OK: 3"
