"""Encrypted sessions (6, 7, Appendix 8): their exchanges, what is served in them, and attacks."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from zkpush.protocol.envelope import NotOpened

from ..rig import Response, Rig
from ..sealed import SealedTerminal
from .files import add, order

LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
OTHER_LINE = b"8\t2026-01-05 08:00:00\t0\t1\n"
UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=1"
POLL = "getrequest?SN=T1"
BEGIN_AGAIN = (200, b"UNKNOWN DEVICE")
SECRET = b"sixteen or more bytes"


def said(response: Response) -> tuple[int, bytes]:
    """Status and body."""
    return response.status, response.body


async def change(rig: Rig, sn: str = "T1", **values: object) -> Response:
    """Change a terminal as an operator does."""
    return await rig.api("PATCH", f"/devices/{sn}", values)


async def pins(rig: Rig) -> list[object]:
    """Whose punches are stored."""
    return sorted(item["pin"] for item in await rig.items("/attendance"))


async def session(rig: Rig) -> tuple[object, object]:
    """What the API shows of the session of the first terminal."""
    device = (await rig.items("/devices"))[0]
    return device["session"], device["exchange"]


async def begun(rig: Rig, sn: str = "T1", secret: bytes = b"") -> SealedTerminal:
    """A terminal whose session is encrypted."""
    terminal = SealedTerminal(rig, sn, secret)
    await terminal.begin()
    assert await terminal.get(f"getrequest?SN={sn}") == b"OK"
    return terminal


@pytest_twisted.ensureDeferred
async def test_an_encrypted_session_from_the_first_exchange_on(rig: Rig) -> None:
    """Each step shows in the API; the first request that opens proves that the session is there."""
    terminal = SealedTerminal(rig)
    await rig.exchange()
    assert await session(rig) == ("plain", "ready")
    keys = await terminal.keys()
    assert keys.header(b"Content-Type") == b"application/push;charset=UTF-8"
    assert await session(rig) == ("plain", "keys")
    factors = await terminal.factors(keys)
    assert factors.header(b"Content-Type") == b"application/push;charset=UTF-8"
    assert await session(rig) == ("plain", "factors")
    terminal.cipher.agree(factors.body.removeprefix(b"Factors="))
    assert await terminal.post(UPLOAD, LINE) == b"OK: 1"
    assert await session(rig) == ("encrypted", "encrypted")
    assert await pins(rig) == ["7"]


@pytest_twisted.ensureDeferred
async def test_everything_is_served_in_an_encrypted_session(rig: Rig) -> None:
    """Options, uploads, photos, polls with news, commands, their answers, and pings."""
    terminal = await begun(rig)
    assert await terminal.post("cdata?SN=T1&table=options", b"~DeviceName=X") == b"OK"
    assert await terminal.post("cdata?SN=T1&table=OPERLOG&Stamp=1", b"USER PIN=1\n") == b"OK: 1"
    photo = b"PIN=20260105080000-7.jpg\nSN=T1\nsize=4\nCMD=uploadphoto\0\xff\xd8\xff\xd9"
    assert await terminal.post("fdata?SN=T1&table=ATTPHOTO&Stamp=1", photo) == b"OK"
    assert await terminal.get("ping?SN=T1") == b"OK"
    queued = await rig.api("POST", "/devices/T1/commands", {"command": "INFO"})
    name = queued.json["id"]
    assert await terminal.get(f"{POLL}&INFO=Ver%201,5,0,0") == f"C:{name}:INFO\n".encode()
    answer = f"ID={name}&Return=0&CMD=INFO\n".encode()
    assert await terminal.post("devicecmd?SN=T1", answer) == b"OK"
    device = (await rig.items("/devices"))[0]
    assert (device["firmware"], device["counts"]["users"]) == ("Ver 1", 5)
    assert device["options"] == {"~DeviceName": "X"}
    assert (await rig.api("GET", f"/commands/{name}")).json["state"] == "done"
    assert len(await rig.items("/photos")) == len(await rig.items("/users?limit=1")) == 1


@pytest_twisted.ensureDeferred
async def test_files_are_sealed_whole(rig: Rig) -> None:
    """Firmware that is fetched in an encrypted session is one body; ranges are not looked at."""
    terminal = await begun(rig)
    firmware = bytes(range(256)) * 1000
    added = await add(rig, firmware)
    await order(rig, "UPGRADE", file=added["id"], form=2)
    line = (await terminal.get(POLL)).decode()
    url = line.partition("url=")[2].partition(",")[0].strip()
    assert await terminal.get(f"file?SN=T1&url={url}") == firmware
    raw, place, number = terminal.request("GET", f"file?SN=T1&url={url}")
    reply = await terminal.send(raw.replace(b"\r\n\r\n", b"\r\nRange: bytes=5-9\r\n\r\n"))
    assert terminal.cipher.open(place, number, reply.body) == firmware
    refused = await rig.get(f"file?SN=T1&url={url}")
    assert (refused.status, b"OK" in refused.body) == (403, False)


@pytest_twisted.ensureDeferred
async def test_nothing_plain_is_served_in_an_encrypted_session(rig: Rig) -> None:
    """Whoever knows the serial number alone gets nothing, and nothing of theirs is stored."""
    await begun(rig)
    await rig.api("POST", "/devices/T1/commands", {"command": "REBOOT"})
    for path, body in (
        (UPLOAD, LINE),
        ("cdata?SN=T1&table=OPERLOG", b"USER PIN=1\n"),
        ("fdata?SN=T1&table=ATTPHOTO", b"PIN=1.jpg\nSN=T1\nsize=1\nCMD=uploadphoto\0x"),
        ("devicecmd?SN=T1", b"ID=1&Return=0&CMD=REBOOT\n"),
        ("cdata?SN=T1&type=PostVerifyData", b"PIN=1"),
        ("ping?SN=T1", b""),
    ):
        assert said(await rig.post(path, body)) == BEGIN_AGAIN
    assert said(await rig.get(POLL)) == BEGIN_AGAIN
    assert said(await rig.get("cdata?SN=T1&table=RemoteAtt&PIN=1")) == BEGIN_AGAIN
    for table in ("attendance", "users", "photos", "rejects"):
        assert await rig.items(f"/{table}") == []


@pytest_twisted.ensureDeferred
async def test_a_replayed_request_is_not_taken(rig: Rig) -> None:
    """The same bytes again, or those of an earlier request, are told to begin anew."""
    terminal = await begun(rig)
    first, *_ = terminal.request("POST", UPLOAD, LINE)
    second, *_ = terminal.request("POST", UPLOAD, OTHER_LINE)
    assert (await terminal.send(second)).status == 200
    for old in (second, first):
        assert said(await terminal.send(old)) == BEGIN_AGAIN
    assert await pins(rig) == ["8"]
    assert await terminal.post(UPLOAD, LINE) == b"OK: 1"


@pytest_twisted.ensureDeferred
async def test_of_the_same_bytes_sent_many_times_at_once_one_is_taken(rig: Rig) -> None:
    """Claims are compare-and-set: a command goes out once, however often its poll is replayed."""
    terminal = await begun(rig)
    await rig.api("POST", "/devices/T1/commands", {"command": "REBOOT"})
    raw, place, number = terminal.request("GET", POLL)
    replies = await gatherResults([Deferred.fromCoroutine(terminal.send(raw)) for _ in range(8)])
    served = [reply for reply in replies if said(reply) != BEGIN_AGAIN]
    (reply,) = served
    assert terminal.cipher.open(place, number, reply.body).endswith(b":REBOOT\n")


@pytest_twisted.ensureDeferred
async def test_a_poll_that_took_commands_is_not_answered_again(rig: Rig) -> None:
    """Sent again when there is nothing left to send, it is no idle poll: its number was taken."""
    terminal = await begun(rig)
    await rig.api("POST", "/devices/T1/commands", {"command": "REBOOT"})
    raw, place, number = terminal.request("GET", POLL)
    reply = await terminal.send(raw)
    assert terminal.cipher.open(place, number, reply.body).endswith(b":REBOOT\n")
    assert said(await terminal.send(raw)) == BEGIN_AGAIN
    assert await terminal.get(POLL) == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_request_of_another_terminal_or_place_does_not_open(rig: Rig) -> None:
    """What was sealed for one serial number, path, method or argument is good for no other."""
    one, other = await begun(rig), await begun(rig, "T2")
    raw, *_ = one.request("POST", UPLOAD, LINE)
    for old, new in (
        (b"SN=T1", b"SN=T2"),
        (b"Stamp=1", b"Stamp=2"),
        (b"table=ATTLOG", b"table=OPERLOG"),
        (b"/cdata", b"/fdata"),
        (b"/cdata?SN=T1&table=ATTLOG&Stamp=1", b"/devicecmd?SN=T1"),
    ):
        assert said(await one.send(raw.replace(old, new))) == BEGIN_AGAIN
    assert await pins(rig) == []
    assert await rig.items("/rejects") == []
    assert (await one.send(raw)).status == 200
    assert await other.get("getrequest?SN=T2") == b"OK"


@pytest_twisted.ensureDeferred
async def test_no_changed_bit_opens(rig: Rig) -> None:
    """Each byte of a sealed body counts; nothing of what does not open is kept."""
    terminal = await begun(rig)
    raw, *_ = terminal.request("POST", UPLOAD, LINE)
    head, _, body = raw.partition(b"\r\n\r\n")
    for place in range(len(body)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert said(await terminal.send(head + b"\r\n\r\n" + changed)) == BEGIN_AGAIN
    assert await pins(rig) == []
    assert (await terminal.send(raw)).status == 200


@pytest_twisted.ensureDeferred
async def test_a_reply_opens_for_its_request_only(rig: Rig) -> None:
    """Who swaps two replies is noticed by the terminal."""
    terminal = await begun(rig)
    first, place, number = terminal.request("POST", UPLOAD, LINE)
    second, _, following = terminal.request("POST", UPLOAD, OTHER_LINE)
    one = await terminal.send(first)
    two = await terminal.send(second)
    for reply, wrong in ((one, following), (two, number)):
        with pytest.raises(NotOpened):
            terminal.cipher.open(place, wrong, reply.body)


@pytest_twisted.ensureDeferred
async def test_an_exchange_that_is_not_finished_changes_nothing(rig: Rig) -> None:
    """The session goes on until a request opens under the new keys."""
    terminal = await begun(rig)
    assert said(await terminal.step("publickey", b"PublicKey=AQ==")) == BEGIN_AGAIN
    assert await terminal.get(POLL) == b"OK"


@pytest_twisted.ensureDeferred
async def test_steps_are_taken_in_order_and_once(rig: Rig) -> None:
    """No key before the options, no factor before the keys, and no factor twice."""
    terminal = SealedTerminal(rig)
    assert said(await terminal.keys()) == (403, (await terminal.keys()).body)
    await rig.exchange(pushver="2.4.1")
    assert (await terminal.step("factors", b"Factors=AQ==")).status == 400
    keys = await terminal.keys()
    assert (await terminal.factors(keys)).status == 200
    again = b"Factors=" + SealedTerminal(rig).cipher.begin()
    assert (await terminal.step("factors", again)).status == 400
    assert await session(rig) == ("plain", "factors")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("publickey", b""),
        ("publickey", b"PublicKey="),
        ("publickey", b"PublicKey=not base64!"),
        ("publickey", b"PublicKey=AAAA"),
        ("publickey", b"Factors=AQID"),
        ("publickey", b"PublicKey=AQ" + b"A" * 5000),
        ("publickey", b"\0\xff\r\n"),
        ("other", b"PublicKey=AQID"),
        ("", b""),
    ],
)
@pytest_twisted.ensureDeferred
async def test_rubbish_in_an_exchange_is_refused(rig: Rig, kind: str, body: bytes) -> None:
    """A clear 400, and the session is where it was."""
    await rig.exchange()
    response = await SealedTerminal(rig).step(kind, body)
    assert response.status == 400
    assert b"OK" not in response.body
    assert await session(rig) == ("plain", "ready")


@pytest_twisted.ensureDeferred
async def test_with_prefer_a_terminal_may_stay_plain(rig: Rig) -> None:
    """Also one of 2.4.1, and one that began the exchanges and did not end them."""
    await rig.exchange()
    assert said(await rig.post(UPLOAD, LINE)) == (200, b"OK: 1")
    terminal = SealedTerminal(rig)
    await terminal.factors(await terminal.keys())
    assert said(await rig.post(UPLOAD, OTHER_LINE)) == (200, b"OK: 1")
    assert await session(rig) == ("plain", "factors")


@pytest_twisted.ensureDeferred
async def test_a_reconnect_starts_over(rig: Rig) -> None:
    """The old keys open what is sealed until new ones are proved, and nothing from then on."""
    terminal = await begun(rig)
    await rig.exchange()
    assert await session(rig) == ("plain", "ready")
    assert await terminal.post(UPLOAD, OTHER_LINE) == b"OK: 1"
    assert await session(rig) == ("encrypted", "encrypted")
    old, *_ = terminal.request("POST", UPLOAD, LINE)
    await terminal.begin()
    assert await terminal.post(UPLOAD, LINE) == b"OK: 1"
    assert await session(rig) == ("encrypted", "encrypted")
    reply = await terminal.send(old)
    assert b"OK: 1" not in reply.body
    assert await pins(rig) == ["7", "8"]


@pytest_twisted.ensureDeferred
async def test_with_require_plain_data_is_refused_until_the_exchange_is_done(make_rig) -> None:
    """Before, between and after the steps; nothing of it is stored, and no command goes out."""
    rig = await make_rig(encryption={"policy": "require"})
    terminal = SealedTerminal(rig)

    async def refused() -> None:
        assert said(await rig.post(UPLOAD, LINE)) == BEGIN_AGAIN
        assert said(await rig.get(POLL)) == BEGIN_AGAIN

    await rig.exchange()
    await rig.api("POST", "/devices/T1/commands", {"command": "REBOOT"})
    await refused()
    keys = await terminal.keys()
    await refused()
    factors = await terminal.factors(keys)
    await refused()
    terminal.cipher.agree(factors.body.removeprefix(b"Factors="))
    assert await terminal.post(UPLOAD, OTHER_LINE) == b"OK: 1"
    await refused()
    assert await pins(rig) == ["8"]
    assert (await terminal.get(POLL)).endswith(b":REBOOT\n")


@pytest_twisted.ensureDeferred
async def test_with_require_nobody_ends_a_session_by_asking_for_options(make_rig) -> None:
    """Anybody can make the initialization exchange: the terminal goes on under its keys."""
    rig = await make_rig(encryption={"policy": "require"})
    terminal = await begun(rig)
    await rig.exchange()
    await SealedTerminal(rig).keys()
    assert said(await rig.post(UPLOAD, LINE)) == BEGIN_AGAIN
    assert await terminal.post(UPLOAD, OTHER_LINE) == b"OK: 1"
    assert await session(rig) == ("encrypted", "encrypted")


@pytest_twisted.ensureDeferred
async def test_with_require_a_terminal_that_is_too_old_is_a_problem(make_rig) -> None:
    """It is refused with a reason, people see it, and it goes away with newer firmware."""
    rig = await make_rig()
    await rig.exchange()
    await change(rig, encryption="require")
    for pushver in ("2.3.0", None):
        response = await rig.exchange(pushver=pushver)
        assert response.status == 403
        assert b"encrypt" in response.body
    device = (await rig.items("/devices"))[0]
    assert [problem["code"] for problem in device["problems"]] == ["cannot encrypt"]
    assert (await rig.exchange(pushver="2.4.0")).status == 200
    assert (await rig.items("/devices"))[0]["problems"] == []


@pytest_twisted.ensureDeferred
async def test_with_never_the_terminal_is_told_a_version_without_encryption(make_rig) -> None:
    """Appendix 8, case 1: it goes on in the plain, and an exchange of keys is refused."""
    rig = await make_rig(encryption={"policy": "never"})
    options = (await rig.exchange()).body
    assert b"PushProtVer=2.3.0\n" in options
    response = await SealedTerminal(rig).keys()
    assert response.status == 403
    assert said(await rig.post(UPLOAD, LINE)) == (200, b"OK: 1")
    device = (await rig.items("/devices"))[0]
    assert (device["protocol_version"], device["session"]) == ("2.3.0", "plain")


@pytest.mark.parametrize("pushver", ["2.3.0", "2.2.14", "rubbish", None])
@pytest_twisted.ensureDeferred
async def test_a_terminal_before_2_4_0_stays_plain(rig: Rig, pushver: str | None) -> None:
    """Both sides have to be of 2.4.0 or above (Appendix 6)."""
    await rig.exchange(pushver=pushver)
    assert (await SealedTerminal(rig).keys()).status == 403
    assert said(await rig.post(UPLOAD, LINE)) == (200, b"OK: 1")


@pytest_twisted.ensureDeferred
async def test_a_terminal_has_its_own_policy(rig: Rig) -> None:
    """What is decided for one is not for the others, and can be taken back."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    assert (await change(rig, encryption="require")).json["encryption"] == "require"
    assert said(await rig.post(UPLOAD, LINE)) == BEGIN_AGAIN
    assert said(await rig.post(UPLOAD.replace("T1", "T2"), LINE)) == (200, b"OK: 1")
    assert (await change(rig, encryption=None)).json["encryption"] is None
    assert said(await rig.post(UPLOAD, LINE)) == (200, b"OK: 1")
    assert (await change(rig, encryption="perhaps")).status == 400


