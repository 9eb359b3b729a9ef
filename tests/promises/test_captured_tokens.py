"""What the token of a captured request opens is what docs/security.md says, under each setting."""

from __future__ import annotations

import itertools
import pathlib

import pytest
import pytest_twisted

from ..rig import Rig
from .test_identity_of_sessions import BEGIN_AGAIN, Client, begun
from .test_threat_model import (
    KEY,
    LINE,
    PLAIN_COMMAND,
    PUNCHES,
    SECRET,
    THERE,
    UPLOAD,
    WORDS,
    Sealed,
    prepare,
    sealing,
    tried,
    with_both,
    with_token,
)

NEW_KEY = {"pushcommkey": "fresh" * 6}
SECURITY = pathlib.Path(__file__).parents[2] / "docs" / "security.md"


async def encrypting(
    rig: Rig, policy: str, secret: bytes = b"", *, has_key: bool = False
) -> Sealed:
    """A terminal that encrypts and returns tokens."""
    shows = KEY if has_key else {}
    terminal = await sealing(rig, policy, secret, returns=True, **shows)
    if has_key:
        assert (await rig.pin(KEY["pushcommkey"])).status == 200
    return terminal


async def begins(rig: Rig, setting: str) -> Client | Sealed:
    """A terminal under a setting, which has been served."""
    make = {
        "plain": lambda: with_token(rig),
        "plain, pinned pushcommkey": lambda: with_both(rig),
        "`prefer`": lambda: encrypting(rig, "prefer"),
        "`prefer`, shared secret": lambda: encrypting(rig, "prefer", SECRET),
        "`prefer`, pinned pushcommkey": lambda: encrypting(rig, "prefer", has_key=True),
        "`prefer`, pinned pushcommkey, shared secret": lambda: encrypting(
            rig, "prefer", SECRET, has_key=True
        ),
        "`require`": lambda: encrypting(rig, "require"),
        "`require`, pinned pushcommkey": lambda: encrypting(rig, "require", has_key=True),
        "`require`, shared secret": lambda: encrypting(rig, "require", SECRET),
        "`require`, pinned pushcommkey, shared secret": lambda: encrypting(
            rig, "require", SECRET, has_key=True
        ),
    }[setting]
    terminal: Client | Sealed = await make()
    assert (await terminal.ask("POST", UPLOAD, LINE % 1)).body == b"OK: 1"
    return terminal


ALL, SOME, NONE = set(WORDS), {PLAIN_COMMAND, PUNCHES}, set[str]()
OPENED = {
    "plain": (ALL, ALL),
    "plain, pinned pushcommkey": (ALL, ALL),
    "`prefer`": (ALL, ALL),
    "`prefer`, shared secret": (SOME, SOME),
    "`prefer`, pinned pushcommkey": (NONE, ALL),
    "`prefer`, pinned pushcommkey, shared secret": (NONE, SOME),
    "`require`": (ALL, ALL),
    "`require`, pinned pushcommkey": (NONE, ALL),
    "`require`, shared secret": (NONE, NONE),
    "`require`, pinned pushcommkey, shared secret": (NONE, NONE),
}
"""What the token opens while a session goes on, and while the terminal begins the next one."""


async def opened(rig: Rig, token: str) -> set[str]:
    """What somebody elsewhere gets with the token in any of the ways there are."""
    got: set[str] = set()
    bearer = Client(rig, THERE)
    bearer.token = token
    got |= await tried(bearer, 100)
    secrets, both = (b"", b"a guess of sixteen bytes"), (False, True)
    for number, (secret, returns, greets) in enumerate(itertools.product(secrets, both, both)):
        stranger = Sealed(rig, THERE, secret, returns=returns)  # or shows the captured one always
        stranger.plain.token = token
        try:
            await stranger.begin(greets=greets)
        except AssertionError:
            pass
        else:
            got |= await tried(stranger, 200 + number)
    greeting = Client(rig, THERE)
    greeting.token = token
    await greeting.exchange()
    return got | await tried(greeting, 300)


@pytest.mark.parametrize("is_beginning", [False, True], ids=["in session", "beginning"])
@pytest.mark.parametrize("setting", OPENED)
@pytest_twisted.ensureDeferred
async def test_what_a_captured_token_opens(make_rig, setting: str, is_beginning: bool) -> None:
    """From elsewhere, although it was the header of an encrypted request."""
    rig = await make_rig(remote_attendance={"enabled": True})
    terminal = await begins(rig, setting)
    plain = terminal.plain if isinstance(terminal, Sealed) else terminal
    token = plain.token
    assert token is not None
    await prepare(rig)
    if is_beginning:
        shows = KEY if "pinned" in setting else {}
        assert (await plain.exchange(**shows)).status == 200
    assert await opened(rig, token) == OPENED[setting][is_beginning]


