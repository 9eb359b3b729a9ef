"""Erasure of people by the API: what stays, and terminals that upload an erased person again."""

from __future__ import annotations

import pathlib
import sqlite3

import pytest
import pytest_twisted
from sqlalchemy import delete

from zkpush.handlers.people.returns import ErasedReturns
from zkpush.persist.schema import events

from ..rig import Rig
from .test_people_changes import import_, mentions, said

PIN = "Q50077Z"
WORDS = (
    f"USER PIN={PIN}\tName=Zaphod\nFP PIN={PIN}\tFID=1\tTMP=AAAA\n"
    f"USERPIC PIN={PIN}\tFileName={PIN}.jpg\tContent=/9j/\n"
).encode()
DELETION = f"DATA DELETE USERINFO PIN={PIN}".encode()


FACE = b"\xff\xd8\xffZaphod"
RECORDS = {
    "USERINFO": f"PIN={PIN}\tName=Zaphod\n",
    "FINGERTMP": f"PIN={PIN}\tFID=2\tTMP=AAAA\n",
    "BIODATA": f"BIODATA Pin={PIN}\tNo=0\tIndex=0\tValid=1\tType=9\tMajorVer=5\tTmp=AAAA\n",
    "IDCARD": f"IDCARD PIN={PIN}\tIDNum=1\tDNNum=2\tName=Zaphod\n",
    "ATTPHOTO": f"PIN=20260201080000-{PIN}.jpg\nSN=x\nsize=9\nCMD=uploadphoto\0",
    "ATTLOG": f"{PIN}\t2026-02-01 08:00:00\t0\t1\n",
}
SYNC = {"Action": "SyncData", "TableName": "USERINFO"}


async def erase(rig: Rig) -> list[str]:
    """Erase the person; return the terminals that are to delete the person."""
    erased = await rig.api("DELETE", f"/users/{PIN}?erase=true")
    assert erased.status == 200, erased.raw
    devices: list[str] = erased.json["devices"]
    return devices


async def look(rig: Rig) -> None:
    """Let the service of erased people look."""
    (service,) = (job for job in rig.daemon.jobs if isinstance(job, ErasedReturns))
    await service.work()


async def delete_there(rig: Rig, sn: str) -> None:
    """Let a terminal fetch a deletion of the person, and execute it."""
    poll = (await rig.get(f"getrequest?SN={sn}")).body
    assert poll.count(DELETION) == 1
    number = poll.split(b":")[1].decode()
    done = await rig.post(f"devicecmd?SN={sn}", f"ID={number}&Return=0&CMD=DATA".encode())
    assert done.status == 200


async def forget_events(rig: Rig) -> None:
    """Remove the events, as their retention does."""
    await rig.store.write(lambda tx: tx.connection.execute(delete(events)))


@pytest_twisted.ensureDeferred
async def test_an_erased_person_is_deleted_wherever_it_comes_back(make_rig, database: str) -> None:
    """A terminal that uploads the person gets a deletion; of the person, only digests stay."""
    rig = await make_rig(database=database)
    await said(rig, WORDS)
    assert await erase(rig) == ["T1"]
    await delete_there(rig, "T1")
    await forget_events(rig)
    assert await rig.store.read(mentions(PIN)) == set()

    await said(rig, WORDS + b"USER PIN=6\tName=Bob\n", "T2")
    assert await rig.store.read(mentions("Zaph")) == set()
    assert await rig.store.read(mentions(PIN)) == {"erased_holders"}
    await look(rig)
    assert await rig.store.read(mentions(PIN)) == {"commands"}
    assert [one["pin"] for one in await rig.items("/users")] == ["6"]
    await delete_there(rig, "T2")
    assert await rig.store.read(mentions(PIN)) == set()
    assert (await rig.api("DELETE", f"/users/{PIN}?erase=true")).status == 404


