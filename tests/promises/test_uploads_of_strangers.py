"""What strangers learn from an exchange, and what becomes of their uploads and of replayed ones."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.handlers.people.tables import USER

from ..rig import Rig
from ..server.test_distribution import distribute, enrol, fetch, fingers, held, joined, look
from .test_identity_of_sessions import (
    BEGIN_AGAIN,
    HERE,
    POLL,
    STORED,
    THERE,
    Client,
    begun,
    change,
    order,
    problems,
    state,
)
from .test_threat_model import PEOPLE_UPLOAD, with_both, with_token

OPTIONS = "cdata?SN=T1&table=options"
OLD, NEW = b"QUFBQUFB", b"QkJCQkJC"
TEMPLATE = b"FP PIN=7\tFID=1\tSize=8\tValid=1\tTMP=%s\n"
PERSON = b"USER PIN=7\tName=%s\tPasswd=1\n"


async def template(rig: Rig) -> str:
    """The stored fingerprint of the person 7."""
    (found,) = await rig.items("/users/7/templates")
    return found["template"]


@pytest_twisted.ensureDeferred
async def test_an_exchange_tells_settings_and_no_more(rig: Rig) -> None:
    """Names of options and numbers: no person, no password, no address."""
    terminal = await with_token(rig)
    assert (await terminal.upload()) == STORED
    await terminal.ask("POST", PEOPLE_UPLOAD, PERSON % b"Ann")
    await change(rig, settings={"Delay": 17}, timezone="Europe/Berlin")
    stranger = Client(rig, THERE)
    told = (await stranger.exchange()).body.decode()
    names = {line.partition("=")[0] for line in told.splitlines()[1:]}
    assert {name for name in names if not name.endswith("Stamp")} == {
        "ErrorDelay",
        "Delay",
        "TransTimes",
        "TransInterval",
        "TransFlag",
        "TimeZone",
        "Realtime",
        "Encrypt",
        "ServerVer",
        "PushProtVer",
        "PushOptionsFlag",
        "PushOptions",
        "ATTPHOTOBase64",
        "MultiBioDataSupport",
        "MultiBioPhotoSupport",
    }
    assert {"ATTLOGStamp=1", "Delay=17"} <= set(told.splitlines())


@pytest_twisted.ensureDeferred
async def test_an_operator_sees_a_stranger_s_exchange(rig: Rig) -> None:
    """By its address at once; as a problem when it returns its token, or the terminal comes."""
    terminal = await begun(Client(rig))
    stranger = Client(rig, THERE)
    await stranger.exchange()
    shown = (await rig.api("GET", "/devices/T1")).json
    assert (shown["comm_key"]["keyless"]["address"], shown["address"]) == (THERE, THERE)
    await terminal.poll()
    await rig.store.write(lambda tx: None)
    codes = {one["code"] for one in (await rig.items("/devices"))[0]["problems"]}
    assert "two places" in codes
    assert "second session" not in codes
    await stranger.poll()
    assert "second session" in await problems(rig)


@pytest_twisted.ensureDeferred
async def test_a_plain_upload_is_repeated_while_its_token_is_good(rig: Rig) -> None:
    """From elsewhere, and in spite of a pinned key; it puts older values in place of newer ones."""
    terminal = await with_both(rig)
    captured = [
        (target, body)
        for target, body in (
            (PEOPLE_UPLOAD, TEMPLATE % OLD),
            (PEOPLE_UPLOAD, PERSON % b"Ann"),
            (OPTIONS, b"MaxAttLogCount=9"),
        )
    ]
    for target, body in captured:
        assert (await terminal.ask("POST", target, body)).status == 200
    assert await terminal.upload() == STORED
    for target, body in (
        (PEOPLE_UPLOAD, TEMPLATE % NEW),
        (PEOPLE_UPLOAD, PERSON % b"Ann Lee"),
        (OPTIONS, b"MaxAttLogCount=10"),
    ):
        assert (await terminal.ask("POST", target, body)).status == 200

    async def stored() -> tuple[str, str, str]:
        device = (await rig.api("GET", "/devices/T1")).json
        person = (await rig.api("GET", "/users/7")).json
        return await template(rig), person["name"], device["options"]["MaxAttLogCount"]

    assert await stored() == (NEW.decode(), "Ann Lee", "10")
    eavesdropper = Client(rig, THERE)
    eavesdropper.token = terminal.token
    for target, body in captured:
        assert (await eavesdropper.ask("POST", target, body)).status == 200
    assert await eavesdropper.upload() == STORED
    assert await stored() == (OLD.decode(), "Ann", "9")
    assert [one["pin"] for one in await rig.items("/attendance")] == ["7"]
    rig.clock.advance(365 * 24 * 3600)
    assert await eavesdropper.upload() == STORED
    assert (await terminal.exchange(pushcommkey="a" * 32)).status == 200
    assert await terminal.upload() == STORED
    assert await eavesdropper.upload() == BEGIN_AGAIN


@pytest_twisted.ensureDeferred
async def test_a_captured_upload_brings_no_removed_person_back(rig: Rig) -> None:
    """It is a problem that the terminal still has the person; nothing is stored."""
    terminal = await with_both(rig)
    captured = (PERSON % b"Ann", TEMPLATE % OLD)
    for body in captured:
        assert (await terminal.ask("POST", PEOPLE_UPLOAD, body)).status == 200
    assert (await rig.api("DELETE", "/users/7")).status == 200
    eavesdropper = Client(rig, THERE)
    eavesdropper.token = terminal.token
    for body in captured:
        assert (await eavesdropper.ask("POST", PEOPLE_UPLOAD, body)).status == 200
    assert (await rig.api("GET", "/users/7")).status == 404
    assert (await rig.api("PUT", "/users/7", {"name": "Ann"})).status in (200, 201)
    assert await rig.items("/users/7/templates") == []


@pytest_twisted.ensureDeferred
async def test_a_new_person_of_a_stranger_has_its_privilege_here_only(rig: Rig) -> None:
    """In an area that distributes the person comes to all terminals, without the privilege."""
    terminal, other = await joined(rig, "T1"), await joined(rig, "T2")
    await distribute(rig)
    stranger = Client(rig, THERE)
    await stranger.exchange()
    line = b"USER PIN=66\tName=Eve\tPri=14\tPasswd=1234\n"
    assert (await stranger.ask("POST", PEOPLE_UPLOAD, line)).body == b"OK: 1"
    person = (await rig.api("GET", "/users/66")).json
    assert (person["privilege"], person["authors"]["privilege"]) == (14, "device T1")
    await fetch(rig, terminal, other)
    assert held(other) == {"66": "Eve"}
    (user,) = [dict(one.own.values) for one in other.outbox.held(USER)]
    assert (user["password"], user.get("privilege")) == ("1234", None)


@pytest.mark.parametrize("distributes", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_false_template_reaches_other_terminals_of_its_area(
    rig: Rig, distributes: bool
) -> None:
    """Only if the area distributes: the stranger's finger opens there for a known person."""
    terminal, other = await joined(rig, "T1"), await joined(rig, "T2")
    if distributes:
        await distribute(rig)
    await enrol(terminal, "7", "Ann", finger=None)
    stranger = Client(rig, THERE)
    await stranger.exchange()
    assert (await stranger.ask("POST", PEOPLE_UPLOAD, TEMPLATE % NEW)).body == b"OK: 1"
    assert await template(rig) == NEW.decode()
    await fetch(rig, terminal, other)
    assert fingers(other) == ({("7", 1)} if distributes else set())


