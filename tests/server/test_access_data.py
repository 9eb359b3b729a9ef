"""Access data: defined once for an area, and issued to its terminals."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest
import pytest_twisted

from zkpush.handlers.accessdata.reconciler import AccessReconciler
from zkpush.handlers.entries.tables import (
    ACCESS_GROUP,
    ACCESS_HOLIDAY,
    ACCESS_TIME_ZONE,
    ACCESS_UNLOCK_COMBINATION,
    ADPIC,
    SHORTCUT_KEY,
    SMS,
    USER_SMS,
    WORKCODE,
)
from zkpush.protocol.fields import Table
from zkpush.simulator.terminal import SimulatedTerminal

from ..rig import Rig
from .test_distribution import distribute, joined, look, person, wired

FOR_ANN = {"kind": "users", "users": ["5"]}
JPEG = bytes.fromhex("ffd8ffc0000b080001000101011100ffda0008010100003f00d2ffd9")
"""A picture of one pixel."""
WEEK = {
    **dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "08:00-17:30"),
    "saturday": "09:00-12:00",
    "sunday": "closed",
}
ALL: Mapping[str, Mapping[str, object]] = {
    "time-periods/5": WEEK,
    "holidays/1": {"name": "Winter", "start": "12-24", "end": "12-26", "time_period": 5},
    "groups/2": {"verify": 1, "valid_on_holidays": True, "time_periods": [5]},
    "combinations/3": {"groups": [2, 2]},
    "work-codes/10": {"name": "Assembly"},
    "messages/7": {"text": "Canteen closed", "start": "2026-03-01 08:00", "minutes": 60},
    "shortcut-keys/1": {"function": 1, "state": 0, "name": "In", "monday": "08:00"},
    "pictures/1": {"content": base64.b64encode(JPEG).decode()},
}


def issuer(rig: Rig) -> AccessReconciler:
    """The reconciler of access data of a daemon."""
    (found,) = (job for job in rig.daemon.jobs if isinstance(job, AccessReconciler))
    return found


async def issue(rig: Rig, *terminals: SimulatedTerminal) -> None:
    """Let terminals poll until nothing is left for them."""
    for _ in range(30):
        await look(rig)
        await issuer(rig).work()
        if not any([await terminal.poll() for terminal in terminals]):
            return
    raise AssertionError("commands without end")


async def define(rig: Rig, *paths: str, area: str = "North") -> None:
    """Define entries of `ALL` in an area."""
    for path in paths or ALL:
        put = await rig.api("PUT", f"/areas/{area}/{path}", ALL[path])
        assert put.status == 200, (path, put.raw)


def sent(terminal: SimulatedTerminal) -> list[bytes]:
    """The commands that a terminal has executed, without questions for what it holds."""
    return [text for text in terminal.executed if b"DATA QUERY" not in text]


def held(terminal: SimulatedTerminal, table: Table) -> list[dict[str, Any]]:
    """The records of a table on a terminal."""
    return [dict(one.own.values) for one in terminal.outbox.held(table)]


async def states(rig: Rig, path: str, area: str = "North") -> dict[str, str]:
    """The states of an entry by terminal."""
    found = await rig.items(f"/areas/{area}/{path}/terminals")
    return {one["device"]: one["state"] for one in found}


async def mistakes(rig: Rig, path: str, fields: Mapping[str, object]) -> str:
    """The error of a definition."""
    reply = await rig.api("PUT", f"/areas/North/{path}", fields)
    assert reply.status == 400, reply.raw
    return str(reply.json["detail"])


@pytest_twisted.ensureDeferred
async def test_nothing_is_issued_until_the_area_distributes(rig: Rig) -> None:
    """The entries of an area that does not distribute reach no terminal."""
    first = await joined(rig, "A1")
    await define(rig)
    await issue(rig, first)
    assert sent(first) == []
    assert await states(rig, "work-codes/10") == {}


@pytest_twisted.ensureDeferred
async def test_every_table_reaches_all_terminals_of_the_area(rig: Rig) -> None:
    """As the specification writes them, once; sending again is a no-op."""
    first, second = await joined(rig, "A1"), await joined(rig, "A2")
    other = await joined(rig, "B1", "South")
    await define(rig)
    await distribute(rig)
    await issue(rig, first, second, other)
    for terminal in first, second:
        (period,) = held(terminal, ACCESS_TIME_ZONE)
        assert (period["UID"], period["MonStart"], period["MonEnd"]) == (5, "0800", "1730")
        assert (period["SatEnd"], period["SunStart"], period["SunEnd"]) == ("1200", "2357", "2356")
        (holiday,) = held(terminal, ACCESS_HOLIDAY)
        assert (holiday["StartDate"], holiday["EndDate"], holiday["TimeZone"]) == (
            "1224",
            "1226",
            5,
        )
        (group,) = held(terminal, ACCESS_GROUP)
        assert (group["ID"], group["Verify"], group["ValidHoliday"]) == (2, 1, 1)
        assert group["TZ"] == "1;5;0;0"
        (combination,) = held(terminal, ACCESS_UNLOCK_COMBINATION)
        assert [combination[f"Group{number}"] for number in range(1, 6)] == [2, 2, 0, 0, 0]
        (code,) = held(terminal, WORKCODE)
        assert (code["code"], code["name"], code["index"]) == ("10", "Assembly", "1")
        (message,) = held(terminal, SMS)
        assert (message["message"], message["tag"], message["minutes"]) == (
            "Canteen closed",
            253,
            60,
        )
        (key,) = held(terminal, SHORTCUT_KEY)
        assert (key["KeyFun"], key["StatusCode"], key["AutoState"], key["Mon"]) == (1, 0, 1, 1)
        assert key["AutoTime"] == "08:00;00:00;00:00;00:00;00:00;00:00;00:00"
        (picture,) = held(terminal, ADPIC)
        assert (picture["index"], picture["content"]) == (
            "1",
            base64.b64encode(JPEG).decode(),
        )
        assert len(sent(terminal)) == len(ALL)
    assert sent(other) == []
    assert await states(rig, "groups/2") == {"A1": "there", "A2": "there"}
    await define(rig)
    await rig.api("POST", "/areas/North/repair")
    await issue(rig, first, second)
    assert len(sent(first)) == len(ALL)
    (listed,) = await rig.items("/areas/North/groups")
    assert listed["fields"]["verify_meaning"] == "Only fingerprint"
    assert (listed["key"], listed["terminals"]["there"]) == ("2", 2)


@pytest_twisted.ensureDeferred
async def test_a_change_is_sent_and_a_deletion_deletes(rig: Rig) -> None:
    """What terminals can delete is deleted there; of the rest, the state says that it stays."""
    first = await joined(rig, "A1")
    await define(rig)
    await distribute(rig)
    await issue(rig, first)
    changed = await rig.api("PUT", "/areas/North/work-codes/10", {"name": "Delivery"})
    assert changed.json["fields"] == {"name": "Delivery", "index": 1}
    await issue(rig, first)
    assert [one["name"] for one in held(first, WORKCODE)] == ["Delivery"]
    for path in reversed(ALL):
        assert (await rig.api("DELETE", f"/areas/North/{path}")).status == 204, path
    await issue(rig, first)
    assert [held(first, table) for table in (WORKCODE, SMS, ADPIC)] == [[], [], []]
    assert [one["KeyFun"] for one in held(first, SHORTCUT_KEY)] == [0]
    left = await rig.items("/devices/A1/access-data")
    assert {one["table"] for one in left} == {
        "time-periods",
        "holidays",
        "groups",
        "combinations",
    }
    assert {one["state"] for one in left} == {"does_not_fit"}
    assert left[0]["meaning"] == (
        "Deleted here. Terminals have no command that deletes a time period; it keeps this one."
    )


@pytest_twisted.ensureDeferred
async def test_who_joins_comes_back_empty_or_moves_is_filled(rig: Rig) -> None:
    """After CLEAR DATA, and after a move to an area with other data."""
    first = await joined(rig, "A1", users=3)
    await rig.api("POST", "/devices/A1/adopt")
    await define(rig, "time-periods/5", "work-codes/10")
    await rig.api("PUT", "/areas/South", {})
    put = await rig.api("PUT", "/areas/South/work-codes/20", {"name": "Repair"})
    assert put.status == 200
    await distribute(rig)
    await issue(rig, first)
    assert len(held(first, WORKCODE)) == 1
    cleared = await rig.api("POST", "/devices/A1/commands?confirm=3", {"command": "CLEAR DATA"})
    assert cleared.status == 202, cleared.raw
    await first.poll()
    assert held(first, WORKCODE) == []
    await issue(rig, first)
    assert [one["code"] for one in held(first, WORKCODE)] == ["10"]
    assert len(held(first, ACCESS_TIME_ZONE)) == 1
    await rig.api("PATCH", "/devices/A1", {"area": "South"})
    await issue(rig, first)  # South does not distribute
    assert [one["code"] for one in held(first, WORKCODE)] == ["10"]
    await distribute(rig, "South")
    await issue(rig, first)
    assert [one["code"] for one in held(first, WORKCODE)] == ["20"]
    await rig.api("PATCH", "/devices/A1", {"area": "North"})
    await issue(rig, first)
    assert [one["code"] for one in held(first, WORKCODE)] == ["10"]


@pytest_twisted.ensureDeferred
async def test_a_message_reaches_its_users_once_the_terminal_has_them(rig: Rig) -> None:
    """A user who is not on the terminal yet waits; an erased one is off the message."""
    first = await joined(rig, "A1")
    body = {**ALL["messages/7"], "kind": "users", "users": ["5", "6"]}
    await person(rig, "5", name="Ann")
    assert (await rig.api("PUT", "/areas/North/messages/7", body)).status == 200
    await distribute(rig)
    await issue(rig, first)
    assert [one["tag"] for one in held(first, SMS)] == [254]
    assert [one["pin"] for one in held(first, USER_SMS)] == ["5"]
    (place,) = await rig.items("/areas/North/messages/7/terminals")
    assert (place["state"], place["meaning"]) == (
        "on_its_way",
        "For user 6: Waits until the terminal has the user.",
    )
    await person(rig, "6", name="Bob")
    await issue(rig, first)
    assert [one["pin"] for one in held(first, USER_SMS)] == ["5", "6"]
    assert await states(rig, "messages/7") == {"A1": "there"}
    await rig.api("DELETE", "/users/6?erase=true")
    (listed,) = await rig.items("/areas/North/messages")
    assert listed["fields"]["users"] == ["5"]
    await rig.api("PUT", "/areas/North/messages/7", ALL["messages/7"])
    await issue(rig, first)
    (place,) = await rig.items("/areas/North/messages/7/terminals")
    assert place["meaning"] == (
        "For user 5: Deleted here. Terminals have no command that takes a user off a message; "
        "delete the message."
    )
    await rig.api("DELETE", "/areas/North/messages/7")
    await issue(rig, first)
    assert await rig.items("/devices/A1/access-data") == []


@pytest_twisted.ensureDeferred
async def test_a_user_who_comes_back_gets_the_message_again(rig: Rig) -> None:
    """The assignment goes with the user, and comes with the user."""
    first = await joined(rig, "A1")
    await person(rig, "5", name="Ann")
    await rig.api("PUT", "/areas/North/messages/7", {**ALL["messages/7"], **FOR_ANN})
    await distribute(rig)
    await issue(rig, first)
    await rig.api("PUT", "/users/5", {"areas": []})
    await issue(rig, first)
    assert b"DATA DELETE USERINFO PIN=5" in sent(first)[-1]
    before = len(sent(first))
    await person(rig, "5")
    await issue(rig, first)
    assert len(sent(first)) > before
    assert sent(first)[-1] == b"DATA UPDATE USER_SMS PIN=5\tUID=7"


@pytest_twisted.ensureDeferred
async def test_a_look_without_anything_to_do_only_reads(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message for a user whom the terminal has is no reason to write."""
    first = await joined(rig, "A1")
    await person(rig, "5", name="Ann")
    await rig.api("PUT", "/areas/North/messages/7", {**ALL["messages/7"], **FOR_ANN})
    await distribute(rig)
    await issue(rig, first)
    assert await states(rig, "messages/7") == {"A1": "there"}

    def refuse(unit: object) -> None:
        raise AssertionError("a transaction that writes")

    monkeypatch.setattr(rig.store, "write", refuse)
    await issuer(rig).work()


