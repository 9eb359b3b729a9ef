"""Two facts are never one record, and one fact is never two."""

from __future__ import annotations

from itertools import count

import pytest
import pytest_twisted
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor, threads
from twisted.internet.defer import Deferred

from ..rig import Rig

UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=9999"
CARDS = ("999999200001011239", "999999200001011247")
PAIRS = {
    "record type": (
        f"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t{CARDS[0]}\t0",
        f"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t{CARDS[0]}\t1",
    ),
    "work code": (
        "7\t2026-01-05 08:00:00\t0\t1\t3\t0\t0",
        "7\t2026-01-05 08:00:00\t0\t1\t4\t0\t0",
    ),
    "no work code": ("7\t2026-01-05 08:00:00\t0\t1", "7\t2026-01-05 08:00:00\t0\t1\t4\t0\t0"),
    "card of an unknown person": (
        f"0\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t{CARDS[0]}\t0",
        f"0\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t{CARDS[1]}\t0",
    ),
}
EQUAL = {
    "record type": (
        "7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0",
        f"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t{CARDS[0]}\t0",
    ),
    "work code": ("7\t2026-01-05 08:00:00\t0\t1", "7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0"),
    "card of a known person": (
        f"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t{CARDS[0]}\t0",
        f"7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\t{CARDS[1]}\t0",
    ),
}


async def stored(rig: Rig, day: str = "2026-01-05") -> int:
    """How many attendance records of a day there are."""
    return len(
        await rig.items(f"/attendance?record_type=all&since={day}T00:00:00Z&until={day}T23:00:00Z")
    )


@pytest.mark.parametrize("differing", PAIRS)
@pytest_twisted.ensureDeferred
async def test_records_of_one_second_that_differ_are_two(rig: Rig, differing: str) -> None:
    """They are acknowledged and stored as two, in one upload or in two, however often."""
    await rig.exchange()
    one, two = PAIRS[differing]
    assert (await rig.post(UPLOAD, f"{one}\n{two}\n".encode())).body == b"OK: 2"
    assert await stored(rig) == 2
    for line in (two, one):
        await rig.post(UPLOAD, line.encode())
    assert await stored(rig) == 2


@pytest.mark.parametrize("differing", EQUAL)
@pytest_twisted.ensureDeferred
async def test_one_fact_in_two_forms_is_one_record(rig: Rig, differing: str) -> None:
    """No record type is 0, no work code is 0, and a PIN says who somebody is."""
    await rig.exchange()
    for line in EQUAL[differing]:
        assert (await rig.post(UPLOAD, line.encode())).body == b"OK: 1"
    assert await stored(rig) == 1


UNTIMED = {
    "/errors": ("ERRORLOG", b"ErrCode=D01E0001\tErrMsg=out of space\tDataOrigin=cmd\tCmdId=7\n"),
    "/idcards": ("OPERLOG", b"IDCARD PIN=0\tSNNum=5\tIDNum=999999200001011239\tName=Ann\n"),
}


@pytest.mark.parametrize("stamp", ["&Stamp=9999", "&Stamp=0", ""])
@pytest.mark.parametrize("path", UNTIMED)
@pytest_twisted.ensureDeferred
async def test_a_record_without_a_time_is_another_after_ten_minutes(
    rig: Rig, path: str, stamp: str
) -> None:
    """Until then the terminal is trying again; a day later it happened again, and so on."""
    await rig.exchange()
    table, line = UNTIMED[path]
    counts = []
    for seconds in (0, 1, 599, 1, 600, 86_400, 86_400, 0):
        rig.clock.advance(seconds)
        await rig.post(f"cdata?SN=T1&table={table}{stamp}", line)
        counts.append(len(await rig.items(path)))
    assert counts == [1, 1, 1, 2, 2, 3, 4, 4]


@pytest.mark.parametrize("path", UNTIMED)
@pytest_twisted.ensureDeferred
async def test_equal_records_of_an_upload_are_told_apart_again_a_day_later(
    rig: Rig, path: str
) -> None:
    """Two in one body are two more, and a new one beside retried ones is stored."""
    await rig.exchange()
    table, line = UNTIMED[path]
    place = f"cdata?SN=T1&table={table}&Stamp=9999"
    counts = []
    for seconds, times in ((0, 2), (1, 2), (1, 3), (86_400, 2), (1, 2)):
        rig.clock.advance(seconds)
        await rig.post(place, line * times)
        counts.append(len(await rig.items(path)))
    assert counts == [2, 2, 3, 5, 5]


@pytest.mark.parametrize("path", UNTIMED)
@pytest_twisted.ensureDeferred
async def test_the_stamp_of_an_upload_tells_a_late_retry_from_news(rig: Rig, path: str) -> None:
    """A terminal that was cut off for a day sends the same stamp with the same record."""
    await rig.exchange()
    table, line = UNTIMED[path]
    counts = []
    for stamp in (70, 70, 71):
        await rig.post(f"cdata?SN=T1&table={table}&Stamp={stamp}", line)
        counts.append(len(await rig.items(path)))
        rig.clock.advance(86_400)
    assert counts == [1, 1, 2]


FACTS = st.tuples(
    st.sampled_from(["0", "7", "8"]),
    st.integers(0, 1),
    st.sampled_from([0, 1, 255]),
    st.sampled_from([1, 15]),
    st.sampled_from(["", "0", "3", "4"]),
    st.sampled_from(["", *CARDS]),
    st.sampled_from(["", "0", "1"]),
)
"""PIN, second, status, verification, work code, ID number and record type."""


@pytest_twisted.ensureDeferred
async def test_any_facts_are_as_many_records_however_they_are_sent(rig: Rig) -> None:
    """Each different fact is one record; sent again, cut in any way, they change nothing."""
    await rig.exchange(DeviceType="pid")
    days = count()

    async def send(facts, cuts) -> None:
        month, day_of_month = divmod(next(days), 28)
        day = f"20{10 + month // 12:02}-{month % 12 + 1:02}-{day_of_month + 1:02}"
        lines = [
            f"{pin}\t{day} 08:00:0{second}\t{status}\t{verify}\t{code}\t0\t0\t{number}\t{kind}\n"
            for pin, second, status, verify, code, number, kind in facts
        ]
        different = {
            (*who, {"": "0"}.get(code, code), number if who[0] == "0" else "", kind or "0")
            for *who, code, number, kind in facts
        }
        ends = sorted(min(cut, len(lines)) for cut in cuts)
        for start, end in zip([0, *ends], [*ends, len(lines)], strict=True):
            await rig.post(UPLOAD, "".join(lines[start:end]).encode())
        assert await stored(rig, day) == len(different)
        answer = await rig.post(UPLOAD, "".join(lines).encode())
        assert answer.body == f"OK: {len(lines)}".encode()
        assert await stored(rig, day) == len(different)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(FACTS, min_size=1, max_size=12), st.lists(st.integers(0, 12), max_size=3))
    def any_facts(facts, cuts) -> None:
        threads.blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(send(facts, cuts)))

    await threads.deferToThread(any_facts)