@pytest_twisted.ensureDeferred
async def test_a_second_erasure_finds_terminals_that_did_not_delete(rig: Rig) -> None:
    """By the digest that is kept of the person, also if the deletion was refused."""
    await said(rig, WORDS)
    await erase(rig)
    await delete_there(rig, "T1")
    await said(rig, WORDS, "T2")
    assert await erase(rig) == ["T2"]
    await look(rig)
    poll = (await rig.get("getrequest?SN=T2")).body
    number = poll.split(b":")[1].decode()
    await rig.post("devicecmd?SN=T2", f"ID={number}&Return=-1&CMD=DATA".encode())
    assert await erase(rig) == ["T2"]


@pytest_twisted.ensureDeferred
async def test_a_person_who_is_added_again_is_not_deleted(rig: Rig) -> None:
    """The terminals' words count again from then on."""
    await said(rig, WORDS)
    await erase(rig)
    await delete_there(rig, "T1")
    await said(rig, WORDS, "T2")
    assert (await rig.api("PUT", f"/users/{PIN}", {"name": "Zaphod"})).status == 200
    await look(rig)
    assert DELETION not in (await rig.get("getrequest?SN=T2")).body
    await said(rig, WORDS, "T2")
    assert (await rig.api("GET", f"/users/{PIN}")).json["has_photo"] is True


async def upload_everything(rig: Rig, sn: str) -> None:
    """Let a terminal upload all that it has about the person, in each way that there is."""
    await said(rig, WORDS, sn)
    for table, text in RECORDS.items():
        body = text.encode() + (FACE if table == "ATTPHOTO" else b"")
        assert (await rig.post(f"cdata?SN={sn}&table={table}&Stamp=2", body)).status == 200
    path = f"fdata?SN={sn}&PIN=20260202080000-{PIN}.jpg&PhotoStamp=1"
    assert (await rig.post(path, FACE)).status == 200


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_was_away_brings_nothing_back(make_rig, database: str) -> None:
    """It uploads all that it has after the erasure; its punches have no name."""
    rig = await make_rig(database=database)
    for sn in ("T1", "AWAY"):
        await upload_everything(rig, sn)
    before = await rig.store.read(mentions(PIN))
    assert before >= {"idcards", "attendance_photos", "templates", "person_photos", "users"}
    assert await erase(rig) == ["AWAY", "T1"]
    await delete_there(rig, "T1")

    await upload_everything(rig, "AWAY")
    await forget_events(rig)
    left = await rig.store.read(mentions(PIN))
    assert left == {"attendance", "commands", "erased_holders"}
    assert await rig.store.read(mentions("Zaph")) == set()
    assert (await rig.items("/photos"), await rig.items("/idcards")) == ([], [])
    await look(rig)
    polled = (await rig.get("getrequest?SN=AWAY")).body
    for line in polled.splitlines():
        assert line.endswith(DELETION)
        answer = f"ID={line.split(b':')[1].decode()}&Return=0&CMD=DATA"
        assert (await rig.post("devicecmd?SN=AWAY", answer.encode())).status == 200
    await forget_events(rig)
    assert await rig.store.read(mentions(PIN)) == {"attendance"}


@pytest.mark.parametrize("table", ["IDCARD", "ATTPHOTO"])
@pytest_twisted.ensureDeferred
async def test_a_terminal_that_only_shows_an_erased_person_deletes_the_person(
    rig: Rig, table: str
) -> None:
    """Others in the same upload are stored."""
    await said(rig, WORDS)
    await erase(rig)
    await delete_there(rig, "T1")
    await said(rig, b"USER PIN=6\tName=Bob\n", "T2")
    body = RECORDS[table].encode()
    body = body + FACE if table == "ATTPHOTO" else body + body.replace(PIN.encode(), b"6")
    assert (await rig.post(f"cdata?SN=T2&table={table}&Stamp=2", body)).status == 200
    assert [one["pin"] for one in await rig.items("/idcards")] == ["6"] * (table == "IDCARD")
    await look(rig)
    await delete_there(rig, "T2")


