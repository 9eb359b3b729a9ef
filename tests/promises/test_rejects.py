"""Nothing is set aside unseen: rejects are listed and counted, and are a problem."""

from __future__ import annotations

import pytest_twisted
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from sqlalchemy import update

from zkpush.handlers.rejects.jobs import COUNTED_EVERY, EVERY, RejectRetry
from zkpush.persist.events import EventStore
from zkpush.persist.rejectwords import MOST_CAUSES
from zkpush.persist.schema import rejects
from zkpush.protocol.rejects import Reject

from ..rig import Rig
from .setting_aside import ALL_EVENTS, ATTLOG, keep, look


@pytest_twisted.ensureDeferred
async def test_an_attendance_line_with_a_bad_time_is_a_problem_of_its_terminal(rig: Rig) -> None:
    """It has the count, the first reason without what was sent, and what to do about it."""
    await rig.exchange()
    assert (await rig.post(ATTLOG, b"1452\tnot-a-time\t0\t1\n")).body == b"OK: 0"
    (problem,) = await rig.items("/problems?device=T1")
    assert problem["code"] == "rejects"
    assert problem["detail"].startswith(
        "1 upload that was not understood is kept, of ATTLOG: its time cannot be read."
    )
    assert "not-a-time" not in problem["detail"]
    assert "zkpush rejects list --device T1" in problem["advice"]
    (told,) = await rig.store.read(
        lambda tx: [one for one in tx[EventStore].page(ALL_EVENTS) if one.kind == "problem"]
    )
    assert (told.data["what"], told.data["code"]) == ("raised", "rejects")


@pytest_twisted.ensureDeferred
async def test_the_count_follows_within_seconds(rig: Rig) -> None:
    """A job that only counts runs often, and looks at the terminals if there are new rejects."""
    await rig.exchange()
    for number in range(3):
        await rig.post(ATTLOG, b"%d\tnot-a-time\t0\t1\n" % number)
    (job,) = (job for job in rig.daemon.jobs if isinstance(job, RejectRetry))
    await job.count()
    (problem,) = (await rig.api("GET", "/devices/T1")).json["problems"]
    assert problem["detail"].startswith(
        "3 uploads that were not understood are kept, all of ATTLOG: its time "
    )
    assert COUNTED_EVERY < EVERY


@pytest_twisted.ensureDeferred
async def test_problems_and_doctor_show_the_present_count(rig: Rig) -> None:
    """Also before the job has counted, and after rejects were deleted."""
    await rig.exchange()
    for number in range(3):
        await rig.post(ATTLOG, b"%d\tnot-a-time\t0\t1\n" % number)

    async def shown() -> set[str]:
        listed = [one["detail"] for one in await rig.items("/problems?device=T1")]
        checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
        return {*listed, *(one["detail"] for one in checks if one["name"] == "rejects")}

    (detail,) = await shown()
    assert detail.startswith("3 uploads that were not understood are kept")
    for reject in await rig.items("/rejects"):
        await rig.api("DELETE", f"/rejects/{reject['id']}")
    assert await shown() == {"Everything that it sent was understood."}


@pytest_twisted.ensureDeferred
async def test_the_problem_counts_later_rejects(rig: Rig) -> None:
    """The background job brings the count up to date."""
    await rig.exchange()
    for number in range(3):
        await rig.post(ATTLOG, b"%d\tnot-a-time\t0\t1\n" % number)
    await look(rig)
    (problem,) = (await rig.api("GET", "/devices/T1")).json["problems"]
    assert problem["detail"].startswith(
        "3 uploads that were not understood are kept, all of ATTLOG: its time "
    )


@pytest_twisted.ensureDeferred
async def test_a_second_cause_of_rejects_is_named_in_the_problem(rig: Rig) -> None:
    """Each cause has its number, the newest first, and a new one is an event."""
    await rig.exchange()
    for number in range(2):
        await rig.post(ATTLOG, b"%d\tnot-a-time\t0\t1\n" % number)
    await look(rig)
    for length in (1000, 2000, 3000):
        body = b"LZO1" + length.to_bytes(4, "little") + b"\x11\x22\x33"
        assert (await rig.post(ATTLOG, body)).status == 200
    await look(rig)
    (problem,) = await rig.items("/problems?device=T1")
    detail = problem["detail"]
    assert detail.startswith(
        "5 uploads that were not understood are kept, the newest first: 3 of ATTLOG: LZO1: an "
        "encoded body"
    )
    assert detail.endswith("; 2 of ATTLOG: its time cannot be read.")
    events = await rig.store.read(lambda tx: tx[EventStore].of_kind("problem", 0))
    assert events[-1].data["detail"] == detail
    assert (
        events[-1]
        .data["was"]
        .startswith("2 uploads that were not understood are kept, all of ATTLOG: ")
    )


@pytest_twisted.ensureDeferred
async def test_the_problem_names_a_few_causes_of_rejects(rig: Rig) -> None:
    """The newest ones; rejects that were stored without a cause are among them."""
    tables = [f"T{number}" for number in range(MOST_CAUSES + 1)]
    await keep(rig, *(Reject(name, "no handler takes this table", b"x") for name in tables))
    await rig.store.write(lambda tx: tx.connection.execute(update(rejects).values(cause=None)))
    await look(rig)
    (problem,) = await rig.items("/problems?device=T1")
    named = "; ".join(f"1 of the table {one}, which zkpush does not know" for one in tables[:0:-1])
    detail = f"6 uploads that were not understood are kept, the newest first: {named}; and others."
    assert problem["detail"] == detail


async def counted_rejects(rig: Rig) -> dict[str, float]:
    """The values of `zkpush_rejects`."""
    text = (await rig.api("GET", "/metrics", prefix="")).body.decode()
    (family,) = [
        each for each in text_string_to_metric_families(text) if each.name == "zkpush_rejects"
    ]
    return {sample.labels["table"]: sample.value for sample in family.samples}


@pytest_twisted.ensureDeferred
async def test_rejects_are_counted_by_table(rig: Rig) -> None:
    """What a terminal calls a table is no label unless it is one; counts are kept for a while."""
    await keep(
        rig,
        Reject("ATTLOG", "old", b"8\tnot-a-time"),
        Reject("attlog", "old", b"9\tnot-a-time"),
        Reject("word-4711", "no handler takes this table", b"x"),
        Reject("devicecmd", "no ID= in a command reply", b"y"),
    )
    there = {"ATTLOG": 2, "other": 1, "devicecmd": 1}
    assert await counted_rejects(rig) == there
    (first, *_) = await rig.items("/rejects")
    await rig.api("DELETE", f"/rejects/{first['id']}")
    assert await counted_rejects(rig) == there
    rig.clock.advance(10)
    assert await counted_rejects(rig) == {"ATTLOG": 2, "other": 1}
