"""What the door refuses is in the audit log, summed up, and in the figures."""

from __future__ import annotations

import json

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import fail
from twisted.internet.task import Clock

from zkpush.device.refusals import (
    EVERY,
    HOUR,
    MINUTE,
    MOST,
    MOST_OF_ADDRESS,
    MOST_PATHS,
    MOST_PATHS_OF_ADDRESS,
    Refusal,
    RefusalLog,
)
from zkpush.interfaces import StoreError
from zkpush.model import Page
from zkpush.persist.audit import AuditStore
from zkpush.persist.sqlite import SQLiteStores

from ..keys import KEY
from ..rig import Rig, talk


async def refusals(rig: Rig) -> list[tuple[object, ...]]:
    """What the audit log has of refusals, once it is written."""
    rig.clock.advance(EVERY)
    return [
        (item["actor"], item["subject"], item["detail"])
        for item in await rig.items("/audit?limit=1000")
        if item["action"] == "refused"
    ]


async def count_of(rig: Rig, reason: str) -> float:
    """How many refusals of a reason, in words, the metrics show."""
    figures = (await rig.api("GET", "/metrics", headers=(), prefix="")).body.decode()
    label = next(refusal.value for refusal in Refusal if refusal.words == reason)
    name = f'zkpush_refused_total{{reason="{label}"}} '
    return next(float(line[len(name) :]) for line in figures.splitlines() if line.startswith(name))


async def as_pending(make_rig) -> Rig:
    """A terminal that nobody has decided about."""
    return await make_rig(admission="approve")


async def as_blocked(make_rig) -> Rig:
    """A terminal that was blocked."""
    rig = await make_rig(admission="approve")
    await rig.api("PUT", "/devices/T1", {"state": "blocked"})
    return rig


