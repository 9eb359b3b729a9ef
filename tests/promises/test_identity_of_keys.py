"""A pushcommkey binds a terminal because an operator pinned it, and for no other reason."""

from __future__ import annotations

import hashlib

import pytest
import pytest_twisted

from zkpush.values.keys import MOST_OFFERED

from ..rig import Response, Rig

OURS, THEIRS, OTHER = "a" * 32, "b" * 32, "c" * 32
HERE, THERE = "10.1.2.3", "203.0.113.9"


def fingerprint(key: str) -> str:
    """What is shown of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


async def exchange(rig: Rig, key: str | None, address: str = HERE, sn: str = "T1") -> Response:
    """The exchange of a terminal, or of somebody in its name."""
    more = "" if key is None else f"&pushcommkey={key}"
    target = f"cdata?SN={sn}&options=all&pushver=2.4.1&language=69{more}"
    return await rig.get(target, address=address)


async def keys(rig: Rig) -> tuple[str | None, list[tuple[str, str]]]:
    """The pinned key of the terminal, and the offered ones with their addresses."""
    shown = (await rig.api("GET", "/devices/T1")).json["comm_key"]
    return shown["pinned"], [(key["fingerprint"], key["address"]) for key in shown["offered"]]


async def change(rig: Rig, **values: object) -> Response:
    """Change the terminal as an operator."""
    changed = await rig.api("PATCH", "/devices/T1", values)
    assert changed.status == 200, changed.raw
    return changed


async def problems(rig: Rig) -> list[str]:
    """The codes of the terminal's problems."""
    return [problem["code"] for problem in (await rig.items("/devices"))[0]["problems"]]


@pytest.mark.parametrize("admission", ["open", "approve"])
@pytest_twisted.ensureDeferred
async def test_a_stranger_s_key_locks_nobody_out(make_rig, admission: str) -> None:
    """A terminal that never sent a key is served after somebody offers one in its name."""
    rig = await make_rig(admission=admission)
    await exchange(rig, None)
    if admission == "approve":
        await change(rig, state="approved")
        assert (await exchange(rig, None)).status == 200
    for number in range(3):
        await exchange(rig, f"{number}" * 32, THERE)
    rig.clock.advance(61)
    assert (await exchange(rig, None)).status == 200
    assert (await rig.get("getrequest?SN=T1", address=HERE)).body == b"OK"
    pinned, offered = await keys(rig)
    assert (pinned, len(offered)) == (None, 3)


@pytest.mark.parametrize("admission", ["open", "approve"])
@pytest_twisted.ensureDeferred
async def test_a_stranger_s_key_replaces_none(make_rig, admission: str) -> None:
    """Both keys are listed, with address and time, and it is a problem."""
    rig = await make_rig(admission=admission)
    await exchange(rig, OURS)
    rig.clock.advance(2)
    await exchange(rig, THEIRS, THERE)
    shown = (await rig.api("GET", "/devices/T1")).json["comm_key"]
    assert shown == {
        "pinned": None,
        "offered": [
            {
                "fingerprint": fingerprint(OURS),
                "address": HERE,
                "first_seen_at": "2026-03-01T12:00:00.000Z",
                "last_seen_at": "2026-03-01T12:00:00.000Z",
            },
            {
                "fingerprint": fingerprint(THEIRS),
                "address": THERE,
                "first_seen_at": "2026-03-01T12:00:02.000Z",
                "last_seen_at": "2026-03-01T12:00:02.000Z",
            },
        ],
        "keyless": None,
    }
    assert await problems(rig) == ["several pushcommkeys"]
    assert OURS.encode() not in (await rig.api("GET", "/devices/T1")).body


@pytest_twisted.ensureDeferred
async def test_approval_pins_the_only_key(make_rig) -> None:
    """From then on an exchange with another key, or without, is refused, from wherever."""
    rig = await make_rig(admission="approve")
    await exchange(rig, OURS)
    await change(rig, state="approved")
    assert (await keys(rig))[0] == fingerprint(OURS)
    assert (await exchange(rig, OURS, THERE)).status == 200
    for key in (THEIRS, None):
        refused = await exchange(rig, key)
        assert (refused.status, b"OK" in refused.body) == (403, False)
    assert "pushcommkey changed" in await problems(rig)
    assert (await exchange(rig, OURS)).status == 200


