"""A second family beside the first one, over HTTP: other words, the same punches and people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_twisted

from zkpush.capability import Capability
from zkpush.persist.devices import DeviceStore
from zkpush.testing.contracts import TerminalFamilyContract

from ..rig import Response, Rig
from .gates.family import GatePush

GATES = (
    Capability("gates", f"{__package__}.gates", "Gates", ("attendance", "people", "terminals")),
    GatePush(),
)
EVENT = (
    b"time=2026-01-05 08:00:00\tpin=7\tcardno=0\teventaddr=1\tevent=%d\tinoutstatus=0\t"
    b"verifytype=1\tindex=%d\r\n"
)
ANN = b"user uid=1\tcardno=123\tpin=7\tpassword=\tgroup=1\tname=Ann\tprivilege=0\r\n"
CONFIGURED = b"registry=ok\r\nRegistryCode=SMALL\r\nTransTables=rtlog user\r\n"
MakeRig = Callable[..., Awaitable[Rig]]


class TestContract(TerminalFamilyContract):
    """What every family promises."""

    hello = b"options=all&pushver=3.1.2&DeviceType=acc"

    def make_family(self) -> GatePush:
        """Make the family."""
        return GatePush()

    def make_others(self) -> list[object]:
        """Its tables are those of a capability."""
        return [GATES[0]]


async def register(rig: Rig, sn: str = "G1", kind: str = "acc") -> Response:
    """The first request of a gate."""
    return await rig.get(f"cdata?SN={sn}&options=all&pushver=3.1.2&DeviceType={kind}")


async def approved(make_rig: MakeRig) -> Rig:
    """A server with an approved gate and an approved terminal for attendance, in their sessions."""
    rig = await make_rig(plugins=GATES)
    assert (await register(rig)).body == CONFIGURED
    assert (await rig.exchange("T1")).body.startswith(b"GET OPTION FROM: T1\n")
    return rig


async def device(rig: Rig, sn: str = "G1") -> Any:
    """What the API says of a terminal."""
    return (await rig.api("GET", f"/devices/{sn}")).json


@pytest_twisted.ensureDeferred
async def test_a_gate_awaits_approval_as_what_it_is(make_rig: MakeRig) -> None:
    """It is refused in the words of its family, until an operator approves it."""
    rig = await make_rig(admission="approve", plugins=GATES)
    refused = await register(rig)
    assert (refused.status, refused.body[:6]) == (403, b"error=")
    assert (await rig.exchange("T1")).body[:6] != b"error="
    seen = {sn: (await device(rig, sn))["family"] for sn in ("G1", "T1")}
    assert seen == {"G1": "gates", "T1": "attendance"}
    await rig.api("PATCH", "/devices/G1", {"state": "approved"})
    assert (await register(rig)).body == CONFIGURED


@pytest_twisted.ensureDeferred
async def test_the_last_word_of_a_terminal_that_awaits_approval_counts(make_rig: MakeRig) -> None:
    """One that asked for commands first, and then says what it is, is of the family it says."""
    rig = await make_rig(admission="approve", plugins=GATES)
    await rig.get("getrequest?SN=G1")
    assert (await device(rig))["family"] == "attendance"
    await register(rig)
    assert (await device(rig))["family"] == "gates"


@pytest_twisted.ensureDeferred
async def test_a_gate_is_told_to_begin_in_its_own_words(make_rig: MakeRig) -> None:
    """Before a session, a gate gets the status 406, and never UNKNOWN DEVICE."""
    rig = await make_rig(plugins=GATES)
    assert (await rig.get("rtdata?SN=G1&type=time")).status == 406
    assert (await rig.get("getrequest?SN=G1")).status == 406
    assert (await rig.get("getrequest?SN=T1")).body == b"UNKNOWN DEVICE"


@pytest_twisted.ensureDeferred
async def test_both_families_deliver_the_same_punch(make_rig: MakeRig) -> None:
    """`GET attendance` tells only by the terminal which protocol a punch came in."""
    rig = await approved(make_rig)
    events = EVENT % (0, 21) + EVENT % (27, 22)  # a passage, and a denial
    assert (await rig.post("cdata?SN=G1&table=rtlog", events)).body == b"OK"
    punch = b"7\t2026-01-05 08:00:00\t0\t1\n"
    assert (await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", punch)).body == b"OK: 1"
    await rig.settle()
    found = {item.pop("device"): item for item in await rig.items("/attendance")}
    for item in found.values():
        del item["id"]
    assert found["G1"] == found["T1"]
    assert (found["G1"]["pin"], found["G1"]["utc"]) == ("7", "2026-01-05T08:00:00Z")


@pytest_twisted.ensureDeferred
async def test_both_families_deliver_the_same_person(make_rig: MakeRig) -> None:
    """A user of a gate is the user of that ID, acknowledged with a count behind the table."""
    rig = await approved(make_rig)
    path = "cdata?SN=G1&table=tabledata&tablename=user&count=1"
    assert (await rig.post(path, ANN)).body == b"user=1"
    await rig.settle()
    of_gate = (await rig.api("GET", "/users/7")).json
    assert (of_gate["name"], of_gate["card"], of_gate["device"]) == ("Ann", "123", "G1")
    said = b"USER PIN=7\tName=Ann\tCard=123\tGrp=1\tPri=0\n"
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", said)).body == b"OK: 1"
    (user,) = await rig.items("/users")
    assert (user["name"], user["card"]) == ("Ann", "123")


@pytest_twisted.ensureDeferred
async def test_what_is_not_understood_of_a_gate_is_kept(make_rig: MakeRig) -> None:
    """A line without a user ID is a reject, and so is a table of the other family."""
    rig = await approved(make_rig)
    path = "cdata?SN=G1&table=tabledata&tablename=user&count=2"
    assert (await rig.post(path, ANN + b"user name=Nobody\r\n")).body == b"user=1"
    await rig.post("cdata?SN=G1&table=ATTLOG", b"7\t2026-01-05 08:00:00\t0\t1\n")
    await rig.settle()
    assert {item["table"] for item in await rig.items("/rejects")} == {"user", "ATTLOG"}
    assert await rig.items("/attendance") == []


@pytest.mark.parametrize(("code", "state"), [(0, "done"), (-629, "failed")])
@pytest_twisted.ensureDeferred
async def test_a_person_and_a_door_speak_the_words_of_a_gate(
    make_rig: MakeRig, code: int, state: str
) -> None:
    """PutPerson and OpenDoor are queued, sent, answered, and ended."""
    rig = await approved(make_rig)
    await rig.post("cdata?SN=G1&table=tabledata&tablename=user&count=1", ANN)
    await rig.settle()
    (put,) = (await rig.api("PUT", "/devices/G1/users/7")).json["items"]
    (door,) = (await rig.api("POST", "/devices/G1/door", {"seconds": 10})).json["items"]
    sent = (await rig.get("getrequest?SN=G1")).body.decode().splitlines()
    assert sorted(line.split(":", 2)[2] for line in sent) == [
        "CONTROL DEVICE 0101010A",
        "DATA UPDATE user CardNo=123\tPin=7\tName=Ann",
    ]
    answer = "".join(f"ID={one['id']}&Return={code}&CMD=DATA\n" for one in (put, door))
    assert (await rig.post("devicecmd?SN=G1", answer.encode())).body == b"OK"
    ended = {one["id"]: one for one in await rig.items("/devices/G1/commands")}
    assert [ended[one["id"]]["state"] for one in (put, door)] == [state] * 2
    assert ended[put["id"]]["meaning"] == (None if code == 0 else "There is no such table")
    assert (await rig.get("getrequest?SN=G1")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_the_same_intent_has_other_words_in_each_family(make_rig: MakeRig) -> None:
    """One door of each; what a gate cannot do is said in words."""
    rig = await approved(make_rig)
    words = []
    for sn in ("G1", "T1"):
        (door,) = (await rig.api("POST", f"/devices/{sn}/door", {})).json["items"]
        words.append(door["command"])
    assert words == ["CONTROL DEVICE", "AC_UNLOCK"]
    refused = await rig.api("POST", "/devices/G1/reboot")
    assert (refused.status, refused.json["detail"]) == (
        400,
        "These gates are never restarted from afar.",
    )
    assert (await rig.api("DELETE", "/devices/G1/users/7")).status == 400


@pytest.mark.parametrize(
    ("sn", "command", "params"),
    [
        ("G1", "DATA UPDATE USERINFO", {"PIN": "7"}),
        ("T1", "DATA UPDATE user", {"Pin": "7"}),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_word_of_the_other_family_is_refused(
    make_rig: MakeRig, sn: str, command: str, params: dict[str, str]
) -> None:
    """`POST commands` names the family that has the command, and that of the terminal."""
    rig = await approved(make_rig)
    body = {"command": command, "params": params}
    refused = await rig.api("POST", f"/devices/{sn}/commands", body)
    assert refused.status == 400
    assert {"gates", "attendance"} <= set(refused.json["detail"].replace(",", "").split())
    families = {item["family"] for item in await rig.items("/commands/catalogue")}
    assert families == {"attendance", "gates"}


@pytest_twisted.ensureDeferred
async def test_nobody_changes_the_family_of_an_approved_terminal_by_saying_so(
    make_rig: MakeRig,
) -> None:
    """It is a problem; the terminal is served in its own family, and says so to settle it."""
    rig = await approved(make_rig)
    refused = await register(rig, "T1")
    assert refused.status == 403
    changed = await device(rig, "T1")
    assert (changed["family"], changed["offered_family"]) == ("attendance", "gates")
    assert "other family" in [problem["code"] for problem in changed["problems"]]
    punch = b"7\t2026-01-05 08:00:00\t0\t1\n"
    assert (await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", punch)).body == b"OK: 1"
    await rig.exchange("T1")
    settled = await device(rig, "T1")
    assert (settled["offered_family"], settled["problems"]) == (None, [])


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_was_switched_is_approved_again(make_rig: MakeRig) -> None:
    """It begins as a gate; commands of the family before are not sent to it."""
    rig = await approved(make_rig)
    old = (await rig.api("POST", "/devices/T1/commands", {"command": "LOG"})).json["id"]
    await register(rig, "T1")
    await rig.api("PATCH", "/devices/T1", {"state": "approved"})
    changed = await device(rig, "T1")
    assert (changed["family"], changed["offered_family"]) == ("gates", None)
    assert "other family" not in [problem["code"] for problem in changed["problems"]]
    assert (await register(rig, "T1")).body == CONFIGURED
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"
    assert (await rig.api("GET", f"/commands/{old}")).json["state"] == "cancelled"


@pytest_twisted.ensureDeferred
async def test_a_path_of_one_family_is_none_of_the_other(make_rig: MakeRig) -> None:
    """Each terminal has the paths of its own family."""
    rig = await approved(make_rig)
    assert (await rig.get("rtdata?SN=G1&type=time")).status == 200
    assert (await rig.get("rtdata?SN=T1&type=time")).status == 404
    assert (await rig.get("ping?SN=T1")).status == 200
    assert (await rig.get("ping?SN=G1")).status == 404


@pytest_twisted.ensureDeferred
async def test_a_terminal_whose_family_is_not_installed_is_refused(make_rig: MakeRig) -> None:
    """It keeps its data; nothing of it is read by the rules of another protocol."""
    rig = await approved(make_rig)
    terminal = rig.registry.known("T1")
    assert terminal is not None
    key = terminal.device.id
    gone = await rig.store.write(lambda tx: tx[DeviceStore].change(key, {"family": "gone"}))
    rig.registry.updated(gone)
    punch = b"7\t2026-01-05 08:00:00\t0\t1\n"
    assert (await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", punch)).status == 403
    assert (await rig.get("getrequest?SN=T1")).status == 403
    assert await rig.items("/attendance") == []
    refused = await rig.api("POST", "/devices/T1/commands", {"command": "LOG"})
    assert refused.status == 400
