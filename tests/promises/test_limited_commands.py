"""Callers who are limited to areas see no person of another area in commands of their terminals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs
import pytest
import pytest_twisted
from sqlalchemy import update

from zkpush.handlers.accessdata.reconciler import AccessReconciler
from zkpush.handlers.areas.reconciler import Reconciler
from zkpush.handlers.jobs.runner import JobRunner
from zkpush.persist.commandschema import commands
from zkpush.persist.limits import AreaLimitStore
from zkpush.protocol.fields import Scope

from ..console.browser import Browser, signed_in, text_of
from ..rig import Rig

HERE = "GATE1"
"""A terminal that moves from the area Southside to North."""
PERSON = {"PIN": "701", "Name": "Needlename", "Card": "887766"}
NEEDLES = (b"701", b"Needlename", b"887766")
HIDDEN = "about people who are, or may be, outside your areas, or queued while"
UPDATE = "DATA UPDATE USERINFO"


@attrs.frozen
class Moved:
    """A terminal that was in another area while commands were queued for it."""

    rig: Rig
    headers: list[str]
    """Headers of a token of all scopes that is limited to the present area of the terminal."""

    async def queue(self, command: str, params: Mapping[str, str]) -> str:
        """Queue a command, as a caller who is not limited; returns its id."""
        body = {"command": command, "params": params}
        made = await self.rig.api("POST", f"/devices/{HERE}/commands", body)
        assert made.status == 202, made.raw
        return str(made.json["id"])

    async def seen(self, id: str) -> dict[str, Any]:
        """The command as the limited caller sees it."""
        found = await self.rig.api("GET", f"/commands/{id}", headers=self.headers)
        assert found.status == 200, found.raw
        return dict(found.json)


async def moved(rig: Rig) -> Moved:
    """People of two areas, and a terminal that has come from the other one."""
    await rig.api("PUT", f"/devices/{HERE}", {"state": "approved", "area": "Southside"})
    await rig.exchange(HERE)
    for pin, name, area in (("701", "Needlename", "Southside"), ("5", "Ann", "North")):
        made = await rig.api("PUT", f"/users/{pin}", {"name": name, "areas": [area]})
        assert made.status == 200, made.raw
    body = {"name": "north", "scopes": [scope.value for scope in Scope], "areas": ["North"]}
    token = (await rig.api("POST", "/tokens", body)).json["token"]
    assert (await rig.api("PATCH", f"/devices/{HERE}", {"area": "North"})).status == 200
    return Moved(rig, [f"Authorization: Bearer {token}"])


async def answer(rig: Rig, id: str, text: str) -> None:
    """Let the terminal fetch its commands and answer one."""
    assert (await rig.get(f"getrequest?SN={HERE}")).status == 200
    assert (await rig.post(f"devicecmd?SN={HERE}", f"ID={id}&{text}".encode())).status == 200


@pytest_twisted.ensureDeferred
async def test_a_command_about_a_person_of_another_area_shows_its_name_and_state(rig: Rig) -> None:
    """In each list, form and view; the values are those of secrets that are not shown."""
    site = await moved(rig)
    theirs, own = await site.queue(UPDATE, PERSON), await site.queue(UPDATE, {"PIN": "5"})
    seen = await site.seen(theirs)
    assert (seen["command"], seen["state"]) == (UPDATE, "queued")
    assert set(seen["params"]) >= PERSON.keys()
    assert set(seen["params"].values()) == {None}
    assert (await site.seen(own))["params"]["PIN"] == "5"
    for path in (f"/devices/{HERE}/commands", "/commands", "/commands?order=asc"):
        for form in ("application/json", "text/csv", "application/x-ndjson"):
            headers = [*site.headers, f"Accept: {form}"]
            reply = await rig.api("GET", path, headers=headers)
            assert theirs.encode() in reply.body
            assert own.encode() in reply.body
            assert [one for one in NEEDLES if one in reply.body] == [], (path, form)
    everything = await rig.api("GET", f"/commands/{theirs}")
    assert everything.json["params"].items() >= PERSON.items()


@pytest_twisted.ensureDeferred
async def test_the_result_of_such_a_command_is_hidden_and_no_reading_of_it_is_noted(
    rig: Rig,
) -> None:
    """The return code stays; the values of the answer are null, and nothing was read."""
    site = await moved(rig)
    line = {"line": "DATA UPDATE USERINFO PIN=701\tName=Needlename"}
    theirs = await site.queue("RAW", line)
    await answer(rig, theirs, "Return=0&CMD=RAW&Text=Needlename")
    everything = (await rig.api("GET", f"/commands/{theirs}")).json
    assert everything["result"]
    before = await rig.items("/audit")
    seen = await site.seen(theirs)
    assert seen["params"] == {"line": None}
    assert (seen["return_code"], {*seen["result"].values()}) == (0, {None})
    assert seen["result"].keys() == everything["result"].keys()
    assert await rig.items("/audit") == before


@pytest.mark.parametrize(
    ("command", "params", "is_shown"),
    [
        (UPDATE, {"PIN": "5", "Name": "Ann"}, True),
        ("DATA DELETE USERINFO", {"PIN": "701"}, False),
        ("DATA DELETE USERINFO", {"PIN": "99"}, False),
        ("RAW", {"line": "DATA DELETE USERINFO PIN=5"}, True),
        ("RAW", {"line": "DATA UPDATE X Pin2 = 701\tY=5"}, False),
        ("RAW", {"line": "CHECK"}, True),
        ("PutFile", {"Action": "AppendData", "People": "5"}, True),
        ("PutFile", {"Action": "AppendData", "People": "5,701"}, False),
        ("PutFile", {"Action": "AppendData"}, False),
        ("PutFile", {"Action": "AppendData", "Source": "distribution"}, False),
        ("PutFile", {"Action": "SyncData", "TableName": "USERINFO"}, False),
        ("INFO", {}, True),
    ],
)
@pytest_twisted.ensureDeferred
async def test_only_commands_about_people_of_the_areas_and_about_nobody_are_shown(
    rig: Rig, command: str, params: Mapping[str, str], is_shown: bool
) -> None:
    """A person who is unknown, or was removed, is of no area."""
    site = await moved(rig)
    id = await site.queue(command, params)
    everything = (await rig.api("GET", f"/commands/{id}")).json["params"]
    expected = everything if is_shown else dict.fromkeys(everything)
    assert (await site.seen(id))["params"] == expected


CODE = {"PIN": "1", "CODE": "10", "NAME": "Needlecode"}
FORMER = [
    ("DATA UPDATE WORKCODE", CODE),
    ("DATA DELETE WORKCODE", {"CODE": "10"}),
    ("SET OPTION", {"key": "Needle", "value": "1"}),
    ("INFO", {}),
]


async def work(rig: Rig) -> None:
    """Let time pass, and the server queue what is due."""
    rig.clock.advance(3)
    for job in rig.daemon.jobs:
        if isinstance(job, AccessReconciler | Reconciler | JobRunner):
            await job.work()


async def sent_to_all(rig: Rig, site: Moved) -> list[str]:
    """Queue these commands by a job, and retry those that fail; returns the ids of all."""
    commands = [{"command": name, "params": params} for name, params in FORMER]
    body = {"devices": [HERE], "commands": commands}
    job = (await rig.api("POST", "/commands", body)).json["id"]
    await work(rig)
    first = [one["id"] for one in await rig.items(f"/commands?job={job}")]
    assert len(first) == len(FORMER)
    await rig.get(f"getrequest?SN={HERE}")
    for id in first:
        await rig.post(f"devicecmd?SN={HERE}", f"ID={id}&Return=-1&CMD=DATA".encode())
    await rig.api("PATCH", f"/devices/{HERE}", {"area": "North"})
    retried = await rig.api("POST", f"/jobs/{job}/retry", {}, headers=site.headers)
    assert retried.status == 202, retried.raw
    await work(rig)
    return [one["id"] for one in await rig.items(f"/commands?job={job}")]


@pytest_twisted.ensureDeferred
async def test_commands_of_a_former_area_show_their_name_and_state(rig: Rig) -> None:
    """Those of access data, too, queued by the area, one by one, or by a job, and its retries."""
    site = await moved(rig)
    await rig.api("PATCH", f"/devices/{HERE}", {"area": "Southside"})
    await rig.api("PUT", "/areas/Southside/work-codes/11", {"name": "Needleown"})
    assert (await rig.api("PUT", "/areas/Southside", {"distributes": True})).status == 200
    for _ in range(3):
        await work(rig)
    issued = [one["id"] for one in await rig.items(f"/devices/{HERE}/commands")]
    assert issued
    singly = [await site.queue(name, params) for name, params in FORMER]
    theirs = [*issued, *singly, *await sent_to_all(rig, site)]
    assert len({*theirs}) == len(issued) + 3 * len(FORMER)
    for id in theirs:
        seen = await site.seen(id)
        assert {*seen["params"].values(), *(seen["result"] or {}).values()} <= {None}, seen
    for path in ("/commands", f"/devices/{HERE}/commands"):
        for form in ("application/json", "text/csv"):
            headers = [*site.headers, f"Accept: {form}"]
            reply = await rig.api("GET", path, headers=headers)
            assert theirs[0].encode() in reply.body
            assert b"eedle" not in reply.body
    own = await site.queue("DATA UPDATE WORKCODE", CODE)
    assert (await site.seen(own))["params"]["NAME"] == "Needlecode"
    assert (await rig.api("GET", f"/commands/{singly[0]}")).json["params"] == CODE


@pytest_twisted.ensureDeferred
async def test_a_command_that_a_job_queued_in_the_present_area_is_shown(rig: Rig) -> None:
    """As one that was queued by itself."""
    site = await moved(rig)
    body = {"devices": [HERE], "command": "DATA UPDATE WORKCODE", "params": CODE}
    job = (await rig.api("POST", "/commands", body)).json["id"]
    await work(rig)
    (one,) = await rig.items(f"/commands?job={job}")
    assert (await site.seen(one["id"]))["params"] == CODE


@pytest_twisted.ensureDeferred
async def test_a_command_for_a_terminal_without_area_is_of_the_area_default(rig: Rig) -> None:
    """A caller of that area sees its values."""
    await rig.exchange("NOWHERE1")
    await rig.api("PATCH", "/devices/NOWHERE1", {"state": "approved"})
    body = {"name": "default", "scopes": [scope.value for scope in Scope], "areas": ["default"]}
    token = (await rig.api("POST", "/tokens", body)).json["token"]
    order = {"command": "DATA UPDATE WORKCODE", "params": CODE}
    made = await rig.api("POST", "/devices/NOWHERE1/commands", order)
    headers = [f"Authorization: Bearer {token}"]
    seen = await rig.api("GET", f"/commands/{made.json['id']}", headers=headers)
    assert seen.json["params"] == CODE


@pytest_twisted.ensureDeferred
async def test_a_command_of_an_unknown_area_is_hidden(rig: Rig) -> None:
    """A version that did not record it has queued the command."""
    site = await moved(rig)
    id = await site.queue("SET OPTION", {"key": "A", "value": "1"})
    assert (await site.seen(id))["params"] == {"key": "A", "value": "1"}
    await rig.store.write(lambda tx: tx.connection.execute(update(commands).values(area=None)))
    assert (await site.seen(id))["params"] == {"key": None, "value": None}


@pytest_twisted.ensureDeferred
async def test_the_name_of_a_package_that_somebody_made_is_hidden(rig: Rig) -> None:
    """Nobody knows whose people are in the file; a file without people is shown."""
    site = await moved(rig)
    file = (await rig.api("POST", "/files?name=southside.tgz", b"x")).json["path"]
    package = await site.queue("PutFile", {"Action": "AppendData", "url": file})
    assert {*(await site.seen(package))["params"].values()} == {None}
    plain = await site.queue("PutFile", {"url": file})
    assert (await site.seen(plain))["params"]["url"] is not None


@pytest_twisted.ensureDeferred
async def test_a_command_is_hidden_when_its_person_leaves_the_areas(rig: Rig) -> None:
    """The present areas of the person decide, and those of a removed person are none."""
    site = await moved(rig)
    id = await site.queue(UPDATE, {"PIN": "5", "Name": "Ann"})
    for change, is_shown in (
        ({"areas": ["Southside"]}, False),
        ({"areas": ["North", "Southside"]}, True),
    ):
        assert (await rig.api("PUT", "/users/5", change)).status == 200
        assert ((await site.seen(id))["params"]["PIN"] == "5") is is_shown
    assert (await rig.api("DELETE", "/users/5")).status == 200
    assert (await site.seen(id))["params"]["PIN"] is None


@pytest_twisted.ensureDeferred
async def test_a_page_of_commands_costs_one_look_at_the_areas_of_people(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many commands are on the page."""
    site = await moved(rig)
    for number in range(6):
        await site.queue(UPDATE, {"PIN": str(700 + number)})
    asked: list[Collection[str]] = []
    people = AreaLimitStore.people

    def counted(store: AreaLimitStore, pins: Collection[str], areas: Collection[str]) -> set[str]:
        asked.append(pins)
        return people(store, pins, areas)

    monkeypatch.setattr(AreaLimitStore, "people", counted)
    reply = await rig.api("GET", "/commands", headers=site.headers)
    assert len(reply.json["items"]) == 6
    assert len(asked) == 1


