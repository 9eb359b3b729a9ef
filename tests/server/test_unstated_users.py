"""Templates and photos that a terminal sends before it has said who the user is."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted

from zkpush.handlers.people.identifying import PATIENCE, UserQuestions
from zkpush.handlers.people.store import PeopleStore

from ..rig import Rig
from .test_contested_parts import ANN, EVE, OTHER, finger, fingers, kept_apart, said, settle, user


def content(of: str) -> bytes:
    """What a template or photo of somebody holds: bytes that are random, then the name."""
    return base64.b64encode(b"\xff\xd8" + bytes(14) + of.encode() * 9)


def line(kind: str, of: str) -> bytes:
    """The line of a template or photo of a kind."""
    text = content(of)
    size = len(text)
    forms = {
        "FP": b"FP PIN=5\tFID=1\tSize=%d\tValid=1\tTMP=%s\n",
        "FACE": b"FACE PIN=5\tFID=0\tSIZE=%d\tVALID=1\tTMP=%s\n",
        "FVEIN": b"FVEIN Pin=5\tFID=1\tIndex=0\tSize=%d\tValid=1\tTmp=%s\n",
        "BIODATA": b"BIODATA Pin=5\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\tMajorVer=5\t"
        b"MinorVer=8\tFormat=%.0dZK\tTmp=%s\n",
        "USERPIC": b"USERPIC PIN=5\tFileName=5.jpg\tSize=%d\tContent=%s\n",
        "BIOPHOTO": b"BIOPHOTO PIN=5\tFileName=5.jpg\tType=9\tSize=%d\tContent=%s\n",
    }
    return forms[kind] % (size, text)


KINDS = ["FP", "FACE", "FVEIN", "BIODATA", "USERPIC", "BIOPHOTO"]


async def stored(rig: Rig, kind: str) -> list[bytes]:
    """The contents that are stored of the user, for each kind as a terminal sends it."""
    if kind in ("USERPIC", "BIOPHOTO"):
        photos = await rig.store.read(lambda tx: tx[PeopleStore].photos("5"))
        return [base64.b64encode(one.content) for one in photos if one.kind == kind]
    found = await rig.store.read(lambda tx: tx[PeopleStore].templates("5"))
    return [one.template for one in found if one.form == kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest_twisted.ensureDeferred
async def test_what_comes_before_the_name_overwrites_nothing(either: Rig, kind: str) -> None:
    """The name opens the conflict, and the operator decides about what was sent before it."""
    rig = either
    await said(rig, "A1", user("Ann"), line(kind, "ann"))
    await said(rig, "B1", line(kind, "eve"))
    assert (await stored(rig, kind), await kept_apart(rig)) == ([content("ann")], 1)
    await said(rig, "B1", user("Eve"))
    assert (await stored(rig, kind), await kept_apart(rig)) == ([content("ann")], 1)
    await settle(rig, keep="terminal")
    assert (await stored(rig, kind), await kept_apart(rig)) == ([content("eve")], 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest_twisted.ensureDeferred
async def test_the_same_person_enrols_at_another_terminal(either: Rig, kind: str) -> None:
    """Before the terminal has named the person, and again after that."""
    rig = either
    await said(rig, "A1", user("Ann"), line(kind, "ann"))
    await said(rig, "B1", line(kind, "new"))
    await said(rig, "B1", user("Ann"))
    assert (await stored(rig, kind), await kept_apart(rig)) == ([content("new")], 0)
    await said(rig, "B1", line(kind, "newer"))
    assert await stored(rig, kind) == [content("newer")]


@pytest_twisted.ensureDeferred
async def test_a_person_put_on_a_terminal_enrols_there(rig: Rig) -> None:
    """The executed command names the person."""
    await said(rig, "A1", user("Ann"), finger(ANN))
    await rig.exchange("B1")
    params = {"PIN": "5", "Name": "Ann"}
    sent = {"command": "DATA UPDATE USERINFO", "params": params}
    made = await rig.api("POST", "/devices/B1/commands", sent)
    await rig.get("getrequest?SN=B1")
    answer = f"ID={made.json['id']}&Return=0&CMD=DATA\n"
    await rig.post("devicecmd?SN=B1", answer.encode())
    await said(rig, "B1", finger(OTHER))
    assert (await fingers(rig), await kept_apart(rig)) == ({1: OTHER}, 0)


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_lost_the_person_has_to_name_it_again(rig: Rig) -> None:
    """Somebody else may have got the user ID there since."""
    await said(rig, "A1", user("Ann"), finger(ANN))
    await said(rig, "B1", user("Ann"))
    sent = {"command": "DATA DELETE USERINFO", "params": {"PIN": "5"}}
    made = await rig.api("POST", "/devices/B1/commands", sent)
    await rig.get("getrequest?SN=B1")
    await rig.post("devicecmd?SN=B1", f"ID={made.json['id']}&Return=0&CMD=DATA\n".encode())
    await said(rig, "B1", finger(EVE))
    assert (await fingers(rig), await kept_apart(rig)) == ({1: ANN}, 1)


@pytest_twisted.ensureDeferred
async def test_a_newer_template_stays_when_an_older_one_is_identified(rig: Rig) -> None:
    """The time at which it was sent counts, not that of the name."""
    await said(rig, "A1", user("Ann"), finger(ANN))
    await said(rig, "B1", finger(EVE))
    await said(rig, "A1", finger(OTHER))
    await said(rig, "B1", user("Ann"))
    assert (await fingers(rig), await kept_apart(rig)) == ({1: OTHER}, 0)


@pytest_twisted.ensureDeferred
async def test_two_terminals_that_name_nobody_at_first(rig: Rig) -> None:
    """The first name decides whose the user ID is; the templates of the other wait."""
    await said(rig, "A1", finger(ANN))
    assert await fingers(rig) == {1: ANN}
    await said(rig, "B1", finger(EVE))
    await said(rig, "B1", user("Eve"))
    assert (await fingers(rig), await kept_apart(rig)) == ({1: EVE}, 1)
    await said(rig, "A1", user("Ann"))
    (conflict,) = await rig.items("/conflicts")
    assert [side["author"] for side in conflict["sides"]] == ["device B1", "device A1"]
    await settle(rig, keep="terminal")
    assert await fingers(rig) == {1: ANN}


@pytest_twisted.ensureDeferred
async def test_a_template_that_another_terminal_states_is_not_kept_from_it(rig: Rig) -> None:
    """One that waits at a terminal is news from one that has the person."""
    await said(rig, "A1", user("Ann"), finger(ANN))
    await said(rig, "B1", finger(OTHER))
    await said(rig, "A1", finger(OTHER))
    assert (await fingers(rig), await kept_apart(rig)) == ({1: OTHER}, 1)


@pytest_twisted.ensureDeferred
async def test_another_terminal_with_the_same_other_person_is_in_conflict_too(rig: Rig) -> None:
    """What two terminals say does not overwrite what a third has said."""
    await said(rig, "A1", user("Ann"), finger(ANN))
    await said(rig, "B1", user("Eve"))
    await said(rig, "C1", user("Eve"), finger(EVE))
    assert len(await rig.items("/conflicts")) == 2
    assert (await fingers(rig), await kept_apart(rig)) == ({1: ANN}, 1)


async def asked(rig: Rig, sn: str) -> list[str]:
    """Let the questions be asked; the lines that a terminal gets, without IDs."""
    (job,) = (one for one in rig.daemon.jobs if isinstance(one, UserQuestions))
    await job.work()
    body = (await rig.get(f"getrequest?SN={sn}")).body.decode()
    return [one.split(":", 2)[2] for one in body.splitlines() if one.startswith("C:")]


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_names_nobody_is_asked_once(rig: Rig) -> None:
    """After a while, for the user; for all if they are several. A conflict needs no question."""
    for pin in (b"5", b"6"):
        await said(rig, "A1", user("Ann").replace(b"=5", b"=" + pin))
    await said(rig, "B1", finger(EVE))
    await said(rig, "C1", finger(OTHER), finger(OTHER).replace(b"PIN=5", b"PIN=6"))
    await said(rig, "D1", user("Eve"), finger(ANN))
    assert await asked(rig, "B1") == []
    rig.clock.advance(PATIENCE / 1000)
    assert await asked(rig, "B1") == ["DATA QUERY USERINFO PIN=5"]
    assert await asked(rig, "C1") == ["DATA QUERY USERINFO"]
    assert await asked(rig, "D1") == []
    rig.clock.advance(PATIENCE / 1000)
    await asked(rig, "B1")
    assert len(await rig.items("/devices/B1/commands")) == 1


@pytest_twisted.ensureDeferred
async def test_a_terminal_of_another_protocol_is_not_asked(rig: Rig) -> None:
    """It takes no commands of attendance."""
    await said(rig, "A1", user("Ann"))
    await said(rig, "B1", finger(EVE))
    await rig.exchange("B1", DeviceType="acc")
    rig.clock.advance(PATIENCE / 1000)
    assert await asked(rig, "A1") == []
    assert await rig.items("/devices/B1/commands") == []
