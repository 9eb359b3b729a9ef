"""What a captured sealed request is good for elsewhere: little for seconds, then nothing."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater

from zkpush.device.refusals import EVERY

from ..nodes.conftest import a_second
from ..rig import Rig
from .test_identity_of_sessions import BEGIN_AGAIN, LINE, POLL, UPLOAD, order, said, sealed, state

ONCE = "AC_UNLOCK"
"""A command that must not be executed twice."""
WINDOW = 5
"""Seconds in which another node may not know of a poll yet."""


@pytest.fixture
def database(tmp_path) -> str:
    """A database that processes share."""
    return f"sqlite:///{tmp_path / 'db.sqlite'}"


async def beside(make_rig, database: str, one: Rig, *, crashed: bool) -> Rig:
    """Another node; or one that starts after the first was killed, and wrote nothing any more."""
    if crashed:
        one.clock.advance = lambda _: None  # nothing of it runs again
    return await make_rig(database=database)


@pytest.mark.parametrize("crashed", [False, True])
@pytest.mark.parametrize(("name", "ends"), [("LOG", "sent"), (ONCE, "unknown")])
@pytest_twisted.ensureDeferred
async def test_a_sealed_poll_repeated_at_once_takes_a_command_and_cannot_read_it(
    make_rig, database: str, crashed: bool, name: str, ends: str
) -> None:
    """The command is sent again as after a lost reply, or ends as unknown."""
    one = await make_rig(database=database)
    terminal = await sealed(one)
    captured, *_ = terminal.request("GET", POLL)
    assert (await terminal.send(captured)).status == 200
    other = await beside(make_rig, database, one, crashed=crashed)
    command = await order(other, name)
    terminal.rig = other
    taken = await terminal.send(captured)
    assert taken.status == 200
    assert command.encode() not in taken.body
    assert name.encode() not in taken.body
    assert await state(other, command) == "sent"
    assert said(await terminal.send(captured)) == BEGIN_AGAIN
    other.clock.advance(301)
    again = await terminal.get(POLL)
    assert (command.encode() in again) is (ends == "sent")
    assert await state(other, command) == ends


@pytest.mark.parametrize("crashed", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_sealed_poll_repeated_after_five_seconds_takes_nothing(
    make_rig, database: str, crashed: bool
) -> None:
    """Its number is in the store then; the refusal is in the audit log."""
    one = await make_rig(database=database)
    terminal = await sealed(one)
    captured, *_ = terminal.request("GET", POLL)
    assert (await terminal.send(captured)).status == 200
    one.clock.advance(WINDOW)
    await one.store.write(lambda tx: None)
    other = await beside(make_rig, database, one, crashed=crashed)
    await a_second((one, other))
    command = await order(other, "LOG")
    terminal.rig = other
    assert said(await terminal.send(captured)) == BEGIN_AGAIN
    assert await state(other, command) == "queued"
    other.clock.advance(EVERY)
    await deferLater(reactor, 0)
    await other.store.write(lambda tx: None)  # behind the summary of refusals
    (refused,) = await other.items("/audit?action=refused")
    assert (refused["actor"], refused["subject"]) == (
        "device T1",
        "sealed request was taken before",
    )


@pytest.mark.parametrize("crashed", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_sealed_upload_is_taken_once_at_once(
    make_rig, database: str, crashed: bool
) -> None:
    """Its number is committed with the records, so that no node and no crash forgets it."""
    one = await make_rig(database=database)
    terminal = await sealed(one)
    captured, *_ = terminal.request("POST", UPLOAD, LINE)
    assert (await terminal.send(captured)).status == 200
    other = await beside(make_rig, database, one, crashed=crashed)
    terminal.rig = other
    assert said(await terminal.send(captured)) == BEGIN_AGAIN
    assert len(await other.items("/attendance")) == 1
