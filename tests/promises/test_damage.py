"""A damaged or exchanged value is a problem of its own item, and is noticed."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted

from ..rig import Rig
from ..sealed import SealedTerminal
from ..server.files import add, order

JPEG = b"\xff\xd8\xff"
PICTURES = {name: JPEG + name.encode() * 40 for name in ("ann", "bob")}
PHOTO = "cdata?SN=T1&table=ATTPHOTO&Stamp=1"
OPERLOG = "cdata?SN=T1&table=OPERLOG&Stamp=1"
PEOPLE = "".join(
    f"USER PIN={pin}\tName={name}\tPasswd=word-{name}\n"
    f"USERPIC PIN={pin}\tContent={base64.b64encode(PICTURES[name]).decode()}\n"
    f"FP PIN={pin}\tFID=1\tTMP={base64.b64encode(PICTURES[name]).decode()}\n"
    f"WORKCODE PIN={pin}\tCODE={pin}\tNAME={name}\n"
    f"FP PIN={pin}\tFID=x\tTMP=word-{name}\n"
    for pin, name in enumerate(PICTURES, 1)
)


@pytest_twisted.async_yield_fixture
async def filled(make_rig, database: str):
    """A daemon whose database holds two of everything."""
    rig = await make_rig(database=database)
    await rig.exchange()
    for number, content in enumerate(PICTURES.values(), 1):
        head = f"PIN=2026030112000{number}-{number}.jpg\nSN=T1\nsize={len(content)}\nCMD=up\0"
        assert (await rig.post(PHOTO, head.encode() + content)).status == 200
        await add(rig, content, f"{number}.bin")
        await order(rig, "SET OPTION", key=f"ComPwd{number}", value=f"word-{number}")
    assert (await rig.post(OPERLOG, PEOPLE.encode())).body == b"OK: 8"
    await rig.post("cdata?SN=T1&table=options", b"~DeviceName=X,ComPwd=word-3")
    yield rig


async def run(rig: Rig, *statements: str) -> None:
    """What somebody with the database, and without the key, does to it."""

    def change(tx) -> None:
        for statement in statements:
            tx.connection.exec_driver_sql(statement)

    await rig.store.write(change)


def exchanged(table: str, column: str, key: str = "id") -> list[str]:
    """Statements that exchange a value between two rows."""
    return [
        f"CREATE TABLE taken AS SELECT {key} AS row, {column} AS value FROM {table}",  # noqa: S608
        f"UPDATE {table} SET {column} = "  # noqa: S608
        f"(SELECT value FROM taken WHERE row <> {table}.{key}) WHERE {key} IS NOT NULL",
        "DROP TABLE taken",
    ]


@pytest_twisted.ensureDeferred
async def test_attendance_photos_cannot_be_exchanged_unnoticed(filled: Rig) -> None:
    """A photo that shows somebody else's picture is damaged: it is not served, and is a problem."""
    for number, content in enumerate(PICTURES.values(), 1):
        assert (await filled.api("GET", f"/photos/{number}/content")).body == content
    await run(filled, *exchanged("attendance_photos", "picture"))
    for number in (1, 2):
        assert (await filled.api("GET", f"/photos/{number}/content")).status == 410
    assert [photo["damaged"] for photo in await filled.items("/photos")] == [["picture"]] * 2
    await run(filled, *exchanged("attendance_photos", "pointer"))
    for number in (1, 2):
        assert (await filled.api("GET", f"/photos/{number}/content")).status == 410
    codes = [problem["code"] for problem in await filled.items("/problems")]
    assert codes.count("damaged value") >= 2


@pytest_twisted.ensureDeferred
async def test_photos_of_people_cannot_be_exchanged_unnoticed(filled: Rig) -> None:
    """Each photo is that of its user, or none."""
    await run(filled, *exchanged("person_photos", "picture"))
    for pin in (1, 2):
        (photo,) = await filled.items(f"/users/{pin}/photos")
        assert (photo["content"], photo["damaged"]) == (None, ["content"])


@pytest_twisted.ensureDeferred
async def test_files_cannot_be_exchanged_unnoticed(filled: Rig) -> None:
    """The content of another file is not served, and no terminal is told to fetch it."""
    await run(filled, *exchanged("files", "content"))
    for file in await filled.items("/files"):
        assert "content" in file["damaged"]
        assert (await filled.api("GET", f"/files/{file['id']}/content")).status == 503
    asked = {"command": "UPGRADE", "params": {"file": "1", "form": "2"}}
    assert (await filled.api("POST", "/devices/T1/commands", asked)).status == 400


