"""How a stranger locks a terminal out, and how an operator undoes it."""

from __future__ import annotations

import pytest
import pytest_twisted

from ..rig import Response, Rig
from .test_identity_of_keys import OURS, THEIRS, exchange, fingerprint, keys
from .test_identity_of_sessions import (
    BEGIN_AGAIN,
    HERE,
    IDLE,
    LINE,
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
from .test_threat_model import (
    Sealed,
    attacked,
    no_token,
    prefers,
    prefers_key,
    prepare,
    requires_key,
)

OF_ACCESS_CONTROL = ("GET", "registry?SN=T1"), ("POST", "cdata?SN=T1&table=rtlog")
MODE = "access-control mode"


async def approve(rig: Rig) -> None:
    """Approve the terminal."""
    await change(rig, state="approved")


@pytest_twisted.ensureDeferred
async def test_a_stranger_s_key_that_approval_pinned_is_cleared(make_rig) -> None:
    """It came before the terminal; the terminal is refused until the key is cleared."""
    rig = await make_rig(admission="approve")
    await exchange(rig, THEIRS, THERE)
    await approve(rig)
    for key in (OURS, None):
        assert (await exchange(rig, key)).status == 403
    assert "pushcommkey changed" in await problems(rig)
    await change(rig, comm_key=None)
    assert (await exchange(rig, None)).status == 200


@pytest.mark.parametrize("at_once", [False, True])
@pytest_twisted.ensureDeferred
async def test_networks_before_approval_pin_no_key_from_elsewhere(make_rig, at_once: bool) -> None:
    """A key that a stranger offered before is not pinned; from the networks it is."""
    rig = await make_rig(admission="approve")
    await exchange(rig, THEIRS, THERE)
    networks = {"networks": [f"{HERE}/32"]}
    if at_once:
        await change(rig, state="approved", **networks)
    else:
        await change(rig, **networks)
        await approve(rig)
    assert (await keys(rig))[0] is None
    assert (await exchange(rig, OURS)).status == 200


@pytest_twisted.ensureDeferred
async def test_networks_hold_for_a_terminal_that_waits_for_approval(make_rig) -> None:
    """A stranger elsewhere offers no key then, and the terminal's own is pinned."""
    rig = await make_rig(admission="approve")
    await rig.api("PUT", "/devices/T1", {"networks": [f"{HERE}/32"]})
    await exchange(rig, THEIRS, THERE)
    await exchange(rig, OURS)
    assert await keys(rig) == (None, [(fingerprint(OURS), HERE)])
    await approve(rig)
    assert (await keys(rig))[0] == fingerprint(OURS)


@pytest_twisted.ensureDeferred
async def test_networks_and_a_new_beginning_undo_a_returned_token(rig: Rig) -> None:
    """The stranger that returned the first token is refused, and the terminal is served."""
    stranger = await begun(Client(rig, THERE))
    terminal = Client(rig, returns=False)
    await terminal.exchange()
    assert await terminal.upload() == BEGIN_AGAIN
    await change(rig, networks=[f"{HERE}/32"], token="check")
    assert (await stranger.ask("GET", "getrequest?SN=T1")).status == 403
    assert await terminal.upload() == STORED
    assert (await rig.api("GET", "/devices/T1")).json["returns_token"] is False


@pytest_twisted.ensureDeferred
async def test_a_returned_token_at_one_address_comes_back(rig: Rig) -> None:
    """After a new beginning the neighbour does it again; ignored tokens end that."""
    terminal = await begun(Client(rig, returns=False))
    neighbour = await begun(Client(rig))
    assert await terminal.upload() == BEGIN_AGAIN
    await change(rig, token="check")
    assert await terminal.upload() == STORED
    assert await neighbour.upload() == STORED
    assert await terminal.upload() == BEGIN_AGAIN
    await change(rig, token="ignore")
    assert await terminal.upload() == STORED


@pytest_twisted.ensureDeferred
async def test_a_stranger_s_token_shows_no_access_control_mode(rig: Rig) -> None:
    """The terminal that returns tokens goes on with its commands."""
    terminal = await begun(Client(rig))
    stranger = Client(rig, THERE)
    await stranger.exchange(DeviceType="acc")
    for method, target in OF_ACCESS_CONTROL:
        await stranger.ask(method, target, b"x")
    assert MODE not in await problems(rig)
    await order(rig, "LOG")
    assert (await terminal.poll())[1].endswith(b":LOG\n")


@pytest.mark.parametrize("way", ["exchange", *OF_ACCESS_CONTROL])
@pytest_twisted.ensureDeferred
async def test_approval_ends_an_access_control_mode(rig: Rig, way: str | tuple[str, str]) -> None:
    """A stranger makes a terminal without tokens look so; it is sent no commands until then."""
    terminal = await no_token(rig)
    await order(rig, "LOG")
    stranger = Client(rig, THERE)
    if isinstance(way, str):
        await stranger.exchange(DeviceType="acc")
    else:
        await stranger.ask(*way, b"x")
    assert MODE in await problems(rig)
    await terminal.exchange()
    assert await terminal.poll() == IDLE
    await approve(rig)
    assert MODE not in await problems(rig)
    assert (await terminal.poll())[1].endswith(b":LOG\n")


@pytest_twisted.ensureDeferred
async def test_a_flood_at_a_shared_address_ends_within_a_minute(make_rig) -> None:
    """A terminal behind the same NAT gets 429 until then; its trusted token gets through."""
    rig = await make_rig(limits={"requests_per_minute": 20})
    await begun(Client(rig))

    async def ping() -> Response:
        return await rig.get("ping?SN=T1", address=HERE)

    token = await begun(Client(rig))
    assert {(await ping()).status for _ in range(40)} == {200, 429}
    assert (await ping()).status == 429
    assert await token.poll() == IDLE
    rig.clock.advance(61)
    assert (await ping()).status == 200


@pytest_twisted.ensureDeferred
async def test_an_operator_sees_what_a_limit_refuses(make_rig) -> None:
    """In the audit log, with the terminal and the address, and in the metrics."""
    rig = await make_rig(limits={"requests_per_minute": 20})
    await no_token(rig)
    flood = [(await rig.get("ping?SN=T1", address=THERE)).status for _ in range(30)]
    assert flood.count(429) == 10
    rig.clock.advance(5)
    await rig.store.write(lambda tx: None)
    (refused,) = [one for one in await rig.items("/audit") if one["action"] == "refused"]
    assert (refused["actor"], refused["subject"]) == ("device T1", "limits.requests_per_minute")
    assert THERE in refused["detail"]
    text = (await rig.api("GET", "/metrics", prefix="", headers=())).body.decode()
    assert 'zkpush_refused_total{reason="requests_per_minute"} 10.0' in text


@pytest_twisted.ensureDeferred
async def test_a_neighbour_s_token_is_replaced_by_the_terminal_s_exchange(rig: Rig) -> None:
    """At one address, for a terminal that returns tokens, as often as the neighbour does that."""
    terminal, neighbour = await begun(Client(rig)), Client(rig)
    for _ in range(2):
        await begun(neighbour)
        assert await terminal.upload() == BEGIN_AGAIN
        assert await problems(rig) == {"token not returned"}
        await begun(terminal)


@pytest_twisted.ensureDeferred
async def test_a_terminal_makes_its_exchanges_again_after_a_stranger_s_session(rig: Rig) -> None:
    """However often the stranger ends its encrypted session, each record is stored."""
    terminal = await prefers(rig)
    for _ in range(2):
        stranger = Sealed(rig, THERE)
        await stranger.begin()
        assert (await stranger.ask("GET", POLL)).body == b"OK"
        refused = await terminal.ask("POST", UPLOAD, LINE)
        assert (refused.status, refused.body) == BEGIN_AGAIN
        assert "sealed data does not open" in await problems(rig)
        await terminal.begin()
        assert (await terminal.ask("POST", UPLOAD, LINE)).body == b"OK: 1"


@pytest_twisted.ensureDeferred
async def test_a_key_and_required_tokens_leave_no_moment_to_a_stranger(make_rig) -> None:
    """Set while the terminal waits, they hold before its first exchange, and after it."""
    rig = await make_rig(admission="approve", remote_attendance={"enabled": True})
    await exchange(rig, OURS)
    await change(rig, token="require")
    await change(rig, state="approved", comm_key=fingerprint(OURS))
    await prepare(rig)
    assert await attacked(rig) == set()
    terminal = Client(rig)
    assert (await terminal.exchange(pushcommkey=OURS)).status == 200
    assert await terminal.upload() == STORED
    assert await attacked(rig) == set()
    assert await terminal.upload() == STORED


@pytest.mark.parametrize("required", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_pinned_key_protects_under_prefer_while_the_session_is_encrypted(
    rig: Rig, required: bool
) -> None:
    """Between the terminal's exchange and its first sealed request, `prefer` serves plain ones."""
    terminal = await (requires_key if required else prefers_key)(rig)
    stranger = Client(rig, THERE)
    assert (await terminal.ask("POST", UPLOAD, LINE)).body == b"OK: 1"
    assert await stranger.upload() == BEGIN_AGAIN
    assert (await terminal.plain.exchange(**terminal.shows)).status == 200
    assert await stranger.upload() == (BEGIN_AGAIN if required else STORED)
