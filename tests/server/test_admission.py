"""Who is let in: --admission, and what an operator decides."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.error import ConnectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from zkpush.device.registry import SEEN_EVERY
from zkpush.interfaces import StoreError
from zkpush.persist.devices import DeviceStore

from ..nodes.conftest import a_second
from ..rig import Rig, Wire

UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=1"
LINE = b"1\t2026-01-05 08:00:00\t0\t1\n"


@pytest_twisted.ensureDeferred
async def test_an_unknown_terminal_waits_for_approval(make_rig) -> None:
    """Under approve, a new terminal is listed and refused, and nothing it sends is stored."""
    rig = await make_rig(admission="approve")
    assert (await rig.exchange()).status == 403
    assert (await rig.post(UPLOAD, LINE)).status == 403
    (device,) = await rig.items("/devices")
    assert (device["sn"], device["state"], device["address"]) == ("T1", "pending", "192.0.2.7")
    assert device["push_version"] is None
    assert await rig.items("/attendance") == []
    assert await rig.items("/rejects") == []


@pytest_twisted.ensureDeferred
async def test_an_approved_terminal_is_served_at_its_next_request(make_rig) -> None:
    """Approving takes effect at once, and the terminal's waiting data comes in."""
    rig = await make_rig(admission="approve")
    await rig.exchange()
    approved = await rig.api("PATCH", "/devices/T1", {"state": "approved", "alias": "Gate"})
    assert (approved.json["state"], approved.json["alias"]) == ("approved", "Gate")
    assert (await rig.exchange()).status == 200
    assert (await rig.post(UPLOAD, LINE)).body == b"OK: 1"


@pytest_twisted.ensureDeferred
async def test_a_blocked_terminal_is_refused(rig: Rig) -> None:
    """Blocking a terminal that was served refuses it at once."""
    await rig.exchange()
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    assert (await rig.post(UPLOAD, LINE)).status == 403
    assert (await rig.get("getrequest?SN=T1")).status == 403


@pytest_twisted.ensureDeferred
async def test_closed_records_nothing_of_an_unknown_terminal(make_rig) -> None:
    """Under closed, a terminal that nobody added is refused and leaves no trace."""
    rig = await make_rig(admission="closed")
    assert (await rig.exchange()).status == 403
    assert await rig.items("/devices") == []


@pytest_twisted.ensureDeferred
async def test_a_terminal_can_be_added_before_it_connects(make_rig) -> None:
    """An operator adds a serial number; the terminal is served from its first request."""
    rig = await make_rig(admission="closed")
    added = await rig.api("PUT", "/devices/T1", {"state": "approved"})
    assert added.json["state"] == "approved"
    assert (added.json["online"], added.json["last_seen_at"]) == (False, None)
    assert (await rig.exchange()).status == 200
    assert (await rig.api("PUT", "/devices/..%2F", {"state": "approved"})).status in (400, 404)


@pytest_twisted.ensureDeferred
async def test_the_key_that_was_offered_is_the_one_that_is_approved(make_rig) -> None:
    """Approval binds the terminal that asked for it, by its pushcommkey."""
    rig = await make_rig(admission="approve")
    await rig.exchange(pushcommkey="a" * 32)
    await rig.api("PATCH", "/devices/T1", {"state": "approved"})
    assert (await rig.exchange(pushcommkey="b" * 32)).status == 403
    assert (await rig.exchange(pushcommkey="a" * 32)).status == 200


