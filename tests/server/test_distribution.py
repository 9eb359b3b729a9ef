"""Distribution: who is in an area that distributes is on all its terminals."""

from __future__ import annotations

import random
from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.areas.reconciler import Reconciler
from zkpush.handlers.people.tables import BIODATA, FP, USER
from zkpush.simulator.biometrics import FINGERPRINT, invent_template
from zkpush.simulator.model import ATT, CLASSIC, Model
from zkpush.simulator.record import Record, RecordForm
from zkpush.simulator.terminal import SimulatedTerminal

from ..rig import Rig


def reconciler(rig: Rig) -> Reconciler:
    """The reconciler of a daemon."""
    (found,) = (job for job in rig.daemon.jobs if isinstance(job, Reconciler))
    return found


async def look(rig: Rig) -> None:
    """Let a burst of changes end, and let the reconciler look."""
    rig.clock.advance(3)
    await reconciler(rig).work()


async def joined(
    rig: Rig, sn: str, area: str = "North", model: Model = ATT, users: int = 0
) -> SimulatedTerminal:
    """A simulated terminal in an area."""
    terminal = rig.terminal(sn, users=users, model=model)
    await terminal.exchange()
    changed = await rig.api("PATCH", f"/devices/{sn}", {"state": "approved", "area": area})
    assert changed.status == 200, changed.raw
    return terminal


async def wired(rig: Rig, sn: str = "A1") -> None:
    """A terminal whose requests the test writes, in the area North."""
    await rig.exchange(sn)
    await rig.api("PATCH", f"/devices/{sn}", {"state": "approved", "area": "North"})


async def distribute(rig: Rig, area: str = "North", confirm: int | None = None) -> None:
    """Let an area distribute."""
    query = "" if confirm is None else f"?confirm={confirm}"
    put = await rig.api("PUT", f"/areas/{area}{query}", {"distributes": True})
    assert put.status == 200, put.raw


async def person(rig: Rig, pin: str, **fields: Any) -> None:
    """Add or change a person."""
    put = await rig.api("PUT", f"/users/{pin}", {"areas": ["North"], **fields})
    assert put.status == 200, put.raw


async def fetch(rig: Rig, *terminals: SimulatedTerminal) -> None:
    """Let terminals poll until nothing is left for them."""
    for _ in range(20):
        await look(rig)
        if not any([await terminal.poll() for terminal in terminals]):
            return
    raise AssertionError("commands without end")


def held(terminal: SimulatedTerminal) -> dict[str, str]:
    """The names of the users on a terminal, by user ID."""
    return {
        str(one.own.values["pin"]): str(one.own.values.get("name") or "")
        for one in terminal.outbox.held(USER)
    }


def fingers(terminal: SimulatedTerminal) -> set[tuple[str, int]]:
    """User IDs and numbers of the fingerprints on a terminal."""
    return {
        (str(one.own.values["pin"]), int(one.own.values["number"]))
        for table in (FP, BIODATA)
        for one in terminal.outbox.held(table)
        if table is FP or one.own.values["type"] == 1
    }


async def enrol(terminal: SimulatedTerminal, pin: str, name: str, finger: int | None = 1) -> None:
    """Enrol a person with a finger at a terminal, which uploads it."""
    user = terminal.people.person(pin).user(card_bytes=terminal.model.old)
    values = {**user.values, "name": name, "privilege": 0}
    terminal.keep(Record(RecordForm(USER, values), USER.transfer[-1:]))
    if finger is not None:
        made = invent_template(random.Random(pin), FINGERPRINT, pin, number=finger)
        terminal.keep(made.record())
    await terminal.upload()


async def places(rig: Rig, pin: str) -> dict[str, str]:
    """The states of a person by terminal."""
    return {one["device"]: one["state"] for one in await rig.items(f"/users/{pin}/places")}


@pytest_twisted.ensureDeferred
async def test_nothing_is_distributed_until_an_operator_says_so(rig: Rig) -> None:
    """An area that does not distribute changes nothing on its terminals."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await enrol(first, "5", "Ann")
    await fetch(rig, first, second)
    assert (held(first), held(second)) == ({"5": "Ann"}, {})
    assert await places(rig, "5") == {"A1": "there"}


@pytest_twisted.ensureDeferred
async def test_who_is_enrolled_at_one_terminal_is_on_all(rig: Rig) -> None:
    """With the fingerprint; the source and terminals of other areas get nothing."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2", model=CLASSIC)
    other = await joined(rig, "B1", "South")
    await distribute(rig)
    await fetch(rig, first, second, other)
    await enrol(first, "5", "Ann")
    await fetch(rig, first, second, other)
    assert (held(second), fingers(second)) == ({"5": "Ann"}, {("5", 1)})
    assert held(other) == {}
    assert (first.executed, other.executed) == ([], [])
    assert await places(rig, "5") == {"A1": "there", "A2": "there"}


