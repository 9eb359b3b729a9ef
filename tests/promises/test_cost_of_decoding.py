"""The cost of what terminals send: time in proportion to the bytes, whatever they are."""

from __future__ import annotations

import base64
import gzip
import math
import threading
import time
from collections.abc import Callable

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from zkpush.persist.commands import CommandStore
from zkpush.persist.vault import Vault
from zkpush.protocol.faultkinds import FaultKinds
from zkpush.protocol.fields import Scope
from zkpush.protocol.packets import pack
from zkpush.protocol.rejects import MOST_REJECTS
from zkpush.resources.attendance import family

from ..rig import Response, Rig

LF = b"\n"
NOISE_SECONDS = 0.25
"""Processor time that is not compared."""
NOISE_OF_A_TURN = 0.02
"""The same for one turn of the reactor."""
MARGIN = 3.0


async def spent(rig: Rig, path: str, body: bytes, expected: bytes) -> float:
    """Processor seconds of all threads for one upload."""
    begun = time.process_time()
    reply = await rig.post(path, body)
    cost = time.process_time() - begun
    assert reply.body.startswith(expected), reply.raw
    return cost


SPACED = {
    "fields split by spaces": (
        "cdata?SN=T1&table=OPERLOG&Stamp=1",
        lambda count: b"USER PIN=1 Name=a" + b" " * count + b"x\n",
        b"OK: 1",
    ),
    "background verification": (
        "cdata?SN=T1&type=PostVerifyData",
        lambda count: b"7" + b" " * count + b"x",
        b"There is no user ID",
    ),
}


@pytest.mark.parametrize("what", SPACED)
@pytest_twisted.ensureDeferred
async def test_a_run_of_spaces_takes_time_in_proportion(rig: Rig, what: str) -> None:
    """A body of spaces that is 16 times as long takes no more than about 16 times as long."""
    path, body, expected = SPACED[what]
    await rig.exchange()
    short = await spent(rig, path, body(500), expected)
    long = await spent(rig, path, body(8000), expected)
    assert long < NOISE_SECONDS or long < short * 16 * MARGIN


