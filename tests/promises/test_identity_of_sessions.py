"""Who knows a serial number does not silence its terminal, or get what is the terminal's alone."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from zkpush.persist.sessions import SessionStore

from ..nodes.conftest import a_second
from ..rig import Response, Rig, talk
from ..sealed import SealedTerminal

LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=1"
POLL = "getrequest?SN=T1"
BEGIN_AGAIN = (200, b"UNKNOWN DEVICE")
STORED, IDLE = (200, b"OK: 1"), (200, b"OK")
HERE, THERE = "10.1.2.3", "203.0.113.9"
FOREIGN = "f" * 32
VENDOR = "0123456789ABCDEF0123456789ABCDEF"
PASSWORD = {"PIN": "7", "Passwd": "71553"}


class Client:
    """Somebody who speaks as the terminal T1 from an address, with a cookie or without."""

    def __init__(self, rig: Rig, address: str = HERE, *, returns: bool = True) -> None:
        self.rig = rig
        self.address = address
        self.token: str | None = None
        self._returns = returns

    async def exchange(self, **more: str) -> Response:
        """The initialization exchange; keeps the token."""
        pairs = {"options": "all", "pushver": "2.4.1", "language": "69", **more}
        query = "&".join(f"{name}={value}" for name, value in pairs.items())
        return self.keep(await self.ask("GET", f"cdata?SN=T1&{query}"))

    def keep(self, reply: Response) -> Response:
        """Keep the token of a reply, if it has one and this client returns tokens."""
        found = re.match(rb"token=([0-9a-f]+);", reply.header(b"Set-Cookie") or b"")
        if found is not None and self._returns:
            self.token = found[1].decode()
        return reply

    async def ask(self, method: str, target: str, body: bytes = b"") -> Response:
        """A request, with the token if there is one."""
        cookie = "" if self.token is None else f"Cookie: token={self.token}\r\n"
        head = f"{method} /iclock/{target} HTTP/1.1\r\nHost: s\r\n{cookie}"
        raw = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        return await talk(self.rig.terminals, raw, self.address)

    async def upload(self) -> tuple[int, bytes]:
        """The answer to an upload."""
        reply = await self.ask("POST", UPLOAD, LINE)
        return reply.status, reply.body

    async def poll(self) -> tuple[int, bytes]:
        """The answer to a poll."""
        reply = await self.ask("GET", POLL)
        return reply.status, reply.body


async def begun(client: Client) -> Client:
    """A client that has made the exchange, and a request."""
    assert (await client.exchange()).status == 200
    assert await client.upload() == STORED
    return client


async def change(rig: Rig, **values: object) -> dict[str, object]:
    """Change the terminal as an operator."""
    changed = await rig.api("PATCH", "/devices/T1", values)
    assert changed.status == 200, changed.raw
    return changed.json


async def problems(rig: Rig) -> set[str]:
    """The codes of the terminal's problems, those of its addresses aside."""
    await rig.store.write(lambda tx: None)
    found = {problem["code"] for problem in (await rig.items("/devices"))[0]["problems"]}
    return found - {"two places"}


async def order(rig: Rig, command: str, **params: str) -> str:
    """Queue a command."""
    body = {"command": command, "params": params}
    queued = await rig.api("POST", "/devices/T1/commands", body)
    assert queued.status == 202, queued.raw
    return queued.json["id"]


async def state(rig: Rig, command: str) -> str:
    """What has become of a command."""
    return (await rig.api("GET", f"/commands/{command}")).json["state"]


# Tokens (wire.md 8)


