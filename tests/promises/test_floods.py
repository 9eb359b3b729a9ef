"""Four floods of a stranger, and what terminals notice of each: the first table of floods."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Awaitable, Callable

import pytest
import pytest_twisted

from ..rig import Rig
from .callers import LINE, STRANGER, UPLOAD, Caller, head, held, turns

MODES = ("approve", "open", "closed")
LENGTH = 50_000_000
LARGE = LINE * (2**20 // len(LINE))
PER_MINUTE, UNKNOWN = 600, 120
"""Limits that are as good as the defaults, and quicker to reach."""


async def prepared(make_rig: Callable[..., Awaitable[Rig]], mode: str) -> Rig:
    """A daemon with two approved terminals, B and C."""
    limits = {"requests_per_minute": PER_MINUTE, "unknown_per_minute": UNKNOWN}
    rig = await make_rig(admission=mode, limits=limits)
    for sn in ("B", "C"):
        await rig.api("PUT", f"/devices/{sn}", {"state": "approved"})
        await rig.exchange(sn)
    return rig


async def are_served(rig: Rig, *, large: str = "BC") -> None:
    """Polls and punches of both are answered; so is a large upload of those that are named."""
    for sn in "BC":
        assert (await rig.get(f"getrequest?SN={sn}")).body == b"OK"
        assert (await rig.post(UPLOAD % sn, LINE)).body == b"OK: 1"
    for sn in large:
        assert (await rig.post(UPLOAD % sn, LARGE)).status == 200


@pytest.mark.parametrize("mode", MODES)
@pytest_twisted.ensureDeferred
async def test_pings_in_a_terminal_s_name_are_counted_against_the_stranger(make_rig, mode) -> None:
    """The stranger gets 429; neither B nor another terminal notices anything."""
    rig = await prepared(make_rig, mode)
    statuses = [
        (await rig.get("ping?SN=B", address=STRANGER)).status for _ in range(PER_MINUTE + 50)
    ]
    assert statuses == [200] * PER_MINUTE + [429] * 50
    await are_served(rig)


@pytest.mark.long
@pytest.mark.parametrize(
    ("mode", "status", "recorded"), [("approve", 403, 100), ("open", 200, 100), ("closed", 403, 0)]
)
@pytest_twisted.ensureDeferred
async def test_new_serial_numbers_delay_new_terminals_only(
    make_rig, mode: str, status: int, recorded: int
) -> None:
    """The first hundred are recorded at once, but under `closed`; a new terminal gets 429."""
    rig = await prepared(make_rig, mode)
    for number in range(100):
        found = await rig.exchange(f"X{number}", address=STRANGER)
        assert found.status == status
    more = [Caller(rig, head(f"ping?SN=Y{n}"), STRANGER) for n in range(UNKNOWN - 100)]
    while not all(stranger.reply for stranger in more):  # those wait in line
        rig.clock.advance(0.02)
        await turns()
    # What has come back of the limit meanwhile is used up first.
    names = (f"N{number}" for number in itertools.count())
    new = next(names)
    while (await rig.exchange(new)).status != 429:
        new = next(names)
    await are_served(rig)
    listed = [one["sn"] for one in await rig.items("/devices?limit=1000") if one["sn"][0] == "X"]
    assert len(listed) == recorded
    rig.clock.advance(60)
    assert (await rig.exchange(new)).status == status


@pytest.mark.parametrize("mode", ["approve", "closed"])
@pytest_twisted.ensureDeferred
async def test_large_bodies_of_invented_terminals_are_refused_at_the_head(make_rig, mode) -> None:
    """No byte of eight bodies of 50 MB is read, and nobody notices anything."""
    rig = await prepared(make_rig, mode)
    strangers = [Caller(rig, head(UPLOAD % f"X{n}", LENGTH), STRANGER) for n in range(8)]
    for stranger in strangers:
        assert (await stranger.replied()).startswith(b"HTTP/1.1 403 ")
    assert held(rig) == 0
    await are_served(rig)


@pytest_twisted.ensureDeferred
async def test_large_bodies_of_invented_terminals_hold_a_share_where_all_are_admitted(
    make_rig,
) -> None:
    """Under `open` an address holds three of them; the others get 503, and nobody notices."""
    rig = await prepared(make_rig, "open")
    for number in range(8):
        await rig.exchange(f"X{number}", address=STRANGER)
    strangers = [Caller(rig, head(UPLOAD % f"X{n}", LENGTH), STRANGER) for n in range(8)]
    await turns()
    assert held(rig) == 3 * LENGTH
    await are_served(rig)
    rig.clock.advance(30)
    refused = [one for one in strangers if one.reply]
    assert len(refused) == 5
    assert all(one.reply.startswith(b"HTTP/1.1 503 ") for one in refused)


@pytest.mark.parametrize("mode", MODES)
@pytest_twisted.ensureDeferred
async def test_large_bodies_in_a_terminal_s_name_hold_up_its_own_large_ones(make_rig, mode) -> None:
    """B's punches are stored, and everything of others; a large upload of B gets 503."""
    rig = await prepared(make_rig, mode)
    strangers = [Caller(rig, head(UPLOAD % "B", LENGTH), STRANGER) for _ in range(8)]
    await turns()
    assert held(rig) == 2 * LENGTH
    await are_served(rig, large="C")
    own = Caller(rig, head(UPLOAD % "B", len(LARGE)))
    rig.clock.advance(30)
    assert (await own.replied()).startswith(b"HTTP/1.1 503 ")
    for stranger in strangers:
        stranger.leave()
    await are_served(rig)


@pytest.mark.parametrize(
    ("expanded", "status", "most"), [(2**20, 200, 101), (2**20 + 2, 413, 1), (2**23, 413, 1)]
)
@pytest.mark.parametrize("mode", MODES)
@pytest_twisted.ensureDeferred
async def test_a_bomb_in_a_terminal_s_name_is_a_reject(
    make_rig, mode: str, expanded: int, status: int, most: int
) -> None:
    """1 KB is read up to 1 MiB, and is 413 beyond; it is kept once, however often it comes."""
    rig = await prepared(make_rig, mode)
    bomb = gzip.compress(b"a\n" * (expanded // 2), mtime=0)
    path = "cdata?SN=B&table=OPERLOG&ContentType=tgz"
    for _ in range(3):
        assert (await rig.post(path, bomb, address=STRANGER)).status == status
        await are_served(rig)
    assert 1 <= len(await rig.items("/rejects?limit=1000")) <= most
    assert held(rig) == 0