@pytest_twisted.ensureDeferred
async def test_a_shared_secret_keeps_others_out(rig: Rig) -> None:
    """Who has it not can make the exchanges, and seal nothing that opens."""
    await rig.exchange()
    answer = await change(rig, secret=base64.b64encode(SECRET).decode())
    assert answer.status == 200
    assert base64.b64encode(SECRET) not in answer.raw
    stranger = SealedTerminal(rig, secret=b"another secret of its own")
    await stranger.begin()
    raw, *_ = stranger.request("POST", UPLOAD, LINE)
    reply = await stranger.send(raw)
    assert b"OK: 1" not in reply.body
    assert await pins(rig) == []
    terminal = SealedTerminal(rig, secret=SECRET)
    await terminal.begin()
    assert await terminal.post(UPLOAD, LINE) == b"OK: 1"


@pytest.mark.parametrize(
    "values",
    [
        {"cipher": "nosuch"},
        {"secret": "not base64"},
        {"secret": base64.b64encode(b"short").decode()},
        {"cipher": "rc4"},
        {"cipher": "rc4", "secret": base64.b64encode(b"123").decode()},
        {"token": None},
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_is_refused_and_changes_nothing(rig: Rig, values: dict) -> None:
    """An operator's mistake is a 400 that says what to do; the session goes on."""
    terminal = await begun(rig)
    response = await change(rig, **values)
    assert response.status == 400, response.raw
    assert await terminal.post(UPLOAD, LINE) == b"OK: 1"


@pytest_twisted.ensureDeferred
async def test_another_secret_ends_the_session(rig: Rig) -> None:
    """A secret that was changed is used at once: the old keys open nothing any more."""
    terminal = await begun(rig)
    await change(rig, secret=base64.b64encode(SECRET).decode())
    raw, *_ = terminal.request("POST", UPLOAD, LINE)
    assert b"OK: 1" not in (await terminal.send(raw)).body
    assert await pins(rig) == []


@pytest_twisted.ensureDeferred
async def test_a_changed_option_makes_an_encrypted_terminal_begin_again(rig: Rig) -> None:
    """Its next poll is told so; uploads are taken meanwhile."""
    terminal = await begun(rig)
    await change(rig, settings={"Delay": 5})
    assert await session(rig) == ("encrypted", "outdated")
    assert await terminal.post(UPLOAD, LINE) == b"OK: 1"
    raw, *_ = terminal.request("GET", POLL)
    assert said(await terminal.send(raw)) == BEGIN_AGAIN
    await terminal.begin()
    assert await terminal.get(POLL) == b"OK"


@pytest_twisted.ensureDeferred
async def test_an_idle_poll_writes_nothing(rig: Rig) -> None:
    """Polls of encrypted terminals cost no commit where there is nothing to do."""
    terminal = await begun(rig)
    await terminal.get(POLL)  # the keys that are in use now are read once
    before = rig.store.counts()["units"]
    for _ in range(5):
        assert await terminal.get(POLL) == b"OK"
    assert rig.store.counts()["units"] == before
    assert await terminal.post(UPLOAD, LINE) == b"OK: 1"
    assert rig.store.counts()["units"] == before + 2


@pytest_twisted.ensureDeferred
async def test_a_pending_terminal_exchanges_no_keys(make_rig) -> None:
    """Nothing is kept of a terminal that nobody has approved, and no key is made for it."""
    rig = await make_rig(admission="approve")
    await rig.exchange()
    assert (await SealedTerminal(rig).keys()).status == 403
    assert await session(rig) == ("plain", "new")


@pytest_twisted.ensureDeferred
async def test_rubbish_of_a_plain_terminal_is_kept(rig: Rig) -> None:
    """What looks sealed and is of nobody who encrypts is a reject like any other."""
    await rig.exchange()
    body = b"\x01\x02 this is no sealed body"
    assert said(await rig.post(UPLOAD, body)) == (200, b"OK: 0")
    (reject,) = await rig.items("/rejects")
    assert base64.b64decode(reject["raw"]) == body