@pytest.mark.parametrize("cookie", [FOREIGN, VENDOR, "", "x" * 500, None])
@pytest_twisted.ensureDeferred
async def test_a_cookie_of_another_server_is_served(rig: Rig, cookie: str | None) -> None:
    """A terminal that sends a token which we did not make is not told to begin again for ever."""
    client = Client(rig, returns=False)
    client.token = cookie
    await begun(client)
    for _ in range(3):
        assert await client.poll() == IDLE
        assert await client.upload() == STORED
    assert await problems(rig) == (set() if cookie is None else {"foreign token"})


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_has_returned_a_token_goes_on(rig: Rig) -> None:
    """Without its token, or with another, it is refused from then on, and it is a problem."""
    client = Client(rig)
    await client.exchange()
    token, client.token = client.token, None
    assert await client.upload() == STORED
    client.token = token
    assert await client.upload() == STORED
    for wrong in (None, FOREIGN):
        client.token = wrong
        assert await client.upload() == BEGIN_AGAIN
        assert await client.poll() == BEGIN_AGAIN
    assert await problems(rig) == {"token not returned"}
    client.token = token
    assert await client.poll() == IDLE
    assert (await rig.api("GET", "/devices/T1")).json["returns_token"] is True


@pytest_twisted.ensureDeferred
async def test_an_operator_begins_anew_with_tokens(rig: Rig) -> None:
    """A terminal that stopped returning them is served again, and the problem goes."""
    client = await begun(Client(rig))
    client.token = None
    assert await client.upload() == BEGIN_AGAIN
    changed = await change(rig, token="check")
    assert changed["returns_token"] is False
    assert await problems(rig) == set()
    assert await client.upload() == STORED


@pytest_twisted.ensureDeferred
async def test_require_judges_from_the_first_request(rig: Rig) -> None:
    """Also a terminal that has no token yet, whatever it sends; the exchange gives it one."""
    await rig.api("PUT", "/devices/T1", {"state": "approved", "token": "require"})
    client = Client(rig)
    for cookie in (None, FOREIGN):
        client.token = cookie
        assert await client.upload() == BEGIN_AGAIN
    await client.exchange()
    assert await client.upload() == STORED


@pytest_twisted.ensureDeferred
async def test_require_with_no_token_refuses(rig: Rig) -> None:
    """A terminal too old for tokens is told so, and it is a problem; any cookie does not pass."""
    client = Client(rig)
    await client.exchange(pushver="2.2.14")
    assert await client.upload() == STORED
    await change(rig, token="require")
    for cookie in (None, FOREIGN):
        client.token = cookie
        assert await client.upload() == BEGIN_AGAIN
        refused = await client.exchange(pushver="2.2.14")
        assert (refused.status, b"too old" in refused.body) == (403, True)
    assert "cannot return a token" in await problems(rig)