LISTS = [
    ("users", "password", "/users", "password"),
    ("users", "password", "/users/1", "password"),
    ("templates", "template", "/users/1/templates", "template"),
    ("entries", "fields", "/entries", "fields"),
    ("rejects", "raw", "/rejects", "raw"),
    ("rejects", "reason", "/rejects", "reason"),
    ("files", "md5", "/files", "md5"),
    ("commands", "body", "/devices/T1/commands", "params"),
]


@pytest.mark.parametrize(("table", "column", "path", "field"), LISTS)
@pytest_twisted.ensureDeferred
async def test_a_damaged_value_does_not_hide_the_others(
    filled: Rig, table: str, column: str, path: str, field: str
) -> None:
    """The list goes on; the item has null (or nothing) and says which of its fields is damaged."""
    before = (await filled.api("GET", path)).json
    where = "seq = 1" if table == "commands" else "id = 1"
    cut = f"UPDATE {table} SET {column} = substr({column}, 1, 60) WHERE {where}"  # noqa: S608
    await run(filled, cut)
    for _ in range(2):
        response = await filled.api("GET", path)
        assert response.status == 200, response.raw
        items = response.json.get("items", [response.json])
        was = before.get("items", [before])
        if table == "rejects":  # the newest come first
            items, was = items[::-1], was[::-1]
        assert items[0]["damaged"] == [field]
        assert not items[0][field]
        assert {**items[0], field: was[0][field], "size": was[0].get("size")} == {
            **was[0],
            "damaged": [field],
            "size": was[0].get("size"),
        }
        assert items[1:] == was[1:]
    problem, *others = await filled.items("/problems")
    assert [other["code"] for other in others] == ["rejects"]
    assert (problem["code"], problem["device"]) == ("damaged value", None)
    assert problem["detail"].startswith(column)


@pytest_twisted.ensureDeferred
async def test_a_damaged_command_fails_and_the_next_one_is_sent(filled: Rig) -> None:
    """Nobody knows what it says; the queue goes on."""
    await run(filled, "UPDATE commands SET body = substr(body, 1, 60) WHERE seq = 1")
    response = await filled.get("getrequest?SN=T1")
    assert (response.status, response.body.count(b"\n")) == (200, 1)
    assert response.body.endswith(b"SET OPTION ComPwd2=word-2\n")
    states = [command["state"] for command in await filled.items("/devices/T1/commands")]
    assert states == ["failed", "sent"]


@pytest_twisted.ensureDeferred
async def test_a_terminal_with_damaged_options_is_served_after_a_start(
    filled: Rig, make_rig, database: str
) -> None:
    """The daemon starts, that terminal has a problem until it says its options again."""
    await filled.exchange("T2")
    await run(filled, "UPDATE devices SET options = substr(options, 1, 60) WHERE sn = 'T1'")
    await filled.stop()
    again = await make_rig(database=database)
    await again.exchange()
    listed = {device["sn"]: device for device in await again.items("/devices")}
    assert [problem["code"] for problem in listed["T1"]["problems"]] == ["rejects", "damaged value"]
    assert (listed["T1"]["options"], listed["T2"]["problems"]) == ({}, [])
    await again.post("cdata?SN=T1&table=options", b"~DeviceName=X")
    device = (await again.api("GET", "/devices/T1")).json
    assert [problem["code"] for problem in device["problems"]] == ["rejects"]
    assert device["options"] == {"~DeviceName": "X"}


@pytest_twisted.ensureDeferred
async def test_a_terminal_with_damaged_session_keys_agrees_on_new_ones(
    filled: Rig, make_rig, database: str
) -> None:
    """It is told to begin anew, and its exchanges are not held up by what is damaged."""
    terminal = SealedTerminal(filled, "T3")
    await terminal.begin()
    assert await terminal.get("getrequest?SN=T3") == b"OK"
    await run(filled, "UPDATE sessions SET state = substr(state, 1, 60)")
    await filled.stop()
    terminal.rig = again = await make_rig(database=database)
    raw, *_ = terminal.request("GET", "getrequest?SN=T3")
    reply = await terminal.send(raw)
    assert (reply.status, reply.body) == (200, b"UNKNOWN DEVICE")
    await terminal.begin()
    assert await terminal.get("getrequest?SN=T3") == b"OK"
    problems = await again.items("/problems")
    assert any(problem["subject"].startswith("sessions ") for problem in problems)
