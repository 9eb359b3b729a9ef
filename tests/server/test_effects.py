"""What follows from the answers to commands (12.1.3, 12.3.3, 12.4, 12.5, 12.8)."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted

from zkpush.persist.files import FileStore

from ..rig import Rig
from .files import add

POLL = "getrequest?SN=T1"
TEMPLATE = base64.b64encode(b"nobody's template").decode()


async def sent(rig: Rig, name: str, **params: str) -> str:
    """Queue a command and let the terminal have it; its CmdID."""
    body = {"command": name, "params": params}
    reply = await rig.api("POST", "/devices/T1/commands", body)
    assert reply.status == 202, reply.raw
    line = (await rig.get(POLL)).body
    assert line.startswith(f"C:{reply.json['id']}:".encode())
    return reply.json["id"]


async def answered(rig: Rig, body: bytes) -> None:
    """Answer as the terminal."""
    assert (await rig.post("devicecmd?SN=T1", body)).body == b"OK"


async def shown(rig: Rig, command_id: str) -> dict:
    """A command, as the API shows it."""
    return (await rig.api("GET", f"/commands/{command_id}")).json


@pytest_twisted.ensureDeferred
async def test_an_option_that_was_set_shows_on_the_terminal(rig: Rig) -> None:
    """SET OPTION: once it is done, the device has the option; a failure changes nothing."""
    await rig.exchange()
    first = await sent(rig, "SET OPTION", key="VolumnLevel", value="30")
    await answered(rig, f"ID={first}&Return=0&CMD=SET OPTION".encode())
    second = await sent(rig, "SET OPTION", key="VolumnLevel", value="99")
    await answered(rig, f"ID={second}&Return=-1&CMD=SET OPTION".encode())
    device = (await rig.api("GET", "/devices/T1")).json
    assert device["options"] == {"VolumnLevel": "30"}


CONTENT = b"\x00\xff\nID=other&Return=0&CMD=LOG\nContent=\r\n more \n"


@pytest_twisted.ensureDeferred
async def test_a_file_of_the_terminal_is_kept(rig: Rig) -> None:
    """GetFile: the bytes after Content= are a file, whatever they look like (12.5.1)."""
    await rig.exchange()
    other = await sent(rig, "LOG")
    command = await sent(rig, "GetFile", path="/mnt/mtdblock/../etc/passwd")
    head = f"ID={command}\nSN=T1\nFILENAME=passwd\nCMD=GetFile\nReturn={len(CONTENT)}\nContent="
    await answered(rig, head.encode() + CONTENT)
    ended = await shown(rig, command)
    assert (ended["state"], ended["return_code"]) == ("done", len(CONTENT))
    file = await rig.store.read(lambda tx: tx[FileStore].get(int(ended["result"]["file"])))
    assert (file.name, file.size) == ("passwd", len(CONTENT))
    assert file.origin == f"T1 {command}"
    assert await rig.store.read(lambda tx: tx[FileStore].content(file)) == CONTENT
    assert (await shown(rig, other))["state"] == "sent"


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"total 3\nID=1&Return=0\n", "total 3\nID=1&Return=0\n"), (b"\x00\xff", None)],
)
@pytest_twisted.ensureDeferred
async def test_what_a_shell_prints_is_kept(rig: Rig, content: bytes, text: str | None) -> None:
    """SHELL: text in the result, anything else as a file; Return is the command's own (12.8.1)."""
    await rig.exchange()
    command = await sent(rig, "SHELL", command="ls -l")
    head = f"ID={command}\nSN=T1\nReturn=0\nCMD=Shell\nFILENAME=shellout.txt\nContent="
    await answered(rig, head.encode() + content)
    ended = await shown(rig, command)
    assert ended["state"] == "done"
    assert ended["result"].get("Content") == text
    if text is None:
        file = await rig.store.read(lambda tx: tx[FileStore].get(int(ended["result"]["file"])))
        assert await rig.store.read(lambda tx: tx[FileStore].content(file)) == content