@pytest.mark.parametrize("policy", ["check", "require"])
@pytest.mark.parametrize("returns", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_stranger_s_exchanges_do_not_lock_the_terminal_out(
    rig: Rig, policy: str, returns: bool
) -> None:
    """However many there are, and whether their tokens come back or not."""
    terminal = Client(rig)
    await terminal.exchange()
    await change(rig, token=policy)
    assert await terminal.upload() == STORED
    for number in range(12):
        stranger = Client(rig, f"203.0.113.{number % 6}", returns=returns)
        await stranger.exchange()
        if returns:
            assert await stranger.upload() == STORED
        assert await terminal.upload() == STORED
        assert await terminal.poll() == IDLE
    again = Client(rig)
    await again.exchange()
    assert await again.upload() == STORED


@pytest_twisted.ensureDeferred
async def test_a_stranger_s_token_is_not_held_against_a_terminal_without(rig: Rig) -> None:
    """A terminal that returns none stays served where it was; that there are two is a problem."""
    terminal = await begun(Client(rig, returns=False))
    stranger = Client(rig, THERE)
    await stranger.exchange()
    assert await stranger.upload() == STORED
    assert await terminal.upload() == STORED
    assert await terminal.poll() == IDLE
    assert (await rig.api("GET", "/devices/T1")).json["returns_token"] is False
    assert await problems(rig) == {"second session"}


@pytest_twisted.ensureDeferred
async def test_an_old_token_ends_once_the_new_one_came_back(rig: Rig) -> None:
    """Until then both are good: the reply may have been lost."""
    client = await begun(Client(rig))
    old = client.token
    await client.exchange()
    new = client.token
    for token in (old, new):
        client.token = token
        assert await client.upload() == STORED
    client.token = old
    assert await client.upload() == BEGIN_AGAIN


@pytest_twisted.ensureDeferred
async def test_a_terminal_is_known_by_its_token_where_it_moves(rig: Rig) -> None:
    """An exchange from another address that carries the token goes on with the same trust."""
    await order_for(rig)
    client = await begun(Client(rig))
    client.address = THERE
    await client.exchange()
    assert b"Passwd=71553" in (await client.poll())[1]


async def order_for(rig: Rig) -> None:
    """A terminal for which a command with a password waits."""
    await rig.api("PUT", "/devices/T1", {"state": "approved"})
    await order(rig, "DATA UPDATE USERINFO", **PASSWORD)


@pytest_twisted.ensureDeferred
async def test_a_stranger_gets_no_secret_of_a_terminal_that_returns_tokens(rig: Rig) -> None:
    """Its own exchange gives it a token, and that one proves nothing; what is no secret it gets."""
    terminal = await begun(Client(rig))
    check = await order(rig, "LOG")
    secret = await order(rig, "DATA UPDATE USERINFO", **PASSWORD)
    stranger = Client(rig, THERE)
    await stranger.exchange()
    assert (await stranger.poll())[1].endswith(b":LOG\n")
    assert await stranger.poll() == IDLE
    asked = await stranger.ask("GET", "cdata?SN=T1&table=RemoteAtt&PIN=7")
    assert asked.status == 403
    assert [await state(rig, command) for command in (check, secret)] == ["sent", "queued"]
    assert "second session" in await problems(rig)
    assert b"Passwd=71553" in (await terminal.poll())[1]


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_can_prove_nothing_is_served_as_ever(rig: Rig) -> None:
    """No token, no encryption: its commands do not wait."""
    terminal = Client(rig, returns=False)
    await terminal.exchange(pushver="2.2.14")
    await order(rig, "DATA UPDATE USERINFO", **PASSWORD)
    assert b"Passwd=71553" in (await terminal.poll())[1]


@pytest_twisted.ensureDeferred
async def test_a_pinned_key_makes_a_token_worth_more(rig: Rig) -> None:
    """An exchange with the pinned pushcommkey is the terminal's, from wherever it comes."""
    key = {"pushcommkey": "a" * 32}
    terminal = Client(rig)
    await terminal.exchange(**key)
    await rig.pin("a" * 32)
    assert await terminal.upload() == STORED
    assert (await Client(rig, THERE).exchange()).status == 403
    await order(rig, "DATA UPDATE USERINFO", **PASSWORD)
    moved = Client(rig, THERE)
    await moved.exchange(**key)
    assert b"Passwd=71553" in (await moved.poll())[1]


@pytest_twisted.ensureDeferred
async def test_what_tokens_have_shown_is_known_to_every_node(make_rig, tmp_path) -> None:
    """Also after a restart: a node that never met the terminal refuses it without its token."""
    database = f"sqlite:///{tmp_path / 'db.sqlite'}"
    one, other = nodes = [await make_rig(database=database) for _ in range(2)]
    client = await begun(Client(one))
    await a_second(nodes)
    token = client.token
    for node in (other, await make_rig(database=database)):
        client.rig, client.token = node, None
        assert await client.upload() == BEGIN_AGAIN
        client.token = token
        assert await client.upload() == STORED


@pytest_twisted.ensureDeferred
async def test_tokens_cost_no_write_once_they_are_proved(make_rig, tmp_path) -> None:
    """A poll with its token, one without, or one with another server's, is a poll like others."""
    for name, client_of in (
        ("token", lambda rig: Client(rig)),
        ("none", lambda rig: Client(rig, returns=False)),
    ):
        rig = await make_rig(database=f"sqlite:///{tmp_path / f'{name}.sqlite'}")
        client = await begun(client_of(rig))
        if name == "none":
            client.token = FOREIGN
        before = rig.store.counts()["units"]
        for _ in range(5):
            assert await client.poll() == IDLE
        assert rig.store.counts()["units"] == before


# Encrypted sessions (6, 7)


async def sealed(rig: Rig) -> SealedTerminal:
    """A terminal whose session is encrypted."""
    terminal = SealedTerminal(rig)
    await terminal.begin()
    assert await terminal.get(POLL) == b"OK"
    return terminal


def said(response: Response) -> tuple[int, bytes]:
    """Status and body."""
    return response.status, response.body


@pytest_twisted.ensureDeferred
async def test_a_sealed_poll_is_taken_once(rig: Rig) -> None:
    """One that was captured and is sent again later leases no command."""
    terminal = await sealed(rig)
    captured, *_ = terminal.request("GET", POLL)
    assert (await terminal.send(captured)).status == 200
    command = await order(rig, "REBOOT")
    for _ in range(3):
        assert said(await terminal.send(captured)) == BEGIN_AGAIN
    assert await state(rig, command) == "queued"
    assert (await terminal.get(POLL)).endswith(b":REBOOT\n")


@pytest_twisted.ensureDeferred
async def test_a_stranger_s_steps_do_not_make_the_server_forget(rig: Rig) -> None:
    """Exchanges and public keys in the terminal's name leave the numbers as they are."""
    terminal = await sealed(rig)
    captured, *_ = terminal.request("GET", POLL)
    assert (await terminal.send(captured)).status == 200
    await rig.exchange()
    await SealedTerminal(rig).keys()
    command = await order(rig, "REBOOT")
    assert said(await terminal.send(captured)) == BEGIN_AGAIN
    assert await state(rig, command) == "queued"


@pytest.mark.parametrize("restarted", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_sealed_poll_is_taken_once_over_all_nodes(
    make_rig, tmp_path, restarted: bool
) -> None:
    """Its number is in the store within seconds, and before a node ends."""
    database = f"sqlite:///{tmp_path / 'db.sqlite'}"
    one = await make_rig(database=database)
    other = None if restarted else await make_rig(database=database)
    terminal = await sealed(one)
    captured, *_ = terminal.request("GET", POLL)
    assert (await terminal.send(captured)).status == 200
    if other is None:
        await one.stop()
        other = await make_rig(database=database)
    else:
        one.clock.advance(5)
        await one.store.write(lambda tx: None)
        await a_second([one, other])
    terminal.rig = other
    command = await order(other, "REBOOT")
    assert said(await terminal.send(captured)) == BEGIN_AGAIN
    assert await state(other, command) == "queued"
    assert (await terminal.get(POLL)).endswith(b":REBOOT\n")


class Deaf(dict[int, tuple[int, str | None]]):
    """Last-seen times of a registry that keeps none of them."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[object] = []

    def __setitem__(self, key: int, value: tuple[int, str | None]) -> None:
        self.times.append(value)


@pytest_twisted.ensureDeferred
async def test_the_number_of_a_poll_is_written_without_a_last_seen_time(
    make_rig, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of the poll may have been written a moment before its number was known."""
    database = f"sqlite:///{tmp_path / 'db.sqlite'}"
    one = await make_rig(database=database)
    terminal = await sealed(one)
    captured, *_ = terminal.request("GET", POLL)
    await one.registry.finish()
    heard = Deaf()
    monkeypatch.setattr(one.registry, "heard", heard)
    monkeypatch.setattr(one.registry, "seen", lambda terminal, address: heard.times.append(address))
    assert (await terminal.send(captured)).status == 200
    assert heard.times
    await one.stop()
    terminal.rig = await make_rig(database=database)
    assert said(await terminal.send(captured)) == BEGIN_AGAIN


@pytest_twisted.ensureDeferred
async def test_idle_sealed_polls_cost_no_write(make_rig, tmp_path) -> None:
    """Their numbers are written with the last-seen times."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'db.sqlite'}")
    terminal = await sealed(rig)
    await terminal.get(POLL)
    before = rig.store.counts()["units"]
    for _ in range(20):
        assert await terminal.get(POLL) == b"OK"
    assert rig.store.counts()["units"] == before
    rig.clock.advance(5)
    await rig.store.write(lambda tx: None)
    assert rig.store.counts()["units"] == before + 2
    (keys,) = await rig.store.read(lambda tx: tx[SessionStore].keys(1))
    assert keys.number >= 21


@pytest.mark.parametrize("pushver", ["2.4.1", "2.2.14"])
@pytest_twisted.ensureDeferred
async def test_a_downgrade_loses_nothing(rig: Rig, pushver: str) -> None:
    """After a stranger's plain exchange the terminal's sealed upload is opened, and stored."""
    terminal = await sealed(rig)
    await Client(rig, THERE).exchange(pushver=pushver)
    assert await terminal.post(UPLOAD, LINE) == b"OK: 1"
    assert [item["pin"] for item in await rig.items("/attendance")] == ["7"]
    assert await rig.items("/rejects") == []
    assert (await rig.items("/devices"))[0]["session"] == "encrypted"


@pytest_twisted.ensureDeferred
async def test_what_does_not_open_is_never_acknowledged(rig: Rig) -> None:
    """Where the keys are gone, the terminal is asked for the exchange, and it is a problem."""
    terminal = await sealed(rig)
    await change(rig, encryption="never")
    await Client(rig, THERE).exchange()
    raw, *_ = terminal.request("POST", UPLOAD, LINE)
    assert said(await terminal.send(raw)) == BEGIN_AGAIN
    assert await rig.items("/rejects") == []
    assert await problems(rig) == {"sealed data does not open"}


@pytest_twisted.ensureDeferred
async def test_secrets_wait_for_the_encrypted_session(rig: Rig) -> None:
    """A stranger who makes a plain exchange in the terminal's name polls none of them."""
    terminal = await sealed(rig)
    secret = await order(rig, "DATA UPDATE USERINFO", **PASSWORD)
    stranger = Client(rig, THERE)
    await stranger.exchange()
    for _ in range(3):
        assert await stranger.poll() == IDLE
    assert await state(rig, secret) == "queued"
    assert "commands wait for proof" in await problems(rig)
    assert b"Passwd=71553" in await terminal.get(POLL)


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_is_to_stay_plain_gets_its_commands(rig: Rig) -> None:
    """An operator says so, by its policy."""
    await sealed(rig)
    await order(rig, "DATA UPDATE USERINFO", **PASSWORD)
    client = Client(rig, returns=False)
    await client.exchange()
    assert await client.poll() == IDLE
    await change(rig, encryption="never")
    await client.exchange()
    assert b"Passwd=71553" in (await client.poll())[1]
    assert await problems(rig) == set()


@pytest_twisted.ensureDeferred
async def test_polls_that_get_nothing_cost_no_write(make_rig, tmp_path) -> None:
    """Commands that wait for proof are looked for once a minute, not at each poll."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'db.sqlite'}")
    await sealed(rig)
    await order(rig, "DATA UPDATE USERINFO", **PASSWORD)
    client = Client(rig, THERE, returns=False)
    await client.exchange()
    assert await client.poll() == IDLE
    await problems(rig)
    assert await client.poll() == IDLE
    before = rig.store.counts()["units"]
    for _ in range(5):
        assert await client.poll() == IDLE
    assert rig.store.counts()["units"] == before