@pytest_twisted.ensureDeferred
async def test_a_refusal_is_kept_with_its_reason(rig: Rig) -> None:
    """A terminal that refuses is asked again by a repair only."""
    await wired(rig)
    await define(rig, "work-codes/10")
    await distribute(rig)
    await look(rig)
    await issuer(rig).work()
    command = (await rig.get("getrequest?SN=A1")).body
    number = command.split(b":")[1].decode()
    assert b"DATA UPDATE WORKCODE PIN=1\tCODE=10\tNAME=Assembly" in command
    (place,) = await rig.items("/devices/A1/access-data")
    assert (place["state"], place["meaning"]) == (
        "on_its_way",
        "A command is queued for the terminal.",
    )
    await rig.post("devicecmd?SN=A1", f"ID={number}&Return=-1001&CMD=DATA".encode())
    await issuer(rig).work()
    (place,) = await rig.items("/devices/A1/access-data")
    assert (place["state"], place["meaning"]) == (
        "refused",
        "Limited capacity (return code -1001)",
    )
    await issuer(rig).work()
    assert (await rig.get("getrequest?SN=A1")).body == b"OK"
    await rig.api("POST", "/areas/North/repair")
    await look(rig)
    await issuer(rig).work()
    assert b"WORKCODE" in (await rig.get("getrequest?SN=A1")).body