async def as_unknown(make_rig) -> Rig:
    """A terminal that nobody has added."""
    return await make_rig(admission="closed")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (as_pending, "terminal is pending"),
        (as_blocked, "terminal is blocked"),
        (as_unknown, "terminal is unknown"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_terminals_that_are_not_admitted_are_recorded(make_rig, make, reason: str) -> None:
    """Which terminal it was, from where, how often, and why it was turned away."""
    rig = await make(make_rig)
    for _ in range(3):
        assert (await rig.get("getrequest?SN=T1")).status == 403
        rig.clock.advance(1)
    assert await refusals(rig) == [
        ("device T1", reason, "3 times in 2 seconds, from 192.0.2.7"),
    ]
    assert await count_of(rig, reason) == 3


@pytest_twisted.ensureDeferred
async def test_another_pushcommkey_is_recorded(rig: Rig) -> None:
    """Without the key: neither the one that was expected nor the one that came."""
    await rig.exchange(pushcommkey="first-secret")
    await rig.pin("first-secret")
    assert (await rig.exchange(pushcommkey="other-secret")).status == 403
    assert await refusals(rig) == [
        ("device T1", "pushcommkey has changed", "once, from 192.0.2.7"),
    ]
    assert "secret" not in json.dumps(await rig.items("/audit"))


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("getrequest?SN=a/../b", 400, "serial number or arguments are malformed"),
        ("getrequest", 400, "serial number or arguments are malformed"),
        ("getrequest?SN=T1&SN=T2", 400, "serial number or arguments are malformed"),
        ("file?SN=a%20b&url=file/1/x", 400, "serial number or arguments are malformed"),
        ("file?url=http://192.0.2.99/etc/passwd", 404, "file does not exist"),
        (f"file?url=file/{'0' * 26}/x", 403, "file was not to be fetched"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_requests_of_nobody_are_recorded_by_their_address(
    rig: Rig, path: str, status: int, reason: str
) -> None:
    """Nothing of what was sent is repeated."""
    assert (await rig.get(path)).status == status
    assert await refusals(rig) == [("address 192.0.2.7", reason, "once, from 192.0.2.7")]


@pytest_twisted.ensureDeferred
async def test_remote_attendance_that_is_off_is_recorded(rig: Rig) -> None:
    """Who asks for users of a server that gives none."""
    await rig.exchange()
    assert (await rig.get("cdata?SN=T1&table=RemoteAtt&PIN=7")).status == 403
    assert await refusals(rig) == [
        ("device T1", "remote attendance is off", "once, from 192.0.2.7"),
    ]


@pytest_twisted.ensureDeferred
async def test_bodies_that_are_too_large_are_recorded(make_rig) -> None:
    """The terminal is not known then, only the address."""
    rig = await make_rig(limits={"body_bytes": 1024})
    assert (await rig.post("cdata?SN=T1&table=ATTLOG", bytes(1025))).status == 413
    assert await refusals(rig) == [
        ("address 192.0.2.7", "limits.body_bytes", "once, from 192.0.2.7"),
    ]


@pytest_twisted.ensureDeferred
async def test_what_goes_on_is_written_less_and_less_often() -> None:
    """At once, after a minute, after two more, and at last once an hour."""
    clock = Clock()
    store = SQLiteStores().open("memory:", KEY, reactor)
    store.start()
    door = RefusalLog(store, clock)
    door.startService()
    for _ in range(int(5 * HOUR / EVERY)):
        door.refuse(Refusal.PENDING, "T1", "192.0.2.7")
        clock.advance(EVERY)
        await store.write(lambda tx: None)
    records = await store.read(lambda tx: tx[AuditStore].page(Page(100)))
    await store.stop()
    details = [record.detail for record in records]
    counts = [1 if text.startswith("once") else int(text.split()[0]) for text in details]
    assert counts == [1, 12, 24, 48, 96, 192, 384, 720, 720, 720]


@pytest_twisted.ensureDeferred
async def test_what_is_not_written_yet_is_written_at_the_end() -> None:
    """A stopped daemon leaves nothing out."""
    clock = Clock()
    store = SQLiteStores().open("memory:", KEY, reactor)
    store.start()
    door = RefusalLog(store, clock)
    door.startService()
    for _ in range(2):
        door.refuse(Refusal.UNKNOWN, "T1", None)
    await door.stopService()
    (record,) = await store.read(lambda tx: tx[AuditStore].page(Page(10)))
    assert (record.actor, record.detail) == ("device T1", "2 times in 0 seconds")
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_an_attacker_fills_neither_memory_nor_disk() -> None:
    """Beyond a number of kinds, refusals are counted by their reason alone."""
    clock = Clock()
    store = SQLiteStores().open("memory:", KEY, reactor)
    store.start()
    door = RefusalLog(store, clock)
    door.startService()
    for number in range(10 * MOST):
        door.refuse(Refusal.UNKNOWN, f"X{number}", "192.0.2.1")
    door.refuse(Refusal.BLOCKED, "T2", "192.0.2.2")
    for number in range(10 * MOST):
        door.refuse(Refusal.UNKNOWN, f"Y{number}", f"2001:db8::{number:x}")
    for number in range(10):
        door.refuse(Refusal.ARGUMENTS, None, f"192.0.2.{number}")
    clock.advance(EVERY)
    records = await store.read(lambda tx: tx[AuditStore].page(Page(10 * MOST)))
    assert len(records) == MOST + 2
    assert ("device T2", "terminal is blocked") in [(r.actor, r.subject) for r in records]
    # One address takes a part of the places; the rest of it is counted together.
    assert len([r for r in records if r.actor.startswith("device X")]) == MOST_OF_ADDRESS
    of_one = 10 * MOST - MOST_OF_ADDRESS
    separate = len([r for r in records if r.actor.startswith("device Y")])
    assert separate == MOST - MOST_OF_ADDRESS - 2
    unknown = "terminal is unknown"
    assert [(r.actor, r.subject, r.detail) for r in records if r.actor == "others"] == [
        ("others", unknown, f"{of_one} times in 0 seconds, from 192.0.2.1"),
        ("others", unknown, f"{10 * MOST - separate} times in 0 seconds"),
        ("others", "serial number or arguments are malformed", "10 times in 0 seconds"),
    ]
    assert door.counts[Refusal.UNKNOWN] == 20 * MOST
    clock.advance(MINUTE + EVERY)
    door.refuse(Refusal.UNKNOWN, "LATER", "192.0.2.1")
    await door.stopService()
    records = await store.read(lambda tx: tx[AuditStore].page(Page(10 * MOST)))
    assert records[-1].actor == "device LATER"
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_paths_of_strangers_leave_a_bounded_trace(rig: Rig) -> None:
    """A refusal has the path and the serial number; their number is bounded."""
    for number in range(3 * MOST_PATHS_OF_ADDRESS):
        raw = f"GET /iclok/cdata?SN=X{number} HTTP/1.1\r\nHost: server\r\n\r\n"
        assert (await talk(rig.terminals, raw.encode(), "192.0.2.8")).status == 404
    raw = b"GET /%2e%2e/secret-1/x?SN=T1 HTTP/1.1\r\nHost: server\r\n\r\n"
    assert (await talk(rig.terminals, raw, "192.0.2.9")).status == 404
    found = [one for one in await refusals(rig) if one[1] == "path is not served"]
    assert found[:MOST_PATHS_OF_ADDRESS] == [
        (f"device X{number}", "path is not served", "GET /iclok/cdata, once, from 192.0.2.8")
        for number in range(MOST_PATHS_OF_ADDRESS)
    ]
    others = 2 * MOST_PATHS_OF_ADDRESS
    assert found[MOST_PATHS_OF_ADDRESS:] == [
        ("others", "path is not served", f"{others} times in 0 seconds"),
        ("device T1", "path is not served", "GET /…/…/…, once, from 192.0.2.9"),
    ]
    for number in range(2 * MOST_PATHS):
        raw = b"GET /iclok/cdata?SN=Y1 HTTP/1.1\r\nHost: server\r\n\r\n"
        await talk(rig.terminals, raw, f"198.51.100.{number}")
    found = [one for one in await refusals(rig) if one[0] not in ("others", "address 192.0.2.8")]
    assert len([one for one in found if one[1] == "path is not served"]) == MOST_PATHS
    rig.clock.advance(MINUTE + EVERY)
    await refusals(rig)
    raw = b"GET /iclok/cdata?SN=Z1 HTTP/1.1\r\nHost: server\r\n\r\n"
    await talk(rig.terminals, raw, "192.0.2.8")
    assert "device Z1" in [one[0] for one in await refusals(rig)]


@pytest_twisted.ensureDeferred
async def test_a_malformed_serial_number_is_never_recorded() -> None:
    """Whoever calls with one: it could hold anything."""
    store = SQLiteStores().open("memory:", KEY, reactor)
    store.start()
    door = RefusalLog(store, Clock())
    door.refuse(Refusal.UNKNOWN, "a b\nc", "192.0.2.1")
    await door.stopService()
    (record,) = await store.read(lambda tx: tx[AuditStore].page(Page(10)))
    assert record.actor == "address 192.0.2.1"
    await store.stop()


@pytest.mark.parametrize("error", [StoreError("away"), RuntimeError("a bug")])
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_written_now_is_written_later(monkeypatch, error) -> None:
    """A database that fails for a while loses no refusal."""
    clock = Clock()
    store = SQLiteStores().open("memory:", KEY, reactor)
    store.start()
    door = RefusalLog(store, clock)
    door.startService()
    door.refuse(Refusal.UNKNOWN, "T1", None)
    with monkeypatch.context() as broken:
        broken.setattr(store, "write", lambda unit: fail(error))
        clock.advance(EVERY)
    door.refuse(Refusal.UNKNOWN, "T1", None)
    await door.stopService()
    (record,) = await store.read(lambda tx: tx[AuditStore].page(Page(10)))
    assert record.detail == "2 times in 5 seconds"
    await store.stop()
