"""Intents: what is wanted of a terminal becomes commands of its family, or is refused in words."""

from __future__ import annotations

import base64

import msgspec
import pytest
import pytest_twisted

from zkpush.device.intents import Instruction, IntentTable, NotPossible
from zkpush.handlers.people.model import Enrol, PersonPhoto, PutPhoto, PutTemplate, Template
from zkpush.handlers.terminals.model import AskRecords, OpenDoor, SetOption
from zkpush.model import Caller
from zkpush.protocol.fields import Scope

from ..rig import Rig

POLL = "getrequest?SN=T1"
CLERK = Caller(name="clerk", scopes=frozenset({Scope.READ, Scope.WRITE}))
TEMPLATE = Template(
    id=1,
    pin="7",
    type=1,
    number=6,
    major_version=10,
    form="FP",
    template=base64.b64encode(b"x" * 30),
)
PHOTO = PersonPhoto(id=1, pin="7", kind="USERPIC", type=0, content=b"a picture")


async def line_of(rig: Rig) -> str:
    """The command that the next poll gets, without its ID."""
    body = (await rig.get(POLL)).body
    return body.decode().split(":", 2)[2].removesuffix("\n")


@pytest_twisted.ensureDeferred
async def test_a_stored_user_is_put_on_a_terminal(rig: Rig) -> None:
    """The user that one terminal uploaded goes to another one, in the words of its family."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\tPri=0\tCard=123\n")
    put = await rig.api("PUT", "/devices/T1/users/7")
    assert put.status == 202
    (command,) = put.json["items"]
    assert (command["command"], command["state"]) == ("DATA UPDATE USERINFO", "queued")
    line = await line_of(rig)
    assert line.startswith("DATA UPDATE USERINFO PIN=7\t")
    assert {"Name=Ann", "Card=123"} <= set(line.split("\t"))
    answer = f"ID={command['id']}&Return=0&CMD=DATA\n".encode()
    await rig.post("devicecmd?SN=T1", answer)
    assert (await rig.api("GET", f"/commands/{command['id']}")).json["state"] == "done"
    assert (await rig.api("PUT", "/devices/T1/users/8")).status == 404
    assert (await rig.api("PUT", "/devices/T9/users/7")).status == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "line"),
    [
        ("DELETE", "users/7", None, "DATA DELETE USERINFO PIN=7"),
        ("POST", "door", {}, "AC_UNLOCK"),
        ("POST", "reboot", None, "REBOOT"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_route_speaks_an_intent(
    rig: Rig, method: str, path: str, body: object, line: str
) -> None:
    """The caller names no command of a protocol."""
    await rig.exchange()
    asked = await rig.api(method, f"/devices/T1/{path}", body)
    assert (asked.status, len(asked.json["items"])) == (202, 1)
    assert await line_of(rig) == line


@pytest_twisted.ensureDeferred
async def test_an_intent_needs_the_scopes_of_its_commands(rig: Rig) -> None:
    """A command that a caller may not send is not sent by an intent, either."""
    await rig.exchange()
    token = await rig.token("clerk", Scope.READ, Scope.WRITE)
    headers = [f"Authorization: Bearer {token}"]
    assert (await rig.api("POST", "/devices/T1/door", {}, headers=headers)).status == 403
    setting = SetOption("Password", "1")
    with pytest.raises(Exception, match="dangerous"):
        await rig.daemon.queue.ask("T1", setting, CLERK)
    assert await rig.items("/devices/T1/commands") == []


@pytest.mark.parametrize(
    ("body", "words"),
    [({"door": 2}, "one door"), ({"seconds": 5}, "leave out the seconds")],
)
@pytest_twisted.ensureDeferred
async def test_what_a_terminal_cannot_do_is_refused_in_words(
    rig: Rig, body: object, words: str
) -> None:
    """Nothing is queued, and the answer says why."""
    await rig.exchange()
    refused = await rig.api("POST", "/devices/T1/door", body)
    assert (refused.status, words in refused.json["detail"]) == (400, True)
    assert await rig.items("/devices/T1/commands") == []


@pytest.mark.parametrize(
    ("intent", "line"),
    [
        (SetOption("Volume", "5"), "SET OPTION Volume=5"),
        (
            AskRecords("attlog", "2026-01-01 00:00:00", "2026-02-01 00:00:00"),
            "DATA QUERY ATTLOG StartTime=2026-01-01 00:00:00\tEndTime=2026-02-01 00:00:00",
        ),
        (Enrol("7", 1, 6), "ENROLL_FP PIN=7\tFID=6"),
        (Enrol("7", None), "ENROLL_MF PIN=7"),
        (Enrol("7", 9), "ENROLL_BIO TYPE=9\tPIN=7"),
        (PutPhoto(PHOTO), "DATA UPDATE USERPIC PIN=7\tSize=12\tContent=YSBwaWN0dXJl"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_intents_become_commands(rig: Rig, intent: object, line: str) -> None:
    """Each intent has its words in Attendance PUSH."""
    await rig.exchange()
    await rig.daemon.queue.ask("T1", intent, None)
    assert await line_of(rig) == line


@pytest_twisted.ensureDeferred
async def test_a_template_goes_in_the_form_in_which_it_came(rig: Rig) -> None:
    """A fingerprint of the old form is sent as FINGERTMP; a damaged one is refused."""
    await rig.exchange()
    await rig.daemon.queue.ask("T1", PutTemplate(TEMPLATE), None)
    assert (await line_of(rig)).startswith("DATA UPDATE FINGERTMP PIN=7\tFID=6\t")
    damaged = msgspec.structs.replace(TEMPLATE, template=None)
    with pytest.raises(NotPossible, match="damaged"):
        await rig.daemon.queue.ask("T1", PutTemplate(damaged), None)


@pytest_twisted.ensureDeferred
async def test_an_intent_that_a_family_does_not_know_is_refused(rig: Rig) -> None:
    """The words name the family and the intent."""
    await rig.exchange()

    class Dance(msgspec.Struct, frozen=True):
        """No terminal does this."""

    with pytest.raises(NotPossible, match="family attendance have no command for Dance"):
        await rig.daemon.queue.ask("T1", Dance(), None)


def test_two_nouns_cannot_translate_one_intent() -> None:
    """The start fails, and names the intent."""
    key = ("attendance", OpenDoor)
    parts = [{key: lambda *_: [Instruction("ONE")]}, {key: lambda *_: [Instruction("TWO")]}]
    with pytest.raises(ValueError, match="two capabilities translate OpenDoor"):
        IntentTable(parts)


@pytest_twisted.ensureDeferred
async def test_an_emptied_group_is_the_group_of_everybody(rig: Rig) -> None:
    """A number that an operator has emptied is sent as its neutral value, not as nothing."""
    await rig.exchange()
    await rig.api("PUT", "/users/7", {"name": "Ann", "group": 3, "privilege": 14})
    await rig.api("PUT", "/users/7", {"group": None, "privilege": None, "card": None})
    assert (await rig.api("PUT", "/devices/T1/users/7")).status == 202
    fields = (await line_of(rig)).split("\t")
    assert {"Grp=1", "Pri=0", "Card="} <= set(fields)
