"""The encoding of a terminal: how its texts are read, written, and read again."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig
from .setting_aside import OPERLOG, look


@pytest_twisted.ensureDeferred
async def test_the_encoding_of_a_terminal_decides_how_its_texts_are_read_and_written(
    rig: Rig,
) -> None:
    """Of uploads, of commands, and of rejects, which are read again when it is set."""
    pin = "\u5f20" * 25  # too long as bytes that are no UTF-8
    await rig.exchange()
    line = f"USER PIN={pin}\tName=\u5f20\u4f1f\n".encode("gb18030")
    assert (await rig.post(OPERLOG, line)).body == b"OK: 0"
    assert len(await rig.items("/rejects")) == 1
    changed = await rig.api("PATCH", "/devices/T1", {"encoding": "gb18030"})
    assert changed.json["encoding"] == "gb18030"
    await look(rig)
    assert await rig.items("/rejects") == []
    (user,) = await rig.items("/users")
    assert (user["pin"], user["name"]) == (pin, "\u5f20\u4f1f")
    await rig.post(OPERLOG, "USER PIN=8\tName=\u738b\n".encode("gb18030"))
    assert [one["name"] for one in await rig.items("/users")] == ["\u5f20\u4f1f", "\u738b"]
    command = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "9", "Name": "\u674e"}}
    await rig.api("POST", "/devices/T1/commands", command)
    assert "Name=\u674e".encode("gb18030") in (await rig.get("getrequest?SN=T1")).body
    refused = await rig.api("PATCH", "/devices/T1", {"encoding": "latin"})
    assert refused.status == 400
    assert "encoding: it is one of big5, cp874, " in refused.json["detail"]
    assert (await rig.api("PATCH", "/devices/T1", {"encoding": None})).json["encoding"] is None


async def name_sent(rig: Rig, pin: str, name: str) -> bytes:
    """The poll that sends a name to the terminal."""
    command = {"command": "DATA UPDATE USERINFO", "params": {"PIN": pin, "Name": name}}
    assert (await rig.api("POST", "/devices/T1/commands", command)).status == 202
    return (await rig.get("getrequest?SN=T1")).body


@pytest.mark.parametrize(
    ("language", "promised", "used"), [("83", "gb18030", "utf-8"), ("84", "utf-8", "gb18030")]
)
@pytest_twisted.ensureDeferred
async def test_a_terminal_in_chinese_is_understood_in_its_encoding(
    rig: Rig, language: str, promised: str, used: str
) -> None:
    """Its names are read in either encoding, and it is sent names in the one that it uses."""
    wang, li = "\u738b\u4f1f", "\u674e\u5a1c"
    exchange = "cdata?SN=T1&options=all&pushver=2.4.1"
    await rig.get(f"{exchange}&language={language}")
    await rig.post(OPERLOG, f"USER PIN=1\tName={wang}\n".encode(promised))
    assert f"Name={li}".encode(promised) in await name_sent(rig, "2", li)
    await rig.post(OPERLOG, f"USER PIN=3\tName={li}\n".encode(used))
    assert f"Name={wang}".encode(used) in await name_sent(rig, "4", wang)
    # What it repeats of the names that it was sent before changes nothing.
    await rig.post(OPERLOG, f"USER PIN=5\tName={wang}\n".encode(promised))
    assert f"Name={li}".encode(used) in await name_sent(rig, "6", li)
    names = {one["pin"]: one["name"] for one in await rig.items("/users")}
    assert names == {"1": wang, "3": li, "5": wang}
    # The operator's word ends that, and so does another language.
    await rig.api("PATCH", "/devices/T1", {"encoding": promised})
    assert f"Name={wang}".encode(promised) in await name_sent(rig, "7", wang)
    await rig.api("PATCH", "/devices/T1", {"encoding": None})
    await rig.post(OPERLOG, f"USER PIN=8\tName={li}\n".encode(used))
    assert f"Name={wang}".encode(used) in await name_sent(rig, "9", wang)
    await rig.get(f"{exchange}&language=69")
    await rig.get(f"{exchange}&language={language}")
    assert f"Name={li}".encode(promised) in await name_sent(rig, "10", li)


@pytest.mark.parametrize("language", ["83", "84"])
@pytest_twisted.ensureDeferred
async def test_rejects_are_read_again_when_a_terminal_is_set_to_chinese(
    rig: Rig, language: str
) -> None:
    """The language number decides whether its texts may be GB18030."""
    pin = "\u5f20" * 25  # too long as bytes that are no UTF-8
    await rig.exchange()
    line = f"USER PIN={pin}\tName=\u5f20\u4f1f\n".encode("gb18030")
    assert (await rig.post(OPERLOG, line)).body == b"OK: 0"
    await look(rig)
    assert len(await rig.items("/rejects")) == 1
    await rig.get(f"cdata?SN=T1&options=all&pushver=2.4.1&language={language}")
    await look(rig)
    assert await rig.items("/rejects") == []
    (user,) = await rig.items("/users")
    assert (user["pin"], user["name"]) == (pin, "\u5f20\u4f1f")
