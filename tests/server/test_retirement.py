"""The end of a terminal: retired, or replaced by another one as one act."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.device import retiring
from zkpush.protocol.fields import Scope

from ..rig import Rig

PLACE = {
    "state": "approved",
    "alias": "Gate",
    "area": "North",
    "timezone": "Europe/Berlin",
    "settings": {"Delay": 7},
    "networks": ["0.0.0.0/0"],
    "token": "ignore",
}
PUNCH = b"7\t2026-03-01 08:00:00\t0\t1\n"


async def begin(rig: Rig, sn: str = "OLD") -> None:
    """A terminal with attributes, records, a person and a conflict."""
    await rig.api("PUT", f"/devices/{sn}", PLACE)
    await rig.exchange(sn)
    assert (await rig.post(f"cdata?SN={sn}&table=ATTLOG&Stamp=1", PUNCH)).status == 200
    await rig.post(f"cdata?SN={sn}&table=OPERLOG", b"USER PIN=7\tName=Ann\tCard=7\n")


async def queue(rig: Rig, sn: str, command: str, **params: str) -> str:
    """Queue a command; its ID."""
    made = await rig.api("POST", f"/devices/{sn}/commands", {"command": command, "params": params})
    assert made.status == 202, made.raw
    return str(made.json["id"])


async def replace(rig: Rig, new: str = "NEW", **more: object):
    """Replace OLD."""
    return await rig.api("POST", "/devices/OLD/replace", {"by": new, **more})


async def listed(rig: Rig, query: str = "") -> list[str]:
    """The serial numbers of the list of terminals."""
    return [one["sn"] for one in await rig.items(f"/devices{query}")]


@pytest_twisted.ensureDeferred
async def test_a_terminal_is_replaced_with_its_place(rig: Rig) -> None:
    """The new one is approved with the name, place, settings and protection of the old one."""
    await begin(rig)
    done = await replace(rig)
    assert (done.status, done.json) == (
        200,
        {"device": "OLD", "replaced_by": "NEW", "moved": 0, "cancelled": 0},
    )
    new = (await rig.api("GET", "/devices/NEW")).json
    assert {name: new[name] for name in PLACE} == PLACE
    old = (await rig.api("GET", "/devices/OLD")).json
    assert (old["state"], old["replaced_by"], old["problems"]) == ("retired", "NEW", [])
    assert await listed(rig) == ["NEW"]
    assert await listed(rig, "?retired=true") == ["OLD", "NEW"]
    assert (await rig.get("cdata?SN=NEW&options=all")).status == 200
    assert (await rig.get("cdata?SN=OLD&options=all")).status != 200
    assert (await rig.post("cdata?SN=OLD&table=ATTLOG&Stamp=2", PUNCH)).status != 200
    acts = [(one["action"], one["subject"]) for one in await rig.items("/audit")]
    assert ("replace terminal", "terminal OLD") in acts


@pytest_twisted.ensureDeferred
async def test_history_is_shown_with_the_successor(rig: Rig) -> None:
    """Records stay under the old serial number, and are listed with the new one if asked for."""
    await begin(rig)
    await replace(rig)
    await rig.exchange("NEW")
    later = PUNCH.replace(b"08:", b"09:")
    await rig.post("cdata?SN=NEW&table=ATTLOG&Stamp=1", later)
    await rig.api("POST", "/devices/NEW/replace", {"by": "NEWER"})

    async def devices(query: str) -> list[str]:
        return [one["device"] for one in await rig.items(f"/attendance?{query}")]

    assert await devices("device=NEWER") == []
    assert await devices("device=NEWER&history=true") == ["OLD", "NEW"]
    assert await devices("device=NEWER&history=true&order=desc") == ["NEW", "OLD"]
    assert await devices("device=NEW&history=true&pin=7") == ["OLD", "NEW"]
    assert await devices("device=NEW&history=true&since=2026-03-01T07:30:00Z") == ["NEW"]
    assert await devices("device=NEW") == ["NEW"]
    assert "needs `device`" in (await rig.api("GET", "/attendance?history=true")).json["detail"]


@pytest_twisted.ensureDeferred
async def test_queued_commands_move_or_end_in_words(rig: Rig) -> None:
    """What is as good for the new one moves; what was sent, or must not be repeated, ends."""
    await begin(rig)
    sent = await queue(rig, "OLD", "CHECK")
    await rig.get("getrequest?SN=OLD")
    moving = await queue(rig, "OLD", "DATA UPDATE USERINFO", PIN="7", Name="Ann")
    staying = await queue(rig, "OLD", "REBOOT")
    done = await replace(rig)
    assert (done.json["moved"], done.json["cancelled"]) == (1, 2)
    for command in (sent, staying):
        shown = (await rig.api("GET", f"/commands/{command}")).json
        assert (shown["device"], shown["state"]) == ("OLD", "cancelled")
        assert shown["reason"] == "It was cancelled when its terminal was retired or replaced."
    await rig.exchange("NEW")
    assert (
        f"C:{moving}:DATA UPDATE USERINFO PIN=7".encode()
        in (await rig.get("getrequest?SN=NEW")).body
    )
    await rig.post("devicecmd?SN=NEW", f"ID={moving}&Return=0&CMD=DATA\n".encode())
    shown = (await rig.api("GET", f"/commands/{moving}")).json
    assert (shown["device"], shown["state"]) == ("NEW", "done")


@pytest_twisted.ensureDeferred
async def test_the_present_of_the_old_terminal_ends(rig: Rig) -> None:
    """It holds nobody any more: no conflict, no removed person, and nobody is looked for there."""
    await begin(rig)
    await rig.api("PUT", "/users/7", {"card": "8"})
    await rig.post("cdata?SN=OLD&table=OPERLOG", b"USER PIN=7\tName=Ann\tCard=9\n")
    await rig.post("cdata?SN=OLD&table=OPERLOG", b"USER PIN=8\tName=Bob\n")
    assert (await rig.api("DELETE", "/users/8")).json["devices"] == ["OLD"]
    assert len(await rig.items("/conflicts")) == 1
    assert (await rig.api("POST", "/devices/OLD/retire")).status == 200
    assert await rig.items("/conflicts") == []
    assert (await rig.api("DELETE", "/users/7")).json["devices"] == []
    assert await rig.items("/problems?code=removed+person") == []


@pytest_twisted.ensureDeferred
async def test_forwarders_follow(rig: Rig) -> None:
    """A rule that names the old terminal names the new one, too; areas follow by themselves."""
    await begin(rig)
    case = {"direction": "in", "devices": ["OLD"]}
    rules = {"devices": ["OLD", "T9"], "directions": {"cases": [case]}}
    body = {"name": "pay", "url": "https://pay.example.com", "rules": rules}
    made = (await rig.api("POST", "/forwarders", body)).json
    await replace(rig)
    shown = (await rig.api("GET", f"/forwarders/{made['id']}")).json["rules"]
    assert shown["devices"] == ["OLD", "T9", "NEW"]
    assert shown["directions"]["cases"][0]["devices"] == ["OLD", "NEW"]


@pytest_twisted.ensureDeferred
async def test_a_retired_terminal_stays_retired(rig: Rig) -> None:
    """Only an operator approves it again, even where every terminal is admitted."""
    await begin(rig)
    await rig.api("POST", "/devices/OLD/retire")
    for _ in range(2):
        assert (await rig.get("cdata?SN=OLD&options=all&pushver=2.4.1")).status != 200
        rig.clock.advance(100)
    assert (await rig.api("GET", "/devices/OLD")).json["state"] == "retired"
    again = await rig.api("POST", "/devices/OLD/retire")
    assert (again.status, again.json["detail"]) == (409, "The terminal OLD is retired already.")
    approved = await rig.api("PATCH", "/devices/OLD", {"state": "approved"})
    assert approved.json["state"] == "approved"
    assert (await rig.get("cdata?SN=OLD&options=all")).status == 200
    assert len(await rig.items("/attendance?device=OLD")) == 1


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_replaced(rig: Rig) -> None:
    """Unknown, same, retired, or with records of its own: each is refused in words."""
    assert (await replace(rig)).status == 404
    await begin(rig)
    same = await replace(rig, "OLD")
    assert (same.status, "is the same terminal" in same.json["detail"]) == (409, True)
    assert (await replace(rig, "a/b")).status == 400
    await begin(rig, "BUSY")
    busy = await replace(rig, "BUSY")
    assert (busy.status, "has records of its own" in busy.json["detail"]) == (409, True)
    assert (await rig.api("GET", "/devices/OLD")).json["state"] == "approved"
    clerk = [f"Authorization: Bearer {await rig.token('clerk', Scope.READ, Scope.WRITE)}"]
    body = {"by": "BUSY", "has_records": True}
    refused = await rig.api("POST", "/devices/OLD/replace", body, headers=clerk)
    assert (refused.status, "admin" in refused.json["detail"]) == (403, True)
    assert (await replace(rig, "BUSY", has_records=True)).status == 200
    twice = await replace(rig, "NEW")
    assert "retired already, and replaced by BUSY" in twice.json["detail"]


@pytest_twisted.ensureDeferred
async def test_a_pending_terminal_takes_a_place(make_rig) -> None:
    """A terminal that has announced itself is approved by the replacement, in its place."""
    rig = await make_rig(admission="approve")
    await begin(rig)
    await rig.get("cdata?SN=NEW&options=all&pushver=2.4.1")
    assert (await rig.api("GET", "/devices/NEW")).json["state"] == "pending"
    assert (await replace(rig)).status == 200
    new = (await rig.api("GET", "/devices/NEW")).json
    assert (new["state"], new["alias"]) == ("approved", "Gate")


@pytest_twisted.ensureDeferred
async def test_a_place_goes_back(rig: Rig) -> None:
    """A repaired terminal replaces its successor; the history has no circle."""
    await begin(rig)
    await replace(rig)
    body = {"by": "OLD", "has_records": True}
    back = await rig.api("POST", "/devices/NEW/replace", body)
    assert back.status == 200, back.raw
    old = (await rig.api("GET", "/devices/OLD")).json
    assert (old["state"], old["replaced_by"], old["alias"]) == ("approved", None, "Gate")
    assert len(await rig.items("/attendance?device=OLD&history=true")) == 1


@pytest_twisted.ensureDeferred
async def test_a_power_cut_leaves_all_or_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replacement is one unit of work: a failure at its end undoes its beginning."""
    await begin(rig)
    command = await queue(rig, "OLD", "DATA UPDATE USERINFO", PIN="7", Name="Ann")

    def broken(*arguments: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(retiring.acts, "record", broken)
        assert (await replace(rig)).status == 500
    assert (await rig.api("GET", "/devices/NEW")).status == 404
    assert (await rig.api("GET", "/devices/OLD")).json["state"] == "approved"
    assert (await rig.api("GET", f"/commands/{command}")).json["device"] == "OLD"
    assert (await rig.get("cdata?SN=OLD&options=all")).status == 200
