"""Where terminals may be, and terminals that are in two places at once."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.device.refusals import Refusal
from zkpush.model import Page
from zkpush.persist.events import EventStore
from zkpush.problems import ProblemCode

from ..rig import Rig
from .files import order, url_in

HERE, OTHER, FAR = "10.1.2.3", "10.2.0.5", "203.0.113.9"
LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=1"
POLL = "getrequest?SN=T1"
REQUESTS = {
    "exchange": ("GET", "cdata?SN=T1&options=all&pushver=2.4.1"),
    "upload": ("POST", UPLOAD),
    "options": ("POST", "cdata?SN=T1&table=options"),
    "photo": ("POST", "fdata?SN=T1&table=ATTPHOTO&PIN=1.jpg"),
    "remote attendance": ("GET", "cdata?SN=T1&table=RemoteAtt&PIN=1"),
    "verification": ("POST", "cdata?SN=T1&type=PostVerifyData"),
    "poll": ("GET", POLL),
    "information": ("GET", f"{POLL}&INFO=1,2,3,4,5,192.0.2.1"),
    "answer": ("POST", "devicecmd?SN=T1"),
    "heartbeat": ("GET", "ping?SN=T1"),
    "heartbeat with POST": ("POST", "ping?SN=T1"),
    "file": ("GET", "file?SN=T1&url=file/1/x"),
    "file by path": ("GET", "file/1/x?SN=T1"),
}


async def device(rig: Rig) -> dict[str, object]:
    """What the API says of T1."""
    await rig.store.write(lambda tx: None)  # what was to be written before is
    response = await rig.api("GET", "/devices/T1")
    assert response.status == 200
    return response.json


async def problems(rig: Rig) -> list[str]:
    """The codes of T1's problems."""
    return [problem["code"] for problem in (await device(rig))["problems"]]


async def bind(rig: Rig, *networks: str) -> None:
    """Let T1 be in these networks only."""
    response = await rig.api("PATCH", "/devices/T1", {"networks": networks})
    assert response.status == 200, response.raw


async def told(rig: Rig, kind: str) -> list[dict[str, object]]:
    """The events of a kind."""
    events = await rig.store.read(lambda tx: tx[EventStore].page(Page(1000)))
    return [event.data for event in events if event.kind == kind]


# Address rules.


@pytest.mark.parametrize("what", REQUESTS)
@pytest_twisted.ensureDeferred
async def test_no_request_is_taken_from_elsewhere(rig: Rig, what: str) -> None:
    """403 whatever it is, whether the terminal has just been served or never; nothing is stored."""
    await rig.exchange()
    assert (await rig.get(POLL, address=FAR)).status == 200
    await bind(rig, "10.1.0.0/16", OTHER)
    before = await device(rig)
    method, path = REQUESTS[what]
    for address in (FAR, "10.0.255.255", "2001:db8::1"):
        response = await (
            rig.get(path, address=address)
            if method == "GET"
            else rig.post(path, LINE, address=address)
        )
        assert response.status == 403
        assert b"OK" not in response.raw
    after = await device(rig)
    assert [problem["code"] for problem in after["problems"]] == [ProblemCode.OTHER_ADDRESS]
    assert {**before, "problems": after["problems"]} == after
    assert await rig.items("/attendance") == []
    assert await rig.items("/rejects") == []
    assert rig.registry.refusals.counts[Refusal.ADDRESS] == 3


@pytest_twisted.ensureDeferred
async def test_it_is_served_where_it_may_be(rig: Rig) -> None:
    """In a network, at an address, also by way of IPv6; and a refusal hurts it not."""
    await rig.exchange()
    await bind(rig, "10.1.0.0/16", OTHER)
    for address in (HERE, OTHER, "::ffff:10.1.9.9"):
        assert (await rig.get(POLL, address=address)).body == b"OK"
        assert (await rig.get(POLL, address=FAR)).status == 403
    assert (await rig.post(UPLOAD, LINE, address=HERE)).body == b"OK: 1"


@pytest_twisted.ensureDeferred
async def test_the_problem_is_raised_once(rig: Rig) -> None:
    """However often it happens; it says from where."""
    await rig.exchange()
    await bind(rig, "10.1.0.0/16")
    for _ in range(5):
        assert (await rig.get(POLL, address=FAR)).status == 403
    (problem,) = (await device(rig))["problems"]
    assert problem["code"] == ProblemCode.OTHER_ADDRESS
    assert FAR in problem["detail"]
    raised = [data for data in await told(rig, "problem") if data["what"] == "raised"]
    assert [data["code"] for data in raised] == [ProblemCode.OTHER_ADDRESS]


