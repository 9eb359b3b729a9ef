"""The token of a session: given as a cookie (6, 7), checked when a terminal sends it (10, 12.8)."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from ..rig import Response, Rig, talk
from ..sealed import SealedTerminal

UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=1"
LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
BEGIN_AGAIN = (200, b"UNKNOWN DEVICE")
SHAPE = re.compile(rb"token=([0-9a-f]{32}); Path=/; HttpOnly\Z")


def token(response: Response) -> bytes:
    """The token that a reply gives."""
    found = SHAPE.match(response.header(b"Set-Cookie") or b"")
    assert found is not None, response.raw
    return found[1]


async def upload(rig: Rig, *cookies: bytes) -> tuple[int, bytes]:
    """What an upload with some Cookie headers is answered."""
    lines = b"".join(b"Cookie: %b\r\n" % cookie for cookie in cookies)
    head = f"POST /iclock/{UPLOAD} HTTP/1.1\r\nHost: s\r\nContent-Length: {len(LINE)}\r\n"
    response = await talk(rig.terminals, head.encode() + lines + b"\r\n" + LINE)
    return response.status, response.body


async def change(rig: Rig, policy: str) -> None:
    """Give the terminal a policy."""
    assert (await rig.api("PATCH", "/devices/T1", {"token": policy})).status == 200


@pytest_twisted.ensureDeferred
async def test_each_exchange_gives_a_token(rig: Rig) -> None:
    """Each another one; the last of them ends those before."""
    terminal = SealedTerminal(rig)
    options = await rig.exchange()
    keys = await terminal.keys()
    factors = await terminal.factors(keys)
    tokens = [token(reply) for reply in (options, keys, factors)]
    assert len(set(tokens)) == 3
    for each in tokens:
        assert await upload(rig, b"token=" + each) == (200, b"OK: 1")


@pytest_twisted.ensureDeferred
async def test_no_token_is_kept_as_it_is(rig: Rig) -> None:
    """What the database holds cannot be sent."""
    given = token(await rig.exchange())

    def stored(tx) -> str:
        return str(tx.connection.exec_driver_sql("SELECT * FROM devices").all())

    assert given.decode() not in await rig.store.read(stored)


@pytest.mark.parametrize(
    ("cookies", "is_served"),
    [
        ((b"token=%b",), True),
        ((b"token=%b; other=x",), True),
        ((b"other=x;  token=%b",), True),
        ((b'token="%b"',), True),
        ((b"other=x", b"token=%b"), True),
        ((b"other=x",), False),
        ((), False),
        ((b"token=",), False),
        ((b"token=00000000000000000000000000000000",), False),
        ((b"token=%bx",), False),
        ((b"token=\xff\xfe",), False),
        ((b"token=wrong", b"token=%b"), False),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_terminal_that_returns_tokens_has_to_go_on(
    rig: Rig, cookies: tuple[bytes, ...], is_served: bool
) -> None:
    """A wrong one, or none, makes the terminal begin again, which gives it a right one."""
    given = token(await rig.exchange())
    assert await upload(rig, b"token=" + given) == (200, b"OK: 1")
    sent = [cookie.replace(b"%b", given) for cookie in cookies]
    assert await upload(rig, *sent) == ((200, b"OK: 1") if is_served else BEGIN_AGAIN)


@pytest_twisted.ensureDeferred
async def test_the_token_of_one_terminal_is_not_that_of_another(rig: Rig) -> None:
    """Two terminals that mix up their cookies are both told to begin again."""
    given = token(await rig.exchange())
    other = token(await rig.exchange("T2"))
    assert await upload(rig, b"token=" + given) == (200, b"OK: 1")
    assert await upload(rig, b"token=" + other) == BEGIN_AGAIN


@pytest_twisted.ensureDeferred
async def test_where_a_token_is_required_it_has_to_be_sent(rig: Rig) -> None:
    """Who knows the serial number alone gets nothing."""
    given = token(await rig.exchange())
    await change(rig, "require")
    assert await upload(rig) == BEGIN_AGAIN
    assert await upload(rig, b"other=x") == BEGIN_AGAIN
    assert await upload(rig, b"token=" + given) == (200, b"OK: 1")


@pytest_twisted.ensureDeferred
async def test_where_tokens_are_ignored_any_is_served(rig: Rig) -> None:
    """Firmware that goes on sending what another server gave it is not locked out."""
    await rig.exchange()
    await change(rig, "ignore")
    assert await upload(rig, b"token=of another server") == (200, b"OK: 1")


@pytest_twisted.ensureDeferred
async def test_old_firmware_gets_no_cookie(rig: Rig) -> None:
    """It has no use for one: before 2.4.0 there are no tokens, and any cookie is as good."""
    response = await rig.exchange(pushver="2.2.14")
    assert response.header(b"Set-Cookie") is None
    assert await upload(rig, b"token=anything") == (200, b"OK: 1")


@pytest_twisted.ensureDeferred
async def test_a_lost_reply_locks_nobody_out(rig: Rig) -> None:
    """Who did not hear of the newest token goes on with one before; not with old ones."""
    await rig.exchange()
    await change(rig, "require")
    tokens = [token(await rig.exchange()) for _ in range(6)]
    served = [await upload(rig, b"token=" + each) == (200, b"OK: 1") for each in tokens]
    assert served == [False, False, True, True, True, True]
    assert await upload(rig, b"token=" + tokens[-2]) == BEGIN_AGAIN


@pytest_twisted.ensureDeferred
async def test_the_header_of_a_reply_with_a_token_is_short(rig: Rig) -> None:
    """Old firmware has a buffer of a kilobyte."""
    assert len((await rig.exchange()).head) < 1024
