"""One cause is one fault, with one advice, and not the advice that was followed already."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
import pytest_twisted

from ..rig import Rig
from ..server.test_tokens_of_sessions import token, upload
from .causes import CAUSES
from .situations import (
    ATTLOG,
    OTHER_SERVER,
    POLL,
    access_control,
    no_token,
    other_token,
    unknown_table,
)


@pytest.mark.parametrize(("loses", "cookie"), [(other_token, OTHER_SERVER), (no_token, b"")])
@pytest_twisted.ensureDeferred
async def test_what_was_done_already_is_not_advised_again(
    rig: Rig, loses: Callable[[Rig], Awaitable[None]], cookie: bytes
) -> None:
    """A token that is lost again after it was begun anew: the next step is advised."""
    await loses(rig)
    begin_anew = "`zkpush devices set T1 token=check`"
    first = (await rig.api("GET", "/devices/T1/doctor")).json["next"]
    assert begin_anew in first
    rig.clock.advance(60)
    await rig.api("PATCH", "/devices/T1", {"token": "check"})
    given = token(await rig.exchange())
    rig.clock.advance(60)
    await upload(rig, b"token=" + given)
    rig.clock.advance(60)
    await upload(rig, cookie)
    again = (await rig.api("GET", "/devices/T1/doctor")).json["next"]
    assert begin_anew not in again
    assert "begun anew already" in again
    assert "`zkpush devices set T1 token=ignore`" in again
    await rig.api("PATCH", "/devices/T1", {"token": "ignore"})
    await upload(rig, cookie)
    found = (await rig.api("GET", "/devices/T1/doctor")).json
    assert {one["name"] for one in found["checks"] if one["advice"]} <= {"foreign token"}, found


@pytest_twisted.ensureDeferred
async def test_a_fault_with_several_causes_leaves_out_what_another_one_explains(rig: Rig) -> None:
    """Of rejects of an unknown table and of garbage, the advice is that on garbage."""
    await unknown_table(rig)
    await rig.post(ATTLOG, b"garbage\n")
    checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    (rejects,) = [one for one in checks if one["name"] == "rejects"]
    assert rejects["state"] == "error"
    assert rejects["follows"] is None
    assert "FOOLOG" in rejects["detail"]
    assert "plugin" not in rejects["advice"]
    (problem,) = [one for one in await rig.items("/problems") if one["code"] == "rejects"]
    assert problem["advice"] == rejects["advice"]


@pytest_twisted.ensureDeferred
async def test_traces_of_a_former_mode_explain_nothing_that_is_missing_now(rig: Rig) -> None:
    """A terminal that was switched to attendance, and has sent no punch since."""
    await access_control(rig)
    rig.clock.advance(1)
    await rig.exchange(DeviceType="att")
    await rig.get(POLL)
    checks = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    found = {one["name"]: one for one in checks}
    assert found["requests"]["state"] == "ok"
    assert found["rejects"]["state"] == "warning"
    assert found["records"]["follows"] is None
    assert found["records"]["advice"].startswith("Verify a person on it.")


def _advice(item: dict[str, str]) -> list[str]:
    """The sentences of an advice."""
    return re.split(r"(?<=\.) ", item["advice"].replace("`", "")) if item["advice"] else []


@pytest.mark.parametrize("name", CAUSES)
@pytest_twisted.ensureDeferred
async def test_a_cause_is_one_fault_with_one_advice(make_rig, name: str) -> None:
    """Of the doctor and of the problems; what follows from it refers to it, and says no more."""
    cause = CAUSES[name]
    rig: Rig = await make_rig(admission=cause.admission, timezone="UTC")
    await cause.set_up(rig)
    found = (await rig.api("GET", "/devices/T1/doctor")).json["checks"]
    problems = [one for one in await rig.items("/problems") if one["device"] in ("T1", None)]
    worst = [one for one in found if one["state"] == cause.state]
    alone = [one["name"] for one in worst if one["follows"] is None]
    assert len(alone) == 1
    errors = [one["name"] for one in found if one["state"] == "error"]
    assert errors == (alone if cause.state == "error" else [])
    listed = {one["name"]: one for one in found}
    for one in found:
        if one["follows"] is not None:
            assert listed[one["follows"]]["follows"] is None
            assert one["advice"].startswith("It follows from ")
    assert len([one for one in problems if one["follows"] is None]) <= 1
    codes = {one["code"] for one in problems}
    assert all(one["follows"] in {None, *codes} for one in problems)
    for items in (found, problems):
        said = [each for one in items for each in _advice(one) if "It follows" not in each]
        assert sorted(said) == sorted(set(said)), "a sentence stands twice"
        assert not any(re.search(r"\bSN\b", each) for each in said)
