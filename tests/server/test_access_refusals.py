"""Access data that a terminal refuses: a problem of the terminal, until it is accepted or gone."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from ..console.browser import signed_in, text_of
from ..rig import Rig
from .sse import Listening
from .test_access_data import define, issuer
from .test_distribution import distribute, look, wired

CODE = "access data refused"


async def answered(rig: Rig, code: int) -> None:
    """Let the terminal A1 answer its next command of access data."""
    await look(rig)
    await issuer(rig).work()
    command = (await rig.get("getrequest?SN=A1")).body
    assert b"WORKCODE" in command
    number = command.split(b":")[1].decode()
    await rig.post("devicecmd?SN=A1", f"ID={number}&Return={code}&CMD=DATA".encode())
    await issuer(rig).work()


async def problems(rig: Rig) -> list[dict[str, Any]]:
    """The problems about refusals."""
    return await rig.items(f"/problems?code={CODE.replace(' ', '%20')}")


async def refused(rig: Rig) -> None:
    """A terminal that refuses the work code 10."""
    await wired(rig)
    await define(rig, "work-codes/10")
    await distribute(rig)
    await answered(rig, -1001)


@pytest_twisted.ensureDeferred
async def test_a_refusal_is_a_problem_of_the_terminal(rig: Rig) -> None:
    """It names the entry, says why, and is on the page of the terminal with what to do."""
    await refused(rig)
    (one,) = await problems(rig)
    assert (one["device"], one["detail"]) == (
        "A1",
        "work code 10: Limited capacity (return code -1001)",
    )
    assert "zkpush devices repair A1" in one["advice"]
    browser = await signed_in(rig)
    page = text_of(await browser.get("/terminals/A1"))
    assert "refuses access data of its area" in page
    assert "Limited capacity" in page


@pytest_twisted.ensureDeferred
async def test_the_problem_ends_when_the_entry_is_accepted(rig: Rig) -> None:
    """It stays while the changed entry is on its way, and after another refusal."""
    await refused(rig)
    for code, left in ((-1001, 1), (0, 0)):
        path = "/areas/North/work-codes/10"
        assert (await rig.api("PUT", path, {"name": f"Short {code}"})).status == 200
        await issuer(rig).work()
        assert len(await problems(rig)) == 1
        await answered(rig, code)
        assert len(await problems(rig)) == left


@pytest_twisted.ensureDeferred
async def test_the_problem_ends_when_the_entry_is_deleted(rig: Rig) -> None:
    """Nothing is sent to the terminal, which never had it; listeners are told of both."""
    await wired(rig)
    listener = await Listening(rig, "?kinds=problem").begun()
    await define(rig, "work-codes/10")
    await distribute(rig)
    await answered(rig, -1001)
    assert (await rig.api("DELETE", "/areas/North/work-codes/10")).status == 204
    await issuer(rig).work()
    assert await problems(rig) == []
    told = [data for _, _, data in await listener.hear(2) if data["code"] == CODE]
    assert [one["what"] for one in told] == ["raised", "cleared"]
    listener.hang_up()


@pytest_twisted.ensureDeferred
async def test_the_problem_ends_with_the_distribution(rig: Rig) -> None:
    """A terminal whose area distributes no more lacks nothing."""
    await refused(rig)
    assert (await rig.api("PUT", "/areas/North", {"distributes": False})).status == 200
    await look(rig)
    await issuer(rig).work()
    assert await problems(rig) == []