@pytest_twisted.ensureDeferred
async def test_approval_again_pins_no_key_of_a_stranger(make_rig) -> None:
    """A terminal that works without a key is not locked out by a key that a stranger offered."""
    rig = await make_rig(admission="approve")
    await exchange(rig, None)
    await change(rig, state="approved")
    await exchange(rig, THEIRS, THERE)
    await change(rig, state="approved")
    assert await keys(rig) == (None, [(fingerprint(THEIRS), THERE)])
    assert (await exchange(rig, None)).status == 200


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_approval_pins_none_of_several(make_rig) -> None:
    """It says so in words, and pins the one that it names."""
    rig = await make_rig(admission="approve")
    await exchange(rig, OURS)
    rig.clock.advance(2)
    await exchange(rig, THEIRS, THERE)
    approved = await change(rig, state="approved")
    assert approved.json["comm_key"]["pinned"] is None
    (problem,) = approved.json["problems"]
    assert problem["code"] == "several pushcommkeys"
    assert "none is pinned" in problem["detail"]
    approved = await change(rig, state="approved", comm_key=fingerprint(OURS))
    assert approved.json["comm_key"]["pinned"] == fingerprint(OURS)
    assert [key["fingerprint"] for key in approved.json["comm_key"]["offered"]] == [
        fingerprint(OURS)
    ]
    assert approved.json["problems"] == []
    assert (await exchange(rig, THEIRS, THERE)).status == 403
    assert (await exchange(rig, OURS)).status == 200


@pytest_twisted.ensureDeferred
async def test_a_pinned_key_stays_until_an_operator_names_another(rig: Rig) -> None:
    """Approving again does not take over whichever key came last."""
    await exchange(rig, OURS)
    await change(rig, comm_key=fingerprint(OURS))
    assert (await exchange(rig, THEIRS)).status == 403
    again = await change(rig, state="approved")
    assert again.json["comm_key"]["pinned"] == fingerprint(OURS)
    assert [problem["code"] for problem in again.json["problems"]] == ["pushcommkey changed"]
    assert (await exchange(rig, THEIRS)).status == 403
    assert (await exchange(rig, OURS)).status == 200
    changed = await change(rig, comm_key=fingerprint(THEIRS))
    assert changed.json["problems"] == []
    assert (await exchange(rig, THEIRS)).status == 200
    assert (await exchange(rig, OURS)).status == 403


@pytest_twisted.ensureDeferred
async def test_an_exchange_pins_nothing(rig: Rig) -> None:
    """Not even where every terminal is admitted: only an operator pins."""
    for key in (OURS, THEIRS, None, OTHER):
        assert (await exchange(rig, key)).status == 200
    assert (await keys(rig))[0] is None


@pytest_twisted.ensureDeferred
async def test_a_pin_can_be_cleared(rig: Rig) -> None:
    """Any key is served then, and what was offered before is forgotten."""
    await exchange(rig, OURS)
    await change(rig, comm_key=fingerprint(OURS))
    await exchange(rig, THEIRS)
    cleared = await change(rig, comm_key=None)
    assert cleared.json["comm_key"] == {"pinned": None, "offered": [], "keyless": None}
    assert cleared.json["problems"] == []
    assert (await exchange(rig, THEIRS)).status == 200
    await change(rig, comm_key=fingerprint(THEIRS))
    assert (await keys(rig))[0] == fingerprint(THEIRS)


@pytest_twisted.ensureDeferred
async def test_a_key_is_pinned_before_the_terminal_connects(make_rig) -> None:
    """By its fingerprint, in capitals or not."""
    rig = await make_rig(admission="closed")
    body = {"state": "approved", "comm_key": fingerprint(OURS).upper()}
    assert (await rig.api("PUT", "/devices/T1", body)).status == 200
    assert (await exchange(rig, THEIRS)).status == 403
    assert (await exchange(rig, OURS)).status == 200


@pytest.mark.parametrize("value", ["", "x", OURS, "g" * 64, fingerprint(OURS)[:63], 7, ["a"]])
@pytest_twisted.ensureDeferred
async def test_what_is_no_fingerprint_is_refused(rig: Rig, value: object) -> None:
    """A key itself is none: nobody sends one by mistake, and finds the terminal refused."""
    await exchange(rig, OURS)
    refused = await rig.api("PATCH", "/devices/T1", {"comm_key": value})
    assert refused.status == 400
    assert (await keys(rig))[0] is None


@pytest_twisted.ensureDeferred
async def test_the_list_of_offers_is_bounded(make_rig) -> None:
    """A stranger who offers many keys displaces none that came before, and adds few."""
    rig = await make_rig(admission="approve")
    await exchange(rig, OURS)
    for number in range(3 * MOST_OFFERED):
        rig.clock.advance(2)
        await exchange(rig, f"{number:032}", THERE)
    _, offered = await keys(rig)
    assert len(offered) == MOST_OFFERED
    assert offered[0] == (fingerprint(OURS), HERE)
    assert offered[-1] == (fingerprint(f"{3 * MOST_OFFERED - 1:032}"), THERE)


