"""What a stranger with a serial number can do is what docs/security.md says, under each setting."""

from __future__ import annotations

import base64
import itertools
import pathlib

import pytest
import pytest_twisted

from zkpush.persist.devices import DeviceStore
from zkpush.persist.stamps import StampStore

from ..rig import TOKEN, Response, Rig, talk
from ..sealed import SealedTerminal
from .test_identity_of_sessions import BEGIN_AGAIN, Client

SECURITY = pathlib.Path(__file__).parents[2] / "docs" / "security.md"
HERE, THERE = "10.1.2.3", "203.0.113.9"
KEY = {"pushcommkey": "a" * 32}
SECRET = b"sixteen or more bytes"
POLL, UPLOAD = "getrequest?SN=T1", "cdata?SN=T1&table=ATTLOG&Stamp=1"
MOVES, PEOPLE_UPLOAD = UPLOAD + "777", "cdata?SN=T1&table=OPERLOG&Stamp=1"
SIMPLIFIED_CHINESE = "83"
LINE = b"%d\t2026-01-05 08:00:00\t0\t1\n"
PERSON = b"USER PIN=%d\tName=Eve\tPri=14\n"
REMOTE = "cdata?SN=T1&table=RemoteAtt&PIN=7"
PLAIN_COMMAND, SECRET_COMMAND, PUNCHES, PEOPLE = "commands", "secrets", "punches", "people"
WORDS = (PLAIN_COMMAND, SECRET_COMMAND, PUNCHES, PEOPLE)


class Sealed(SealedTerminal):
    """Somebody at an address who makes all the exchanges, and seals."""

    def __init__(
        self, rig: Rig, address: str, secret: bytes = b"", *, returns: bool = False
    ) -> None:
        super().__init__(rig, "T1", secret)
        self.address = address
        self.shows: dict[str, str] = {}
        """What it adds to the initialization exchange."""
        self.plain = Client(rig, address, returns=returns)

    async def begin(self, *, greets: bool = True) -> None:
        """Make the exchanges, or all but the first; `AssertionError` if one is refused."""
        if greets:
            assert (await self.plain.exchange(**self.shows)).status == 200
        keys = await self.keys()
        assert keys.status == 200
        assert (keys.status, keys.body) != BEGIN_AGAIN
        reply = await self.factors(keys)
        assert reply.status == 200
        self.cipher.agree(reply.body.removeprefix(b"Factors="))

    async def step(self, kind: str, body: bytes) -> Response:
        """A step of the exchange."""
        return self.plain.keep(await self.plain.ask("POST", f"exchange?SN=T1&type={kind}", body))

    async def send(self, raw: bytes) -> Response:
        """Send bytes, with the token of the session if it returns tokens."""
        line, rest = raw.split(b"\r\n", 1)
        cookie = f"Cookie: token={self.plain.token}\r\n" if self.plain.token else ""
        return await talk(self.rig.terminals, line + b"\r\n" + cookie.encode() + rest, self.address)

    async def ask(self, method: str, target: str, body: bytes = b"") -> Response:
        """A sealed request, and its reply as the client reads it."""
        raw, place, number = self.request(method, target, body)
        reply = await self.send(raw)
        if reply.status == 200 and (reply.status, reply.body) != BEGIN_AGAIN:
            reply.body = self.cipher.open(place, number, reply.body)
        return reply


async def no_token(rig: Rig) -> Client:
    """A terminal that returns no tokens."""
    client = Client(rig, HERE, returns=False)
    await client.exchange()
    return client


async def with_token(rig: Rig) -> Client:
    """A terminal that returns them."""
    client = Client(rig, HERE)
    await client.exchange()
    return client


async def must_return(rig: Rig) -> Client:
    """A terminal from which tokens are required."""
    client = await with_token(rig)
    await rig.api("PATCH", "/devices/T1", {"token": "require"})
    return client


async def with_key(rig: Rig, *, returns: bool = False) -> Client:
    """A terminal whose pushcommkey is pinned."""
    client = Client(rig, HERE, returns=returns)
    await client.exchange(**KEY)
    assert (await rig.pin(KEY["pushcommkey"])).status == 200
    return client


async def with_both(rig: Rig) -> Client:
    """And that returns tokens."""
    return await with_key(rig, returns=True)


async def key_and_token(rig: Rig) -> Client:
    """Its pushcommkey is pinned, and tokens are required."""
    client = await with_both(rig)
    await rig.api("PATCH", "/devices/T1", {"token": "require"})
    return client


async def ignored(rig: Rig) -> Client:
    """A terminal that returns tokens, which are ignored."""
    client = await with_token(rig)
    await rig.api("PATCH", "/devices/T1", {"token": "ignore"})
    return client


async def at_home(rig: Rig) -> Client:
    """A terminal that may be in one network only."""
    client = await no_token(rig)
    await rig.api("PATCH", "/devices/T1", {"networks": [f"{HERE}/32"]})
    return client


