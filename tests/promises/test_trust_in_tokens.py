"""Whose session tokens are trusted, and what strangers who return tokens change about that."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Rig
from .test_identity_of_sessions import (
    BEGIN_AGAIN,
    HERE,
    LINE,
    PASSWORD,
    POLL,
    STORED,
    THERE,
    UPLOAD,
    Client,
    begun,
    change,
    order,
    problems,
)
from .test_strangers import approved, waits_for_proof
from .test_threat_model import SECRET, Sealed

ELSEWHERE = [f"203.0.113.{number}" for number in range(12)]


async def gets_secrets(rig: Rig, *clients: Client) -> list[bool]:
    """Which of these clients reads a command with a password, asked in this order."""
    command = await order(rig, "DATA UPDATE USERINFO", **PASSWORD)
    found = [command.encode() in (await client.poll())[1] for client in clients]
    rig.clock.advance(61)
    return found


@pytest_twisted.ensureDeferred
async def test_tokens_of_many_addresses_displace_no_trusted_one(rig: Rig) -> None:
    """Although some of them were returned before the terminal's latest token."""
    terminal = await begun(Client(rig))
    strangers = [await begun(Client(rig, address)) for address in ELSEWHERE[:3]]
    await begun(terminal)
    strangers += [await begun(Client(rig, address)) for address in ELSEWHERE[3:]]
    assert await gets_secrets(rig, *strangers[-3:], terminal) == [False, False, False, True]
    assert await terminal.upload() == STORED


@pytest_twisted.ensureDeferred
async def test_exchanges_from_many_addresses_displace_no_token_on_its_way_back(rig: Rig) -> None:
    """Between the exchange of a terminal and its next request."""
    terminal = await begun(Client(rig))
    for address in ELSEWHERE[:4]:
        await Client(rig, address).exchange()
    await terminal.exchange()
    for address in ELSEWHERE[4:]:
        await Client(rig, address).exchange()
    assert await terminal.upload() == STORED


@pytest_twisted.ensureDeferred
async def test_a_token_from_elsewhere_is_not_trusted_while_the_terminal_shows_none(
    rig: Rig,
) -> None:
    """The first one of the terminal itself is: it was only slow to return it."""
    terminal = Client(rig)
    await terminal.exchange()
    token, terminal.token = terminal.token, None
    assert await terminal.upload() == STORED
    stranger = await begun(Client(rig, THERE))
    terminal.token = token
    assert await terminal.upload() == STORED
    assert await gets_secrets(rig, stranger, terminal) == [False, True]


@pytest.mark.parametrize("policy", ["check", "require"])
@pytest_twisted.ensureDeferred
async def test_a_stranger_that_is_first_is_trusted_until_tokens_begin_anew(
    rig: Rig, policy: str
) -> None:
    """Before a new terminal has returned one; its networks keep the stranger away afterwards."""
    await rig.api("PUT", "/devices/T1", {"state": "approved", "token": policy})
    stranger = await begun(Client(rig, THERE))
    terminal = await begun(Client(rig))
    assert await problems(rig) == {"second session"}
    assert await gets_secrets(rig, terminal, stranger) == [False, True]
    await change(rig, networks=[f"{HERE}/32"], token="check")
    assert await terminal.upload() == STORED
    assert await gets_secrets(rig, terminal) == [True]


@pytest_twisted.ensureDeferred
async def test_an_eavesdropper_s_exchange_with_the_token_takes_its_trust(rig: Rig) -> None:
    """The terminal uploads on, and reads commands with secrets again after a new beginning."""
    terminal = await begun(Client(rig))
    eavesdropper = Client(rig, THERE)
    eavesdropper.token = terminal.token
    await begun(eavesdropper)
    assert await terminal.upload() == BEGIN_AGAIN
    await begun(terminal)
    assert {"token not returned", "second session"} <= await problems(rig)
    assert await gets_secrets(rig, terminal, eavesdropper) == [False, True]
    await change(rig, networks=[f"{HERE}/32"], token="check")
    assert await terminal.upload() == STORED
    assert await gets_secrets(rig, terminal) == [True]


@pytest_twisted.ensureDeferred
async def test_a_token_of_the_place_before_a_move_has_no_end(rig: Rig) -> None:
    """If the terminal moved without it; only its networks refuse what was captured there."""
    terminal = await begun(Client(rig))
    captured = Client(rig, THERE)
    captured.token = terminal.token
    terminal.address, terminal.token = "10.9.9.9", None
    await begun(terminal)
    assert await captured.upload() == STORED
    await change(rig, token="check")
    await begun(terminal)
    assert await captured.upload() == STORED
    await change(rig, networks=["10.9.9.9/32"])
    assert (await captured.ask("POST", UPLOAD, LINE)).status == 403


@pytest_twisted.ensureDeferred
async def test_a_sealed_session_of_a_stranger_holds_secrets_back_with_tokens_too(rig: Rig) -> None:
    """A plain terminal that returns tokens gets no command with a password until told to stay."""
    terminal = await begun(Client(rig))
    stranger = Sealed(rig, THERE, returns=True)
    await stranger.begin()
    assert (await stranger.ask("GET", POLL)).body == b"OK"
    await waits_for_proof(rig, terminal)


@pytest.mark.parametrize("secret", [b"", SECRET])
@pytest_twisted.ensureDeferred
async def test_only_a_shared_secret_keeps_a_session_from_being_ended(
    rig: Rig, secret: bytes
) -> None:
    """Tokens alone do not; under `prefer` the shared secret is enough."""
    await approved(rig, secret)
    terminal = Sealed(rig, HERE, secret, returns=True)
    await terminal.begin()
    assert (await terminal.ask("POST", UPLOAD, LINE)).body == b"OK: 1"
    stranger = Sealed(rig, THERE, b"a guess of sixteen bytes" if secret else b"", returns=True)
    await stranger.begin()
    await stranger.send(stranger.request("GET", POLL)[0])
    reply = await terminal.send(terminal.request("POST", UPLOAD, LINE)[0])
    assert ((reply.status, reply.body) == BEGIN_AGAIN) is not bool(secret)