@pytest_twisted.ensureDeferred
async def test_a_person_who_enrols_again_after_an_erasure_is_deleted_at_once(rig: Rig) -> None:
    """The server cannot tell a new enrolment from an old copy; who is added here first may stay."""
    await said(rig, WORDS)
    await erase(rig)
    await delete_there(rig, "T1")
    await said(rig, WORDS.replace(b"Zaphod", b"Zaphod B"))
    await look(rig)
    await delete_there(rig, "T1")
    assert (await rig.api("PUT", f"/users/{PIN}", {"name": "Zaphod B"})).status == 200
    await said(rig, WORDS.replace(b"Zaphod", b"Zaphod B"))
    await look(rig)
    assert DELETION not in (await rig.get("getrequest?SN=T1")).body
    assert len(await rig.items(f"/users/{PIN}/templates")) == 1


@pytest_twisted.ensureDeferred
async def test_the_deletion_of_an_erased_person_waits_for_years(rig: Rig) -> None:
    """A terminal that lay in a cupboard gets it, and so does one that comes back later."""
    for sn in ("T1", "T2"):
        await said(rig, WORDS, sn)
    await erase(rig)
    await delete_there(rig, "T2")
    await said(rig, WORDS, "T2")
    await look(rig)
    rig.clock.advance(5 * 366 * 24 * 3600)
    await rig.daemon.queue.end_overdue()
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
        await delete_there(rig, sn)


