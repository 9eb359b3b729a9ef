"""A stranger with the serial number of an approved terminal cannot make refusals expensive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import pytest_twisted

from ..nodes.conftest import a_second
from ..rig import Rig
from .callers import STRANGER, Caller, counted, head, turns
from .test_identity_of_sessions import BEGIN_AGAIN, IDLE, Client, begun, change

LIMITS = {"requests_per_minute": 1_000_000}
POLL, UPLOAD = "getrequest?SN=T1", "cdata?SN=T1&table=ATTLOG&Stamp=1"
EXCHANGE = "cdata?SN=T1&options=all&pushver=%s&language=69"
FLOOD = 1000
PACE = 0.002
"""Seconds from one request to the next: as many as strangers may make in a second."""


async def returning(rig: Rig) -> None:
    """T1 returns tokens."""
    await begun(Client(rig))


async def encrypting(rig: Rig) -> None:
    """T1 has to encrypt."""
    await begun(Client(rig))
    await change(rig, encryption="require")


async def pinned(rig: Rig) -> None:
    """T1 has a pinned pushcommkey."""
    await Client(rig).exchange(pushcommkey="a" * 32)
    await rig.pin("a" * 32)


async def token_required(rig: Rig) -> None:
    """T1 has to return tokens."""
    await begun(Client(rig))
    await change(rig, token="require")


async def stale(rig: Rig) -> None:
    """T1 is to make the exchange again."""
    await begun(Client(rig, returns=False))
    await change(rig, settings={"Delay": "7"})


NO_TOKEN = head(POLL)
WRONG_TOKEN = head(POLL, 0, f"Cookie: token={'f' * 32}")
PLAIN = head(UPLOAD, 5) + b"7\t202"
OTHER_KEY = head(EXCHANGE % "2.4.1" + f"&pushcommkey={'b' * 32}")
NO_KEY = head(EXCHANGE % "2.4.1")
OLD = head(EXCHANGE % "2.2.14")
CASES = {
    "no token": (returning, NO_TOKEN, b"UNKNOWN DEVICE"),
    "a wrong token": (returning, WRONG_TOKEN, b"UNKNOWN DEVICE"),
    "no session": (encrypting, NO_TOKEN, b"UNKNOWN DEVICE"),
    "a plain upload": (encrypting, PLAIN, b"UNKNOWN DEVICE"),
    "a stale session": (stale, NO_TOKEN, b"UNKNOWN DEVICE"),
    "another key": (pinned, OTHER_KEY, b"HTTP/1.1 403 "),
    "no key": (pinned, NO_KEY, b"HTTP/1.1 403 "),
    "too old to encrypt": (encrypting, OLD, b"HTTP/1.1 403 "),
    "too old for tokens": (token_required, OLD, b"HTTP/1.1 403 "),
}
Prepare = Callable[[Rig], Awaitable[None]]


@pytest.mark.parametrize("case", CASES)
@pytest_twisted.ensureDeferred
async def test_a_flood_of_refused_requests_asks_the_store_once_a_second(make_rig, case) -> None:
    """A thousand in two seconds: three looks for the terminal, the feed of changes, no write."""
    prepare, raw, expected = CASES[case]
    rig = await make_rig(limits=LIMITS)
    await prepare(rig)
    rig.clock.advance(2)
    await turns()
    refused = Caller(rig, raw, STRANGER)  # raises the problem, which is written once
    await refused.replied()
    rig.clock.advance(10)
    await turns(20)
    calls = counted(rig)
    for _ in range(FLOOD):
        rig.clock.advance(PACE)
        caller = Caller(rig, raw, STRANGER)
        assert expected in await caller.replied()
        caller.leave()
    assert calls.count("read") <= 3 + 3
    assert calls.count("write") <= 1  # of the last-seen times


@pytest_twisted.ensureDeferred
async def test_refused_requests_wait_in_line_like_those_of_strangers(make_rig) -> None:
    """Beyond the pace of refusals they are not read further; the terminal's own are served."""
    rig = await make_rig(limits=LIMITS)
    terminal = await begun(Client(rig, STRANGER))
    await Caller(rig, NO_TOKEN, STRANGER).replied()
    strangers = [Caller(rig, NO_TOKEN, STRANGER) for _ in range(400)]
    await turns(20)
    answered = sum(bool(stranger.reply) for stranger in strangers)
    assert 190 <= answered <= 200
    # Also behind the same address, with its token.
    for _ in range(20):
        assert await terminal.poll() == IDLE
    for stranger in strangers[300:]:
        stranger.leave()
    for _ in range(15):
        rig.clock.advance(0.02)
        await turns(4)
    assert all(b"UNKNOWN DEVICE" in stranger.reply for stranger in strangers[:300])
    assert not any(stranger.reply for stranger in strangers[300:])


@pytest_twisted.ensureDeferred
async def test_a_terminal_elsewhere_does_not_wait_in_that_line(make_rig) -> None:
    """Only requests from the refused address do: T1 makes its exchange at once."""
    rig = await make_rig(limits=LIMITS)
    await stale(rig)
    await Caller(rig, NO_TOKEN, STRANGER).replied()
    strangers = [Caller(rig, NO_TOKEN, STRANGER) for _ in range(400)]
    await turns(20)
    terminal = Client(rig, returns=False)
    assert (await terminal.exchange()).status == 200
    assert await terminal.poll() == IDLE
    assert not all(stranger.reply for stranger in strangers)


@pytest.fixture
def database(tmp_path) -> str:
    """A database that processes can share."""
    return f"sqlite:///{tmp_path / 'shared.sqlite'}"


async def flood(rig: Rig) -> None:
    """Refused requests, at the pace of refusals, up to now."""
    for _ in range(20):
        caller = Caller(rig, NO_TOKEN, STRANGER)
        assert b"UNKNOWN DEVICE" in await caller.replied()
        caller.leave()


@pytest_twisted.ensureDeferred
async def test_a_token_of_another_node_is_good_within_a_second(make_rig, database) -> None:
    """Also while a stranger has requests refused on this one."""
    one, other = [await make_rig(database=database, limits=LIMITS) for _ in range(2)]
    await begun(Client(one))
    await a_second((one, other))
    await flood(other)
    again = Client(one)
    await again.exchange()
    other.clock.advance(0.5)
    await flood(other)
    other.clock.advance(0.5)
    again.rig = other
    assert await again.poll() == IDLE


@pytest_twisted.ensureDeferred
async def test_a_token_of_another_node_is_good_at_once_without_a_flood(make_rig, database) -> None:
    """The first request that memory would refuse has the store asked."""
    one, other = [await make_rig(database=database) for _ in range(2)]
    client = await begun(Client(one))
    client.rig = other
    assert await client.poll() == IDLE
    client.rig = one
    await client.exchange()
    client.rig = other
    assert await client.poll() == IDLE


@pytest_twisted.ensureDeferred
async def test_tokens_that_an_operator_clears_count_no_more_within_a_second(
    make_rig, database
) -> None:
    """On every node: a terminal that returns none any more is served again."""
    one, other = [await make_rig(database=database, limits=LIMITS) for _ in range(2)]
    await begun(Client(one))
    await a_second((one, other))
    await flood(other)
    bare = Client(other, returns=False)
    assert await bare.poll() == BEGIN_AGAIN
    await change(one, token="check")
    await a_second((one, other))
    assert await bare.poll() == IDLE