def plain(length: int) -> bytes:
    """Attendance records of everyday, of about so many bytes, all different."""
    rows = [
        b"%d\t2026-01-%02d %02d:%02d:%02d\t0\t1\t0\t0\t0\n"
        % (number % 700, number // 86_400 + 1, number // 3600 % 24, number // 60 % 60, number % 60)
        for number in range(length // 33)
    ]
    return b"".join(rows)


def different(length: int) -> bytes:
    """Short lines that are all different, and are no records."""
    return b"".join(b"%x\n" % number for number in range(length // 5))


RUBBISH = {
    "equal lines": ("OPERLOG", b"a\n" * 32_768, False),
    "different lines": ("OPERLOG", different(65_536), False),
    "lines that are no attendance": ("ATTLOG", different(65_536), False),
    "lines with NUL": ("USER", b"PIN=1\0\n" * 9000, False),
    "packed lines": ("OPERLOG", b"a\n" * 32_768, True),
}
TIMES_PLAIN = 8
"""How much more than a plain upload of that length rubbish may take: it was 60 and more."""


@pytest.mark.parametrize("what", RUBBISH)
@pytest_twisted.ensureDeferred
async def test_rubbish_costs_about_what_a_plain_upload_does(rig: Rig, what: str) -> None:
    """An upload of damaged lines takes about the time of a plain one, and is kept whole."""
    table, text, packed = RUBBISH[what]
    body = gzip.compress(text) if packed else text
    await rig.exchange()
    usual = await spent(rig, "cdata?SN=T1&table=ATTLOG", plain(len(text)), b"OK: ")
    path = f"cdata?SN=T1&table={table}" + ("&ContentType=tgz" if packed else "")
    cost = await spent(rig, path, body, b"OK: 0")
    (listed,) = await rig.items("/rejects?limit=1000")
    whole = (await rig.api("GET", f"/rejects/{listed['id']}")).json
    assert base64.b64decode(whole["raw"]) == body
    assert sum(count for _, count in FaultKinds(whole["reason"])) == text.count(LF)
    assert cost < usual * TIMES_PLAIN + NOISE_SECONDS


@pytest_twisted.ensureDeferred
async def test_rejects_are_not_sealed_while_others_wait_to_write(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No reject of an upload is sealed on the thread that writes, nor many on the reactor's."""
    threads: list[threading.Thread] = []
    together = Vault.together

    def noted(vault: Vault) -> Callable[[bytes, bytes], bytes]:
        seal = together(vault)

        def noting(value: bytes, about: bytes) -> bytes:
            threads.append(threading.current_thread())
            return seal(value, about)

        return noting

    await rig.exchange()
    monkeypatch.setattr(Vault, "together", noted)
    body = b"7\t2026-01-05 08:00:00\t0\t1\n" + different(4000)
    assert (await rig.post("cdata?SN=T1&table=ATTLOG", body)).body == b"OK: 1"
    assert len(await rig.items("/rejects?limit=1000")) == MOST_REJECTS + 1
    assert len(threads) == 2 * (MOST_REJECTS + 1)
    assert threading.main_thread() not in threads
    assert not any(thread.name == "zkpush writer" for thread in threads)


@pytest_twisted.ensureDeferred
async def test_what_is_good_among_rubbish_is_stored(rig: Rig) -> None:
    """Records between and behind any number of damaged lines are stored and counted."""
    await rig.exchange()
    row = b"7\t2026-01-05 08:00:%02d\t0\t1\n"
    body = row % 1 + different(3000) + row % 2 + different(3000) + row % 3
    assert (await rig.post("cdata?SN=T1&table=ATTLOG", body)).body == b"OK: 3"
    assert len(await rig.items("/attendance")) == 3
    before = await rig.items("/rejects?limit=1000")
    assert (await rig.post("cdata?SN=T1&table=ATTLOG", body)).body == b"OK: 3"
    again = await rig.items("/rejects?limit=1000")
    assert [one["times"] for one in again] == [2] * len(before)
    assert [{**one, "times": 1} for one in again] == before


@pytest_twisted.ensureDeferred
async def test_a_list_of_rejects_holds_no_megabytes(rig: Rig) -> None:
    """A long reject is listed by its size; its bytes are in its own place, by its scopes."""
    await rig.exchange()
    body = b"x" * 300_000
    for number in range(5):
        await rig.post("cdata?SN=T1&table=NEW", body + b"%d" % number)
    listed = await rig.api("GET", "/rejects")
    assert len(listed.raw) < 5000
    first = listed.json["items"][-1]
    assert (first["raw"], first["size"]) == (None, len(body) + 1)
    path = f"/rejects/{first['id']}"
    assert base64.b64decode((await rig.api("GET", path)).json["raw"]) == body + b"0"
    token = await rig.token("reader", Scope.READ)
    seen = await rig.api("GET", path, headers=[f"Authorization: Bearer {token}"])
    assert seen.json["raw"] is None
    assert (await rig.api("GET", "/rejects/999")).status == 404


def options(count: int) -> bytes:
    """So many options, all different."""
    return b",".join(b"~Key%d=value %d" % (number, number) for number in range(count))


@pytest_twisted.ensureDeferred
async def test_the_options_of_a_terminal_are_bounded(rig: Rig) -> None:
    """Of any number of options a terminal has a thousand, and the rest is a reject."""
    await rig.exchange()
    body = options(100_000)
    assert (await rig.post("cdata?SN=T1&table=options", body)).body == b"OK"
    shown = await rig.api("GET", "/devices/T1")
    assert len(shown.raw) < 100_000
    assert len(shown.json["options"]) == 1000
    (listed,) = await rig.items("/rejects")
    reject = (await rig.api("GET", f"/rejects/{listed['id']}")).json
    assert base64.b64decode(reject["raw"]) == body
    for number in range(3):  # little by little there are no more, either
        assert (await rig.post("cdata?SN=T1&table=options", b"More%d=1" % number)).body == b"OK"
    assert len((await rig.api("GET", "/devices/T1")).json["options"]) == 1000
    kept = [base64.b64decode(one["raw"] or "") for one in await rig.items("/rejects")]
    assert kept[:-1] == [b"More2=1", b"More1=1", b"More0=1"]
    changed = b"~Key7=another"
    assert (await rig.post("cdata?SN=T1&table=options", changed)).body == b"OK"
    assert (await rig.api("GET", "/devices/T1")).json["options"]["~Key7"] == "another"


LONG_OPTIONS = {
    "a long value": b"Long=" + b"v" * 10_000 + b",Short=1",
    "a long name": b"n" * 100 + b"=1,Short=1",
}


@pytest.mark.parametrize("what", LONG_OPTIONS)
@pytest_twisted.ensureDeferred
async def test_a_long_option_is_a_reject(rig: Rig, what: str) -> None:
    """An option that is too long is kept as a reject, and costs the others nothing."""
    await rig.exchange()
    body = LONG_OPTIONS[what]
    assert (await rig.post("cdata?SN=T1&table=options", body)).body == b"OK"
    assert (await rig.api("GET", "/devices/T1")).json["options"] == {"Short": "1"}
    (listed,) = await rig.items("/rejects")
    assert listed["size"] == len(body)


@pytest_twisted.ensureDeferred
async def test_the_same_options_are_not_sealed_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options that are those of before are neither sealed nor written."""
    sealed: list[bytes] = []
    seal = Vault.seal

    def noted(vault: Vault, value: bytes, about: bytes) -> bytes:
        sealed.append(about)
        return seal(vault, value, about)

    await rig.exchange()
    await rig.post("cdata?SN=T1&table=options", options(200))
    await rig.get("getrequest?SN=T1&INFO=Ver1,1,2,3,192.0.2.1")
    monkeypatch.setattr(Vault, "seal", noted)
    await rig.post("cdata?SN=T1&table=options", options(200))
    await rig.post("cdata?SN=T1&table=options", options(20))
    await rig.get("getrequest?SN=T1&INFO=Ver1,1,2,3,,")
    assert sealed == []
    await rig.post("cdata?SN=T1&table=options", b"~Key1=2")
    assert len(sealed) == 1


@pytest_twisted.ensureDeferred
async def test_update_information_is_bounded(rig: Rig) -> None:
    """Of any number of values in a poll's INFO the first few are kept, and the rest is a reject."""
    await rig.exchange()
    text = ",".join(str(number) for number in range(500))
    assert (await rig.get(f"getrequest?SN=T1&INFO={text}")).status == 200
    (listed,) = await rig.items("/rejects")
    assert base64.b64decode(listed["raw"]) == text.encode()
    assert len((await rig.api("GET", "/devices/T1")).raw) < 5000


@pytest_twisted.ensureDeferred
async def test_the_options_in_an_answer_are_bounded(rig: Rig) -> None:
    """An answer to INFO brings a thousand options at most; all of it is a reject then."""
    await rig.exchange()
    command = {"command": "INFO", "params": {}}
    queued = (await rig.api("POST", "/devices/T1/commands", command)).json
    lines = b"".join(b"~Key%d=%d\n" % (number, number) for number in range(50_000))
    body = b"ID=%b&Return=0&CMD=INFO\n" % queued["id"].encode() + lines
    assert (await rig.post("devicecmd?SN=T1", body)).body == b"OK"
    assert len((await rig.api("GET", "/devices/T1")).json["options"]) == 1000
    done = (await rig.api("GET", f"/commands/{queued['id']}")).json
    assert (done["state"], len(done["result"])) == ("done", 1000)
    (listed,) = await rig.items("/rejects")
    whole = (await rig.api("GET", f"/rejects/{listed['id']}")).json
    assert base64.b64decode(whole["raw"]) == body.rstrip(b"\n")


@pytest_twisted.ensureDeferred
async def test_thousands_of_answers_hold_up_nobody(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body of thousands of answers is read on a thread, and stored some at a time.

    Those that nobody awaits are not looked for one by one.
    """
    looks: list[object] = []
    decoded_in: list[threading.Thread] = []
    decode = family.decode_replies

    def counted(look: Callable[..., object]) -> Callable[..., object]:
        def looked(commands: CommandStore, *wanted: object) -> object:
            looks.append(wanted)
            return look(commands, *wanted)

        return looked

    def decoding(*arguments: object) -> object:
        decoded_in.append(threading.current_thread())
        return decode(*arguments)

    await rig.exchange()
    ids = []
    for number in range(150):
        command = {"command": "DATA UPDATE USERINFO", "params": {"PIN": str(number + 1)}}
        ids.append((await rig.api("POST", "/devices/T1/commands", command)).json["id"])
    for name in ("get", "known_among"):
        monkeypatch.setattr(CommandStore, name, counted(getattr(CommandStore, name)))
    monkeypatch.setattr(family, "decode_replies", decoding)
    begun = rig.store.counts()["units"]
    strange = b"".join(b"ID=X%d&Return=0&CMD=DATA\n" % number for number in range(5000))
    ours = b"".join(b"ID=%b&Return=0&CMD=DATA\n" % one.encode() for one in ids)
    assert (await rig.post("devicecmd?SN=T1", strange + ours)).body == b"OK"
    assert decoded_in
    assert threading.main_thread() not in decoded_in
    assert rig.store.counts()["units"] - begun >= 50
    assert len(looks) <= 3 * len(ids)
    found = await rig.items("/devices/T1/commands?limit=1000")
    assert {one["state"] for one in found} == {"done"}


FEW, MANY = 600, 9600
"""Answers in one body."""
SERVED_MEANWHILE = 6
"""Requests of another terminal: it was 3 when one unit of work looked up and stored each answer."""
ANSWERS = {
    "to commands that nobody sent": b"ID=X%(number)d&Return=0&CMD=DATA\n",
    "to one command": b"ID=%(id)b&Return=0&CMD=DATA\n",
    "that cannot be read": b"ID=X%(number)d&Return=x\n",
}


async def answering(rig: Rig, what: str, count: int) -> Deferred[Response]:
    """Queue a command, and send so many answers in one body, with the next turn of the reactor."""
    command = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "1"}}
    queued = (await rig.api("POST", "/devices/T1/commands", command)).json["id"].encode()
    body = b"".join(ANSWERS[what] % {b"number": n, b"id": queued} for n in range(count))
    answered: Deferred[Response] = Deferred()

    def send() -> None:
        Deferred.fromCoroutine(rig.post("devicecmd?SN=T1", body)).chainDeferred(answered)

    reactor.callLater(0, send)
    return answered


@pytest.mark.parametrize("what", ["to commands that nobody sent", "to one command"])
@pytest_twisted.ensureDeferred
async def test_others_are_served_while_thousands_of_answers_are_read(rig: Rig, what: str) -> None:
    """Uploads of another terminal and the health check are answered in between.

    Those that cannot be read are over too soon to count beside others; see the next test.
    """
    await rig.exchange()
    await rig.exchange("T2")
    answered = await answering(rig, what, MANY)
    served = 0
    while not answered.called:
        served += 1
        line = b"%d\t2026-01-05 08:00:00\t0\t1\n" % served
        assert (await rig.post("cdata?SN=T2&table=ATTLOG", line)).body == b"OK: 1"
        assert (await rig.api("GET", "/health", prefix="", headers=())).status == 200
    assert (await answered).body == b"OK"
    assert served >= SERVED_MEANWHILE


@pytest_twisted.ensureDeferred
async def test_unreadable_answers_cost_the_same_however_many_there_are(rig: Rig) -> None:
    """They are kept as equally many rejects, in equally many units of work."""
    stored = []
    for sn, count in (("T1", FEW), ("T2", MANY)):
        await rig.exchange(sn)
        units = rig.store.counts()["units"]
        body = b"".join(ANSWERS["that cannot be read"] % {b"number": n} for n in range(count))
        assert (await rig.post(f"devicecmd?SN={sn}", body)).body == b"OK"
        units = rig.store.counts()["units"] - units
        stored.append((len(await rig.items(f"/rejects?device={sn}&limit=1000")), units))
    assert stored[0] == stored[1]
    assert 0 < stored[0][0] < FEW


@pytest.mark.long
@pytest.mark.parametrize("what", ANSWERS)
@pytest_twisted.ensureDeferred
async def test_many_answers_take_no_longer_turn_of_the_reactor_than_few(
    rig: Rig, what: str
) -> None:
    """The longest turn takes the same processor time for 16 times as many answers."""
    await rig.exchange()
    longest = dict.fromkeys((FEW, MANY), math.inf)
    for count in (FEW, MANY) * 3:
        answered = await answering(rig, what, count)
        turns = [0.0]
        while not answered.called:
            begun = time.thread_time()
            await deferLater(reactor, 0)
            turns.append(time.thread_time() - begun)
        assert (await answered).body == b"OK"
        longest[count] = min(longest[count], max(turns))
    assert longest[MANY] < NOISE_OF_A_TURN or longest[MANY] < longest[FEW] * 4


@pytest_twisted.ensureDeferred
async def test_a_packet_of_many_members_takes_few_units_of_work(rig: Rig) -> None:
    """Thousands of short members are stored together, and not each by a commit of its own."""
    await rig.exchange()
    members = [
        (str(number), b"USER PIN=%d\tName=Ann %050d" % (number, 0)) for number in range(5000)
    ]
    begun = rig.store.counts()["units"]
    reply = await rig.post("cdata?SN=T1&table=OPERLOG&ContentType=tgz", pack(members))
    assert reply.body == b"OK: 5000"
    assert rig.store.counts()["units"] - begun < 20