async def sealing(
    rig: Rig, policy: str, secret: bytes = b"", *, returns: bool = False, **shows: str
) -> Sealed:
    """A terminal that encrypts, and shows something in its exchange."""
    values = {"state": "approved", "encryption": policy}
    if secret:
        values["secret"] = base64.b64encode(secret).decode()
    assert (await rig.api("PUT", "/devices/T1", values)).status == 200
    terminal = Sealed(rig, HERE, secret, returns=returns)
    terminal.shows = shows
    await terminal.begin()
    return terminal


async def prefers(rig: Rig) -> Sealed:
    """By the default policy."""
    return await sealing(rig, "prefer")


async def prefers_secret(rig: Rig) -> Sealed:
    """With a shared secret."""
    return await sealing(rig, "prefer", SECRET)


async def prefers_key(rig: Rig) -> Sealed:
    """With a pinned pushcommkey."""
    terminal = await sealing(rig, "prefer", **KEY)
    assert (await rig.pin(KEY["pushcommkey"])).status == 200
    return terminal


async def requires_key(rig: Rig) -> Sealed:
    """Encryption is required of it, and its pushcommkey is pinned."""
    terminal = await sealing(rig, "require", **KEY)
    assert (await rig.pin(KEY["pushcommkey"])).status == 200
    return terminal


async def requires(rig: Rig) -> Sealed:
    """Encryption is required of it."""
    return await sealing(rig, "require")


async def requires_secret(rig: Rig) -> Sealed:
    """And both share a secret."""
    return await sealing(rig, "require", SECRET)


SETTINGS = {
    "nothing is set; it returns no tokens": (no_token, set(WORDS)),
    "nothing is set; it returns tokens": (with_token, {PLAIN_COMMAND, PUNCHES}),
    "`token=require`, and the terminal was the first to return a token": (
        must_return,
        {PLAIN_COMMAND, PUNCHES},
    ),
    "pinned pushcommkey; it returns no tokens": (with_key, set(WORDS)),
    "pinned pushcommkey; it returns tokens": (with_both, set()),
    "pinned pushcommkey, `token=require`": (key_and_token, set()),
    "`token=ignore`": (ignored, set(WORDS)),
    "`networks`, and the stranger is elsewhere": (at_home, set()),
    "it encrypts, `encryption=prefer`": (prefers, set(WORDS)),
    "it encrypts, `encryption=prefer`, shared secret": (prefers_secret, {PLAIN_COMMAND, PUNCHES}),
    "it encrypts and its session is encrypted now, `encryption=prefer`, pinned pushcommkey": (
        prefers_key,
        set(),
    ),
    "`encryption=require`": (requires, set(WORDS)),
    "`encryption=require`, pinned pushcommkey": (requires_key, set()),
    "`encryption=require`, shared secret": (requires_secret, set()),
}


async def prepare(rig: Rig) -> None:
    """Somebody to ask for, and two commands that wait: one without a secret, one with."""
    await rig.exchange("T2")
    person = b"USER PIN=7\tName=Ann\tPasswd=71553\n"
    await rig.post("cdata?SN=T2&table=OPERLOG&Stamp=1", person)
    for command, params in (("LOG", {}), ("DATA UPDATE USERINFO", {"PIN": "8", "Passwd": "90210"})):
        body = {"command": command, "params": params}
        assert (await rig.api("POST", "/devices/T1/commands", body)).status == 202


async def tried(client: Client | Sealed, pin: int) -> set[str]:
    """What somebody gets who polls, uploads a punch and a person, and asks for a user."""
    polled = (await client.ask("GET", POLL)).body
    stored = (await client.ask("POST", MOVES, LINE % pin)).body
    changed = (await client.ask("POST", PEOPLE_UPLOAD, PERSON % pin)).body
    assert (changed == b"OK: 1") is (stored == b"OK: 1")  # the table has one column for both
    user = (await client.ask("GET", REMOTE)).body
    found = {
        PLAIN_COMMAND: b":LOG\n" in polled,
        SECRET_COMMAND: b"Passwd=90210" in polled,
        PUNCHES: stored == b"OK: 1",
        PEOPLE: b"71553" in user,
    }
    return {word for word in WORDS if found[word]}


async def attacked(rig: Rig, address: str = THERE) -> set[str]:
    """What a stranger gets in any of the ways there are: without an exchange, and after each.

    The ways begin with the initialization exchange, or skip it.
    """
    got: set[str] = set()
    for number, returns in enumerate((None, False, True)):
        stranger = Client(rig, address, returns=bool(returns))
        if returns is not None:
            await stranger.exchange()
        got |= await tried(stranger, 100 + number)
    for returns in (False, True):
        halfway = Sealed(rig, address, returns=returns)
        await halfway.keys()
        got |= await tried(halfway.plain, 150)
    secrets = (b"", b"a guess of sixteen bytes")
    for secret, returns, greets in itertools.product(secrets, (False, True), (False, True)):
        stranger = Sealed(rig, address, secret, returns=returns)
        try:
            await stranger.begin(greets=greets)
        except AssertionError:
            continue
        got |= await tried(stranger, 200)
    return got


