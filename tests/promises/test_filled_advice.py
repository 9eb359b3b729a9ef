"""Commands in advice can be pasted: values that are known stand in their places."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.device.skew import skew_in_words
from zkpush.problems import ProblemCode, advice_of, advice_phrase

from ..rig import Rig
from .situations import garbage, punching, refused, working
from .test_doctor import examined, faults

DAY, YEAR = 86_400, 365 * 86_400


@pytest_twisted.ensureDeferred
async def test_records_of_a_wrong_clock_are_listed_from_the_first_measured_one(rig: Rig) -> None:
    """The command of the list of problems lists all that showed the wrong time."""
    await punching(rig, 37 * 60)
    (problem,) = await rig.items("/problems?device=T1")
    since = problem["advice"].partition("--received-since ")[2].rstrip("`.")
    assert len(await rig.items(f"/attendance?device=T1&received_since={since}")) == 4
    assert (await faults(rig))["clock"]["advice"] == problem["advice"]


@pytest.mark.parametrize(
    ("ahead", "doubt"),
    [
        (DAY // 2 + 7 * 60, None),
        (-9 * YEAR - 7 * 60, None),
        (2 * DAY + 7 * 60, "future"),
        (-11 * YEAR - 7 * 60, "past"),
    ],
)
def test_marked_records_are_named_only_where_the_clock_is_so_wrong(ahead: int, doubt) -> None:
    """Other records are found by when they came."""
    advice = advice_of(ProblemCode.CLOCK_WRONG, "T1", skew_in_words(ahead, "UTC", 0))
    assert ("--doubt" in advice) == (doubt is not None)
    assert ("--received-since TIME" in advice) == (doubt is None)
    assert doubt is None or f"--doubt {doubt}`" in advice


@pytest_twisted.ensureDeferred
async def test_all_networks_with_the_new_address_can_be_pasted(rig: Rig) -> None:
    """The value in the advice, set as it stands, lets the terminal in."""
    await refused(rig)
    (problem,) = await rig.items("/problems?device=T1")
    networks = problem["advice"].partition("networks=")[2].partition("`")[0].split(",")
    assert networks == ["198.51.100.0/24", "192.0.2.7"]
    await rig.api("PATCH", "/devices/T1", {"networks": networks})
    assert (await rig.get("getrequest?SN=T1")).status == 200


@pytest_twisted.ensureDeferred
async def test_the_newest_reject_is_named(rig: Rig) -> None:
    """By the doctor and by the list of problems."""
    await garbage(rig)
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=2", b"other garbage\n")
    newest = max(one["id"] for one in await rig.items("/rejects"))
    (problem,) = await rig.items("/problems?device=T1")
    for advice in (problem["advice"], (await faults(rig))["rejects"]["advice"]):
        assert f"`zkpush rejects show {newest}`" in advice


@pytest_twisted.ensureDeferred
async def test_a_full_trace_of_refusals_says_that_it_may_lack_some(rig: Rig) -> None:
    """The count is that of the trace, which holds a bounded number."""
    await working(rig)
    await rig.api("PATCH", "/devices/T1", {"networks": ["198.51.100.0/24"]})
    for number in range(60):
        rig.clock.advance(1)
        checks = (await faults(rig)).get("refusals", {"detail": ""}) if number == 59 else {}
        await rig.get("getrequest?SN=T1" if number % 2 else "cdata?SN=T1&options=all")
    assert "There may have been more" not in checks["detail"]
    assert "There may have been more" in (await faults(rig))["refusals"]["detail"]


@pytest_twisted.ensureDeferred
async def test_a_blocked_terminal_names_the_log_that_says_who_did_it(rig: Rig) -> None:
    """The command that is named lists the change."""
    await working(rig)
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    assert (
        "`zkpush audit list --device T1 --action 'change terminal'`"
        in (await examined(rig))["next"]
    )
    (change,) = await rig.items("/audit?device=T1&action=change+terminal")
    assert (change["subject"], "blocked" in change["detail"]) == ("terminal T1", True)


def test_places_without_values_stay() -> None:
    """A fallback shows the command as the manual does."""
    text = advice_phrase(ProblemCode.OTHER_ADDRESS, "T1")
    assert "networks=NETWORKS" in text
    assert "is now ADDRESS," in text