@pytest_twisted.ensureDeferred
async def test_a_captured_upload_without_a_token_is_taken_with_a_stranger_s(rig: Rig) -> None:
    """Once the terminal returns tokens, it is refused as it is; a pinned key keeps tokens away."""
    terminal = await begun(await with_token(rig))
    stranger = Client(rig, THERE)
    assert await stranger.upload() == BEGIN_AGAIN
    await begun(stranger)
    await terminal.exchange(**KEY)
    assert (await rig.pin(KEY["pushcommkey"])).status == 200
    another = Client(rig, "203.0.113.10")
    assert (await another.exchange()).status == 403
    assert await another.upload() == BEGIN_AGAIN


BY_EXCHANGE = {
    "plain, pinned pushcommkey": ALL,
    "`prefer`, pinned pushcommkey": ALL,
    "`prefer`, pinned pushcommkey, shared secret": SOME,
    "`require`, pinned pushcommkey": ALL,
    "`require`, pinned pushcommkey, shared secret": NONE,
}
"""What an exchange with the pinned key opens."""


@pytest.mark.parametrize("setting", BY_EXCHANGE)
@pytest_twisted.ensureDeferred
async def test_a_captured_exchange_opens_what_the_pinned_key_protects(
    make_rig, setting: str
) -> None:
    """With the key in it, its token is trusted."""
    rig = await make_rig(remote_attendance={"enabled": True})
    await begins(rig, setting)
    await prepare(rig)
    got: set[str] = set()
    for number, is_sealed in enumerate((True, False)):
        greeting = Client(rig, THERE)
        assert (await greeting.exchange(**KEY)).status == 200
        stranger = Sealed(rig, THERE, returns=False)
        stranger.plain.token = greeting.token
        if is_sealed:
            await stranger.begin(greets=False)
        got |= await tried(stranger if is_sealed else greeting, 100 + number)
    assert got == BY_EXCHANGE[setting]


@pytest.mark.parametrize("setting", BY_EXCHANGE)
@pytest_twisted.ensureDeferred
async def test_another_pinned_key_ends_what_a_captured_exchange_opened(
    make_rig, setting: str
) -> None:
    """At once, before the terminal has the new key, and without a problem once it has it."""
    rig = await make_rig(remote_attendance={"enabled": True})
    terminal = await begins(rig, setting)
    await prepare(rig)
    plain, sealed = Client(rig, THERE), Sealed(rig, THERE, returns=True)
    for client in (plain, sealed.plain):
        assert (await client.exchange(**KEY)).status == 200
    await sealed.begin(greets=False)
    for client in (plain, sealed.plain):
        await client.poll()
    assert (await rig.pin(NEW_KEY["pushcommkey"])).status == 200
    assert await tried(plain, 100) | await tried(sealed, 101) == NONE
    own = terminal.plain if isinstance(terminal, Sealed) else terminal
    assert await own.upload() == BEGIN_AGAIN
    if isinstance(terminal, Sealed):
        terminal.shows = NEW_KEY
        await terminal.begin()
    else:
        assert (await terminal.exchange(**NEW_KEY)).status == 200
    assert (await terminal.ask("POST", UPLOAD, LINE % 2)).body == b"OK: 1"
    problems = (await rig.api("GET", "/devices/T1")).json["problems"]
    assert "token not returned" not in [one["code"] for one in problems]
    assert await tried(plain, 102) | await tried(sealed, 103) == NONE


@pytest_twisted.ensureDeferred
async def test_a_token_stays_when_the_key_that_it_came_with_is_pinned(rig: Rig) -> None:
    """The terminal goes on; a token that somebody got without the key ends."""
    terminal, stranger = Client(rig), await begun(Client(rig, THERE))
    assert (await terminal.exchange(**KEY)).status == 200
    assert (await rig.pin(KEY["pushcommkey"])).status == 200
    assert await terminal.upload() == (200, b"OK: 1")
    assert await stranger.upload() == BEGIN_AGAIN


def test_the_page_says_what_tokens_open() -> None:
    """The table of docs/security.md has a row for each setting, with what was found here."""
    text = " ".join(SECURITY.read_text().split())
    words = {frozenset(ALL): "all", frozenset(SOME): "some", frozenset(NONE): "nothing"}
    for setting, both in OPENED.items():
        cells = " | ".join(words[frozenset(one)] for one in both)
        name = setting if setting.startswith("plain") else f"it encrypts, {setting}"
        if setting.startswith("`require`") and "secret" in setting:
            name = "it encrypts, `require`, shared secret, with or without a pinned pushcommkey"
        by_exchange = BY_EXCHANGE.get(setting)
        if setting == "`require`, shared secret":
            last = "nothing"  # as for any stranger
        elif by_exchange is None:
            last = "as any stranger's"
        else:
            last = words[frozenset(by_exchange)]
        assert f"| {name} | {cells} | {last} |" in text
