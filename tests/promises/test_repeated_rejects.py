"""The same damaged data that comes again and again is one reject, with how often it came."""

from __future__ import annotations

import pytest_twisted

from zkpush.persist.rejects import RejectStore
from zkpush.persist.transaction import Transaction
from zkpush.protocol.rejects import Reject

from ..rig import Rig

BODY = b"8\tnot-a-time\t0\t1\n9\tnor-this\t0\t1\n"


async def sent(rig: Rig, body: bytes = BODY, address: str = "192.0.2.7") -> None:
    """Upload attendance from an address."""
    await rig.post("cdata?SN=T1&table=ATTLOG", body, address=address)


@pytest_twisted.ensureDeferred
async def test_an_upload_that_comes_again_is_one_reject(rig: Rig) -> None:
    """With its number, both instants and the last address, in the API and the doctor."""
    await rig.exchange(address="192.0.2.7")
    await sent(rig)
    (first,) = await rig.items("/rejects")
    assert (first["times"], first["address"]) == (1, "192.0.2.7")
    assert first["last_received_at"] == first["received_at"]
    assert "sent" not in await doubts(rig)
    for _ in range(2):
        rig.clock.advance(60)
        await sent(rig, address="192.0.2.8")
    (found,) = await rig.items("/rejects")
    assert found == {
        **first,
        "times": 3,
        "last_received_at": "2026-03-01T12:02:00.000Z",
        "address": "192.0.2.8",
    }
    assert (await rig.api("GET", f"/rejects/{found['id']}")).json == found
    rig.clock.advance(20)
    assert (await doubts(rig)).endswith(
        f" Upload {found['id']} is the same data sent 3 times, the last time 20 seconds ago."
    )


@pytest_twisted.ensureDeferred
async def test_lines_and_bodies_are_counted_each_by_itself(rig: Rig) -> None:
    """A line within good ones, and the body of a request that is not served; a retry is none."""
    await rig.exchange()
    for _ in range(2):
        await sent(rig, b"1\t2026-03-01 08:00:00\t0\t1\n2\tnow\t0\t1\n")
        await rig.post("attendance/push?SN=T1", b"{}")
    await rig.post("attendance/push?SN=T1", b"[]")
    await rig.api("POST", "/rejects/retry", {})
    assert sorted(one["times"] for one in await rig.items("/rejects")) == [1, 2, 2]


@pytest_twisted.ensureDeferred
async def test_equal_rejects_of_one_upload_are_one(rig: Rig) -> None:
    """A statement cannot count the same row twice."""
    await rig.exchange()
    twice = [Reject("ATTLOG", "no reason", b"x")] * 2

    def unit(tx: Transaction) -> None:
        for _ in range(2):
            tx[RejectStore].add(1, twice, 1)

    await rig.store.write(unit)
    (found,) = await rig.items("/rejects")
    assert (found["times"], found["address"]) == (2, None)


async def doubts(rig: Rig) -> str:
    """What the doctor says of the rejects of a terminal."""
    checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    return str(next(one["detail"] for one in checks if one["name"] == "rejects"))
