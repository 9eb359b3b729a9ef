"""The list of the commands of all terminals: filters, order, cursors and CSV."""

from __future__ import annotations

from collections.abc import Sequence

import pytest_twisted

from ..rig import TOKEN, Rig
from .test_jobs import answer_all, post, terminals
from .test_queue import queue


async def names(rig: Rig, query: str = "") -> list[tuple[str, str]]:
    """Terminal and command of each item."""
    items = await rig.items(f"/commands?{query}")
    return [(item["device"], item["command"]) for item in items]


@pytest_twisted.ensureDeferred
async def test_commands_of_all_terminals_with_filters(rig: Rig) -> None:
    """Newest first; each filter leaves what it names, and so do several together."""
    await terminals(rig, 2)
    await queue(rig, {"command": "INFO", "params": {}}, sn="T0")
    await queue(rig, {"command": "LOG", "params": {}}, sn="T1")
    rig.clock.advance(60)
    job = await post(rig, command="CHECK", all=True)
    await rig.exchange("T0")
    await answer_all(rig, "T0", -1)
    every = [("T1", "CHECK"), ("T0", "CHECK"), ("T1", "LOG"), ("T0", "INFO")]
    assert await names(rig) == every
    assert await names(rig, "order=asc") == every[::-1]
    for query, places in {
        "device=T1": [0, 2],
        "state=failed": [1, 3],
        "command=LOG": [2],
        f"job={job['id']}": [0, 1],
        "since=2026-03-01T12:01:00Z": [0, 1],
        "since=2026-03-01T12:01:00Z&state=queued": [0],
        f"job={job['id']}&device=T0&state=failed&command=CHECK": [1],
        "state=unknown": [],
    }.items():
        assert await names(rig, query) == [every[place] for place in places], query
    assert [one["job"] for one in await rig.items("/commands")] == [job["id"]] * 2 + [None] * 2
    for wrong in ("device=T9", "state=lost", "since=soon", "after=x"):
        assert (await rig.api("GET", f"/commands?{wrong}")).status == 400


@pytest_twisted.ensureDeferred
async def test_pages_and_csv_of_a_filtered_list(rig: Rig) -> None:
    """The cursor of each page continues it, in both orders; CSV has all of it."""
    await terminals(rig, 7)
    job = await post(rig, command="INFO", all=True)
    await post(rig, command="LOG", all=True)
    for order in ("asc", "desc"):
        found: list[Sequence[str]] = []
        after = "0"
        while after is not None:
            query = f"job={job['id']}&order={order}&limit=3&after={after}"
            page = (await rig.api("GET", f"/commands?{query}")).json
            found += [item["device"] for item in page["items"]]
            after = page["next"]
        assert sorted(found) == [f"T{place}" for place in range(7)]
        assert found == sorted(found, reverse=order == "desc")
    headers = (f"Authorization: Bearer {TOKEN}", "Accept: text/csv")
    csv = (await rig.api("GET", "/commands?command=LOG", headers=headers)).body.decode()
    assert len(csv.splitlines()) == 8
    assert csv.startswith("id,device,command,params,state,")