@pytest_twisted.ensureDeferred
async def test_a_terminal_without_a_table_gets_no_more_of_it(rig: Rig) -> None:
    """Its answer to one command decides for the entries that wait, which then do not fit."""
    await wired(rig)
    await rig.api("PUT", "/areas/North", {})
    for code in range(100, 160):
        path = f"/areas/North/work-codes/{code}"
        assert (await rig.api("PUT", path, {"name": "x"})).status == 200
    await distribute(rig)
    await look(rig)
    await issuer(rig).work()
    asked = (await rig.get("getrequest?SN=A1")).body
    number = asked.split(b":")[1].decode()
    await rig.post("devicecmd?SN=A1", f"ID={number}&Return=-1002&CMD=DATA".encode())
    await issuer(rig).work()
    places = await rig.items("/devices/A1/access-data")
    states = [place["state"] for place in places]
    assert (states.count("does_not_fit"), states.count("on_its_way")) == (11, 49)
    assert places[0]["meaning"] == "The terminal does not support work codes."


@pytest_twisted.ensureDeferred
async def test_unknown_fields_are_refused_with_similar_names(rig: Rig) -> None:
    """Each mistake is a sentence that ends once, whether it is a statement or a question."""
    await rig.api("PUT", "/areas/North", {})
    found = await mistakes(rig, "work-codes/10", {"name": "x", "nme": "x", "zzz": "1"})
    assert "nme: is not a field of work-codes; did you mean name? zzz: is not" in found
    assert found.endswith("there are name, index.")