@pytest.mark.parametrize("change", [{"networks": ["10.1.0.0/16", FAR]}, {"state": "approved"}])
@pytest_twisted.ensureDeferred
async def test_an_operator_settles_the_problem(rig: Rig, change: dict[str, object]) -> None:
    """By saying where it may be, or by approving it as it is."""
    await rig.exchange()
    await bind(rig, "10.1.0.0/16")
    await rig.get(POLL, address=FAR)
    assert await problems(rig) == [ProblemCode.OTHER_ADDRESS]
    assert (await rig.api("PATCH", "/devices/T1", change)).status == 200
    assert await problems(rig) == []
    expected = 200 if "networks" in change else 403
    assert (await rig.get(POLL, address=FAR)).status == expected


@pytest_twisted.ensureDeferred
async def test_a_problem_goes_a_day_after_it_happened_last(rig: Rig) -> None:
    """While it goes on, it stays."""
    await rig.exchange()
    await bind(rig, "10.1.0.0/16")
    for _ in range(30):
        await rig.get(POLL, address=FAR)
        rig.clock.advance(3600)
        assert await problems(rig) == [ProblemCode.OTHER_ADDRESS]
    rig.clock.advance(22 * 3600)
    assert await problems(rig) == [ProblemCode.OTHER_ADDRESS]
    rig.clock.advance(3600)
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_no_networks_are_anywhere(rig: Rig) -> None:
    """As it is for a new terminal, and again when the list is emptied."""
    await rig.exchange()
    assert (await device(rig))["networks"] == []
    await bind(rig, "10.1.0.0/16")
    assert (await device(rig))["networks"] == ["10.1.0.0/16"]
    assert (await rig.get(POLL, address=FAR)).status == 403
    await bind(rig)
    assert (await device(rig))["networks"] == []
    assert (await rig.get(POLL, address=FAR)).status == 200


@pytest_twisted.ensureDeferred
async def test_networks_are_checked_and_written_in_one_form(rig: Rig) -> None:
    """What is none is told of, and changes nothing."""
    await rig.exchange()
    await bind(rig, "10.2.0.5/32", "10.2.0.5", "FD00::/8")
    assert (await device(rig))["networks"] == ["10.2.0.5", "fd00::/8"]
    for wrong in ("10.1.2.3/16", "gate", "", "10.0.0.0/40", "unix"):
        response = await rig.api("PATCH", "/devices/T1", {"networks": ["10.0.0.0/8", wrong]})
        assert response.status == 400
        assert "network" in response.json["detail"]
    assert (await device(rig))["networks"] == ["10.2.0.5", "fd00::/8"]


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_is_not_approved_is_bound_as_well(make_rig) -> None:
    """Whoever uses its serial number elsewhere hears nothing of its state."""
    rig = await make_rig(admission="closed")
    await rig.api("PUT", "/devices/T1", {"state": "approved", "networks": ["10.1.0.0/16"]})
    assert (await rig.get(POLL, address=FAR)).status == 403
    assert (await rig.exchange()).status == 403
    raw = (await rig.get(REQUESTS["exchange"][1], address=HERE)).body
    assert raw.startswith(b"GET OPTION FROM: T1\n")


@pytest_twisted.ensureDeferred
async def test_who_is_elsewhere_cannot_use_up_what_the_terminal_may_ask(make_rig) -> None:
    """What is refused for its address is not counted as the terminal's, nor read from the store."""
    rig = await make_rig(limits={"requests_per_minute": 10})
    await rig.exchange()
    await bind(rig, "10.1.0.0/16")
    assert (await rig.get(POLL, address=HERE)).status == 200
    await rig.get(POLL, address=FAR)
    await device(rig)
    reads = []
    read = rig.store.read
    rig.store.read = lambda query: reads.append(query) or read(query)
    for _ in range(50):
        assert (await rig.get(POLL, address=FAR)).status == 403
    assert len(reads) == 0
    assert (await rig.get(POLL, address=HERE)).status == 200


@pytest_twisted.ensureDeferred
async def test_a_file_without_serial_number_is_for_those_who_may_be_there(rig: Rig) -> None:
    """PutFile is fetched by its path alone: from where a terminal may be that was told to."""
    await rig.exchange()
    await rig.exchange("T2")
    added = await rig.api("POST", "/files?name=x.bin", "content")
    assert added.status == 201, added.raw
    path = added.json["path"]
    await bind(rig, "10.1.0.0/16")
    params = {"url": path, "path": "/mnt/x"}
    one, other = [
        await url_in(rig, await order(rig, "PutFile", sn, **params)) for sn in ("T1", "T2")
    ]
    assert (await rig.get(one, address=FAR)).status == 403
    assert (await rig.get(one, address=HERE)).status == 200
    assert (await rig.get(other, address=FAR)).status == 200