@pytest_twisted.ensureDeferred
async def test_the_page_of_such_a_command_says_why_its_values_are_not_shown(rig: Rig) -> None:
    """In the language of the reader; an account without limit sees them."""
    site = await moved(rig)
    id = await site.queue(UPDATE, PERSON)
    limited: Browser = await signed_in(rig, name="north", areas=["North"])
    page = await limited.get(f"/commands/{id}")
    text = text_of(page)
    assert HIDDEN in text
    assert UPDATE in text
    assert "waits for the terminal" in text
    assert [one for one in NEEDLES if one in page.body] == []
    assert id.encode() in (await limited.get("/commands")).body
    everything = text_of(await (await signed_in(rig, name="ann")).get(f"/commands/{id}"))
    assert "Needlename" in everything
    assert HIDDEN not in everything


@pytest_twisted.ensureDeferred
async def test_user_ids_of_people_of_other_areas_are_no_links_on_attendance(rig: Rig) -> None:
    """They are text, as their pages do not exist for the account; those of its people are links."""
    await moved(rig)
    for pin in ("701", "5"):
        punch = f"{pin}\t2026-03-01 08:00:00\t0\t1\n".encode()
        await rig.post(f"cdata?SN={HERE}&table=ATTLOG&Stamp=1", punch)
    limited = await signed_in(rig, name="north", areas=["North"])
    query = "since=2026-02-28&until=2026-03-02"
    page = (await limited.get(f"/attendance?{query}")).body
    assert b"701" in page
    assert b"/attendance/people/701" not in page
    assert b"/attendance/people/5/2026-03-01" in page
    searched = (await limited.get(f"/attendance?{query}&person=701")).body
    assert b"/attendance/people/701" not in searched
    everybody = await signed_in(rig, name="ann")
    for more in ("", "&person=701"):
        found = (await everybody.get(f"/attendance?{query}{more}")).body
        assert b"/attendance/people/701" in found