@pytest_twisted.ensureDeferred
async def test_an_echo_is_not_news(rig: Rig) -> None:
    """A terminal that uploads what it has received causes no command."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await distribute(rig)
    await enrol(first, "5", "Ann")
    await fetch(rig, first, second)
    count = len(second.executed)
    assert count == 2
    second.outbox.again("OPERLOG")
    second.outbox.again("BIODATA")
    await second.upload()
    await fetch(rig, first, second)
    assert (first.executed, len(second.executed)) == ([], count)


@pytest_twisted.ensureDeferred
async def test_who_leaves_is_deleted_there(rig: Rig) -> None:
    """From the area, or from the server."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await person(rig, "6", name="Bob")
    await fetch(rig, first, second)
    assert held(first) == held(second) == {"5": "Ann", "6": "Bob"}
    await person(rig, "5", areas=["South"])
    assert (await rig.api("DELETE", "/users/6")).status == 200
    await fetch(rig, first, second)
    assert held(first) == held(second) == {}
    assert await places(rig, "5") == {}
    assert (await rig.api("GET", "/users/6/places")).status == 404
    await person(rig, "6", name="Bob")
    await fetch(rig, first, second)
    assert held(first) == held(second) == {"6": "Bob"}


@pytest_twisted.ensureDeferred
async def test_a_change_reaches_all_terminals_once(rig: Rig) -> None:
    """A repeated comparison sends nothing."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await fetch(rig, first, second)
    await person(rig, "5", name="Anna", card="4711")
    await person(rig, "5", name="Annie")
    await fetch(rig, first, second)
    assert held(first) == held(second) == {"5": "Annie"}
    assert len(first.executed) == len(second.executed) == 2
    assert (await rig.api("POST", "/areas/North/repair")).status == 202
    rig.clock.advance(25 * 3600)
    await fetch(rig, first, second)
    for terminal in (first, second):
        assert terminal.executed[2:] == [b"DATA QUERY USERINFO"]  # it was asked, and lacks nothing


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_joins_or_was_emptied_is_filled(rig: Rig) -> None:
    """Also after CLEAR DATA at the terminal itself, known by its counts."""
    first = await joined(rig, "A1")
    await distribute(rig)
    await enrol(first, "5", "Ann")
    await fetch(rig, first)
    second = await joined(rig, "A2")
    await fetch(rig, first, second)
    assert (held(second), fingers(second)) == ({"5": "Ann"}, {("5", 1)})
    second.outbox.erase(second.outbox.everything())
    await fetch(rig, second)
    await fetch(rig, second)
    assert (held(second), fingers(second)) == ({"5": "Ann"}, {("5", 1)})
    assert first.executed == []


@pytest_twisted.ensureDeferred
async def test_a_privilege_of_a_terminal_stays_there(rig: Rig) -> None:
    """Only an operator makes somebody an administrator elsewhere."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await distribute(rig)
    await first.link.post("cdata", b"USER PIN=5\tName=Ann\tPri=14\n", table="OPERLOG", Stamp="1")
    await fetch(rig, second)
    (user,) = second.outbox.held(USER)
    assert not user.own.values.get("privilege")
    await person(rig, "5", privilege=14)
    await fetch(rig, second)
    (user,) = second.outbox.held(USER)
    assert user.own.values["privilege"] == 14


@pytest_twisted.ensureDeferred
async def test_a_conflict_is_not_overwritten_until_somebody_chooses(rig: Rig) -> None:
    """The terminal keeps its own values until then."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await fetch(rig, first, second)
    await enrol(second, "5", "Eve", finger=None)
    await fetch(rig, first, second)
    assert (held(first), held(second)) == ({"5": "Ann"}, {"5": "Eve"})
    assert await places(rig, "5") == {"A1": "there", "A2": "refused"}
    (conflict,) = [one for one in await rig.items("/conflicts") if "name" in one["fields"]]
    await rig.api("POST", f"/conflicts/{conflict['id']}", {"keep": "stored"})
    await fetch(rig, first, second)
    assert held(first) == held(second) == {"5": "Ann"}


@pytest_twisted.ensureDeferred
async def test_no_template_passes_between_two_people_under_one_user_id(rig: Rig) -> None:
    """Neither to nor from a terminal with a conflict, until somebody chooses."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    third = await joined(rig, "A3")
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await fetch(rig, first, second, third)
    await enrol(second, "5", "Eve", finger=2)
    first.keep(invent_template(random.Random("5"), FINGERPRINT, "5", number=1).record())
    await first.upload()
    await fetch(rig, first, second, third)
    assert (fingers(first), fingers(second)) == ({("5", 1)}, {("5", 2)})
    assert fingers(third) == {("5", 1)}
    for conflict in await rig.items("/conflicts"):
        await rig.api("POST", f"/conflicts/{conflict['id']}", {"keep": "stored"})
    await fetch(rig, first, second, third)
    assert fingers(first) == fingers(third) == {("5", 1)}
    assert ("5", 1) in fingers(second)