@pytest_twisted.ensureDeferred
async def test_counts_are_compared(rig: Rig) -> None:
    """VERIFY SUM: a terminal that counts more than is stored is a problem people see (12.3.3)."""
    await rig.exchange()
    lines = b"".join(b"7\t2026-02-0%d 08:00:00\t0\t1\n" % day for day in range(1, 6))
    await rig.post("cdata?SN=T1&table=ATTLOG", lines)
    period = {"StartTime": "2026-02-02 00:00:00", "EndTime": "2026-02-04 23:59:59"}

    async def counted(number: int) -> dict:
        command = await sent(rig, "VERIFY SUM ATTLOG", **period)
        body = (
            f"ID={command}&Return=0&CMD=VERIFY SUM&StartTime={period['StartTime']}"
            f"&EndTime={period['EndTime']}&AttlogSum={number}"
        )
        await answered(rig, body.encode())
        return (await shown(rig, command))["result"]

    async def problems() -> list[str]:
        device = (await rig.api("GET", "/devices/T1")).json
        return [problem["code"] for problem in device["problems"]]

    result = await counted(5)
    assert (result["AttlogSum"], result["stored"], result["agrees"]) == ("5", "3", "no")
    assert await problems() == ["attendance count differs"]
    assert (await counted(3))["agrees"] == "yes"
    assert await problems() == []


@pytest_twisted.ensureDeferred
async def test_a_query_ends_when_its_records_have_arrived(rig: Rig) -> None:
    """The answer comes first, the records after it: the next poll ends the command (12.1.3)."""
    await rig.exchange()
    query = await sent(rig, "DATA QUERY USERINFO", PIN="7")
    await answered(rig, f"ID={query}&Return=0&CMD=DATA".encode())
    assert (await shown(rig, query))["state"] == "sent"
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=8\tName=Bob")
    assert (await shown(rig, query))["state"] == "sent"
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann")
    assert (await shown(rig, query))["state"] == "sent"
    assert (await rig.get(POLL)).body == b"OK"
    ended = await shown(rig, query)
    assert (ended["state"], ended["result"]) == ("done", {"records": "1"})


@pytest_twisted.ensureDeferred
async def test_a_query_whose_records_came_first_ends_with_its_answer(rig: Rig) -> None:
    """Records that arrive before the answer are counted."""
    await rig.exchange()
    query = await sent(rig, "DATA QUERY FINGERTMP", PIN="7")
    fingers = f"FP PIN=7\tFID=1\tTMP={TEMPLATE}\nFP PIN=7\tFID=2\tTMP={TEMPLATE}"
    await rig.post("cdata?SN=T1&table=OPERLOG", f"{fingers}\nFP PIN=8\tTMP=AAAA".encode())
    assert (await shown(rig, query))["state"] == "sent"
    await answered(rig, f"ID={query}&Return=0&CMD=DATA".encode())
    ended = await shown(rig, query)
    assert (ended["state"], ended["result"]) == ("done", {"records": "2"})


@pytest_twisted.ensureDeferred
async def test_a_query_that_finds_nothing_ends_at_the_next_poll(rig: Rig) -> None:
    """A terminal that asks for more has sent what it had."""
    await rig.exchange()
    period = {"StartTime": "2026-02-02 00:00:00", "EndTime": "2026-02-04 23:59:59"}
    query = await sent(rig, "DATA QUERY ATTLOG", **period)
    await answered(rig, f"ID={query}&Return=0&CMD=DATA".encode())
    await rig.post("cdata?SN=T1&table=ATTLOG", b"7\t2026-02-05 08:00:00\t0\t1\n")
    assert (await shown(rig, query))["state"] == "sent"
    assert (await rig.get(POLL)).body == b"OK"
    ended = await shown(rig, query)
    assert (ended["state"], ended["result"]) == ("done", {"records": "0"})