@pytest_twisted.ensureDeferred
async def test_a_terminal_without_records_can_be_forgotten(rig: Rig) -> None:
    """A terminal that was a mistake can be removed; one with records cannot."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    await rig.post(UPLOAD.replace("T1", "T2"), LINE)
    assert (await rig.api("DELETE", "/devices/T1")).status == 204
    refused = await rig.api("DELETE", "/devices/T2")
    assert refused.status == 409
    assert "`zkpush devices block T2`" in refused.json["detail"]
    assert [device["sn"] for device in await rig.items("/devices")] == ["T2"]
    assert (await rig.api("DELETE", "/devices/T1")).status == 404
    assert (await rig.get("getrequest?SN=T1")).body == b"UNKNOWN DEVICE"


@pytest_twisted.ensureDeferred
async def test_a_terminal_stays_online_while_its_last_seen_time_is_written(
    make_rig, tmp_path
) -> None:
    """The list says so before, during and after the write."""
    rig: Rig = await make_rig(database=f"sqlite:///{tmp_path / 'kept.sqlite'}")
    written = threading.Event()
    await rig.exchange()
    busy = rig.store.write(lambda tx: written.wait(30))
    rig.clock.advance(SEEN_EVERY)
    seen = [[item["online"] for item in await rig.items("/devices")]]
    written.set()
    assert await busy
    await rig.store.write(lambda tx: None)
    seen.append([item["online"] for item in await rig.items("/devices")])
    assert seen == [[True], [True]]


@pytest_twisted.ensureDeferred
async def test_last_seen_is_written_with_others_and_survives_a_restart(make_rig, tmp_path) -> None:
    """When a terminal was last heard of is shown at once, and is in the store a little later."""
    database = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    rig = await make_rig(database=database)
    await rig.exchange()
    rig.clock.advance(3600)
    assert (await rig.items("/devices"))[0]["online"] is False
    await rig.get("getrequest?SN=T1", address="192.0.2.99")
    (device,) = await rig.items("/devices")
    assert (device["online"], device["last_seen_at"]) == (True, "2026-03-01T13:00:00.000Z")
    await rig.stop()
    again = await make_rig(database=database)
    (device,) = await again.items("/devices")
    assert device["last_seen_at"] == "2026-03-01T13:00:00.000Z"
    assert device["address"] == "192.0.2.99"


@pytest_twisted.ensureDeferred
async def test_terminals_are_loaded_late_where_the_database_does_not_answer_at_once(
    make_rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start without an answer is followed by other looks: what is unknown is bounded then."""
    rig = await make_rig()
    await rig.registry.stopService()
    rig.registry.loaded = False

    async def silent(query):
        raise StoreError("the database did not answer")

    with monkeypatch.context() as patch:
        patch.setattr(rig.store, "read", silent)
        with pytest.raises(StoreError):
            await rig.registry.follow()
        rig.registry.startService()
    assert not rig.registry.loaded
    await a_second([rig])
    assert rig.registry.loaded


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_hangs_up_while_it_is_recorded_counts(
    make_rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more terminals than configured wait for approval, however their connections end."""
    rig = await make_rig(admission="approve", limits={"pending_terminals": 1})
    channels: list[Any] = []
    write = rig.store.write

    def hang_up() -> None:
        for channel in channels:
            channel.connectionLost(Failure(ConnectionDone()))
        channels.clear()

    def written(unit, *more):
        # Before the writer has it: units are gathered for some turns of the reactor.
        reactor.callLater(0, hang_up)
        return write(unit, *more)

    monkeypatch.setattr(rig.store, "write", written)
    for number in range(4):
        wire = Wire("192.0.2.7")
        channels.append(rig.terminals.buildProtocol(wire.getPeer()))
        channels[0].makeConnection(wire)
        target = f"/iclock/cdata?SN=T{number}&options=all&pushver=2.4.1"
        channels[0].dataReceived(f"GET {target} HTTP/1.1\r\nHost: s\r\n\r\n".encode())
        while channels and not wire.value():
            await deferLater(reactor, 0.001)
        channels.clear()
    assert [device["sn"] for device in await rig.items("/devices")] == ["T0"]


@pytest_twisted.ensureDeferred
async def test_the_background_work_goes_on_after_an_error_of_any_kind(
    make_rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What other processes change is followed, and last-seen times are written, later."""
    rig = await make_rig()
    await rig.exchange()

    def broken(*_):
        raise RuntimeError("an error that nobody expected")

    with monkeypatch.context() as patch:
        patch.setattr(rig.store, "read", broken)
        patch.setattr(rig.store, "write", broken)
        rig.clock.advance(60)
    device = rig.registry.known("T1").device
    await rig.store.write(lambda tx: tx[DeviceStore].change(device.id, {"alias": "gate"}))
    await rig.get("getrequest?SN=T1", address="192.0.2.99")
    rig.clock.advance(60)
    await a_second([rig])
    assert rig.registry.known("T1").device.alias == "gate"
    stored = await rig.store.read(lambda tx: tx[DeviceStore].find("T1"))
    assert stored.address == "192.0.2.99"