@pytest_twisted.ensureDeferred
async def test_refused_offers_cost_few_writes(make_rig, tmp_path) -> None:
    """As many as are listed, and from then on one a second; the same key once a minute."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'db.sqlite'}")
    await exchange(rig, OURS)
    await change(rig, comm_key=fingerprint(OURS))
    await exchange(rig, THEIRS, THERE)
    before = rig.store.counts()["units"]
    for _ in range(20):
        assert (await exchange(rig, THEIRS, THERE)).status == 403
    assert rig.store.counts()["units"] == before
    for number in range(50):
        assert (await exchange(rig, f"{number:032}", THERE)).status == 403
    assert rig.store.counts()["units"] == before + MOST_OFFERED


@pytest.mark.parametrize("state", ["pending", "pinned"])
@pytest_twisted.ensureDeferred
async def test_each_key_is_listed_however_soon_it_comes(make_rig, state: str) -> None:
    """Keys and none within one instant; a repetition of one of them does not hide another."""
    rig = await make_rig(admission="approve" if state == "pending" else "open")
    if state == "pinned":
        await exchange(rig, OTHER)
        await change(rig, comm_key=fingerprint(OTHER))
    for key in (OURS, THEIRS, OURS, None, THEIRS):
        assert (await exchange(rig, key)).status == 403
    shown = (await rig.api("GET", "/devices/T1")).json["comm_key"]
    listed = {key["fingerprint"] for key in shown["offered"]}
    assert {fingerprint(OURS), fingerprint(THEIRS)} <= listed
    assert shown["keyless"] == {
        "address": HERE,
        "first_seen_at": "2026-03-01T12:00:00.000Z",
        "last_seen_at": "2026-03-01T12:00:00.000Z",
    }


@pytest.mark.parametrize("first", ["the terminal", "a stranger"])
@pytest_twisted.ensureDeferred
async def test_a_sole_key_beside_exchanges_without_one_is_not_pinned(make_rig, first: str) -> None:
    """It may be a stranger's: the terminal that sends none is served after its approval."""
    rig = await make_rig(admission="approve")
    for key, address in sorted(
        [(None, HERE), (THEIRS, THERE)],
        key=lambda one: (one[0] is None) is (first != "the terminal"),
    ):
        await exchange(rig, key, address)
    approved = await change(rig, state="approved")
    assert approved.json["comm_key"]["pinned"] is None
    assert approved.json["comm_key"]["keyless"]["address"] == HERE
    assert [problem["code"] for problem in approved.json["problems"]] == ["several pushcommkeys"]
    assert (await exchange(rig, None)).status == 200
    assert (await change(rig, comm_key=fingerprint(THEIRS))).json["comm_key"]["keyless"] is None


@pytest_twisted.ensureDeferred
async def test_exchanges_without_a_key_take_no_place_of_one(make_rig) -> None:
    """Beside a full list of keys they are listed, and they alone pin nothing."""
    rig = await make_rig(admission="approve")
    await exchange(rig, None)
    for number in range(MOST_OFFERED):
        await exchange(rig, f"{number:032}", THERE)
    shown = (await rig.api("GET", "/devices/T1")).json["comm_key"]
    assert len(shown["offered"]) == MOST_OFFERED
    assert shown["keyless"]["address"] == HERE
    await exchange(rig, None, sn="T2")
    body = {"state": "approved"}
    approved = (await rig.api("PATCH", "/devices/T2", body)).json
    assert (approved["comm_key"]["pinned"], approved["problems"]) == (None, [])


@pytest_twisted.ensureDeferred
async def test_who_pinned_which_key_is_recorded(rig: Rig) -> None:
    """The audit log has the fingerprint, which is no secret."""
    await exchange(rig, OURS)
    await change(rig, comm_key=fingerprint(OURS))
    (record,) = await rig.items("/audit?action=change+terminal")
    assert fingerprint(OURS) in record["detail"]


@pytest_twisted.ensureDeferred
async def test_a_key_that_one_node_pins_binds_on_all(make_rig, tmp_path) -> None:
    """At once: an exchange looks at the store."""
    database = f"sqlite:///{tmp_path / 'db.sqlite'}"
    one, other = [await make_rig(database=database) for _ in range(2)]
    await exchange(one, OURS)
    assert (await exchange(other, THEIRS)).status == 200
    await change(one, comm_key=fingerprint(OURS))
    assert (await exchange(other, THEIRS)).status == 403
    assert (await exchange(other, OURS)).status == 200