@pytest_twisted.ensureDeferred
async def test_deletions_need_a_confirmation_when_an_area_begins(rig: Rig) -> None:
    """It names their number, and nothing is changed without it."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2", "South")
    for number in range(1, 6):
        await enrol(first, str(number), f"P{number}", finger=None)
        await person(rig, str(number), areas=["South"])
    refused = await rig.api("PUT", "/areas/North", {"distributes": True})
    assert (refused.status, "confirm=5" in refused.json["detail"]) == (409, True)
    assert not (await rig.api("GET", "/areas/North")).json["distributes"]
    shown = (await rig.api("GET", "/areas/North/distribution")).json
    assert (shown["people"], shown["devices"], shown["deletions"]) == (0, 1, 5)
    await distribute(rig, confirm=5)
    await fetch(rig, first, second)
    assert held(first) == {}


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_one_slip_deletes_no_company(rig: Rig) -> None:
    """Many deletions wait for a confirmation, whatever caused them; a few do not."""
    first = await joined(rig, "A1")
    await distribute(rig)
    for number in range(1, 31):
        await person(rig, str(number), name=f"P{number}")
    await fetch(rig, first)
    assert len(held(first)) == 30
    await person(rig, "1", areas=[])
    await fetch(rig, first)
    assert len(held(first)) == 29
    for number in range(2, 31):
        await person(rig, str(number), areas=["Nrth"])
    await fetch(rig, first)
    assert len(held(first)) == 29
    (problem,) = [one for one in await rig.items("/problems") if one["code"] == "deletions wait"]
    assert "29 people" in problem["detail"]
    assert await places(rig, "7") == {"A1": "refused"}
    wrong = await rig.api("PUT", "/areas/North?confirm=28", {})
    assert wrong.status == 409
    assert (await rig.api("PUT", "/areas/North?confirm=29", {})).status == 200
    await fetch(rig, first)
    assert held(first) == {}


@pytest_twisted.ensureDeferred
async def test_refused_commands_are_shown_and_repaired_on_request(rig: Rig) -> None:
    """The reason is in words; nothing is repeated before."""
    await wired(rig)
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await look(rig)
    polled = await rig.get("getrequest?SN=A1")
    command = polled.body.decode().split(":")[1]
    await rig.post("devicecmd?SN=A1", f"ID={command}&Return=-1&CMD=DATA".encode())
    await look(rig)
    (place,) = await rig.items("/users/5/places")
    assert place["state"] == "refused"
    assert "return code -1" in place["meaning"]
    assert (await rig.get("getrequest?SN=A1")).body == b"OK"
    assert (await rig.api("POST", "/devices/A1/repair")).status == 204
    await look(rig)
    assert b"USERINFO" in (await rig.get("getrequest?SN=A1")).body


@pytest_twisted.ensureDeferred
async def test_what_does_not_fit_is_said_in_words(rig: Rig) -> None:
    """And not sent."""
    await wired(rig)
    await rig.post("cdata?SN=A1&table=options", b"~PIN2Width=3")
    await distribute(rig)
    await person(rig, "12345", name="Ann")
    await look(rig)
    (place,) = await rig.items("/users/12345/places")
    assert (place["state"], "at most 3" in place["meaning"]) == ("does_not_fit", True)
    assert (await rig.get("getrequest?SN=A1")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_stopped_area_leaves_people_where_they_are(rig: Rig) -> None:
    """Nothing more is sent; who is removed is still deleted where the server put them."""
    first = await joined(rig, "A1")
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await person(rig, "6", name="Bob")
    await fetch(rig, first)
    await rig.api("PUT", "/areas/North", {"distributes": False})
    await person(rig, "5", areas=[])
    await person(rig, "7", name="Cid")
    await rig.api("DELETE", "/users/6")
    await fetch(rig, first)
    assert held(first) == {"5": "Ann"}


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_few_commands_are_open_and_others_overtake(rig: Rig) -> None:
    """A big move goes in bounded parts."""
    first = await joined(rig, "A1")
    await distribute(rig)
    for number in range(150):
        await person(rig, str(number), name=f"P{number}")
    await look(rig)
    await look(rig)
    opened = await rig.items("/devices/A1/commands?limit=1000")
    assert len(opened) == 100
    await rig.api("POST", "/devices/A1/commands", {"command": "CHECK"})
    await first.poll()
    assert first.executed[0] == b"CHECK"
    shown = (await rig.api("GET", "/areas/North/distribution")).json
    assert shown["parts"]["on_its_way"] == 150
    for _ in range(20):
        await fetch(rig, first)
    assert len(held(first)) == 150


@pytest.mark.parametrize("erase", [False, True])
@pytest_twisted.ensureDeferred
async def test_an_erased_person_leaves_nothing(rig: Rig, erase: bool) -> None:
    """Neither on terminals nor here."""
    first = await joined(rig, "A1")
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await fetch(rig, first)
    await rig.api("DELETE", f"/users/5{'?erase=true' if erase else ''}")
    await fetch(rig, first)
    assert held(first) == {}
    assert (await rig.api("GET", "/users/5/places")).status == 404


@pytest_twisted.ensureDeferred
async def test_a_removed_person_who_is_enrolled_again_is_deleted_again(rig: Rig) -> None:
    """At once, and by one deletion; also one who is enrolled while the deletion is on its way."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await person(rig, "6", name="Bob")
    await fetch(rig, first, second)
    await rig.api("DELETE", "/users/5")
    await enrol(second, "5", "Ann")
    await fetch(rig, first, second)
    assert held(first) == held(second) == {"6": "Bob"}
    for _ in range(2):
        count = len(first.executed)
        await enrol(first, "5", "Ann")
        assert "5" in held(first)
        await fetch(rig, first, second)
        assert held(first) == held(second) == {"6": "Bob"}
        assert len(first.executed) == count + 1
    assert await rig.items("/problems?code=removed+person") == []


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_deletion_that_waits_is_sent_although_the_answer_before_it_was_lost(
    rig: Rig,
) -> None:
    """The terminal may have executed the command; one without the person has done its part."""
    await wired(rig)
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await look(rig)
    assert b"DATA UPDATE USERINFO" in (await rig.get("getrequest?SN=A1")).body
    await rig.api("DELETE", "/users/5")
    for number in range(100):  # other commands leave no room
        await person(rig, f"a{number}", name="Bob")
    await look(rig)
    await look(rig)
    rig.clock.advance(310)
    found = b""
    for _ in range(40):
        await look(rig)
        polled = (await rig.get("getrequest?SN=A1")).body
        found += polled
        for line in polled.splitlines():
            if line.startswith(b"C:"):
                command, text = line.decode().split(":", 2)[1:]
                code = -10 if "DELETE" in text else 0
                body = f"ID={command}&Return={code}&CMD=DATA"
                await rig.post("devicecmd?SN=A1", body.encode())
    assert b"DATA DELETE USERINFO PIN=5" in found
    await look(rig)
    assert (await rig.api("GET", "/users/5/places")).status == 404
    assert (await rig.get("getrequest?SN=A1")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_busy_terminal_is_asked_again(rig: Rig) -> None:
    """It may execute the command later."""
    await wired(rig)
    await distribute(rig)
    await person(rig, "5", name="Ann")
    await look(rig)
    for code in (-1005, 0):
        polled = (await rig.get("getrequest?SN=A1")).body
        command = polled.decode().split(":")[1]
        await rig.post("devicecmd?SN=A1", f"ID={command}&Return={code}&CMD=DATA".encode())
        await look(rig)
    assert await places(rig, "5") == {"A1": "there"}


@pytest_twisted.ensureDeferred
async def test_people_are_distributed_on_postgresql(make_rig: Any, postgres_url: str) -> None:
    """As on SQLite: enrolled at one, on all; removed, and gone."""
    rig = await make_rig(database=postgres_url)
    first, second = await joined(rig, "A1"), await joined(rig, "A2", model=CLASSIC)
    await distribute(rig)
    await enrol(first, "5", "Ann")
    await person(rig, "6", name="Bob")
    await fetch(rig, first, second)
    assert (held(second), fingers(second)) == ({"5": "Ann", "6": "Bob"}, {("5", 1)})
    assert await places(rig, "5") == {"A1": "there", "A2": "there"}
    assert len(await rig.items("/devices/A2/users")) == 2
    await rig.api("DELETE", "/users/6")
    await person(rig, "5", areas=[])
    await fetch(rig, first, second)
    assert held(first) == held(second) == {}
    shown = (await rig.api("GET", "/areas/North/distribution")).json
    assert sum(shown["parts"].values()) == 0