@pytest_twisted.ensureDeferred
async def test_a_query_that_fails_has_no_records(rig: Rig) -> None:
    """A negative code ends it as failed."""
    await rig.exchange()
    query = await sent(rig, "DATA QUERY BIODATA", Type="9", PIN="7")
    await answered(rig, f"ID={query}&Return=-10&CMD=DATA".encode())
    ended = await shown(rig, query)
    assert ended["state"] == "failed"
    assert ended["meaning"] == "The user specified by PIN does not exist in the equipment"


@pytest.mark.parametrize(
    ("name", "params", "code", "state"),
    [
        ("ENROLL_FP", {"PIN": "7", "FID": "1"}, 0, "done"),
        ("ENROLL_FP", {"PIN": "7", "FID": "1"}, 6, "failed"),
        ("ENROLL_MF", {"PIN": "7"}, 5, "failed"),
        ("ENROLL_BIO", {"TYPE": "9", "PIN": "7"}, 2, "failed"),
        ("LOG", {}, 6, "done"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_success_is_judged_by_the_command(
    rig: Rig, name: str, params: dict[str, str], code: int, state: str
) -> None:
    """2 to 7 are failures to enrol, and sizes or counts elsewhere (Appendix 1)."""
    await rig.exchange()
    command = await sent(rig, name, **params)
    await answered(rig, f"ID={command}&Return={code}&CMD={name}".encode())
    assert (await shown(rig, command))["state"] == state


@pytest.mark.parametrize(
    ("command", "params", "mistake"),
    [
        ("UPGRADE", {"file": "99", "form": "1"}, "there is no file 99"),
        ("PutFile", {"url": "file/99/x", "path": "a"}, "there is no file 'file/99/x'"),
        (
            "PutFile",
            {"url": "http://elsewhere.example/x.tgz"},
            "there is no file 'http://elsewhere",
        ),
        ("PutFile", {"url": "file/../../etc/passwd", "path": "a"}, "there is no file"),
        ("PutFile", {"Action": "SyncData"}, "TableName"),
        ("PutFile", {"url": "file/1/a.tgz", "Action": "SyncData"}, "TableName"),
        ("PutFile", {"url": "file/1/a.dat"}, "path: says where"),
        ("DATA UPDATE BIOPHOTO", {"PIN": "7", "Type": "9", "Url": "file/99/x"}, "there is no file"),
        ("PutFile", {"Action": "SyncData", "TableName": "USERINFO"}, "nobody in the store"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_file_that_is_not_there_is_refused_where_the_command_is_made(
    rig: Rig, command: str, params: dict[str, str], mistake: str
) -> None:
    """A url is only ever looked up among our own files."""
    await rig.exchange()
    reply = await rig.api("POST", "/devices/T1/commands", {"command": command, "params": params})
    assert reply.status == 400
    assert mistake in reply.json["detail"]
    assert (await rig.get(POLL)).body == b"OK"


async def order(rig: Rig, name: str, answer: str = "Return=0&CMD=DATA", **params: str) -> str:
    """A command that the terminal has answered."""
    command = await sent(rig, name, **params)
    await answered(rig, f"ID={command}&{answer}".encode())
    return command


async def person(rig: Rig, pin: str = "7") -> dict:
    """A person, as the API shows it."""
    reply = await rig.api("GET", f"/users/{pin}")
    return reply.json if reply.status == 200 else {}


async def is_admitted(rig: Rig, pin: str = "7") -> bool:
    """The answer to background verification (12.8.3)."""
    body = f"PIN={pin}".encode()
    return (await rig.post("cdata?SN=T1&type=PostVerifyData", body)).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_person_that_a_command_added_is_known(rig: Rig) -> None:
    """DATA UPDATE USERINFO: once it is done, the API shows the person, and she is admitted."""
    await rig.exchange()
    params = {"PIN": "7", "Name": "Ann", "Pri": "14", "Passwd": "123", "Card": "[15CD5B07]"}
    await order(rig, "DATA UPDATE USERINFO", "Return=-1&CMD=DATA", **params)
    assert await person(rig) == {}
    assert not await is_admitted(rig)
    await order(rig, "DATA UPDATE USERINFO", **params)
    found = await person(rig)
    assert (found["name"], found["privilege"], found["card"]) == ("Ann", 14, "123456789")
    assert found["password"] == "123"
    assert found["device"] == "T1"
    assert await is_admitted(rig)
    await order(rig, "DATA UPDATE USERINFO", PIN="7", Card="")
    found = await person(rig)
    assert (found["name"], found["card"]) == ("Ann", None)


@pytest_twisted.ensureDeferred
async def test_a_command_does_not_undo_what_is_newer(rig: Rig) -> None:
    """What a terminal told after a command was queued stays, whenever the command is done."""
    await rig.exchange()
    command = await sent(rig, "DATA UPDATE USERINFO", PIN="7", Name="Ann")
    rig.clock.advance(60)
    await rig.exchange("T2")
    await rig.post("cdata?SN=T2&table=OPERLOG", b"USER PIN=7\tName=Anna")
    rig.clock.advance(60)
    await answered(rig, f"ID={command}&Return=0&CMD=DATA".encode())
    assert (await person(rig))["name"] == "Anna"
    # A command that was written later changes her, also to what she was called before.
    await order(rig, "DATA UPDATE USERINFO", PIN="7", Name="Ann")
    assert (await person(rig))["name"] == "Ann"


@pytest_twisted.ensureDeferred
async def test_a_command_does_not_undo_a_change_of_the_same_millisecond(rig: Rig) -> None:
    """It has a value that was replaced in that millisecond; one with another value is taken."""
    await rig.exchange()
    await rig.api("PUT", "/users/7", {"name": "Ann", "privilege": 2})
    rig.clock.advance(60)
    command = await sent(rig, "DATA UPDATE USERINFO", PIN="7", Name="Ann", Pri="2")
    await rig.api("PUT", "/users/7", {"name": "Eve"})
    await answered(rig, f"ID={command}&Return=0&CMD=DATA".encode())
    assert (await person(rig))["name"] == "Eve"
    await order(rig, "DATA UPDATE USERINFO", PIN="7", Name="Ada", Pri="2")
    assert (await person(rig))["name"] == "Ada"


@pytest_twisted.ensureDeferred
async def test_templates_and_photos_that_commands_added_are_known(rig: Rig) -> None:
    """They are shown with the person, as if the terminal had uploaded them."""
    await rig.exchange()
    await order(rig, "DATA UPDATE FINGERTMP", PIN="7", FID="3", Valid="3", TMP=TEMPLATE)
    biodata = {"Pin": "7", "Type": "9", "MajorVer": "5", "Tmp": TEMPLATE}
    await order(rig, "DATA UPDATE BIODATA", **biodata)
    picture = base64.b64encode(b"a picture").decode()
    await order(rig, "DATA UPDATE USERPIC", PIN="7", Content=picture)
    file = await add(rig, b"another picture", "7.jpg")
    await order(rig, "DATA UPDATE BIOPHOTO", PIN="7", Type="9", Url=str(file["path"]))
    templates = (await rig.api("GET", "/users/7/templates")).json["items"]
    found = {(one["type"], one["number"], one["valid"], one["duress"]) for one in templates}
    assert found == {(1, 3, 1, 1), (9, 0, 1, 0)}
    photos = (await rig.api("GET", "/users/7/photos")).json["items"]
    contents = {one["kind"]: base64.b64decode(one["content"]) for one in photos}
    assert contents == {"USERPIC": b"a picture", "BIOPHOTO": b"another picture"}


@pytest_twisted.ensureDeferred
async def test_a_person_who_was_removed_from_a_terminal_is_not_admitted_there(rig: Rig) -> None:
    """DATA DELETE USERINFO: she stays known for her records, and is admitted elsewhere."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
        await rig.post(f"cdata?SN={sn}&table=OPERLOG", b"USER PIN=7\tName=Ann")
    await order(rig, "DATA DELETE USERINFO", "Return=-1002&CMD=DATA", PIN="7")
    assert await is_admitted(rig)
    await order(rig, "DATA DELETE USERINFO", PIN="7")
    assert not await is_admitted(rig)
    assert (await rig.post("cdata?SN=T2&type=PostVerifyData", b"PIN=7")).body == b"OK"
    assert (await person(rig))["name"] == "Ann"
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann")
    assert await is_admitted(rig)


@pytest.mark.parametrize("form", ["lines", "pairs"])
@pytest.mark.parametrize(("announced", "state"), [(5, "done"), (9, "failed")])
@pytest_twisted.ensureDeferred
async def test_a_file_that_is_cut_short_is_kept_and_failed(
    rig: Rig, form: str, announced: int, state: str
) -> None:
    """GetFile: fewer bytes than announced are a failure with both numbers (12.5.1)."""
    await rig.exchange()
    command = await sent(rig, "GetFile", path="/mnt/log.txt")
    pairs = [f"ID={command}", "SN=T1", "FILENAME=log.txt", "CMD=GetFile", f"Return={announced}"]
    mark = "\n" if form == "lines" else "&"
    await answered(rig, mark.join([*pairs, "Content="]).encode() + b"a\n&\x00b")
    ended = await shown(rig, command)
    assert (ended["state"], ended["result"]["size"]) == (state, "5")
    assert ended["result"].get("announced") == (None if state == "done" else "9")
    assert state == "done" or "less arrived or was done" in ended["reason"]
    file = await rig.store.read(lambda tx: tx[FileStore].get(int(ended["result"]["file"])))
    assert await rig.store.read(lambda tx: tx[FileStore].content(file)) == b"a\n&\x00b"


@pytest_twisted.ensureDeferred
async def test_a_package_that_is_carried_out_in_part_is_failed(rig: Rig) -> None:
    """SyncData of 2 that answers 1, and a file of which a part was stored (12.5.2)."""
    await rig.exchange()
    await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=7\tName=Ann\nUSER PIN=8\tName=Bob")
    package = {"Action": "SyncData", "TableName": "USERINFO"}
    first = await order(rig, "PutFile", "Return=1&CMD=PutFile", **package)
    ended = await shown(rig, first)
    assert ended["state"] == "failed"
    assert (ended["result"]["processed"], ended["result"]["asked"]) == ("1", "2")
    second = await order(rig, "PutFile", "Return=2&CMD=PutFile", **package)
    assert (await shown(rig, second))["state"] == "done"
    file = await add(rig, b"0123456789", "a.dat")
    put = {"url": str(file["path"]), "path": "/mnt/a.dat"}
    for code, state in ((9, "failed"), (10, "done"), (0, "done")):
        command = await order(rig, "PutFile", f"Return={code}&CMD=PutFile", **put)
        assert (await shown(rig, command))["state"] == state


@pytest_twisted.ensureDeferred
async def test_a_query_with_fewer_records_than_announced_is_failed(rig: Rig) -> None:
    """Its return code is a number of records; what is missing at the next poll is missing."""
    await rig.exchange()
    for pins, state in (("78", "failed"), ("789", "done")):
        query = await sent(rig, "DATA QUERY USERINFO")
        await rig.post("cdata?SN=T1&table=OPERLOG", f"USER PIN={pins[0]}".encode())
        await answered(rig, f"ID={query}&Return=3&CMD=DATA".encode())
        assert (await shown(rig, query))["state"] == "sent"
        for pin in pins[1:]:
            await rig.post("cdata?SN=T1&table=OPERLOG", f"USER PIN={pin}".encode())
        assert (await rig.get(POLL)).body == b"OK"
        ended = await shown(rig, query)
        assert (ended["state"], ended["result"]["records"]) == (state, str(len(pins)))
        assert ended["result"].get("announced") == ("3" if state == "failed" else None)