@pytest_twisted.ensureDeferred
async def test_a_command_without_secrets_names_people(rig: Rig) -> None:
    """A stranger's own token is enough to read user ID, name and card number."""
    await begun(Client(rig))
    await order(rig, "DATA UPDATE USERINFO", PIN="7", Name="Ann", Card="4711")
    stranger = Client(rig, THERE)
    await stranger.exchange()
    read = (await stranger.ask("GET", POLL)).body
    assert (b"Name=Ann" in read, b"4711" in read) == (True, True)
    assert HERE.encode() not in read


@pytest_twisted.ensureDeferred
async def test_an_invented_terminal_gets_the_people_of_the_area_default(rig: Rig) -> None:
    """If that area distributes: under `open` a stranger reads them with their passwords."""
    fields = {"name": "Ann", "password": "71553", "areas": ["default"]}
    assert (await rig.api("PUT", "/users/7", fields)).status == 200
    await distribute(rig, "default")
    await rig.exchange("INVENTED", address=THERE)
    await look(rig)
    read = (await rig.get("getrequest?SN=INVENTED", address=THERE)).body
    assert (b"Name=Ann" in read, b"71553" in read) == (True, True)


@pytest_twisted.ensureDeferred
async def test_a_stranger_changes_what_its_terminal_stated(rig: Rig) -> None:
    """Not what an operator set, and no privilege."""
    terminal = await begun(Client(rig))
    await terminal.ask("POST", PEOPLE_UPLOAD, b"USER PIN=7\tName=Ann\tPri=0\tPasswd=1\tCard=1\n")
    assert (await rig.api("PUT", "/users/7", {"card": "4711"})).status == 200
    stranger = Client(rig, THERE)
    await stranger.exchange()
    line = b"USER PIN=7\tName=Eve\tPri=14\tPasswd=9\tCard=9\n"
    assert (await stranger.ask("POST", PEOPLE_UPLOAD, line)).body == b"OK: 1"
    person = (await rig.api("GET", "/users/7")).json
    names = ("name", "password", "card", "privilege")
    assert [person[name] for name in names] == ["Eve", "9", "4711", 0]


@pytest_twisted.ensureDeferred
async def test_a_false_answer_needs_the_id_of_its_command(rig: Rig) -> None:
    """Another ID ends nothing."""
    terminal = await begun(Client(rig))
    command = await order(rig, "LOG")
    assert (await terminal.poll())[1].endswith(b":LOG\n")
    stranger = Client(rig, THERE)
    await stranger.exchange()
    states = []
    for known in ("0123456789abcdef", command):
        body = f"ID={known}&Return=-1&CMD=LOG\n".encode()
        await stranger.ask("POST", "devicecmd?SN=T1", body)
        states.append(await state(rig, command))
    assert states == ["sent", "failed"]
