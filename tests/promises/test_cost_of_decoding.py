"""The cost of what terminals send: time in proportion to the bytes, whatever they are."""

from __future__ import annotations

import base64
import gzip
import threading
import time

import pytest
import pytest_twisted

from zkpush.persist.vault import Vault
from zkpush.protocol.fields import Scope

from ..rig import Rig

NOISE_SECONDS = 0.25
"""Processor time that is not compared."""
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
    rejects = await rig.items("/rejects?limit=1000")
    assert len(rejects) <= 101
    lines = {line for line in text.split(b"\n") if line}
    if len(lines) <= 100:
        assert {base64.b64decode(reject["raw"]) for reject in rejects} == lines
    else:
        whole = (await rig.api("GET", f"/rejects/{rejects[-1]['id']}")).json
        assert base64.b64decode(whole["raw"]) == body
        assert str(len(lines) - 100) in whole["reason"]
    assert cost < usual * TIMES_PLAIN + NOISE_SECONDS


@pytest_twisted.ensureDeferred
async def test_rejects_are_not_sealed_while_others_wait_to_write(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No reject of an upload is sealed on the thread that writes, nor many on the reactor's."""
    threads: list[threading.Thread] = []
    seal = Vault.seal

    def noted(vault: Vault, value: bytes, about: bytes) -> bytes:
        threads.append(threading.current_thread())
        return seal(vault, value, about)

    await rig.exchange()
    monkeypatch.setattr(Vault, "seal", noted)
    assert (await rig.post("cdata?SN=T1&table=ATTLOG", different(4000))).body == b"OK: 0"
    assert len(await rig.items("/rejects?limit=1000")) == 101
    assert len(threads) == 2 * 101
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
    assert await rig.items("/rejects?limit=1000") == before


@pytest_twisted.ensureDeferred
async def test_a_list_of_rejects_holds_no_megabytes(rig: Rig) -> None:
    """A long reject is listed by its size; its bytes are in its own place, by its scopes."""
    await rig.exchange()
    body = b"x" * 300_000
    for number in range(5):
        await rig.post("cdata?SN=T1&table=NEW", body + b"%d" % number)
    listed = await rig.api("GET", "/rejects")
    assert len(listed.raw) < 5000
    first = listed.json["items"][0]
    assert (first["raw"], first["size"]) == (None, len(body) + 1)
    path = f"/rejects/{first['id']}"
    assert base64.b64decode((await rig.api("GET", path)).json["raw"]) == body + b"0"
    token = await rig.token("reader", Scope.READ)
    seen = await rig.api("GET", path, headers=[f"Authorization: Bearer {token}"])
    assert seen.json["raw"] is None
    assert (await rig.api("GET", "/rejects/999")).status == 404
