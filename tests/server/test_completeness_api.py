"""Completeness in the API: lists, mistakes and scopes; and the table of states."""

from __future__ import annotations

import pathlib

import pytest_twisted

from zkpush.handlers.completeness.life import CountEvent, next_state, transitions
from zkpush.handlers.completeness.model import OPEN_COUNTS, CountState
from zkpush.model import Page
from zkpush.persist.audit import AuditStore
from zkpush.protocol.fields import Scope

from ..rig import Rig
from .counting import A_DAY, DAY, count, problems, runner, send_all, verify

ROOT = pathlib.Path(__file__).parents[2]


@pytest_twisted.ensureDeferred
async def test_the_list_has_filters_and_pages(rig: Rig) -> None:
    """By terminal, state, request and days; with cursors, and as CSV."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    run = await verify(rig, since="2026-02-26", until="2026-02-28")
    other = await verify(rig, devices=["T2"], all=False)
    everything = await rig.items("/attendance/verify")
    assert len(everything) == 7
    for query, number in (
        ("device=T1", 3),
        (f"run={run['id']}", 6),
        (f"run={other['id']}", 1),
        ("state=complete", 0),
        ("since=2026-02-28", 3),
        ("since=2026-02-27&until=2026-02-27", 2),
    ):
        assert len(await rig.items(f"/attendance/verify?{query}")) == number, query
    first = (await rig.api("GET", "/attendance/verify?limit=4")).json
    second = (await rig.api("GET", f"/attendance/verify?limit=4&after={first['next']}")).json
    assert first["items"] + second["items"] == everything
    assert second["next"] is None
    token = "Authorization: Bearer rig-token"
    csv = await rig.api("GET", "/attendance/verify", headers=(token, "Accept: text/csv"))
    assert len(csv.body.decode().splitlines()) == 8


@pytest_twisted.ensureDeferred
async def test_mistakes_of_a_request(rig: Rig) -> None:
    """Each is refused in words, and nothing is stored."""
    await rig.exchange()
    for body, words in (
        ({"all": False}, "either `devices`, or `area`, or `all`"),
        ({"all": False, "devices": ["T9"]}, "There is no terminal 'T9'."),
        ({"all": False, "area": "south"}, "There is no area 'south'."),
        ({"days": 3}, "either `days`, or `since` and `until`"),
        ({"since": None, "until": DAY}, "needs `since`"),
        ({"until": "2026-02-01"}, "before `since`"),
        ({"since": "2026-02-31"}, "is not a day"),
        ({"until": "2026-06-01"}, "at most 62 days"),
    ):
        reply = await verify(rig, status=400, **body)
        assert words in reply["detail"]
    assert await rig.items("/attendance/verify") == []
    reply = await rig.api("GET", "/attendance/verify/nothing")
    assert reply.status == 404


@pytest_twisted.ensureDeferred
async def test_a_request_needs_write_and_is_audited(rig: Rig) -> None:
    """A token that may only read cannot make terminals count."""
    await rig.exchange()
    headers = (f"Authorization: Bearer {await rig.token('clerk', Scope.READ)}",)
    body = {"all": True}
    assert (await rig.api("POST", "/attendance/verify", body, headers=headers)).status == 403
    run = await verify(rig)
    rows = await rig.store.read(lambda tx: tx[AuditStore].page(Page(100)))
    found = [one for one in rows if one.action == "verify attendance"]
    assert [one.subject for one in found] == [f"request {run['id']}"]
    assert found[0].detail.startswith(f"1 terminal; {DAY} to {DAY}")


@pytest_twisted.ensureDeferred
async def test_old_outcomes_are_removed(make_rig) -> None:
    """A problem ends with the outcome that it stands for."""
    rig = await make_rig(completeness={"keep_days": 62, "nightly": False})
    await rig.exchange()
    await verify(rig)
    await count(rig, 1)
    await send_all(rig)
    await count(rig, 1)
    assert len(await problems(rig)) == 1
    rig.clock.advance(61 * A_DAY)
    assert await runner(rig).remove_old() == 0
    rig.clock.advance(2 * A_DAY)
    assert await runner(rig).remove_old() == 1
    assert await rig.items("/attendance/verify") == []
    assert await problems(rig) == []


TABLE = """
waiting     its terminal is connected, and its turn comes                          counting
waiting     its terminal cannot be sent the command                                unsupported
waiting     the time for its terminal is over                                      not_answered
counting    the terminal counts as many records as are stored                      complete
counting    the terminal counts fewer records than are stored                      surplus
counting    the terminal counts more records than are stored                       fetching
counting    the terminal refuses to count, or answers without a number             unsupported
counting    the terminal does not answer, or is busy                               waiting
counting    the command is cancelled                                               cancelled
fetching    the terminal has sent its records of that day                          recounting
fetching    the terminal does not send its records of that day                     short
fetching    the terminal counts as many records as are stored                      complete
recounting  the terminal counts as many records as are stored                      complete
recounting  the terminal counts fewer records than are stored                      surplus
recounting  the terminal counts more records, and has sent as many as it counts    complete
recounting  the terminal counts more records than are stored                       short
recounting  the terminal refuses to count, or answers without a number             short
recounting  the terminal does not answer, or is busy                               short
recounting  the command is cancelled                                               short
"""


def test_the_table_of_states() -> None:
    """Only these steps exist: ended states have none, and each open state can end."""
    listed = {
        (parts[0], parts[1]): parts[2]
        for line in TABLE.strip().splitlines()
        if (parts := [part.strip() for part in line.split("  ") if part.strip()])
    }
    for state in CountState:
        for event in CountEvent:
            after = next_state(state, event)
            expected = listed.get((state.value, event.value))
            assert (None if after is None else after.value) == expected, (state, event)
    assert {state for state, _ in listed} == {state.value for state in OPEN_COUNTS}
    page = (ROOT / "docs" / "completeness.md").read_text()
    assert [
        line
        for line in page.splitlines()
        if line.startswith(("| wait", "| count", "| fetch", "| recount"))
    ] == [f"| {' | '.join(one)} |" for one in transitions()]
