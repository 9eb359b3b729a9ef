"""`Encrypt=1` (5): attendance records under RC4, with a key that is configured."""

from __future__ import annotations

import base64

import pytest_twisted
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

from ..rig import Rig

KEY = b"0123456789abcdef"
LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=1"


def rc4(body: bytes, key: bytes = KEY) -> bytes:
    """What a terminal sends instead of a body."""
    return Cipher(ARC4(key), mode=None).encryptor().update(body)


async def configure(rig: Rig, **values: object) -> int:
    """Give the terminal a key, as an operator does; the status."""
    await rig.exchange()
    secret = base64.b64encode(KEY).decode()
    response = await rig.api("PATCH", "/devices/T1", {"cipher": "rc4", "secret": secret, **values})
    return response.status


@pytest_twisted.ensureDeferred
async def test_the_terminal_is_told_to_encrypt_attendance_records(rig: Rig) -> None:
    """Encrypt=1, and the flag of attendance records right behind it."""
    assert b"Encrypt=0\n" in (await rig.exchange()).body
    assert await configure(rig) == 200
    options = (await rig.exchange()).body
    assert b"Encrypt=1\nEncryptFlag=10000000\n" in options


@pytest_twisted.ensureDeferred
async def test_attendance_records_are_decrypted_and_all_else_is_plain(rig: Rig) -> None:
    """Only ATTLOG is encrypted, and no reply."""
    await configure(rig)
    await rig.exchange()
    assert (await rig.post(UPLOAD, rc4(LINE))).body == b"OK: 1"
    assert [item["pin"] for item in await rig.items("/attendance")] == ["7"]
    assert (await rig.post("cdata?SN=T1&table=OPERLOG", b"USER PIN=1\n")).body == b"OK: 1"
    assert (await rig.get("getrequest?SN=T1")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_records_under_another_key_stay_on_the_terminal(rig: Rig) -> None:
    """What does not become text in columns is refused: acknowledged, it would be lost."""
    await configure(rig)
    await rig.exchange()
    for body in (rc4(LINE * 3, b"another key 4567"), LINE * 3):
        response = await rig.post(UPLOAD, body)
        assert response.status == 400
        assert b"OK" not in response.body
    assert await rig.items("/attendance") == await rig.items("/rejects") == []


@pytest_twisted.ensureDeferred
async def test_with_never_the_terminal_is_plain(rig: Rig) -> None:
    """The policy counts for every suite."""
    await configure(rig, encryption="never")
    assert b"Encrypt=0\n" in (await rig.exchange()).body
    assert (await rig.post(UPLOAD, LINE)).body == b"OK: 1"


@pytest_twisted.ensureDeferred
async def test_an_exchange_of_keys_is_refused(rig: Rig) -> None:
    """The suite has none."""
    await configure(rig)
    await rig.exchange()
    response = await rig.post("exchange?SN=T1&type=publickey", b"PublicKey=AQID")
    assert response.status == 403