@pytest_twisted.ensureDeferred
async def test_where_it_may_be_is_told_of(rig: Rig) -> None:
    """A change is an event."""
    await rig.exchange()
    await bind(rig, "10.1.0.0/16")
    changed = [data["values"] for data in await told(rig, "device") if data["what"] == "changed"]
    assert changed[-1] == {"networks": ["10.1.0.0/16"]}


# Two places.


@pytest_twisted.ensureDeferred
async def test_a_serial_number_that_comes_from_two_places_is_a_problem(rig: Rig) -> None:
    """Here, there, and here again within minutes; both are served, and a person is told."""
    await rig.exchange()
    for address in (HERE, FAR, HERE):
        assert (await rig.get(POLL, address=address)).body == b"OK"
        rig.clock.advance(60)
    (problem,) = (await device(rig))["problems"]
    assert problem["code"] == ProblemCode.TWO_PLACES
    assert HERE in problem["detail"]
    assert FAR in problem["detail"]
    raised = [data for data in await told(rig, "problem") if data["what"] == "raised"]
    assert [(data["device"], data["code"]) for data in raised] == [("T1", ProblemCode.TWO_PLACES)]


@pytest.mark.parametrize("what", [what for what in REQUESTS if what != "exchange"])
@pytest_twisted.ensureDeferred
async def test_any_request_shows_where_it_is(rig: Rig, what: str) -> None:
    """Polls are not the only ones that count."""
    await rig.exchange()
    method, path = REQUESTS[what]
    for address in (HERE, FAR, HERE):
        if method == "GET":
            await rig.get(path, address=address)
        else:
            await rig.post(path, LINE, address=address)
    found = await problems(rig)
    assert found[-1] == ProblemCode.TWO_PLACES
    # A line of attendance is neither options nor an answer, and shows as that, too.
    assert found[:-1] == ([ProblemCode.REJECTS] if what in ("options", "answer") else [])


@pytest_twisted.ensureDeferred
async def test_a_new_address_is_no_problem(rig: Rig) -> None:
    """Networks give out addresses anew; nor is one that comes back much later."""
    await rig.exchange()
    for address in (HERE, OTHER, FAR, "10.1.2.4"):
        await rig.get(POLL, address=address)
        rig.clock.advance(1)
    rig.clock.advance(3600)
    for address in (OTHER, HERE, OTHER):
        await rig.get(POLL, address=address)
        rig.clock.advance(11 * 60)
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_two_places_are_told_of_once(rig: Rig) -> None:
    """However often they take turns; a day after the last time it is over."""
    await rig.exchange()
    for _ in range(20):
        for address in (HERE, FAR):
            await rig.get(POLL, address=address)
            rig.clock.advance(5)
    assert await problems(rig) == [ProblemCode.TWO_PLACES]
    raised = [data for data in await told(rig, "problem") if data["what"] == "raised"]
    assert len(raised) == 1
    rig.clock.advance(24 * 3600)
    assert await problems(rig) == []
    assert [data["what"] for data in await told(rig, "problem")] == ["raised", "cleared"]


@pytest.mark.parametrize("change", [{"networks": [HERE]}, {"state": "approved"}])
@pytest_twisted.ensureDeferred
async def test_an_operator_settles_two_places(rig: Rig, change: dict[str, object]) -> None:
    """By saying which of them it is, or by approving the terminal as it is."""
    await rig.exchange()
    for address in (HERE, FAR, HERE):
        await rig.get(POLL, address=address)
    assert await problems(rig) == [ProblemCode.TWO_PLACES]
    await rig.api("PATCH", "/devices/T1", change)
    assert await problems(rig) == []


@pytest_twisted.ensureDeferred
async def test_two_places_do_not_outlive_a_rule(rig: Rig) -> None:
    """One of the two is refused then: that is the other problem, and the only one."""
    await rig.exchange()
    await bind(rig, HERE)
    for address in (HERE, FAR, HERE, FAR, HERE):
        await rig.get(POLL, address=address)
    assert await problems(rig) == [ProblemCode.OTHER_ADDRESS]


@pytest_twisted.ensureDeferred
async def test_where_it_was_is_known_after_a_restart(make_rig, tmp_path) -> None:
    """The address is in the store: here, a restart, there, and here again is two places."""
    database = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    rig = await make_rig(database=database)
    await rig.exchange()
    await rig.get(POLL, address=HERE)
    await rig.stop()
    again = await make_rig(database=database)
    for address in (FAR, HERE):
        await again.get(POLL, address=address)
    assert await problems(again) == [ProblemCode.TWO_PLACES]