@pytest_twisted.ensureDeferred
async def test_a_second_erasure_deletes_the_punches_that_came_after_the_first(rig: Rig) -> None:
    """Although the person is unknown, and no terminal is left that has the person."""
    await upload_everything(rig, "T1")
    assert (await rig.api("DELETE", f"/users/{PIN}?erase=true&attendance=true")).status == 200
    await delete_there(rig, "T1")
    punch = RECORDS["ATTLOG"].encode()
    assert (await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=3", punch)).status == 200
    assert len(await rig.items("/attendance")) == 1
    assert (await rig.api("DELETE", f"/users/{PIN}?erase=true")).status == 404
    again = await rig.api("DELETE", f"/users/{PIN}?erase=true&attendance=true")
    assert (again.status, again.json["devices"]) == (200, [])
    assert await rig.items("/attendance") == []


@pytest_twisted.ensureDeferred
async def test_the_database_file_has_nothing_of_an_erased_person(make_rig, tmp_path) -> None:
    """A search of all its bytes finds neither the name nor the user ID."""
    path = tmp_path / "store.sqlite"
    rig = await make_rig(database=f"sqlite:///{path}")
    await said(rig, WORDS)
    assert PIN.encode() in _content(path, tmp_path / "before.sqlite")
    await erase(rig)
    await delete_there(rig, "T1")
    await said(rig, WORDS, "T2")
    await look(rig)
    await delete_there(rig, "T2")
    await forget_events(rig)
    content = _content(path, tmp_path / "after.sqlite")
    assert PIN.encode() not in content
    assert b"Zaphod" not in content


def _content(path: pathlib.Path, copy: pathlib.Path) -> bytes:
    """The bytes of a database, without free pages and without those of the log."""
    with sqlite3.connect(path) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    connection.close()
    return copy.read_bytes()


@pytest_twisted.ensureDeferred
async def test_lines_packages_and_jobs_lose_an_erased_person(rig: Rig) -> None:
    """RAW lines are cancelled; packages and jobs for others, too, go on without the person."""
    await said(rig, WORDS + b"USER PIN=6\tName=Bob\n")
    raw, other, package, own = [
        (await rig.api("POST", "/devices/T1/commands", body)).json
        for body in (
            {"command": "RAW", "params": {"line": f"DATA UPDATE USERINFO PIN={PIN}\tName=Zaphod"}},
            {"command": "RAW", "params": {"line": f"DATA UPDATE USERINFO PIN={PIN}9\tName=Ann"}},
            {"command": "PutFile", "params": {**SYNC, "People": f"6,{PIN}"}},
            {"command": "PutFile", "params": {**SYNC, "People": PIN}},
        )
    ]
    jobs = [
        (await rig.api("POST", "/commands", {"devices": ["T1"], "commands": commands})).json
        for commands in (
            [{"command": "DATA DELETE USERPIC", "params": {"PIN": PIN}}],
            [{"command": "PutFile", "params": {**SYNC, "People": f"{PIN},6"}}],
            [{"command": "CHECK", "params": {}}],
        )
    ]
    await erase(rig)
    await forget_events(rig)
    rig.clock.advance(10)
    assert await rig.store.read(mentions("Zaph")) == set()
    found = {
        one["id"]: (one["state"], one["params"]) for one in await rig.items("/devices/T1/commands")
    }
    assert found[raw["id"]] == ("cancelled", {})
    assert found[other["id"]][0] == "queued"
    assert "Ann" in found[other["id"]][1]["line"]
    assert found[package["id"]][0] == "queued"
    assert found[own["id"]] == ("cancelled", {})
    shown = [(await rig.api("GET", f"/jobs/{job['id']}")).json["state"] for job in jobs]
    assert shown[0] in ("cancelling", "cancelled")
    assert "cancel" not in shown[1] + shown[2]
    (left,) = [
        one
        for one in await rig.items("/devices/T1/commands")
        if one["state"] == "queued" and PIN in str(one["params"]) and one["id"] != other["id"]
    ]
    assert left["command"] == "DATA DELETE USERINFO"


@pytest_twisted.ensureDeferred
async def test_a_sent_line_about_an_erased_person_may_have_added_the_person(rig: Rig) -> None:
    """The terminal gets a deletion, whatever it answered."""
    await said(rig, WORDS)
    await rig.api("PATCH", "/devices/T2", {"state": "approved"})
    await rig.exchange("T2")
    line = f"DATA UPDATE USERINFO PIN={PIN}\tName=Zaphod"
    sent = await rig.api(
        "POST", "/devices/T2/commands", {"command": "RAW", "params": {"line": line}}
    )
    assert b"Zaphod" in (await rig.get("getrequest?SN=T2")).body
    await rig.post("devicecmd?SN=T2", f"ID={sent.json['id']}&Return=0&CMD=DATA".encode())
    assert await erase(rig) == ["T1", "T2"]


@pytest_twisted.ensureDeferred
async def test_an_import_removes_nobody_who_came_after_the_dry_run(rig: Rig) -> None:
    """A confirmation counts for as many people as the dry run named, and no others."""
    await said(rig, b"USER PIN=1\tName=A\nUSER PIN=2\tName=B\n")
    text, query = "pin\n1\n", "?remove_absent=true"
    dry = await import_(rig, text, f"{query}&dry_run=true")
    assert dry.json["removed"] == 1
    await said(rig, b"USER PIN=3\tName=C\n")
    refused = await import_(rig, text, f"{query}&confirm=1")
    assert refused.status == 409
    assert "remove 2 of 3 people" in refused.json["detail"]
    assert len(await rig.items("/users")) == 3


@pytest_twisted.ensureDeferred
async def test_who_changes_while_a_file_is_imported_stays(rig: Rig, monkeypatch) -> None:
    """A terminal uploads somebody between the reading and the removal."""
    await said(rig, b"USER PIN=1\tName=A\nUSER PIN=2\tName=B\nUSER PIN=3\tName=C\n")
    read = rig.store.read

    async def read_and_upload(unit):
        found = await read(unit)
        if isinstance(found, tuple):  # the lines of the file, and what becomes of each
            monkeypatch.undo()
            rig.clock.advance(1)
            await said(rig, b"USER PIN=2\tName=Bea\n")
        return found

    monkeypatch.setattr(rig.store, "read", read_and_upload)
    done = await import_(rig, "pin,name\n1,A\n", "?remove_absent=true")
    assert (done.status, done.json["removed"]) == (200, 1), done.raw
    assert [one["name"] for one in await rig.items("/users")] == ["A", "Bea"]