@pytest.mark.parametrize(
    ("path", "changes", "words"),
    [
        ("time-periods/5", {"monday": "08:00-24:00"}, "monday: '08:00-24:00' is not a begin"),
        ("time-periods/5", {"monday": "22:00-06:00"}, "monday: the end 06:00 is before"),
        ("time-periods/0", {}, "key: '0' is not a number from 1 to 9999"),
        ("time-periods/5", {"Monday": "closed"}, "Monday: is not a field of time-periods"),
        ("holidays/1", {"start": "02-30", "end": "03-01"}, "start: 02-30 is not a day"),
        ("holidays/1", {"end": "01-06"}, "end: 01-06 is before 12-24; define two holidays"),
        ("holidays/1", {"time_period": 9}, "time_period: there is no time period 9 in the area"),
        (
            "groups/2",
            {"time_periods": [5, 9]},
            "time_periods: there is no time period 9 in the area",
        ),
        ("groups/2", {"time_periods": "5,5"}, "time_periods: '5' is given twice"),
        ("groups/2", {"time_periods": [1, 2, 3, 4]}, "has 4 items; at most 3"),
        ("groups/2", {"verify": 99}, "verify: 99 is not a known code"),
        ("combinations/3", {"groups": [4]}, "groups: there is no group 4 in the area"),
        ("work-codes/a%20b", {}, "key: 'a b' is not a code"),
        ("work-codes/11", {"index": 1}, "index: 1 is the index of the work code 10"),
        ("work-codes/10", {"name": "a\tb"}, "name: has control characters"),
        ("messages/7", {"text": "Ж" * 161}, "text: has 322 bytes"),
        ("messages/7", {"start": "2026-02-30 08:00"}, "start: 2026-02-30 08:00 is not a day"),
        ("messages/7", {"minutes": 0}, "minutes: 0 is less than 1"),
        ("messages/7", {"kind": "users"}, "users: is needed"),
        ("messages/7", {"users": ["5"]}, "users: a public message is for everyone"),
        ("shortcut-keys/9", {}, "key: '9' is not a number from 1 to 8"),
        ("shortcut-keys/1", {"state": None}, "state: is needed for a state key"),
        ("shortcut-keys/1", {"function": 4}, "state: is for state keys only"),
        ("pictures/1", {"content": "R0lGODlh"}, "content: The picture is no JPEG file"),
        ("pictures/1", {"content": "not base64!"}, "content: is not base64"),
        (
            "pictures/1",
            {"content": base64.b64encode(JPEG[:-2] + bytes(524_288) + JPEG[-2:]).decode()},
            "content: the picture has 524316 bytes; at most",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_wrong_fields_are_named(
    rig: Rig, path: str, changes: Mapping[str, object], words: str
) -> None:
    """The error names the field and the mistake, and nothing is stored."""
    await rig.api("PUT", "/areas/North", {})
    await define(rig, "time-periods/5", "groups/2", "work-codes/10")
    table = path.split("/", maxsplit=1)[0]
    good = next(fields for name, fields in ALL.items() if name.startswith(table))
    before = await rig.items(f"/areas/North/{table}")
    assert words in await mistakes(rig, path, {**good, **changes})
    assert await rig.items(f"/areas/North/{table}") == before


@pytest_twisted.ensureDeferred
async def test_what_others_refer_to_is_not_deleted(rig: Rig) -> None:
    """The error names the entries that refer to it; unknown names are 404."""
    await rig.api("PUT", "/areas/North", {})
    await define(rig, "time-periods/5", "holidays/1", "groups/2", "combinations/3")
    refused = await rig.api("DELETE", "/areas/North/time-periods/5")
    assert refused.status == 409
    assert "used by holiday 1, group 2" in refused.json["detail"]
    for path in ("time-periods/6", "periods/5"):
        assert (await rig.api("DELETE", f"/areas/North/{path}")).status == 404
    assert (await rig.api("GET", "/areas/North/group")).json["detail"] == (
        "There is no table group of access data; did you mean groups?"
    )
    assert (await rig.api("PUT", "/areas/Nowhere/work-codes/1", {"name": "x"})).status == 404


@pytest_twisted.ensureDeferred
async def test_changes_are_in_the_audit_log_without_contents(rig: Rig) -> None:
    """With the area, the table and the key; a repetition is no change."""
    await rig.api("PUT", "/areas/North", {})
    await define(rig, "messages/7")
    await define(rig, "messages/7")
    await rig.api("DELETE", "/areas/North/messages/7")
    acts = [
        (one["action"], one["subject"], one["detail"].partition(";")[0])
        for one in await rig.items("/audit")
        if "access data" in one["action"]
    ]
    assert acts == [
        ("change access data", "area North", "messages 7"),
        ("delete access data", "area North", "messages 7"),
    ]


@pytest_twisted.ensureDeferred
async def test_a_deleted_area_takes_its_access_data_along(rig: Rig) -> None:
    """An area of the same name begins without access data."""
    await rig.api("PUT", "/areas/North", {})
    await define(rig, "work-codes/10")
    assert (await rig.api("DELETE", "/areas/North")).status == 204
    await rig.api("PUT", "/areas/North", {})
    assert await rig.items("/areas/North/work-codes") == []


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_access_data_is_issued_on_postgresql(make_rig: Any, postgres_url: str) -> None:
    """As on SQLite: defined, issued, changed, deleted, and gone with its area."""
    rig = await make_rig(database=postgres_url)
    first = await joined(rig, "A1")
    await define(rig)
    body = {**ALL["messages/7"], "kind": "users", "users": ["5", "6"]}
    assert (await rig.api("PUT", "/areas/North/messages/7", body)).status == 200
    await person(rig, "5", name="Ann")
    await distribute(rig)
    await issue(rig, first)
    assert [one["pin"] for one in held(first, USER_SMS)] == ["5"]
    await define(rig, "messages/7")
    await rig.api("DELETE", "/areas/North/work-codes/10")
    await issue(rig, first)
    assert held(first, WORKCODE) == []
    found = {one["table"]: one["state"] for one in await rig.items("/devices/A1/access-data")}
    assert (found["groups"], found["messages"]) == ("there", "does_not_fit")
    await rig.api("PATCH", "/devices/A1", {"area": "South"})
    assert (await rig.api("DELETE", "/areas/North")).status == 204
    await rig.api("PUT", "/areas/North", {})
    assert await rig.items("/areas/North/groups") == []