@pytest.mark.parametrize("setting", SETTINGS)
@pytest_twisted.ensureDeferred
async def test_what_a_stranger_can_do(make_rig, setting: str) -> None:
    """No more than is said, and the terminal goes on afterwards."""
    rig = await make_rig(remote_attendance={"enabled": True})
    begin, expected = SETTINGS[setting]
    terminal = await begin(rig)
    assert (await terminal.ask("POST", UPLOAD, LINE % 1)).body == b"OK: 1"
    await prepare(rig)
    assert await attacked(rig) == expected
    stamps = await rig.store.read(lambda tx: tx[StampStore].of(tx[DeviceStore].find("T1").id))
    assert stamps["ATTLOG"] == ("1777" if SECRET_COMMAND in expected else "1")
    reply = await terminal.ask("POST", UPLOAD, LINE % 2)
    if (reply.status, reply.body) == BEGIN_AGAIN and isinstance(terminal, Sealed):
        await terminal.begin()  # somebody else's keys are in use: it makes the exchanges again
        reply = await terminal.ask("POST", UPLOAD, LINE % 2)
    assert reply.body == b"OK: 1"
    # What was not handed out waits for the terminal, or its lease runs out.
    rig.clock.advance(301)
    assert (await terminal.ask("GET", POLL)).body != b"OK"


@pytest.mark.parametrize(
    "setting",
    ["pinned pushcommkey; it returns tokens", "`encryption=require`, shared secret"],
)
@pytest_twisted.ensureDeferred
async def test_some_settings_hold_at_the_terminals_own_address(make_rig, setting: str) -> None:
    """A stranger behind the same NAT gets nothing either."""
    rig = await make_rig(remote_attendance={"enabled": True})
    begin, expected = SETTINGS[setting]
    terminal = await begin(rig)
    assert (await terminal.ask("POST", UPLOAD, LINE % 1)).body == b"OK: 1"
    await prepare(rig)
    assert await attacked(rig, HERE) == expected == set()


@pytest.mark.parametrize("setting", SETTINGS)
@pytest_twisted.ensureDeferred
async def test_whose_exchange_counts_for_the_terminal(make_rig, setting: str) -> None:
    """What a stranger's exchange says counts where neither tokens, a pin nor networks tell."""
    rig = await make_rig()
    begin, _ = SETTINGS[setting]
    terminal = await begin(rig)
    assert (await terminal.ask("POST", UPLOAD, LINE % 1)).body == b"OK: 1"
    await Client(rig, THERE).exchange(language=SIMPLIFIED_CHINESE)
    is_told_apart = any(
        word in setting for word in ("returns tokens", "return a token", "pinned", "networks")
    )
    device = (await rig.api("GET", "/devices/T1")).json
    assert (device["language"] != SIMPLIFIED_CHINESE) is is_told_apart


@pytest.mark.parametrize("admission", ["approve", "closed"])
@pytest_twisted.ensureDeferred
async def test_who_is_not_approved_gets_nothing(make_rig, admission: str) -> None:
    """Neither a serial number that nobody knows, nor one that waits or is blocked."""
    rig = await make_rig(admission=admission, remote_attendance={"enabled": True})
    assert await attacked(rig) == set()
    await rig.api("PUT", "/devices/T1", {"state": "blocked"})
    assert await attacked(rig) == set()


@pytest_twisted.ensureDeferred
async def test_an_invented_serial_number_speaks_for_itself(make_rig) -> None:
    """Under `open` it is served at once, asks for any user, and gets no command of another."""
    rig = await make_rig(admission="open", remote_attendance={"enabled": True})
    await no_token(rig)
    await prepare(rig)
    assert (await rig.exchange("INVENTED")).status == 200
    assert (await rig.get("getrequest?SN=INVENTED")).body == b"OK"
    upload = UPLOAD.replace("T1", "INVENTED")
    assert (await rig.post(upload, LINE % 1)).body == b"OK: 1"
    assert [record["device"] for record in await rig.items("/attendance")] == ["INVENTED"]
    assert b"71553" in (await rig.get(REMOTE.replace("T1", "INVENTED"))).body


@pytest.mark.parametrize("path", ["/api/v1/devices", "/health", "/metrics", "/iclock/../health"])
@pytest_twisted.ensureDeferred
async def test_the_api_is_not_at_the_terminals_port(rig: Rig, path: str) -> None:
    """A good token opens nothing there."""
    raw = f"GET {path} HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    assert (await talk(rig.terminals, raw.encode())).status == 404


def test_the_page_says_what_was_tried() -> None:
    """The table of docs/security.md has a row for each setting, with what was found here."""
    text = " ".join(SECURITY.read_text().split())
    assert "it speaks for the terminal: it overwrites" in text
    assert "| not if the terminal returns tokens | as in the first row |" in text
    for setting, (_, expected) in SETTINGS.items():
        cells = " | ".join("yes" if word in expected else "no" for word in WORDS)
        assert f"| {setting} | {cells} |" in text
