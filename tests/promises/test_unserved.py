"""Nothing is said to be all right of a terminal of which nothing is served."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from zkpush.device.silence import SILENT_AFTER
from zkpush.handlers.trace.model import KEPT

from ..rig import Rig
from .situations import OTHER_SERVER, POLL, asks, with_token, working
from .test_diagnosis import ran
from .test_doctor import examined, token, upload
from .test_silence import told


async def with_wrong_token(rig: Rig) -> None:
    """It returns another token with every request."""
    await with_token(rig, OTHER_SERVER)


async def behind_a_prefix(rig: Rig) -> None:
    """A proxy adds a prefix to every path."""
    await working(rig)
    rig.clock.advance(60)
    await asks(rig, f"/zk/iclock/{POLL}")


@pytest.mark.parametrize(
    ("set_up", "cause"),
    [(with_wrong_token, "token not returned"), (behind_a_prefix, "requests")],
)
@pytest_twisted.ensureDeferred
async def test_rows_of_a_terminal_that_is_not_served_refer_to_the_cause(
    rig: Rig, set_up, cause: str
) -> None:
    """Its records, after two minutes without a served request, and its refusals."""
    await set_up(rig)
    checks = {one["name"]: one for one in (await examined(rig))["checks"]}
    assert checks["records"]["state"] == "ok"
    rig.clock.advance(120)
    checks = {one["name"]: one for one in (await examined(rig))["checks"]}
    for name in ("refusals", "records"):
        assert (checks[name]["state"], checks[name]["follows"]) == ("warning", cause)
        assert checks[name]["advice"].startswith("It follows from ")
    assert checks["records"]["detail"].startswith("None is stored since 20")
    assert "None of its requests was served since 20" in checks["refusals"]["detail"]


@pytest_twisted.ensureDeferred
async def test_unknown_device_is_a_refusal_wherever_it_is_said(rig: Rig) -> None:
    """Its doctor and its trace say so at once, and no row says that its uploads were taken."""
    await with_wrong_token(rig)
    checks = {one["name"]: one for one in (await examined(rig))["checks"]}
    refusals = checks["refusals"]
    assert (refusals["state"], refusals["follows"]) == ("warning", "token not returned")
    assert re.search(r"[1-9]\d* of its requests? w(as|ere) refused", refusals["detail"])
    assert "nothing of them is stored" in refusals["detail"]
    assert checks["rejects"]["detail"] == "Nothing is kept that was not understood."
    *_, last = await rig.items("/devices/T1/trace")
    assert (last["status"], last["served"]) == (200, False)


@pytest_twisted.ensureDeferred
async def test_a_refusal_before_a_new_session_is_said_as_past(rig: Rig) -> None:
    """As after a restart of the server."""
    given = token(await rig.exchange())
    await upload(rig, b"token=" + given)
    await upload(rig, b"token=" + b"ab" * 16)
    await upload(rig, b"token=" + given)
    checks = {one["name"]: one for one in (await examined(rig))["checks"]}
    assert checks["refusals"] == {
        "name": "refusals",
        "state": "ok",
        "detail": "1 of its requests was refused in the last hour, before it began a session.",
        "advice": "",
        "follows": None,
    }
    assert checks["rejects"]["detail"] == "Everything that it sent was understood."


@pytest_twisted.ensureDeferred
async def test_terminals_that_deliver_nothing_come_first(make_rig) -> None:
    """As an error that names them with their problems; not one that is served meanwhile."""
    rig: Rig = await make_rig(admission="approve", timezone="UTC")
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await rig.api("PUT", "/devices/T2", {"state": "approved"})
    await behind_a_prefix(rig)
    rig.clock.advance(60)
    await asks(rig, f"/zk/iclock/{POLL}")
    await rig.exchange("T2")
    await rig.post("cdata?SN=T2&table=FOOLOG&Stamp=1", b"x\n")
    await rig.post("cdata?SN=T2&table=ATTLOG&Stamp=1", b"7\t2026-03-01 08:00:00\t0\t1\n")
    await rig.get("getrequest?SN=T3")
    checks = (await examined(rig, "/doctor"))["checks"]
    checks = [one for one in checks if one["name"] == "terminals"]
    assert [one["state"] for one in checks] == ["error", "warning", "warning"], checks
    assert checks[0]["detail"].startswith("1 terminal delivers nothing: T1 (unknown requests).")
    assert "Find out why, one by one: `zkpush doctor T1`." in await told(rig, "doctor")
    assert "With problems: 1 of 3 terminals: T2 (" in await told(rig, "doctor")


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_mistyped_serial_number_is_answered_with_a_similar_one(rig: Rig) -> None:
    """By the doctor and by lists of a terminal, in the same words."""
    await rig.api("PUT", "/devices/CKX1900001", {"state": "approved"})
    for words in (("doctor", "ckx1900001"), ("problems", "list", "--device", "CKX190001")):
        assert "Did you mean CKX1900001?" in await told(rig, *words)
    assert "Did you mean" not in await told(rig, "doctor", "OTHER7")


@pytest_twisted.ensureDeferred
async def test_a_serial_number_in_other_letters_is_answered_with_the_right_one(rig: Rig) -> None:
    """And with nothing else: what to check in its menu would mislead."""
    await rig.api("PUT", "/devices/CKX1900001", {"state": "approved"})
    response = await rig.api("GET", "/devices/ckx1900001/doctor")
    assert response.json["detail"] == ("There is no terminal ckx1900001. Did you mean CKX1900001?")
    assert "server address" in (await rig.api("GET", "/devices/OTHER7/doctor")).json["detail"]


@pytest_twisted.ensureDeferred
async def test_lists_tell_requests_that_a_state_refuses_and_silence(rig: Rig) -> None:
    """A blocked terminal is not shown as one that is served, nor a silent one as without fault."""
    await working(rig)
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    await rig.get(POLL)
    listed = (await ran(rig, "devices", "list"))[1]
    assert re.search(r"^T1 +blocked +refused ", listed, re.MULTILINE), listed
    await rig.api("PATCH", "/devices/T1", {"state": "approved"})
    rig.clock.advance(SILENT_AFTER / 1000)
    _, out, err = await ran(rig, "problems", "list", "--device", "T1")
    assert out.startswith("It is silent: last heard of at ")
    assert "There are no problems." not in err


@pytest_twisted.ensureDeferred
async def test_a_number_of_refusals_is_no_more_than_what_is_kept(rig: Rig) -> None:
    """Requests in turn are entries of their own; when these run out, there may have been more."""
    await rig.api("PUT", "/devices/T1", {"state": "blocked"})
    for _ in range(KEPT // 2 - 1):
        await rig.get(POLL)
        await rig.get("ping?SN=T1")
    assert "more before" not in (await faults_of_refusals(rig))
    await rig.get(POLL)
    await rig.get("ping?SN=T1")
    said = await faults_of_refusals(rig)
    assert said.endswith("because it is blocked. There may have been more before these.")


async def faults_of_refusals(rig: Rig) -> str:
    """What the doctor says of the refusals of a terminal."""
    checks = {one["name"]: one for one in (await examined(rig))["checks"]}
    return checks["refusals"]["detail"]


@pytest_twisted.ensureDeferred
async def test_a_trace_names_the_address_of_each_request(rig: Rig) -> None:
    """Two clients with one serial number are told apart."""
    await working(rig)
    await asks(rig, f"/iclock/{POLL}", "192.0.2.99")
    lines = (await ran(rig, "devices", "trace", "T1"))[1].splitlines()
    assert "192.0.2.7" in lines[1]
    assert "192.0.2.99" in lines[-2]
